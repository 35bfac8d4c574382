"""Scores of a classifier on the occlusion benchmark: the numbers that this study reports, with intervals over subjects.

    table = scores(predictions, labels, subjects)     # predictions: of OcclusionBenchmark.predictions
    table = by_occlusion(benchmark, predictions, labels, subjects)

A score is a weighted mean over occlusions of whether a face is classified correctly, so that it has a value for every
face and subjects can be resampled. Each kind of occlusion counts the same, however many levels and fills it has.
"""

import numpy as np
import pandas as pd

from fer_lib.occlusion_benchmark import CLEAN, FILLS, PAPER, SUITE, TARGETED, Occlusion, OcclusionBenchmark, as_rows
from fer_lib.stats import cluster_ratio

SHOWN = ("rectangle", "square")
"""The kinds of occlusion that training in this study may contain, with whatever fill.

No training contains another kind, but some are alike: the band over the eyes is a rectangle too, which a training may
happen to draw, the strong recipe's many small squares resemble the patches, and heavy occlusion's wide rectangles lie
where the mask over the mouth does.
"""

Weights = dict[Occlusion, float]
"""Occlusion -> its weight in a score; they add up to 1."""


def equally(occlusions: list[Occlusion]) -> Weights:
    """The same weight for each kind, and within a kind for each of its occlusions."""
    kinds = [one.kind for one in occlusions]
    return {one: 1 / len(set(kinds)) / kinds.count(one.kind) for one in occlusions}


def of_kind(kind: str) -> Weights:
    """`equally` over the suite's occlusions of one kind."""
    return equally([one for one in SUITE if one.kind == kind])


def under_curve(fill: str) -> Weights:
    """Area under accuracy against covered share, from clean to half covered by random patches, divided by that half."""
    points = [CLEAN, *(one for one in SUITE if one.kind == "patches" and one.fill == fill)]
    shares = np.array([one.level for one in points])
    edges = np.concatenate([shares[:1], (shares[1:] + shares[:-1]) / 2, shares[-1:]])
    return dict(zip(points, np.diff(edges) / shares[-1], strict=True))


SCORES = {
    "clean": {CLEAN: 1.0},
    "black rectangle": {PAPER: 1.0},
    "unseen": equally([one for one in SUITE if one not in TARGETED and one.kind not in SHOWN]),
    "area under the curve": {
        one: weight / len(FILLS) for fill in FILLS for one, weight in under_curve(fill).items() if one != CLEAN
    }
    | {CLEAN: under_curve("black")[CLEAN]},
}
"""Score -> its weights. Unseen: all kinds but those of `SHOWN` and the targeted ones, which differ from model to model
and depend on how finely its confidence is graded."""

REPORTED = {name: (weights, None) for name, weights in SCORES.items()} | {"kept": (SCORES["unseen"], SCORES["clean"])}
"""What the study reports: the scores, and the share of clean accuracy that is kept under unseen occlusion.

Name -> weights, and those of the score that it is divided by, if any.
"""


def weighed(answers: pd.DataFrame, weights: Weights) -> pd.Series:
    """Score of each row of answers, which have a column `label` and for each occlusion the predicted class."""
    truth = answers["label"].to_numpy()
    return pd.Series(
        sum(weight * (answers[str(one)].to_numpy() == truth) for one, weight in weights.items()), answers.index
    )


def scores(predictions: pd.DataFrame, labels, subjects=None) -> pd.DataFrame:
    """One row for each of `REPORTED`: score, mean, ci_low, ci_high, n.

    predictions: result of `OcclusionBenchmark.predictions`; labels, subjects: the class number and the subject of each
    of its faces. The interval is `stats.cluster_ratio` over the n subjects; without subjects, over the n faces. Raises
    ValueError where their shapes differ, a subject is missing (None or NaN), labels are no whole numbers or predictions
    lack a column.
    """
    answers, units = _checked(predictions, labels, subjects)
    rows = []
    for name, (weights, of) in REPORTED.items():
        found = cluster_ratio(weighed(answers, weights), units, weighed(answers, of) if of else None)
        rows.append((name, *found, len(set(units))))
    return pd.DataFrame(rows, columns=["score", "mean", "ci_low", "ci_high", "n"])


def by_occlusion(
    benchmark: OcclusionBenchmark, predictions: pd.DataFrame, labels, subjects=None, rows=slice(None)
) -> pd.DataFrame:
    """Accuracy under each of `SUITE`: kind, fill, level, severity, seen, mean, ci_low, ci_high, n.

    severity: mean covered share; seen: whether training as in the paper contains this kind, with any fill (`SHOWN`).
    rows: the faces of the benchmark that were tested; everything else as in `scores`.
    """
    answers, units = _checked(predictions, labels, subjects)
    if (count := len(benchmark.images[as_rows(rows)])) != len(answers):
        raise ValueError(f"rows choose {count} faces of the benchmark, but there are predictions of {len(answers)}")
    table = []
    for one in SUITE:
        about = {"kind": one.kind, "fill": one.fill, "level": one.level, "severity": benchmark.severity(one, rows)}
        mean, low, high = cluster_ratio(weighed(answers, {one: 1.0}), units)
        found = {"mean": mean, "ci_low": low, "ci_high": high, "n": len(set(units))}
        table.append({**about, "seen": one.kind in SHOWN, **found})
    return pd.DataFrame(table)


def _checked(predictions: pd.DataFrame, labels, subjects) -> tuple[pd.DataFrame, np.ndarray]:
    """The answers that `weighed` takes, and the units to resample, one per row."""
    count, labels = len(predictions), np.asarray(labels)
    units = np.arange(count) if subjects is None else np.asarray(subjects)
    for name, values in {"labels": labels, "subjects": units}.items():
        if values.shape != (count,):
            raise ValueError(f"{name} have shape {values.shape}; predictions of {count} faces need shape ({count},)")
    # Read as objects, for NumPy turns a NaN among names into the name "nan".
    if subjects is not None and (missing := np.count_nonzero(pd.isna(np.asarray(subjects, object)))):
        raise ValueError(
            f"subjects are missing (None or NaN) for {missing} of {count} faces; say who is on each, or pass no "
            "subjects, which resamples faces"
        )
    if labels.dtype.kind not in "iu":
        raise ValueError(f"labels are {labels.dtype}; they must be class numbers, 0 for the model's first output")
    if lacking := [str(one) for one in (CLEAN, *SUITE) if str(one) not in predictions]:
        raise ValueError(f"predictions lack columns such as {lacking[0]!r}; OcclusionBenchmark.predictions makes them")
    return predictions.assign(label=labels), units
