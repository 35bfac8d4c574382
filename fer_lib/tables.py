"""The study's tables, made from `results/` alone."""

from dataclasses import replace

import numpy as np
import pandas as pd

from fer_lib import paths, results
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.network import Network, parameter_count
from fer_lib.stats import mean_interval, paired_difference, subject_interval

LOST = 0.5
"""A member has lost the face if more than this share of its sampling grid lies outside the image in the last epoch."""

CLAIMS = {
    "the cut ResNet beats ResNet-18": (
        0.0209,
        {"backbone": "resnet10", "loss": "softmax"},
        {"backbone": "resnet18"},
    ),
    "triplet loss beats softmax": (
        0.0048,
        {"backbone": "resnet10", "loss": "triplet"},
        {"loss": "softmax", "mining": "random", "normalise": False},
    ),
}
"""Section 4 of Kim et al. 2022: claim -> printed gain, what the better arm has, what the worse arm has instead."""


SETTINGS = {
    "head_layers": "head layers",
    "stn_lr_factor": "STN rate ×",
    "mining": "mining",
    "margin": "margin",
    "normalise": "normalised",
    "classifier": "classifier",
    "occlusion": "occlusion",
    "epochs": "epochs",
    "batch_size": "batch",
    "lr": "lr",
}
"""What the paper sets once for all its arms, in words."""


def differences(experiment: Experiment) -> list[str]:
    """In which settings the experiment differs from the paper's, in words; none for the paper's own."""
    paper, differs = Experiment(experiment="paper"), []
    for name, words in SETTINGS.items():
        value = getattr(experiment, name)
        if value != getattr(paper, name):
            differs.append({True: words, False: f"no {words}"}[value] if type(value) is bool else f"{words} {value}")
    return differs


def label(experiment: Experiment) -> str:
    """The experiment in words: STN + ResNet-10 + triplet, and what differs from the paper's setting."""
    parts = {"stn": ["STN"], "dual": ["STN and input"], "plain": []}[experiment.input_path]
    parts += [experiment.backbone.replace("resnet", "ResNet-"), experiment.loss]
    differs = ", ".join(differences(experiment))
    return " + ".join(parts) + (f" ({differs})" if differs else "")


def printed(experiment: Experiment) -> float:
    """The paper's accuracy for this arm, a share; NaN unless the experiment has the paper's data and settings."""
    if experiment.dataset != "ckplus" or experiment.input_path != "stn" or differences(experiment):
        return float("nan")
    published = pd.read_csv(paths.NOTEBOOKS / "published.csv").set_index(["backbone", "loss"])["accuracy"]
    return published.get((experiment.backbone, experiment.loss), float("nan")) / 100


def measured(dataset: str) -> list[Experiment]:
    """The rows of `experiments.csv` for `dataset` that have a finished member of this version of the method.

    Raises ValueError if there is none.
    """
    rows = [row for row in read_experiments() if row.dataset == dataset]
    rows = [row for row in rows if results.finished(row) and not results.conflicts(row, results.read_run(row))]
    if not rows:
        raise ValueError(f"no finished experiment of {dataset} in {paths.RESULTS / dataset}; train one with 01_train")
    return rows


