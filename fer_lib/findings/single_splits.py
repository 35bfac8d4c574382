"""What a single split would have shown: one run of each of the paper's networks on the same random split."""

from itertools import pairwise

import numpy as np
import pandas as pd

from fer_lib import results
from fer_lib.findings.tables import collapsed, measured
from fer_lib.stats import ROUNDING
from fer_lib.words.naming import differences, label, printed

COLUMNS = ["label", "printed", "seed", "accuracy", "collapsed"]


def runs(dataset: str) -> pd.DataFrame:
    """The runs of the networks that the paper's text describes and prints a number for, by that number, then by split.

    On the splits that all of them were tested on; `seed` names the split. Empty with fewer than two networks.
    """
    found = []
    for arm in measured(dataset):
        if np.isnan(printed(arm)) or differences(arm):
            continue
        away, own = collapsed(arm), results.read(arm, "metrics.csv")
        lost = [member in away for member in zip(own["seed"], own["fold"], strict=True)]
        found.append(own.assign(label=label(arm), printed=printed(arm), collapsed=lost)[COLUMNS])
    if len(found) < 2:
        return pd.DataFrame(columns=COLUMNS)
    shared = set.intersection(*(set(own["seed"]) for own in found))
    table = pd.concat(found)
    return table[table["seed"].isin(shared)].sort_values(["printed", "seed"], ignore_index=True)


def in_words(table: pd.DataFrame) -> str:
    """On how many splits each network of `runs` is above the one with the next lower printed number, in sentences."""
    if table.empty:
        return ""
    wide = table.pivot(index="seed", columns="label")
    names, said = list(dict.fromkeys(table["label"])), []
    gains = {upper: wide["accuracy"][upper] - wide["accuracy"][lower] for lower, upper in pairwise(names)}
    for (lower, upper), gain in zip(pairwise(names), gains.values(), strict=True):
        level, lost = (gain.abs() < ROUNDING).sum(), wide["collapsed"][upper].sum()
        also = [f"level with it on {level}"] * bool(level) + [f"collapsed on {lost}"] * bool(lost)
        above = f"{upper} is above {lower} on {(gain > ROUNDING).sum() or 'none'} of {len(gain)} splits"
        said.append(", ".join([above, *also]))
    ordered = (pd.DataFrame(gains) > ROUNDING).all(axis=1).sum()
    return (
        f"One run of each network on the same split: {'; '.join(said)}. The order that the paper prints appears on "
        f"{ordered or 'none'} of {len(wide)} splits."
    )
