"""How clearly an embedding divides its frames, measured in its own space, by emotion and by identity.

Under softmax and joint loss the embedding is the seven logits, under triplet loss alone the point in the triplet space.
Distances are Euclidean. Comparisons between losses also use cosine distances, because the triplet loss optimises
Euclidean ones. An embedding that divides its frames by subject has kept the identity, which is a warning.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples

from fer_lib import results
from fer_lib.comparisons import paired_difference
from fer_lib.experiments import Experiment
from fer_lib.findings import tables
from fer_lib.stats import TRAININGS, by_training, mean_interval
from fer_lib.words import naming
from fer_lib.words.rounding import in_cell, in_folds

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

RESOLVED = ("clearer", "less clear")
"""What an interval on one side of zero says of the division."""

GROUPINGS = {"emotion": "label", "identity": "subject"}
"""What the frames are divided by -> its column in `embeddings.csv.gz`."""

LESS = (("triplet", "softmax"), ("joint", "softmax"), ("joint", "triplet"))
"""Which losses are compared: the first less the second."""

DISTANCES = ("Euclidean", "cosine")
"""The distances of `comparisons`; cosine ones ask only for the direction of an embedding, not for its length."""

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


def _average_precision(hits: np.ndarray) -> float:
    """MAP@R of one query. hits: bool, whether the others share its class, the nearest first."""
    first = hits[: hits.sum()]
    return float((first * first.cumsum() / np.arange(1, len(first) + 1)).mean())


def _neighbours_accuracy(classes: np.ndarray, order: np.ndarray, queries: np.ndarray) -> float:
    if order.shape[1] < NEIGHBOURS:
        return np.nan
    votes = [np.bincount(near).argmax() for near in classes[order[queries, :NEIGHBOURS]]]
    return float(np.mean(votes == classes[queries]))


def member_scores(experiment: Experiment, metric: str = "euclidean") -> pd.DataFrame:
    """The scores of every member on its test frames: one row per seed, fold, divided (`GROUPINGS`) and score; value."""
    table = results.read(experiment, "embeddings.csv.gz")
    rows = []
    for (seed, fold), frames in table[table["tested"]].groupby(["seed", "fold"]):
        points = frames[dimensions(frames)].to_numpy(float)
        for divided, column in GROUPINGS.items():
            found = scores(points, frames[column].to_numpy(), metric)
            rows += [(seed, fold, divided, score, value) for score, value in found.items()]
    return pd.DataFrame(rows, columns=["seed", "fold", "divided", "score", "value"])


def dimensions(table: pd.DataFrame) -> list[str]:
    """The columns e0, e1, ... of a table of embeddings."""
    return [name for name in table.columns if name[0] == "e" and name[1:].isdigit()]


def all_member_scores(
    dataset: str, metric: str = "euclidean", arms: Iterable[Experiment] | None = None
) -> pd.DataFrame:
    """`member_scores` of every arm that has embeddings, with experiment, protocol, part and label.

    arms: by default all measured experiments, each network once. Raises ValueError if none of them has embeddings.
    """
    found = []
    for row in tables.trained_apart(tables.measured(dataset)) if arms is None else arms:
        if len(results.read(row, "embeddings.csv.gz")):
            about = {"experiment": row.experiment, "protocol": row.protocol, "part": naming.part(row)}
            found.append(member_scores(row, metric).assign(**about, label=naming.label(row)))
    if not found:
        raise ValueError(f"no experiment of {dataset} has embeddings; train one with 01_train")
    return pd.concat(found, ignore_index=True)


def caption(members: pd.DataFrame) -> str:
    """The caption of the table of mean scores by emotion; names the members of `all_member_scores` without a score."""
    counts = members.groupby(["label", "protocol", "seed", "fold"], sort=False)["value"].count()
    without = [
        f"{label}, {protocol}, seed {seed}, fold {fold}" for label, protocol, seed, fold in counts[counts == 0].index
    ]
    named = f" ({'; '.join(without)})" if without else ""
    return (
        "Division by emotion, with Euclidean distances. Mean and 95 % Student's t interval over n runs, which "
        "describes new splits of these same frames, not other subjects; under subject, over folds, whose subjects "
        "differ. Runs with a collapsed STN count, except those that map all test frames to one point, where no score "
        f"is defined{named}."
    )


def score_table(members: pd.DataFrame) -> pd.DataFrame:
    """Mean and Student's t interval over the members of `all_member_scores` that have a score, which n counts.

    Under `subject` the interval is over the folds; trainings counts what it is over.
    """
    rows = []
    keys = ["experiment", "protocol", "part", "label", "divided", "score"]
    for key, own in members.groupby(keys, sort=False):
        values = own.set_index(["seed", "fold"])["value"].dropna()
        each = by_training(key[1], values)
        mean, low, high = mean_interval(each, RANGES[key[-1]]) if len(values) else (np.nan, np.nan, np.nan)
        rows.append((*key, mean, low, high, len(values), len(each)))
    return pd.DataFrame(rows, columns=[*keys, "mean", "ci_low", "ci_high", "n", "trainings"])


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

    members: `all_member_scores`. One row per pair and score: protocol, label (of the first arm), less (the other's
    `short_label`), score, difference, ci_low, ci_high, p, n.
    """
    values = members[members["divided"] == "emotion"].set_index(["experiment", "score", "seed", "fold"])["value"]
    values = values.sort_index()
    rows = []
    for first, second in pairs(dataset):
        if {first.experiment, second.experiment} <= set(members["experiment"]):
            about = {"protocol": first.protocol, "label": naming.label(first), "less": short_label(second)}
            for score, (low, high) in RANGES.items():
                pair = (values[arm.experiment, score] for arm in (first, second))
                found = paired_difference(*pair, first.protocol, within=(low - high, high - low))
                rows.append({**about, "score": score, **found})
    columns = ["protocol", "label", "less", "score", "difference", "ci_low", "ci_high", "p", "n"]
    return pd.DataFrame(rows, columns=columns)


