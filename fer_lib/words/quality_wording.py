"""What was measured on FER2013's data: sentences and tables, rounded, in percent."""

import numpy as np
import pandas as pd

from fer_lib.datasets.fer2013 import USAGES
from fer_lib.findings import quality
from fer_lib.findings.quality import published, twin_table
from fer_lib.measures import twins, votes
from fer_lib.stats import mean_interval
from fer_lib.words.rounding import in_cell, interval, intervals, p_value, percent, points, with_ends


def readable_twins(table: pd.DataFrame) -> pd.DataFrame:
    """`twin_table` as text; Training has a dash in the columns that concern test images only."""
    tests = table["usage"] != "Training"
    in_training = [f"{row.in_training} ({row.in_training / row.images:.1%})" for row in table.itertuples()]
    shown = table[["kind", "usage", "images", "within", "across"]].rename(
        columns={"within": "same usage", "across": "another usage"}
    )
    last = {"in Training": in_training, "other label": table["disagree"].astype(str)}
    last |= {"only other labels": table["all_disagree"].astype(str)}
    return shown.assign(**{name: np.where(tests, column, "–") for name, column in last.items()})


def group_sentence(images: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """How many groups of twins there are, in two sentences."""
    said = []
    for kind, name in zip(twins.KINDS, ("Exact", "Near"), strict=True):
        found = twins.groups(twins.of_kind(pairs, kind), images)
        said.append(
            f"**{name} twins** form {len(found):,} groups with {found['images'].sum():,} images in total; the largest "
            f"has {found['images'].max()}. {(found['usages'] > 1).sum()} groups span more than one usage, and "
            f"{(found['labels'] > 1).sum()} ({(found['labels'] > 1).mean():.1%}) carry more than one label."
        )
    return "- " + "\n- ".join(said)


def readable_agreement(images: pd.DataFrame) -> pd.DataFrame:
    """For each class, and for all: the share of labels that are the voters' majority, and n, per usage, in percent."""
    rows = {}
    for name, own in [*images.groupby("label"), ("all", images)]:
        row = {}
        for usage in USAGES:
            part = own[own["usage"] == usage]
            found = votes.counted(int((votes.outcome(part) == votes.OUTCOMES[0]).sum()), len(part))
            row[usage] = f"{in_cell(found['share'], found['low'], found['high'], '.2%')}, n = {found['n']:,}"
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("label")


def readable_ceilings(table: pd.DataFrame) -> pd.DataFrame:
    """`votes.ceilings` in percent."""
    ends = intervals(table["low"], table["high"])
    right = [f"{row.right:,} of {row.n:,}" for row in table.itertuples()]
    shares = {"correct": right, "accuracy": table["share"].map(percent), "95 % interval": ends}
    return table[["model"]].rename(columns={"model": "prediction"}).assign(**shares)


def readable_scores(table: pd.DataFrame) -> pd.DataFrame:
    """`scores` with a row per part and a column per method, in percent."""
    said = [in_cell(row.share, row.low, row.high, ".2%") for row in table.itertuples()]
    keys = {"index": ["part", "n"], "columns": "method", "values": "said", "aggfunc": "first", "sort": False}
    return table.assign(said=said).pivot_table(**keys).reset_index()


def answer(images: pd.DataFrame, pairs: pd.DataFrame, ceiling: pd.DataFrame, cleaning: pd.DataFrame) -> str:
    """The page's findings in sentences. ceiling: `votes.ceilings` of PrivateTest; cleaning: `cleaned`."""
    found = twin_table(images, pairs).set_index(["kind", "usage"])
    exact, near = found.loc["exact", "PrivateTest"], found.loc["near", "PrivateTest"]
    tested = images[images["usage"] == "PrivateTest"]
    alike = votes.agreement(tested)[votes.OUTCOMES[0]].div(tested["label"].value_counts())
    best, worst = alike.idxmax(), alike.idxmin()
    models = ceiling.set_index("model")
    gains = [f"{_gain(row)} points for {row.method}" for row in cleaning.itertuples() if row.lost + row.gained]
    return "\n".join(
        [
            f"- **Labels**: on {_share(ceiling.iloc[0])} of the {len(tested):,} PrivateTest images the label is the "
            f"category with the most of ten votes. This share ranges from {alike[best]:.0%} for {best} to "
            f"{alike[worst]:.0%} for {worst}.",
            f"- **A perfect model of the voters**, which always predicts their majority, would score "
            f"{_share(models.loc[votes.DRAWN])}; a classifier that also knows from Training how labels relate to votes "
            f"scores {_share(models.loc[votes.BEST])}.{_above(ceiling)}",
            f"- **Duplicates**: {exact.in_training} PrivateTest images ({exact.in_training / exact.images:.1%}) have "
            f"an exact twin in Training and {near.in_training} ({near.in_training / near.images:.1%}) a near or exact "
            f"one. Of these, {exact.disagree} and {near.disagree}, respectively, have a twin there with another label.",
            "- **Effect on the score**: with these twins in Training, accuracy on all of PrivateTest differs by "
            f"{' and by '.join(gains) or 'nothing'}.",
        ]
    )


def _above(ceiling: pd.DataFrame) -> str:
    """How many published accuracies lie above what the votes allow, and what follows, in sentences; empty if none."""
    printed, most = published(), ceiling.set_index("model").loc[votes.BEST, "high"]
    above = int((printed["low"] > most).sum())
    if not above:
        return ""
    return (
        f" The intervals of {above} of {len(printed)} published accuracies lie entirely above both: these networks "
        "may have learnt more than what most people see, such as this data set's labelling habits or its duplicates."
    )


def _share(row: pd.Series) -> str:
    return with_ends(tuple(row[["share", "low", "high"]]))


def _gain(row) -> str:
    return points(row.difference, row.ci_low, row.ci_high)


def readable_cleaned(table: pd.DataFrame) -> pd.DataFrame:
    """`cleaned` in percent."""
    return pd.DataFrame(
        {
            "method": table["method"],
            "trained on all of Training": table["with_twins"].map(percent),
            "trained without the twins": table["without"].map(percent),
            "difference": [_gain(row) if row.lost or row.gained else "none" for row in table.itertuples()],
            "correct only with twins": table["lost"],
            "correct only without": table["gained"],
            "p": [p_value(x) for x in table["p"]],
            "n": table["n"],
        }
    )


def readable_published(table: pd.DataFrame) -> pd.DataFrame:
    """`published` in percent."""
    shown = table.assign(**{"95 % interval": intervals(table["low"], table["high"])})
    shown = shown[["method", "accuracy", "95 % interval", "protocol", "source"]]
    return shown.rename(columns={"accuracy": "published"})


def readable_repeated(table: pd.DataFrame) -> pd.DataFrame:
    """`repeated` in percent."""
    names = {"same_label": "same label", "same_votes": "same votes", "same_majority": "same majority"}
    return table.assign(**{name: table[name].map(percent) for name in names}).rename(columns=names)


def readable_chance(table: pd.DataFrame) -> pd.DataFrame:
    """`twins.chance_share` with the similarity as text, the share in percent."""
    shown = {"similarity at least": table["similarity"].map("{:.2f}".format), "pairs": table["pairs"]}
    return pd.DataFrame(
        {**shown, "mirrored pairs": table["mirrored"], "mirrored, % of pairs": table["share"].map(percent)}
    )


def voters(images: pd.DataFrame) -> str:
    """How often the voters agree with each other, and the label with them, in sentences."""
    chances, share = votes.voters(images), votes.share_of_label(images)
    hits = share["among"] / share["tied"]
    difference, low, high = mean_interval((hits - chances["other_nine"]).dropna(), within=(-1, 1))
    said = {name: percent(column.mean()) for name, column in chances.items()}
    return (
        f"Averaged over {len(images):,} images, a randomly drawn voter agrees with the majority of all ten in "
        f"{said['top']} % of cases, with the majority of the other nine in {said['other_nine']} %, and with a second "
        f"voter in {said['two']} % (ties broken at random). The FER2013 label agrees with the majority in "
        f"{percent(hits.mean())} % and with a single voter in {said['label']} %. Label minus one more "
        f"voter, compared image by image: {100 * difference:+.2f} points [{interval(low, high, '+')}]."
    )


def limits(images: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """What else limits a score on PrivateTest, in sentences."""
    tested = images[images["usage"] == "PrivateTest"]
    firm = quality.repeated(images, pairs).set_index("twins").loc["near, not exact"]
    unsure = quality.ambiguous(images, pairs)
    return "\n".join(
        [
            "- **Labels drawn from the votes.** If the label of each PrivateTest image were one of its ten votes, "
            f"drawn at random, predicting the majority would score {percent(votes.voters(tested)['top'].mean())} %.",
            f"- **Label noise.** Of {int(firm['pairs']):,} pairs of near but not exact twins, "
            f"{percent(firm['same_label'])} % carry the same label. If labels were drawn independently, no model could "
            f"exceed the square root of this share, {percent(np.sqrt(firm['same_label']))} %, on such pictures. "
            "Pictures without a twin may be easier or harder.",
            f"- **Conflicting labels.** {unsure} PrivateTest images have an exact twin, anywhere, with another label. "
            "Exchanging these labels would change the first four rows of the table by at most "
            f"{100 * unsure / len(tested):.2f} points.",
        ]
    )
