"""Intervals. Each covers 95 % and is clipped to the possible range of the quantity.

What is undefined is NaN: the interval over a single value has no ends.
"""

import warnings

import numpy as np
import pandas as pd
from scipy import stats

from fer_lib.splits import TEST_SHARE

LEVEL = 0.95

RESAMPLES = 10_000

FEWEST = 4
"""Clusters that an interval needs: of fewer, `RESAMPLES` have no mean as far out as the ends of `_expanded`."""

ROUNDING = 1e-9
"""Differences below this come from rounding: no two accuracies differ by so little."""

BATCH = 100
"""Resamples drawn at once: for the images of PrivateTest as many as fit into a processor's cache."""

RESAMPLED = {"subject": ("subject", "subjects"), "usage": ("frame_id", "images")}
"""Protocols that resample test units -> the column of the units and their name.

Under the other protocols an interval is over members. FER2013 does not name the subjects of its images.
"""

TRAININGS = {"subject": ("fold", "folds"), "usage": ("seed", "initialisations")}
"""For the same protocols: the column whose values were trained separately, and its name.

Two trainings of one recipe differ, which an interval over subjects does not cover. Each fold has its own subjects and
its own trainings.
"""

OVERLAP = dict.fromkeys(("random", "sequence"), TEST_SHARE / (1 - TEST_SHARE))
"""Ratio of test to training frames, for protocols whose members draw their splits from the same frames.

The members' differences are correlated, so Student's interval is too narrow; it is widened by this ratio (corrected
resampled t test, Nadeau and Bengio 2003).
"""


def by_training(protocol: str | None, values: pd.Series) -> pd.Series:
    """Values by seed and fold; under a protocol of `TRAININGS` their means per separate training."""
    return values.groupby(TRAININGS[protocol][0]).mean() if protocol in TRAININGS else values


def mean_interval(values, within: tuple[float, float] = (0, 1), overlap: float = 0.0) -> tuple[float, float, float]:
    """Mean and ends of Student's t interval over members, whose spread is that of a retraining.

    On overlapping splits of the same frames it does not cover other subjects. within: the range of the mean. No ends
    where all values are equal: ties of a few members do not show that none would differ. overlap: see `OVERLAP`.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2 or np.isnan(values).any() or np.ptp(values) < ROUNDING:
        return float(values.mean()), np.nan, np.nan
    half = standard_error(values, overlap) * stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)
    low, high = within
    return float(values.mean()), float(max(low, values.mean() - half)), float(min(high, values.mean() + half))


def standard_error(values: np.ndarray, overlap: float) -> float:
    """Standard error of the mean of values that overlap so far, see `OVERLAP`."""
    return float(np.std(values, ddof=1) * np.sqrt(1 / len(values) + overlap))


def pooled(protocol: str, frames: pd.DataFrame, values, of=None) -> tuple[float, float, float]:
    """Mean of `values`, or the ratio of their sum to that of `of`, with its interval.

    Pooled over the frames where subjects or images are resampled; under the other protocols over members. Each pooled
    frame counts once, although an unfinished initialisation answers some frames once more than others.
    values, of: one number per row of frames, which has the columns seed, fold, frame_id and the resampled unit.
    """
    within = (0, 1) if of is None else (0, np.inf)
    values, of = np.asarray(values, float), np.ones(len(frames)) if of is None else np.asarray(of, float)
    if protocol in RESAMPLED:
        weight = _once(frames["frame_id"])
        return cluster_ratio(weight * values, frames[RESAMPLED[protocol][0]], weight * of)
    sums = frames[["seed", "fold"]].assign(values=values, of=of).groupby(["seed", "fold"]).sum()
    return mean_interval(sums["values"] / sums["of"], within)


def _once(units: pd.Series) -> np.ndarray:
    """Weights of rows with which each unit counts once; exactly 1 if all have as many rows."""
    rows = units.groupby(units).transform("size")
    return (rows.max() / rows).to_numpy()


def wilson(errors: int, frames: int) -> tuple[float, float]:
    """Wilson's 95 % interval of an accuracy, as if the frames were independent."""
    found = stats.binomtest(frames - errors, frames).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def cluster_interval(predictions: pd.DataFrame, unit: str = "frame_id") -> tuple[float, float, float]:
    """Pooled accuracy and its interval, with subjects resampled instead of frames.

    predictions: columns subject, label, prediction and the unit, which may occur once per seed and counts once.
    """
    weight = _once(predictions[unit])
    right = (predictions["label"] == predictions["prediction"]).to_numpy()
    return cluster_ratio(weight * right, predictions["subject"], weight)


