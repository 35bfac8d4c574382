"""How far printed accuracies can be trusted: which are possible, what they resolve, and what more would take."""

from collections.abc import Iterable
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from fer_lib import results
from fer_lib.findings.claims import CLAIMS, pairs
from fer_lib.findings.tables import lost, measured
from fer_lib.stats import LEVEL, wilson
from fer_lib.words.naming import label, published
from fer_lib.words.rounding import in_cell, interval, p_value, percent

TEST_FRAMES = 181
"""Kim et al. 2022, section 3: 181 of the 981 frames of CK+ test."""

TEST_BATCHES = (8, 16, 32, 64, 128)
"""Common sizes of test batches, of which the last of 181 frames is always smaller."""

POWER = 0.8
"""The chance with which a study should find a difference that is there."""


def same_to_two_decimals(share: float, printed: float) -> bool:
    """Whether a share becomes the printed percentage when it is rounded or cut to two decimals."""
    rounded, cut = np.floor(10_000 * share + 0.5) / 100, np.floor(10_000 * share + 1e-9) / 100
    return bool(np.isclose([rounded, cut], printed).any())


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
    """Two-sided p of Fisher's exact test that two accuracies on `TEST_FRAMES` each are the same."""
    return float(stats.fisher_exact([[errors, TEST_FRAMES - errors], [other, TEST_FRAMES - other]]).pvalue)


def counts_table(explained: pd.DataFrame) -> pd.DataFrame:
    """Rows of `possible` with Wilson's interval, and Fisher's p against the last row, the proposed method."""
    ends = [wilson(errors, TEST_FRAMES) for errors in explained["errors"]]
    proposed = explained["errors"].iloc[-1]
    return pd.DataFrame(
        {
            "method": explained["method"],
            "errors": [f"{errors} of {TEST_FRAMES}" for errors in explained["errors"]],
            "accuracy": [percent(1 - errors / TEST_FRAMES) for errors in explained["errors"]],
            "95 % interval": [interval(*pair) for pair in ends],
            "p against the proposed": [p_value(fisher(errors, proposed)) for errors in explained["errors"][:-1]]
            + ["–"],
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
        }
    )


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


def paired_t_power(difference: float, spread: float, n: int) -> float:
    """Power of a two-sided paired t test over n pairs whose differences have this standard deviation."""
    critical = stats.t.ppf((1 + LEVEL) / 2, n - 1)
    shift = difference / spread * np.sqrt(n)
    # The other tail, a difference in the wrong direction, is NaN in scipy where it is too small to count.
    return float(1 - stats.nct.cdf(critical, n - 1, shift) + np.nan_to_num(stats.nct.cdf(-critical, n - 1, shift)))


def seeds_needed(difference: float, spread: float) -> int:
    """The fewest pairs of members that reach `POWER`."""
    n = 2
    while paired_t_power(difference, spread, n) < POWER:
        n += 1
    return n


def spread_interval(spread: float, n: int) -> tuple[float, float]:
    """95 % interval of a standard deviation that n normal values have (chi-squared)."""
    low, high = stats.chi2.ppf([(1 + LEVEL) / 2, (1 - LEVEL) / 2], n - 1)
    return float(spread * np.sqrt((n - 1) / low)), float(spread * np.sqrt((n - 1) / high))


def frames_needed(low: float, high: float) -> int:
    """Independent test frames for each of two methods of these accuracies (Fleiss, Levin and Paik 2003, 4.2)."""
    alpha, beta = stats.norm.ppf((1 + LEVEL) / 2), stats.norm.ppf(POWER)
    mean = (low + high) / 2
    both = alpha * np.sqrt(2 * mean * (1 - mean)) + beta * np.sqrt(low * (1 - low) + high * (1 - high))
    return int(np.ceil((both / (high - low)) ** 2))


def paired_frames_power(difference: float, discordant: float, frames: int) -> float:
    """Power of McNemar's two-sided test on frames that both methods see (Connor 1987); terms as below."""
    alpha = stats.norm.ppf((1 + LEVEL) / 2)
    spread = np.sqrt(discordant - difference**2)
    return float(stats.norm.cdf((difference * np.sqrt(frames) - alpha * np.sqrt(discordant)) / spread))


