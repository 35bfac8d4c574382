"""Choosing a recipe without the people it is tested on, and what the chosen one reaches; made from `results/` alone.

For each fold of `subject` the candidates are compared on the people of one other fold, by trainings that saw neither
(protocol `inner`). What is then reported of the fold comes from the candidate that was chosen for it.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.occlusion_benchmark import SUITE
from fer_lib.robustness import SCORES, Weights, equally, right
from fer_lib.splits import FOLDS, fold_count
from fer_lib.stats import subject_gain, subject_ratio
from fer_lib.tables import has_results, label

CRITERION = ("clean", "unseen")
"""A candidate's value is the mean of these two scores."""

AIMS = {
    "clean accuracy": (SCORES["clean"], None, 0.96),
    "kept with 25 % covered by patches": (
        equally([one for one in SUITE if (one.kind, one.level) == ("patches", 0.25)]),
        SCORES["clean"],
        0.90,
    ),
    "kept with the mouth covered": (equally([one for one in SUITE if one.kind == "mouth"]), SCORES["clean"], 0.80),
    "kept with the eyes covered": (equally([one for one in SUITE if one.kind == "eyes"]), SCORES["clean"], 0.80),
}
"""What was aimed for before the first training -> score, of which other score it is the share, and the aim."""


@dataclass(frozen=True)
class Candidate:
    """One recipe, as it is trained on the inner folds and on the folds of `subject`."""

    inner: Experiment
    outer: Experiment


def candidates(dataset: str) -> list[Candidate]:
    """The rows of `experiments.csv` with finished inner folds. Raises ValueError if there is none."""
    rows = [row for row in read_experiments() if row.dataset == dataset]
    found = []
    for inner in rows:
        if inner.protocol == "inner" and has_results(inner) and len(results.finished(inner)) == fold_count("inner"):
            outer = replace(inner, protocol="subject").method
            same = [row for row in rows if replace(row, experiment=inner.experiment).method == outer]
            found += [Candidate(inner, row) for row in same]
    if not found:
        raise ValueError(f"no recipe of {dataset} has all its inner folds; train a row of protocol inner with 01_train")
    return found


def fold_of(subjects: pd.Series) -> pd.Series:
    """The fold of `subject` that tests each subject. subjects: all of the data set, each any number of times."""
    place = {subject: i % FOLDS for i, subject in enumerate(sorted(subjects.unique()))}
    return subjects.map(place)


def chosen_by(fold: int) -> int:
    """The fold whose people choose the recipe for `fold`: the other one of its inner fold."""
    return fold ^ 1


def choices(dataset: str) -> pd.DataFrame:
    """One row per fold of `subject` and candidate: fold, label, people, frames, clean, unseen, value, chosen.

    Scores are those of the people who choose; a tie goes to the candidate that stands first.
    """
    rows = []
    for candidate in candidates(dataset):
        scored = {name: right(candidate.inner, SCORES[name]) for name in CRITERION}
        for fold in range(FOLDS):
            own = {name: frames[fold_of(frames["subject"]) == chosen_by(fold)] for name, frames in scored.items()}
            about = {"people": own["clean"]["subject"].nunique(), "frames": len(own["clean"])}
            values = {name: float(frames["score"].mean()) for name, frames in own.items()}
            row = {"fold": fold, "experiment": candidate.outer.experiment, "label": label(candidate.outer), **about}
            rows.append({**row, **values, "value": np.mean([values[name] for name in CRITERION])})
    table = pd.DataFrame(rows).sort_values("fold", kind="stable", ignore_index=True)
    best = table.groupby("fold")["value"].idxmax()
    return table.assign(chosen=table.index.isin(best))


def chosen_frames(dataset: str, weights: Weights) -> pd.DataFrame:
    """Score of each test frame of `subject` by the recipe that was chosen for its fold: as `robustness.right`."""
    chosen = choices(dataset).query("chosen")
    parts = []
    for candidate in candidates(dataset):
        folds = chosen.loc[chosen["experiment"] == candidate.outer.experiment, "fold"]
        frames = right(candidate.outer, weights)
        parts.append(frames[frames["fold"].isin(folds)])
    return pd.concat(parts)


def reached(dataset: str) -> pd.DataFrame:
    """One row per aim: aim, mean, ci_low, ci_high, wanted, and over how many members, folds, people and frames."""
    rows = []
    for aim, (weights, of, wanted) in AIMS.items():
        frames = chosen_frames(dataset, weights)
        base = chosen_frames(dataset, of)["score"] if of else np.ones(len(frames))
        mean, low, high = subject_ratio(frames["score"], base, frames["subject"])
        row = {"aim": aim, "mean": mean, "ci_low": low, "ci_high": high, "wanted": wanted}
        counts = {"members": frames.groupby(["seed", "fold"]).ngroups, "folds": frames["fold"].nunique()}
        rows.append({**row, **counts, "people": frames["subject"].nunique(), "frames": frames["frame_id"].nunique()})
    return pd.DataFrame(rows)


def gain_over(dataset: str, other: Experiment, weights: Weights) -> dict:
    """What the chosen recipe gains over another experiment of `subject` in a score, paired by people.

    Over the frames of the folds that both have, each network's score averaged over its own initialisations.
    """
    key = ["fold", "frame_id", "subject"]
    mine, theirs = (
        frames.groupby(key, as_index=False)["score"].mean()
        for frames in (chosen_frames(dataset, weights), right(other, weights))
    )
    both = mine.merge(theirs, on=key, suffixes=("_mine", "_theirs"))
    return {**subject_gain(both["score_mine"] - both["score_theirs"], both["subject"]), "folds": both["fold"].nunique()}


def by_sequence(dataset: str) -> tuple[float, float, float]:
    """Accuracy of the chosen recipe by sequence, and its interval over people.

    The probabilities of a sequence's frames are averaged, for each initialisation on its own.
    """
    chosen = choices(dataset).query("chosen")
    parts = []
    for candidate in candidates(dataset):
        folds = chosen.loc[chosen["experiment"] == candidate.outer.experiment, "fold"]
        table = results.read(candidate.outer, "predictions.csv.gz")
        parts.append(table[table["fold"].isin(folds)])
    table = pd.concat(parts)
    sequence = table["frame_id"].str.rsplit("_", n=1).str[0]
    classes = [name for name in table.columns if name.startswith("p_")]
    voted = table.groupby(["seed", sequence]).agg(
        {**dict.fromkeys(classes, "mean"), "label": "first", "subject": "first"}
    )
    correct = voted[classes].to_numpy().argmax(axis=1) == voted["label"]
    return subject_ratio(correct, np.ones(len(correct)), voted["subject"])
