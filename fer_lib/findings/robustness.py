"""How the trained arms stand occlusion: tables and paired comparisons of `occlusion_scores`, from `results/` alone."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment
from fer_lib.faces import SIZE
from fer_lib.findings.tables import compared, measured, not_collapsed, two_kinds
from fer_lib.occlusion_benchmark import CLEAN, STRIDE, SUITE, TARGETED, WINDOW, WINDOWS, Occlusion, window_name
from fer_lib.occlusion_scores import REPORTED, SCORES, SHOWN, Weights, equally, of_kind, under_curve, weighed
from fer_lib.splits import LEAST_EXPOSED
from fer_lib.stats import RESAMPLED, pooled
from fer_lib.words.naming import label
from fer_lib.words.rounding import in_cell, members_and_subjects

KINDS = tuple(dict.fromkeys(one.kind for one in SUITE))

COVERS = {"none": {CLEAN: 1.0}} | {kind: of_kind(kind) for kind in ("eyes", "mouth", "upper", "lower", "left", "right")}
"""The covers that hide a part of the face, and none -> the weights of their fills; left and right of the image."""

CAPTION = (
    "Protocol subject: pooled over the test frames of all finished folds, bootstrap over subjects, which does not "
    "cover another initialisation. Other protocols: over runs. Networks may have different finished folds; paired "
    "comparisons use the folds that both have."
)

FEWEST = 3
"""Members that an interval over members asks for: over two, Student's t has one degree of freedom."""

ASKED = {
    "clean": "on clear faces",
    "black rectangle": "under the paper's rectangle",
    "unseen": "under unseen occlusion",
}
"""The scores in which networks are compared first -> in words."""


def arms(dataset: str) -> list[Experiment]:
    """The measured experiments with a member that was asked by the benchmark. Raises ValueError if there is none."""
    asked = [row for row in measured(dataset) if len(results.read(row, "occluded_predictions.csv.gz"))]
    if not asked:
        raise ValueError(f"no experiment of {dataset} was tested on the occlusion benchmark; train one with 01_train")
    return asked


def not_asked(dataset: str, table: str = "occluded_predictions.csv.gz") -> pd.DataFrame:
    """Measured members without a row in a table, trained before there was one: protocol, method, members."""
    rows = []
    for row in measured(dataset):
        asked = results.read(row, table).groupby(["seed", "fold"]).ngroups
        if missing := len(results.read(row, "metrics.csv")) - asked:
            rows.append((row.protocol, label(row), f"{missing} of {asked + missing}"))
    return pd.DataFrame(rows, columns=["protocol", "method", "members"])


def right(experiment: Experiment, weights: Weights) -> pd.DataFrame:
    """Score of each test frame: columns seed, fold, frame_id, subject, score. Empty if the benchmark was not run."""
    answers = results.read(experiment, "occluded_predictions.csv.gz")
    if answers.empty:
        return pd.DataFrame(columns=["seed", "fold", "frame_id", "subject", "score"])
    return answers[["seed", "fold", "frame_id", "subject"]].assign(score=weighed(answers, weights))


def score(experiment: Experiment, weights: Weights, of: Weights | None = None) -> tuple[float, float, float]:
    """Mean and interval of a score, or of its ratio to the score `of`; as a share.

    Its ends are those of `interval_over`.
    """
    frames = right(experiment, weights)
    return interval_over(experiment, frames, frames["score"], right(experiment, of)["score"] if of else None)


def interval_over(experiment: Experiment, frames: pd.DataFrame, values, of=None) -> tuple[float, float, float]:
    """`stats.pooled`: under `subject` subjects are resampled, under `usage` images; else it is over members.

    No ends where it is over fewer than `FEWEST`, or where the members have two kinds of outcome. Then a ratio is NaN
    too, since a collapsed run keeps all of its few correct answers.
    """
    mean, *ends = pooled(experiment.protocol, frames, values, of)
    if two_kinds(experiment, frames):
        return mean if of is None else np.nan, np.nan, np.nan
    return (mean, *ends) if enough(experiment, frames) else (mean, np.nan, np.nan)


def enough(experiment: Experiment, frames: pd.DataFrame) -> bool:
    """Whether the members of these frames can have an interval: not few, or subjects or images are resampled."""
    return experiment.protocol in RESAMPLED or frames.groupby(["seed", "fold"]).ngroups >= FEWEST


def covered(experiment: Experiment, weights: Weights) -> float:
    """Mean share of the face that the occlusions of a score cover, over the experiment's test frames."""
    shares = results.read(experiment, "occlusion.csv").groupby(["kind", "fill", "level"])["severity"].mean()
    return float(sum(weight * shares[one.kind, one.fill, one.level] for one, weight in weights.items()))


def robustness_table(dataset: str) -> pd.DataFrame:
    """One row per arm and score of `REPORTED`.

    Columns experiment, protocol, label, members, subjects, score, mean, ci_low, ci_high.
    """
    rows = []
    for experiment in arms(dataset):
        asked = right(experiment, SCORES["clean"])
        about = {"experiment": experiment.experiment, "protocol": experiment.protocol, "label": label(experiment)}
        about |= {"members": asked.groupby(["seed", "fold"]).ngroups, "subjects": asked["subject"].nunique()}
        for name, (weights, of) in REPORTED.items():
            ends = zip(("mean", "ci_low", "ci_high"), score(experiment, weights, of), strict=True)
            rows.append({**about, "score": name, **dict(ends)})
    return pd.DataFrame(rows)


