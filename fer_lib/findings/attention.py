"""What the trained classifiers rely on, and which attribution maps are faithful: tables from `results/` alone."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from fer_lib import results
from fer_lib.attribution import CONTROLS, METHODS, SHARES
from fer_lib.comparisons import paired_on, pooled_gain
from fer_lib.experiments import Experiment
from fer_lib.findings.robustness import enough, interval_over
from fer_lib.findings.tables import not_collapsed, trained_apart
from fer_lib.occlusion_benchmark import GRID
from fer_lib.words.naming import label

LEVELS = ("0%", *(f"{share:.0%}" for share in SHARES))
MAPS = (*METHODS, *CONTROLS)

TRAINED = {
    "none": "without occlusion",
    "rectangle": "with the paper's rectangle",
    "mixed": "with mixed occlusion",
    "heavy": "with heavy occlusion",
}
"""Occlusion in training -> in words, in the order of the page."""

PLACED = ("integrated gradients", "sliding square")
"""The maps that can locate relevance on the face; Grad-CAM is too coarse for that (`lattice`)."""


def arms(dataset: str) -> list[Experiment]:
    """The measured experiments with a member that has maps and has not collapsed, each network once; may be none."""
    return [row for row in trained_apart(dataset) if len(deleted(row)) and len(_right(row))]


def by_training(experiments: list[Experiment]) -> list[Experiment]:
    """The first experiment of each kind of occlusion in training, in the order of `TRAINED`."""
    firsts = {one.occlusion: one for one in reversed(experiments)}
    return [firsts[kind] for kind in TRAINED if kind in firsts]


def mean_maps(experiment: Experiment) -> dict[str, dict[str, np.ndarray]]:
    """Map -> predicted emotion -> its mean (12, 12) over the frames of all members, each scaled to a sum of 1."""
    table = not_collapsed(experiment, results.read(experiment, "attribution.csv.gz"))
    means = {name: {} for name in METHODS}
    for (name, emotion), own in table.groupby(["map", "emotion"]):
        patches = own.drop(columns=["seed", "fold", "map", "emotion", "frames"]).to_numpy(float)
        means[name][emotion] = np.average(patches, axis=0, weights=own["frames"]).reshape(GRID, GRID)
    return means


def patches(rows: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """Maps by name and emotion as a table: map, emotion, and a column per patch, "row column"."""
    columns = [f"{row} {column}" for row in range(GRID) for column in range(GRID)]
    found = [(name, emotion, *values.ravel()) for name, maps in rows.items() for emotion, values in maps.items()]
    return pd.DataFrame(found, columns=["map", "emotion", *columns])


def deleted(experiment: Experiment) -> pd.DataFrame:
    """Per frame, map and order (`most` or `least` relevant first), 1 where the prediction stays, at each of `LEVELS`.

    Columns seed, fold, frame_id, subject, map, first, the levels, and area: the mean from 0 to 50 % removed. Members
    that have collapsed are left out: they see black whatever is removed.
    """
    table = results.read(experiment, "deletion.csv.gz")
    if table.empty:
        return table
    table = not_collapsed(experiment, table)
    same = table[list(LEVELS[1:])].eq(table["prediction"], axis=0).astype(float)
    same.insert(0, LEVELS[0], 1.0)
    shares = (0, *SHARES)
    key = table[["seed", "fold", "frame_id", "subject", "map", "first"]]
    return pd.concat([key, same], axis=1).assign(area=np.trapezoid(same, shares, axis=1) / shares[-1])


def curves(experiment: Experiment) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Per map and order: severity, mean, ci_low, ci_high of the share of frames that keep their prediction."""
    table = deleted(experiment)
    for name in MAPS:
        for first in ("most", "least"):
            own = table[(table["map"] == name) & (table["first"] == first)]
            if len(own):
                pairs = zip(SHARES, LEVELS[1:], strict=True)
                rows = [(0, 1, 1, 1), *((share, *_mean(experiment, own, level)) for share, level in pairs)]
                yield name, first, pd.DataFrame(rows, columns=["severity", "mean", "ci_low", "ci_high"])


def curve_table(experiments: list[Experiment]) -> pd.DataFrame:
    """`curves` of several arms: method, map, first, severity, mean, ci_low, ci_high."""
    about = ["method", "map", "first"]
    parts = [
        points.assign(**dict(zip(about, (label(one), name, first), strict=True)))
        for one in experiments
        for name, first, points in curves(one)
    ]
    return pd.concat(parts)[[*about, "severity", "mean", "ci_low", "ci_high"]].reset_index(drop=True)


