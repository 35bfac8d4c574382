"""Plots of embeddings: 2-D maps by emotion and by subject, and the scores with their intervals."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib import embedding_maps, naming, results, tables
from fer_lib.embedding_scores import RANGES
from fer_lib.experiments import Experiment
from fer_lib.plots import ACCENT, CYCLE, EMOTION_COLOURS, INK, name_lines

SUBJECT_COLOURS = sns.husl_palette(12, l=0.6).as_hex()
"""Subjects take these in turn: with more than twelve, a colour stands for several."""

DIVIDED_COLOURS = {"emotion": ACCENT, "identity": CYCLE[1]}


def colours_of(points: pd.DataFrame, by: str) -> np.ndarray:
    """The colour of each point (N,), by "emotion" or by "subject".

    points: columns emotion and subject. Neighbours in the order of subjects get colours that are far apart.
    """
    if by == "emotion":
        return points["emotion"].map(EMOTION_COLOURS).to_numpy()
    subjects = np.unique(points["subject"].to_numpy(dtype=str), return_inverse=True)[1]
    return np.array(SUBJECT_COLOURS)[subjects * 5 % len(SUBJECT_COLOURS)]


def embedding_map(ax: Axes, points: pd.DataFrame, by: str) -> Axes:
    """Draw a 2-D map: test frames in full colour, training frames pale and below them.

    points: `embedding_maps.located`. A map has no axes: only who is near to whom counts.
    """
    colours, tested = colours_of(points, by), points["tested"].to_numpy(bool)
    x, y = points["x"].to_numpy(), points["y"].to_numpy()
    ax.scatter(x[~tested], y[~tested], s=7, c=colours[~tested], linewidths=0, alpha=0.35)
    ax.scatter(x[tested], y[tested], s=11, c=colours[tested], linewidths=0)
    ax.set(xticks=[], yticks=[])
    ax.set_aspect("equal", adjustable="datalim")
    ax.spines[:].set_visible(True)
    return ax


def arms(dataset: str, protocol: str) -> list[Experiment]:
    """The arms whose maps stand side by side, as far as measured: ResNet-10 with softmax, triplet or joint loss."""
    rows = [row for row in tables.measured(dataset) if (row.protocol, row.backbone) == (protocol, "resnet10")]
    rows = [row for row in rows if naming.part(row) == "Table 2" or row.loss == "joint"]
    rows = [row for row in rows if len(embedding_maps.first_member(row))]
    return sorted(rows, key=lambda row: ("softmax", "triplet", "joint").index(row.loss))


def short_label(experiment: Experiment) -> str:
    """The loss, and what differs from the paper's setting: enough where everything else is the same."""
    differs = ", ".join(naming.differences(experiment))
    return f"{experiment.loss} ({differs})" if differs else experiment.loss


def arms_figure(rows: list[Experiment]) -> Figure:
    """The maps of several experiments side by side, by emotion and below by subject; of one alone beside each other.

    By subject only test frames are drawn: colours that stand for several subjects tell little among a thousand frames.
    """
    side = min(3.3, 9.4 / len(rows))
    shape = (2, len(rows)) if len(rows) > 1 else (1, 2)
    fig, axes = plt.subplots(*shape, figsize=(side * shape[1], side * shape[0] + 0.4), squeeze=False)
    axes = axes.reshape(2, len(rows))
    for column, row in zip(axes.T, rows, strict=True):
        points = embedding_maps.located(row)
        embedding_map(column[0], points, "emotion")
        embedding_map(column[1], points[points["tested"]], "subject")
        column[0].set_title(textwrap.fill(short_label(row), 24))
    for ax, words in zip(axes[:, 0], ("by emotion", "by subject"), strict=True):
        ax.set_ylabel(words)
    emotion_legend(fig, results.class_names(rows[0]))
    return fig


