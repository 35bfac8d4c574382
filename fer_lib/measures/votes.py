"""FER2013's labels compared with ten people's votes, and what models that know the votes would score on them.

Most functions take a table with a row per image: usage, label, and the columns of `described`.
Contempt, unknown and no face are categories of the votes, but not classes of FER2013.
"""

import numpy as np
import pandas as pd
from scipy.stats import entropy

from fer_lib.datasets.fer2013 import CLASSES
from fer_lib.datasets.ferplus import CATEGORIES
from fer_lib.stats import wilson

OTHERS = tuple(name for name in CATEGORIES if name not in CLASSES)
"""Categories of the votes that are no class of FER2013."""

OUTCOMES = (
    "the label",
    "a tie with the label",
    "another class",
    "a tie without the label",
    "none of the seven classes",
)
"""What has the most votes, seen from the label."""

DRAWN = "the voters' majority, ties broken at random"
BEST = "logistic regression on the votes, fitted on Training"
"""Two of the models in `ceilings`: the simple one, and the one that uses most of what Training says of the labels."""


def described(votes: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """What is kept of each image's votes: int (N, 10) over `CATEGORIES`; labels (N,): names of classes.

    majority: the category with most votes, or the tied ones with / between them. seven: the same among FER2013's
    classes, "" if none has a vote. counts: the votes of the categories that have any, the highest first, as in
    "6 2 1 1". label_votes: how many say what the label says.
    """
    of_seven = votes * np.isin(CATEGORIES, CLASSES)
    ordered = -np.sort(-votes, axis=1)
    return pd.DataFrame(
        {
            "majority": _most(votes),
            "seven": _most(of_seven),
            "counts": [" ".join(str(count) for count in row if count) for row in ordered],
            "label_votes": votes[np.arange(len(votes)), [CATEGORIES.index(name) for name in labels]],
        }
    )


def _most(votes: np.ndarray) -> list[str]:
    top = (votes == votes.max(axis=1, keepdims=True)) & (votes > 0)
    return ["/".join(np.array(CATEGORIES)[row]) for row in top]


def share_of_label(table: pd.DataFrame, column: str = "majority") -> pd.DataFrame:
    """Whether the label is among the most voted (bool `among`), and how many categories share this place (`tied`)."""
    best = [names.split("/") for names in table[column]]
    among = [label in names for label, names in zip(table["label"], best, strict=True)]
    return pd.DataFrame({"among": among, "tied": [len(names) for names in best]}, index=table.index)


def clear_majority(table: pd.DataFrame) -> pd.Series:
    """The category with more than half of the votes when one with a single vote counts as none, "" without one.

    Where it is a class, it is the label of `ferplus.labelled`.
    """
    is_clear = {}
    for counts in table["counts"].unique():
        left = [count for count in map(int, counts.split()) if count > 1]
        is_clear[counts] = bool(left) and 2 * max(left) > sum(left)
    return table["majority"].where(table["counts"].map(is_clear), "")


def outcome(table: pd.DataFrame) -> pd.Series:
    """One of `OUTCOMES` for each image."""
    share, alone = share_of_label(table), ~table["majority"].str.contains("/")
    conditions = [share["among"] & alone, share["among"], ~alone, table["majority"].isin(OTHERS)]
    chosen = [OUTCOMES[k] for k in (0, 1, 3, 4)]
    return pd.Series(np.select(conditions, chosen, OUTCOMES[2]), index=table.index)


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """How many images of each outcome there are, a row per label."""
    counts = pd.crosstab(table["label"], outcome(table))
    return counts.reindex(columns=list(OUTCOMES), fill_value=0).rename_axis(columns=None)


def confusion(table: pd.DataFrame) -> pd.DataFrame:
    """Counts (7, 11) of labels, in the order of `CLASSES`, against the votes' majority."""
    majority = table["majority"].where(~table["majority"].str.contains("/"), "tied")
    counts = pd.crosstab(table["label"], majority)
    return counts.reindex(index=list(CLASSES), columns=[*CLASSES, *OTHERS, "tied"], fill_value=0)


def guesses(table: pd.DataFrame) -> pd.Series:
    """The commonest Training label of the images with the same majority; the majority's own where Training has none."""
    train = table[table["usage"] == "Training"]
    commonest = train.groupby("majority")["label"].agg(lambda labels: labels.value_counts().index[0])
    return table["majority"].map(commonest).fillna(table["seven"].str.split("/").str[0])


def ceilings(table: pd.DataFrame, fitted: np.ndarray) -> pd.DataFrame:
    """What models that know the votes score on PrivateTest's labels: model, right, n, share, low, high (Wilson).

    fitted: the predictions for PrivateTest of a classifier trained on the votes and labels of Training.
    right is rounded to whole images where ties are broken at random.
    """
    own = table[table["usage"] == "PrivateTest"]
    majority, seven = share_of_label(own), share_of_label(own, "seven")
    right = {
        "the voters' majority, ties counted as wrong": majority["among"] & (majority["tied"] == 1),
        DRAWN: majority["among"] / majority["tied"],
        "the voters' majority, ties counted as correct": majority["among"],
        "the class with the most votes, ties broken at random": seven["among"] / seven["tied"],
        "the most frequent Training label for this majority": guesses(table)[own.index] == own["label"],
        BEST: own["label"] == fitted,
    }
    return pd.DataFrame([{"model": model, **counted(_whole(hits), len(own))} for model, hits in right.items()])


def _whole(hits: pd.Series) -> int:
    return int(hits.sum() + 0.5)


def counted(right: int, n: int) -> dict[str, float]:
    """right, n, their share, and the ends low and high of its Wilson 95 % interval; NaN of nothing."""
    low, high = wilson(n - right, n) if n else (np.nan, np.nan)
    return {"right": right, "n": n, "share": right / n if n else np.nan, "low": low, "high": high}


def voters(table: pd.DataFrame) -> pd.DataFrame:
    """For each image, with what chance voters agree: columns of shares.

    top: a voter drawn from the ten says what most of them say, which is what their majority would score if the label
    were one of their votes. other_nine: a voter says what most of the others say, a tie drawn. two: two voters say the
    same. label: a voter says what the label says. NaN in the middle two where there is a single vote.
    """
    parts = {counts: np.array(counts.split(), int) for counts in table["counts"].unique()}
    total = table["counts"].map({counts: part.sum() for counts, part in parts.items()})
    top = table["counts"].map({counts: part.max() for counts, part in parts.items()}) / total
    other_nine = table["counts"].map({counts: _with_others(part) for counts, part in parts.items()})
    two = table["counts"].map({counts: _two(part) for counts, part in parts.items()})
    return pd.DataFrame({"top": top, "other_nine": other_nine, "two": two, "label": table["label_votes"] / total})


def _with_others(counts: np.ndarray) -> float:
    """The chance that a voter, drawn from these counts, says what most of the others say."""
    if counts.sum() < 2:
        return np.nan
    chance = 0.0
    for own, count in enumerate(counts):
        others = counts - (np.arange(len(counts)) == own)
        if others[own] == others.max():
            chance += count / (others == others.max()).sum()
    return chance / counts.sum()


def _two(counts: np.ndarray) -> float:
    total = counts.sum()
    return float((counts * (counts - 1)).sum() / (total * (total - 1))) if total > 1 else np.nan


def entropies(table: pd.DataFrame) -> pd.Series:
    """The entropy of each image's votes in bits: 0 where all agree, 3.32 where ten voters say ten things."""
    measured = {counts: entropy(np.array(counts.split(), int), base=2) for counts in table["counts"].unique()}
    return table["counts"].map(measured)


def entropy_counts(table: pd.DataFrame) -> pd.DataFrame:
    """Images by the entropy of their votes, a row per fifth of a bit: columns from, to, and the
    two of `found`."""
    edges, bits = np.arange(16) / 5, entropies(table).round(9)  # so that a bin's edge is in the same bin everywhere
    right = outcome(table) == OUTCOMES[0]
    found = {"label is the majority": bits[right], "label is not the majority": bits[~right]}
    counts = {name: np.histogram(own, edges)[0] for name, own in found.items()}
    return pd.DataFrame({"from": edges[:-1], "to": edges[1:], **counts})


def by_top(table: pd.DataFrame) -> pd.DataFrame:
    """How often the label is the majority, a tie drawn: a row per number of the majority's votes, with `counted`."""
    share = share_of_label(table)
    hits, top = share["among"] / share["tied"], table["counts"].str.split().str[0].astype(int)
    return pd.DataFrame([{"votes": votes, **counted(_whole(own), len(own))} for votes, own in hits.groupby(top)])
