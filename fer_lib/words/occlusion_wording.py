"""What covering a part of the face costs, in sentences and in rounded tables, from `occluded_parts`."""

import pandas as pd

from fer_lib.comparisons import TWO_KINDS
from fer_lib.experiments import Experiment
from fer_lib.findings import followed
from fer_lib.findings.claims import NOT_COLLAPSED
from fer_lib.findings.occluded_parts import CORNERS, loss
from fer_lib.findings.robustness import ASKED, FEWEST, KINDS
from fer_lib.occlusion_benchmark import WINDOW
from fer_lib.results import class_names
from fer_lib.splits import LEAST_EXPOSED
from fer_lib.words.naming import label
from fer_lib.words.rounding import briefly, gained, in_cell, in_points, judged, percent, with_ends

PARTS = {"eyes": "eyes", "mouth": "mouth"} | {kind: f"{kind} half" for kind in ("upper", "lower", "left", "right")}
"""Cover -> the part of the face that it hides."""

MAIN = ("training with occlusion", "the STN", "the triplet loss", "the joint loss")
"""The questions of `questions.QUESTIONS` that are answered in sentences; the figure has the others."""


def what_helps(answers: pd.DataFrame) -> str:
    """Whether each part of `MAIN` helps, by how much and where, a bullet each; answers: `questions.compared`.

    Under the least exposed protocol, of the followed networks and the printed one if they differ in the part.
    """
    protocols = [name for name in LEAST_EXPOSED if name in set(answers["protocol"])]
    answers = answers[answers["protocol"].isin(protocols[:1])]
    chosen = [*followed.labels(), followed.PROPOSED]
    lines = []
    for part in MAIN:
        own = answers[answers["question"].str.removesuffix(NOT_COLLAPSED) == part]
        own = own[own["with"].isin(chosen)] if own["with"].isin(chosen).any() else own
        for (question, name), rows in own.groupby(["question", "with"], sort=False):
            lines.append(f"- **{question[0].upper()}{question[1:]}**, {name}: {_gains(rows.set_index('score'))}")
    return "\n".join(lines)


def _gains(own: pd.DataFrame) -> str:
    """One comparison's gains in the scores of `ASKED`, and the kinds with the most and the least.

    own: rows of `questions.compared`, by score.
    """
    if (own["verdict"] == TWO_KINDS).any():
        return f"{TWO_KINDS}, because the STN collapsed in some runs only; their mean gain says little."
    said = [f"{ASKED[name]} {judged(own.loc[name])}" for name in ("black rectangle", "unseen", "clean")]
    kinds = own.loc[own.index.isin(KINDS), "difference"]
    ends = {"most": kinds.idxmax(), "least": kinds.idxmin()}
    picked = [f"{size} {_covered(kind)}, {briefly(own.loc[kind])}" for size, kind in ends.items()]
    n = own.loc["clean", ["n", "pairs"]]
    return f"{'; '.join(said)}. Picked after the fact: {'; '.join(picked)}. n = {n['n']} {n['pairs']}."


def _covered(kind: str) -> str:
    return f"with the {PARTS[kind]} covered" if kind in PARTS else f"under the kind {kind}"


def not_drawn(arms: list[Experiment], drawn: dict[str, list[Experiment]]) -> str:
    """Which protocols of these networks `followed.drawn` leaves out, and why; empty if it draws all."""
    left_out = [protocol for protocol in LEAST_EXPOSED if protocol in {arm.protocol for arm in arms} - set(drawn)]
    if not left_out:
        return ""
    counts = [f"{protocol} ({sum(arm.protocol == protocol for arm in arms)} networks tested)" for protocol in left_out]
    return (
        f"Not drawn: protocol {', '.join(counts)}, because none of the paper's networks with occlusion in training "
        f"({'; '.join(followed.labels())}) was tested under occlusion there, in at least {FEWEST} runs and beside "
        "another network. The first table has these protocols."
    )


def readable_levels(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """`robustness.by_level` of each network in percent, a column each: name -> table."""
    first = next(iter(tables.values()))
    shown = {"occlusion": first["occlusion"] + first["seen"].map({True: " (seen)", False: ""})}
    for name, table in tables.items():
        shown[name] = [in_cell(row.mean, row.ci_low, row.ci_high, ".1%") for row in table.itertuples()]
    return pd.DataFrame(shown)


def hardest(table: pd.DataFrame) -> str:
    """The largest fall in recall of the first network, in sentences. table: `occluded_parts.falls`."""
    row = next(table.itertuples())
    others = " The figure has the other networks." if len(table) > 1 else ""
    return (
        f"{row.method} loses most recall on {row.emotion} with the {PARTS[row.kind]} covered: from "
        f"{percent(row.clear)} to {with_ends((row.recall, row.low, row.high))}, n = {row.n} predictions. This is "
        f"the largest of its falls, picked for its size, so the interval is too optimistic.{others}"
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
