"""How far printed accuracies can be trusted: which are possible, what they resolve, and how much the split leaks."""

from collections.abc import Iterable
from itertools import count, product

import numpy as np
import pandas as pd
from scipy import stats

from fer_lib import results
from fer_lib.findings.tables import measured, oracle_gain
from fer_lib.stats import LEVEL, ROUNDING, mean_interval, wilson
from fer_lib.words import naming
from fer_lib.words.rounding import interval, p_value, percent, with_ends

FRAMES = 981
"""All frames of CK+."""

TEST_FRAMES = 181
"""Kim et al. 2022, section 3: 181 of the 981 frames of CK+ test."""

DERIVED = 98.96
"""The accuracy that only the paper's text gives, as 0.48 points below 99.44: it may be 0.01 off."""

TEST_BATCHES = (8, 16, 32, 64, 128)
"""Common sizes of test batches, of which the last of 181 frames is always smaller."""


def rounded_and_cut(share: float) -> tuple[float, float]:
    """A share in percent, rounded and cut to two decimals."""
    return np.floor(10_000 * share + 0.5) / 100, np.floor(10_000 * share + 1e-9) / 100


def same_to_two_decimals(share: float, printed: float) -> bool:
    """Whether a share becomes the printed percentage when it is rounded or cut to two decimals."""
    return bool(np.isclose(rounded_and_cut(share), printed).any())


ALL, IMPOSSIBLE = "all frames", "impossible"

AS_A_SHARE = f"errors, as a share of {TEST_FRAMES} frames"

MOST_ERRORS = 12
"""The most errors that are tried: 93.4 % of the test frames are right then."""


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
    """Which numbers of errors explain each printed accuracy (columns method, accuracy in percent), if any."""
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
                AS_A_SHARE: _listed(found.loc[found["how"] == ALL, "errors"].map(str)),
                "errors, as a mean over batches": _listed(f"{n} (of {sizes} frames)" for n, sizes in by_count.items()),
                "nearest possible accuracy": 100 * (1 - nearest / TEST_FRAMES),
                "errors": int(found["errors"].min()) if len(found) else nearest,
            }
        )
    return pd.DataFrame(rows)


def _listed(found: Iterable[str]) -> str:
    return "; ".join(found) or IMPOSSIBLE


def in_frames(printed: float) -> float:
    """The accuracy on `TEST_FRAMES` that is nearest to a printed one, both shares; less what rounding may cost."""
    return np.round(TEST_FRAMES * printed) / TEST_FRAMES - ROUNDING


def as_a_share(printed: float) -> str:
    """Which number of correct frames of `TEST_FRAMES` gives a printed percentage: a sentence without its full stop."""
    found = explanations(printed)
    found = found[found["how"] == ALL]
    if found.empty:
        return f"No number of correct frames out of {TEST_FRAMES} gives {printed:.2f} %, rounded or truncated"
    errors, share = found[["errors", "accuracy"]].iloc[0]
    way = "rounded" if np.isclose(rounded_and_cut(share)[0], printed) else "truncated rather than rounded"
    correct = TEST_FRAMES - errors
    return f"Only {correct:.0f} correct frames out of {TEST_FRAMES} give {printed:.2f} %, {way} to two decimals"


def common_ways(printed: pd.DataFrame) -> list[str]:
    """The ways of `explanations` that give all of the printed accuracies."""
    ways = [set(explanations(accuracy)["how"]) for accuracy in printed["accuracy"]]
    return sorted(set.intersection(*ways))


def common_way(printed: pd.DataFrame) -> str:
    """Whether a single way of `explanations` gives all of the printed accuracies, in sentences."""
    if common := common_ways(printed):
        return f"All {len(printed)} printed accuracies can be computed in the same way: over {', or '.join(common)}."
    return (
        f"Neither counting all frames nor averaging over test batches gives all {len(printed)} printed accuracies. "
        f"Counted on one test set, they would need at least {fewest_frames(printed['accuracy']):,} frames; CK+ has "
        f"{FRAMES}. At least one of them was computed in another way or on other frames, or does not match what was "
        "measured."
    )


def fewest_frames(printed: Iterable[float]) -> int:
    """The size of the smallest test set on which counts of correct frames give all these percentages.

    Were `DERIVED` 0.01 lower, the paper's would need as many; were it 0.01 higher, they would need more.
    """
    return next(n for n in count(1) if all(_counted(n, one) for one in printed))


def _counted(frames: int, printed: float) -> bool:
    nearest = round(frames * printed / 100)
    return any(same_to_two_decimals(right / frames, printed) for right in range(nearest - 1, nearest + 2))


def number_line(explained: pd.DataFrame) -> pd.DataFrame:
    """The accuracies in percent that 0 to 8 errors give, and the printed ones of `possible`, which have none.

    Columns what (possible, or the method), accuracy, errors.
    """
    errors = np.arange(9)
    comb = pd.DataFrame({"what": "possible", "accuracy": 100 * (1 - errors / TEST_FRAMES), "errors": errors})
    printed = pd.DataFrame({"what": explained["method"], "accuracy": explained["printed"]})
    return pd.concat([comb, printed], ignore_index=True)


def fisher(errors: int, other: int) -> float:
    """Two-sided p of Fisher's exact test for two accuracies, each on `TEST_FRAMES` of its own."""
    return float(stats.fisher_exact([[errors, TEST_FRAMES - errors], [other, TEST_FRAMES - other]]).pvalue)


