"""How far printed accuracies can be trusted: which are possible, what they resolve, and what the split gives away."""

from collections.abc import Iterable
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from fer_lib import results
from fer_lib.findings.tables import measured
from fer_lib.stats import LEVEL, wilson
from fer_lib.words.naming import label
from fer_lib.words.rounding import in_cell, interval, p_value, percent

TEST_FRAMES = 181
"""Kim et al. 2022, section 3: 181 of the 981 frames of CK+ test."""

TEST_BATCHES = (8, 16, 32, 64, 128)
"""Common sizes of test batches, of which the last of 181 frames is always smaller."""


def rounded_and_cut(share: float) -> tuple[float, float]:
    """A share in percent, rounded and cut to two decimals."""
    return np.floor(10_000 * share + 0.5) / 100, np.floor(10_000 * share + 1e-9) / 100


def same_to_two_decimals(share: float, printed: float) -> bool:
    """Whether a share becomes the printed percentage when it is rounded or cut to two decimals."""
    return bool(np.isclose(rounded_and_cut(share), printed).any())


ALL = "all frames"

MOST_ERRORS = 12
"""As many are asked for: 93.4 % of the test frames are right then."""


def explanations(printed: float) -> pd.DataFrame:
    """How a printed percentage can come about on `TEST_FRAMES`: columns how, errors, accuracy (a share).

    As a share of all frames, or as the mean of the accuracies of test batches of a size of `TEST_BATCHES`.
    """
    ways = [(ALL, errors, 1 - errors / TEST_FRAMES) for errors in range(MOST_ERRORS + 1)]
    for size in TEST_BATCHES:
        whole, last = divmod(TEST_FRAMES, size)
        for errors, late in product(range(MOST_ERRORS + 1), range(last + 1)):
            if late <= errors:
                lost = (errors - late) / size + late / last
                ways.append((f"batches of {size}", errors, 1 - lost / (whole + 1)))
    fitting = [way for way in ways if same_to_two_decimals(way[2], printed)]
    return pd.DataFrame(fitting, columns=["how", "errors", "accuracy"]).drop_duplicates(["how", "errors"])


def possible(printed: pd.DataFrame) -> pd.DataFrame:
    """For each printed accuracy (columns method, accuracy in percent) what number of errors explains it, if any."""
    rows = []
    for row in printed.itertuples():
        found = explanations(row.accuracy)
        batches = found[found["how"] != ALL].assign(size=lambda table: table["how"].str.removeprefix("batches of "))
        by_count = batches.groupby("errors")["size"].agg(", ".join)
        nearest = round(TEST_FRAMES * (1 - row.accuracy / 100))
        rows.append(
            {
                "method": row.method,
                "printed": row.accuracy,
                f"errors, as a share of {TEST_FRAMES}": _listed(found.loc[found["how"] == ALL, "errors"].map(str)),
                "errors, as a mean over batches": _listed(f"{n} (of {sizes})" for n, sizes in by_count.items()),
                "nearest share": 100 * (1 - nearest / TEST_FRAMES),
                "errors": int(found["errors"].min()) if len(found) else nearest,
            }
        )
    return pd.DataFrame(rows)


def _listed(found: Iterable[str]) -> str:
    return "; ".join(found) or "impossible"


def as_a_share(printed: float) -> str:
    """Which number of right answers on `TEST_FRAMES` gives a printed percentage: a sentence without its full stop."""
    found = explanations(printed)
    found = found[found["how"] == ALL]
    if found.empty:
        return f"Of {TEST_FRAMES} frames no number right gives {printed:.2f} %, rounded or cut to two decimals"
    errors, share = found[["errors", "accuracy"]].iloc[0]
    way = "rounded" if np.isclose(rounded_and_cut(share)[0], printed) else "cut and not rounded"
    return f"Of {TEST_FRAMES} frames only {TEST_FRAMES - errors:.0f} right gives {printed:.2f} %, {way} to two decimals"


def common_way(printed: pd.DataFrame) -> str:
    """Whether one of the ways of `explanations` gives all of the printed accuracies, in a sentence."""
    ways = [set(explanations(accuracy)["how"]) for accuracy in printed["accuracy"]]
    common = sorted(set.intersection(*ways))
    if common:
        return f"All {len(printed)} printed accuracies can come about in one way: over {', or '.join(common)}."
    return (
        f"No one way of counting, over all frames or over batches, gives all {len(printed)} printed accuracies: at "
        "least one of them was computed in another way, on other frames, or is not exactly what was measured."
    )


def number_line(explained: pd.DataFrame, most_errors: int = 8) -> pd.DataFrame:
    """The accuracies in percent that up to so many errors give, and the printed ones of `possible`, which have none.

    Columns what (possible, or the method), accuracy, errors.
    """
    errors = np.arange(most_errors + 1)
    comb = pd.DataFrame({"what": "possible", "accuracy": 100 * (1 - errors / TEST_FRAMES), "errors": errors})
    printed = pd.DataFrame({"what": explained["method"], "accuracy": explained["printed"]})
    return pd.concat([comb, printed], ignore_index=True)


def fisher(errors: int, other: int) -> float:
    """Two-sided p of Fisher's exact test that two accuracies, each on `TEST_FRAMES` of its own, are the same."""
    return float(stats.fisher_exact([[errors, TEST_FRAMES - errors], [other, TEST_FRAMES - other]]).pvalue)


