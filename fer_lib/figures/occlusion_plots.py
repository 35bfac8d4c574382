"""The pictures of the occlusion benchmark: each takes `ax`, draws, and returns it; `gallery` makes a figure."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter

from fer_lib.faces import SIZE
from fer_lib.figures.plots import ACCENT, CYCLE, INK, MUTED, RULE, VERDICT_COLOURS, look, name_lines, paired_gain
from fer_lib.findings.robustness import ASKED
from fer_lib.landmarks import Landmarks
from fer_lib.occlusion_benchmark import FILLS, SUITE, TARGETED, Occlusion, OcclusionBenchmark, part_of_face
from fer_lib.splits import LEAST_EXPOSED


def curve(ax: Axes, points: pd.DataFrame, label: str, style: dict) -> Axes:
    """Draw accuracy against the covered share, and its interval as a band: severity, mean, ci_low, ci_high.

    style: as `plots.look` gives it.
    """
    ends = points["ci_low"], points["ci_high"]
    ax.fill_between(points["severity"], *ends, color=style["color"], alpha=0.1, linewidth=0)
    ax.plot(points["severity"], points["mean"], **style, label=textwrap.fill(label, 36), markersize=3.5)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(visible=True, axis="y")
    return ax


def kinds(ax: Axes, arms: dict[str, pd.DataFrame]) -> Axes:
    """Draw accuracy and interval for each kind of occlusion, a colour per arm: name -> kind, mean, ci_low, ci_high."""
    for k, (name, table) in enumerate(arms.items()):
        lines = np.arange(len(table)) + min(0.16, 0.8 / len(arms)) * (k - (len(arms) - 1) / 2)
        style = look(k) | {"linestyle": ""}
        ax.hlines(lines, table["ci_low"], table["ci_high"], color=style["color"], linewidth=1.2)
        ax.plot(table["mean"], lines, **style, label=name, markersize=4)
    between = np.arange(1, len(table)) - 0.5
    ax.hlines(between, 0, 1, transform=ax.get_yaxis_transform(), color=RULE, linewidth=0.6)
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    return name_lines(ax, ["clean" if kind == "none" else kind for kind in table["kind"]])


def networks(table: pd.DataFrame) -> Figure:
    """`kinds` the other way round: a row per network, a colour per score of `ASKED`, a panel per protocol.

    table: `robustness.robustness_table`.
    """
    protocols = [name for name in LEAST_EXPOSED if name in set(table["protocol"])]
    asked = table[table["score"].isin(ASKED)]
    counts = [asked.loc[asked["protocol"] == protocol, "label"].nunique() for protocol in protocols]
    shape = {"squeeze": False, "sharex": True, "height_ratios": counts}
    fig, axes = plt.subplots(len(protocols), 1, figsize=(7.6, 0.9 + 0.4 * len(counts) + 0.42 * sum(counts)), **shape)
    for ax, protocol in zip(axes[:, 0], protocols, strict=True):
        own = asked[asked["protocol"] == protocol]
        own = own.assign(kind=[textwrap.fill(name, 52, break_on_hyphens=False) for name in own["label"]])
        kinds(ax, {score: own[own["score"] == score] for score in ASKED}).set_title(protocol)
    axes[-1, 0].set_xlabel("accuracy on the test frames")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return fig


def recall(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw one method's rows of `robustness.recall` in percent: emotions down, covers across.

    One scale for all: see-through at 0, and at 100 still pale enough for the page's ink, on a light and a dark page.
    """
    wanted = {"index": table["emotion"].unique(), "columns": table["kind"].unique()}
    cells = 100 * table.pivot(index="emotion", columns="kind", values="recall").reindex(**wanted)
    shades = LinearSegmentedColormap.from_list("recall", [f"{ACCENT}00", f"{ACCENT}99"])
    annotated = {"annot": True, "fmt": ".0f", "annot_kws": {"color": INK, "fontsize": 8}}
    sns.heatmap(cells, ax=ax, cmap=shades, vmin=0, vmax=100, cbar=False, linewidths=0, **annotated)
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0)
    ax.tick_params("y", rotation=0)
    return ax


