"""Intervals and comparisons. Every interval covers 95 % and is cut at what a share, or a difference of shares, can be.

Undefined is NaN: an interval over a single value has no ends.
"""

import numpy as np
import pandas as pd
from scipy import stats

LEVEL = 0.95
RESAMPLES = 10_000

RESAMPLED = {"subject": ("subject", "people"), "usage": ("frame_id", "images")}
"""Protocols whose members are asked about the same frames -> the column of what is resampled, and its name.

Under the other protocols an interval is over members. Who is on an image of FER2013 is not known.
"""

TRAININGS = {"subject": ("fold", "folds"), "usage": ("seed", "initialisations")}
"""For the same protocols the column whose values were trained apart, and its name.

Two trainings of one and the same recipe differ, of which an interval over people knows nothing; a fold has people of
its own and trainings of its own.
"""


COMPARISON = ["difference", "ci_low", "ci_high", "trained_low", "trained_high", "p", "n", "pairs", "verdict"]
"""The columns of a comparison of two arms: `subject_gain`, and what is paired. Where members are, trained_* is NaN."""


TWO_KINDS = "two kinds of outcome"
"""The verdict on members of which some have lost the face: their mean stands for neither kind, and has no interval."""

WITHOUT_ENDS = {"ci_low": np.nan, "ci_high": np.nan, "p": np.nan, "verdict": TWO_KINDS}


def by_training(protocol: str, values: pd.Series) -> pd.Series:
    """Values by seed and fold; under a protocol of `TRAININGS` their means over what was not trained apart."""
    return values.groupby(TRAININGS[protocol][0]).mean() if protocol in TRAININGS else values


def mean_interval(values, within: tuple[float, float] = (0, 1)) -> tuple[float, float, float]:
    """Mean and the ends of Student's t interval over members, whose spread is what retraining changes.

    On overlapping splits of the same frames it says nothing about new people. within: what the mean can be. No ends
    where all values are alike: a few members that tie do not show that none would differ.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2 or np.isnan(values).any() or np.ptp(values) == 0:
        return float(values.mean()), np.nan, np.nan
    half = stats.sem(values) * stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)
    low, high = within
    return float(values.mean()), float(max(low, values.mean() - half)), float(min(high, values.mean() + half))


def subject_interval(predictions: pd.DataFrame, resamples: int = RESAMPLES) -> tuple[float, float, float]:
    """Pooled accuracy over all rows and its interval when people, not frames, are resampled.

    predictions: columns subject, label, prediction; a frame may stand there once per seed.
    """
    correct = predictions["label"] == predictions["prediction"]
    return subject_ratio(correct, np.ones(len(correct)), predictions["subject"], resamples)


def subject_ratio(values, of, subjects, resamples: int = RESAMPLES) -> tuple[float, float, float]:
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


def paired_difference(
    first: pd.Series, second: pd.Series, protocol: str = "random", within: tuple[float, float] = (-1, 1)
) -> dict[str, float]:
    """Mean of first - second over the members that both have, with Student's interval and two-sided p (paired t test).

    The series are indexed by seed and fold; under a protocol of `TRAININGS` the members' differences count by training.
    within: what a difference can be. All is NaN without a common member; ends and p with only one, and where all
    differences are alike. `verdict` is that of the interval.
    """
    difference = by_training(protocol, (first - second).dropna())
    n = len(difference)
    mean, low, high = mean_interval(difference, within) if n else [np.nan] * 3
    p = stats.ttest_1samp(difference, 0).pvalue if pd.notna(low) else np.nan
    found = {"difference": mean, "ci_low": low, "ci_high": high, "p": float(p), "n": n}
    return {**found, "verdict": verdict((low, high))}


def subject_difference(
    first: pd.DataFrame, second: pd.DataFrame, by: str = "subject", trained: str = "fold"
) -> dict[str, float]:
    """Pooled accuracy of first - second over the frames that both predicted, when people are resampled.

    first, second: columns seed, fold, frame_id, subject, label, prediction; by: the one that names what is resampled;
    trained: the one whose values were trained apart. As `subject_gain`.
    """
    key = ["seed", "fold", "frame_id", "subject", "label"]
    both = first.merge(second, on=key, suffixes=("_first", "_second"))
    right = [(both[f"prediction_{arm}"] == both["label"]).astype(float) for arm in ("first", "second")]
    return subject_gain(right[0] - right[1], both[by], both[trained])


def subject_gain(gained, subjects, trainings=None) -> dict[str, float]:
    """Mean of `gained`, one number per frame, with its interval when people are resampled, p, and n, the people.

    Percentile bootstrap over subjects; p from a two-sided permutation test that exchanges the two arms within a
    subject. NaN with fewer than two. trainings: which frames' networks were trained together. Where they are named,
    `verdict` asks for two intervals on one side of nothing: this one, and Student's over the means of the `trainings`,
    whose number, with the ends trained_low and trained_high, is given too.
    """
    gained = np.asarray(gained, float)
    by_subject = pd.Series(gained).groupby(np.asarray(subjects, str)).sum()
    mean, low, high = _resampled(gained, np.ones(len(gained)), subjects, RESAMPLES) if len(gained) else [np.nan] * 3
    p = np.nan
    if len(by_subject) > 1:
        p = stats.permutation_test(
            (by_subject.to_numpy(),),
            lambda gained, axis: gained.sum(axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=RESAMPLES,
            rng=np.random.default_rng(0),
        ).pvalue
    found = {"difference": mean, "ci_low": low, "ci_high": high, "p": float(p), "n": len(by_subject)}
    if trainings is None:
        return {**found, "verdict": verdict((low, high))}
    means = pd.Series(gained).groupby(np.asarray(trainings)).mean()
    over = mean_interval(means, within=(-1, 1))[1:] if len(means) else (np.nan, np.nan)
    found |= {"trainings": len(means), "trained_low": over[0], "trained_high": over[1]}
    return {**found, "verdict": verdict((low, high), over)}


def paired_by(protocol: str, trainings: int) -> str:
    """What is paired under a protocol: "subject", 2 -> people in 2 folds."""
    units = TRAININGS[protocol][1]
    return f"{RESAMPLED[protocol][1]} in {trainings} {units if trainings != 1 else units.removesuffix('s')}"


def verdict(*intervals: tuple[float, float]) -> str:
    """What the intervals of a claimed gain, all of them together, say of its direction."""
    if all(low > 0 for low, _ in intervals):
        return "supported"
    return "contradicted" if all(high < 0 for _, high in intervals) else "not resolvable"
