"""What the networks trained on FER2013 score put to a reader: sentences and tables, rounded, in percent."""

import pandas as pd

from fer_lib.experiments import Experiment
from fer_lib.findings import questions, tables
from fer_lib.findings.fer2013_results import (
    DATASET,
    NEAR_MARGIN,
    NO_TWIN,
    TWIN_PARTS,
    UNTRAINED,
    arms,
    best,
    is_trained,
    loss_of_margin,
    selection,
)
from fer_lib.measures import votes
from fer_lib.words import naming, wording
from fer_lib.words.rounding import in_cell, interval, percent, points, with_ends

AIMS = {"mean": (0.737, "alone"), "ensemble": (0.75, "together")}
"""Column of `scores` -> what was aimed for before the first long training: what the best network prints that saw no
other data, and more than that for some together."""

LONG = 150
"""Epochs of that training."""


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`scores` in percent; in a cell the line breaks before a bracket only."""
    rows = [
        {
            "method": row.label,
            "last epoch": in_cell(row.mean, row.ci_low, row.ci_high, ".2%"),
            "by PublicTest": f"{percent(row.at_chosen)} ({_together(f'epoch {row.chosen:.0f} of {row.epochs}')})",
            "mirrored too": percent(row.mirrored),
            "ensemble": in_cell(row.ensemble, row.ensemble_low, row.ensemble_high, ".2%"),
            "macro F1": percent(row.macro_f1),
            "calibration error": percent(row.calibration_error),
            "collapsed": row.collapsed,
            "n": f"{row.n}" if row.n == row.of else _together(f"{row.n} of {row.of}"),
        }
        for row in table.itertuples()
    ]
    return pd.DataFrame(rows)


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
    wide = shown.assign(part=names, said=said).pivot(index="method", columns="part", values="said")
    wide = wide.loc[gaps["method"], list(dict.fromkeys(names))].reset_index().rename_axis(columns=None)
    last = {"gap": ("gap", "low", "high"), "gap at the same mix of classes": ("same_mix", "same_low", "same_high")}
    return wide.assign(**{name: _in_points(gaps[list(columns)]) for name, columns in last.items()})


def _in_points(table: pd.DataFrame) -> list[str]:
    return [points(*row) for row in table.itertuples(index=False, name=None)]


def readable_sides(table: pd.DataFrame) -> pd.DataFrame:
    """`sided_with` in percent."""
    shares = {f"voters see what the {name} says": table[name].map(percent) for name in ("network", "label")}
    shown = table[["method", "wrong", "images"]].assign(**shares, neither=table["neither"].map(percent))
    return shown.assign(**{"network less label": _in_points(table[["more", "more_low", "more_high"]])})


def readable_claims(claims: pd.DataFrame) -> pd.DataFrame:
    """`wording.readable_claims` without what is the same in every row here, and without p, for which there is no room.

    n: images × initialisations.
    """
    shown = wording.readable_claims(claims).drop(columns=["printed", "protocol", "p (Holm)"])
    return shown.assign(ours=_narrow(shown["ours"]), n=_sizes(claims))


def readable_answers(answers: pd.DataFrame) -> pd.DataFrame:
    """`questions.readable` without what is the same in every row here; n: images × initialisations."""
    shown = questions.readable(answers).drop(columns="protocol")
    return shown.assign(gain=_narrow(shown["gain"]), n=_sizes(answers))


def _narrow(cells: pd.Series) -> pd.Series:
    """Cells of `rounding.in_points` whose lines break around the long word only, so that their table fits the page."""
    return cells.map(_together).str.replace(
        "\N{NO-BREAK SPACE}*(initialisations)\N{NO-BREAK SPACE}", r" \1 ", regex=True
    )


def _sizes(comparisons: pd.DataFrame) -> list[str]:
    """What comparisons pair, "images in 3 initialisations" as a product, a line of which breaks before its sign."""
    return [f"{row.n:,} ×\N{NO-BREAK SPACE}{row.pairs.split()[2]}" for row in comparisons.itertuples()]


def answer(
    table: pd.DataFrame, ceilings: pd.DataFrame, sides: pd.DataFrame, claims: pd.DataFrame, parts: pd.DataFrame
) -> str:
    """The page's findings, a paragraph each on the best network, the paper's own and what voters say.

    table: `scores`, ceilings: `votes.ceilings`, sides: `sided_with`, claims: `claims_table`, as `judged` leaves it,
    parts: `on_parts`.
    """
    chosen = best(table)
    return "\n\n".join(
        [
            f"{reached(chosen, len(table))}{aimed(chosen)} {_without_twins(chosen, parts)}",
            " ".join([*as_in_the_paper(table), *claimed(claims, "Its claims")]) + _not_among(table),
            _beside_voters(chosen, ceilings, sides),
        ]
    )


def reached(chosen: pd.Series, networks: int) -> str:
    """What the best row of `scores` reaches, in a sentence. networks: among how many it is the best."""
    rank = f", of {networks} networks the highest on PublicTest," if networks > 1 else ""
    said = f"**{chosen['label']}**{rank} reaches {with_ends(tuple(chosen[['mean', 'ci_low', 'ci_high']]))} of "
    said += f"PrivateTest in {chosen['epochs']} epochs, n = {chosen['n']}"
    if chosen["n"] > 1:
        said += f" ({percent(chosen['lowest'])} to {percent(chosen['highest'])}); the {chosen['n']} together, their "
        together = tuple(chosen[["ensemble", "ensemble_low", "ensemble_high"]])
        said += f"probabilities averaged, {with_ends(together)}"
    return f"{said}."


def aimed(row: pd.Series) -> str:
    """What was aimed for beside what a row of `scores` reaches, in a sentence; nothing if it is not trained so long."""
    if row["epochs"] < LONG:
        return ""
    said = [
        f"{percent(aim)} % {words} ({'reached' if row[column] >= aim else 'not reached'})"
        for column, (aim, words) in AIMS.items()
    ]
    return f" The aim was {' and '.join(said)}."


def _without_twins(chosen: pd.Series, parts: pd.DataFrame) -> str:
    own = parts[parts["method"] == chosen["label"]].set_index("part").loc[NO_TWIN]
    return (
        f"Without the images that have a near twin in Training it is right on "
        f"{with_ends((own['share'], own['low'], own['high']))} of {own['n']:,.0f}."
    )


def as_in_the_paper(table: pd.DataFrame) -> list[str]:
    """What the paper's own networks reach, and their members, in a sentence; none if none of them is trained."""
    own = [name for name, arm in arms().items() if naming.part(arm) == "Table 2"]
    said = [
        f"{row.label} {with_ends((row.mean, row.ci_low, row.ci_high))}, runs {percent(row.lowest)} to "
        f"{percent(row.highest)}"
        for row in table[table["label"].isin(own)].itertuples()
    ]
    return [f"**The paper's networks**: {'; '.join(said)}."] if said else []


