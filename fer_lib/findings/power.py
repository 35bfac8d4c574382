"""What it takes to detect a difference as small as the printed one: seeds, frames, subjects."""

from bisect import bisect_left
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from fer_lib import results
from fer_lib.comparisons import paired_difference
from fer_lib.experiments import Experiment
from fer_lib.findings.audit import TEST_FRAMES
from fer_lib.findings.claims import CLAIMS, pairs
from fer_lib.findings.dependence import design_effect, paired_errors
from fer_lib.findings.tables import collapsed
from fer_lib.stats import LEVEL, OVERLAP
from fer_lib.words.naming import label, published
from fer_lib.words.rounding import in_cell, percent, points

POWER = 0.8
"""The chance with which a study should detect a difference that exists."""

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


class Spreads(NamedTuple):
    """How much triplet and softmax differ under `random`: between seeds, and on the same frames.

    seeds: standard deviation of their difference over the members that both have, which had the same splits.
    discordant: share of these members' frames on which exactly one is right. members: their number. arms: which two
    networks these are. gain: mean of the difference and its ends (`comparisons.paired_difference`).
    """

    seeds: float
    discordant: float
    members: int
    arms: str
    gain: tuple[float, float, float] = (np.nan, np.nan, np.nan)


def _arms(dataset: str, protocol: str) -> tuple[Experiment, Experiment] | None:
    """Triplet and softmax with the most common members, in which every transformer has kept the face.

    None without such a pair; the first of several as large.
    """
    claimed = [pair for claim in CLAIMS if claim.better.get("loss") == "triplet" for pair in pairs(dataset, claim)]
    kept = [pair for pair in claimed if pair[0].protocol == protocol and not any(map(collapsed, pair))]
    return max(kept, key=lambda pair: len(_differences(*pair)), default=None)


def spreads(dataset: str) -> Spreads:
    """`Spreads` of `_arms` under `random`; NaN without them."""
    arms = _arms(dataset, "random")
    if not arms:
        return Spreads(np.nan, np.nan, 0, "")
    differences, discordant = _differences(*arms), (_errors(*arms)["off"] != 0).mean()
    found = paired_difference(differences, 0 * differences, "random")
    gain = (found["difference"], found["ci_low"], found["ci_high"])
    return Spreads(float(differences.std()), float(discordant), len(differences), _named(*arms), gain)


def _differences(*arms: Experiment) -> pd.Series:
    """Differences in accuracy over the members that both arms have."""
    first, second = (results.read(row, "metrics.csv").set_index(["seed", "fold"])["accuracy"] for row in arms)
    return (first - second).dropna()


def _errors(*arms: Experiment) -> pd.DataFrame:
    return paired_errors(*(results.read(row, "predictions.csv.gz") for row in arms))


def _named(triplet: Experiment, softmax: Experiment) -> str:
    """The labels of two networks, and that more than the loss differs where it does."""
    said = f"{label(triplet)} and {label(softmax)}"
    return said if triplet.stn_lr_factor == softmax.stn_lr_factor else f"{said}, so the STN's rate differs too"


def clustered(dataset: str) -> pd.DataFrame:
    """How far the errors in which triplet and softmax differ come together by subject, on few and on all frames of it.

    A row for each of `random` and `subject` with such runs: protocol, arms (as in `Spreads`), runs (that both have),
    effect, ci_low, ci_high (`dependence.design_effect` of the difference of their errors).
    """
    rows = []
    for protocol in ("random", "subject"):
        arms = _arms(dataset, protocol)
        if arms:
            errors = _errors(*arms)
            effect = design_effect(errors["off"], errors["seed"], errors["subject"])
            rows.append((protocol, _named(*arms), len(_differences(*arms)), *effect))
    columns = ["protocol", "arms", "runs", "effect", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns).dropna(subset="effect")


def power_curves(spread: float, discordant: float) -> pd.DataFrame:
    """The chance of finding a difference of 0.48 (the printed one), 1 or 2 points. See `spreads`.

    Columns of, points, n, power, limit.

    of: "seeds" of each arm, up to 1,000, or "frames" that both methods see, up to 20,000, on logarithmic scales.
    limit: what the power tends to as n grows.
    """
    rows = []
    for one in (0.48, 1, 2):
        share, limit = one / 100, power_limit(one / 100, spread, SHARED)
        seeds = np.unique(np.geomspace(2, 1000, 100).round().astype(int))
        rows += [("seeds", one, n, paired_t_power(share, spread, n, SHARED), limit) for n in seeds]
        differing = max(discordant, share)
        rows += [("frames", one, n, paired_frames_power(share, differing, n), 1.0) for n in np.geomspace(100, 2e4, 100)]
    return pd.DataFrame(rows, columns=["of", "points", "n", "power", "limit"])


def power_caption(curves: pd.DataFrame) -> str:
    """The caption of a figure of `power_curves`."""
    limits = curves[curves["of"] == "seeds"].groupby("points")["limit"].first()
    tends = ", ".join(f"{100 * limit:.0f} % (+{points:g})" for points, limit in limits.items())
    return (
        f"Power to detect a difference in points; dashed: {100 * POWER:.0f} %. Left: corrected paired t test; dotted: "
        f"its limit for ever more seeds, {tends}. Right: McNemar's test on independent frames (clustered errors lower "
        f"the power); vertical: the paper's {TEST_FRAMES} frames."
    )


