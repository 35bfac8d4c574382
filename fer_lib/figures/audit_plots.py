"""Which accuracies are possible, how much each split leaks, and how large a difference a test can detect."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fer_lib.figures import plots
from fer_lib.findings.audit import TEST_FRAMES
from fer_lib.findings.power import POWER

PLACES = {"random": 0, "sequence": 1, "subject": 2}
"""Protocols of a `protocol_ladder` -> their places."""

APART = 0.003
"""By how much a line of `single_splits` is moved down at most: less than one frame of 181."""


def possible_accuracies(ax: Axes, line: pd.DataFrame) -> Axes:
    """Draw `audit.number_line`: the possible accuracies as a comb, the printed ones as diamonds above it."""
    comb, printed = line[line["errors"].notna()], line[line["errors"].isna()]
    ax.vlines(comb["accuracy"], 0, 0.8, color=plots.ACCENT, linewidth=1.6)
    for row in comb.itertuples():
        ax.text(row.accuracy, -0.15, f"{row.errors:.0f}", ha="center", va="top", color=plots.ACCENT)
    for k, row in enumerate(printed.itertuples()):
        height = 1.3 + 0.7 * k
        ax.vlines(row.accuracy, 0, height, color=plots.MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
        ax.plot(row.accuracy, height, "D", markerfacecolor="none", color=plots.INK)
        ax.text(row.accuracy - 0.06, height, f"{row.what}  {row.accuracy:.2f}", ha="right", va="center", fontsize=8)
    ax.text(95.1, -0.15, "errors", va="top", color=plots.ACCENT)
    ax.set(xlabel="accuracy, %", xlim=(95, 100.1), ylim=(-0.8, 1.7 + 0.7 * len(printed)), yticks=[])
    ax.spines["left"].set_visible(False)
    return ax


def single_splits(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw `single_splits.runs`: the networks beside each other, a line per split, and the printed numbers.

    The lines are moved down, each a little further, so that equal accuracies show. Those to collapsed runs leave the
    axes, where they are counted.
    """
    names, splits = list(dict.fromkeys(table["label"])), table["seed"].unique()
    places = np.arange(len(names))
    for k, split in enumerate(splits):
        own = table[table["seed"] == split].set_index("label").loc[names, "accuracy"]
        said = "one split, one run of each network" if k == 0 else None
        lowered = own - APART * k / len(splits)
        ax.plot(places, lowered, "-o", color=plots.ACCENT, alpha=0.55, linewidth=1, markersize=4, label=said)
    printed = table.groupby("label")["printed"].first().loc[names]
    ax.plot(places, printed, "--D", color=plots.INK, markerfacecolor="none", label="printed in the paper")
    shown = table.loc[~table["collapsed"], "accuracy"]
    ax.set_ylim(min(shown.min(), printed.min()) - 0.015, 1.005)
    for place, lost in zip(places, table.groupby("label")["collapsed"].sum().loc[names], strict=True):
        if lost:
            said = f"▾ {lost} run{'s' if lost > 1 else ''} collapsed"
            ax.annotate(said, (place, ax.get_ylim()[0]), (0, 4), textcoords="offset points", ha="center", va="bottom")
    ax.set_xticks(places, names)
    ax.set(ylabel="accuracy", xlim=(-0.4, len(names) - 0.6))
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    ax.grid(visible=True, axis="y")
    return ax


def protocol_ladder(ax: Axes, rungs: pd.DataFrame) -> Axes:
    """Draw accuracy with its interval against the protocol, a line per method, from the most to the least exposed.

    A dotted line passes over a protocol under which the method was not run.

    rungs: columns method, protocol, mean, ci_low, ci_high.
    """
    methods = list(rungs["method"].unique())
    for k, method in enumerate(methods):
        own = rungs[rungs["method"] == method].set_index("protocol").reindex(PLACES)
        x = np.arange(len(PLACES)) + 0.045 * (k - len(methods) / 2)
        ax.vlines(x, own["ci_low"], own["ci_high"], color=plots.look(k)["color"], linewidth=1)
        ax.plot(x, own["mean"], **plots.look(k), label=method, markersize=4)
        if own["mean"].notna().tolist() == [True, False, True]:
            ax.plot(x[[0, 2]], own["mean"].iloc[[0, 2]], color=plots.look(k)["color"], linewidth=1, linestyle=":")
    ax.set_xticks(list(PLACES.values()), PLACES.keys())
    ax.set(xlabel="protocol", ylabel="accuracy", xlim=(-0.4, 2.4))
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(visible=True, axis="y")
    return ax