def by_kind(experiment: Experiment) -> pd.DataFrame:
    """One row per kind: kind, mean, ci_low, ci_high over its occlusions, and `CLEAN` first, as kind `none`."""
    groups = {"none": {CLEAN: 1.0}, **{kind: of_kind(kind) for kind in KINDS}}
    rows = [(kind, *score(experiment, weights)) for kind, weights in groups.items()]
    return pd.DataFrame(rows, columns=["kind", "mean", "ci_low", "ci_high"])


def by_level(experiment: Experiment) -> pd.DataFrame:
    """One row per kind and level, clear faces first: occlusion, seen, mean, ci_low, ci_high over its fills.

    seen: whether the kind is one of `SHOWN`. Without the targeted occlusions.
    """
    groups = {}
    for one in (CLEAN, *SUITE):
        if one not in TARGETED:
            groups.setdefault((one.kind, one.level), []).append(one)
    rows = []
    for (kind, level), own in groups.items():
        name = "none" if own == [CLEAN] else str(Occlusion(kind, "", level)).rstrip(", ")
        rows.append((name, kind in SHOWN, *score(experiment, equally(own))))
    return pd.DataFrame(rows, columns=["occlusion", "seen", "mean", "ci_low", "ci_high"])


def curve(experiment: Experiment, fill: str) -> pd.DataFrame:
    """Accuracy against the share that random patches of one fill cover: severity, mean, ci_low, ci_high."""
    rows = [(one.level, *score(experiment, {one: 1.0})) for one in under_curve(fill)]
    return pd.DataFrame(rows, columns=["severity", "mean", "ci_low", "ci_high"])


def needed(experiment: Experiment) -> pd.DataFrame:
    """Which part of the face each class needs: emotion, top, left, loss of recall when a grey square covers this cell.

    A cell is a step of the sliding square wide and high. The mean over the places of the square that cover it, all
    members together.
    """
    answers, names = results.read(experiment, "occluded_predictions.csv.gz"), results.class_names(experiment)
    rows = []
    for emotion, own in answers.groupby("label"):
        clean = (own[str(CLEAN)] == emotion).mean()
        lost = {place: clean - (own[window_name(*place)] == emotion).mean() for place in WINDOWS}
        for cell in product(range(0, SIZE, STRIDE), repeat=2):
            over = [loss for (y, x), loss in lost.items() if 0 <= cell[0] - y < WINDOW and 0 <= cell[1] - x < WINDOW]
            rows.append((names[emotion], *cell, np.mean(over).round(12) + 0.0))  # what cancels is 0 everywhere, not -0
    return pd.DataFrame(rows, columns=["emotion", "top", "left", "loss"])


def gain(
    first: Experiment,
    second: Experiment,
    weights: Weights,
    folds: Sequence[int] | None = None,
    without_collapsed: bool = False,
) -> dict:
    """What the first arm gains over the second in a score, and what is paired: `tables.compared`.

    folds: those that count, all by default.
    without_collapsed: leave out collapsed runs.
    """
    frames = [right(arm, weights) for arm in (first, second)]
    if folds is not None:
        frames = [own[own["fold"].isin(folds)] for own in frames]
    if without_collapsed:
        frames = list(map(not_collapsed, (first, second), frames))
    starts = first.pretrained, second.pretrained
    return compared(
        *frames, first, second, started=tuple(s != "none" for s in starts) if len(set(starts)) > 1 else None
    )


def by_protocol(experiments: list[Experiment]) -> dict[str, list[Experiment]]:
    """The experiments of each protocol, from the least to the most exposed split.

    Where subjects or images are pooled, without those that were asked about fewer than another: they do not compare.
    """
    grouped = {name: [one for one in experiments if one.protocol == name] for name in LEAST_EXPOSED}
    for name in RESAMPLED:
        asked = {one: right(one, SCORES["clean"])["frame_id"].nunique() for one in grouped[name]}
        grouped[name] = [one for one, count in asked.items() if count == max(asked.values())]
    return {name: own for name, own in grouped.items() if own}


def recall(experiments: list[Experiment]) -> pd.DataFrame:
    """One row per network, emotion and cover: method, emotion, kind, recall, low, high, n (frames, once per answer)."""
    rows = []
    for arm in experiments:
        names = results.class_names(arm)
        for emotion, own in results.read(arm, "occluded_predictions.csv.gz").groupby("label"):
            for kind, weights in COVERS.items():
                found = interval_over(arm, own, weighed(own, weights))
                rows.append((label(arm), names[emotion], kind, *found, len(own)))
    return pd.DataFrame(rows, columns=["method", "emotion", "kind", "recall", "low", "high", "n"])


def commonest(experiments: list[Experiment]) -> float:
    """Share of the commonest class among the covered test frames: what is right for who always says it."""
    labels = [results.read(one, "occluded_predictions.csv.gz")["label"] for one in experiments]
    return float(pd.concat(labels).value_counts(normalize=True).max())


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`robustness_table` in percent, a column per score, n members; says if training showed the black rectangle."""
    said = [in_cell(row.mean, row.ci_low, row.ci_high, ".1%") for row in table.itertuples()]
    keys = ["protocol", "label", "n"]
    n = [
        members_and_subjects(row.members, row.subjects if row.protocol == "subject" else None)
        for row in table.itertuples()
    ]
    wide = table.assign(said=said, n=n).pivot_table(
        index=keys, columns="score", values="said", aggfunc="first", sort=False
    )
    wide = wide.reset_index().rename_axis(columns=None).rename(columns={"label": "method"})
    wide = wide.sort_values("protocol", key=lambda names: names.map(LEAST_EXPOSED.index), kind="stable")
    seen = ["unseen" if "no occlusion" in method else "seen" for method in wide["method"]]
    wide["black rectangle"] = [f"{value}, {word}" for value, word in zip(wide["black rectangle"], seen, strict=True)]
    return wide
