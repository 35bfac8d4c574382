"""How clearly an embedding divides its frames, measured in its own space, by emotion and by identity.

Under softmax and joint loss the embedding is the seven logits, under triplet loss alone the point in the triplet space.
Distances are Euclidean. Comparisons between losses also use cosine distances, because the triplet loss optimises
Euclidean ones; it fixes no origin, so that these are also taken around the mean. Of each sequence one frame is asked:
the others are nearest to it in any embedding.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples

from fer_lib import results
from fer_lib.comparisons import paired_difference, unpaired_difference
from fer_lib.experiments import Experiment
from fer_lib.findings import tables
from fer_lib.stats import TRAININGS, by_training, mean_interval
from fer_lib.words import naming

NEIGHBOURS = 5

RANGES = {
    "MAP@R": (0, 1),
    "precision@1": (0, 1),
    "5-NN accuracy": (0, 1),
    "silhouette": (-1, 1),
    "within / between": (0, np.inf),
}
"""Score -> its range. The higher the clearer, but for `LOWER_IS_CLEARER`."""

LOWER_IS_CLEARER = ("within / between",)

GROUPINGS = {"emotion": "label", "identity": "subject"}
"""What the frames are divided by -> its column in `embeddings.csv.gz`."""

LESS = (("triplet", "softmax"), ("joint", "softmax"), ("joint", "triplet"))
"""Which losses are compared: the first less the second."""

DISTANCES = {"Euclidean": "euclidean", "cosine": "cosine", "centred cosine": "cosine"}
"""The distances of `comparisons` -> scipy's name. Cosine ones ask only for the direction of an embedding, not for its
length: from the origin, or centred from the mean of the frames that are compared.
"""

PAIR = ["protocol", "label", "less"]
"""The columns of `comparisons` that name the two arms."""


def scores(points: np.ndarray, classes: np.ndarray, metric: str = "euclidean") -> dict[str, float]:
    """The scores of `RANGES` for points (N, D) of the given classes (N,); metric: one of scipy's `cdist`.

    - MAP@R and precision@1 as pytorch-metric-learning defines them (Musgrave et al. 2020): each frame is a query to the
      others; R is how many of these have its class.
    - 5-NN accuracy: the most frequent class among the five nearest others, the first in order where several are.
    - silhouette (Rousseeuw 1987), mean over frames.
    - within / between: the mean distance of two frames of one class over that of two frames of different classes.

    A frame that is alone in its class has nothing to be near to: it is no query and has no silhouette, but stays among
    the others' neighbours. NaN where a score is undefined: fewer than two classes, no class of two frames, all points
    in one place, a point without a direction whose cosine is asked for, or, for 5-NN, fewer than six frames.
    """
    _, classes = np.unique(classes, return_inverse=True)
    distances = cdist(points, points, metric)  # (N, N); without BLAS, whose last digits differ between machines
    same = classes[:, None] == classes
    queries = same.sum(axis=1) > 1
    if same.all() or not queries.any() or (np.ptp(points, axis=0) == 0).all() or np.isnan(distances).any():
        return dict.fromkeys(RANGES, np.nan)
    others = ~np.eye(len(classes), dtype=bool)
    order = np.argsort(np.where(others, distances, np.inf), axis=1, kind="stable")[:, :-1]  # (N, N - 1), nearest first
    hits = np.take_along_axis(same, order, axis=1)[queries]
    silhouettes = silhouette_samples(distances, classes, metric="precomputed")
    return {
        "MAP@R": float(np.mean([_average_precision(row) for row in hits])),
        "precision@1": float(hits[:, 0].mean()),
        "5-NN accuracy": _neighbours_accuracy(classes, order, queries),
        "silhouette": float(silhouettes[queries].mean()),
        "within / between": float(distances[same & others].mean() / distances[~same].mean()),
    }


def in_random_order(classes: np.ndarray) -> float:
    """The MAP@R that these classes (N,) have on average if the others are ranked at random; NaN if all are alone.

    A frame finds each of its R fellows at each place with probability R / (N - 1), and before it, on average, their
    share of the other N - 2.
    """
    _, codes, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    fellows, found = sizes[codes] - 1, []
    for r in fellows[fellows > 0]:
        before = np.arange(r)
        hits = 1 + before * (r - 1) / max(len(classes) - 2, 1)
        found.append(r / (len(classes) - 1) * (hits / (before + 1)).mean())
    return float(np.mean(found)) if found else np.nan


def _average_precision(hits: np.ndarray) -> float:
    """MAP@R of one query. hits: bool, whether the others share its class, the nearest first."""
    first = hits[: hits.sum()]
    return float((first * first.cumsum() / np.arange(1, len(first) + 1)).mean())


def _neighbours_accuracy(classes: np.ndarray, order: np.ndarray, queries: np.ndarray) -> float:
    if order.shape[1] < NEIGHBOURS:
        return np.nan
    votes = [np.bincount(near).argmax() for near in classes[order[queries, :NEIGHBOURS]]]
    return float(np.mean(votes == classes[queries]))


def member_scores(experiment: Experiment, distance: str = "Euclidean") -> pd.DataFrame:
    """The scores of every member on its test frames, one of each sequence: a row per seed, fold, divided (`GROUPINGS`)
    and score, with its value and, of MAP@R, what a random order would give.

    distance: one of `DISTANCES`.
    """
    table = results.read(experiment, "embeddings.csv.gz")
    rows = []
    for (seed, fold), frames in table[table["tested"]].groupby(["seed", "fold"]):
        frames = one_a_sequence(frames)
        points = frames[dimensions(frames)].to_numpy(float)
        if distance.startswith("centred"):
            points = points - points.mean(axis=0)
        for divided, column in GROUPINGS.items():
            classes = frames[column].to_numpy()
            at_random = {"MAP@R": in_random_order(classes)}
            found = scores(points, classes, DISTANCES[distance])
            rows += [(seed, fold, divided, score, found[score], at_random.get(score, np.nan)) for score in found]
    return pd.DataFrame(rows, columns=["seed", "fold", "divided", "score", "value", "random_order"])


def one_a_sequence(frames: pd.DataFrame) -> pd.DataFrame:
    """The last of the frames of each sequence; of FER2013, which names no subjects, all."""
    named = frames["subject"].notna() & (frames["subject"] != "")
    return frames[~(named & tables.sequence(frames["frame_id"]).duplicated(keep="last"))]


def dimensions(table: pd.DataFrame) -> list[str]:
    """The columns e0, e1, ... of a table of embeddings."""
    return [name for name in table.columns if name[0] == "e" and name[1:].isdigit()]


def all_member_scores(
    dataset: str, distance: str = "Euclidean", arms: Iterable[Experiment] | None = None
) -> pd.DataFrame:
    """`member_scores` of every arm that has embeddings, with experiment, protocol, part and label.

    arms: by default all measured experiments, each network once. Raises ValueError if none of them has embeddings.
    """
    found = []
    for row in tables.trained_apart(dataset) if arms is None else arms:
        if len(results.read(row, "embeddings.csv.gz")):
            about = {"experiment": row.experiment, "protocol": row.protocol, "part": naming.part(row)}
            found.append(member_scores(row, distance).assign(**about, label=naming.label(row)))
    if not found:
        raise ValueError(f"no experiment of {dataset} has embeddings; train one with 01_train")
    return pd.concat(found, ignore_index=True)


def caption(members: pd.DataFrame) -> str:
    """The caption of the table of mean scores by emotion; counts the members of `all_member_scores` without a score."""
    without = (members.groupby(["label", "protocol", "seed", "fold"])["value"].count() == 0).sum()
    return (
        "Division by emotion, with Euclidean distances, of one test frame of each sequence. Mean and 95 % Student's t "
        "interval over n runs, which "
        "describes new splits of these same frames, not other subjects; under subject, over folds, whose subjects "
        f"differ. Runs that map all test frames to one point, as collapsed ones do, have no score ({without})."
    )


def score_table(members: pd.DataFrame) -> pd.DataFrame:
    """Mean and Student's t interval over the members of `all_member_scores` that have a score, which n counts.

    Under `subject` the interval is over the folds; trainings counts what it is over. at_random: the mean of what a
    random order would give.
    """
    rows = []
    keys = ["experiment", "protocol", "part", "label", "divided", "score"]
    for key, own in members.groupby(keys, sort=False):
        values = own.set_index(["seed", "fold"])["value"].dropna()
        each = by_training(key[1], values)
        mean, low, high = mean_interval(each, RANGES[key[-1]]) if len(values) else (np.nan, np.nan, np.nan)
        rows.append((*key, mean, low, high, len(values), len(each), own["random_order"].mean()))
    return pd.DataFrame(rows, columns=[*keys, "mean", "ci_low", "ci_high", "n", "trainings", "at_random"])


def pairs(dataset: str) -> list[tuple[Experiment, Experiment]]:
    """The measured arms that differ in the loss alone, in the order of `LESS`."""
    arms = tables.measured(dataset)
    return [
        (first, second)
        for (loss, less), first, second in product(LESS, arms, arms)
        if (first.loss, second.loss) == (loss, less)
        and first.is_like(second, loss=less)
        and naming.part(replace(first, loss="triplet")) != "ablation"
    ]


def differences(members: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """One loss less another in each score by emotion, over the members, or folds, that both of `pairs` have.

    Over all members of either where they have fewer than two in common. members: `all_member_scores`. One row per pair
    and score: protocol, label (of the first arm), less (the other's `short_label`), score, difference, ci_low, ci_high,
    p, n, over (n in words).
    """
    values = members[members["divided"] == "emotion"].set_index(["experiment", "score", "seed", "fold"])["value"]
    values = values.sort_index()
    rows = []
    for first, second in pairs(dataset):
        if {first.experiment, second.experiment} <= set(members["experiment"]):
            about = {"protocol": first.protocol, "label": naming.label(first), "less": short_label(second)}
            for score, (low, high) in RANGES.items():
                pair, within = [values[arm.experiment, score] for arm in (first, second)], (low - high, high - low)
                found = paired_difference(*pair, first.protocol, within)
                over = f"{found['n']} {TRAININGS.get(first.protocol, ('', 'pairs of runs'))[1]}"
                if found["n"] < 2:
                    found = unpaired_difference(*pair, first.protocol, within)
                    over = f"{' and '.join(str(arm.notna().sum()) for arm in pair)} runs, unpaired"
                rows.append({**about, "score": score, **found, "over": over})
    columns = ["protocol", "label", "less", "score", "difference", "ci_low", "ci_high", "p", "n", "over"]
    return pd.DataFrame(rows, columns=columns)


def comparisons(members: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """`differences` by each of `DISTANCES`, its column distance. members: `all_member_scores`, which are Euclidean."""
    compared = dict.fromkeys(arm for pair in pairs(dataset) for arm in pair)
    compared = [arm for arm in compared if arm.experiment in set(members["experiment"])]
    again = [all_member_scores(dataset, name, compared) if compared else members for name in list(DISTANCES)[1:]]
    found = [differences(own, dataset) for own in (members, *again)]
    return pd.concat([own.assign(distance=name) for own, name in zip(found, DISTANCES, strict=True)], ignore_index=True)


def short_label(experiment: Experiment) -> str:
    """The loss, and what differs from the paper's setting: enough where everything else is the same."""
    differs = ", ".join(naming.differences(experiment))
    return f"{experiment.loss} ({differs})" if differs else experiment.loss