def name_exposures(ax: Axes, leaks: pd.DataFrame) -> Axes:
    """Say below each protocol of a `protocol_ladder` what training has seen of the test frames.

    leaks: columns protocol, and the shares `sequence seen` and `subject seen`.
    """
    seen = leaks[["protocol", "sequence seen", "subject seen"]].itertuples(index=False, name=None)
    told = {name: f"{name}\n{sequence:.0%} / {subject:.0%}" for name, sequence, subject in seen}
    ax.set_xticks(list(PLACES.values()), [told.get(name, name) for name in PLACES])
    ax.set_xlabel("protocol; test frames whose sequence / subject is in training")
    return ax


GAP = 0.04
"""The least distance between two names of `name_rungs`, in shares of accuracy."""


def name_rungs(ax: Axes) -> Axes:
    """Name the lines of a `protocol_ladder` beside them: on the right those that end there, on the left the others."""
    right, left = [], []
    for line in ax.lines:
        if not line.get_label().startswith("_"):
            points = line.get_xydata()[np.isfinite(line.get_ydata())]
            ends = np.isfinite(line.get_ydata()[-1])
            (right if ends else left).append((points[-1 if ends else 0], line))
    ax.set_xlim(-1.2 if left else -0.4, 2.4)
    for own, x, near in ((right, 2.4, 0), (left, -0.35, 1)):
        own = sorted(own, key=lambda pair: pair[0][1])
        for (point, line), height in zip(own, _apart([point[1] for point, _ in own]), strict=True):
            colour = line.get_color()
            to = {"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkB": 4, "relpos": (near, 0.5)}
            words = {"ha": ("left", "right")[near], "va": "center", "fontsize": 8, "color": colour}
            ax.annotate(line.get_label(), point, (x, height), arrowprops=to, **words)
    return ax


def _apart(heights: list[float]) -> np.ndarray:
    """Ascending heights moved up, and then down below 1, until they are no closer than `GAP`."""
    steps = GAP * np.arange(len(heights))
    raised = np.maximum.accumulate(np.array(heights) - steps) + steps
    return np.minimum(raised, 1 - steps[::-1])


def power_curves(table: pd.DataFrame) -> Figure:
    """Draw `power.power_curves`: left against seeds, dotted the limits; right against frames, with the paper's number.

    Dashed: the wanted power.
    """
    words = {"seeds": "seeds per method", "frames": "independent test frames shared by both methods"}
    fig, axes = plt.subplots(1, 2, figsize=(9, 3.2))
    for ax, (of, name) in zip(axes, words.items(), strict=True):
        own = table[table["of"] == of].groupby("points")
        for (points, curve), colour in zip(own, plots.CYCLE, strict=False):
            ax.plot(curve["n"], curve["power"], color=colour, label=f"{points:g} points")
            if of == "seeds":
                ax.axhline(curve["limit"].iloc[0], color=colour, linewidth=0.8, linestyle=":")
        ax.axhline(POWER, color=plots.MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
        ax.set(xscale="log", xlabel=name, ylabel="power", ylim=(0, 1.02))
        ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
        ax.grid(visible=True, axis="y")
    axes[1].axvline(TEST_FRAMES, color=plots.INK, linewidth=1)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig


def found_differences(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw comparisons as dots, a line per `group`: difference; filled where found, apart from 0, hollow where not."""
    groups = table["group"].unique()
    for line, name in enumerate(groups):
        own = table[table["group"] == name].sort_values("difference")
        height = line + np.linspace(-0.3, 0.3, len(own))
        for found, face in ((False, "none"), (True, plots.CYCLE[1])):
            shown = (own["found"] == found).to_numpy()
            colour = plots.CYCLE[1] if found else plots.MUTED
            ax.plot(own["difference"][shown], height[shown], "o", markersize=3, color=colour, markerfacecolor=face)
    ax.axvline(0, color=plots.INK, linewidth=0.8)
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=""))
    return plots.name_lines(ax, groups)