def mcnemar_at_best(errors: int, other: int) -> float:
    """The least two-sided p of McNemar's exact test, of two methods on the same frames.

    That is where all errors of the one are errors of the other too.
    """
    return min(1.0, 2 * 0.5 ** abs(errors - other))


def counts_table(explained: pd.DataFrame) -> pd.DataFrame:
    """Rows of `possible` with Wilson's interval, and the p of two tests against the last row, the proposed method."""
    ends = [wilson(errors, TEST_FRAMES) for errors in explained["errors"]]
    *others, proposed = explained["errors"]
    return pd.DataFrame(
        {
            "method": explained["method"],
            "errors": [f"{errors} of {TEST_FRAMES}" for errors in explained["errors"]],
            "accuracy": [percent(1 - errors / TEST_FRAMES) for errors in explained["errors"]],
            "95 % interval": [interval(*pair) for pair in ends],
            "Fisher's p": [p_value(fisher(errors, proposed)) for errors in others] + ["–"],
            "McNemar's p, at best": [p_value(mcnemar_at_best(errors, proposed)) for errors in others] + ["–"],
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
        }
    )


def told_apart(printed: pd.DataFrame) -> str:
    """Which counts that explain the other printed accuracies can differ from the last one's, in sentences.

    printed: as in `possible`.
    """
    proposed = possible(printed)["errors"].iloc[-1]
    same, apart = [], []
    for errors, own in pd.concat(map(explanations, printed["accuracy"].iloc[:-1])).groupby("errors"):
        separate, shared = fisher(errors, proposed), mcnemar_at_best(errors, proposed)
        if min(separate, shared) > 1 - LEVEL:
            same.append(f"{errors}")
        else:
            apart.append(
                f"With {errors} errors, if the printed number is over {', '.join(own['how'])}, it could be: p "
                f"{p_value(separate)} (Fisher), at best {p_value(shared)} (McNemar)."
            )
    alike = (
        f"With {' or '.join(same)} errors a method cannot be told apart from the proposed one with {proposed}, neither "
        f"on frames of its own nor on the same ones (at {100 * (1 - LEVEL):.0f} %)."
    )
    return " ".join([alike] * bool(same) + apart)


def dependence(leaks: pd.DataFrame) -> str:
    """What the frames of a random test depend on, in sentences. leaks: `leakage.ladder` of a data set."""
    row = leaks.set_index("protocol").loc["random"]
    return (
        f"Within a random test set of {row['test frames']:.0f} frames that is nearly so: a tested sequence has "
        f"{row['frames a sequence']:.1f} of them, a tested person {row['frames a subject']:.1f} (expected over all "
        f"draws). What they depend on is the training set: {percent(row['sequence seen'])} % of them have a frame of "
        "the same sequence there, nearly a twin. So the intervals hold for twins of training frames, not for other "
        "faces."
    )


def ladder(dataset: str, trained: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of references and of trained networks per protocol: columns method, protocol, mean, ci_low, ci_high, n.

    trained: rows of `tables.accuracy_table`.
    """
    references = results.of_data_set(dataset, "references.csv")
    columns = ["method", "protocol", "mean", "ci_low", "ci_high", "n"]
    return pd.concat([references[columns], trained.rename(columns={"label": "method"})[columns]], ignore_index=True)


def readable_ladder(rungs: pd.DataFrame) -> pd.DataFrame:
    """`ladder` with one row per method and one column per protocol, rounded for the eye."""
    said = [in_cell(row.mean, row.ci_low, row.ci_high, ".2%") for row in rungs.itertuples()]
    wide = rungs.assign(said=said).pivot_table(index="method", columns="protocol", values="said", aggfunc="; ".join)
    order = [name for name in ("random", "sequence", "subject") if name in wide]
    return wide.loc[rungs["method"].unique(), order].fillna("–").rename_axis(None).rename_axis(None, axis=1)


def self_agreements(dataset: str) -> pd.DataFrame:
    """Members that were also tested with their dropout on: method, seed, accuracy, dropout_accuracy, self_agreement."""
    rows = [pd.DataFrame(columns=["method", "seed", "accuracy", "dropout_accuracy", "self_agreement"])]
    for experiment in measured(dataset):
        metrics = results.read(experiment, "metrics.csv")
        if "self_agreement" in metrics:
            rows.append(metrics.assign(method=label(experiment))[list(rows[0].columns)].dropna())
    return pd.concat(rows[1:], ignore_index=True) if len(rows) > 1 else rows[0]


def agreement_in_words(members: pd.DataFrame) -> str:
    """What `self_agreements` say, in sentences."""
    accuracy, agreement = 100 * members["accuracy"].mean(), 100 * members["self_agreement"].mean()
    changed = int((members["accuracy"] != members["dropout_accuracy"]).sum())
    return (
        f"Mean accuracy {accuracy:.2f}, mean self-agreement {agreement:.2f}, n = {len(members)}. Self-agreement is not "
        f"accuracy: here it is {abs(agreement - accuracy):.2f} points {'higher' if agreement > accuracy else 'lower'}. "
        f"Dropout changes the accuracy of {changed or 'none'} of the {len(members)} networks: these cannot tell where "
        "the printed 99.44 came from."
    )
