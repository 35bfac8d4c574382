"""Figures of the STN's views and of attribution maps: functions that take `ax` return it, the others make a figure."""

import textwrap
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from fer_lib.attribution import CONTROLS, METHODS, VISIBLE
from fer_lib.datasets import synthetic
from fer_lib.experiments import Experiment
from fer_lib.faces import SIZE, Faces
from fer_lib.figures.plots import ACCENT, CYCLE, INK, MUTED, name_lines
from fer_lib.findings import attention, views
from fer_lib.occlusion_benchmark import GRID
from fer_lib.stn import warp
from fer_lib.words import attention_wording

OUTLINES = 40
"""How many views are drawn on a face; more would hide it."""

MOST_ROOM = SIZE / 4
"""How far beyond the face, in pixels, its views are drawn at most; views that leave it would make the faces small."""

COLOURS = dict(zip((*METHODS, *CONTROLS), (CYCLE[1], CYCLE[2], ACCENT, MUTED, MUTED), strict=True))
"""Of the maps and of the controls."""


def wrapped(name: str, width: int) -> str:
    """A method's label on lines of at most so many letters; a parenthesis begins a new line."""
    lines = name.replace("× ", "×\N{NO-BREAK SPACE}").replace(" (", "\n(").split("\n")
    return "\n".join(textwrap.fill(line, width, break_on_hyphens=False) for line in lines)


def face(ax: Axes, image: np.ndarray) -> Axes:
    """Draw a face (48, 48), 0 to 255, without axes."""
    ax.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="none", extent=(0, SIZE, SIZE, 0))
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def view(ax: Axes, image: np.ndarray, theta: np.ndarray) -> Axes:
    """Draw a face and on it the views theta (M, 2, 3): `OUTLINES` of them as pale outlines, their mean in full."""
    outlines = _outlines(theta)
    some = outlines[np.linspace(0, len(outlines) - 1, min(OUTLINES, len(outlines))).astype(int)]
    for outline in np.unique(some.round(1), axis=0):
        ax.add_patch(Polygon(outline, fill=False, color=CYCLE[1], linewidth=0.5, alpha=0.35))
    ax.add_patch(Polygon(outlines.mean(axis=0), fill=False, color=ACCENT, linewidth=1.6))
    return face(ax, image)


def _outlines(theta: np.ndarray) -> np.ndarray:
    """The corners (M, 4, 2) of the views theta (M, 2, 3) in pixels."""
    return (views.CORNERS @ theta.transpose(0, 2, 1) + 1) * SIZE / 2


