"""What the spatial transformer looks at: its views in words a reader knows, and whether occlusion changes them."""

import numpy as np
import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment
from fer_lib.faces import SIZE
from fer_lib.findings.tables import not_collapsed, trained_apart
from fer_lib.occlusion_benchmark import paper_boxes
from fer_lib.training import THETA
from fer_lib.words.naming import label
from fer_lib.words.rounding import in_cell

CORNERS = np.array([[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]])
"""Of the image, as theta takes them: x, y, 1."""

ASIDE = 6
"""Pixels from the image's centre up to which a covering rectangle lies in no direction."""

ALIKE = 0.01
"""Pixels below which two views are called the same: theta is stored to six decimals."""


def _theta_and_corners(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Theta (N, 2, 3) of stored views, and where their corners lie (N, 4, 2), in pixels from the image's centre."""
    theta = table[list(THETA)].to_numpy(float).reshape(-1, 2, 3)
    return theta, CORNERS @ theta.transpose(0, 2, 1) * SIZE / 2


def _apart(corners: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far the corners (N, 4, 2) of two views lie apart, on average (N,)."""
    return np.linalg.norm(corners - other, axis=2).mean(axis=1)


def looking(dataset: str) -> list[Experiment]:
    """The measured experiments whose views are stored, each network once."""
    return [row for row in trained_apart(dataset) if len(results.read(row, "views.csv.gz"))]


def by_emotion(experiment: Experiment) -> dict[int, np.ndarray]:
    """Class -> theta (M, 2, 3) of its clean test frames, without the members that have collapsed."""
    views = not_collapsed(experiment, results.read(experiment, "views.csv.gz").query("occlusion == 'none'"))
    predictions = results.read(experiment, "predictions.csv.gz")[["seed", "fold", "frame_id", "label"]]
    labelled = views.merge(predictions, on=["seed", "fold", "frame_id"]).groupby("label")
    return {int(label): own[list(THETA)].to_numpy(float).reshape(-1, 2, 3) for label, own in labelled}


def mean_views(experiment: Experiment, classes: list[str]) -> pd.DataFrame:
    """The mean of `by_emotion`: a row per emotion with its frames and the entries of theta."""
    rows = [(classes[k], len(own), *own.mean(axis=0).ravel()) for k, own in by_emotion(experiment).items()]
    return pd.DataFrame(rows, columns=["emotion", "frames", *THETA])


def responses(experiment: Experiment) -> pd.DataFrame:
    """How a transformer looks, per test frame: seed, fold, frame_id, subject, zoom and four lengths in pixels.

    zoom: how many times as large as in the image the face appears (below 1 the view reaches beyond it).
    touched: how far, on average, the corners of the clean view lie from the image's. moved: from those under the black
    rectangle. differs: from those of the member's mean view. away: how far the rectangle drives the view's centre away
    from it; NaN where it lies in the middle or its place is not known. Members that have collapsed are left out.
    """
    table = not_collapsed(experiment, results.read(experiment, "views.csv.gz"))
    key = ["seed", "fold", "frame_id", "subject"]
    clean, covered = (table[table["occlusion"] == kind].set_index(key) for kind in ("none", "rectangle"))
    (theta, corners), (other, covered_corners) = (
        _theta_and_corners(part.loc[clean.index]) for part in (clean, covered)
    )
    frames = clean.index.to_frame(index=False)
    members = [frames["seed"], frames["fold"]]
    mean = pd.DataFrame(corners.reshape(-1, 8)).groupby(members).transform("mean").to_numpy().reshape(-1, 4, 2)
    place = _covered_places(experiment).reindex(frames["frame_id"]).to_numpy(float)
    length = np.linalg.norm(place, axis=1, keepdims=True)
    direction = np.divide(place, length, out=np.full_like(place, np.nan), where=length > ASIDE)
    return frames.assign(
        zoom=np.abs(np.linalg.det(theta[:, :, :2])) ** -0.5,
        touched=_apart(corners, CORNERS[:, :2] * SIZE / 2),
        moved=_apart(covered_corners, corners),
        differs=_apart(mean, corners),
        away=-((other - theta)[:, :, 2] * SIZE / 2 * direction).sum(axis=1),
    )


def _covered_places(experiment: Experiment) -> pd.DataFrame:
    """Where the rectangle's centre lies, in pixels right and down from the image's, by frame_id; empty if not known.

    The benchmark draws the rectangles in order of the data set's frames, which the first member's embeddings name.
    """
    frames = results.read(experiment, "embeddings.csv.gz")
    first = experiment.members[0]
    own = frames[(frames["seed"] == first.seed) & (frames["fold"] == first.fold)]
    if own.empty or own["tested"].all():
        return pd.DataFrame(columns=["right", "down"])
    top, left, height, width = paper_boxes(len(own)).T
    places = {"right": left + width / 2 - SIZE / 2, "down": top + height / 2 - SIZE / 2}
    return pd.DataFrame(places, index=np.sort(own["frame_id"].to_numpy(str)))[height > 0]


LENGTHS = {
    "touched": "from the whole image",
    "differs": "from face to face",
    "moved": "under the rectangle",
    "away": "away from the rectangle",
}
"""Column of `responses` -> in words; pixels that the view's corners lie apart, of the last its centre."""


def by_member(experiment: Experiment) -> pd.DataFrame:
    """A row per member that has kept the face: seed, fold, mean zoom and `LENGTHS`, and whether its view is fixed.

    fixed: no clean face's view lies `ALIKE` pixels or more from the member's mean view.
    """
    members = responses(experiment).groupby(["seed", "fold"])
    return members[["zoom", *LENGTHS]].mean().assign(fixed=members["differs"].max() < ALIKE).reset_index()


def lengths(dataset: str) -> pd.DataFrame:
    """How the transformers look, a row per arm and length of `LENGTHS`.

    Columns protocol, method, members (those that have kept the face), collapsed (the others, which are left out), fixed
    (members with the same view for every face), zoom (mean), quantity, and of the members mean, lowest and highest.
    """
    rows = []
    for experiment in looking(dataset):
        members, stored = by_member(experiment), results.read(experiment, "views.csv.gz")
        collapsed = stored.groupby(["seed", "fold"]).ngroups - len(members)
        counts = {"members": len(members), "collapsed": collapsed, "fixed": int(members["fixed"].sum())}
        counts["zoom"] = members["zoom"].mean()
        about = {"protocol": experiment.protocol, "method": label(experiment), **counts}
        for name in LENGTHS:
            own = members[name]
            rows.append({**about, "quantity": name, "mean": own.mean(), "lowest": own.min(), "highest": own.max()})
    return pd.DataFrame(rows)


def readable_lengths(table: pd.DataFrame) -> pd.DataFrame:
    """`lengths` with a row per arm and a column per length in pixels, with the members' range where they differ."""
    rows = []
    for _, own in table.groupby(["protocol", "method"], sort=False):
        one = own.iloc[0]
        same = {"same view for every face": f"{one['fixed']} of {one['members']}"}
        said = {LENGTHS[row.quantity]: _with_range(row.mean, row.lowest, row.highest) for row in own.itertuples()}
        rows.append({**one[["protocol", "method"]], **same, **one[["collapsed", "zoom"]], **said})
    return pd.DataFrame(rows)


def _with_range(mean: float, lowest: float, highest: float) -> str:
    if f"{lowest:z.2f}" == f"{highest:z.2f}":
        lowest = highest = np.nan
    return in_cell(mean, lowest, highest, "z.2f")


TRAINED = {
    "printed": "trained with the paper's occlusion and STN rate",
    "variant": "trained by the paper's recipe without occlusion or with a slower STN",
    "strong": "trained by the strong recipe with a slower STN",
}
"""Kind of training -> how a sentence calls its STNs; see `trained`. The first two have the paper's recipe."""

HARDLY = {"touched": 2, "away": 1}
"""Length -> the pixels below which `in_short` calls it small."""


def trained(experiment: Experiment) -> str:
    """The key of `TRAINED` that an experiment belongs to."""
    if experiment.recipe == "strong":
        return "strong"
    return "printed" if (experiment.occlusion, experiment.stn_lr_factor) == ("rectangle", 1) else "variant"


def by_kind(dataset: str) -> dict[str, pd.DataFrame]:
    """Kind of training -> `by_member` of its experiments; kinds without are left out."""
    arms = [by_member(arm).assign(kind=trained(arm)) for arm in looking(dataset)]
    members = pd.concat(arms) if arms else pd.DataFrame({"kind": []})
    return {kind: members[members["kind"] == kind] for kind in TRAINED if (members["kind"] == kind).any()}


def in_short(dataset: str) -> str:
    """How far the views of each kind of training lie from the whole image, and how they answer the paper's rectangle.

    Medians over the runs; empty if none has views.
    """
    kinds = by_kind(dataset)
    if not kinds:
        return ""
    middle = pd.DataFrame({kind: own[["touched", "moved", "away"]].median() for kind, own in kinds.items()}).T
    usual = middle.iloc[0]  # of the paper's training, where that is measured
    changes = "hardly changes" if usual["touched"] < HARDLY["touched"] else "changes"
    looks = " and hardly looks away from occlusion" if usual["away"] < HARDLY["away"] else ""
    said = []
    for kind, row in middle.iterrows():
        touched, moved, away = (f"{length:z.1f}".replace("nan", "–") for length in row)
        said.append(f"{touched} pixels, {moved} and {away} in {len(kinds[kind])} runs {TRAINED[kind]}")
    return (
        f"When {TRAINED[usual.name]}, the STN {changes} the face{looks}: median distance of its view's corners from "
        f"those of the {SIZE}-pixel image, then how far the paper's rectangle moves them, and the centre away from it: "
        f"{'; '.join(said)}. Collapsed runs are left out."
    )


def most_changing(experiments: list[Experiment]) -> list[Experiment]:
    """The first experiment, and the one whose views are farthest from the whole image, if that is another.

    Only those with a member that has kept the face.
    """
    distances = {one: responses(one)["touched"].mean() for one in experiments}
    seeing = [one for one, distance in distances.items() if pd.notna(distance)]
    return list(dict.fromkeys([*seeing[:1], *sorted(seeing, key=distances.get)[-1:]]))
