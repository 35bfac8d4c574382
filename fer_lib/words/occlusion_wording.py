"""What covering a part of the face costs, in sentences and in rounded tables, from `occluded_parts`."""

import pandas as pd

from fer_lib.experiments import Experiment
from fer_lib.findings import followed
from fer_lib.findings.occluded_parts import CORNERS, loss
from fer_lib.occlusion_benchmark import WINDOW
from fer_lib.results import class_names
from fer_lib.words.naming import label
from fer_lib.words.rounding import gained, in_points, percent, with_ends

PARTS = {"eyes": "eyes", "mouth": "mouth"} | {kind: f"{kind} half" for kind in ("upper", "lower", "left", "right")}
"""Cover -> the part of the face that it hides."""


def hardest(table: pd.DataFrame) -> str:
    """The largest fall in recall of the first network, in sentences. table: `occluded_parts.falls`."""
    row = next(table.itertuples())
    others = " The figure has the other networks." if len(table) > 1 else ""
    return (
        f"{row.method} loses most recall on {row.emotion} with the {PARTS[row.kind]} covered: from "
        f"{percent(row.clear)} to {with_ends((row.recall, row.low, row.high))}, n = {row.n} predictions.{others}"
    )


def readable_costliest(table: pd.DataFrame) -> pd.DataFrame:
    """`occluded_parts.costliest` in points, a row per emotion and place, a column per network."""
    rows = []
    for row in table.itertuples():
        where = " (upper corner)" if row.of == "corner" else ""
        covered = f"{row.emotion}, {place(row.top, row.left)}{where}, {row.n} {row.pairs.split()[0]}"
        rows.append((covered, followed.short(row.method), in_points(row) + (" (largest)" if row.picked else "")))
    shown = pd.DataFrame(rows, columns=["covered", "method", "loss"])
    wide = shown.pivot_table(index="covered", columns="method", values="loss", aggfunc="first", sort=False)
    return wide[shown["method"].unique()].reset_index().rename_axis(columns=None)


def place(top: int, left: int) -> str:
    """Where the sliding square lies: (0, 8) -> rows 0 to 15, columns 8 to 23."""
    rows, columns = (f"{start} to {start + WINDOW - 1}" for start in (top, left))
    return f"rows {rows}, columns {columns}"


def corner(table: pd.DataFrame, arms: list[Experiment]) -> str:
    """The largest loss at an upper corner in `occluded_parts.costliest`, and in how many other networks it recurs.

    arms: all networks that were tested on the same faces, those of the table among them.
    """
    row = next(table[(table["of"] == "corner") & table["picked"]].itertuples())
    others = [arm for arm in arms if label(arm) != row.method]
    cells = [loss(arm, class_names(arm).index(row.emotion), row.top, row.left) for arm in others]
    recurs = sum(found["verdict"] == "supported" for found in cells)
    elsewhere = (
        f" Of {len(others)} other networks, for which this place was not picked, {recurs} have a resolvable loss there."
    )
    return (
        f"The largest loss in an upper corner, away from eyes and mouth: {row.emotion} in "
        f"{followed.short(row.method)}, {gained(row)} of recall, {row.n} {row.pairs}.{elsewhere if others else ''}"
    )


def picked_from(table: pd.DataFrame) -> str:
    """What the losses of `occluded_parts.costliest` are the largest of. table: `occluded_parts.place_losses`."""
    corners = table[pd.MultiIndex.from_frame(table[["top", "left"]]).isin(CORNERS)]
    return (
        f"Largest: of {len(table)} pairs of emotion and place in that network (upper corner: of {len(corners)} in each "
        "of these networks). Picked for its size, it tests nothing and its interval is too optimistic; the unmarked "
        "losses were not picked."
    )