def comparisons(members: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """`differences` by each of `DISTANCES`, its column distance. members: `all_member_scores`, which are Euclidean."""
    compared = dict.fromkeys(arm for pair in pairs(dataset) for arm in pair)
    compared = [arm for arm in compared if arm.experiment in set(members["experiment"])]
    again = all_member_scores(dataset, "cosine", compared) if compared else members
    found = [differences(own, dataset) for own in (members, again)]
    return pd.concat([own.assign(distance=name) for own, name in zip(found, DISTANCES, strict=True)], ignore_index=True)


def short_label(experiment: Experiment) -> str:
    """The loss, and what differs from the paper's setting: enough where everything else is the same."""
    differs = ", ".join(naming.differences(experiment))
    return f"{experiment.loss} ({differs})" if differs else experiment.loss


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`score_table` of one grouping: a row per arm, a column per score, rounded.

    n is the largest of the arm's scores: they are defined together, except in very small test sets.
    """
    said = [in_cell(*values, ".3f") for values in zip(table["mean"], table["ci_low"], table["ci_high"], strict=True)]
    cells, keys = table.assign(cell=said).sort_values("protocol", kind="stable"), ["protocol", "label"]
    wide = cells.set_index([*keys, "score"])["cell"].unstack()[list(RANGES)]
    wide = wide.reindex(cells[keys].drop_duplicates()).rename_axis(columns=None)
    counts = cells.groupby(keys)[["n", "trainings"]].max().loc[wide.index]
    wide.insert(0, "n", [in_folds(row.Index[0], row.n, row.trainings) for row in counts.itertuples()])
    return wide.reset_index().rename(columns={"label": "method"})


def readable_comparisons(table: pd.DataFrame) -> pd.DataFrame:
    """`comparisons`: a row per pair of arms and score, a column per distance; several members before single pairs."""
    ends = zip(table["difference"], table["ci_low"], table["ci_high"], strict=True)
    cells = table.assign(cell=[in_cell(*values, "+.3f") for values in ends])
    rows = []
    pairs_of_arms = sorted(cells.groupby(PAIR, sort=False), key=lambda pair: pair[1]["n"].max() < 2)
    for (protocol, label, less), own in pairs_of_arms:
        named = f"{label} minus {less}, protocol {protocol}, n = {own['n'].max()}"
        for score, by_distance in own.groupby("score", sort=False):
            rows.append({"comparison": named, "score": score, **by_distance.set_index("distance")["cell"]})
            named = ""
    return pd.DataFrame(rows)


def answer(table: pd.DataFrame) -> str:
    """What the triplet and the joint loss change against softmax, from `comparisons`, in bullets."""
    table = table[table["less"].str.startswith("softmax")]
    sentences = [f"- {sentence}" for sentence in _sentences(table[table["n"] > 1], _by_score, "**")]
    alone = table[table["n"] == 1].drop_duplicates(PAIR)
    if len(alone):
        named = "; ".join(f"{row.label}, protocol {row.protocol}" for row in alone.itertuples())
        sentences.append(f"- A single pair of runs allows no conclusion about {named}.")
    if not sentences:
        sentences.append("No pair of networks that differ from softmax in the loss alone has been trained yet.")
    return "## The answer so far\n\n" + "\n".join(sentences)


def in_short(dataset: str) -> str:
    """What the triplet loss changes against softmax, a sentence per pair of arms with more than one pair of members."""
    compared = comparisons(all_member_scores(dataset), dataset)
    asked = compared["less"].str.startswith("softmax") & (compared["n"] > 1)
    return " ".join(_sentences(compared[asked & compared["label"].str.contains("triplet")], _counted))


def in_brief(dataset: str) -> str:
    """The same of the pair that was tested on the most unseen subjects, in one sentence; empty without one."""
    compared = comparisons(all_member_scores(dataset), dataset)
    own = compared[(compared["protocol"] == "subject") & compared["less"].str.startswith("softmax")]
    own = own[own["label"].str.contains("triplet") & (own["n"] == own["n"].max())]
    if own.empty or own["n"].max() < 2:
        return ""
    first = own[(own[PAIR] == own[PAIR].iloc[0]).all(axis=1)]
    optimised, other = (_counted(first[first["distance"] == name]) for name in DISTANCES)
    return (
        f"Division of the classes on unseen subjects, {first['label'].iloc[0]} against softmax: {optimised} by "
        f"Euclidean distance, which triplet loss optimises, {other} by cosine distance."
    )


def _sentences(table: pd.DataFrame, told: Callable[[pd.DataFrame], str], mark: str = "") -> list[str]:
    """A sentence per comparison: what its scores say by each distance.

    told: says it of the rows of one distance. mark: what stands around the arm's name.
    """
    found = []
    for (protocol, label, less), own in table.groupby(PAIR, sort=False):
        said = [f"by {name} distance {told(own[own['distance'] == name])}" for name in DISTANCES]
        units = TRAININGS.get(protocol, ("", "pairs of runs"))[1]
        about = f"{mark}{label}{mark} against {less.split(' (')[0]}, protocol {protocol}, n = {own['n'].max()} {units}"
        found.append(f"{about}: {'; '.join(said)}.")
    return found


def _by_score(rows: pd.DataFrame) -> str:
    """The scores by their verdicts, with the difference and its interval where the interval resolves it."""
    verdicts, said = [_verdict(row) for row in rows.itertuples()], []
    for verdict in dict.fromkeys([*RESOLVED, *verdicts]):
        own = rows[[found == verdict for found in verdicts]]
        names = [
            f"{row.score} ({in_cell(row.difference, row.ci_low, row.ci_high, '+.3f')})"
            if verdict in RESOLVED
            else row.score
            for row in own.itertuples()
        ]
        said += [f"{verdict} in {', '.join(names)}"] if names else []
    return ", ".join(said)


def _counted(rows: pd.DataFrame) -> str:
    """In how many of the scores the division is clearer, or less clear."""
    counts = pd.Series([_verdict(row) for row in rows.itertuples()]).value_counts()
    said = [f"{verdict} in {counts[verdict]} of {len(rows)} scores" for verdict in RESOLVED if verdict in counts]
    return ", ".join(said) or f"resolvable in none of {len(rows)} scores"


def _verdict(row) -> str:
    low, high = row.ci_low, row.ci_high
    if pd.isna(low):
        return "no interval"
    if row.score in LOWER_IS_CLEARER:
        low, high = -high, -low
    return RESOLVED[0] if low > 0 else RESOLVED[1] if high < 0 else "not resolvable"
