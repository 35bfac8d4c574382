"""Plots of what becomes of the triplets: by network, and by the emotions of anchor and negative."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fer_lib.figures.plots import ACCENT, CYCLE, INK, MUTED, RULE, name_lines
from fer_lib.findings.triplet_outcomes import CLOSE, NEARER, SOLVED, WRONG

LOOKS = {
    WRONG: {"color": CYCLE[1]},
    CLOSE: {"color": ACCENT, "alpha": 0.4},
    SOLVED: {"color": ACCENT},
    NEARER: {"color": MUTED, "alpha": 0.4},
}


def outcomes(table: pd.DataFrame) -> Figure:
    """Draw `triplet_outcomes.table`: a panel per protocol, a bar per network, with the interval of what is wrong."""
    protocols = list(dict.fromkeys(table["protocol"]))
    lines = [table.loc[table["protocol"] == protocol, "experiment"].nunique() for protocol in protocols]
    size = (9.4, 1.2 + 0.3 * sum(lines) + 0.3 * len(lines))
    fig, axes = plt.subplots(len(lines), 1, figsize=size, sharex=True, squeeze=False, height_ratios=lines)
    for ax, protocol in zip(axes.flat, protocols, strict=True):
        own = table[table["protocol"] == protocol]
        names = own.drop_duplicates("experiment").set_index("experiment")["label"]
        places = dict(zip(names.index, range(len(names)), strict=True))
        left = pd.Series(0.0, index=names.index)
        for outcome, look in LOOKS.items():
            rows = own[own["outcome"] == outcome].set_index("experiment")
            ax.barh(rows.index.map(places), rows["mean"], left=left[rows.index], height=0.7, linewidth=0, **look)
            left[rows.index] += rows["mean"]
        wrong = own[own["outcome"] == WRONG]
        ax.hlines(wrong["experiment"].map(places), wrong["ci_low"], wrong["ci_high"], color=INK, linewidth=1.2)
        name_lines(ax, names).set_title(protocol)
        ax.set_xlim(0, 1)
    axes[-1, 0].xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes[-1, 0].set_xlabel("share of the triplets of test frames")
    handles = [plt.Rectangle((0, 0), 1, 1, linewidth=0, **LOOKS[name]) for name in LOOKS]
    fig.legend(handles, LOOKS, loc="outside upper left", ncols=2)
    return fig


def emotions(ax: Axes, pairs: pd.DataFrame) -> Axes:
    """Draw in what share of the triplets of two emotions the negative is nearer, in percent.

    pairs: `triplet_outcomes.of_emotions`.
    """
    share = pairs.pivot(index="anchor", columns="negative", values="wrong")
    shades = LinearSegmentedColormap.from_list("wrong", [f"{CYCLE[1]}00", f"{CYCLE[1]}c0"])
    look = {"cmap": shades, "vmin": 0, "vmax": 0.5, "cbar": False, "square": True, "linewidths": 0.6, "linecolor": RULE}
    said = (100 * share).map("{:.0f}".format).where(share.notna(), "")
    sns.heatmap(share, ax=ax, annot=said, fmt="", annot_kws={"color": INK, "fontsize": 8}, **look)
    ax.set_xticklabels(ax.get_xticklabels(), rotation=40, ha="right", rotation_mode="anchor")
    ax.set_yticklabels(ax.get_yticklabels(), rotation=0)
    ax.tick_params(length=0)
    ax.set(xlabel="negative", ylabel="anchor and positive")
    return ax
