"""The study's tables, computed from `results/` alone."""

import numpy as np
import pandas as pd
import torch

from fer_lib import paths, results
from fer_lib.comparisons import WITHOUT_ENDS, arms_gain, paired_on
from fer_lib.evaluation import macro_f1
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.network import Network, parameter_count
from fer_lib.stats import by_training, mean_interval, pooled
from fer_lib.words.naming import label, part, printed

COLLAPSED = 0.9
"""A member has collapsed if more than this share of its sampling grid is outside the image in the last epoch.

With half of the grid outside, a network can still recognise the face.
"""


LOOKS = 5
"""Number of last evaluated epochs over which `late_accuracy` averages."""


def measured(dataset: str) -> list[Experiment]:
    """The experiments in `experiments.csv` for `dataset` with a finished member of this version of the method.

    Without protocol `inner`, which is only for selection. Raises ValueError if there is none.
    """
    rows = [row for row in read_experiments() if row.dataset == dataset and row.protocol != "inner"]
    rows = [row for row in rows if has_results(row)]
    if not rows:
        raise ValueError(f"no finished experiment of {dataset} in {paths.RESULTS / dataset}; train one with 01_train")
    return rows


def trained_apart(dataset: str) -> list[Experiment]:
    """`measured` without those that differ from another in the classifier alone, which have its networks."""
    rows, usual = measured(dataset), {"classifier": "knn"}
    return [row for row in rows if not any(row != other and row.is_like(other, **usual) for other in rows)]


def has_results(experiment: Experiment) -> bool:
    """Whether it has a finished member with exactly these parameters."""
    run = results.read_run(experiment)
    return bool(run and results.finished(experiment)) and not results.conflicts(experiment, run)


def accuracy_table(dataset: str) -> pd.DataFrame:
    """One row per measured experiment, at full precision; accuracies and similar columns are shares.

    Under `subject` and `usage` the mean is pooled over all test frames and the interval resamples subjects or images;
    under the other protocols mean and interval are over members. There is no interval if some members collapsed and
    some did not, since the mean then mixes two kinds of outcome. `collapsed` counts the collapsed members,
    `collapsed_mean` is the share of their answers that are right and `kept_mean` that of the others. `worst_class` is
    the emotion with the lowest recall over all members. `oracle_gain`: gain of the best evaluated epoch on the test
    frames over the last, mean over members, under `subject` over folds; `trainings` counts what its interval is over.
    """
    rows = []
    for experiment in measured(dataset):
        metrics = results.read(experiment, "metrics.csv")
        predictions = results.read(experiment, "predictions.csv.gz")
        right = predictions["label"] == predictions["prediction"]
        mean, low, high = pooled(experiment.protocol, predictions, right)
        if two_kinds(experiment, metrics[["seed", "fold"]]):
            low = high = np.nan
        away = has_collapsed(experiment, predictions)
        classes = results.class_names(experiment)
        recall = right.groupby(predictions["label"]).mean()
        gains = by_training(experiment.protocol, oracle_gain(experiment))
        gain, gain_low, gain_high = mean_interval(gains)
        rows.append(
            {
                "experiment": experiment.experiment,
                "protocol": experiment.protocol,
                "part": part(experiment),
                "label": label(experiment),
                "mean": mean,
                "ci_low": low,
                "ci_high": high,
                "n": len(metrics),
                "of": max(len(experiment.members), len(metrics)),
                "macro_f1": macro_f1(predictions),
                "worst_class": classes[recall.idxmin()],
                "worst_recall": recall.min(),
                "oracle_gain": gain,
                "oracle_low": gain_low,
                "oracle_high": gain_high,
                "trainings": len(gains),
                "occluded": _pooled_occluded(experiment),
                "collapsed": len(collapsed(experiment)),
                "collapsed_mean": right[away].mean(),
                "kept_mean": right[~away].mean(),
                "printed": printed(experiment),
                "parameters": weights(experiment, len(classes)),
                **training_cost(experiment),
            }
        )
    return pd.DataFrame(rows)


