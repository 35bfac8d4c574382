"""What the trained classifiers rely on, and which attribution maps are faithful: tables from `results/` alone."""

import numpy as np
import pandas as pd

from fer_lib import results
from fer_lib.attribution import METHODS, SHARES
from fer_lib.comparisons import paired_on, pooled_gain
from fer_lib.experiments import Experiment
from fer_lib.findings.robustness import enough, interval_over
from fer_lib.findings.tables import not_collapsed, trained_apart
from fer_lib.occlusion_benchmark import GRID
from fer_lib.words.naming import label

LEVELS = ("0%", *(f"{share:.0%}" for share in SHARES))

TRAINED = {
    "none": "without occlusion",
    "rectangle": "with the paper's rectangle",
    "mixed": "with mixed occlusion",
    "heavy": "with heavy occlusion",
}
"""Occlusion in training -> in words, in the order of the page."""

PLACED = ("integrated gradients", "sliding square")
"""The maps that can locate relevance on the face; Grad-CAM is too coarse for that (`attribution.in_pixels`)."""


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


def curve_table(experiments: list[Experiment]) -> pd.DataFrame:
    """Share of frames that keep their prediction: method, map, first, severity, mean, ci_low, ci_high."""
    rows = []
    for experiment in experiments:
        for (name, first), own in deleted(experiment).groupby(["map", "first"]):
            about = label(experiment), name, first
            rows.append((*about, 0, 1, 1, 1))
            for share, level in zip(SHARES, LEVELS[1:], strict=True):
                rows.append((*about, share, *interval_over(experiment, own, own[level])))
    return pd.DataFrame(rows, columns=["method", "map", "first", "severity", "mean", "ci_low", "ci_high"])


def faithfulness(dataset: str) -> pd.DataFrame:
    """Per arm and map of `METHODS`: is it faithful? By the area under the share of kept predictions, 0 to 50 % removed.

    Columns experiment, protocol, label, map; better, better_low, better_high, n and verdict: the paired gain
    of most relevant first over a random order; beyond_verdict: that over the patches of most contrast. Fewer members
    than `robustness.enough` asks for have no interval and no verdict.
    """
    rows = []
    for experiment in arms(dataset):
        key = [*paired_on(experiment.protocol), "frame_id", "subject"]  # so that each pooled frame counts once
        areas = deleted(experiment).pivot_table(index=key, columns=["map", "first"], values="area")
        frames = areas.index.to_frame(index=False)
        few = {} if enough(experiment, frames) else dict(ci_low=np.nan, ci_high=np.nan, verdict="too few runs")
        for name in METHODS:
            better, beyond = (
                pooled_gain(experiment.protocol, frames, (areas[other, "most"] - areas[name, "most"]).to_numpy()) | few
                for other in ("random", "contrast")
            )
            about = experiment.experiment, experiment.protocol, label(experiment), name
            found = (better[column] for column in ("difference", "ci_low", "ci_high", "n", "verdict"))
            rows.append((*about, *found, beyond["verdict"]))
    columns = ["experiment", "protocol", "label", "map", "better", "better_low", "better_high", "n", "verdict"]
    return pd.DataFrame(rows, columns=[*columns, "beyond_verdict"])


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
        ratio = interval_over(experiment, own, own["inside"], own["area"])
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
