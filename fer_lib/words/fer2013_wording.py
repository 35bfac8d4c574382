"""What the networks trained on FER2013 score: sentences and tables, rounded, in percent."""

import pandas as pd

from fer_lib.comparisons import DECIDED, ONE_TRAINING
from fer_lib.findings import tables
from fer_lib.findings.fer2013_results import (
    DATASET,
    NEAR_MARGIN,
    UNTRAINED,
    arms,
    best,
    is_trained,
    loss_of_margin,
    selection,
)
from fer_lib.findings.quality import NO_TWIN, TWIN_PARTS, VOTE_PARTS
from fer_lib.words import naming
from fer_lib.words.rounding import in_cell, listed, percent, points, with_ends

AIMS = {"mean": (0.737, "one network"), "ensemble": (0.75, "an ensemble")}
"""Column of `scores` -> the target set before the first long training: what the best published network without extra
data reaches, and more than that for an ensemble."""

LONG = 150
"""Epochs of that training."""


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`scores` in percent, the ten crops where a network has them; in a cell the line breaks before a bracket only."""
    rows = [
        {
            "method": row.label,
            "last epoch": in_cell(row.mean, row.ci_low, row.ci_high, ".2%"),
            "epoch chosen on PublicTest": f"{percent(row.at_chosen)} "
            + _together(f"(epoch {row.chosen:.0f} of {row.epochs})"),
            "with test-time flips": percent(row.mirrored),
            "with ten crops (corners, centre, mirrored)": percent(row.ten_crops),
            "ensemble": in_cell(row.ensemble, row.ensemble_low, row.ensemble_high, ".2%"),
            "macro F1": percent(row.macro_f1),
            "calibration error": percent(row.calibration_error),
            "collapsed": row.collapsed,
            "n": f"{row.n}" if row.n == row.of else _together(f"{row.n} of {row.of}"),
        }
        for row in table.itertuples()
    ]
    unmeasured = ["with ten crops (corners, centre, mirrored)"] if table["ten_crops"].isna().all() else []
    return pd.DataFrame(rows).drop(columns=unmeasured)


def _together(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def readable_recalls(table: pd.DataFrame) -> pd.DataFrame:
    """`recalls` in percent, a row per class, the most frequent first, and a column per method."""
    said = [in_cell(row.recall, row.low, row.high, ".2%") for row in table.itertuples()]
    shown = table.assign(said=said).pivot(index="emotion", columns="method", values="said")[table["method"].unique()]
    images = table.groupby("emotion")["n"].first().sort_values(ascending=False, kind="stable")
    shown = shown.loc[images.index].reset_index().rename_axis(columns=None)
    return shown.assign(images=images.to_numpy())


def readable_twins(parts: pd.DataFrame, gaps: pd.DataFrame) -> pd.DataFrame:
    """`on_parts` by twins, a column per part, and `twin_gaps` beside it, in percent and points; a row per method."""
    shown = parts[parts["part"].isin(TWIN_PARTS)]
    names = [f"{part} ({n:,})" for part, n in zip(shown["part"], shown["n"], strict=True)]
    said = [in_cell(row.share, row.low, row.high, ".1%") for row in shown.itertuples()]
    keys = {"index": "method", "columns": "part", "values": "said", "aggfunc": "first", "sort": False}
    wide = shown.assign(part=names, said=said).pivot_table(**keys).reset_index().rename_axis(columns=None)
    last = {"gap": ("gap", "low", "high"), "gap at the same class mix": ("same_mix", "same_low", "same_high")}
    return wide.assign(**{name: _in_points(gaps[list(columns)]) for name, columns in last.items()})


def _in_points(table: pd.DataFrame) -> list[str]:
    return [points(*row) for row in table.itertuples(index=False, name=None)]


def readable_sides(table: pd.DataFrame) -> pd.DataFrame:
    """`sided_with` in percent."""
    said = {f"voters agree with the {name}": table[name].map(percent) for name in ("network", "label")}
    said |= {"neither": table["neither"].map(percent)}
    said |= {"network minus label": _in_points(table[["more", "more_low", "more_high"]])}
    return table[["method", "wrong", "images"]].rename(columns={"wrong": "errors"}).assign(**said)


def answer(table: pd.DataFrame, claims: pd.DataFrame, parts: pd.DataFrame) -> str:
    """The page's findings, a bullet each: the best network, the paper's own, and the paper's claims.

    table: `scores`, claims: `claims_table`, as `judged` leaves it, parts: `on_parts`.
    """
    chosen = best(table)
    found = [
        f"{reached(chosen, len(table))}{aimed(chosen)} {_without_twins(chosen, parts)}",
        *as_in_the_paper(table),
        *claimed(claims, "**The paper's claims, and its comparison with and without occlusion**"),
    ]
    return "\n".join(f"- {said}" for said in found)


def reached(chosen: pd.Series, networks: int) -> str:
    """What the best row of `scores` reaches, in a sentence. networks: among how many it is the best."""
    rank = f", the best of {networks} networks on PublicTest," if networks > 1 else ""
    said = f"**{chosen['label']}** with {chosen['parameters'] / 1e6:.2f} million weights{rank} reaches "
    said += f"{with_ends(chosen)} on PrivateTest after {chosen['epochs']} epochs ({_runs(chosen)})"
    if chosen["n"] > 1:
        together = tuple(chosen[["ensemble", "ensemble_low", "ensemble_high"]])
        said += f"; the ensemble of its runs reaches {with_ends(together)}"
    return f"{said}."


def _runs(row: pd.Series) -> str:
    if row["n"] == 1:
        return "n = 1 run"
    return f"n = {row['n']} runs, {percent(row['lowest'])} to {percent(row['highest'])} %"


def aimed(row: pd.Series) -> str:
    """The targets beside what a row of `scores` reaches, in a sentence; empty for shorter trainings."""
    if row["epochs"] < LONG:
        return ""
    said = [
        f"{percent(aim)} % for {words} ({'reached' if row[column] >= aim else 'not reached'})"
        for column, (aim, words) in AIMS.items()
    ]
    return f" Our own targets were {' and '.join(said)}."


def _without_twins(chosen: pd.Series, parts: pd.DataFrame) -> str:
    own = parts[parts["method"] == chosen["label"]].set_index("part").loc[NO_TWIN]
    return (
        f"On the {own['n']:,.0f} images without a near twin in Training it reaches "
        f"{with_ends((own['share'], own['low'], own['high']))}."
    )


def as_in_the_paper(table: pd.DataFrame) -> list[str]:
    """What the paper's own networks reach, in a sentence; none if none of them is trained."""
    own = [name for name, arm in arms().items() if naming.part(arm) == "Table 2"]
    said = [f"{row['label']} {with_ends(row)} ({_runs(row)})" for _, row in table[table["label"].isin(own)].iterrows()]
    return [f"**The paper's networks** reach: {'; '.join(said)}."] if said else []