def cluster_ratio(values, clusters, of=None) -> tuple[float, float, float]:
    """Mean of `values`, or the ratio of their sum to that of `of`, with its cluster bootstrap interval (expanded BCa).

    values, of, clusters: one per frame; a cluster is a subject, or an image that was tested more than once. No ends
    where all values are 0 or all are 1: the bootstrap would return an interval without width; and none where a
    resample may have nothing to divide by, where no clusters differ, and with fewer than `FEWEST`. BCa follows the skew
    of accuracies near 100 % (Efron 1987). Of nominal 95 %, it covers 94 with 118 subjects drawn from those of a stored
    experiment, and 92 with 28. Of few subjects often all are right on every frame, which leaves no ends; where there
    are ends, it covers 91 to 97 with 8 subjects of three stored experiments. Tests do so, with fewer draws.
    """
    values = np.asarray(values, float)
    of = np.ones(len(values)) if of is None else np.asarray(of, float)
    if np.allclose(values, of) or not values.any():
        return float(values.sum() / of.sum()), np.nan, np.nan
    return resampled(values, of, clusters, "BCa")[:3]


def resampled(values, of, clusters, method: str) -> tuple[float, float, float, float]:
    """As `cluster_ratio`, by a method of `scipy.stats.bootstrap`, and the two-sided p of `_reaching_zero`.

    Of a percentile interval p is below 1 - `LEVEL` where both ends lie on one side of zero.
    """
    table = pd.DataFrame({"values": values, "of": of})
    by_cluster = table.groupby(np.asarray(clusters, str)).sum()
    ratio = float(by_cluster["values"].sum() / by_cluster["of"].sum())
    # Both sums as one complex number: SciPy then gathers each resample once, in half the time of a paired sample.
    sums = by_cluster["values"].to_numpy() + 1j * by_cluster["of"].to_numpy()
    if len(by_cluster) < FEWEST:
        return ratio, np.nan, np.nan, np.nan
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            (sums,),
            lambda drawn, axis: _ratio(drawn.sum(axis=axis)),
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=BATCH,
            confidence_level=_expanded(len(by_cluster)),
            method=method,
            rng=np.random.default_rng(0),
        )
    ends = (float(found.confidence_interval.low), float(found.confidence_interval.high))
    if not np.isfinite(ends).all():
        return ratio, np.nan, np.nan, np.nan
    return ratio, *ends, _reaching_zero(found.bootstrap_distribution, len(by_cluster))


def _ratio(sums: np.ndarray) -> np.ndarray:
    return sums.real / sums.imag


def _expanded(n: int) -> float:
    """Level at which the bootstrap interval of a mean of n values is about as wide as Student's (Hesterberg 2015).

    At `LEVEL` itself it has the normal quantile instead of Student's, and a spread that divides by n instead of n - 1.
    """
    return float(1 - 2 * stats.norm.sf(np.sqrt(n / (n - 1)) * stats.t.ppf((1 + LEVEL) / 2, n - 1)))


def _reaching_zero(drawn: np.ndarray, n: int) -> float:
    """1 less the level at which the expanded percentile interval of n values would just reach zero.

    drawn: their mean in each resample. What `_expanded` does to a level is undone.
    """
    beyond = min(np.sum(drawn <= ROUNDING), np.sum(drawn >= -ROUNDING))
    tail = (1 + beyond) / (1 + len(drawn))
    return float(min(1, 2 * stats.t.sf(stats.norm.isf(tail) * np.sqrt((n - 1) / n), n - 1)))
