"""Intervals and comparisons. Every interval covers 95 % and is cut at what a share, or a difference of shares, can be.

Undefined is NaN: an interval over a single value has no ends.
"""

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.95

RESAMPLED = {"subject": ("subject", "people"), "usage": ("frame_id", "images")}
"""Protocols whose members are asked about the same frames -> the column of what is resampled, and its name.

Under the other protocols an interval is over members. Who is on an image of FER2013 is not known.
"""


def mean_interval(values, within: tuple[float, float] = (0, 1)) -> tuple[float, float, float]:
    """Mean and the ends of Student's t interval over members, whose spread is what retraining changes.

    On overlapping splits of the same frames it says nothing about new people. within: what the mean can be.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return float(values.mean()), np.nan, np.nan
    half = stats.sem(values) * stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)
    low, high = within
    return float(values.mean()), float(max(low, values.mean() - half)), float(min(high, values.mean() + half))


def subject_interval(predictions: pd.DataFrame, resamples: int = 10_000) -> tuple[float, float, float]:
    """Pooled accuracy over all rows and its interval when people, not frames, are resampled.

    predictions: columns subject, label, prediction; a frame may stand there once per seed.
    """
    correct = predictions["label"] == predictions["prediction"]
    return subject_ratio(correct, np.ones(len(correct)), predictions["subject"], resamples)


def subject_ratio(values, of, subjects, resamples: int = 10_000) -> tuple[float, float, float]:
    """Sum of `values` over sum of `of`, and its interval when people are resampled (percentile bootstrap).

    values, of: numbers, one per frame, aligned with subjects. No ends where everybody is at 0 or everybody at 1: such
    people say nothing of how others would differ, and resampled they would say that nobody does.
    """
    values, of = np.asarray(values, float), np.asarray(of, float)
    if (values == of).all() or not values.any():
        return float(values.sum() / of.sum()), np.nan, np.nan
    return _resampled(values, of, subjects, resamples)


def _resampled(values, of, subjects, resamples: int) -> tuple[float, float, float]:
    table = pd.DataFrame({"values": values, "of": of})
    by_subject = table.groupby(np.asarray(subjects, str)).sum()
    ratio = float(by_subject["values"].sum() / by_subject["of"].sum())
    if len(by_subject) < 2:
        return ratio, np.nan, np.nan
    interval = stats.bootstrap(
        (by_subject["values"].to_numpy(), by_subject["of"].to_numpy()),
        lambda values, of, axis: values.sum(axis=axis) / of.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=resamples,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    return ratio, float(interval.low), float(interval.high)


def paired_difference(first: pd.Series, second: pd.Series) -> dict[str, float]:
    """Mean of first - second over the members that both have, with Student's interval and two-sided p (paired t test).

    The series are indexed by member. All is NaN without a common member; ends and p with only one.
    """
    difference = (first - second).dropna()
    n = len(difference)
    if n < 2:
        mean = float(difference.mean()) if n else np.nan
        return {"difference": mean, "ci_low": np.nan, "ci_high": np.nan, "p": np.nan, "n": n}
    if np.ptp(difference) == 0:
        mean = float(difference.iloc[0])
        return {"difference": mean, "ci_low": mean, "ci_high": mean, "p": 1.0 if mean == 0 else 0.0, "n": n}
    test = stats.ttest_1samp(difference, 0)
    low, high = test.confidence_interval(LEVEL)
    return {
        "difference": float(difference.mean()),
        "ci_low": float(max(-1, low)),
        "ci_high": float(min(1, high)),
        "p": float(test.pvalue),
        "n": n,
    }


def subject_difference(first: pd.DataFrame, second: pd.DataFrame, by: str = "subject") -> dict[str, float]:
    """Pooled accuracy of first - second over the frames that both predicted, when people are resampled.

    first, second: columns seed, fold, frame_id, subject, label, prediction; by: the one that names what is resampled.
    As `subject_gain`.
    """
    key = ["seed", "fold", "frame_id", "subject", "label"]
    both = first.merge(second, on=key, suffixes=("_first", "_second"))
    right = [(both[f"prediction_{arm}"] == both["label"]).astype(float) for arm in ("first", "second")]
    return subject_gain(right[0] - right[1], both[by])


def subject_gain(gained, subjects, resamples: int = 10_000) -> dict[str, float]:
    """Mean of `gained`, one number per frame, with its interval when people are resampled, p, and n, the people.

    Percentile bootstrap over subjects; p from a two-sided permutation test that exchanges the two arms within a
    subject. NaN with fewer than two.
    """
    gained = np.asarray(gained, float)
    by_subject = pd.Series(gained).groupby(np.asarray(subjects, str)).sum()
    mean, low, high = _resampled(gained, np.ones(len(gained)), subjects, resamples) if len(gained) else [np.nan] * 3
    p = np.nan
    if len(by_subject) > 1:
        p = stats.permutation_test(
            (by_subject.to_numpy(),),
            lambda gained, axis: gained.sum(axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=resamples,
            rng=np.random.default_rng(0),
        ).pvalue
    return {"difference": mean, "ci_low": low, "ci_high": high, "p": float(p), "n": len(by_subject)}


def verdict(low: float, high: float) -> str:
    """What the interval of a claimed gain says of its direction."""
    if low > 0:
        return "supported"
    return "contradicted" if high < 0 else "not resolvable"
