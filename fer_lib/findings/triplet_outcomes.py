"""What becomes of the triplets: for an anchor among a run's test frames, is a positive or a negative nearer?

Squared Euclidean distances, as in the loss. All positives and negatives of an anchor count alike, and all anchors, as
where training draws one of each at random. Of each sequence one frame is asked, as in `embedding_scores`.
"""

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from fer_lib import results
from fer_lib.comparisons import paired_difference
from fer_lib.experiments import Experiment
from fer_lib.findings import tables
from fer_lib.findings.embedding_scores import dimensions, one_a_sequence, pairs
from fer_lib.splits import LEAST_EXPOSED
from fer_lib.stats import by_training, mean_interval
from fer_lib.words import naming

WRONG, CLOSE, SOLVED = "negative nearer", "positive nearer, by less than the margin", "solved"
OUTCOMES = (WRONG, CLOSE, SOLVED)
NEARER = "positive nearer (no margin in training)"
"""What stands for the last two outcomes where the loss has no margin."""

ANCHOR = ["seed", "fold", "anchor"]
"""The columns of `of_members` that name an anchor."""


def of_anchors(points: np.ndarray, classes: np.ndarray, margin: float) -> pd.DataFrame:
    """What becomes of the triplets of points (N, D) of the given classes (N,): a row per anchor and class of negatives.

    Columns anchor, label (of the anchor), negative (its class), count (of such negatives), and the shares of
    `OUTCOMES`. A negative as near as the positive counts as nearer. Anchors alone in their class have no triplets.
    """
    rows = []
    for anchor, distances in enumerate(cdist(points, points, "sqeuclidean")):
        same = classes == classes[anchor]
        same[anchor] = False
        positives = distances[same]
        for negative in np.unique(classes[classes != classes[anchor]]) if same.any() else ():
            negatives = np.sort(distances[classes == negative])
            nearer = np.searchsorted(negatives, positives, side="right").mean() / len(negatives)
            active = np.searchsorted(negatives, positives + margin, side="left").mean() / len(negatives)
            rows.append((anchor, classes[anchor], negative, len(negatives), nearer, active - nearer, 1 - active))
    return pd.DataFrame(rows, columns=["anchor", "label", "negative", "count", *OUTCOMES])


def shown(dataset: str) -> list[Experiment]:
    """The measured arms with embeddings that are trained on triplets, and Table 2's with softmax."""
    rows = tables.trained_apart(dataset)
    rows = [row for row in rows if row.has_triplets or naming.part(row) == "Table 2"]
    return [row for row in rows if len(results.read(row, "embeddings.csv.gz"))]


def of_members(experiment: Experiment) -> pd.DataFrame:
    """`of_anchors` of the test frames of each member that did not collapse, with seed and fold; empty without any.

    Where the loss has no margin, `NEARER` stands for the last two outcomes.
    """
    table, found = results.read(experiment, "embeddings.csv.gz"), []
    for (seed, fold), own in table.groupby(["seed", "fold"]) if len(table) else ():
        frames = tables.not_collapsed(experiment, one_a_sequence(own[own["tested"]]))
        points = frames[dimensions(frames)].to_numpy(float)
        shares = of_anchors(points, frames["label"].to_numpy(), experiment.margin)
        found += [shares.assign(seed=seed, fold=fold)] if len(shares) else []
    own = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    if experiment.has_triplets or own.empty:
        return own
    return own.drop(columns=[CLOSE, SOLVED]).assign(**{NEARER: 1 - own[WRONG]})


def of_emotions(experiment: Experiment) -> pd.DataFrame:
    """The triplets of `of_members` by the emotions of their anchor and their negative, over all members.

    Columns anchor, negative, asked (share of all triplets that are of these two emotions) and wrong (share of these
    whose negative is nearer).
    """
    own, names = of_members(experiment), dict(enumerate(results.class_names(experiment)))
    if own.empty:
        return pd.DataFrame(columns=["anchor", "negative", "asked", "wrong"])
    weights = own["count"] / own.groupby(ANCHOR)["count"].transform("sum")
    grouped = own.assign(asked=weights / weights.sum()).groupby(["label", "negative"])
    found = grouped.agg(asked=("asked", "sum"), wrong=(WRONG, "mean")).rename(index=names).reset_index()
    return found.rename(columns={"label": "anchor"})


