"""How far printed accuracies can be trusted: which are possible, what they resolve, and what more would take."""

from bisect import bisect_left
from collections.abc import Iterable
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats

from fer_lib import results
from fer_lib.findings.claims import CLAIMS, pairs
from fer_lib.findings.tables import lost, measured
from fer_lib.stats import LEVEL, OVERLAP, wilson
from fer_lib.words.naming import label, published
from fer_lib.words.rounding import in_cell, interval, p_value, percent

TEST_FRAMES = 181
"""Kim et al. 2022, section 3: 181 of the 981 frames of CK+ test."""

TEST_BATCHES = (8, 16, 32, 64, 128)
"""Common sizes of test batches, of which the last of 181 frames is always smaller."""

POWER = 0.8
"""The chance with which a study should find a difference that is there."""

SHARED = OVERLAP["random"]
"""What the differences of the paper's protocol are corrected by: all its splits are of the same frames."""

MOST_SEEDS = 1_000_000
"""Beyond as many the standard error of a corrected test hardly falls."""


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


def paired_t_power(difference: float, spread: float, n: int, overlap: float = 0.0) -> float:
    """Power of a two-sided paired t test over n pairs whose differences have this standard deviation.

    overlap: what they have in common, as in `stats.OVERLAP`, by which the test is corrected.
    """
    critical = stats.t.ppf((1 + LEVEL) / 2, n - 1)
    shift = difference / (spread * np.sqrt(1 / n + overlap))
    # The other tail, a difference in the wrong direction, is NaN in scipy where it is too small to count.
    return float(1 - stats.nct.cdf(critical, n - 1, shift) + np.nan_to_num(stats.nct.cdf(-critical, n - 1, shift)))


def power_limit(difference: float, spread: float, overlap: float) -> float:
    """What `paired_t_power` tends to as n grows: the standard error tends to spread * sqrt(overlap)."""
    critical, shift = stats.norm.ppf((1 + LEVEL) / 2), difference / (spread * np.sqrt(overlap))
    return float(stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift))


def resolvable(spread: float, overlap: float) -> float:
    """The difference whose `power_limit` is `POWER`: of a smaller one no number of pairs reaches it."""
    return float((stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(POWER)) * spread * np.sqrt(overlap))


def seeds_needed(difference: float, spread: float, overlap: float = 0.0) -> float:
    """The fewest pairs of members that reach `POWER`; infinite where `MOST_SEEDS` do not. See `paired_t_power`."""
    counts = range(2, MOST_SEEDS)
    at = bisect_left(counts, POWER, key=lambda n: paired_t_power(difference, spread, n, overlap))
    return counts[at] if at < len(counts) else np.inf


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
    """The chance of finding a difference of so many points: columns of, points, n, power, limit. See `spreads`.

    of: "seeds" of each arm, up to 1,000, or "frames" that both methods see, up to 20,000, on logarithmic scales.
    limit: what the power tends to as n grows.
    """
    rows = []
    for one in points:
        share, limit = one / 100, power_limit(one / 100, spread, SHARED)
        seeds = np.unique(np.geomspace(2, 1000, 100).round().astype(int))
        rows += [("seeds", one, n, paired_t_power(share, spread, n, SHARED), limit) for n in seeds]
        differing = max(discordant, share)
        rows += [("frames", one, n, paired_frames_power(share, differing, n), 1.0) for n in np.geomspace(100, 2e4, 100)]
    return pd.DataFrame(rows, columns=["of", "points", "n", "power", "limit"])


def power_caption(curves: pd.DataFrame) -> str:
    """What a figure of `power_curves` shows, in sentences."""
    limits = curves[curves["of"] == "seeds"].groupby("points")["limit"].first()
    tends = ", ".join(f"{100 * limit:.0f} % ({points:g})" for points, limit in limits.items())
    return (
        f"Chance of finding a difference; dashed: {100 * POWER:.0f} %. Left: by the paired t test, corrected for "
        f"splits of the same frames; dotted: what the chance tends to with ever more seeds, {tends}. Right: by "
        f"McNemar's test; the upright line: the paper's {TEST_FRAMES} test frames."
    )


def power_answer(spread: float, discordant: float, members: int, leaks: pd.DataFrame) -> str:
    """In sentences: what finding the printed gain would take, in seeds, in frames and in people. See `spreads`.

    leaks: `leakage.ladder` of the data set, which knows how many frames a person has.
    """
    if not (spread > 0 and discordant > 0):
        return "This needs triplet and softmax under `random`, with several seeds that differ; they were not run yet."
    low, high = published("resnet10", "softmax"), published("resnet10", "triplet")
    difference = high - low
    unpaired, paired = frames_needed(low, high), paired_frames_needed(difference, max(discordant, difference))
    a_person = leaks.set_index("protocol").loc["subject", "frames a subject"]
    people = [f"{frames:,} frames, {np.ceil(frames / a_person):,.0f} people" for frames in (unpaired, paired)]
    return "\n".join(
        [
            f"What finds a difference of {100 * difference:.2f} points with a chance of {100 * POWER:.0f} %, two-sided "
            f"at {100 * (1 - LEVEL):.0f} %?",
            "",
            f"- {_in_seeds(difference, spread, members)}",
            f"- **{people[0]}** for each method, tested on frames of its own, if they are right on the {percent(low)} "
            f"and {percent(high)} % that are printed.",
            f"- **{people[1]}** if both are tested on the same frames and just one is right on {percent(discordant)} "
            "% of them, as of our two networks, which err more often than the printed ones.",
            "",
            f"Each person is counted with all their frames, {a_person:.1f} on average. These are alike, so even more "
            "people are needed.",
        ]
    )


def _in_seeds(difference: float, spread: float, members: int) -> str:
    needed, ends = seeds_needed(difference, spread, SHARED), spread_interval(spread, members)
    least, most = (seeds_needed(difference, end, SHARED) for end in ends)
    from_on = [f"{100 * resolvable(one, SHARED):.2f}" for one in (spread, *ends)]
    said = [
        f"**{needed if np.isfinite(needed) else 'No number of'} seeds** of each arm on these frames.",
        f"Differences spread by {100 * spread:.2f} points (standard deviation over {members} pairs of our networks on "
        "the same splits, softmax and triplet with a transformer that keeps the face).",
        "All splits are of the same frames, so the paired t test is corrected as on page *Table 2* (Nadeau and Bengio "
        f"2003): with ever more seeds its standard error tends to {100 * spread * np.sqrt(SHARED):.2f} points, and the "
        f"chance to {100 * power_limit(difference, spread, SHARED):.0f} %.",
        f"Enough seeds would find a difference of {from_on[0]} points or more ({from_on[1]} to {from_on[2]} by the "
        "95 % interval of that spread).",
    ]
    if np.isfinite(least):
        at_most = f"{most} at most" if np.isfinite(most) else "that perhaps no number does"
        said.append(f"So few pairs tell only that it takes {least} at least, and {at_most}.")
    naive = seeds_needed(difference, spread)
    said.append(f"Without the correction, as if every split had frames of its own, {naive} would seem enough.")
    return " ".join([*said, "Seeds tell two trainings apart, on these people only."])
