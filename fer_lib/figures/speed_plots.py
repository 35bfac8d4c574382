"""How fast training is, compared with the hardware limit."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fer_lib.figures import plots


def throughput(ax: Axes, table: pd.DataFrame, limit: float) -> Axes:
    """Draw frames per second as bars, one group per loss, the first on top, and the hardware limit as a line.

    table: columns loss, way, frames_per_second and ratio, which is written beside the bar.
    """
    losses, ways = list(dict.fromkeys(table["loss"])), list(dict.fromkeys(table["way"]))
    for k, (way, colour) in enumerate(zip(ways, (plots.MUTED, plots.CYCLE[1], plots.ACCENT), strict=True)):
        rows = table[table["way"] == way].set_index("loss").loc[losses]
        lines = np.arange(len(losses)) + 0.27 * (k - 1)
        ax.barh(lines, rows["frames_per_second"], height=0.24, color=colour, label=way)
        for line, rate, ratio in zip(lines, rows["frames_per_second"], rows["ratio"], strict=True):
            ax.text(rate + 0.01 * limit, line, f"× {ratio:.1f}", va="center", fontsize=8)
    ax.axvline(limit, color=plots.INK, linewidth=1, linestyle=(0, (4, 3)), label="hardware limit")
    ax.set(xlabel="training frames per second", xlim=(0, 1.06 * limit))
    return plots.name_lines(ax, losses)