def among_rarer(own: pd.DataFrame) -> tuple[float, pd.Series]:
    """The share of the triplets that are of the rarer half of the pairs of emotions, and for each seed and fold the
    share of these among the triplets whose negative is nearer; own: `of_members`."""
    weights = own["count"] / own.groupby(ANCHOR)["count"].transform("sum")
    asked = weights.groupby([own["label"], own["negative"]]).sum() / weights.sum()
    rarer = asked.nsmallest(len(asked) // 2)
    inside = pd.MultiIndex.from_frame(own[["label", "negative"]]).isin(rarer.index)
    wrong, members = weights * own[WRONG], [own["seed"], own["fold"]]
    return float(rarer.sum()), (wrong * inside).groupby(members).sum() / wrong.groupby(members).sum()


def by_member(own: pd.DataFrame, outcome: str) -> pd.Series:
    """Share of an outcome by seed and fold; own: `of_members`."""
    weighed = (own[outcome] * own["count"]).groupby([own[name] for name in ANCHOR]).sum()
    return (weighed / own.groupby(ANCHOR)["count"].sum()).groupby(["seed", "fold"]).mean()


def table(dataset: str) -> pd.DataFrame:
    """Mean and Student's t interval of each outcome of each arm of `shown`, over its members that did not collapse.

    Columns experiment, protocol, label, outcome, mean, ci_low, ci_high, n and trainings: under `subject` the interval
    is over the folds, which this counts.
    """
    rows = []
    for arm in shown(dataset):
        own = of_members(arm)
        for outcome in own.columns.intersection([*OUTCOMES, NEARER], sort=False) if len(own) else ():
            values = by_member(own, outcome)
            apart = by_training(arm.protocol, values)
            about = (arm.experiment, arm.protocol, naming.label(arm), outcome)
            rows.append((*about, *mean_interval(apart), len(values), len(apart)))
    columns = ["experiment", "protocol", "label", "outcome", "mean", "ci_low", "ci_high", "n", "trainings"]
    return pd.DataFrame(rows, columns=columns)


def compared(dataset: str) -> pd.DataFrame:
    """In what share of the triplets the negative is nearer, less that share with softmax, for `embedding_scores.pairs`.

    A row per pair that has members in common: experiment, less (the other experiment), protocol, label, mean (of the
    first), and the columns of `comparisons.paired_difference`.
    """
    rows = []
    for first, second in pairs(dataset):
        both = [of_members(arm) for arm in (first, second)]
        if second.loss == "softmax" and all(map(len, both)):
            values = [by_member(own, WRONG) for own in both]
            about = {"experiment": first.experiment, "less": second.experiment, "protocol": first.protocol}
            about |= {"label": naming.label(first), "mean": values[0].mean()}
            rows.append(about | paired_difference(*values, first.protocol))
    columns = [
        "experiment",
        "less",
        "protocol",
        "label",
        "mean",
        "difference",
        "ci_low",
        "ci_high",
        "p",
        "n",
        "verdict",
    ]
    return pd.DataFrame(rows, columns=columns).query("n > 0")


def beside(dataset: str, compared: pd.DataFrame) -> list[Experiment]:
    """The arms to look at by emotion: triplet and softmax in turn, of the `compared` pairs that have the most members
    under the least exposed protocol."""
    arms = {arm.experiment: arm for arm in tables.measured(dataset)}
    own = compared[compared["experiment"].isin([name for name, arm in arms.items() if arm.loss == "triplet"])]
    protocol = next((name for name in LEAST_EXPOSED if name in set(own["protocol"])), None)
    own = own[own["protocol"] == protocol]
    return [arms[name] for row in own[own["n"] == own["n"].max()].itertuples() for name in (row.experiment, row.less)]
