"""What it would take to find a difference as small as the printed one: seeds, frames, subjects."""

from bisect import bisect_left

import numpy as np
import pandas as pd
from scipy import stats

from fer_lib import results
from fer_lib.findings.audit import TEST_FRAMES
from fer_lib.findings.claims import CLAIMS, pairs
from fer_lib.findings.tables import collapsed
from fer_lib.stats import LEVEL, OVERLAP
from fer_lib.words.naming import published
from fer_lib.words.rounding import percent

POWER = 0.8
"""The chance with which a study should find a difference that is there."""

SHARED = OVERLAP["random"]
"""What the differences of the paper's protocol are corrected by: all its splits are of the same frames."""

MOST_SEEDS = 1_000_000
"""Beyond as many the standard error of a corrected test hardly falls."""


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
    arms = next((pair for pair in claimed if pair[0].protocol == "random" and not any(map(collapsed, pair))), None)
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
    """In sentences: what finding the printed gain would take, in seeds, in frames and in subjects. See `spreads`.

    leaks: `leakage.ladder` of the data set, which knows how many frames a person has.
    """
    if not (spread > 0 and discordant > 0):
        return "This needs triplet and softmax under `random`, with several seeds that differ; they were not run yet."
    low, high = published("resnet10", "softmax"), published("resnet10", "triplet")
    difference = high - low
    unpaired, paired = frames_needed(low, high), paired_frames_needed(difference, max(discordant, difference))
    a_person = leaks.set_index("protocol").loc["subject", "frames a subject"]
    subjects = [f"{frames:,} frames, {np.ceil(frames / a_person):,.0f} subjects" for frames in (unpaired, paired)]
    return "\n".join(
        [
            f"What finds a difference of {100 * difference:.2f} points with a chance of {100 * POWER:.0f} %, two-sided "
            f"at {100 * (1 - LEVEL):.0f} %?",
            "",
            f"- {_in_seeds(difference, spread, members)}",
            f"- **{subjects[0]}** for each method, on test frames of its own, if their accuracies are the printed "
            f"{percent(low)} and {percent(high)} %.",
            f"- **{subjects[1]}** if both are tested on the same frames and just one is right on {percent(discordant)} "
            "% of them, as of our two networks, which err more often than the printed ones.",
            "",
            f"Each person is counted with all their frames, {a_person:.1f} on average. These are alike, so even more "
            "subjects are needed.",
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
    return " ".join([*said, "Seeds tell two runs apart, on these subjects only."])
