"""What the strong recipe reaches under `subject`, against what was aimed for, the paper's training, and itself changed.

Made from `results/` alone.
"""

from operator import attrgetter

import pandas as pd

from fer_lib import results
from fer_lib.comparisons import COMPARISON
from fer_lib.experiments import Experiment
from fer_lib.findings import followed
from fer_lib.findings.claims import LATE, difference, late
from fer_lib.findings.robustness import gain, right, score
from fer_lib.findings.tables import last_epoch, measured, voted, with_sequences
from fer_lib.occlusion_benchmark import SUITE
from fer_lib.occlusion_scores import SCORES, equally, of_kind
from fer_lib.splits import FOLDS
from fer_lib.stats import cluster_interval
from fer_lib.words.naming import differences, label, part

AIMS = {
    "clean accuracy": (SCORES["clean"], None, 0.96),
    "kept with 25 % covered by patches": (
        equally([one for one in SUITE if (one.kind, one.level) == ("patches", 0.25)]),
        SCORES["clean"],
        0.90,
    ),
    "kept with the mouth covered": (of_kind("mouth"), SCORES["clean"], 0.80),
    "kept with the eyes covered": (of_kind("eyes"), SCORES["clean"], 0.80),
}
"""What was aimed for before the first training: score, of which other score it is the share, and the aim."""

COMPARED = {
    "clean": SCORES["clean"],
    "unseen": SCORES["unseen"],
    "25 % patches": AIMS["kept with 25 % covered by patches"][0],
    "mouth": AIMS["kept with the mouth covered"][0],
    "eyes": AIMS["kept with the eyes covered"][0],
}
"""Scores in which trainings are compared."""

OVER = {name: (SCORES | COMPARED)[name] for name in ("clean", "black rectangle", "25 % patches", "unseen")}
"""Scores in which the recipe is compared with the paper's training, which shows black rectangles."""

BLIND = range(4, FOLDS)
"""The folds of `subject` whose subjects were in no inner fold that was looked at before `recipe` was settled."""

GROUPS = {"all": range(FOLDS), "folds 4 to 9": BLIND}
"""All subjects, and those with no part in choosing the recipe; without them fine-tuning's rate would be the same."""

CAPTION = (
    "Protocol subject, pooled over the test frames of all finished runs; the 95 % interval resamples subjects and does "
    "not cover another initialisation."
)

KEPT = (
    "Kept: accuracy under occlusion, averaged over the fills, as a share of the accuracy on clear faces (in percent). "
    f"{CAPTION}"
)
"""Caption of `reached`."""

BY_KIND = (
    "Accuracy by kind of occlusion, averaged over levels and fills. The 95 % intervals resample subjects and do not "
    "cover another initialisation. Networks may differ in which folds are finished."
)
"""Caption of `robustness.by_kind` under `subject`."""


PLAIN = {"input_path": "plain", "stn_lr_factor": 1.0}
CLEAR, TRIPLET = {"occlusion": "none"}, {"loss": "triplet"}
"""What is changed in the recipe, for `variant`: it has no STN, no occlusion in training, triplet loss."""


def strong(dataset: str) -> Experiment:
    """The strong recipe with STN and mixed occlusion, under `subject`. Raises ValueError if none of it is trained."""
    rows = trained(dataset)
    if not rows:
        raise ValueError(f"the strong recipe was not trained on {dataset} under subject; train its row with 01_train")
    return rows[0]


def changed(dataset: str) -> list[Experiment]:
    """What else than `strong` was trained by the recipe with an STN and mixed occlusion: longer, say."""
    return trained(dataset)[1:]


def trained(dataset: str) -> list[Experiment]:
    """What the strong recipe trained with an STN and mixed occlusion under `subject`, its usual settings first."""
    settings = ("strong", "subject", "stn", "mixed", "softmax", "none")
    of = attrgetter("recipe", "protocol", "input_path", "occlusion", "loss", "pretrained")
    own = [row for row in measured(dataset) if of(row) == settings]
    return sorted(own, key=lambda row: differences(row) != ["strong recipe"])


def variant(recipe: Experiment, **instead) -> Experiment | None:
    """The same training with the values `instead` of some parameters; None if it was not measured."""
    return next((row for row in measured(recipe.dataset) if recipe.is_like(row, **instead)), None)


def reached(experiment: Experiment, aims: dict = AIMS) -> pd.DataFrame:
    """One row per aim, given as `AIMS` are: aim, mean, ci_low, ci_high, wanted, members, subjects."""
    frames = right(experiment, SCORES["clean"])
    counts = {"members": frames.groupby(["seed", "fold"]).ngroups, "subjects": frames["subject"].nunique()}
    rows = []
    for aim, (weights, of, wanted) in aims.items():
        mean, low, high = score(experiment, weights, of)
        rows.append({"aim": aim, "mean": mean, "ci_low": low, "ci_high": high, "wanted": wanted, **counts})
    return pd.DataFrame(rows)


def by_sequence(experiment: Experiment) -> tuple[float, float, float]:
    """Accuracy by sequence, its frames' probabilities averaged within each member, and its interval over subjects."""
    return cluster_interval(voted(with_sequences(experiment), ["seed", "fold", "sequence"]), "sequence")


def compared(first: Experiment, second: Experiment, scores: dict) -> pd.DataFrame:
    """What the first training gains over the second, paired by subjects over what `comparisons.paired_frames` pairs.

    A row per group of subjects (`GROUPS`) and score: subjects, score, and the columns of `COMPARISON`; a group
    of all subjects stands there once.
    """
    rows = [
        {"subjects": subjects, "score": name, **gain(first, second, weights, folds)}
        for subjects, folds in GROUPS.items()
        for name, weights in scores.items()
    ]
    return pd.DataFrame(rows).query("n > 0")[["subjects", "score", *COMPARISON]].drop_duplicates(["score", *COMPARISON])


def over_the_paper(experiment: Experiment) -> pd.DataFrame:
    """What it gains over the paper's arms with the same loss, paired by subjects, over the folds that both have.

    One row per arm and score of `OVER`: label, score, the columns of `COMPARISON`, and on clear faces of `claims.LATE`.
    """
    rows = []
    for arm in measured(experiment.dataset):
        same = (arm.protocol, arm.backbone, arm.loss) == ("subject", experiment.backbone, experiment.loss)
        if same and part(arm) in ("Table 2", "no occlusion"):
            found = {"clean": difference(experiment, arm) | late(experiment, arm)}
            found |= {name: gain(experiment, arm, weights) for name, weights in OVER.items() if name != "clean"}
            rows += [{"label": label(arm), "score": name, **one} for name, one in found.items() if one["n"]]
    return pd.DataFrame(rows, columns=["label", "score", *COMPARISON, *LATE])


def the_papers(dataset: str, loss: str = "softmax") -> Experiment | None:
    """The paper's network with occlusion in training, under `subject`; None if it was not measured.

    With triplet loss the one with a slow STN, see `followed.labels`.
    """
    name = dict(zip(("softmax", "triplet"), followed.labels(), strict=True))[loss]
    return next((row for row in measured(dataset) if (row.protocol, label(row)) == ("subject", name)), None)


def active_triplets(experiment: Experiment) -> float:
    """Share of the training triplets that the loss still moves in the last epoch, mean over the members."""
    return float(last_epoch(experiment)["active_triplets"].mean())


def on_all_folds(experiment: Experiment, table: str = "metrics.csv") -> bool:
    """Whether a table holds every fold of subjects: results on other subjects are not compared."""
    return results.read(experiment, table)["fold"].nunique() >= experiment.folds
