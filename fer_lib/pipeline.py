"""One look through the network: test triplets before and after occlusion and transformer (the paper's Fig. 3)."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from fer_lib.batches import draw_batches
from fer_lib.experiments import Experiment, Member
from fer_lib.faces import SIZE, Faces
from fer_lib.occlusion import apply_mask, draw_rectangles, rectangle_mask
from fer_lib.run import load_network
from fer_lib.splits import split
from fer_lib.stn import share_outside, warp
from fer_lib.training import to_float

ROLES = ("anchor", "positive", "negative")


@dataclass
class Steps:
    """What happens to 3 x n faces: n anchors, their positives, their negatives.

    given, occluded, warped: float (3n, 48, 48) in [0, 1]; theta: (3n, 2, 3); emotions: their names.
    """

    given: np.ndarray
    occluded: np.ndarray
    warped: np.ndarray
    theta: torch.Tensor
    emotions: list[str]


def steps(experiment: Experiment, faces: Faces, count: int = 4) -> Steps:
    """`count` triplets of test frames that may be shown, through the first member's network.

    Raises FileNotFoundError if its weights are not on this machine, ValueError if no frame may be shown.
    """
    member = Member(0, 0)
    network = load_network(experiment, member, len(faces.classes))
    test = split(faces, experiment.protocol, member.seed, member.fold).test
    shown = test[faces.may_be_shown[test]]
    frequent = np.flatnonzero(np.bincount(faces.labels[shown]) > 1) if len(shown) else []
    shown = shown[np.isin(faces.labels[shown], frequent)]
    if len(frequent) < 2:
        raise ValueError(f"{faces.name} has no two emotions with two test faces each that may be shown; take synthetic")
    rng = np.random.default_rng(0)
    drawn = shown[_one_batch(rng, faces.labels[shown], count)]
    given = to_float(faces.images[drawn], "cpu")
    occluded = apply_mask(given, rectangle_mask(torch.from_numpy(draw_rectangles(rng, len(drawn)))))
    with torch.inference_mode():
        theta = network(occluded)[1]
        warped = warp(occluded, theta)
    pixels = [images[:, 0].numpy() for images in (given, occluded, warped)]
    return Steps(*pixels, theta, [faces.classes[i] for i in faces.labels[drawn]])


def _one_batch(rng: np.random.Generator, labels: np.ndarray, count: int) -> np.ndarray:
    _, consecutive = np.unique(labels, return_inverse=True)
    return draw_batches(rng, consecutive, count, triplets=True)[0]


def draw(steps: Steps) -> Figure:
    """Rows: anchor, positive, negative; per triplet three columns: given, occluded with the chosen view, warped."""
    count = len(steps.given) // 3
    widths = [1, 1, 1, 0.25] * count
    fig, axes = plt.subplots(3, 4 * count, figsize=(0.82 * sum(widths), 3.2), width_ratios=widths)
    for ax in axes.flat:
        ax.set_axis_off()
    for i in range(3 * count):
        row, place = divmod(i, count)
        for k, images in enumerate((steps.given, steps.occluded, steps.warped)):
            ax = axes[row, 4 * place + k]
            ax.imshow(images[i], cmap="gray", vmin=0, vmax=1, interpolation="none")
            if row == 0:
                ax.set_title(("given", "occluded", "after STN")[k], fontsize=7, loc="center")
        axes[row, 4 * place].text(
            -0.06, 0.5, steps.emotions[i], transform=axes[row, 4 * place].transAxes,
            rotation=90, ha="right", va="center", fontsize=7,
        )  # fmt: skip
        view = Polygon(_view(steps.theta[i]), fill=False, color="#ff9d2e", linewidth=1.2, clip_on=False)
        axes[row, 4 * place + 1].add_patch(view)
    return fig


def _view(theta: torch.Tensor) -> np.ndarray:
    """Corners (4, 2) of the sampled view in pixels of the input image, x first."""
    corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]])
    return ((corners @ theta.T + 1) * SIZE / 2 - 0.5).numpy()


def theta_table(steps: Steps) -> pd.DataFrame:
    """Mean and range of theta's entries and of the share outside, one row each."""
    entries = {f"{a}{b}": steps.theta[:, i, j] for i, a in enumerate("xy") for j, b in enumerate(("x", "y", " shift"))}
    entries["share outside"] = share_outside(steps.theta)
    rows = [(name, float(v.mean()), float(v.min()), float(v.max())) for name, v in entries.items()]
    table = pd.DataFrame(rows, columns=["entry", "mean", "lowest", "highest"]).set_index("entry")
    return (table.round(2) + 0.0).reset_index()  # + 0.0: no -0.00