def weights(experiment: Experiment, classes: int) -> int:
    """Number of trainable weights of the experiment's network."""
    with torch.device("meta"):  # to be counted, they need no values
        return parameter_count(Network(experiment.backbone, experiment.input_path, experiment.head_layers, classes))


def training_cost(experiment: Experiment) -> dict:
    """Medians of frames_per_second and train_seconds on the device that trained most members, and that device."""
    run = results.read_run(experiment)
    timing = pd.DataFrame([{"device": run["device"], **one} for one in run["members"].values()])
    device = timing["device"].mode().iloc[0]
    own = timing[timing["device"] == device]
    return {**own[["frames_per_second", "train_seconds"]].median(), "device": device}


def occluded(experiment: Experiment) -> pd.DataFrame:
    """Rows of `occlusion.csv` for the paper's own occlusion, a black rectangle."""
    table = results.read(experiment, "occlusion.csv")
    return table[(table["kind"] == "rectangle") & (table["fill"] == "black")]


def _pooled_occluded(experiment: Experiment) -> float:
    folds = occluded(experiment).groupby("fold")[["accuracy", "n"]].mean()  # each once, however often it was trained
    return (folds["accuracy"] * folds["n"]).sum() / folds["n"].sum()


def oracle_gain(experiment: Experiment) -> pd.Series:
    """Each member's best test accuracy of all evaluated epochs minus that of the last, indexed by seed and fold."""
    watched = results.read(experiment, "history.csv").groupby(["seed", "fold"])["test_accuracy"]
    return watched.max() - watched.last()


def late_accuracy(experiment: Experiment) -> pd.Series:
    """Each member's mean test accuracy over its last `LOOKS` evaluated epochs, indexed by seed and fold.

    The last epoch alone depends on where a fluctuating training run stops; the best is selected on the test frames.
    """
    watched = results.read(experiment, "history.csv").dropna(subset="test_accuracy")
    return watched.groupby(["seed", "fold"])["test_accuracy"].agg(lambda own: own.tail(LOOKS).mean())


def by_label(dataset: str, protocol: str) -> dict[str, Experiment]:
    """Label -> the measured experiments of a protocol."""
    return {label(row): row for row in measured(dataset) if row.protocol == protocol}


def last_epoch(experiment: Experiment) -> pd.DataFrame:
    """Rows of `history.csv` for each member's last epoch."""
    table = results.read(experiment, "history.csv")
    return table[table["epoch"] == experiment.epochs]


def collapsed(experiment: Experiment) -> set[tuple[int, int]]:
    """Seed and fold of each collapsed member."""
    last = last_epoch(experiment)
    away = last[last["grid_outside"] > COLLAPSED]
    return set(away[["seed", "fold"]].itertuples(index=False, name=None))


def has_collapsed(experiment: Experiment, rows: pd.DataFrame) -> np.ndarray:
    """Which rows are of a collapsed member, bool; rows: columns seed and fold."""
    away = collapsed(experiment)
    return np.array([member in away for member in zip(rows["seed"], rows["fold"], strict=True)], dtype=bool)


def two_kinds(experiment: Experiment, members: pd.DataFrame) -> bool:
    """Whether some of the members collapsed and others did not; members: columns seed and fold."""
    return len(set(has_collapsed(experiment, members))) == 2


