"""The answer in one picture: each method where the split leaks, on unseen subjects, and on unseen subjects occluded.

Made from `results/` alone.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fer_lib import paths, results
from fer_lib.experiments import Experiment
from fer_lib.figures import plots
from fer_lib.findings import audit, followed, initialisations, recipe_results, robustness, tables, transfer_results
from fer_lib.findings.recipe_results import on_all_folds
from fer_lib.measures import occluded_references, references
from fer_lib.occlusion_scores import SCORES
from fer_lib.words import naming
from fer_lib.words.rounding import in_cell, percent

ENDS = ["mean", "ci_low", "ci_high"]
"""The columns of a score and its interval."""

ASKED = {
    "random": ("random split of frames, as in the paper", {"marker": "o", "color": plots.MUTED}),
    "subject": ("unseen subjects", {"marker": "o", "color": plots.ACCENT}),
    "occluded": ("unseen subjects, unseen occlusion", {"marker": "s", "color": plots.CYCLE[1]}),
}
"""What is asked, from the easiest to the hardest -> in words, and how it is drawn."""

CAPTION = (
    "Accuracy with 95 % intervals: random split over runs, each with its own split; unseen subjects pooled over the "
    "folds, subjects resampled; methods that lack some of the folds are left out. Occluded: mean over the kinds of "
    "occlusion that no training shows; hollow where training imitated some of them (page Transfer), and the strong "
    "recipe's small rectangles resemble one of them, the patches. Printed: the paper's number for that loss, for "
    "softmax as it follows from the text. Here triplet's STN has a tenth of the paper's rate, for at the full one it "
    "can collapse."
)

BESIDE = (
    "In percent, on unseen subjects, with 95 % intervals over subjects. By sequence: the probabilities of its frames "
    "averaged. Ensemble: by frame, the probabilities of all initialisations averaged. Heavy occlusion imitates some of "
    "the unseen kinds (page Transfer)."
)


def shown(dataset: str) -> dict[str, Experiment]:
    """Name -> the methods tested on unseen subjects: the paper's two losses, softmax without STN, the strong recipe,
    the fine-tuned."""
    rows = [row for row in tables.measured(dataset) if row.protocol == "subject"]
    plain = naming.label(Experiment("plain", dataset, input_path="plain", loss="softmax"))
    the_papers = [row for row in rows if naming.label(row) in (*followed.labels(), plain)]
    strong = [row for row in rows if (row.recipe, row.loss) == ("strong", "softmax") and row.occlusion != "none"]
    strong.sort(key=lambda row: (row.pretrained != "none", row.occlusion == "heavy"))
    return {f"{name}{_unfinished(row)}": row for row, name in transfer_results.names([*the_papers, *strong]).items()}


def _unfinished(row: Experiment) -> str:
    done, of = len(results.finished(row)), len(row.members)
    return f"\n({done} of {of} runs)" if done < of and on_all_folds(row) else ""


def table(dataset: str) -> pd.DataFrame:
    """A row per method and question that was asked of it: method, asked (as in `ASKED`), mean, ci_low, ci_high, n.

    printed: the paper's number for the loss, beside the paper's protocol; else NaN. imitated: whether training showed
    what is much like the occlusions that were asked about.
    """
    scores = robustness.robustness_table(dataset).query("protocol == 'subject' and score == 'unseen'")
    scores = scores.rename(columns={"label": "method", "members": "n"}).assign(protocol="occluded")
    alone = occluded_references.scores(dataset)
    taught = alone[(alone["method"] == occluded_references.COVERED) & (alone["score"] == "clean")]
    alone = pd.concat(
        [taught.assign(protocol="subject"), alone[alone["score"] == "unseen"].assign(protocol="occluded")]
    )
    rungs = pd.concat([audit.ladder(dataset, tables.accuracy_table(dataset)), alone, scores])
    rungs = rungs.query("protocol in @ASKED")
    rungs = rungs.sort_values("protocol", key=lambda names: names.map(list(ASKED).index), kind="stable")
    names = occluded_references.METHODS
    rows = [rungs[rungs["method"] == name].assign(printed=np.nan, imitated=False) for name in names]
    for name, experiment in shown(dataset).items():
        own = rungs[rungs["method"] == naming.label(experiment)].assign(method=name)
        for protocol, file in {"subject": "metrics.csv", "occluded": "occluded_predictions.csv.gz"}.items():
            if not on_all_folds(experiment, file):
                own = own[own["protocol"] != protocol]
        usual = Experiment("usual", dataset, backbone=experiment.backbone, loss=experiment.loss)
        the_papers = (experiment.recipe, experiment.input_path) == ("paper", "stn")
        printed = naming.printed(usual) if the_papers else np.nan
        imitated = (own["protocol"] == "occluded") & (experiment.occlusion == "heavy")
        rows.append(own.assign(printed=np.where(own["protocol"] == "random", printed, np.nan), imitated=imitated))
    found = pd.concat(rows, ignore_index=True).rename(columns={"protocol": "asked"})
    return found[["method", "asked", "mean", "ci_low", "ci_high", "n", "printed", "imitated"]]


def to_beat(dataset: str) -> pd.DataFrame:
    """What another method has to beat on unseen subjects, in percent with its interval.

    A row per reference, method of `shown` that was tested on all subjects, and published number for unseen subjects:
    method, by frame, by sequence (the probabilities of its frames averaged), ensemble (of the initialisations, by
    frame), under unseen occlusion, runs.
    """
    alone = results.of_data_set(dataset, "references.csv").query("protocol == 'subject'").set_index("method")
    covered = occluded_references.scores(dataset).set_index(["score", "method"])
    rows = []
    for name in (*references.METHODS, occluded_references.COVERED):
        said = {"by frame": _cell(alone.loc[name, ENDS])} if name in alone.index else {}
        for column, score in {"by frame": "clean", "under unseen occlusion": "unseen"}.items():
            if (score, name) in covered.index:
                said[column] = _cell(covered.loc[(score, name), ENDS])
        rows += [{"method": name, **said}] if said else []
    for name, arm in shown(dataset).items():
        if on_all_folds(arm, "occluded_predictions.csv.gz"):
            asked = {score: _cell(robustness.score(arm, SCORES[score])) for score in ("clean", "unseen")}
            said = {"by frame": asked["clean"], "by sequence": _cell(recipe_results.by_sequence(arm))}
            together = initialisations.reached(arm).query("asked == @initialisations.TOGETHER and by == 'frame'")
            said |= {
                "ensemble": _cell(together[ENDS].iloc[0]) if len(together) else "–",
                "under unseen occlusion": asked["unseen"],
                "runs": f"{len(results.finished(arm))} of {len(arm.members)}",
            }
            rows.append({"method": name.split("\n")[0], **said})
    published = pd.read_csv(paths.NOTEBOOKS / "published.csv").query("protocol.str.startswith('10 folds of subjects')")
    if dataset == "ckplus":
        rows += [
            {"method": f"{row.method} ({row.source}; {row.protocol})", "by sequence": f"{row.accuracy:.2f}"}
            for row in published.itertuples()
        ]
    columns = ["method", "by frame", "by sequence", "ensemble", "under unseen occlusion", "runs"]
    return pd.DataFrame(rows, columns=columns).fillna("–")


def _cell(values: Sequence[float]) -> str:
    return in_cell(*values, ".2%")


def picture(reached: pd.DataFrame) -> Figure:
    """Draw `table`: a line per method, the hardest question lowest."""
    names = list(dict.fromkeys(reached["method"]))
    lines = reached["method"].map(names.index)
    fig, ax = plt.subplots(figsize=(7.6, 1.2 + 0.52 * len(names)))
    for k, (asked, (words, look)) in enumerate(ASKED.items()):
        own = reached[reached["asked"] == asked]
        y = lines[own.index] + 0.24 * (k - 1)
        ax.hlines(y, own["ci_low"], own["ci_high"], color=look["color"], linewidth=1.6)
        ax.plot(own["mean"].mask(own["imitated"]), y, linestyle="", label=words, **look)
        ax.plot(own["mean"].where(own["imitated"]), y, linestyle="", **look, markerfacecolor="none")
        for place, mean, low in zip(y, own["mean"], own["ci_low"].fillna(own["mean"]), strict=True):
            ax.text(low - 0.006, place, f"{100 * mean:.1f}", ha="right", va="center", fontsize=7.5)
    if reached["printed"].notna().any():
        look = {"color": plots.INK, "markerfacecolor": "none", "markersize": 8}
        ax.plot(reached["printed"], lines - 0.24, "D", label="printed", **look)
    lowest = reached[["mean", "ci_low"]].min().min()
    ax.set(xlim=(lowest - 0.08, 1.01), xlabel="accuracy")
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    ax.hlines(np.arange(1, len(names)) - 0.5, 0, 1, transform=ax.get_yaxis_transform(), color=plots.RULE, linewidth=0.6)
    plots.name_lines(ax, names)
    fig.legend(*ax.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return fig


def in_words(reached: pd.DataFrame) -> str:
    """What the picture shows, as its text alternative."""
    lines = []
    for name, own in reached.groupby("method", sort=False):
        said = [f"{percent(row.mean)} % ({ASKED[row.asked][0]})" for row in own.itertuples()]
        lines.append(f"{name}: {', '.join(said)}".replace("\n", " "))
    return "; ".join(lines)
