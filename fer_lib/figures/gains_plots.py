"""What each part gains, from `findings.gains`, in one picture."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, PercentFormatter

from fer_lib.figures import plots
from fer_lib.findings.robustness import ASKED


def picture(found: pd.DataFrame) -> Figure:
    """Draw `gains.table`: a line per part, side by side on clear faces and under occlusion."""
    parts = list(dict.fromkeys(found["part"]))
    fig, axes = plt.subplots(1, len(ASKED), sharey=True, figsize=(9.6, 1.2 + 0.32 * len(parts)))
    for ax, (score, words) in zip(axes, ASKED.items(), strict=True):
        own = found[found["asked"] == score]
        ends = _ends(own)
        for row in own.itertuples():
            colour, line = plots.VERDICT_COLOURS.get(row.verdict, plots.MUTED), parts.index(row.part)
            ax.hlines(line + 0.22, row.trained_low, row.trained_high, color=colour, linewidth=0.8)
            ax.hlines(line, row.ci_low, row.ci_high, color=colour, linewidth=2.4)
            mark = "o" if pd.notna(row.ci_low) else "<" if row.difference < ends[0] else "x"
            ax.plot(max(row.difference, ends[0]), line, mark, color=colour, clip_on=False)
            place = {"xy": (1.02, line), "xycoords": ax.get_yaxis_transform(), "va": "center"}
            ax.annotate(f"{100 * row.difference:+.1f}", **place, fontsize=7.5, annotation_clip=False)
        ax.axvline(0, color=plots.INK, linewidth=0.8)
        ax.plot(own["printed"], own["part"].map(parts.index), "D", color=plots.INK, markerfacecolor="none")
        if found["whose"].nunique() > 1:
            ax.axhline(found.loc[found["whose"] == "paper", "part"].nunique() - 0.5, color=plots.MUTED, linewidth=0.8)
        ax.set_xlim(ends)
        width = np.ptp(ends)
        ax.xaxis.set_major_locator(MultipleLocator(0.2 if width > 0.5 else 0.1 if width > 0.2 else 0.05))
        ax.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=""))
        ax.set_xlabel(f"points gained\n{words}")
        plots.name_lines(ax, parts)
    for verdict, colour in plots.VERDICT_COLOURS.items():
        axes[0].plot([], [], "o", color=colour, label=verdict)
    axes[0].plot([], [], "o", color=plots.MUTED, label="not resolvable")
    axes[0].plot([], [], "x", color=plots.MUTED, label="no interval")
    if found["printed"].notna().any():
        axes[0].plot([], [], "D", color=plots.INK, markerfacecolor="none", label="printed")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=5)
    return fig


def _ends(own: pd.DataFrame) -> tuple[float, float]:
    """Ends of an axis that holds zero, what is printed, every interval, and every gain that is not far below these.

    A collapsed run costs so many points that an axis with all of them would show nothing of the other gains.
    """
    shown = own[["ci_low", "ci_high", "trained_low", "trained_high", "printed"]].stack().dropna()
    shown = [0.0, *shown, *own.loc[own["ci_low"].notna(), "difference"]]
    low, high = min(shown), max(*shown, own["difference"].max())
    low = low if own["difference"].min() < low - (high - low) / 2 else min(low, own["difference"].min())
    margin = 0.04 * (high - low) or 0.01
    return low - margin, high + margin
