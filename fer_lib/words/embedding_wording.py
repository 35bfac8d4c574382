"""How clearly the embeddings divide their classes, in sentences and in rounded tables, from `embedding_scores`."""

import pandas as pd

from fer_lib.comparisons import paired_difference
from fer_lib.experiments import Experiment
from fer_lib.findings.embedding_scores import DISTANCES, LOWER_IS_CLEARER, PAIR, RANGES
from fer_lib.findings.followed import PROPOSED
from fer_lib.findings.triplet_outcomes import among_rarer, of_members
from fer_lib.splits import LEAST_EXPOSED
from fer_lib.stats import TRAININGS, by_training, mean_interval
from fer_lib.words import naming
from fer_lib.words.rounding import in_cell, in_folds, percent, points, with_ends

RESOLVED = ("clearer", "less clear")
"""What an interval on one side of zero says of the division."""


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


def triplets_in_words(compared: pd.DataFrame) -> str:
    """How often a negative is nearer, against softmax, a bullet per network under the least exposed protocol.

    compared: `triplet_outcomes.compared`.
    """
    several = compared[compared["n"] > 1]
    first = [name for name in LEAST_EXPOSED if name in set(several["protocol"])][:1]
    return "\n".join(
        f"- **{row.label}**, protocol {row.protocol}: {_nearer(row)}."
        for row in several[several["protocol"].isin(first)].itertuples()
    )


def _nearer(row) -> str:
    """row: of `triplet_outcomes.compared`, as attributes."""
    unit = TRAININGS.get(row.protocol, ("", "pairs of runs"))[1]
    gain = points(row.difference, row.ci_low, row.ci_high)
    return (
        f"in {percent(row.mean)} % of the triplets of test frames the negative is nearer than the positive, {gain} "
        f"points against softmax (n = {row.n} {unit})"
    )


def rare_triplets(arms: list[Experiment]) -> str:
    """Whether it is the rare emotions whose negatives are nearer, a bullet per pair of networks.

    arms: of `triplet_outcomes.beside`, a network of triplet loss and its counterpart of softmax in turn.
    """
    lines = []
    for both in zip(arms[::2], arms[1::2], strict=True):
        names = [naming.label(arm) for arm in both]
        (asked, ours), (_, others) = (among_rarer(of_members(arm)) for arm in both)
        apart, gain = by_training(both[0].protocol, ours.dropna()), paired_difference(ours, others, both[0].protocol)
        unit = TRAININGS.get(both[0].protocol, ("", "pairs of runs"))[1]
        lines.append(
            f"- **{names[0]}**: the rarer half of the pairs of emotions is {100 * asked:.0f} % of the triplets and "
            f"{with_ends(mean_interval(apart))} of those whose negative is nearer (n = {len(apart)}); against "
            f"{names[1]} {points(gain['difference'], gain['ci_low'], gain['ci_high'])} points (n = {gain['n']} {unit})."
        )
    return "\n".join(lines)


def by_identity(table: pd.DataFrame) -> str:
    """Whether the sequences of a subject lie together, in a sentence; empty without subjects.

    table: `score_table`, of which the least exposed protocol is told.
    """
    own = table[(table["divided"] == "identity") & (table["score"] == "MAP@R")].dropna(subset="mean")
    first = next((name for name in LEAST_EXPOSED if name in set(own["protocol"])), None)
    own = own[own["protocol"] == first]
    if own.empty:
        return ""
    above = (own["mean"] > own["at_random"]).sum() or "none"
    return (
        f"By identity, MAP@R under {first} is {own['mean'].min():.2f} to {own['mean'].max():.2f}; a random order would "
        f"give {own['at_random'].mean():.2f}, and {above} of {len(own)} networks is above it. "
        "The sequences of a subject show different emotions, and the embeddings divide by these."
    )


def in_brief(compared: pd.DataFrame, triplets: pd.DataFrame) -> str:
    """What the triplet loss changes on the most unseen subjects, and as in the paper: sentences; empty without a pair.

    As in the paper: the proposed network under its split, by the distance that its loss optimises. compared:
    `embedding_scores.comparisons`; triplets: `triplet_outcomes.compared`.
    """
    own = compared[(compared["protocol"] == "subject") & (compared["n"] > 1)]
    own = own[own["less"].str.startswith("softmax") & own["label"].str.contains("triplet")]
    if own.empty:
        return ""
    first = own[(own[PAIR] == own.loc[own["n"].idxmax(), PAIR]).all(axis=1)]
    optimised, *others = (f"{_counted(first[first['distance'] == name])} by {name} distance" for name in DISTANCES)
    name = first["label"].iloc[0]
    asked = triplets[(triplets["protocol"] == "subject") & (triplets["label"] == name)]
    nearer = "".join(f"; {_nearer(row)}" for row in asked.itertuples())
    printed = compared[(compared["protocol"] == "random") & (compared["label"] == PROPOSED) & (compared["n"] > 1)]
    printed = printed[printed["less"].str.startswith("softmax") & (printed["distance"] == "Euclidean")]
    as_printed = ""
    if len(printed):
        as_printed = (
            f" Under the paper's split and at its STN rate triplet is {_counted(printed)} by Euclidean distance "
            f"(n = {printed.loc[printed['n'].idxmax(), 'over']}; collapsed runs have no score)."
        )
    return (
        f"Division of the classes on unseen subjects, {name} against softmax: {optimised}, which triplet loss "
        f"optimises, {', '.join(others)}{nearer}.{as_printed}"
    )


def _counted(rows: pd.DataFrame) -> str:
    """In how many of the scores the division is clearer, or less clear."""
    counts = pd.Series([_verdict(row) for row in rows.itertuples()]).value_counts()
    said = [f"{verdict} in {counts[verdict]} of {len(rows)} scores" for verdict in RESOLVED if verdict in counts]
    return ", ".join(said) or f"clearer or less clear in none of {len(rows)} scores"


def _verdict(row) -> str:
    low, high = row.ci_low, row.ci_high
    if row.score in LOWER_IS_CLEARER:
        low, high = -high, -low
    return RESOLVED[0] if low > 0 else RESOLVED[1] if high < 0 else "not resolvable"
