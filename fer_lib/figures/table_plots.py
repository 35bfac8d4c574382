"""Accuracies with their intervals and members, and gains over what learns no features, a panel per protocol."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fer_lib.figures import plots


def interval_plot(ax: Axes, table: pd.DataFrame, members: list[np.ndarray], lowest: float = 0) -> Axes:
    """Draw mean, interval and every member on one line per row, the first row on top, in percent.

    lowest: where the axis begins; what lies below it is named at its edge.

    table: columns label, mean, ci_low, ci_high and printed, the paper's number, drawn as a hollow diamond; all of them
    shares in [0, 1]. A NaN is left out. members: for each row the values that the mean is over, drawn as pale dots.
    """
    lines = np.arange(len(table))
    for line, values in zip(lines, members, strict=True):
        ax.plot(values, np.full(len(values), line + 0.22), "o", color=plots.ACCENT, alpha=0.35, markersize=4)
    ax.hlines(lines, table["ci_low"], table["ci_high"], color=plots.ACCENT, linewidth=1.8)
    ax.plot(table["mean"], lines, "o", color=plots.ACCENT, label="mean and interval")
    ax.plot([], [], "o", color=plots.ACCENT, alpha=0.35, markersize=4, label="each run")
    ax.plot(table["printed"], lines, "D", markerfacecolor="none", color=plots.INK, label="printed in the paper")
    for line, mean, values in zip(lines, table["mean"], members, strict=True):
        below = [f"{100 * value:.0f}" for value in sorted(values) if value < lowest]
        said = [f"mean {100 * mean:.0f} %"] if mean < lowest else []
        said += [f"run{'s' * (len(below) > 1)} {', '.join(below)} %"] if below else []
        if said:
            ax.annotate(f"◂ {'; '.join(said)}", (lowest, line), (4, 3), textcoords="offset points", va="bottom")
    if lowest:
        ax.set_xlim(lowest, 1.01)
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0 if lowest else None))
    return plots.name_lines(ax, [textwrap.fill(label, 52, break_on_hyphens=False) for label in table["label"]])


def per_protocol(table: pd.DataFrame, members: list[np.ndarray]) -> Figure:
    """A figure with an `interval_plot` for each protocol of the table, over one axis of accuracies.

    The axis begins below the lowest interval, so that a member that collapsed does not press the others together.
    """
    lowest = max(0, table["ci_low"].min() - 0.1) if table["ci_low"].notna().any() else 0
    protocols = list(dict.fromkeys(table["protocol"]))
    counts = [int((table["protocol"] == protocol).sum()) for protocol in protocols]
    fig, axes = plt.subplots(
        len(protocols), 1, figsize=(7.6, 0.9 + 0.35 * len(protocols) + 0.36 * len(table)), sharex=True,
        squeeze=False, height_ratios=counts,
    )  # fmt: skip
    for ax, protocol in zip(axes[:, 0], protocols, strict=True):
        own = (table["protocol"] == protocol).to_numpy()
        interval_plot(ax, table[own], [values for values, is_own in zip(members, own, strict=True) if is_own], lowest)
        ax.set_title(protocol)
    axes[-1, 0].set_xlabel("accuracy on the test frames")
    handles, names = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside upper left", ncols=3)
    return fig


def over_references(gained: pd.DataFrame) -> Figure:
    """Gains over what learns no features, in points: a row of panels per protocol, a column per reference.

    gained: `claims.against_references`. The axes hold every interval; gains without one that lie below are named there.
    """
    protocols, references = (list(dict.fromkeys(gained[name])) for name in ("protocol", "reference"))
    lines = {
        protocol: list(dict.fromkeys(gained.loc[gained["protocol"] == protocol, "label"])) for protocol in protocols
    }
    size = (9.4, 1.1 + 0.4 * len(protocols) + 0.3 * sum(map(len, lines.values())))
    shape = {"squeeze": False, "sharex": "col", "sharey": "row", "height_ratios": list(map(len, lines.values()))}
    fig, axes = plt.subplots(len(protocols), len(references), figsize=size, **shape)
    for panels, protocol in zip(axes, protocols, strict=True):
        for ax, reference in zip(panels, references, strict=True):
            own = gained[gained["reference"] == reference]
            resolved = own if own["ci_low"].isna().all() else own[own["ci_low"].notna()]
            ends = resolved[["difference", "ci_low", "ci_high", "trained_low", "trained_high"]]
            lowest, highest = min(0, ends.min(axis=None)) - 0.03, max(0, ends.max(axis=None)) + 0.03
            for row in own[own["protocol"] == protocol].itertuples():
                line = lines[protocol].index(row.label)
                plots.paired_gain(ax, row, line, plots.VERDICT_COLOURS.get(row.verdict, plots.MUTED))
                if row.difference < lowest:
                    place = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
                    ax.annotate(f"◂ {100 * row.difference:+.0f}", (lowest, line), **place)
            ax.set_xlim(lowest, highest)
            ax.axvline(0, color=plots.INK, linewidth=0.7)
            ax.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=""))
            plots.name_lines(ax, [textwrap.fill(name, 44, break_on_hyphens=False) for name in lines[protocol]])
        panels[0].set_title(protocol)
    for ax, reference in zip(axes[-1], references, strict=True):
        ax.set_xlabel(f"points over {reference}")
    colours = [*plots.VERDICT_COLOURS.values(), plots.MUTED]
    marks = [plt.Line2D([], [], marker="o", linestyle="", color=colour) for colour in colours]
    fig.legend(marks, [*plots.VERDICT_COLOURS, "no verdict"], loc="outside upper right", ncols=3)
    return fig