def in_short() -> str:
    """How many test frames the printed gain takes, in a sentence."""
    low, high = published("resnet10", "softmax"), published("resnet10", "triplet")
    shared = [paired_frames_needed(high - low, share) for share in (high - low, 2 - low - high)]
    return (
        f"The printed gain of triplet over softmax, {100 * (high - low):.2f} points, is "
        f"{(high - low) * TEST_FRAMES:.2f} of {TEST_FRAMES} frames. Detecting it with {100 * POWER:.0f} % power takes "
        f"{frames_needed(low, high):,} independent test frames for each method, or {shared[0]:,} to {shared[1]:,} that "
        "both share: fewest if the better one is correct wherever the other is, most if their errors never coincide."
    )


def power_answer(found: Spreads, leaks: pd.DataFrame, together: pd.DataFrame) -> str:
    """How many seeds, frames and subjects it takes to detect the printed gain, in sentences.

    leaks: `leakage.ladder` of the data set, which has the frames per subject; together: `clustered`.
    """
    if not (found.seeds > 0 and found.discordant > 0):
        return (
            "This needs runs of triplet and softmax on the same random splits, with several seeds and without a "
            "collapsed STN. There are none yet."
        )
    low, high = published("resnet10", "softmax"), published("resnet10", "triplet")
    difference = high - low
    ours, most = max(found.discordant, difference), 2 - low - high  # a frame that exactly one misses is its error
    needed = [frames_needed(low, high), *(paired_frames_needed(difference, share) for share in (min(ours, most), ours))]
    a_person = leaks.set_index("protocol").loc["subject", "frames a subject"]
    subjects = [f"{frames:,} frames, {np.ceil(frames / a_person):,.0f} subjects" for frames in needed]
    shared = f"{percent(ours)} % of them, the share in our runs."
    if ours > most:
        shared = (
            f"{percent(most)} % of them, the most that the printed accuracies allow. In our runs, which "
            f"make more errors, it is {percent(ours)} %; that would take {subjects[2]}."
        )
    return "\n".join(
        [
            f"In our runs ({found.arms}) triplet gains {points(*found.gain)} points over softmax "
            f"(n = {found.members} pairs). To detect a difference of {100 * difference:.2f} points with "
            f"{100 * POWER:.0f} % power, in a two-sided test at the {100 * (1 - LEVEL):.0f} % level, a study needs:",
            "",
            f"- **Separate test frames:** {subjects[0]} for each method, if the true accuracies are the printed "
            f"{percent(low)} and {percent(high)} %.",
            f"- **Shared test frames:** {subjects[1]}, if exactly one of the two methods is correct on {shared}",
            f"- **Seeds:** {_in_seeds(difference, found)}",
            "",
            f"Subjects are counted with all their frames, {a_person:.1f} on average. The frames are taken as "
            f"independent, but errors cluster by subject{_by_how_much(together, found.arms, needed[1])}",
        ]
    )


def _by_how_much(together: pd.DataFrame, arms: str, frames: int) -> str:
    """What `clustered` finds and does to so many shared frames; the end of a sentence. arms: those named before."""
    if together.empty:
        return " (above), so more frames and subjects are needed."
    places = {"random": "on random test frames", "subject": "on all frames of unseen subjects"}
    said, becomes = [], []
    for row in together.itertuples():
        effect, of = in_cell(row.effect, row.ci_low, row.ci_high, ".1f"), "" if row.arms == arms else f"; {row.arms}"
        said.append(f"{effect} {places[row.protocol]} (n = {row.runs} runs of each{of})")
        becomes.append(f"{round(frames * row.effect, -2):,.0f} {places[row.protocol]}")
    return (
        f". Of the difference of the two methods' errors the variance is that of independent frames times "
        f"{' and '.join(said)}, with 95 % intervals over subjects. So the {frames:,} shared frames become about "
        f"{' and '.join(becomes)}."
    )


def _in_seeds(difference: float, found: Spreads) -> str:
    """What seeds alone can detect, in sentences."""
    spread, members = found.seeds, found.members
    needed, ends = seeds_needed(difference, spread, SHARED), spread_interval(spread, members)
    least, most = (seeds_needed(difference, end, SHARED) for end in ends)
    from_on = [f"{100 * resolvable(one, SHARED):.2f}" for one in (spread, *ends)]
    said = [
        f"{needed} of each method on these frames." if np.isfinite(needed) else "no number suffices on these frames.",
        f"Between seeds the difference has a standard deviation of {100 * spread:.2f} points ({members} pairs of runs "
        "of these two networks on the same splits).",
        "All splits draw from the same frames, so the paired t test is corrected (Nadeau and Bengio 2003, page "
        f"*Table 2*). With ever more seeds its standard error tends to {100 * spread * np.sqrt(SHARED):.2f} points and "
        f"its power to {100 * power_limit(difference, spread, SHARED):.0f} %.",
        f"Many seeds could detect a difference of {from_on[0]} points or more ({from_on[1]} to {from_on[2]}, by the "
        "95 % interval of the standard deviation).",
    ]
    if np.isfinite(least):
        at_most = f"at most {most}" if np.isfinite(most) else "perhaps no number suffices"
        said.append(f"By the same interval it takes at least {least} seeds, and {at_most}.")
    naive = seeds_needed(difference, spread)
    said.append(f"Without the correction, as if each split had its own frames, {naive} seeds would seem enough.")
    return " ".join([*said, "More seeds say nothing about other subjects."])