def not_collapsed(experiment: Experiment, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the members that did not collapse; rows: columns seed and fold."""
    return rows[~has_collapsed(experiment, rows)]


def of_one_kind(found: dict, *used: tuple[Experiment, pd.DataFrame]) -> dict:
    """The comparison `found`, without interval if an arm has both collapsed and other members.

    used: the arms, each with its members in the comparison, columns seed and fold.
    """
    return found | WITHOUT_ENDS if any(two_kinds(arm, members) for arm, members in used) else found


def compared(first: pd.DataFrame, second: pd.DataFrame, *arms: Experiment, started=None) -> dict:
    """`COMPARISON` of two arms' scores (`comparisons.paired_frames`), without interval as in `of_one_kind`.

    arms: the experiments; only the first if the second is a reference without a network. Where folds have their own
    trainings, `pairs` counts the runs. started: as `comparisons.arms_gain`.
    """
    found = arms_gain(arms[0].protocol, first, second, started)
    used = members_used(arms[0].protocol, first, second)[: len(arms)]
    if arms[0].protocol == "subject":
        found["pairs"] += f" ({' and '.join(str(len(own)) for own in used)} runs)"
    return of_one_kind(found, *zip(arms, used, strict=True))


def members_used(protocol: str, first: pd.DataFrame, second: pd.DataFrame) -> list[pd.DataFrame]:
    """The members of two arms that a comparison uses: columns seed and fold, which the rows of both arms have."""
    each, on = [rows[["seed", "fold"]].drop_duplicates() for rows in (first, second)], paired_on(protocol)
    shared = each[0][on].merge(each[1][on]).drop_duplicates()
    return [members.merge(shared) for members in each]


def confusion_counts(experiment: Experiment) -> pd.DataFrame:
    """Test frames by true (rows) and predicted class (columns), both named, summed over the members."""
    predictions, names = results.read(experiment, "predictions.csv.gz"), results.class_names(experiment)
    counts = pd.crosstab(predictions["label"], predictions["prediction"])
    counts = counts.reindex(index=range(len(names)), columns=range(len(names)), fill_value=0)
    return counts.set_axis(pd.Index(names, name="true")).set_axis(names, axis=1)


def with_members(table: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """One row per member: its seed, fold and accuracy, and mean and interval of its row of `accuracy_table`."""
    columns = ["experiment", "protocol", "label", "mean", "ci_low", "ci_high", "n", "printed"]
    metrics = [results.read(row, "metrics.csv").assign(experiment=row.experiment) for row in measured(dataset)]
    return table[columns].merge(pd.concat(metrics)[["experiment", "seed", "fold", "accuracy"]], on="experiment")


def learning_curves(experiments: list[Experiment]) -> pd.DataFrame:
    """Mean and range over the members: protocol, method, quantity, collapsed, epoch, mean, min, max.

    quantity: loss, grid_outside, and test_accuracy at the evaluated epochs. Collapsed members have curves of their own.
    """
    curves = []
    for experiment in experiments:
        history = results.read(experiment, "history.csv")
        history["collapsed"] = has_collapsed(experiment, history)
        for quantity in ("loss", "test_accuracy", "grid_outside"):
            watched = history.dropna(subset=quantity).groupby(["collapsed", "epoch"])[quantity]
            curve = watched.agg(["mean", "min", "max"]).reset_index()
            about = pd.DataFrame({"protocol": experiment.protocol, "method": label(experiment)}, index=curve.index)
            curves.append(about.assign(quantity=quantity).join(curve))
    return pd.concat(curves, ignore_index=True)


def with_sequences(experiment: Experiment) -> pd.DataFrame:
    """Its predictions with the sequence of each frame."""
    table = results.read(experiment, "predictions.csv.gz")
    return table.assign(sequence=sequence(table["frame_id"]))


def sequence(frame_ids: pd.Series) -> pd.Series:
    """The part of each frame_id before the last underscore: the sequence in CK+, synthetic faces and own faces."""
    return frame_ids.astype(str).str.rsplit("_", n=1).str[0]


def voted(predictions: pd.DataFrame, by) -> pd.DataFrame:
    """Predictions from mean probabilities over each group of rows: subject, label, prediction.

    predictions: as `predictions.csv.gz`. by: as in `DataFrame.groupby`; subject and label must be constant in a group.
    """
    classes = [name for name in predictions.columns if name.startswith("p_")]
    grouped = predictions.groupby(by)
    said = grouped[classes].mean().to_numpy().argmax(axis=1)
    return grouped[["subject", "label"]].first().assign(prediction=said).reset_index()


def unfinished(dataset: str) -> pd.DataFrame:
    """Experiments in `experiments.csv` with unfinished members: part, protocol, label, missing, of."""
    rows = []
    for row in (row for row in read_experiments() if row.dataset == dataset):
        done = len(results.finished(row)) if has_results(row) else 0
        if done < len(row.members):
            rows.append((part(row), row.protocol, label(row), len(row.members) - done, len(row.members)))
    return pd.DataFrame(rows, columns=["part", "protocol", "label", "missing", "of"])
