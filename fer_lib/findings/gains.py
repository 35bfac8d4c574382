"""What each part of the method gains, and of what goes beyond it: the study's comparisons in one picture.

Made from `results/` alone. Two networks that differ in the part are asked about the same faces, clear and occluded.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, PercentFormatter

from fer_lib.comparisons import COMPARISON, TWO_KINDS, holm
from fer_lib.experiments import Experiment
from fer_lib.figures import plots
from fer_lib.findings import tables
from fer_lib.findings.claims import NOT_COLLAPSED, printed_gain
from fer_lib.findings.recipe_results import on_all_folds
from fer_lib.findings.robustness import ASKED, gain
from fer_lib.occlusion_scores import SCORES
from fer_lib.splits import LEAST_EXPOSED
from fer_lib.stats import LEVEL
from fer_lib.words.rounding import gained

OF_THE_PAPER = {
    "ResNet cut to 10 layers instead of 18": ("resnet10-softmax", "resnet18-softmax"),
    "spatial transformer (STN)": ("resnet10-softmax", "resnet10-softmax-plain"),
    "triplet loss instead of softmax": ("resnet10-triplet", "resnet10-softmax"),
    "triplet loss instead of softmax (slow STN)": ("resnet10-triplet-slow-stn", "resnet10-softmax-slow-stn"),
    "occlusion in training (softmax)": ("resnet10-softmax", "resnet10-softmax-no-occlusion"),
    "occlusion in training (triplet, slow STN)": (
        "resnet10-triplet-slow-stn",
        "resnet10-triplet-slow-stn-no-occlusion",
    ),
}
BEYOND = {
    "STN at a tenth of its rate (slow STN)": ("resnet10-softmax-slow-stn", "resnet10-softmax"),
    "triplet loss beside softmax (slow STN)": ("resnet10-joint", "resnet10-softmax-slow-stn"),
    "strong recipe": ("resnet10-strong", "resnet10-softmax"),
    "spatial transformer (strong recipe, slow STN)": ("resnet10-strong", "resnet10-strong-plain"),
    "triplet loss instead of softmax (strong recipe)": ("resnet10-strong-triplet", "resnet10-strong"),
    "triplets balanced by emotion (strong recipe)": ("resnet10-strong-triplet-balanced", "resnet10-strong-triplet"),
    "mixed occlusion in training (strong recipe)": ("resnet10-strong", "resnet10-strong-no-occlusion"),
    "strong recipe in 100 epochs instead of 50": ("resnet10-strong-long", "resnet10-strong"),
    "start from FER2013's weights": ("resnet10-transfer", "resnet10-strong"),
    "FER2013's weights of 150 epochs instead of 20": ("resnet10-transfer-strong", "resnet10-transfer"),
    "heavy occlusion, 60 epochs (not mixed, 20)": ("resnet10-transfer-heavy", "resnet10-transfer"),
}
PARTS = {"paper": OF_THE_PAPER, "beyond": BEYOND}
"""Part -> the row of `experiments.csv` that has it, and the row that differs from it in the part, after the protocol.

