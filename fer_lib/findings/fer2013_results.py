"""What the networks trained on FER2013 score, beside what its images and labels allow; from `results/` alone.

Under protocol `usage` all members are tested on the same PrivateTest images, so intervals resample images. A function
that takes a data set serves `ferplus` too.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from fer_lib import results
from fer_lib.comparisons import cluster_gain
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.findings import quality, tables
from fer_lib.measures import votes
from fer_lib.stats import LEVEL, cluster_ratio
from fer_lib.words import naming

DATASET = "fer2013"

SOFTMAX = replace(naming.USUAL_ON_FER2013["paper"], dataset=DATASET, protocol="usage", loss="softmax")
"""The paper's network with softmax, as FER2013's images train it; beside it, what others lack."""
NO_OCCLUSION, PLAIN = replace(SOFTMAX, occlusion="none"), replace(SOFTMAX, input_path="plain", stn_lr_factor=1.0)

BINS = 15
"""Bins of confidence in the calibration error (Guo et al. 2017)."""

NEAR_MARGIN = 0.9
"""A network whose triplet loss ends above this share of its margin is not trained enough to judge the loss by it: one
that puts all faces on one point pays the whole margin."""

UNTRAINED = "not trained enough"
"""The verdict on a comparison with such a network."""


def is_trained(dataset: str = DATASET) -> bool:
    """Whether any network has a finished member under `usage`."""
    listed = (row for row in read_experiments() if (row.dataset, row.protocol) == (dataset, "usage"))
    return any(map(tables.has_results, listed))


def arms(dataset: str = DATASET) -> dict[str, Experiment]:
    """Label -> the measured experiments under `usage`. Raises ValueError if there is none."""
    return tables.by_label(dataset, "usage")


def followed(table: pd.DataFrame, *others: Experiment) -> dict[str, Experiment]:
    """Label -> the few networks of a figure: `SOFTMAX`, `others`, and the `best` of `scores`, where trained."""
    trained = arms()
    names = [*map(naming.label, (SOFTMAX, *others)), best(table)["label"]]
    return {name: trained[name] for name in names if name in trained}


def best(table: pd.DataFrame) -> pd.Series:
    """The row of `scores` that is highest on PublicTest after the last epoch."""
    return table.loc[table["selection"].idxmax()]


def reliability(table: pd.DataFrame) -> pd.DataFrame:
    """How often predictions are right at each confidence: frames, confidence, accuracy; a row a bin that is used.

    table: rows of `predictions.csv.gz`.
    """
    sure = table.filter(regex="^p_").max(axis=1)
    right = pd.DataFrame({"confidence": sure, "accuracy": table["prediction"] == table["label"]})
    bins = right.groupby((sure * BINS).astype(int).clip(upper=BINS - 1))
    return bins.mean().assign(frames=bins.size()).reset_index(drop=True)


def calibration_error(experiment: Experiment) -> float:
    """Expected calibration error, mean over members: the distance of confidence from accuracy over bins, by frames.

    Of pooled members the errors would cancel where one is too sure and another not sure enough.
    """
    table = results.read(experiment, "predictions.csv.gz")
    bins = [reliability(own) for _, own in table.groupby(["seed", "fold"])]
    return np.mean([np.average((own["confidence"] - own["accuracy"]).abs(), weights=own["frames"]) for own in bins])


def chosen_epochs(experiment: Experiment) -> pd.DataFrame:
    """For each member the epoch that is best on PublicTest, the first of equals, with its history's row."""
    history = results.read(experiment, "history.csv")
    best = history.groupby(["seed", "fold"])["selection_accuracy"].idxmax()
    return history.loc[best].reset_index(drop=True)


def selection(experiment: Experiment) -> float:
    """Accuracy on PublicTest after the last epoch, mean over members."""
    return float(tables.last_epoch(experiment)["selection_accuracy"].mean())


def ensemble(experiment: Experiment) -> tuple[float, float, float]:
    """Accuracy of the members' mean probabilities with its ends, images resampled; NaN with a single member."""
    table = results.read(experiment, "predictions.csv.gz")
    if table.groupby(["seed", "fold"]).ngroups < 2:
        return np.nan, np.nan, np.nan
    together = tables.voted(table, ["frame_id"])
    right = together["prediction"] == together["label"]
    return cluster_ratio(right, together["frame_id"])


