"""Plots of networks trained on FER2013: each takes `ax`, draws, and returns it. None shows a face."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from fer_lib.figures.plots import ACCENT, INK, MUTED, RULE, look, name_lines

LINES = {"Training": ":", "PublicTest": "--", "PrivateTest": "-"}

FEWEST = 30
"""Answers below which `reliability` leaves a bin out: the accuracy of so few says little."""


def learning(ax: Axes, curves: pd.DataFrame) -> Axes:
    """Draw one method's accuracy in each epoch, a line per part: part, epoch, accuracy.

    Training accuracy is that during training: on occluded faces, while the weights still change.
    """
    for part, line in LINES.items():
        own = curves[curves["part"] == part]
        ax.plot(own["epoch"], own["accuracy"], color=ACCENT, linestyle=line, label=part)
    ax.set(xlabel="epoch", ylabel="accuracy")
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(visible=True, axis="y")
    return ax


def reliability(ax: Axes, methods: dict[str, pd.DataFrame]) -> Axes:
    """Draw accuracy against confidence, a colour per method; on the diagonal a network is calibrated.

    methods: name -> `fer2013_results.reliability`; its bins of fewer than `FEWEST` answers are left out.
    """
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
    for k, (name, bins) in enumerate(methods.items()):
        shown = bins[bins["frames"] >= FEWEST]
        ax.plot(shown["confidence"], shown["accuracy"], label=name, **look(k), markersize=4)
    ax.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(visible=True)
    return ax


def recall_and_votes(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw recall with its interval, a line per emotion and a colour per method, and the labels that voters confirm.

    table: `fer2013_results.by_class`; the emotion whose labels are confirmed most often is on top.
    """
    confirmed = table.groupby("emotion")["confirmed"].first().sort_values(ascending=False)
    ax.plot(
        confirmed,
        range(len(confirmed)),
        "D",
        color=INK,
        markerfacecolor="none",
        label="labels that are the voters' majority",
    )
    methods = table["method"].unique()
    for k, method in enumerate(methods):
        own = table[table["method"] == method].set_index("emotion").loc[confirmed.index]
        lines = np.arange(len(own)) + 0.24 * (k - (len(methods) - 1) / 2)
        style = look(k) | {"linestyle": ""}
        ax.hlines(lines, own["low"], own["high"], color=style["color"], linewidth=1.4)
        ax.plot(own["recall"], lines, **style, label=method, markersize=4.5)
    between = np.arange(1, len(confirmed)) - 0.5
    ax.hlines(between, 0, 1, transform=ax.get_yaxis_transform(), color=RULE, linewidth=0.6)
    ax.set(xlabel="share of the images with this label", xlim=(0, 1))
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1))
    return name_lines(ax, confirmed.index)