def warped(image: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """What the transformer makes of an image (48, 48) with the view theta (2, 3)."""
    given = torch.tensor(image, dtype=torch.float32)[None, None]
    return warp(given, torch.tensor(theta, dtype=torch.float32)[None])[0, 0].numpy()


def before_and_after(experiment: Experiment, classes: list[str], faces: dict[str, np.ndarray]) -> Figure:
    """Per emotion the mean face with the views of its frames, and below it what the mean view makes of it."""
    theta = {classes[k]: own for k, own in views.by_emotion(experiment).items() if classes[k] in faces}
    fig, axes = plt.subplots(2, len(theta), figsize=(1.22 * len(theta), 2.75), squeeze=False)
    for (above, below), (emotion, own) in zip(axes.T, theta.items(), strict=True):
        view(above, faces[emotion], own).set_title(emotion, fontsize=8.5, loc="center", pad=7)
        face(below, warped(faces[emotion], own.mean(axis=0)))
    reach = max(np.abs(_outlines(own) - SIZE / 2).max() for own in theta.values()) - SIZE / 2
    room = np.clip(reach + 1, 1, MOST_ROOM)
    for ax in axes.flat:
        ax.set(xlim=(-room, SIZE + room), ylim=(SIZE + room, -room))
    for ax, words in zip(axes[:, 0], ("input", "after STN"), strict=True):
        ax.set_ylabel(words)
    return fig


def relevance(ax: Axes, image: np.ndarray, values: np.ndarray) -> Axes:
    """Draw a face and over its patches (12, 12) the relevance for (orange) and against (blue) the class."""
    most = np.abs(values).max() or 1.0
    shades = LinearSegmentedColormap.from_list(
        "relevance", [f"{ACCENT}f0", f"{ACCENT}00", f"{CYCLE[1]}00", f"{CYCLE[1]}f0"]
    )
    face(ax, 90 + 0.6 * image)
    ax.imshow(values, cmap=shades, vmin=-most, vmax=most, interpolation="none", extent=(0, SIZE, SIZE, 0))
    return ax


def relevance_grid(rows: dict[str, dict[str, np.ndarray]], faces: dict[str, np.ndarray]) -> Figure:
    """Row name -> emotion -> mean map, drawn on the mean faces, a column per emotion; each face has its own scale."""
    emotions = [emotion for emotion in faces if any(emotion in row for row in rows.values())]
    size = (2.2 + 1.05 * len(emotions), 0.35 + 1.1 * len(rows))
    fig, axes = plt.subplots(len(rows), len(emotions), figsize=size, squeeze=False)
    for line, (name, maps) in zip(axes, rows.items(), strict=True):
        for ax, emotion in zip(line, emotions, strict=True):
            relevance(ax, faces[emotion], maps.get(emotion, np.zeros((GRID, GRID))))
        line[0].set_ylabel(wrapped(name, 26), rotation=0, ha="right", va="center", labelpad=8, fontsize=8)
    for ax, emotion in zip(axes[0], emotions, strict=True):
        ax.set_title(emotion, loc="center", fontsize=8.5)
    return fig


def deletion(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw one method of `attention.curve_table`: a colour per map, least relevant first dashed."""
    for name, first in product(COLOURS, ("most", "least")):
        points = table[(table["map"] == name) & (table["first"] == first)]
        if points.empty:
            continue
        style = {"contrast": (0, (1, 1.5)), "random": "-"}.get(name, "-" if first == "most" else (0, (4, 2)))
        colour = COLOURS[name]
        ax.fill_between(points["severity"], points["ci_low"], points["ci_high"], color=colour, alpha=0.12, linewidth=0)
        words = name if name in CONTROLS else f"{name}, {first} relevant first"
        ax.plot(points["severity"], points["mean"], color=colour, linestyle=style, label=words)
        ax.plot(points["severity"], points["mean"], "o", color=colour, markersize=3)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(xmax=1))
    ax.set(ylim=(-0.02, 1.03), xlim=(0, 0.51))
    ax.grid(visible=True, axis="y")
    return ax


def deletions(table: pd.DataFrame) -> Figure:
    """A `deletion` for each method of `attention.curve_table`, three a row."""
    methods = list(table.groupby("method", sort=False))
    columns = min(3, len(methods))
    rows = -(-len(methods) // columns)
    size = (1.2 + 3.0 * columns, 1.4 + 2.5 * rows)
    fig, axes = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    for ax, (name, own) in zip(axes.flat, methods, strict=False):
        deletion(ax, own).set_title(wrapped(name, 38), fontsize=8.5)
    for ax in axes.flat[len(methods) :]:
        ax.set_axis_off()
    fig.supxlabel("share of the face removed", fontsize=9)
    fig.supylabel("unchanged predictions", fontsize=9)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return fig


def expressions(faces: Faces) -> Figure:
    """The first synthetic frame of each emotion at its apex, and on it where its action units show."""
    last = faces.frames.assign(label=faces.labels).groupby("label").nth(2).sort_values("label")
    changes = synthetic.expression_changes(last["frame_id"]) > VISIBLE
    fig, axes = plt.subplots(1, len(last), figsize=(1.22 * len(last), 1.5))
    for ax, row, changed in zip(axes, last.index, changes, strict=True):
        face(ax, faces.images[row]).set_title(faces.classes[faces.labels[row]], loc="center", fontsize=8.5)
        shades = LinearSegmentedColormap.from_list("changed", [f"{CYCLE[1]}00", f"{CYCLE[1]}90"])
        ax.imshow(changed, cmap=shades, vmin=0, vmax=1, interpolation="none", extent=(0, SIZE, SIZE, 0))
    return fig


def times_chance(table: pd.DataFrame, emotions: list[str]) -> Figure:
    """`attention.regions` by emotion for `attention.PLACED` and contrast: a panel per region, a line per emotion.

    A colour per map; dotted, chance.
    """
    regions = [name for name in ("expression", "mouth", "eyes") if (table["region"] == name).any()]
    maps = [name for name in (*attention.PLACED, "contrast") if (table["map"] == name).any()]
    fig, axes = plt.subplots(1, len(regions), figsize=(1.4 + 2.7 * len(regions), 3.6), sharey=True, squeeze=False)
    for ax, region in zip(axes[0], regions, strict=True):
        ax.axvline(1, color=INK, linewidth=0.9, linestyle=(0, (1, 2)))
        for k, name in enumerate(maps):
            own = table[(table["region"] == region) & (table["map"] == name)].set_index("emotion").reindex(emotions)
            lines = np.arange(len(emotions)) + 0.17 * (k - (len(maps) - 1) / 2)
            ax.hlines(lines, own["ci_low"], own["ci_high"], color=COLOURS[name], linewidth=1.4)
            marker = "D" if name in CONTROLS else "o"
            ax.plot(own["ratio"], lines, marker, color=COLOURS[name], markersize=4, label=name)
        ax.set_title({"expression": "area changed by action units"}.get(region, region))
        ax.set_xlabel("relevance / area")
        ax.set_xscale("log", base=2)
        ax.set_xlim(min(ax.get_xlim()[0], 0.5), max(ax.get_xlim()[1], 2))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        ax.xaxis.set_minor_locator(NullLocator())
        name_lines(ax, emotions)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=len(maps))
    return fig


def by_training(table: pd.DataFrame) -> Figure:
    """One map of `attention.places`: a panel per occlusion in training, a line per network, a colour per region.

    The ratio with its interval; dotted, chance.
    """
    groups = [(one, table[table["occlusion"] == one]) for one in attention.TRAINED]
    groups = [(one, own, own[["protocol", "method"]].drop_duplicates()) for one, own in groups if len(own)]
    counts = [len(lines) for *_, lines in groups]
    size = (7.2, 0.9 + 0.34 * len(groups) + 0.48 * sum(counts))
    fig, axes = plt.subplots(len(groups), 1, figsize=size, sharex=True, squeeze=False, height_ratios=counts)
    regions = dict(zip(attention_wording.told(table), (CYCLE[1], ACCENT), strict=False))
    for ax, (one, own, lines) in zip(axes[:, 0], groups, strict=True):
        ax.axvline(1, color=INK, linewidth=0.9, linestyle=(0, (1, 2)))
        for region, colour in regions.items():
            dots = lines.merge(own[own["region"] == region], how="left")
            ax.hlines(range(len(lines)), dots["ci_low"], dots["ci_high"], color=colour, linewidth=1.6)
            ax.plot(dots["ratio"], range(len(lines)), "o", color=colour, label=region)
        name_lines(ax, [wrapped(f"{row.method}, {row.protocol}", 42) for row in lines.itertuples()])
        ax.set_title(f"trained {attention.TRAINED[one]}")
    axes[-1, 0].set_xlabel("relevance / area")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=len(regions))
    return fig
