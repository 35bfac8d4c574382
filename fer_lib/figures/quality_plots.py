"""Plots of what FER2013's labels are worth: each takes `ax`, draws, and returns it. None shows a face."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from fer_lib.figures.plots import ACCENT, CYCLE, INK, MUTED, name_lines
from fer_lib.measures import twins, votes

OUTCOME_COLOURS = dict(zip(votes.OUTCOMES, (ACCENT, f"{ACCENT}80", CYCLE[1], f"{CYCLE[1]}80", CYCLE[4]), strict=True))
"""Blue: the label has the most votes, alone or tied. Orange: something else has. Grey: no class of FER2013 has."""


def similarities(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw how similar each image is to its most similar other one, as it is and mirrored, and the line of near twins.

    table: `quality.similarity_counts`.
    """
    edges = [*table["from"], table["to"].iloc[-1]]
    for column, colour in (("not mirrored", ACCENT), ("mirrored", CYCLE[1])):
        ax.stairs(table[column], edges, color=colour, linewidth=1.3, label=column)
    ax.axvline(twins.NEAR, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.set(yscale="log", xlabel="similarity to the most similar other image", ylabel="images", xlim=(0.35, 1.005))
    ax.grid(visible=True, axis="y")
    return ax


def alike(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw what pairs of nearest images share, against their similarity: `quality.likeness`.

    Pairs that are the same pixel by pixel, its last row, stand apart, as a diamond for their labels.
    """
    near, exact = table.iloc[:-1], table.iloc[-1]
    looks = {"mirrored": (CYCLE[1], "mirrored"), "same_label": (ACCENT, "same label")}
    looks["same_majority"] = (CYCLE[2], "same voters' majority")
    for column, (colour, name) in looks.items():
        ax.plot(near[["from", "to"]].mean(axis=1), near[column], "o-", color=colour, label=name, markersize=3.5)
    look = {"color": ACCENT, "markerfacecolor": "none", "clip_on": False}
    ax.plot(1, exact["same_label"], "D", label="same label, exact twins", **look)
    ax.axvline(twins.NEAR, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    ax.set(xlabel="similarity of the pair", ylabel="share of pairs", ylim=(0, 1), xlim=(0.5, 1.005))
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(visible=True, axis="y")
    return ax


def outcomes(ax: Axes, counts: pd.DataFrame) -> Axes:
    """Draw for each label what has the most votes, as stacked bars that fill a line.

    counts: images, an index of labels and the columns `votes.OUTCOMES`.
    """
    shares = counts.div(counts.sum(axis=1), axis=0)
    left, lines = np.zeros(len(shares)), np.arange(len(shares))
    for name, colour in OUTCOME_COLOURS.items():
        ax.barh(lines, shares[name], left=left, height=0.72, color=colour, label=name)
        left += shares[name].to_numpy()
    for line, share in zip(lines, shares[votes.OUTCOMES[0]], strict=True):
        ax.text(share - 0.012, line, f"{share:.0%}", color="white", ha="right", va="center", fontsize=8)
    ax.set(xlabel="share of the images with this label", xlim=(0, 1))
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    name_lines(ax, [f"{name} ({total:,})" for name, total in counts.sum(axis=1).items()]).grid(visible=False)
    return ax


def entropy_histogram(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw how many images have votes of which entropy, apart by whether the label is their majority.

    table: `votes.entropy_counts`.
    """
    edges, below = [*table["from"], table["to"].iloc[-1]], 0
    for column, colour in (("label is the majority", ACCENT), ("label is not the majority", CYCLE[1])):
        ax.stairs(below + table[column], edges, baseline=below, fill=True, color=colour, label=column)
        below = below + table[column]
    ax.set(xlabel="entropy of an image's ten votes (bits)", ylabel="images", xlim=(0, edges[-1]))
    ax.grid(visible=True, axis="y")
    return ax


def by_top(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw how often the label is the majority against the majority's votes, with intervals; the diagonal is what
    the label would reach if it were one of the ten votes. table: `votes.by_top`."""
    ax.plot([0, 10], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
    ax.vlines(table["votes"], table["low"], table["high"], color=ACCENT, linewidth=1.8)
    ax.plot(table["votes"], table["share"], "o", color=ACCENT)
    ax.set(xlabel="votes for the majority (of ten)", ylabel="label is the majority", xlim=(1.5, 10.5), ylim=(0, 1))
    ax.set_xticks(range(2, 11, 2))
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(visible=True, axis="y")
    return ax


def against_ceilings(ax: Axes, published: pd.DataFrame, ceilings: pd.DataFrame) -> Axes:
    """Draw accuracies with their intervals, and the scores of models that know the votes, as bands.

    published: method, share, low, high, and ours, which tells what is measured here from what is printed. ceilings:
    rows of `votes.ceilings`, the bands from left to right.
    """
    lines = np.arange(len(published))
    for row, colour in zip(ceilings.itertuples(), (CYCLE[1], CYCLE[2], CYCLE[3]), strict=False):
        ax.axvspan(row.low, row.high, color=colour, alpha=0.22, linewidth=0)
        ax.axvline(row.share, color=colour, linewidth=1.2, label=row.model)
    ax.hlines(lines, published["low"], published["high"], color=ACCENT, linewidth=1.8)
    ours = published["ours"].to_numpy(dtype=bool)
    ax.plot(published["share"][~ours], lines[~ours], "D", color=INK, markerfacecolor="none", label="published")
    if ours.any():
        ax.plot(published["share"][ours], lines[ours], "o", color=ACCENT, label="measured here")
    ax.set_xlabel("accuracy on PrivateTest")
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    return name_lines(ax, published["method"])
