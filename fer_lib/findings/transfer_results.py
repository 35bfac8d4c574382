"""What FER2013 teaches for CK+, and the other way round; from `results/` alone, in words in `transfer_wording`.

Fine-tuned: training on CK+ starts from the weights that the same network and recipe were trained to on FER2013. Under
`subject` subjects are resampled; the faces of FER2013 are resampled one by one.
"""

from collections import Counter

import numpy as np
import pandas as pd

from fer_lib import results
from fer_lib.evaluation import macro_f1
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.findings import recipe_results
from fer_lib.findings.tables import has_results
from fer_lib.measures import transfer
from fer_lib.measures.references import METHODS
from fer_lib.occlusion_scores import SCORES, equally, of_kind
from fer_lib.stats import cluster_interval, cluster_ratio
from fer_lib.words.naming import COVERED_START, LONG_START, USUAL, USUAL_START, label

AIMS = recipe_results.AIMS | {"clean accuracy": (SCORES["clean"], None, 0.985)}
"""What was aimed for before the first fine-tuning; under occlusion as much as for the recipe itself."""

IMITATED = ("patches", "mouth", "lower")
"""The unseen kinds of occlusion that heavy occlusion is much like: its pieces the first, its wide rectangle the rest.
"""

APART = {f"{half} half": of_kind(half) for half in ("upper", "lower")} | {
    "salt and pepper": of_kind("salt and pepper"),
    "unseen, no noise": equally([one for one in SCORES["unseen"] if one.kind != "salt and pepper"]),
    "unseen, imitated": equally([one for one in SCORES["unseen"] if one.kind in IMITATED]),
    "unseen, not imitated": equally([one for one in SCORES["unseen"] if one.kind not in IMITATED]),
}
"""Scores that tell whether a training that covers one part of the face is robust where it covers another."""

FEATURES = {transfer.TRAINED: "frozen FER2013 features", transfer.UNTRAINED: "frozen untrained features"}

CLASSIFIERS = {"linear": "linear classifier", "5 nearest": "5-NN"}

WEIGHTS = {
    "none": "scratch",
    USUAL_START: "FER2013's weights",
    LONG_START: "FER2013's weights of 150 epochs",
    COVERED_START: "FER2013's weights under heavy occlusion",
}
"""What training starts from -> in words."""

STARTS_IN_SHORT = {USUAL_START: "20 epochs", LONG_START: "150 epochs", COVERED_START: "20 epochs, heavy occlusion"}
"""How FER2013's weights were trained, in a figure."""


def fine_tuned(start: str = USUAL_START, occlusion: str = "mixed") -> list[Experiment]:
    """The trained networks that were fine-tuned from a row of FER2013 under `subject`, with this occlusion."""
    wanted = ("ckplus", "subject", start, occlusion)
    rows = read_experiments()
    found = [row for row in rows if (row.dataset, row.protocol, row.pretrained, row.occlusion) == wanted]
    return [row for row in found if has_results(row)]


def tuned(start: str = USUAL_START) -> Experiment:
    """Those under mixed occlusion. Raises ValueError if none is trained."""
    found = fine_tuned(start)
    if not found:
        raise ValueError(f"nothing was fine-tuned from {start} on ckplus under subject; train its row with 01_train")
    return found[0]


def heavily_covered() -> list[Experiment]:
    """Those under heavy occlusion, where there is the like under mixed occlusion to compare with."""
    return [row for start in WEIGHTS if fine_tuned(start) for row in fine_tuned(start, "heavy")]


