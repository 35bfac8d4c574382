"""How clearly an embedding divides its frames, measured in its own space, by emotion and by identity.

Under softmax and joint the embedding is the seven logits, after pure triplet training the point in the triplet space;
distances are Euclidean in both. An embedding that divides its frames by subject has kept the identity: a warning.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples

from fer_lib import naming, results, tables
from fer_lib.experiments import Experiment
from fer_lib.stats import TRAININGS, by_training, mean_interval, paired_difference
from fer_lib.wording import in_cell

NEIGHBOURS = 5

RANGES = {
    "MAP@R": (0, 1),
    "precision@1": (0, 1),
    "5-NN accuracy": (0, 1),
    "silhouette": (-1, 1),
    "within / between": (0, np.inf),
}
"""Score -> its range. The higher the clearer, but for the last: within / between is lower where classes are divided."""

GROUPINGS = {"emotion": "label", "identity": "subject"}
"""What the frames are divided by -> its column in `embeddings.csv.gz`."""

LESS = (("triplet", "softmax"), ("joint", "softmax"), ("joint", "triplet"))
"""Which losses are compared: the first less the second."""

CAPTIONS = {
    "emotion": "By emotion: how clearly the classes are divided.",
    "identity": "By identity: how clearly the people are divided; the clearer, the more of a warning.",
}
CAPTION = (
    "Euclidean distances between the embeddings of the test frames, softmax and joint: logits, triplet: points of the "
    "triplet space. Mean and 95 % Student's t interval over n members, which says what a retraining changes, not what "
    "new people would; under subject over the folds, whose people differ too. With one member there is no interval. "
    "Members whose transformer left the face count too. A frame that is alone in its class is no query."
)


def scores(points: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """The scores of `RANGES` for points (N, D) of the given classes (N,).

    - MAP@R and precision@1 as pytorch-metric-learning defines them (Musgrave et al. 2020): each frame is a query to the
      others; R is how many of these have its class.
    - 5-NN accuracy: the most frequent class among the five nearest others, the first in order where several are.
    - silhouette (Rousseeuw 1987), mean over frames.
    - within / between: the mean distance of two frames of one class over that of two frames of different classes.

    A frame that is alone in its class has nothing to be near to: it is no query and has no silhouette, but stays among
    the others' neighbours. NaN where a score is undefined: fewer than two classes, no class of two frames, all points
    in one place, or, for 5-NN, fewer than six frames.
    """
    _, classes = np.unique(classes, return_inverse=True)
    distances = cdist(points, points)  # (N, N); without BLAS, whose last digits differ between machines
    same = classes[:, None] == classes
    queries = same.sum(axis=1) > 1
    if same.all() or not queries.any() or distances.max() == 0:
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


def member_scores(experiment: Experiment) -> pd.DataFrame:
    """The scores of every member on its test frames: one row per seed, fold, divided (`GROUPINGS`) and score; value."""
    table = results.read(experiment, "embeddings.csv.gz")
    rows = []
    for (seed, fold), frames in table[table["tested"]].groupby(["seed", "fold"]):
        points = frames[dimensions(frames)].to_numpy(float)
        for divided, column in GROUPINGS.items():
            found = scores(points, frames[column].to_numpy())
            rows += [(seed, fold, divided, score, value) for score, value in found.items()]
    return pd.DataFrame(rows, columns=["seed", "fold", "divided", "score", "value"])


def dimensions(table: pd.DataFrame) -> list[str]:
    """The columns e0, e1, ... of a table of embeddings."""
    return [name for name in table.columns if name[0] == "e" and name[1:].isdigit()]


def all_member_scores(dataset: str) -> pd.DataFrame:
    """`member_scores` of every measured experiment that has embeddings, with experiment, protocol, part and label."""
    found = []
    for row in tables.measured(dataset):
        if len(results.read(row, "embeddings.csv.gz")):
            about = {"experiment": row.experiment, "protocol": row.protocol, "part": naming.part(row)}
            found.append(member_scores(row).assign(**about, label=naming.label(row)))
    if not found:
        raise ValueError(f"no experiment of {dataset} has embeddings; train one with 01_train")
    return pd.concat(found, ignore_index=True)


def score_table(members: pd.DataFrame) -> pd.DataFrame:
    """Mean and Student's t interval over the members of `all_member_scores` that have a score, which n counts.

    Under `subject` the interval is over the folds.
    """
    rows = []
    keys = ["experiment", "protocol", "part", "label", "divided", "score"]
    for key, own in members.groupby(keys, sort=False):
        values = own.set_index(["seed", "fold"])["value"].dropna()
        each = by_training(key[1], values)
        mean, low, high = mean_interval(each, RANGES[key[-1]]) if len(values) else (np.nan, np.nan, np.nan)
        rows.append((*key, mean, low, high, len(values)))
    return pd.DataFrame(rows, columns=[*keys, "mean", "ci_low", "ci_high", "n"])


def differences(members: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """One loss less another in each score by emotion, over the members of both, where only the loss differs.

    members: `all_member_scores`. One row per protocol, arm, loss of `LESS` and score: protocol, label (of the arm),
    less (the other's loss), score, difference, ci_low, ci_high, p, n.
    """
    arms = [row for row in tables.measured(dataset) if row.experiment in set(members["experiment"])]
    values = members[members["divided"] == "emotion"].set_index(["experiment", "score", "seed", "fold"])["value"]
    values = values.sort_index()
    rows = []
    for (loss, less), first, second in product(LESS, arms, arms):
        if (first.loss, second.loss) != (loss, less) or naming.part(replace(first, loss="triplet")) == "ablation":
            continue
        if first.is_like(second, loss=less):
            about = {"protocol": first.protocol, "label": naming.label(first), "less": less}
            for score, (low, high) in RANGES.items():
                pair = (values[arm.experiment, score] for arm in (first, second))
                found = paired_difference(*pair, first.protocol, within=(low - high, high - low))
                rows.append({**about, "score": score, **found})
    columns = ["protocol", "label", "less", "score", "difference", "ci_low", "ci_high", "p", "n"]
    return pd.DataFrame(rows, columns=columns)


def readable(table: pd.DataFrame, sign: str = "") -> pd.DataFrame:
    """`score_table` of one grouping, or `differences` with sign "+": a row per arm, a column per score, rounded.

    n is the largest of the arm's scores: they are defined together, except in very small test sets.
    """
    keys = [name for name in ("protocol", "label", "less") if name in table]
    mean = table.columns[table.columns.isin(["mean", "difference"])][0]
    ends = zip(table[mean], table["ci_low"], table["ci_high"], strict=True)
    said = [in_cell(*values, f"{sign}.3f") for values in ends]
    cells = table.assign(cell=said).sort_values("protocol", kind="stable")
    wide = cells.set_index([*keys, "score"])["cell"].unstack()[list(RANGES)]
    wide = wide.reindex(cells[keys].drop_duplicates()).rename_axis(columns=None)
    wide.insert(0, "n", cells.groupby(keys)["n"].max())
    return wide.reset_index().rename(columns={"label": "method"})


def answer(table: pd.DataFrame) -> str:
    """What `differences` says of the paper's claim, in sentences: a score of ranks and one of distances."""
    sentences = []
    told = table[table["score"].isin(["MAP@R", "silhouette"])]
    for (protocol, label, less), rows in told.groupby(["protocol", "label", "less"], sort=False):
        pairs = _pairs(rows["n"].max(), protocol)
        found = "; ".join(map(_said, rows.itertuples()))
        sentences.append(f"- **{label}** less {less}, protocol {protocol}, {pairs}: {found}.")
    if not sentences:
        sentences.append("No pair of arms that differ in the loss alone was run yet.")
    return "## The answer so far\n\n" + "\n".join(sentences)


def in_short(dataset: str) -> str:
    """What a triplet loss adds to softmax in MAP@R, in a sentence; nothing of a single pair of members."""
    compared = differences(all_member_scores(dataset), dataset)
    said = [
        f"{row.label} less softmax, protocol {row.protocol}, {_pairs(row.n, row.protocol)}: {_said(row)}"
        for row in compared.query("score == 'MAP@R' and less == 'softmax' and n > 1").itertuples()
    ]
    return f"{'; '.join(said)}." if said else ""


def _pairs(n: int, protocol: str) -> str:
    units = TRAININGS.get(protocol, ("", "pairs of members"))[1]
    return f"n = 1 of {units}, too few to conclude anything" if n == 1 else f"{n} {units}"


def _said(row) -> str:
    if np.isnan(row.ci_low):
        return f"{row.score} {row.difference:+.3f}"
    verdict = "clearer" if row.ci_low > 0 else "less clear" if row.ci_high < 0 else "not resolvable"
    return f"{row.score} {row.difference:+.3f} [{row.ci_low:+.3f} to {row.ci_high:+.3f}], {verdict}"