Slow STN: both with a tenth of the transformer's rate, for at the full one triplet's can collapse.
"""

SLOW = "resnet10-triplet-slow-stn"
ABLATIONS = {
    "no STN": ("resnet10-triplet-plain", SLOW),
    "no STN (softmax, full STN rate)": ("resnet10-softmax-plain", "resnet10-softmax"),
    "warped and input face (dual path)": ("resnet10-triplet-dual", SLOW),
    "two-layer localisation head": ("resnet10-triplet-two-layer-head", SLOW),
    "cross-entropy beside triplet (joint)": ("resnet10-joint", SLOW),
    "batch-hard mining": ("resnet10-triplet-batch-hard", SLOW),
    "semi-hard mining": ("resnet10-triplet-semi-hard", SLOW),
    "embeddings on the unit sphere": ("resnet10-triplet-normalised", SLOW),
    "boosted trees instead of k-NN": ("resnet10-triplet-boosted-trees", SLOW),
    "logistic regression instead of k-NN": ("resnet10-triplet-logistic", SLOW),
}
"""Change to the proposed network -> the row that has it, and the row without it, after the protocol."""

SAID = {"supported": "What helps, in points", "contradicted": "What hurts"}

COLOURS = {"supported": plots.ACCENT, "contradicted": plots.CYCLE[1]}

VERDICTS = (
    "Thick: 95 % interval over subjects (under other protocols over runs); thin: over what was trained apart: folds, "
    "or of other starts the trainings of both. A verdict needs both on one side of zero. No interval: in some runs the "
    "STN collapsed, and the next line leaves these runs out (two kinds of outcome; an arrow: left of the axis), or all "
    "runs gained the same."
)
CAPTION = (
    "Accuracy gained by each part, in points: two networks that differ in it, on the same test frames. Above the rule "
    f"the paper's parts, below it what goes beyond. {VERDICTS} Printed: under the paper's own split. Unseen: kinds of "
    "occlusion that no training shows; heavy occlusion imitates some of them, and its training is longer too (page "
    "Transfer). Slow STN: both networks have a tenth of the STN's rate. The strong recipe and a start from FER2013 "
    "have epochs and rates of their own. Verdicts are not corrected for multiple comparisons."
)
ABLATED = (
    "Accuracy gained by each change, in points: the proposed network with a slow STN, changed and unchanged, on the "
    f"same test frames. {VERDICTS} Unseen: kinds of occlusion that no training shows. Verdicts are not corrected for "
    "multiple comparisons."
)


def table(dataset: str, listed: dict = PARTS, protocols: Sequence[str] = LEAST_EXPOSED) -> pd.DataFrame:
    """A row per part and score of `ASKED`, under the first of the protocols of which there is any.

    listed: whose part it is -> the parts. Columns protocol, whose, part, asked, printed (NaN but on clear faces) and
    `COMPARISON`.
    Only arms that were tested on all folds are compared. A part with two kinds of outcome stands there again without
    the collapsed runs, its name ending in `claims.NOT_COLLAPSED`.
    """
    arms = {arm.experiment: arm for arm in tables.measured(dataset) if on_all_folds(arm, "occluded_predictions.csv.gz")}
    for protocol in protocols:
        rows = []
        for whose, parts in listed.items():
            for part, names in parts.items():
                both = [arms.get(f"{protocol}-{name}") for name in names]
                if all(both):
                    about = {"protocol": protocol, "whose": whose, "part": part}
                    found = [{**about, **row} for row in _compared(*both) if row["n"]]
                    if any(row["verdict"] == TWO_KINDS for row in found):
                        about["part"] += NOT_COLLAPSED
                        found += [{**about, **row} for row in _compared(*both, without_collapsed=True) if row["n"]]
                    rows += found
        if rows:
            break
    return pd.DataFrame(rows, columns=["protocol", "whose", "part", "asked", "printed", *COMPARISON])


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


def _compared(*both: Experiment, without_collapsed: bool = False) -> list[dict]:
    printed = {"clean": printed_gain(*both)}
    return [
        {"asked": name, "printed": printed.get(name)} | gain(*both, SCORES[name], without_collapsed=without_collapsed)
        for name in ASKED
    ]


def picture(found: pd.DataFrame) -> Figure:
    """Draw `table`: a line per part, side by side on clear faces and under occlusion."""
    parts = list(dict.fromkeys(found["part"]))
    fig, axes = plt.subplots(1, len(ASKED), sharey=True, figsize=(9.6, 1.2 + 0.32 * len(parts)))
    for ax, (score, words) in zip(axes, ASKED.items(), strict=True):
        own = found[found["asked"] == score]
        ends = _ends(own)
        for row in own.itertuples():
            colour, line = COLOURS.get(row.verdict, plots.MUTED), parts.index(row.part)
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
    for verdict, colour in COLOURS.items():
        axes[0].plot([], [], "o", color=colour, label=verdict)
    axes[0].plot([], [], "o", color=plots.MUTED, label="not resolvable")
    axes[0].plot([], [], "x", color=plots.MUTED, label="no interval")
    if found["printed"].notna().any():
        axes[0].plot([], [], "D", color=plots.INK, markerfacecolor="none", label="printed")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=5)
    return fig


def in_words(found: pd.DataFrame) -> str:
    """Which gains of the paper's parts have a verdict, in points, and which parts have none; empty if not compared.

    A verdict that Holm's correction for all comparisons of `table` does not leave standing is marked, and so is another
    n than that of most.
    """
    n = found["n"].astype(str) + " " + found["pairs"].str.split(" (", regex=False).str[0]
    found = found.assign(stands=holm(found["p"]) < 1 - LEVEL, units=n)
    own = found[found["whose"] == "paper"]
    usual = max(own["units"].unique(), key=list(own["units"]).count, default="")
    lines, decided = [], own[own["verdict"].isin(COLOURS)]
    for verdict in COLOURS:
        parts = [
            f"{part} {', '.join(_said(row, usual) for row in rows.itertuples())}"
            for part, rows in decided[decided["verdict"] == verdict].groupby("part", sort=False)
        ]
        lines.append(f"{SAID[verdict]}: {'; '.join(parts)}." if parts else "")
    names = own["part"].str.removesuffix(NOT_COLLAPSED)
    undecided = names[~names.isin(decided["part"].str.removesuffix(NOT_COLLAPSED))].unique()
    lines.append(f"No verdict on: {'; '.join(undecided)}." if len(undecided) else "")
    lines.append(f"n = {usual} where no other is named." if usual else "")
    return " ".join(filter(None, lines))


def _said(row, usual: str) -> str:
    limits = [f"n = {row.units}"] * (row.units != usual) + ["not after Holm's correction"] * (not row.stands)
    return f"{100 * row.difference:+.1f} {ASKED[row.asked]}" + (f" ({'; '.join(limits)})" if limits else "")


def in_full(found: pd.DataFrame) -> str:
    """What the picture shows, as its text alternative."""
    said = [f"{ASKED[row.asked]}, {row.part}: {gained(row)}, {row.verdict}" for row in found.itertuples()]
    return "; ".join(said)