def recalls(table: pd.DataFrame) -> Figure:
    """`recall` of each method of `robustness.recall`, two beside each other."""
    methods = table["method"].unique()
    rows, columns = -(-len(methods) // 2), min(2, len(methods))
    size = (4.8 * columns, 2.8 * rows)
    fig, axes = plt.subplots(rows, columns, figsize=size, sharey=True, squeeze=False, layout="constrained")
    for ax, method in zip(axes.flat, methods, strict=False):
        recall(ax, table[table["method"] == method]).set_title(method)
    for ax in axes.flat[len(methods) :]:
        ax.set_axis_off()
    fig.get_layout_engine().set(hspace=0.08)
    return fig


def aims(ax: Axes, arms: dict[str, pd.DataFrame]) -> Axes:
    """Draw what each arm reached with its interval, and what was aimed for as a diamond.

    arms: name -> aim, mean, ci_low, ci_high, wanted; the same aims in each.
    """
    kinds(ax, {name: table.rename(columns={"aim": "kind"}) for name, table in arms.items()})
    wanted = next(iter(arms.values()))["wanted"]
    ax.plot(wanted, np.arange(len(wanted)), "D", color=INK, markerfacecolor="none", label="aim")
    return ax


def moved(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw how far views move, in pixels: mean, and a line from low to high; a row per label, the first on top."""
    lines = np.arange(len(table))
    ax.hlines(lines, table["low"], table["high"], color=ACCENT, linewidth=1.8)
    ax.plot(table["mean"], lines, "o", color=ACCENT)
    ax.axvline(1, color=INK, linewidth=1, linestyle=(0, (4, 3)), label="one pixel")
    most = max(1.1, table["high"].max())
    ax.set(xlabel="shift of the view (pixels)", xlim=(-0.02 * most, max(1.1, 1.05 * table["high"].max())))
    return name_lines(ax, table["label"])


def mean_face(ax: Axes, images: np.ndarray, kind: str, found: Landmarks) -> Axes:
    """Draw the mean of images (N, 48, 48), black where `part_of_face` covers it, with the measured places."""
    shown = np.where(part_of_face(kind, found), 0, images.mean(axis=0))
    ax.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="none")
    if kind == "none":
        ax.plot([found.left_eye, found.right_eye], [found.eye_row] * 2, "+", color=CYCLE[1], markersize=8)
        ax.axhline(found.mouth_row, 0.4, 0.6, color=CYCLE[1])
    ax.set_axis_off()
    return ax


def mean_pixels(images: np.ndarray, found: Landmarks) -> pd.DataFrame:
    """The mean of images (N, 48, 48) a row a pixel: row, column, grey; 1 where eyes' or mouth's cover hides it."""
    row, column = np.indices(images.shape[1:]).reshape(2, -1)
    covered = {kind: part_of_face(kind, found).ravel().astype(int) for kind in ("eyes", "mouth")}
    return pd.DataFrame({"row": row, "column": column, "grey": images.mean(axis=0).ravel().round(3), **covered})


def needed(ax: Axes, table: pd.DataFrame, found: Landmarks, most: float) -> Axes:
    """Draw one emotion of `robustness.needed`, from none to `most`, with crosses at the eyes and a bar at the mouth."""
    cells = table.pivot(index="top", columns="left", values="loss")
    shades = LinearSegmentedColormap.from_list("loss", [f"{ACCENT}00", f"{ACCENT}ff"])
    place = {"extent": (-0.5, SIZE - 0.5, SIZE - 0.5, -0.5), "interpolation": "none"}
    ax.imshow(np.clip(cells, 0, most), cmap=shades, vmin=0, vmax=most, **place)
    ax.plot([found.left_eye, found.right_eye], [found.eye_row] * 2, "+", color=INK, markersize=6)
    ax.plot([20, 28], [found.mouth_row] * 2, color=INK, linewidth=1.2)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set(visible=True, color=MUTED)
    return ax


def gained(ax: Axes, table: pd.DataFrame, decided: pd.DataFrame | None = None, most: float = 0.5) -> Axes:
    """Draw gains (shares, a cell each) in points: blue above nothing, orange below, in full colour at `most`.

    A gain that is NaN is hatched. decided: whether each has a verdict, which is written in bold.
    """
    ends = {0.0: f"{CYCLE[1]}ff", 0.5: f"{CYCLE[1]}00", 0.501: f"{ACCENT}00", 1.0: f"{ACCENT}ff"}
    shades = LinearSegmentedColormap.from_list("gain", list(ends.items()))
    ax.imshow(table, cmap=shades, vmin=-most, vmax=most, interpolation="none", aspect="auto")
    for (row, column), gain in np.ndenumerate(table.to_numpy()):
        weight = "bold" if decided is not None and decided.iloc[row, column] else "normal"
        if pd.isna(gain):
            ax.add_patch(
                Rectangle((column - 0.5, row - 0.5), 1, 1, hatch="///", fill=False, edgecolor=RULE, linewidth=0)
            )
            continue
        said = f"{round(100 * gain):+d}".replace("+0", "0")
        ax.text(column, row, said, ha="center", va="center", fontsize=8, fontweight=weight)
    ax.set_xticks(range(len(table.columns)), table.columns)
    ax.set_yticks(range(len(table)), table.index)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def gains(table: pd.DataFrame, decided: pd.DataFrame) -> Figure:
    """`gained` of each comparison (a row) under each occlusion (a column), with its scale; from `questions.wide`."""
    fig, ax = plt.subplots(figsize=(9.6, 1.2 + 0.4 * len(table)))
    gained(ax, table, decided, most=0.3)
    ax.xaxis.tick_top()
    ax.tick_params(labelsize=7.5)
    plt.setp(ax.get_xticklabels(), rotation=30, ha="left")
    scale(ax)
    return fig


def forest(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw paired gains with both intervals in points, a line per score, coloured by verdict.

    table: `recipe_results.compared`; all subjects as dots with the gain beside them, other groups as triangles below.
    """
    scores = list(dict.fromkeys(table["score"]))
    for row in table.itertuples():
        everybody = row.subjects == "all"
        line = scores.index(row.score) + (-0.16 if everybody else 0.2)
        paired_gain(ax, row, line, VERDICT_COLOURS.get(row.verdict, MUTED), "o" if everybody else "^")
        if everybody:
            place = {"xy": (1.01, line), "xycoords": ax.get_yaxis_transform(), "va": "center"}
            ax.annotate(f"{100 * row.difference:+.1f}", **place, fontsize=7.5, annotation_clip=False)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=""))
    return name_lines(ax, scores)