def ladder() -> pd.DataFrame:
    """Accuracy on unseen subjects, from references without learned features to networks trained on both data sets.

    A row per method: method, mean, ci_low, ci_high, macro_f1, members (with the splits of a reference), subjects.
    """
    references = results.of_data_set("ckplus", "reference_predictions.csv.gz")
    references = references[references["protocol"] == "subject"]
    rows = [_row(name, references[references["method"] == name]) for name in METHODS[1:]]
    for (features, by), own in transfer.read("frozen").groupby(["features", "classifier"], sort=False):
        rows.append(_row(f"{FEATURES[features]}, {CLASSIFIERS[by]}", own))
    rows.sort(key=lambda row: row["mean"])
    fine = (tuned(), *fine_tuned(LONG_START), *heavily_covered())
    for experiment in (recipe_results.the_papers("ckplus"), recipe_results.strong("ckplus"), *fine):
        if experiment:
            rows.append(_row(named(experiment), results.read(experiment, "predictions.csv.gz")))
    return pd.DataFrame(rows)


def named(experiment: Experiment) -> str:
    """The experiment as this page calls it."""
    without = ", without STN" * (experiment.input_path == "plain")
    if experiment.recipe == "paper":
        slower = ", slow STN" * (experiment.stn_lr_factor < 1)
        return f"the paper's network with {experiment.loss}{slower}{without}"
    start = WEIGHTS.get(experiment.pretrained, experiment.pretrained)
    differs = [experiment.loss] * (experiment.loss != "softmax")
    differs += [f"{experiment.occlusion} occlusion"] * (experiment.occlusion != "mixed")
    longer = experiment.pretrained == "none" and experiment.epochs > USUAL["strong"].epochs
    differs += [f"{experiment.epochs} epochs"] * longer
    return ", ".join(["strong recipe", f"from {start}", *differs]) + without


def names(experiments: list[Experiment]) -> dict[Experiment, str]:
    """Each experiment as this page calls it; by its label where others have the same name."""
    found = {one: named(one) for one in experiments}
    counts = Counter(found.values())
    return {one: name if counts[name] == 1 else label(one) for one, name in found.items()}


def _row(name: str, predictions: pd.DataFrame) -> dict:
    mean, low, high = cluster_interval(predictions)
    counts = {"members": predictions.groupby(["seed", "fold"]).ngroups, "subjects": predictions["subject"].nunique()}
    return {"method": name, "mean": mean, "ci_low": low, "ci_high": high, "macro_f1": macro_f1(predictions), **counts}


def compared(first: Experiment, second: Experiment) -> pd.DataFrame:
    """`recipe_results.compared` in its scores and in `APART`."""
    return recipe_results.compared(first, second, recipe_results.COMPARED | APART)


def directions() -> pd.DataFrame:
    """Zero-shot accuracy on the other data set, a row per direction.

    Columns direction, n (networks), faces, subjects, classes, commonest (share of the commonest class), mean, ci_low,
    ci_high (among the shared classes), free (share correct if the network may predict any class that it knows).
    """
    rows = []
    for direction, own in transfer.read("zero_shot").groupby("direction", sort=False):
        unit = "subject" if (own["subject"] != "").all() else "frame_id"
        mean, low, high = cluster_ratio(own["label"] == own["prediction"], own[unit])
        rows.append(
            {
                "direction": direction,
                "n": own.groupby(["seed", "fold"]).ngroups,
                "faces": own["frame_id"].nunique(),
                "subjects": own["subject"].nunique() if unit == "subject" else np.nan,
                "classes": own["label"].nunique(),
                "commonest": own["label"].value_counts(normalize=True).iloc[0],
                "mean": mean,
                "ci_low": low,
                "ci_high": high,
                "free": (own["label"] == own["free"]).mean(),
            }
        )
    return pd.DataFrame(rows)


def zero_shot_confusions() -> dict[str, pd.DataFrame]:
    """Direction -> predictions by true (rows) and predicted shared class, all networks pooled."""
    found = {}
    for direction, own in transfer.read("zero_shot").groupby("direction", sort=False):
        classes = sorted(own["label"].unique())
        counts = pd.crosstab(own["label"], own["prediction"]).rename_axis("true")
        found[direction] = counts.reindex(index=classes, columns=classes, fill_value=0)
    return found