def _mean(experiment: Experiment, frames: pd.DataFrame, column: str, of: str | None = None):
    """`robustness.interval_over` of a column of shares, or of its ratio to column `of`."""
    return interval_over(experiment, frames, frames[column], frames[of] if of else None)


def faithfulness(dataset: str) -> pd.DataFrame:
    """Per arm and map of `METHODS`: is it faithful? Areas under the share of kept predictions, 0 to 50 % removed.

    Columns experiment, occlusion, protocol, label, map, most, least, random, contrast (areas), stay and random_stay
    (predictions that stay without the most relevant or a random tenth), and paired gains of most first with interval:
    `between` over least first, `better` over a random order, `beyond` over the patches of most contrast; n and verdict
    are those of `better`, beyond_verdict that of `beyond`. Fewer members than `robustness.enough` asks for have no
    interval and no verdict.
    """
    rows = []
    for experiment in arms(dataset):
        table = deleted(experiment)
        key = [*paired_on(experiment.protocol), "frame_id", "subject"]  # so that each pooled frame counts once
        areas = table.pivot_table(index=key, columns=["map", "first"], values="area")
        stays = table[table["first"] == "most"].pivot_table(index=key, columns="map", values="10%").mean()
        frames, about = areas.index.to_frame(index=False), ("experiment", "occlusion", "protocol")
        for name in METHODS:
            pairs = {"between": (name, "least"), "better": ("random", "most"), "beyond": ("contrast", "most")}
            row = {column: getattr(experiment, column) for column in about} | {"label": label(experiment), "map": name}
            row |= {first: areas[name, first].mean() for first in ("most", "least")}
            row |= {control: areas[control, "most"].mean() for control in CONTROLS}
            row |= {"stay": stays[name], "random_stay": stays["random"]}
            for gain, other in pairs.items():
                found = pooled_gain(experiment.protocol, frames, (areas[other] - areas[name, "most"]).to_numpy())
                if not enough(experiment, frames):
                    found |= {"ci_low": np.nan, "ci_high": np.nan, "verdict": "too few runs"}
                row |= {gain: found["difference"], f"{gain}_low": found["ci_low"], f"{gain}_high": found["ci_high"]}
                if gain == "better":
                    row |= {"n": found["n"], "verdict": found["verdict"]}
                if gain == "beyond":
                    row |= {"beyond_verdict": found["verdict"]}
            rows.append(row)
    return pd.DataFrame(rows)


def best_map(table: pd.DataFrame) -> str:
    """The map that beats a random order by most in most arms of `faithfulness`."""
    return table.loc[table.groupby("experiment")["better"].idxmax(), "map"].mode()[0]


def regions(experiment: Experiment, by_emotion: bool = False) -> pd.DataFrame:
    """The share of positive relevance in a region over the region's share of the image, on correctly classified frames.

    Columns map, region, emotion (if by_emotion), ratio, ci_low, ci_high, inside and area (mean shares), frames.
    A ratio of 1 is chance. The regions are eyes, mouth and, on synthetic faces, `expression`.
    """
    table, rows = _right(experiment), []
    by = ["map", "region", *(["emotion"] if by_emotion else [])]
    for key, own in table.groupby(by):
        ratio = _mean(experiment, own, "inside", "area")
        rows.append([*key, *ratio, own["inside"].mean(), own["area"].mean(), len(own)])
    return pd.DataFrame(rows, columns=[*by, "ratio", "ci_low", "ci_high", "inside", "area", "frames"])


def _right(experiment: Experiment) -> pd.DataFrame:
    """The rows of `correct` whose map has positive relevance, with the emotion's name."""
    table = correct(experiment).dropna(subset="inside")
    return table.assign(emotion=np.array(results.class_names(experiment))[table["label"].astype(int)])


def correct(experiment: Experiment) -> pd.DataFrame:
    """The rows of `regions.csv.gz` of correctly classified frames; inside is NaN where nothing is relevant."""
    table = not_collapsed(experiment, results.read(experiment, "regions.csv.gz"))
    return table[table["label"] == table["prediction"]]


def places(dataset: str) -> pd.DataFrame:
    """`regions` of every arm, with its occlusion in training, protocol and method; empty without an arm."""
    about = {arm: {"occlusion": arm.occlusion, "protocol": arm.protocol, "method": label(arm)} for arm in arms(dataset)}
    return pd.concat([regions(arm).assign(**own) for arm, own in about.items()]) if about else pd.DataFrame()