def drawn_frames(rows: list[Experiment]) -> str:
    """Which frames the maps of these experiments hold, in a sentence."""
    trained = [row for row in rows if not embedding_maps.first_member(row)["tested"].all()]
    if not trained:
        return "test frames of the first member."
    if len(trained) == len(rows):
        return "frames of the first member: test in full colour, training pale."
    lacking = ", ".join(short_label(row) for row in rows if row not in trained)
    return f"frames of the first member: test in full colour, training pale ({lacking}: test only)."


def methods_figure(experiment: Experiment) -> Figure:
    """The same embedding by UMAP from three seeds, by t-SNE and by PCA, coloured by emotion."""
    drawn = [("UMAP", seed, f"UMAP, seed {seed}") for seed in embedding_maps.UMAP_SEEDS]
    drawn += [("t-SNE", 0, "t-SNE"), ("PCA", 0, "PCA")]
    fig, axes = plt.subplots(1, len(drawn), figsize=(9.4, 2.5))
    for ax, (method, seed, title) in zip(axes, drawn, strict=True):
        embedding_map(ax, embedding_maps.located(experiment, method, seed), "emotion").set_title(title)
    emotion_legend(fig, results.class_names(experiment))
    return fig


def emotion_legend(fig: Figure, emotions: list[str]) -> None:
    """One dot per emotion below the figure."""
    dots = [plt.Line2D([], [], marker="o", linestyle="", color=EMOTION_COLOURS[name]) for name in emotions]
    fig.legend(dots, emotions, loc="outside lower center", ncols=len(dots), handletextpad=0, columnspacing=1.2)


def score_panel(ax: Axes, table: pd.DataFrame, members: pd.DataFrame, labels: dict[str, str]) -> Axes:
    """Draw one score: a line per experiment, the first on top, emotion above identity, with interval and members.

    table: rows of `score_table` for one score; members: those of `all_member_scores`. labels: experiment -> its name.
    """
    for k, (divided, colour) in enumerate(DIVIDED_COLOURS.items()):
        own = table[table["divided"] == divided].set_index("experiment").reindex(labels)
        lines = np.arange(len(own)) + 0.34 * (k - 0.5)
        ax.hlines(lines, own["ci_low"], own["ci_high"], color=colour, linewidth=1.6)
        ax.plot(own["mean"], lines, "o" if k == 0 else "s", color=colour, markersize=4.5, label=divided)
        dots = members[(members["divided"] == divided) & members["experiment"].isin(own.index[own["n"] > 1])]
        places = dots["experiment"].map(dict(zip(labels, lines, strict=True)))
        ax.plot(dots["value"], places + 0.13, ".", color=colour, alpha=0.35, markersize=4)
    ax.axvline(0, color=INK, linewidth=0.7)
    return name_lines(ax, labels.values())


def scores_figure(table: pd.DataFrame, members: pd.DataFrame) -> Figure:
    """Every score of every arm in `table` (`score_table`): a row of panels per protocol, a column per score."""
    protocols = list(dict.fromkeys(table["protocol"]))
    labels = {p: _labels(table[table["protocol"] == p]) for p in protocols}
    heights = [len(names) + 0.6 for names in labels.values()]
    size = (9.4, 1.3 + 0.42 * sum(heights))
    shape = {"squeeze": False, "sharex": "col", "sharey": "row", "height_ratios": heights}
    fig, axes = plt.subplots(len(protocols), len(RANGES), figsize=size, **shape)
    for line, protocol in zip(axes, protocols, strict=True):
        for ax, score in zip(line, RANGES, strict=True):
            own, dots = (rows[rows["score"] == score] for rows in (table, members))
            score_panel(ax, own, dots, labels[protocol])
        line[0].set_title(protocol, loc="left", x=-1.6)
    for ax, score in zip(axes[-1], RANGES, strict=True):
        ax.set_xlabel(score)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return fig


def _labels(table: pd.DataFrame) -> dict[str, str]:
    names = table.drop_duplicates("experiment").set_index("experiment")["label"]
    return {name: label.removeprefix("STN + ") for name, label in names.items()}
