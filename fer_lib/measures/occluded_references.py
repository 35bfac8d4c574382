"""Accuracy of the reference methods under occlusion, and whether the networks are more robust.

`store` evaluates the references under `subject`; everything else is computed from `results/` alone.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits

from fer_lib import paths, results
from fer_lib.comparisons import COMPARISON
from fer_lib.faces import Faces
from fer_lib.findings.robustness import ASKED, arms, right
from fer_lib.findings.tables import compared
from fer_lib.measures import references
from fer_lib.occlusion import draw_rectangles, rectangle_mask
from fer_lib.occlusion_benchmark import CLEAN, SUITE, TARGETED, OcclusionBenchmark
from fer_lib.occlusion_scores import SCORES, weighed
from fer_lib.splits import asked, draws
from fer_lib.stats import cluster_ratio
from fer_lib.words.naming import label
from fer_lib.words.rounding import in_points, paired

TABLE = "reference_occluded_predictions.csv.gz"
COVERED = f"{references.METHODS[-1]}, occlusion in training"
"""Trained on copies of the training faces, each with its own black rectangle, like the paper's networks."""
COPIES, MOST = 10, 10_000
"""Copies of each face, and an upper limit on the total number of copies, which bounds the time."""

METHODS = (*references.METHODS[1:], COVERED)


@threadpool_limits.wrap(limits=1)  # so that the bits do not depend on the number of threads
def store(faces: Faces) -> None:
    """Store the references' predictions for the occluded test frames of each fold of `subject`.

    Columns method, fold, frame_id, subject, label and, for `CLEAN` and each of `SUITE` that does not target a model,
    the predicted class.
    """
    chosen = asked(faces, "subject")
    few, features = faces.take(chosen), references.hog_features(faces.images)
    benchmark, tables = OcclusionBenchmark(few.images), {}
    copies = _covered_copies(faces)
    features_of_copies = references.hog_features(copies.images)
    for _, fold, parts in draws(faces, "subject", 1):
        test = np.isin(chosen, parts.test)
        about = few.frames.loc[test, ["frame_id", "subject"]].assign(label=few.labels[test])
        for method in METHODS:
            if method == COVERED:
                train = np.flatnonzero(np.isin(np.arange(len(copies)) % len(faces), parts.train))
                said = references.learned(references.METHODS[-1], copies, features_of_copies, train)
            else:
                said = references.learned(method, faces, features, parts.train)
            tables[method, fold] = about.assign(method=method, fold=fold), test, said, {}
    for one in (CLEAN, *SUITE):
        if one not in TARGETED:
            images = benchmark.occluded(one)[0]
            seen = references.hog_features(images)
            for _, test, said, answers in tables.values():
                answers[str(one)] = said(images[test], seen[test])
    found = pd.concat([about.assign(**answers) for about, _, _, answers in tables.values()])
    first = ["method", "fold", "frame_id", "subject", "label"]
    results.write_csv(paths.RESULTS / faces.name / TABLE, found[[*first, *found.columns.drop(first)]])


def _covered_copies(faces: Faces) -> Faces:
    """`COPIES` occluded copies of all faces, one set after the other."""
    count = max(1, min(COPIES, MOST // len(faces)))
    copies = faces.take(np.tile(np.arange(len(faces)), count))
    boxes = draw_rectangles(np.random.default_rng(0x5EE), len(copies))
    masks = rectangle_mask(torch.from_numpy(boxes)).numpy()
    return replace(copies, images=np.where(masks, np.uint8(0), copies.images))


def scores(dataset: str) -> pd.DataFrame:
    """One row per reference and score of `ASKED`: method, score, mean, ci_low, ci_high, n (folds).

    Intervals resample subjects. Empty if notebook 00_data has not stored the predictions.
    """
    rows = []
    for method, own in _answers(dataset).groupby("method", sort=False):
        for score in ASKED:
            mean, low, high = cluster_ratio(weighed(own, SCORES[score]), own["subject"])
            row = {"method": method, "score": score, "mean": mean, "ci_low": low, "ci_high": high}
            rows.append({**row, "n": own["fold"].nunique()})
    return pd.DataFrame(rows, columns=["method", "score", "mean", "ci_low", "ci_high", "n"])


def _answers(dataset: str) -> pd.DataFrame:
    stored = (paths.RESULTS / dataset / TABLE).exists()
    return results.of_data_set(dataset, TABLE) if stored else pd.DataFrame(columns=["method", "fold", "frame_id"])


def against(dataset: str) -> pd.DataFrame:
    """Gain of the networks under `subject` over `METHODS[-2]`, or over `COVERED` if trained with occlusion.

    One row per network and score of `ASKED`: label, reference, score, and the columns of `comparisons.COMPARISON`.
    """
    rows, answers = [], _answers(dataset)
    for arm in arms(dataset) if len(answers) else ():
        if arm.protocol != "subject":
            continue
        method = METHODS[-2] if arm.occlusion == "none" else COVERED
        theirs = answers[answers["method"] == method]
        for score in ASKED:
            said = theirs.assign(seed=0, score=weighed(theirs, SCORES[score]))
            found = compared(right(arm, SCORES[score]), said, arm)
            rows.append({"label": label(arm), "reference": method, "score": score, **found})
    return pd.DataFrame(rows, columns=["label", "reference", "score", *COMPARISON])


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`against` in percentage points with verdicts, one row per network and one column per score."""
    said = [f"{in_points(row)}: {row.verdict}" for row in table.itertuples()]
    wide = table.assign(said=said, n=[paired(row) for row in table.itertuples()]).pivot_table(
        index=["label", "reference", "n"], columns="score", values="said", aggfunc="first", sort=False
    )
    scores = list(table["score"].unique())
    wide = wide[scores].reset_index().rename_axis(columns=None)
    return wide.rename(columns={"label": "method"})[["method", *scores, "reference", "n"]]
