"""Comparisons of two arms: gains with the intervals of `stats`, p, and verdicts.

A gain has an interval over subjects, images or runs, and a second one over what was trained separately. p is that of
the interval nearer to zero: below 1 - `LEVEL` where all of them lie on one side of it.
"""

import numpy as np
import pandas as pd
from scipy import stats

from fer_lib.stats import (
    LEVEL,
    OVERLAP,
    RESAMPLED,
    ROUNDING,
    TRAININGS,
    by_training,
    mean_interval,
    resampled,
    standard_error,
)

COMPARISON = ["difference", "ci_low", "ci_high", "trained_low", "trained_high", "p", "n", "pairs", "verdict"]
"""The columns of a comparison of two arms: `cluster_gain`, and what is paired. trained_* is NaN where members are."""

TWO_KINDS = "two kinds of outcome"
"""The verdict where only some of the members have collapsed: their mean describes neither kind, so has no interval."""

ONE_TRAINING = "no verdict, trained once"
"""The verdict where an arm was trained once: the interval does not cover what another training would change."""

DECIDED = ("supported", "contradicted")
"""The verdicts of intervals that all lie on one side of zero."""

WITHOUT_ENDS = dict.fromkeys(("ci_low", "ci_high", "trained_low", "trained_high", "p"), np.nan) | {"verdict": TWO_KINDS}


def paired_difference(
    first: pd.Series, second: pd.Series, protocol: str | None = None, within: tuple[float, float] = (-1, 1)
) -> dict[str, float]:
    """Mean of first - second over the common members, with Student's interval and two-sided p (paired t test), both
    corrected by `OVERLAP`; under `usage`, whose members are not paired, Welch's.

    The series are indexed by seed and fold; under a protocol of `TRAININGS` each is first averaged per training.
    protocol: None for independent members. within: the range of a difference. All is NaN without a common member; ends
    and p are NaN with only one, or if all differences are equal. `verdict` is that of the interval, `ONE_TRAINING` of
    one member.
    """
    if protocol == "usage":
        return unpaired_difference(first, second, protocol, within)
    arms = [by_training(protocol, arm) for arm in (first, second)]
    difference = (arms[0] - arms[1]).dropna()
    n = len(difference)
    overlap = OVERLAP.get(protocol, 0.0)
    mean, low, high = mean_interval(difference, within, overlap) if n else [np.nan] * 3
    p = 2 * stats.t.sf(abs(mean) / standard_error(difference, overlap), n - 1) if pd.notna(low) else np.nan
    found = {"difference": mean, "ci_low": low, "ci_high": high, "p": float(p), "n": n}
    return {**found, "verdict": ONE_TRAINING if n == 1 else verdict((low, high))}


def unpaired_difference(first: pd.Series, second: pd.Series, protocol: str, within: tuple[float, float]) -> dict:
    """As `paired_difference`, of all members of both arms: Welch's interval and test, n of the smaller arm.

    Each arm's variance is corrected by `OVERLAP`. NaN are left out.
    """
    arms = [by_training(protocol, arm).dropna() for arm in (first, second)]
    mean, n = arms[0].mean() - arms[1].mean(), min(map(len, arms))
    errors = [(standard_error(arm, OVERLAP.get(protocol, 0.0)) ** 2, len(arm) - 1) for arm in arms if len(arm) > 1]
    low, high, p = _unpaired(mean, errors, within) if len(errors) == 2 else [np.nan] * 3
    found = {"difference": mean, "ci_low": low, "ci_high": high, "p": p, "n": n}
    return {**found, "verdict": ONE_TRAINING if n == 1 else verdict((low, high))}


def _retraining(means, folds, sizes) -> tuple[float, int]:
    """Variance of an arm's pooled mean when it is trained again, and its degrees of freedom.

    means, folds, sizes: of each training its score, its fold and the number of frames in it. Trainings are compared
    within folds, whose subjects differ.
    """
    runs = pd.DataFrame({"mean": np.asarray(means), "fold": np.asarray(folds), "size": np.asarray(sizes)})
    by_fold = runs.groupby("fold")
    freedom = len(runs) - len(by_fold)
    squares = ((runs["mean"] - by_fold["mean"].transform("mean")) ** 2).sum()
    shares = by_fold["size"].max() / by_fold["size"].max().sum()
    variance = squares / freedom * (shares**2 / by_fold.size()).sum() if freedom else np.nan
    return float(variance), freedom