def accuracy_table(dataset: str) -> pd.DataFrame:
    """One row per measured experiment, at full precision; accuracies and their like are shares.

    Under `subject` the mean is pooled over all tested frames and the interval resamples subjects; under the other
    protocols mean and interval are over members. `lost` counts the
    members whose transformer has lost the face, `kept_mean` is the mean accuracy of the others.
    """
    rows = []
    for experiment in measured(dataset):
        metrics = results.read(experiment, "metrics.csv")
        if experiment.protocol == "subject":
            mean, low, high = subject_interval(results.read(experiment, "predictions.csv.gz"))
        else:
            mean, low, high = mean_interval(metrics["accuracy"])
        lost = set(
            last_epoch(experiment).query("grid_outside > @LOST")[["seed", "fold"]].itertuples(index=False, name=None)
        )
        kept = [(row.seed, row.fold) not in lost for row in metrics.itertuples()]
        network = Network(experiment.backbone, experiment.input_path, experiment.head_layers)
        timing = pd.DataFrame(results.read_run(experiment)["members"]).T
        rows.append(
            {
                "experiment": experiment.experiment,
                "protocol": experiment.protocol,
                "label": label(experiment),
                "mean": mean,
                "ci_low": low,
                "ci_high": high,
                "n": len(metrics),
                "of": len(experiment.members),
                "macro_f1": metrics["macro_f1"].mean(),
                "occluded": occluded(experiment)["accuracy"].mean(),
                "lost": len(lost),
                "kept_mean": metrics.loc[kept, "accuracy"].mean(),
                "printed": printed(experiment),
                "parameters": parameter_count(network),
                "frames_per_second": timing["frames_per_second"].median(),
                "train_seconds": timing["train_seconds"].median(),
            }
        )
    return pd.DataFrame(rows)


def history(experiment: Experiment) -> pd.DataFrame:
    """`history.csv` with a column `member`."""
    table = results.read(experiment, "history.csv")
    return table.assign(
        member=[f"seed{seed}-fold{fold}" for seed, fold in zip(table["seed"], table["fold"], strict=True)]
    )


def occluded(experiment: Experiment) -> pd.DataFrame:
    """The rows of `occlusion.csv` under the paper's own occlusion, a black rectangle."""
    table = results.read(experiment, "occlusion.csv")
    return table[(table["kind"] == "rectangle") & (table["fill"] == "black")]


def last_epoch(experiment: Experiment) -> pd.DataFrame:
    """The rows of `history.csv` of each member's last epoch."""
    table = results.read(experiment, "history.csv")
    return table[table["epoch"] == experiment.epochs]


def confusion_counts(experiment: Experiment, classes: int) -> pd.DataFrame:
    """Test frames by true (rows) and predicted class (columns), summed over the members."""
    predictions = results.read(experiment, "predictions.csv.gz")
    counts = pd.crosstab(predictions["label"], predictions["prediction"])
    return counts.reindex(index=range(classes), columns=range(classes), fill_value=0)


def claims_table(dataset: str) -> pd.DataFrame:
    """The paper's claims beside the paired differences between arms that differ in nothing else.

    One row per claim, protocol and setting for which both arms are measured; `verdict` follows from the interval alone.
    """
    arms = measured(dataset)
    rows = []
    for claim, (gain, has, instead) in CLAIMS.items():
        for better in arms:
            if any(getattr(better, name) != value for name, value in has.items()):
                continue
            for worse in arms:
                if replace(better, experiment=worse.experiment, **instead).method == worse.method:
                    pair = {"claim": claim, "protocol": better.protocol, "better": label(better), "worse": label(worse)}
                    difference = paired_difference(accuracies(better), accuracies(worse))
                    said = verdict(difference["ci_low"], difference["ci_high"])
                    rows.append({**pair, "printed": gain, **difference, "verdict": said})
    columns = [
        "claim",
        "protocol",
        "better",
        "worse",
        "printed",
        "difference",
        "ci_low",
        "ci_high",
        "p",
        "n",
        "verdict",
    ]
    return pd.DataFrame(rows, columns=columns)


def member_accuracies(dataset: str) -> list[np.ndarray]:
    """Each member's accuracy, for every row of `accuracy_table`."""
    return [accuracies(experiment).to_numpy() for experiment in measured(dataset)]


def accuracies(experiment: Experiment) -> pd.Series:
    """Each member's accuracy after the last epoch, indexed by seed and fold."""
    return results.read(experiment, "metrics.csv").set_index(["seed", "fold"])["accuracy"]


def verdict(low: float, high: float) -> str:
    """What the interval of a claimed gain says of its direction."""
    if low > 0:
        return "supported"
    return "contradicted" if high < 0 else "not resolvable"