def forests(tables: dict[str, pd.DataFrame]) -> Figure:
    """`forest` of each table beside each other: title -> table."""
    lines = max(table["score"].nunique() for table in tables.values())
    size = (min(9.6, 4.2 + 2 * len(tables)), 1.3 + 0.42 * lines)
    fig, axes = plt.subplots(1, len(tables), figsize=size, sharex=True, sharey=True, squeeze=False)
    for ax, (title, table) in zip(axes.flat, tables.items(), strict=True):
        forest(ax, table).set_title(title, fontsize=8)
    for verdict in (*VERDICT_COLOURS, "not resolvable"):
        axes[0, 0].plot([], [], "o", color=VERDICT_COLOURS.get(verdict, MUTED), label=verdict)
    axes[0, 0].plot([], [], "^", color=INK, label="folds 4 to 9")
    fig.supxlabel("points gained", fontsize=9)
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return fig


def scale(axes) -> Colorbar:
    """The colours of `gained` beside these axes, in points."""
    image = np.ravel(axes)[0].images[0]
    bar = np.ravel(axes)[0].figure.colorbar(image, ax=axes, extend="both", fraction=0.03, pad=0.02)
    bar.ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=""))
    bar.set_label("points gained")
    bar.outline.set_visible(False)
    return bar


def gallery_table(benchmark: OcclusionBenchmark, face: int) -> pd.DataFrame:
    """The pictures of `gallery`: kind, level, fill, and the share of the face that is covered."""
    shown = [one for one in SUITE if one not in TARGETED]
    rows = [(one.kind, one.level, one.fill, benchmark.masks(one)[face].mean()) for one in shown]
    return pd.DataFrame(rows, columns=["kind", "level", "fill", "covered"])


def gallery(benchmark: OcclusionBenchmark, face: int) -> Figure:
    """One face of the set under every occlusion but the targeted ones: a row per kind and level, a column per fill."""
    rows = list(dict.fromkeys((one.kind, one.level) for one in SUITE if one not in TARGETED))
    fig, axes = plt.subplots(len(rows), len(FILLS), figsize=(4.6, 0.66 * len(rows)), squeeze=False)
    for line, (kind, level) in zip(axes, rows, strict=True):
        fills = [one.fill for one in SUITE if (one.kind, one.level) == (kind, level)]
        for ax, fill in zip(line, fills, strict=False):
            covered, mask = benchmark.occluded(Occlusion(kind, fill, level), [face])
            ax.imshow(covered[0], cmap="gray", vmin=0, vmax=255, interpolation="none")
        for ax in line:
            ax.set_axis_off()
        name = str(Occlusion(kind, "", level)).rstrip(", ")
        line[0].text(-0.1, 0.5, f"{name}\n{mask.mean():.1%}", transform=line[0].transAxes, ha="right", va="center")
    for ax, fill in zip(axes[0], FILLS, strict=True):
        ax.set_title(fill, loc="center")
    return fig