def mcnemar_at_best(errors: int, other: int) -> float:
    """The smallest possible two-sided p of McNemar's exact test for two methods on the same frames.

    It is reached where every error of the better method is also an error of the other.
    """
    return min(1.0, 2 * 0.5 ** abs(errors - other))


def counts_table(explained: pd.DataFrame) -> pd.DataFrame:
    """Rows of `possible` with Wilson's interval and the p of two tests against the last row, the proposed method."""
    *others, proposed = explained["errors"]
    return pd.DataFrame(
        {
            "method": explained["method"],
            "errors": [f"{errors} of {TEST_FRAMES}" for errors in explained["errors"]],
            "accuracy": [percent(1 - errors / TEST_FRAMES) for errors in explained["errors"]],
            "95 % interval": [interval(*wilson(errors, TEST_FRAMES)) for errors in explained["errors"]],
            "Fisher's p": [p_value(fisher(errors, proposed)) for errors in others] + ["–"],
            "McNemar's p, smallest possible": [p_value(mcnemar_at_best(errors, proposed)) for errors in others] + ["–"],
        }
    )


def told_apart(printed: pd.DataFrame) -> str:
    """Which counts behind the other printed accuracies can differ significantly from the last one's, in sentences.

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
                f"With {errors} errors, which fit an accuracy computed over {', '.join(own['how'])}, a difference is "
                f"possible: p = {p_value(separate)} (Fisher), at best {p_value(shared)} (McNemar)."
            )
    alike = (
        f"A method with {' or '.join(same)} errors does not differ significantly from the proposed one with "
        f"{proposed}, whether they share test frames or not ({100 * (1 - LEVEL):.0f} % level)."
    )
    return " ".join([alike] * bool(same) + apart)


def in_short(explained: pd.DataFrame) -> list[str]:
    """What the printed accuracies and their counts say, in two sentences. explained: rows of `possible`."""
    *others, proposed = explained["errors"]
    tabled = explained.loc[explained["printed"] != DERIVED, AS_A_SHARE]
    least = min(test(errors, proposed) for errors in others for test in (fisher, mcnemar_at_best))
    found = "at least one differs" if least <= 1 - LEVEL else "none differs"
    return [
        f"Accuracies that the paper's table prints for its networks and that are possible on {TEST_FRAMES} frames: "
        f"{(tabled != IMPOSSIBLE).sum()} of {len(tabled)}. {as_a_share(explained['printed'].iloc[-1])}.",
        "If the frames were independent, the proposed method's 95 % interval would be "
        f"{interval(*wilson(proposed, TEST_FRAMES))} %. Of the other methods, at the fewest errors that fit, {found} "
        f"from it significantly (smallest p = {p_value(least)}).",
    ]


def ladder(dataset: str, trained: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of references and of trained networks per protocol: columns method, protocol, mean, ci_low, ci_high, n.

    trained: rows of `tables.accuracy_table`.
    """
    references = results.of_data_set(dataset, "references.csv")
    columns = ["method", "protocol", "mean", "ci_low", "ci_high", "n"]
    return pd.concat([references[columns], trained.rename(columns={"label": "method"})[columns]], ignore_index=True)


def by_epoch(dataset: str) -> str:
    """In how many of our runs of its networks a printed number is reached, by the epoch that counts, in sentences."""
    said = []
    for arm in measured(dataset):
        if np.isnan(number := naming.printed(arm)):
            continue
        last = results.read(arm, "metrics.csv").set_index(["seed", "fold"])["accuracy"]
        first, best = ((own >= in_frames(number)).sum() or "none" for own in (last, last + oracle_gain(arm)))
        said.append(f"{naming.label(arm)} ({percent(number)} %) {first} and {best} of {len(last)}")
    if not said:
        return ""
    return (
        "The paper does not say which epoch it reports. Our runs that reach the printed number, in whole test frames, "
        f"after the last epoch and at the epoch with the best test accuracy: {'; '.join(said)}. Choosing the epoch on "
        "the test frames is one possible way to such a number; we do not know whether it was done."
    )


def self_agreements(dataset: str) -> pd.DataFrame:
    """Runs on the paper's split that were also tested with dropout on.

    Columns method, seed, accuracy, dropout_accuracy, self_agreement.
    """
    columns = ["method", "seed", "accuracy", "dropout_accuracy", "self_agreement"]
    tested = [
        results.read(arm, "metrics.csv").assign(method=naming.label(arm))
        for arm in measured(dataset)
        if arm.protocol == "random"
    ]
    rows = [metrics[columns].dropna() for metrics in tested if "self_agreement" in metrics]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)


def agreement_in_words(members: pd.DataFrame) -> str:
    """What `self_agreements` show, sentences per method; accuracy with Student's t interval over the runs."""
    said = [_agreement(name, own) for name, own in members.groupby("method", sort=False)]
    return f"{' '.join(said)} These runs do not show where the printed 99.44 % came from."


def _agreement(method: str, members: pd.DataFrame) -> str:
    accuracy, agreement = 100 * members["accuracy"].mean(), 100 * members["self_agreement"].mean()
    changed = int((members["accuracy"] != members["dropout_accuracy"]).sum())
    return (
        f"{method}: mean accuracy is {with_ends(mean_interval(members['accuracy']))}, mean self-agreement "
        f"{agreement:.2f} %, {abs(agreement - accuracy):.2f} points {'higher' if agreement > accuracy else 'lower'} "
        f"(n = {len(members)} runs). Dropout at evaluation changes the accuracy of {changed or 'none'} of the "
        f"{len(members)} runs."
    )
