"""Every tested sequence as a square, to show the few hard ones among all."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from fer_lib.figures.plots import ACCENT, CYCLE, INK

LOOKS = ((ACCENT, 0.22), (ACCENT, 0.75), (CYCLE[1], 1.0), (INK, 1.0))
"""Colour and opacity of each kind of square, from the easiest sequences to the hardest."""

CORNERS = 0.44 * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
"""Of a square around its middle, a little less than the place that it has."""

GAP = 0.6
"""Between two emotions, in squares."""


def squares(ax: Axes, sequences: pd.DataFrame, kinds: tuple[str, ...]) -> Axes:
    """Draw a square per sequence, a block of rows per emotion, filled row by row from the left.

    sequences: columns emotion and reading, within an emotion in the order in which they are drawn. kinds: what reading
    can be, at most as many as `LOOKS`; the legend counts each that there is.
    """
    across = int(np.ceil(2 * np.sqrt(len(sequences))))
    top, ticks, places = 0.0, {}, np.zeros((len(sequences), 2))
    for emotion, rows in sequences.groupby("emotion", sort=False).indices.items():
        places[rows] = [(k % across, top + k // across) for k in range(len(rows))]
        high = -(-len(rows) // across)
        ticks[f"{emotion} ({len(rows)})"] = top + (high - 1) / 2
        top += high + GAP
    for kind, colour in zip(kinds, LOOKS, strict=False):
        own = places[(sequences["reading"] == kind).to_numpy()]
        if len(own):
            shapes = own[:, None] + CORNERS
            ax.add_collection(PolyCollection(shapes, facecolor=colour, linewidth=0, label=f"{kind} ({len(own)})"))
    ax.set_yticks(list(ticks.values()), ticks.keys())
    ax.set(xlim=(-0.6, across - 0.4), ylim=(top - GAP - 0.4, -0.6), aspect="equal", anchor="N", xticks=[])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax
