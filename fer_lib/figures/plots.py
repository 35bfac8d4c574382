"""Figure style, emotion colours and basic plots; each plot takes `ax`, draws on it and returns it."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fer_lib.comparisons import DECIDED

INK = "#1c2024"
MUTED = "#6b727d"
RULE = "#d5d9df"
"""Text and axes, secondary text, grid lines; `report.figure` replaces these three by the page's colours."""

ACCENT = "#2f6db5"
CYCLE = (ACCENT, "#bd6a0b", "#26876c", "#b0508f", "#7c838e")

VERDICT_COLOURS = dict(zip(DECIDED, CYCLE, strict=False))
"""Colour per verdict; a comparison without one is `MUTED`."""

EMOTION_COLOURS = {
    "anger": "#e20344",
    "contempt": "#3da38f",
    "disgust": "#237619",
    "fear": "#a080f0",
    "happiness": "#c78600",
    "sadness": "#4061f2",
    "surprise": "#ca2bb3",
    "neutral": "#707070",
}
"""One colour per emotion, with contrast of at least 3:1 on white and on near-black (#16181d).

They maximise the smallest pairwise distance in OKLab, for normal vision and for full protanopia, deuteranopia and
tritanopia (Machado et al. 2009), with each emotion restricted to a range of hues.
"""

STYLE = {
    "figure.figsize": (6.4, 3.8),
    "figure.dpi": 100,
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "savefig.dpi": 150,
    "savefig.facecolor": "none",
    "svg.fonttype": "path",
    "svg.hashsalt": "fer_lib",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=CYCLE),
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "lines.linewidth": 1.5,
    "lines.markersize": 5.5,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}
"""rcParams of every figure, for `with plt.rc_context(plots.STYLE)`.

Transparent, so that figures fit light and dark pages; text as paths, so that it looks the same everywhere.
"""


def look(k: int) -> dict:
    """Line style of the k-th method, counted from 0; marker and line style change when the colours are used up."""
    again = k // len(CYCLE) % 3
    return {"color": CYCLE[k % len(CYCLE)], "marker": "os^"[again], "linestyle": ("-", "--", ":")[again]}


def name_lines(ax: Axes, names) -> Axes:
    """Label the rows of a horizontal plot, 0 on top, with a grid along x and no axis line at the names."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=True, axis="x")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return ax


def paired_gain(ax: Axes, row, line: float, colour: str, mark: str = "o") -> Axes:
    """Draw a paired gain on its line: thick the interval over subjects, thin that over what was trained apart.

    row: the columns of `comparisons.COMPARISON`, as attributes.
    """
    ax.hlines(line, row.trained_low, row.trained_high, color=colour, linewidth=0.8)
    ax.hlines(line, row.ci_low, row.ci_high, color=colour, linewidth=2.2)
    ax.plot(row.difference, line, mark, color=colour, markersize=4.5)
    return ax


def face_grid(ax: Axes, images: np.ndarray, titles: list[str] | None = None, columns: int = 8) -> Axes:
    """Draw faces as one mosaic, row by row, with transparent gaps.

    images: uint8 (N, H, W). titles: one short text per face, drawn above it.
    """
    ax.set_axis_off()
    if len(images) == 0:
        ax.text(0.5, 0.5, "no face of this data set may be shown", ha="center", transform=ax.transAxes)
        return ax
    count, height, width = images.shape
    columns = min(columns, count)
    gap, head = 3, 9 if titles else 0
    step_y, step_x = height + gap + head, width + gap
    mosaic = np.full((-(-count // columns) * step_y - gap, columns * step_x - gap), np.nan)
    for i, image in enumerate(images):
        y, x = i // columns * step_y + head, i % columns * step_x
        mosaic[y : y + height, x : x + width] = image
        if titles:
            ax.text(x + width / 2 - 0.5, y - 2, titles[i], ha="center", va="bottom", fontsize="x-small")
    ax.imshow(mosaic, cmap="gray", vmin=0, vmax=255, interpolation="none")
    return ax


def panels(count: int, height: float) -> tuple[Figure, np.ndarray]:
    """A figure and its `count` axes, three per row; height: of a row, in inches."""
    rows, columns = -(-count // 3), min(count, 3)
    size = (max(4.4, 3.2 * columns), height * rows)
    fig, axes = plt.subplots(rows, columns, figsize=size, sharey=True, squeeze=False)
    for ax in axes.flat[count:]:
        ax.set_axis_off()
    return fig, axes.flat[:count]


def learning_curve(ax: Axes, curves: pd.DataFrame, quantity: str, label: str, k: int = 0) -> Axes:
    """Draw the mean of a quantity over the members at each epoch, with a band from minimum to maximum.

    Collapsed members are drawn apart, dotted. curves: `tables.learning_curves` of one experiment. k: index of the
    method, for `look`.
    """
    for collapsed, own in curves[curves["quantity"] == quantity].groupby("collapsed"):
        style = look(k) | {"marker": ""} | ({"linestyle": ":"} if collapsed else {"label": label})
        ax.fill_between(own["epoch"], own["min"], own["max"], color=style["color"], alpha=0.18, linewidth=0)
        ax.plot(own["epoch"], own["mean"], **style)
    ax.set_xlabel("epoch")
    if quantity != "loss":
        ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    ax.grid(visible=True, axis="y")
    return ax


def confusion(ax: Axes, counts: pd.DataFrame) -> Axes:
    """Draw a confusion matrix with row percentage and count in each cell; zeros are left blank.

    counts: true classes as rows, predicted classes as columns, both named. A class without samples is an empty row.
    """
    totals = counts.sum(axis=1)
    share = counts.div(totals.clip(lower=1), axis=0)
    said = (100 * share).map("{:.1f}\n".format) + counts.astype(str)
    # From transparent instead of white, and never opaque, so that the text is legible on light and dark pages.
    shades = LinearSegmentedColormap.from_list("share", [f"{ACCENT}00", f"{ACCENT}a6"])
    look = {"cmap": shades, "vmin": 0, "vmax": 1, "cbar": False, "square": True, "linewidths": 0.6, "linecolor": RULE}
    look["annot_kws"] = {"color": INK, "fontsize": 7.5}
    rows = [f"{name} ({total})" for name, total in totals.items()]
    sns.heatmap(share, ax=ax, annot=said.where(counts > 0, ""), fmt="", yticklabels=rows, **look)
    ax.set_xticklabels(ax.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
    ax.set(xlabel="predicted", ylabel="true (frames)")
    ax.tick_params(length=0)
    return ax