def paired_frames_needed(difference: float, discordant: float) -> int:
    """Independent test frames that both methods see, if they disagree on this share of them (McNemar; Connor 1987).

    Raises ValueError if they disagree on fewer frames than the difference asks for.
    """
    if discordant < difference:
        raise ValueError(f"discordant is {discordant}; a difference of {difference} needs at least as much")
    alpha, beta = stats.norm.ppf((1 + LEVEL) / 2), stats.norm.ppf(POWER)
    both = alpha * np.sqrt(discordant) + beta * np.sqrt(discordant - difference**2)
    return int(np.ceil((both / difference) ** 2))


def spreads(dataset: str) -> tuple[float, float, int]:
    """How much triplet and softmax differ under `random`: between seeds, and on the same frames.

    The standard deviation of their difference over the members that both have, which had the same splits; the
    `discordance`; and the number of those members. NaN where there are too few. Of several such pairs of arms the
    first in which every transformer has kept the face.
    """
    claimed = [pair for claim in CLAIMS if claim.better.get("loss") == "triplet" for pair in pairs(dataset, claim)]
    arms = next((pair for pair in claimed if pair[0].protocol == "random" and not any(map(lost, pair))), None)
    if arms is None:
        return np.nan, np.nan, 0
    first, second = (results.read(row, "metrics.csv").set_index(["seed", "fold"])["accuracy"] for row in arms)
    differences = (first - second).dropna()
    return (
        float(differences.std()),
        discordance(*(results.read(row, "predictions.csv.gz") for row in arms)),
        len(differences),
    )


def discordance(first: pd.DataFrame, second: pd.DataFrame) -> float:
    """Share of the frames, of the members that both have, on which exactly one of two arms is right."""
    key = ["seed", "fold", "frame_id", "label"]
    both = first.merge(second, on=key, suffixes=("_first", "_second"))
    right = [both[f"prediction_{arm}"] == both["label"] for arm in ("first", "second")]
    return float((right[0] != right[1]).mean())


def power_curves(spread: float, discordant: float, points: tuple = (0.48, 1, 2)) -> pd.DataFrame:
    """The chance of finding a difference of so many points: columns of, points, n, power. See `spreads`.

    of: "seeds" of each arm, up to 200, or "frames" that both methods see, up to 20,000 on a logarithmic scale.
    """
    rows = []
    for one in points:
        rows += [("seeds", one, n, paired_t_power(one / 100, spread, n)) for n in range(2, 201)]
        differing = max(discordant, one / 100)
        rows += [("frames", one, n, paired_frames_power(one / 100, differing, n)) for n in np.geomspace(100, 2e4, 100)]
    return pd.DataFrame(rows, columns=["of", "points", "n", "power"])


def power_answer(spread: float, discordant: float, members: int, leaks: pd.DataFrame) -> str:
    """In sentences: what finding the printed gain would take, in seeds, in frames and in people. See `spreads`.

    leaks: `leakage.ladder` of the data set, which knows how many frames a person has.
    """
    if not (spread > 0 and discordant > 0):
        return "This needs triplet and softmax under `random`, with several seeds that differ; they were not run yet."
    low, high = published("resnet10", "softmax"), published("resnet10", "triplet")
    difference = high - low
    least, most = (seeds_needed(difference, end) for end in spread_interval(spread, members))
    unpaired, paired = frames_needed(low, high), paired_frames_needed(difference, max(discordant, difference))
    a_person = leaks.set_index("protocol").loc["subject", "frames a subject"]
    people = [f"{frames:,} frames, {np.ceil(frames / a_person):,.0f} people" for frames in (unpaired, paired)]
    return "\n".join(
        [
            f"To find a difference of {100 * difference:.2f} points with a chance of {100 * POWER:.0f} %, two-sided at "
            f"{100 * (1 - LEVEL):.0f} %, it takes:",
            "",
            f"- **{seeds_needed(difference, spread)} seeds** of each arm on the same splits, where differences spread "
            f"by {100 * spread:.2f} points (standard deviation over {members} pairs of our networks, softmax and "
            f"triplet with a transformer that keeps the face; so few pairs tell only that it takes {least} to {most}). "
            "Seeds tell two trainings apart, on these people only.",
            f"- **{people[0]}** for each method, tested on frames of its own, if they are right on the {percent(low)} "
            f"and {percent(high)} % that are printed.",
            f"- **{people[1]}** if both are tested on the same frames and just one is right on {percent(discordant)} "
            "% of them, as of our two networks, which err more often than the printed ones.",
            "",
            f"Each person is counted with all their frames, {a_person:.1f} on average. These are alike, so even more "
            "people are needed.",
        ]
    )