def scores(dataset: str = DATASET) -> pd.DataFrame:
    """`tables.accuracy_table` and, a column each: epochs, selection, chosen (mean epoch by PublicTest), at_chosen,
    mirrored, ten_crops (NaN where members lack it), ensemble with ensemble_low and ensemble_high, calibration_error,
    lowest and highest (of the members).
    """
    table = tables.accuracy_table(dataset).query("protocol == 'usage'").reset_index(drop=True)
    rows = []
    for experiment in arms(dataset).values():
        chosen, metrics = chosen_epochs(experiment), results.read(experiment, "metrics.csv")
        crops = metrics.get("ten_crop_accuracy", pd.Series(dtype=float))
        rows.append(
            {
                "epochs": experiment.epochs,
                "selection": selection(experiment),
                "chosen": chosen["epoch"].mean(),
                "at_chosen": chosen["test_accuracy"].mean(),
                "mirrored": metrics["mirrored_accuracy"].mean(),
                "ten_crops": crops.mean(skipna=False),
                **dict(zip(("ensemble", "ensemble_low", "ensemble_high"), ensemble(experiment), strict=True)),
                "calibration_error": calibration_error(experiment),
                **metrics["accuracy"].agg(lowest="min", highest="max"),
            }
        )
    return table.join(pd.DataFrame(rows))


