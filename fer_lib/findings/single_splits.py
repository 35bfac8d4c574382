"""What a single split would have shown: one run of each of the paper's networks on the same random split."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from fer_lib import results
from fer_lib.findings.tables import has_collapsed, measured
from fer_lib.stats import ROUNDING
from fer_lib.words.naming import differences, label, printed

COLUMNS = ["label", "printed", "seed", "accuracy", "collapsed"]


def runs(dataset: str, occlusion: str = "rectangle") -> pd.DataFrame:
    """The runs of the networks that the paper's text describes and prints a number for, by that number, then by split.

    On the splits that all of them were tested on; `seed` names the split. Empty with fewer than two networks.
    occlusion: in their training, in place of the paper's rectangle.
    """
    found = []
    for arm in measured(dataset):
        as_printed = replace(arm, occlusion="rectangle")
        if arm.occlusion != occlusion or np.isnan(printed(as_printed)) or differences(as_printed):
            continue
        own = results.read(arm, "metrics.csv")
        own = own.assign(label=label(arm), printed=printed(as_printed), collapsed=has_collapsed(arm, own))
        found.append(own[COLUMNS])
    if len(found) < 2:
        return pd.DataFrame(columns=COLUMNS)
    shared = set.intersection(*(set(own["seed"]) for own in found))
    table = pd.concat(found)
    return table[table["seed"].isin(shared)].sort_values(["printed", "seed"], ignore_index=True)


def in_words(dataset: str) -> str:
    """On how many splits each of the paper's networks is above the one with the next lower printed number.

    And on how many all are in this order, also without occlusion in training. Empty without two networks.
    """
    table, clear = runs(dataset), runs(dataset, "none")
    if table.empty:
        return ""
    lost, said = table[table["collapsed"]]["label"].value_counts(), []
    gains = _gains(table)
    for (lower, upper), gain in gains.items():
        level = (gain.abs() < ROUNDING).sum()
        also = [f"level with it on {level}"] * bool(level)
        also += [f"collapsed on {lost[upper]}"] if upper in lost else []
        above = f"{upper} is above {lower} on {(gain > ROUNDING).sum() or 'none'} of {len(gain)} splits"
        said.append(", ".join([above, *also]))
    as_many = clear["label"].nunique() == table["label"].nunique()
    without = f"; without occlusion in training, on {_in_order(clear)}" if as_many else ""
    return (
        "One run of each network on the same split (collapsed: its STN turned its view off the face): "
        f"{'; '.join(said)}. The order that the paper prints appears on "
        f"{_in_order(table)}{without}."
    )


def _gains(table: pd.DataFrame) -> dict[tuple[str, str], pd.Series]:
    """Two networks of `runs` that follow each other -> what the second gains over the first, by split."""
    wide = table.pivot(index="seed", columns="label", values="accuracy")
    return {(lower, upper): wide[upper] - wide[lower] for lower, upper in pairwise(table["label"].unique())}


def _in_order(table: pd.DataFrame) -> str:
    """1 of 3 splits: those on which each network of `runs` is above the one before it."""
    ordered = (pd.DataFrame(_gains(table)) > ROUNDING).all(axis=1)
    return f"{ordered.sum() or 'none'} of {len(ordered)} splits"
