"""Plots of embeddings: 2-D maps by emotion and by subject, and the scores with their intervals."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_lib import results
from fer_lib.experiments import Experiment
from fer_lib.figures import embedding_maps
from fer_lib.figures.plots import ACCENT, CYCLE, EMOTION_COLOURS, INK, name_lines
from fer_lib.findings import tables
from fer_lib.findings.embedding_scores import DISTANCES, LOWER_IS_CLEARER, PAIR, RANGES, short_label
from fer_lib.words import naming

MARKS = dict(zip(EMOTION_COLOURS, "o^o^^osD", strict=True))
"""Emotions of neighbouring hues have different marks."""

SUBJECT_MARKS = [(mark, face) for face in (INK, "none") for mark in "os^vDP"]
"""Subjects take these in turn, in ink, filled or hollow: with more than twelve, one stands for several."""

DIVIDED_COLOURS = {"emotion": ACCENT, "identity": CYCLE[1]}

DISTANCE_LOOKS = {
    name: {"color": colour, "marker": mark} for name, colour, mark in zip(DISTANCES, CYCLE[:3], "osD", strict=True)
}


def by_emotion(ax: Axes, points: pd.DataFrame) -> Axes:
    """Draw a 2-D map, a colour and a mark per emotion: test frames in full colour, training frames pale, below them.

    points: `embedding_maps.located`. A map has no axes: only who is near to whom counts.
    """
    for tested, look in ((False, {"s": 8, "alpha": 0.35}), (True, {"s": 13})):
        for name, own in points[points["tested"] == tested].groupby("emotion", sort=False):
            ax.scatter(own["x"], own["y"], c=EMOTION_COLOURS[name], marker=MARKS[name], linewidths=0, **look)
    return _without_axes(ax)


def by_subject(ax: Axes, points: pd.DataFrame) -> Axes:
    """Draw the test frames of a 2-D map, one of `SUBJECT_MARKS` per subject, where the map of all frames has them."""
    own = points[points["tested"]]
    looks = np.unique(own["subject"].to_numpy(dtype=str), return_inverse=True)[1] % len(SUBJECT_MARKS)
    for look in np.unique(looks):
        (mark, face), shown = SUBJECT_MARKS[look], own[looks == look]
        ax.scatter(shown["x"], shown["y"], s=11, marker=mark, facecolors=face, edgecolors=INK, linewidths=0.6)
    ax.update_datalim(points[["x", "y"]])
    ax.autoscale_view()
    return _without_axes(ax)


def _without_axes(ax: Axes) -> Axes:
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


def arms_figure(rows: list[Experiment]) -> Figure:
    """The maps of several experiments side by side, by emotion and below by subject; of one alone beside each other.

    By subject only test frames are drawn: marks that stand for several subjects tell little among a thousand frames.
    """
    side = min(3.3, 9.4 / len(rows))
    alone = len(rows) == 1
    fig = plt.figure(figsize=(2 * side, side + 0.5) if alone else (side * len(rows), 2 * side + 0.6))
    parts = fig.subfigures(1, 2) if alone else fig.subfigures(2, 1, height_ratios=(side + 0.5, side))
    upper, lower = (part.subplots(1, len(rows), squeeze=False)[0] for part in parts)
    for above, below, row in zip(upper, lower, rows, strict=True):
        points = embedding_maps.located(row)
        by_emotion(above, points).set_title(_map_title(row), fontsize=8.5)
        by_subject(below, points)
    upper[0].set_ylabel("by emotion")
    lower[0].set_ylabel("by subject")
    emotion_legend(parts[0], results.class_names(rows[0]), columns=4 if alone else 8)
    return fig


def _map_title(experiment: Experiment) -> str:
    first = embedding_maps.first_member(experiment).iloc[0]
    gone = (first["seed"], first["fold"]) in tables.collapsed(experiment)
    return f"{short_label(experiment)}{', collapsed' if gone else ''}".replace(" (", "\n(")


def drawn_frames(rows: list[Experiment]) -> str:
    """Which frames the maps of these experiments hold, in a sentence."""
    trained = [row for row in rows if not embedding_maps.first_member(row)["tested"].all()]
    if not trained:
        return "test frames of the first run."
    if len(trained) == len(rows):
        return "test frames of the first run in full colour, training frames pale."
    lacking = ", ".join(short_label(row) for row in rows if row not in trained)
    return f"test frames of the first run in full colour, training frames pale (not stored for {lacking})."


def subjects_drawn(rows: list[Experiment]) -> str:
    """Which frames the maps by subject hold, and whether their marks are unique."""
    subjects = [embedding_maps.first_member(row).query("tested")["subject"].nunique() for row in rows]
    return f"test frames only, {'marks repeat' if max(subjects) > len(SUBJECT_MARKS) else 'one mark per subject'}."


def methods_figure(experiment: Experiment) -> Figure:
    """The same embedding by UMAP from three seeds, by t-SNE and by PCA, coloured by emotion."""
    drawn = [("UMAP", seed, f"UMAP, seed {seed}") for seed in embedding_maps.UMAP_SEEDS]
    drawn += [("t-SNE", 0, "t-SNE"), ("PCA", 0, "PCA")]
    fig, axes = plt.subplots(1, len(drawn), figsize=(9.4, 2.5))
    for ax, (method, seed, title) in zip(axes, drawn, strict=True):
        by_emotion(ax, embedding_maps.located(experiment, method, seed)).set_title(title)
    emotion_legend(fig, results.class_names(experiment))
    return fig


def emotion_legend(fig: Figure, emotions: list[str], columns: int = 8) -> None:
    """One mark per emotion below the figure, or the part of one."""
    marks = [
        plt.Line2D([], [], marker=MARKS[name], linestyle="", color=EMOTION_COLOURS[name], markersize=5)
        for name in emotions
    ]
    fig.legend(marks, emotions, loc="outside lower center", ncols=columns, handletextpad=0, columnspacing=1.2)


def score_panel(ax: Axes, table: pd.DataFrame, members: pd.DataFrame, labels: dict[str, str]) -> Axes:
    """Draw one score: a line per experiment, the first on top, emotion above identity, with interval and members.

    table: rows of `score_table` for one score; members: those of `all_member_scores`. labels: experiment -> its name.
    """
    for k, (divided, colour) in enumerate(DIVIDED_COLOURS.items()):
        own = table[table["divided"] == divided].set_index("experiment").reindex(labels)
        lines = np.arange(len(own)) + 0.34 * (k - 0.5)
        ax.hlines(lines, own["ci_low"], own["ci_high"], color=colour, linewidth=1.6)
        ax.plot(own["mean"], lines, "o" if k == 0 else "s", color=colour, markersize=4.5, label=divided)
        ax.plot(own["at_random"], lines, "|", color=INK, markersize=8, label="random order" if k else None)
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
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return fig


def differences_figure(compared: pd.DataFrame) -> Figure:
    """One loss less another: a row per pair of arms, a column per score; to the right the first is clearer.

    compared: rows of `embedding_scores.comparisons` of several pairs of members. The axes hold the intervals over more
    than two pairs, if there are any; wider ones leave them.
    """
    counts = compared.sort_values("n", ascending=False, kind="stable").groupby(PAIR, sort=False)["over"].first()
    counts = counts.reindex(pd.MultiIndex.from_frame(compared[PAIR].drop_duplicates()))
    names = [_compared_name(*key, over) for key, over in counts.items()]
    fig, axes = plt.subplots(1, len(RANGES), figsize=(9.4, 1.0 + 0.5 * len(names)), sharey=True)
    for ax, score in zip(axes, RANGES, strict=True):
        own = compared[compared["score"] == score]
        for k, (distance, look) in enumerate(DISTANCE_LOOKS.items()):
            rows = own[own["distance"] == distance].set_index(PAIR).reindex(counts.index)
            lines = np.arange(len(names)) + 0.25 * (k - 1)
            ax.hlines(lines, rows["ci_low"], rows["ci_high"], color=look["color"], linewidth=1.6)
            ax.plot(rows["difference"], lines, linestyle="", markersize=4.5, label=distance, **look)
        fixed = own[own["n"] > 2] if (own["n"] > 2).any() else own
        most = 1.08 * fixed[["difference", "ci_low", "ci_high"]].abs().max(axis=None) or 1
        ax.set(xlabel=score, xlim=(most, -most) if score in LOWER_IS_CLEARER else (-most, most))
        ax.axvline(0, color=INK, linewidth=0.7)
        name_lines(ax, names)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=3)
    return fig


def _compared_name(protocol: str, label: str, less: str, over: str) -> str:
    return f"{label.removeprefix('STN + ')}\nless {less.split(' (')[0]}, {protocol}, {over.removesuffix(', unpaired')}"


def _labels(table: pd.DataFrame) -> dict[str, str]:
    names = table.drop_duplicates("experiment").set_index("experiment")["label"]
    return {name: label.removeprefix("STN + ") for name, label in names.items()}