def beside_printed(table: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """Those of `quality.published` and of `scores`, the highest first: method, share, low, high, ours."""
    ours = table.rename(columns={"label": "method", "mean": "share", "ci_low": "low", "ci_high": "high"})
    columns = ["method", "share", "low", "high", "ours"]
    both = pd.concat([printed[columns], ours.assign(ours=True)[columns]]) if len(ours) else printed[columns]
    return both.sort_values("share", ascending=False, ignore_index=True)


def curves() -> pd.DataFrame:
    """Accuracy in each epoch, mean over members, a row per method, part and epoch."""
    names = {"train_accuracy": "Training", "selection_accuracy": "PublicTest", "test_accuracy": "PrivateTest"}
    parts = []
    for name, experiment in arms().items():
        history = results.read(experiment, "history.csv").groupby("epoch")[list(names)].mean()
        long = history.rename(columns=names).melt(ignore_index=False, var_name="part", value_name="accuracy")
        parts.append(long.reset_index().assign(method=name))
    return pd.concat(parts, ignore_index=True)[["method", "part", "epoch", "accuracy"]]


def recalls(methods: dict[str, Experiment]) -> pd.DataFrame:
    """For each method and class: recall, low, high (images resampled), and n, its PrivateTest images."""
    rows = []
    for name, experiment in methods.items():
        table = results.read(experiment, "predictions.csv.gz")
        classes = results.class_names(experiment)
        for k, own in table.groupby("label"):
            right = own["prediction"] == own["label"]
            ends = cluster_ratio(right, own["frame_id"])
            rows.append((name, classes[k], *ends, own["frame_id"].nunique()))
    return pd.DataFrame(rows, columns=["method", "emotion", "recall", "low", "high", "n"])


def by_class(images: pd.DataFrame, methods: dict[str, Experiment]) -> pd.DataFrame:
    """`recalls` and confirmed: of a class's PrivateTest labels, the share that is the votes' majority.

    images: `quality.read("images")`, here and below.
    """
    tested = images[images["usage"] == "PrivateTest"]
    confirmed = (votes.outcome(tested) == votes.OUTCOMES[0]).groupby(tested["label"]).mean()
    table = recalls(methods)
    return table.assign(confirmed=table["emotion"].map(confirmed))


def on_parts(images: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on parts of PrivateTest, all members together: method, part, n (images), share, low, high.

    The ends resample images. pairs: `quality.read("pairs")`, here and below.
    """
    parts, rows = quality.subsets(images, pairs), []
    for name, experiment in arms().items():
        table = results.read(experiment, "predictions.csv.gz")
        right = table["prediction"] == table["label"]
        for part, ids in parts.items():
            own = table["frame_id"].isin(ids)
            ends = cluster_ratio(right[own], table.loc[own, "frame_id"])
            rows.append((name, part, table.loc[own, "frame_id"].nunique(), *ends))
    return pd.DataFrame(rows, columns=["method", "part", "n", "share", "low", "high"])


def twin_gaps(images: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on images with a near twin in Training less that on those without: a row per method.

    Columns method, gap, low, high, and same_mix, same_low, same_high, where the classes have the same shares in both
    groups (`gap_at_same_mix`).
    """
    twins, rows = quality.subsets(images, pairs)[quality.TWIN], []
    for name, experiment in arms().items():
        table = results.read(experiment, "predictions.csv.gz")
        right = (table["prediction"] == table["label"]).groupby(table["frame_id"]).mean()
        label = table.groupby("frame_id")["label"].first()
        found = (gap_at_same_mix(right, right.index.isin(twins), mix) for mix in (0 * label, label))
        rows.append((name, *next(found), *next(found)))
    return pd.DataFrame(rows, columns=["method", "gap", "low", "high", "same_mix", "same_low", "same_high"])


def gap_at_same_mix(values: pd.Series, first: np.ndarray, classes: pd.Series) -> tuple[float, float, float]:
    """Mean of `values` where `first` less that elsewhere, class by class, weighted by the classes' shares of all rows.

    With the ends of its 95 % interval (normal, rows independent), NaN where a group has a single row of a class. A
    class that one group lacks is left out; NaN where that leaves none.
    """
    cells = values.groupby([classes, first])
    mean = cells.mean().unstack().reindex(columns=[True, False]).dropna()
    variance = (cells.var() / cells.size()).unstack().loc[mean.index].sum(axis=1, skipna=False)
    shares = classes[classes.isin(mean.index)].value_counts(normalize=True)
    gap = ((mean[True] - mean[False]) * shares).sum(min_count=1)
    half = norm.ppf((1 + LEVEL) / 2) * np.sqrt((variance * shares**2).sum(skipna=False))
    return gap, gap - half, gap + half


def sided_with(images: pd.DataFrame) -> pd.DataFrame:
    """How often the voters' majority agrees with a method's errors, and with the label: a row per method, all members.

    Columns method, wrong (answers), images (that these are about), shares of the answers: network, label, neither
    (other categories, or tied), and more: network less label, with more_low and more_high, images resampled.
    """
    majority = images.set_index("frame_id")["majority"]
    rows = []
    for name, experiment in arms().items():
        table = results.read(experiment, "predictions.csv.gz")
        classes = np.array(results.class_names(experiment))
        wrong = table[table["prediction"] != table["label"]]
        said = majority[wrong["frame_id"]].to_numpy()
        sides = {column: (said == classes[wrong[column]]).astype(float) for column in ("prediction", "label")}
        network, label = (float(side.mean()) for side in sides.values())
        more = cluster_gain(sides["prediction"] - sides["label"], wrong["frame_id"])
        counts = (len(wrong), wrong["frame_id"].nunique())
        ends = (more["difference"], more["ci_low"], more["ci_high"])
        rows.append((name, *counts, network, label, 1 - network - label, *ends))
    columns = ["method", "wrong", "images", "network", "label", "neither", "more", "more_low", "more_high"]
    return pd.DataFrame(rows, columns=columns)


def loss_of_margin(experiment: Experiment) -> pd.Series:
    """Each member's loss in its last epoch as a share of the margin; NaN for a loss that is not triplet's alone."""
    loss = tables.last_epoch(experiment)["loss"] / experiment.margin
    return loss if experiment.loss == "triplet" else loss * np.nan


def judged(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Comparisons with the verdict `UNTRAINED` where a network is one whose loss is still near its margin.

    comparisons: `claims.claims_table` or `questions.compared`.
    """
    untrained = [name for name, arm in arms().items() if loss_of_margin(arm).mean() > NEAR_MARGIN]
    networks = comparisons[comparisons.columns.intersection(["better", "worse", "with"])]
    return comparisons.assign(verdict=comparisons["verdict"].mask(networks.isin(untrained).any(axis=1), UNTRAINED))
