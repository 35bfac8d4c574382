"""One figure style, one colour per emotion, and the study's plots: each takes `ax`, draws, and returns it."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

INK = "#1c2024"
MUTED = "#6b727d"
RULE = "#d5d9df"
"""Text and axes, secondary text, grid lines: `report.figure` swaps these three for the page's own colours."""

ACCENT = "#2f6db5"
CYCLE = (ACCENT, "#bd6a0b", "#26876c", "#b0508f", "#7c838e")

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
"""One colour per emotion, at least 3:1 on a white and on a near-black (#16181d) page.

Found by maximising the smallest distance in OKLab between any two of them, to the normal eye and under full protanopia,
deuteranopia and tritanopia (Machado et al. 2009), each emotion within a range of hues.
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

Transparent, so that a figure sits on a light and on a dark page; text as paths, so that it looks the same everywhere.
"""


def look(k: int) -> dict:
    """How the k-th of several methods is drawn, from 0 on: where the colours are used up, other marks and lines."""
    again = k // len(CYCLE) % 3
    return {"color": CYCLE[k % len(CYCLE)], "marker": "os^"[again], "linestyle": ("-", "--", ":")[again]}


def name_lines(ax: Axes, names) -> Axes:
    """Name a picture's lines, 0 on top, whose values lie along x: a grid behind them, and no axis at the names."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=True, axis="x")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return ax


def face_grid(ax: Axes, images: np.ndarray, titles: list[str] | None = None, columns: int = 8) -> Axes:
    """Draw faces as one mosaic, row by row; what lies between them is transparent.

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
    """A figure with so many axes, three to a row, and those; height: of a row, in inches."""
    rows, columns = -(-count // 3), min(count, 3)
    size = (max(4.4, 3.2 * columns), height * rows)
    fig, axes = plt.subplots(rows, columns, figsize=size, sharey=True, squeeze=False)
    for ax in axes.flat[count:]:
        ax.set_axis_off()
    return fig, axes.flat[:count]


def learning_curve(ax: Axes, curves: pd.DataFrame, quantity: str, label: str, colour: str) -> Axes:
    """Draw a quantity's mean over the members at each epoch, and a band from the lowest to the highest.

    curves: `tables.learning_curves` of one experiment.
    """
    own = curves[curves["quantity"] == quantity]
    ax.fill_between(own["epoch"], own["min"], own["max"], color=colour, alpha=0.18, linewidth=0)
    ax.plot(own["epoch"], own["mean"], color=colour, label=label)
    ax.set_xlabel("epoch")
    ax.grid(visible=True, axis="y")
    return ax


def confusion(ax: Axes, matrix: np.ndarray, classes: tuple[str, ...], columns: tuple[str, ...] | None = None) -> Axes:
    """Draw a confusion matrix: in each cell the percentage of its row, below it the count; 0 is left blank.

    matrix: counts (K, K), rows the true and columns the predicted class. A class without samples is an empty row.
    columns: the columns' names, where they are not the classes; the matrix is then (K, len(columns)).
    """
    columns = columns or classes
    totals = matrix.sum(axis=1)
    share = matrix / np.maximum(totals, 1)[:, None]
    # From see-through, not from white: the same matrix then reads on a light and on a dark page.
    shades = LinearSegmentedColormap.from_list("share", [f"{ACCENT}1c", f"{ACCENT}ff"])
    ax.pcolormesh(np.ma.masked_equal(share, 0), cmap=shades, vmin=0, vmax=1)
    across, down = np.arange(len(columns) + 1), np.arange(len(classes) + 1)
    ax.hlines(down, 0, len(columns), color=RULE, linewidth=0.6)
    ax.vlines(across, 0, len(classes), color=RULE, linewidth=0.6)
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            look = {"ha": "center", "color": "white" if share[row, column] > 0.8 else INK}
            ax.text(column + 0.5, row + 0.52, f"{100 * share[row, column]:.1f}", va="bottom", **look)
            ax.text(column + 0.5, row + 0.6, f"{count}", va="top", fontsize="x-small", **look)
    ax.set_xticks(across[:-1] + 0.5, columns, rotation=40, ha="right", rotation_mode="anchor")
    ax.set_yticks(down[:-1] + 0.5, [f"{name} ({total})" for name, total in zip(classes, totals, strict=True)])
    ax.set(xlabel="predicted", ylabel="true (frames)", aspect="equal", ylim=(len(classes), 0))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def interval_plot(ax: Axes, table: pd.DataFrame, members: list[np.ndarray]) -> Axes:
    """Draw mean, interval and every member on one line per row, the first row on top, in percent.

    table: columns label, mean, ci_low, ci_high and printed, the paper's number, drawn as a hollow diamond; all of them
    shares in [0, 1]. A NaN is left out. members: for each row the values that the mean is over, drawn as pale dots.
    """
    lines = np.arange(len(table))
    for line, values in zip(lines, members, strict=True):
        ax.plot(values, np.full(len(values), line + 0.22), "o", color=ACCENT, alpha=0.35, markersize=4)
    ax.hlines(lines, table["ci_low"], table["ci_high"], color=ACCENT, linewidth=1.8)
    ax.plot(table["mean"], lines, "o", color=ACCENT, label="mean and interval")
    ax.plot([], [], "o", color=ACCENT, alpha=0.35, markersize=4, label="each member")
    ax.plot(table["printed"], lines, "D", markerfacecolor="none", color=INK, label="printed in the paper")
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    return name_lines(ax, [textwrap.fill(label, 52, break_on_hyphens=False) for label in table["label"]])


def throughput(ax: Axes, table: pd.DataFrame, limit: float) -> Axes:
    """Draw frames per second as bars, one group per loss, the first on top, and the machine's limit as a line.

    table: columns loss, way, frames_per_second and ratio, which is written beside the bar.
    """
    losses, ways = list(dict.fromkeys(table["loss"])), list(dict.fromkeys(table["way"]))
    for k, (way, colour) in enumerate(zip(ways, (MUTED, CYCLE[1], ACCENT), strict=True)):
        rows = table[table["way"] == way].set_index("loss").loc[losses]
        lines = np.arange(len(losses)) + 0.27 * (k - 1)
        ax.barh(lines, rows["frames_per_second"], height=0.24, color=colour, label=way)
        for line, rate, ratio in zip(lines, rows["frames_per_second"], rows["ratio"], strict=True):
            ax.text(rate + 0.01 * limit, line, f"× {ratio:.1f}", va="center", fontsize=8)
    ax.axvline(limit, color=INK, linewidth=1, linestyle=(0, (4, 3)), label="the floor: arithmetic alone")
    ax.set(xlabel="frames per second", xlim=(0, 1.06 * limit))
    return name_lines(ax, losses)


def per_protocol(table: pd.DataFrame, members: list[np.ndarray]) -> Figure:
    """A figure with an `interval_plot` for each protocol of the table, over one axis of accuracies."""
    protocols = list(dict.fromkeys(table["protocol"]))
    counts = [int((table["protocol"] == protocol).sum()) for protocol in protocols]
    fig, axes = plt.subplots(
        len(protocols), 1, figsize=(7.6, 0.9 + 0.35 * len(protocols) + 0.36 * len(table)), sharex=True,
        squeeze=False, height_ratios=counts,
    )  # fmt: skip
    for ax, protocol in zip(axes[:, 0], protocols, strict=True):
        own = (table["protocol"] == protocol).to_numpy()
        interval_plot(ax, table[own], [values for values, is_own in zip(members, own, strict=True) if is_own])
        ax.set_title(protocol)
    axes[-1, 0].set_xlabel("accuracy on the test frames")
    handles, names = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside upper left", ncols=3)
    return fig


def possible_accuracies(ax: Axes, line: pd.DataFrame) -> Axes:
    """Draw `audit.number_line`: the accuracies that are possible as a comb, and printed ones as diamonds above."""
    comb, printed = line[line["errors"].notna()], line[line["errors"].isna()]
    ax.vlines(comb["accuracy"], 0, 0.8, color=ACCENT, linewidth=1.6)
    for row in comb.itertuples():
        ax.text(row.accuracy, -0.15, f"{row.errors:.0f}", ha="center", va="top", color=ACCENT)
    for k, row in enumerate(printed.itertuples()):
        height = 1.3 + 0.7 * k
        ax.vlines(row.accuracy, 0, height, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
        ax.plot(row.accuracy, height, "D", markerfacecolor="none", color=INK)
        ax.text(row.accuracy - 0.06, height, f"{row.what}  {row.accuracy:.2f}", ha="right", va="center", fontsize=8)
    ax.text(95.1, -0.15, "errors", va="top", color=ACCENT)
    ax.set(xlabel="accuracy in percent", xlim=(95, 100.1), ylim=(-0.8, 1.7 + 0.7 * len(printed)), yticks=[])
    ax.spines["left"].set_visible(False)
    return ax


def protocol_ladder(ax: Axes, rungs: pd.DataFrame) -> Axes:
    """Draw accuracy with its interval against the protocol, a line per method, from the most to the least exposed.

    A dotted line passes over a protocol under which the method was not run.

    rungs: columns method, protocol, mean, ci_low, ci_high.
    """
    places = {"random": 0, "sequence": 1, "subject": 2}
    methods = list(rungs["method"].unique())
    for k, method in enumerate(methods):
        own = rungs[rungs["method"] == method].set_index("protocol").reindex(places)
        x = np.arange(len(places)) + 0.045 * (k - len(methods) / 2)
        ax.vlines(x, own["ci_low"], own["ci_high"], color=look(k)["color"], linewidth=1)
        ax.plot(x, own["mean"], **look(k), label=method, markersize=4)
        if own["mean"].notna().tolist() == [True, False, True]:
            ax.plot(x[[0, 2]], own["mean"].iloc[[0, 2]], color=look(k)["color"], linewidth=1, linestyle=":")
    ax.set_xticks(list(places.values()), places.keys())
    ax.set(xlabel="protocol", ylabel="accuracy on the test frames", xlim=(-0.4, 2.4))
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(visible=True, axis="y")
    return ax


def name_rungs(ax: Axes, gap: float = 0.04) -> Axes:
    """Name the lines of a `protocol_ladder` beside them: on the right those that end there, on the left the others.

    gap: the least distance between two names, in shares of accuracy.
    """
    ax.set_xlim(-1.2, 2.4)
    right, left = [], []
    for line in ax.lines:
        if not line.get_label().startswith("_"):
            points = line.get_xydata()[np.isfinite(line.get_ydata())]
            ends = np.isfinite(line.get_ydata()[-1])
            (right if ends else left).append((points[-1 if ends else 0], line))
    for own, x, near in ((right, 2.4, 0), (left, -0.35, 1)):
        own = sorted(own, key=lambda pair: pair[0][1])
        for (point, line), height in zip(own, _apart([point[1] for point, _ in own], gap), strict=True):
            colour = line.get_color()
            to = {"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkB": 4, "relpos": (near, 0.5)}
            words = {"ha": ("left", "right")[near], "va": "center", "fontsize": 8, "color": colour}
            ax.annotate(line.get_label(), point, (x, height), arrowprops=to, **words)
    return ax


def _apart(heights: list[float], gap: float) -> np.ndarray:
    """Ascending heights moved up, and then down below 1, until they are no closer than the gap."""
    steps = gap * np.arange(len(heights))
    raised = np.maximum.accumulate(np.array(heights) - steps) + steps
    return np.minimum(raised, 1 - steps[::-1])


def power_curve(ax: Axes, counts: np.ndarray, power: np.ndarray, label: str, colour: str, wanted: float) -> Axes:
    """Draw the chance of finding a difference against how many members or frames are compared, and the wanted one."""
    ax.plot(counts, power, color=colour, label=label)
    ax.axhline(wanted, color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
    ax.set(ylabel="power", ylim=(0, 1.02))
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(visible=True, axis="y")
    return ax


def found_differences(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw comparisons as dots, a line per `group`: difference; filled where found, apart from 0, hollow where not."""
    groups = table["group"].unique()
    for line, name in enumerate(groups):
        own = table[table["group"] == name].sort_values("difference")
        height = line + np.linspace(-0.3, 0.3, len(own))
        for found, face in ((False, "none"), (True, CYCLE[1])):
            shown = (own["found"] == found).to_numpy()
            colour = CYCLE[1] if found else MUTED
            ax.plot(own["difference"][shown], height[shown], "o", markersize=3, color=colour, markerfacecolor=face)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=""))
    return name_lines(ax, groups)
