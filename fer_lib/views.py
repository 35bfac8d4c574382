"""What the spatial transformer looks at: its views in words a reader knows, and whether occlusion changes them."""

import numpy as np
import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment
from fer_lib.faces import SIZE
from fer_lib.tables import label, measured
from fer_lib.training import THETA

CORNERS = np.array([[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]])
"""Of the image, as theta takes them: x, y, 1."""


def described(experiment: Experiment) -> pd.DataFrame:
    """Each stored view: seed, fold, frame_id, occlusion, and what theta does.

    zoom: how many times as large as in the image the face appears (below 1 the view reaches beyond it).
    rotation: degrees, clockwise on the screen positive. right, down: pixels that the view's centre is off the image's.
    moved: pixels that the view's corners lie, on average, from those of the same frame's clean view.
    """
    table = results.read(experiment, "views.csv.gz")
    theta = table[list(THETA)].to_numpy(float).reshape(-1, 2, 3)
    corners = CORNERS @ theta.transpose(0, 2, 1) * SIZE / 2
    clean = table["occlusion"] == "none"
    key = table[["seed", "fold", "frame_id"]].agg(lambda row: tuple(row), axis=1)
    own = dict(zip(key[clean], corners[clean], strict=True))
    moved = [np.linalg.norm(one - own[name], axis=1).mean() for name, one in zip(key, corners, strict=True)]
    return table[["seed", "fold", "frame_id", "occlusion"]].assign(
        zoom=np.abs(np.linalg.det(theta[:, :, :2])) ** -0.5,
        rotation=np.degrees(np.arctan2(theta[:, 1, 0] - theta[:, 0, 1], theta[:, 0, 0] + theta[:, 1, 1])),
        right=theta[:, 0, 2] * SIZE / 2,
        down=theta[:, 1, 2] * SIZE / 2,
        moved=moved,
    )


def looking(dataset: str) -> list[Experiment]:
    """The measured experiments whose views are stored."""
    return [row for row in measured(dataset) if len(results.read(row, "views.csv.gz"))]


QUANTITIES = {"zoom": "none", "rotation": "none", "right": "none", "down": "none", "moved": "rectangle"}
"""What `described` tells of a view -> the frames that it is summarised over: the clean ones, or the covered ones."""


def summary(dataset: str) -> pd.DataFrame:
    """A row per arm and quantity: its mean over the test frames, and the ends (low, high) of the middle 95 % of them.

    Columns protocol, method, frames, quantity, mean, low, high.
    """
    rows = []
    for experiment in looking(dataset):
        table = described(experiment)
        frames = int((table["occlusion"] == "none").sum())
        for quantity, kind in QUANTITIES.items():
            values = table.loc[table["occlusion"] == kind, quantity]
            about = (experiment.protocol, label(experiment), frames, quantity)
            rows.append((*about, values.mean(), *values.quantile([0.025, 0.975])))
    return pd.DataFrame(rows, columns=["protocol", "method", "frames", "quantity", "mean", "low", "high"])


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`summary` with a row per arm and a column per quantity: mean, in brackets the middle 95 % of the frames."""
    said = [
        f"{row.mean:.2f} [{row.low:.2f}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{row.high:.2f}]"
        for row in table.itertuples()
    ]
    keys = ["protocol", "method", "frames"]
    form = {"index": keys, "columns": "quantity", "values": "said", "aggfunc": "first", "sort": False}
    wide = table.assign(said=said).pivot_table(**form)
    return wide.reset_index().rename_axis(columns=None)
