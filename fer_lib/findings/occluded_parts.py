"""Recall of each emotion under each cover, and the loss of recall per covered place: made from `results/` alone.

A loss is the recall on clear faces less that on the same faces covered. Left and right are those of the image.
"""

import pandas as pd

from fer_lib import results
from fer_lib.comparisons import COMPARISON, WITHOUT_ENDS, pooled_gain
from fer_lib.experiments import Experiment
from fer_lib.faces import SIZE
from fer_lib.findings.robustness import enough, interval_over
from fer_lib.findings.tables import of_one_kind
from fer_lib.occlusion_benchmark import CLEAN, WINDOW, WINDOWS, window_name
from fer_lib.occlusion_scores import of_kind, weighed
from fer_lib.words.naming import label

COVERS = {"none": {CLEAN: 1.0}} | {kind: of_kind(kind) for kind in ("eyes", "mouth", "upper", "lower", "left", "right")}
"""The covers that hide a part of the face, and none -> the weights of their fills."""

CORNERS = [(0, 0), (0, SIZE - WINDOW)]
"""The places of the sliding square at the picture's upper corners: beside the forehead, and above the eyes."""

CELL = ["emotion", "top", "left"]
"""An emotion and a place of the sliding square."""


def recall(experiments: list[Experiment]) -> pd.DataFrame:
    """One row per network, emotion and cover: method, emotion, kind, recall, low, high, n (frames, once per answer)."""
    rows = []
    for arm in experiments:
        names = results.class_names(arm)
        for emotion, own in results.read(arm, "occluded_predictions.csv.gz").groupby("label"):
            for kind, weights in COVERS.items():
                found = interval_over(arm, own, weighed(own, weights))
                rows.append((label(arm), names[emotion], kind, *found, len(own)))
    return pd.DataFrame(rows, columns=["method", "emotion", "kind", "recall", "low", "high", "n"])


def falls(table: pd.DataFrame) -> pd.DataFrame:
    """The row of `recall` with the largest loss of each method, with the recall on clear faces, `clear`."""
    keys = ["method", "emotion"]
    clear = table[table["kind"] == "none"].set_index(keys)["recall"].rename("clear")
    covered = table[table["kind"] != "none"].join(clear, on=keys).reset_index(drop=True)
    return covered.loc[(covered["clear"] - covered["recall"]).groupby(covered["method"], sort=False).idxmax()]


def place_losses(experiment: Experiment) -> pd.DataFrame:
    """The loss under each place of the sliding square: emotion (its number), top, left, loss."""
    answers = results.read(experiment, "occluded_predictions.csv.gz")
    rows = []
    for emotion, own in answers.groupby("label"):
        lost = {corner: _lost(own, *corner).mean() for corner in WINDOWS}
        rows += [(emotion, *corner, loss) for corner, loss in lost.items()]
    return pd.DataFrame(rows, columns=[*CELL, "loss"])


def _lost(own: pd.DataFrame, top: int, left: int) -> pd.Series:
    """Of each frame, 1 if it is lost under the square there, -1 if it is won, else 0."""
    clear, covered = (own[name] == own["label"] for name in (str(CLEAN), window_name(top, left)))
    return clear.astype(float) - covered


def loss(experiment: Experiment, emotion: int, top: int, left: int) -> dict:
    """`comparisons.COMPARISON` of clear faces of an emotion over the same under the square there, and `frames`."""
    answers = results.read(experiment, "occluded_predictions.csv.gz")
    own = answers[answers["label"] == emotion]
    return {**_shown(experiment, own, pooled_gain(experiment.protocol, own, _lost(own, top, left))), "frames": len(own)}


def _shown(experiment: Experiment, frames: pd.DataFrame, found: dict) -> dict:
    """A comparison over these frames, without ends and verdict where `robustness.enough` says no."""
    unsure = {} if enough(experiment, frames) else WITHOUT_ENDS | {"verdict": "not resolvable"}
    return of_one_kind(found | unsure, (experiment, frames))


def costliest(experiments: list[Experiment]) -> pd.DataFrame:
    """The largest loss of each network, then the largest of all at a corner, and the losses there in the others.

    Columns method, `CELL`, of (`anywhere`, `corner`), picked (whether it is the largest of this network), frames and
    `comparisons.COMPARISON`.
    """
    losses = pd.concat({label(arm): place_losses(arm) for arm in experiments}, names=["method"]).reset_index("method")
    losses = losses.reset_index(drop=True)
    anywhere = losses.loc[losses.groupby("method", sort=False)["loss"].idxmax()]
    corners = losses[pd.MultiIndex.from_frame(losses[["top", "left"]]).isin(CORNERS)]
    found = {"anywhere": anywhere, "corner": corners.loc[[corners["loss"].idxmax()]]}
    rows, names = [], results.class_names(experiments[0])
    for of, chosen in found.items():
        for cell, picked in chosen.groupby(CELL, sort=False):
            about = dict(zip(CELL, (names[cell[0]], *cell[1:]), strict=True))
            for arm in experiments:
                own = {"method": label(arm), **about, "of": of, "picked": label(arm) in set(picked["method"])}
                rows.append({**own, **loss(arm, *cell)})
    return pd.DataFrame(rows, columns=["method", *CELL, "of", "picked", "frames", *COMPARISON])
