"""What the classifiers rely on, in words: tables of `findings.attention` for the eye, sentences, captions."""

import numpy as np
import pandas as pd

from fer_lib.attribution import METHODS
from fer_lib.experiments import Experiment
from fer_lib.findings.attention import PLACED, best_map, correct
from fer_lib.stats import RESAMPLED
from fer_lib.words.rounding import in_cell

WORDS = {"expression": "the area changed by its action units", "mouth": "the mouth region", "eyes": "the eye region"}
"""Region -> its name in a sentence."""

CAPTION = (
    "95 % CI: bootstrap over subjects (protocol subject) or images (usage), which does not cover retraining; otherwise "
    "over runs, from three runs on."
)


def over(protocol: str) -> str:
    """What the intervals of a protocol are over, in words."""
    return f"bootstrap over {RESAMPLED[protocol][1]}" if protocol in RESAMPLED else "over runs, from three runs on"


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`attention.faithfulness` with a row per arm and a column per map: does it beat random, and by how many points?"""
    words = table["verdict"].replace({"supported": "yes", "contradicted": "worse"})
    gains = [in_cell(*gain, "+.1%") for gain in table[["better", "better_low", "better_high"]].itertuples(index=False)]
    said = [f"{verdict}: {gain}" for verdict, gain in zip(words, gains, strict=True)]
    form = {"index": ["protocol", "label", "n"], "columns": "map", "values": "said", "aggfunc": "first", "sort": False}
    wide = table.assign(said=said).pivot_table(**form)[list(METHODS)].reset_index().rename_axis(columns=None)
    return wide[["protocol", "label", *METHODS, "n"]].rename(columns={"label": "method"})


def faithful(table: pd.DataFrame) -> str:
    """In how many networks each map beats a random order and the contrast order, in a sentence."""
    judged = table[table["better_low"].notna()]
    if judged.empty:
        return "No network has enough runs for a verdict."
    supported = judged[["map"]].assign(better=judged["verdict"], beyond=judged["beyond_verdict"]).set_index("map")
    counts = (
        supported.eq("supported")
        .groupby("map")
        .agg(better=("better", "sum"), beyond=("beyond", "sum"), n=("better", "size"))
    )
    said = [
        f"*{row.Index}* beats a random order in {row.better} and contrast in {row.beyond}"
        for row in counts.loc[list(METHODS)].itertuples()
    ]
    return f"**Which map is faithful?** Of {counts['n'].max()} networks with a verdict, {'; '.join(said)}."


MANY = 0.05
"""Share of the frames without relevance from which `left_out` tells of the networks with this map and loss."""


def left_out(experiments: list[Experiment]) -> str:
    """On which share of the correctly classified frames the maps of `PLACED` have no positive relevance, in a sentence.

    Networks with many such frames are told of together, by map and loss.
    """
    many, rest = {}, 0.0
    for experiment in experiments:
        frames = correct(experiment).drop_duplicates(["seed", "fold", "frame_id", "map"])
        for name in PLACED:
            empty = frames.loc[frames["map"] == name, "inside"].isna().mean()
            if empty > MANY:
                many.setdefault((name, experiment.loss), []).append(empty)
            else:
                rest = np.nanmax([rest, empty])  # NaN without such a map
    named = [f"{_range(pd.Series(own))} by {name} (n = {len(own)} with {loss}); " for (name, loss), own in many.items()]
    said = f"Frames left out because a map has no positive relevance: {''.join(named)}"
    most = _range(pd.Series([rest]), ".1%")
    return f"{said}at most {most} in {'the others' if named else 'each network'}."


def told(table: pd.DataFrame) -> list[str]:
    """The regions of a table of `attention.regions` to report: the expression's, if known, else mouth and eyes."""
    known = [name for name in WORDS if (table["region"] == name).any()]
    return known[:1] if known[:1] == ["expression"] else known


def _range(values: pd.Series, form: str = ".0%") -> str:
    """0.384, 0.472 -> 38 to 47 %, of which no line breaks; once if both ends read alike."""
    ends = dict.fromkeys(f"{x:{form}}".removesuffix("%") for x in (values.min(), values.max()))
    return (" to ".join(ends) + (" %" if form.endswith("%") else "")).replace(" ", "\N{NO-BREAK SPACE}")


def answer(dataset: str, table: pd.DataFrame, found: pd.DataFrame) -> list[str]:
    """What the classifiers rely on, and whether the maps tell it, a sentence each.

    table: `attention.faithfulness`; found: `attention.places`.
    """
    if table.empty:
        return [
            f"No network on {dataset} has attribution maps yet: the stored networks were trained before these maps "
            "existed, and their weights were not kept. The end of this page lists them."
        ]
    name = best_map(table)
    own = found[found["map"] == name]
    region = told(own)[0]
    here = own[own["region"] == region]
    return [
        f"On correctly classified faces, {WORDS[region]} ({_range(here['area'])} of the image) holds "
        f"{_range(here['inside'])} of the positive relevance (*{name}*, range over {len(here)} networks).",
        faithful(table),
    ]
