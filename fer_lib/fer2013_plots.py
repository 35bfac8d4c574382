"""Plots of networks trained on FER2013: each takes `ax`, draws, and returns it. None shows a face."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from fer_lib.plots import CYCLE, EMOTION_COLOURS, INK, MUTED

LINES = {"Training": ":", "PublicTest": "--", "PrivateTest": "-"}


def learning(ax: Axes, curves: pd.DataFrame, colour: str) -> Axes:
    """Draw one method's accuracy in each epoch, a line per part: part, epoch, accuracy.

    Training counts each face as it was shown, occluded and while the weights still change.
    """
    for part, line in LINES.items():
        own = curves[curves["part"] == part]
        ax.plot(own["epoch"], own["accuracy"], color=colour, linestyle=line, label=part)
    ax.set(xlabel="epoch", ylabel="accuracy")
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(visible=True, axis="y")
    return ax


def reliability(ax: Axes, methods: dict[str, pd.DataFrame]) -> Axes:
    """Draw accuracy against confidence, a colour per method; on the diagonal a network is as often right as it says.

    methods: name -> `fer2013_results.reliability`.
    """
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
    for k, (name, bins) in enumerate(methods.items()):
        look = {"color": CYCLE[k % len(CYCLE)], "markersize": 4}
        ax.plot(bins["confidence"], bins["accuracy"], "o-", label=name, **look)
    ax.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(visible=True)
    return ax


def recall_and_votes(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw one method's recall of each class, with its interval, against how many of its labels most voters confirm.

    table: columns emotion, recall, low, high, confirmed.
    """
    ax.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=(0, (2, 2)))
    for row in table.itertuples():
        colour = EMOTION_COLOURS[row.emotion]
        ax.vlines(row.confirmed, row.low, row.high, color=colour, linewidth=1.4)
        ax.plot(row.confirmed, row.recall, "o", color=colour)
        ax.text(row.confirmed + 0.018, row.recall, row.emotion, color=INK, va="center", fontsize=8)
    ax.set(xlabel="labels that most voters confirm", ylabel="recall", xlim=(0, 1.02), ylim=(0, 1.02), aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(xmax=1))
    ax.grid(visible=True)
    return ax