def _unpaired(
    difference: float, arms: list[tuple[float, int]], within: tuple[float, float]
) -> tuple[float, float, float]:
    """Ends and p of Welch's test; arms: `_retraining` of both. NaN if one was trained once, or if none differ."""
    variances, freedom = map(np.array, zip(*arms, strict=True))
    if not freedom.all() or variances.max() < ROUNDING**2:
        return np.nan, np.nan, np.nan
    joint = variances.sum() ** 2 / (variances**2 / freedom).sum()
    error = np.sqrt(variances.sum())
    half = error * stats.t.ppf((1 + LEVEL) / 2, joint)
    ends = max(within[0], difference - half), min(within[1], difference + half)
    return float(ends[0]), float(ends[1]), float(2 * stats.t.sf(abs(difference) / error, joint))


def paired_on(protocol: str) -> list[str]:
    """The columns that tell what is paired of two arms: folds where subjects or images are resampled, else runs."""
    return ["fold"] if protocol in RESAMPLED else ["seed", "fold"]


def paired_frames(protocol: str, first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The frames on which both arms were tested: seed, fold, frame_id, subject, and the scores first and second.

    first, second: columns seed, fold, frame_id, subject, score. Where subjects or images are resampled, an arm's score
    of a frame is the mean over its initialisations, however many it has, and seed is absent. Elsewhere the arms are
    paired run by run.
    """
    key = [*paired_on(protocol), "frame_id", "subject"]
    scores = (arm.astype({"score": float}).groupby(key)["score"].mean() for arm in (first, second))
    return pd.concat(scores, axis=1, join="inner", keys=["first", "second"]).reset_index()


def arms_gain(
    protocol: str, first: pd.DataFrame, second: pd.DataFrame, started: tuple[bool, bool] | None = None
) -> dict[str, float]:
    """`COMPARISON` of two arms on the frames of both. first, second: as `paired_frames`, whose pairs are compared.

    started: given if the arms start from different weights; whether each starts from trained ones, which all folds of a
    seed share: these are then one training. Nothing links the trainings of such arms, nor those of `usage`, to one
    another, so that the interval over trainings is Welch's; else it is that of `pooled_gain`.
    """
    both = paired_frames(protocol, first, second)
    gained = both["first"] - both["second"]
    if protocol not in RESAMPLED or (not started and protocol != "usage"):
        return pooled_gain(protocol, both, gained)
    arms, counts = [], []
    for arm, shared in zip((first, second), started or (False, False), strict=True):
        scores = arm.astype({"score": float}).merge(both[["fold", "frame_id"]])
        runs = scores.assign(fold=0 if shared else scores["fold"]).groupby(["fold", "seed"])["score"]
        runs = runs.agg(["mean", "size"]).reset_index()
        runs = runs[runs["size"] == runs.groupby("fold")["size"].transform("max")]  # the finished
        arms.append(_retraining(runs["mean"], runs["fold"], runs["size"]))
        counts.append(len(runs))
    found, over = cluster_gain(gained, both[RESAMPLED[protocol][0]]), _unpaired(gained.mean(), arms, (-1, 1))
    once = any(freedom == 0 for _, freedom in arms)
    units = ["starts" if shared else "single runs" for shared in started] if started else ["initialisations"] * 2
    return {**_with_trainings(found, over, once), "pairs": paired_by(protocol, counts, units)}


def pooled_gain(protocol: str, frames: pd.DataFrame, gained) -> dict[str, float]:
    """`COMPARISON` of two scores of one arm, or of paired arms; gained: what the first gains on each frame.

    `cluster_gain` where subjects or images are resampled, else `paired_difference` over members. frames: as in
    `stats.pooled`, where each frame counts once too.
    """
    if protocol in RESAMPLED:
        (column, units), unit = TRAININGS[protocol], RESAMPLED[protocol][0]
        key = list(dict.fromkeys([column, unit, "frame_id"]))
        once = frames[key].assign(gained=np.asarray(gained, float)).groupby(key)["gained"].mean().reset_index()
        found = cluster_gain(once["gained"], once[unit], once[column])
        return {**found, "pairs": paired_by(protocol, [found["trainings"]], [units])}
    by_member = frames[["seed", "fold"]].assign(gained=gained).groupby(["seed", "fold"])["gained"].mean()
    found = paired_difference(by_member, 0 * by_member, protocol)
    return {**found, "pairs": in_runs(found["n"])}


def cluster_gain(gained, clusters, trainings=None) -> dict[str, float]:
    """Mean of `gained`, one number per frame, with its cluster bootstrap interval (expanded percentile), p, n clusters.

    clusters: as `cluster_ratio`. trainings: for each frame, which training its networks come from. If given, `verdict`
    and p ask two intervals: this one, and that of `_over_trainings`, which is returned as trained_low and trained_high
    with the number of trainings; with a single training there is no p, and the verdict is `ONE_TRAINING`.
    """
    gained = np.asarray(gained, float)
    ones = np.ones(len(gained))
    mean, low, high, p = resampled(gained, ones, clusters, "percentile") if len(gained) else [np.nan] * 4
    n = len(np.unique(np.asarray(clusters, str)))
    found = {"difference": mean, "ci_low": low, "ci_high": high, "p": p, "n": n, "verdict": verdict((low, high))}
    if trainings is None:
        return found
    count = len(np.unique(trainings))
    return {**_with_trainings(found, _over_trainings(gained, trainings), count == 1), "trainings": count}


def _with_trainings(found: dict, over: tuple[float, float, float], once: bool) -> dict:
    """A gain over clusters, and the ends and p over trainings; once: there are no two trainings."""
    low, high, p = over
    said = ONE_TRAINING if once else verdict((found["ci_low"], found["ci_high"]), (low, high))
    return {**found, "trained_low": low, "trained_high": high, "p": float(np.maximum(found["p"], p)), "verdict": said}


def _over_trainings(gained: np.ndarray, trainings) -> tuple[float, float, float]:
    """Ends and p of Student's interval over separate trainings, around the mean over all frames.

    Folds differ in size, so each is weighted by its frames (ratio estimator); for equal sizes this is the t interval
    of their means. No ends where `mean_interval` has none.
    """
    mean = gained.mean() if len(gained) else np.nan
    deviations = pd.Series(gained - mean).groupby(np.asarray(trainings)).sum() / len(gained)
    n = len(deviations)
    if n < 2 or np.allclose(deviations, 0):
        return np.nan, np.nan, np.nan
    error = np.sqrt(n / (n - 1) * (deviations**2).sum())
    half = error * stats.t.ppf((1 + LEVEL) / 2, n - 1)
    return float(max(-1, mean - half)), float(min(1, mean + half)), float(2 * stats.t.sf(abs(mean) / error, n - 1))


def in_runs(n: int) -> str:
    """What is compared where nothing is resampled: "runs", or of one "run"."""
    return "run" if n == 1 else "runs"


def paired_by(protocol: str, trainings: list[int], units: list[str]) -> str:
    """What is compared: "subject", [3, 2], ["starts"] * 2 -> subjects in 3 and 2 starts. Equal numbers stand once."""
    counts = {unit: {} for unit in units}
    for unit, count in zip(units, trainings, strict=True):
        counts[unit][count] = None
    said = [
        f"{' and '.join(map(str, own))} {unit.removesuffix('s') if list(own) == [1] else unit}"
        for unit, own in counts.items()
    ]
    return f"{RESAMPLED[protocol][1]} in {' and '.join(said)}"


def verdict(*intervals: tuple[float, float]) -> str:
    """The verdict on a claimed gain: supported if all intervals lie above zero, contradicted if all lie below."""
    if all(low > 0 for low, _ in intervals):
        return "supported"
    return "contradicted" if all(high < 0 for _, high in intervals) else "not resolvable"


def holm(p: pd.Series) -> pd.Series:
    """p values corrected for multiple comparisons (Holm 1979), which controls the family-wise error; NaN stays.

    The smallest of n is multiplied by n, the next by n - 1, and so on; none gets smaller than the one before it.
    """
    ordered = p.dropna().sort_values()
    times = np.arange(len(ordered), 0, -1)
    return (ordered * times).cummax().clip(upper=1).reindex(p.index)