def claimed(claims: pd.DataFrame, whose: str) -> list[str]:
    """`claims_table`, as `judged` leaves it, in a sentence: each claim's verdicts, in points where there is one.

    whose: how the sentence begins. Comparisons of single runs are left to the table where a claim has others. None if
    no claim could be compared.
    """
    said = []
    for claim, own in claims.groupby("claim", sort=False) if len(claims) else ():
        repeated = own[own["verdict"] != ONE_TRAINING]
        own = repeated if len(repeated) else own
        verdicts = [f"{verdict}{_differences(rows)}" for verdict, rows in own.groupby("verdict", sort=False)]
        said.append(f'"{claim}": {", ".join(verdicts)}')
    return [f"{whose}: {'; '.join(said)}."] if said else []


def _differences(rows: pd.DataFrame) -> str:
    if len(rows) > 1 and not set(rows["verdict"]) <= set(DECIDED):
        return ""
    return f" ({listed([f'{100 * difference:+.2f}' for difference in rows['difference']])} points)"


def untrained(claims: pd.DataFrame) -> str:
    """Which networks of `claimed` are not trained enough for a verdict, and why, in sentences; empty if none."""
    said, rows = [], claims[claims["verdict"] == UNTRAINED]
    for name in dict.fromkeys([*rows["better"], *rows["worse"]]):
        share = loss_of_margin(arms()[name])
        if share.mean() > NEAR_MARGIN:
            said.append(
                f"of {name} is still {share.mean():.2f} of its margin ({share.min():.2f} to {share.max():.2f}, "
                f"n = {len(share)} runs)"
            )
    if not said:
        return ""
    return (
        f"Not trained enough: in the last epoch the triplet loss {' and '.join(said)}. Mapping all faces to one point "
        f"costs 1.00; above {NEAR_MARGIN:.2f}, a limit set after seeing such runs, there is no verdict."
    )


def by_agreement(chosen: pd.Series, parts: pd.DataFrame) -> str:
    """Accuracy of the best row of `scores` where the label is the voters' majority, and elsewhere, in a sentence."""
    own = parts[parts["method"] == chosen["label"]].set_index("part")
    alike, not_alike = (
        f"{with_ends(tuple(own.loc[part, ['share', 'low', 'high']]))} of the {own.loc[part, 'n']:,}"
        for part in VOTE_PARTS
    )
    return f"It is correct on {alike} images whose label is the voters' majority, and on {not_alike} others."


def in_short() -> str:
    """What is reached so far, in a sentence; empty if nothing is trained."""
    if not is_trained():
        return ""
    table = tables.accuracy_table(DATASET).query("protocol == 'usage'")
    chosen = best(table.assign(selection=[selection(arm) for arm in arms().values()]))
    return (
        f"On FER2013's PrivateTest {chosen['label']}, chosen on PublicTest, reaches {with_ends(chosen)} "
        f"(n = {chosen['n']}); the best published network without extra data has {percent(AIMS['mean'][0])} %."
    )
