"""What the trained classifiers use, and which map of it to believe: tables and sentences, from `results/` alone."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from fer_lib import results
from fer_lib.attribution import CONTROLS, GRID, METHODS, SHARES
from fer_lib.experiments import Experiment
from fer_lib.naming import label
from fer_lib.stats import RESAMPLED, pooled, pooled_gain
from fer_lib.tables import measured
from fer_lib.views import faces_kept
from fer_lib.wording import in_cell

LEVELS = ("0%", *(f"{share:.0%}" for share in SHARES))
MAPS = (*METHODS, *CONTROLS)

WORDS = {"expression": "where its action units show", "mouth": "on and around the mouth", "eyes": "on the eyes' band"}
"""Region -> where that is, in a sentence."""

CAPTION = (
    "Subject: pooled over the tested frames of all finished folds, people resampled; usage: images resampled; other "
    "protocols: over members. "
    "What another initialisation would change is in no interval over people."
)


def arms(dataset: str) -> list[Experiment]:
    """The measured experiments with a member that has maps and has not lost the face; there may be none."""
    return [row for row in measured(dataset) if len(deleted(row)) and len(_right(row))]


def mean_maps(experiment: Experiment) -> dict[str, dict[str, np.ndarray]]:
    """Map -> predicted emotion -> its mean (12, 12) over the frames of all members, each scaled to a sum of 1."""
    table = faces_kept(experiment, results.read(experiment, "attribution.csv.gz"))
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
    that have lost the face are left out: they see black whatever is removed.
    """
    table = results.read(experiment, "deletion.csv.gz")
    if table.empty:
        return table
    table = faces_kept(experiment, table)
    kept = table[list(LEVELS[1:])].eq(table["prediction"], axis=0).astype(float)
    kept.insert(0, LEVELS[0], 1.0)
    shares = (0, *SHARES)
    key = table[["seed", "fold", "frame_id", "subject", "map", "first"]]
    return pd.concat([key, kept], axis=1).assign(area=np.trapezoid(kept, shares, axis=1) / shares[-1])


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
    """Mean of a column of shares, or its ratio to the column `of`, with its interval over people, images or members."""
    if of:
        return pooled(experiment.protocol, frames, frames[column], frames[of], within=(0, np.inf))
    return pooled(experiment.protocol, frames, frames[column])


def faithfulness(dataset: str) -> pd.DataFrame:
    """Per arm and map of `METHODS`: is it faithful? Areas under the share of kept predictions, 0 to 50 % removed.

    Columns experiment, protocol, label, map, most, least, random, contrast (areas), and paired gains of most first with
    interval: `between` over least first, `better` over a random order, `beyond` over the patches of most contrast;
    n and verdict are those of `better`.
    """
    rows = []
    for experiment in arms(dataset):
        table = deleted(experiment)
        key = ["seed", "fold", "frame_id", "subject"]
        areas = table.pivot_table(index=key, columns=["map", "first"], values="area")
        for name in METHODS:
            pairs = {"between": (name, "least"), "better": ("random", "most"), "beyond": ("contrast", "most")}
            frames = areas.index.to_frame(index=False)
            lost = {gain: (areas[other] - areas[name, "most"]).to_numpy() for gain, other in pairs.items()}
            gains = {gain: pooled_gain(experiment.protocol, frames, one) for gain, one in lost.items()}
            row = {"experiment": experiment.experiment, "protocol": experiment.protocol, "label": label(experiment)}
            row |= {"map": name, "most": areas[name, "most"].mean(), "least": areas[name, "least"].mean()}
            row |= {control: areas[control, "most"].mean() for control in CONTROLS}
            for gain, found in gains.items():
                row |= {gain: found["difference"], f"{gain}_low": found["ci_low"], f"{gain}_high": found["ci_high"]}
            rows.append({**row, "n": gains["better"]["n"], "verdict": gains["better"]["verdict"]})
    return pd.DataFrame(rows)


def readable_faithfulness(table: pd.DataFrame) -> pd.DataFrame:
    """`faithfulness` in percent and points, with its verdict in words."""
    shown = table[["protocol", "label", "map"]].rename(columns={"label": "method"})
    shown["most first"] = [f"{100 * x:.1f}" for x in table["most"]]
    for name, words in {"between": "gap to least first", "better": "to random", "beyond": "to contrast"}.items():
        shown[words] = [in_cell(*three, "+.1%") for three in _triples(table, name)]
    words = {"supported": "yes", "contradicted": "worse"}
    return shown.assign(**{"beats random?": table["verdict"].replace(words)}, n=table["n"])


def _triples(table: pd.DataFrame, name: str) -> Iterator[tuple]:
    return table[[name, f"{name}_low", f"{name}_high"]].itertuples(index=False, name=None)


def regions(experiment: Experiment, by_emotion: bool = False) -> pd.DataFrame:
    """How many times its share of the image a region has of what speaks for the class, on rightly classified frames.

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
    """The rows of `regions.csv.gz` of rightly classified frames whose map is not empty, with the emotion's name."""
    table = faces_kept(experiment, results.read(experiment, "regions.csv.gz")).dropna(subset="inside")
    table = table[table["label"] == table["prediction"]]
    return table.assign(emotion=np.array(results.class_names(experiment))[table["label"].astype(int)])


def readable_regions(dataset: str) -> pd.DataFrame:
    """A row per arm and map: times chance, with interval, for each region."""
    tables = []
    for experiment in arms(dataset):
        found = regions(experiment)
        said = [in_cell(row.ratio, row.ci_low, row.ci_high, ".2f") for row in found.itertuples()]
        wide = found.assign(said=said).pivot(index="map", columns="region", values="said")
        wide = wide.reindex([name for name in MAPS if name in wide.index]).reset_index().rename_axis(columns=None)
        wide.insert(0, "method", label(experiment))
        wide.insert(0, "protocol", experiment.protocol)
        tables.append(wide)
    return pd.concat(tables, ignore_index=True)


def answer(dataset: str, table: pd.DataFrame) -> str:
    """What the classifiers use and which map says it, in sentences, a line per arm; table: `faithfulness`."""
    lines = []
    for experiment in arms(dataset):
        own = table[table["experiment"] == experiment.experiment]
        best = own.loc[own["better"].idxmax()]
        stays = 100 * deleted(experiment).query("first == 'most'").groupby("map")["10%"].mean()
        places = regions(experiment).query("map == @best['map']").set_index("region")
        n = f"{best['n']} {RESAMPLED.get(experiment.protocol, ('', 'members'))[1]}"
        line = (
            f"- **{label(experiment)}**, protocol {experiment.protocol}, n = {n}: without the tenth of the face that "
            f"the map *{best['map']}* calls most relevant, {stays[best['map']]:.1f} % of the predictions stay; without "
            f"a random tenth, {stays['random']:.1f} %. Up to half removed, this map is better than chance by "
            f"{in_cell(*best[['better', 'better_low', 'better_high']], '+.1%')} points."
        )
        known = [name for name in WORDS if name in places.index]
        for region in known[:1] if known[:1] == ["expression"] else known:
            found = places.loc[region]
            line += (
                f" Of what speaks for the emotion, {100 * found['inside']:.0f} % lies {WORDS[region]}, which is "
                f"{100 * found['area']:.0f} % of the image: "
                f"{in_cell(found['ratio'], found['ci_low'], found['ci_high'], '.2f')} times chance."
            )
        lines.append(line)
    return "\n".join(lines) or (
        f"No network on {dataset} has maps of what it uses yet: those that are stored were trained before the maps "
        "were there, and their weights are not kept. The end of this page names them."
    )