def claimed(claims: pd.DataFrame, whose: str) -> list[str]:
    """`claims_table`, as `judged` leaves it, in a sentence: what was found of each claim, and for how much.

    whose: how the sentence begins. None if no claim could be compared.
    """
    said = []
    for claim, own in claims.groupby("claim", sort=False) if len(claims) else ():
        verdicts = [f"{verdict} ({_differences(rows)})" for verdict, rows in own.groupby("verdict", sort=False)]
        said.append(f'"{claim}": {", ".join(verdicts)}')
    return [f"{whose}: {'; '.join(said)}."] if said else []


def _differences(rows: pd.DataFrame) -> str:
    return " and ".join(f"{100 * difference:+.2f}" for difference in rows["difference"]) + " points"


def untrained(claims: pd.DataFrame) -> str:
    """Why some of `claimed` have no verdict but that a network is not trained enough, in a sentence; empty if none."""
    said, rows = [], claims[claims["verdict"] == UNTRAINED]
    for name in dict.fromkeys([*rows["better"], *rows["worse"]]):
        share = loss_of_margin(arms()[name])
        if share.mean() > NEAR_MARGIN:
            said.append(
                f"of {name} is still {share.mean():.2f} of its margin ({share.min():.2f} to {share.max():.2f}, "
                f"n = {len(share)})"
            )
    if not said:
        return ""
    return (
        f" Not trained enough: in the last epoch the triplet loss {' and '.join(said)}; above {NEAR_MARGIN:.2f} "
        "there is no verdict, as a network that puts all faces on one point pays 1.00."
    )


def _beside_voters(chosen: pd.Series, ceilings: pd.DataFrame, sides: pd.DataFrame) -> str:
    reader, side = ceilings.set_index("model").loc[votes.DRAWN], sides.set_index("method").loc[chosen["label"]]
    return (
        f"**Someone who answers what most of ten voters say**, a tie drawn, scores {percent(reader['share'])} %: a "
        "network can exceed that, for it learns how this data set labels, and some of its images. Where the best "
        f"network contradicts the label, most voters side with the label in {percent(side['label'])} % of its answers, "
        f"with the network in {percent(side['network'])} %: {100 * side['more']:+.2f} points "
        f"[{interval(side['more_low'], side['more_high'], '+')}]."
    )


def by_agreement(chosen: pd.Series, parts: pd.DataFrame) -> str:
    """How often the best row of `scores` is right where voters confirm the label, and where not, in a sentence."""
    own = parts[parts["method"] == chosen["label"]].set_index("part")
    alike, not_alike = (
        f"{with_ends(tuple(own.loc[part, ['share', 'low', 'high']]))} of the {own.loc[part, 'n']:,}"
        for part in ("label is the votes' majority", "label is not")
    )
    return f"It is right on {alike} images whose label most voters confirm, and on {not_alike} others."


def in_short() -> str:
    """What is reached so far, in a sentence; empty if nothing is trained."""
    if not is_trained():
        return ""
    table = tables.accuracy_table(DATASET).query("protocol == 'usage'")
    chosen = best(table.assign(selection=[selection(arm) for arm in arms().values()]))
    return (
        f"On FER2013 {chosen['label']}, of {len(table)} networks so far the highest on PublicTest, reaches "
        f"{percent(chosen['mean'])} % of PrivateTest [{interval(chosen['ci_low'], chosen['ci_high'])}], "
        f"n = {chosen['n']}; the best published that saw no other data prints {percent(AIMS['mean'][0])} %."
        f"{_not_among(table)}"
    )


def _not_among(table: pd.DataFrame) -> str:
    """That the proposed network is not in a table, if so."""
    proposed = naming.label(Experiment("proposed", DATASET, "usage", stn_lr_factor=0.1, epochs=10, batch_size=64))
    return "" if proposed in set(table["label"]) else f" The proposed one, {proposed}, is not trained yet."
