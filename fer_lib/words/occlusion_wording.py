"""What covers of a part of the face take, in sentences and in rounded tables, from `occluded_parts`."""

import pandas as pd

from fer_lib.experiments import Experiment
from fer_lib.findings import followed
from fer_lib.findings.occluded_parts import CELL, CORNERS, loss, place_losses, said_instead
from fer_lib.occlusion_benchmark import STRIDE, WINDOW
from fer_lib.results import class_names
from fer_lib.stats import COMPARISON
from fer_lib.words.naming import label
from fer_lib.words.rounding import gained, in_points, percent, with_ends


def hardest(table: pd.DataFrame) -> str:
    """Which emotion falls most under which cover in each network, in sentences. table: `occluded_parts.falls`."""
    said = [
        f"{followed.short(row.method)}: {row.emotion} under {row.kind}, from {percent(row.clear)} to "
        f"{with_ends((row.recall, row.low, row.high))} of {row.n} frames"
        for row in table.itertuples()
    ]
    return f"The recall that falls most, of each emotion under each of these covers: {'; '.join(said)}."


def sided(table: pd.DataFrame) -> str:
    """What covering the right half leaves more than covering the left, in sentences. table: `occluded_parts.sides`."""
    heads = {
        "contradicted": "More is lost under the right half",
        "supported": "More is lost under the left half",
        "else": "No difference between them is resolvable",
    }
    verdicts = table["verdict"].where(table["verdict"].isin(list(heads)), "else")
    said = [
        f"{head}: {'; '.join(f'{followed.short(row.method)} {gained(row)}' for row in own.itertuples())}."
        for verdict, head in heads.items()
        if len(own := table[verdicts == verdict])
    ]
    return (
        "Accuracy with the right half of the image covered, less that with the left half covered "
        f"({table['n'].iloc[0]} {table['pairs'].iloc[0].split()[0]}): {' '.join(said)}"
    )


def without_the_right(table: pd.DataFrame) -> str:
    """What training with occlusion gains without that kind, in a sentence. table: `questions.without_kind`."""
    if table.empty:
        return ""
    said = []
    for name, own in table.groupby("with", sort=False):
        by_score = own.set_index("score")
        rest, unseen = by_score.loc["rest"], by_score.loc["unseen"]
        said.append(
            f"{followed.short(name)} {gained(rest)}, {rest['verdict']}, instead of {100 * unseen['difference']:+.2f}"
        )
    return (
        "The right half is one of the unseen kinds. Under the others alone training with occlusion gains "
        f"{'; '.join(said)} under all."
    )


def readable_costliest(table: pd.DataFrame) -> pd.DataFrame:
    """`occluded_parts.costliest` in points, a row per emotion and place, a column per network."""
    rows = []
    for row in table.itertuples():
        where = " (upper corner)" if row.of == "corner" else ""
        subjects = f"{row.n} {row.pairs.split()[0]}"
        covered = f"{row.emotion}, {place(row.top, row.left)}{where}, {subjects}"
        rows.append((covered, followed.short(row.method), in_points(row) + (" (largest)" if row.picked else "")))
    shown = pd.DataFrame(rows, columns=["covered", "method", "loss"])
    wide = shown.pivot_table(index="covered", columns="method", values="loss", aggfunc="first", sort=False)
    return wide[shown["method"].unique()].reset_index().rename_axis(columns=None)


def place(top: int, left: int) -> str:
    """Where the sliding square lies: (0, 8) -> rows 0 to 15, columns 8 to 23."""
    rows, columns = (f"{start} to {start + WINDOW - 1}" for start in (top, left))
    return f"rows {rows}, columns {columns}"


def corner(table: pd.DataFrame, arms: list[Experiment]) -> str:
    """The costliest upper corner of `occluded_parts.costliest`: what it takes there, beside it, and in other networks.

    arms: all networks that were asked about the same faces, those of the table among them.
    """
    row = next(table[(table["of"] == "corner") & table["picked"]].itertuples())
    arm = next(one for one in arms if label(one) == row.method)
    cell = (class_names(arm).index(row.emotion), row.top, row.left)
    near = place_losses(arm).set_index(CELL)["loss"]
    aside, down = (100 * near[cell[0], top, left] for top, left in ((0, abs(row.left - STRIDE)), (STRIDE, row.left)))
    instead = said_instead(arm, *cell)
    called = f" Of the {instead.sum()} answers lost {instead.iloc[0]} are {instead.index[0]}." if len(instead) else ""
    others = [(one, pd.Series(loss(one, *cell)).reindex(COMPARISON)) for one in arms if one != arm]
    sure = [f"{followed.short(label(one))} {gained(found)}" for one, found in others if found["verdict"] == "supported"]
    elsewhere = (
        f" Of {len(others)} other networks, for which this place was not picked, {len(sure)} lose there with both "
        f"intervals above zero{': ' if sure else ''}{'; '.join(sure)}."
    )
    return (
        f"The upper corner that costs most: {row.emotion}, {place(row.top, row.left)}, in "
        f"{followed.short(row.method)}, {gained(row)} of recall ({row.frames} frames, {row.n} {row.pairs}); one step "
        f"of {STRIDE} pixels aside it is {aside:+.2f}, one down {down:+.2f}.{called}{elsewhere if others else ''}"
    )


def picked_from(table: pd.DataFrame) -> str:
    """What the losses of `occluded_parts.costliest` are the largest of. table: `occluded_parts.place_losses`."""
    corners = table[pd.MultiIndex.from_frame(table[["top", "left"]]).isin(CORNERS)]
    return (
        f"Largest: of {len(table)} places and emotions of the network; in an upper corner, of {len(corners)} of each "
        "of these networks. Picked for its size, it describes and tests nothing, and its interval is too hopeful; "
        "the losses beside it, at the same place in the other networks, were not picked."
    )
