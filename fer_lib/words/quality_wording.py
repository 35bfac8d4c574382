"""What was measured on FER2013 put to a reader: sentences and tables, rounded, in percent."""

import numpy as np
import pandas as pd

from fer_lib.findings import quality
from fer_lib.findings.quality import USAGES, published, twin_table
from fer_lib.measures import twins, votes
from fer_lib.stats import mean_interval
from fer_lib.words.rounding import interval, intervals, p_value, percent, with_ends


def readable_twins(table: pd.DataFrame) -> pd.DataFrame:
    """`twin_table` for the eye; what only a test image can have is a dash for Training."""
    tests = table["usage"] != "Training"
    in_training = [f"{row.in_training} ({row.in_training / row.images:.1%})" for row in table.itertuples()]
    shown = table[["kind", "usage", "images", "within", "across"]].rename(
        columns={"within": "in its own part", "across": "in another part"}
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
            f"**{name} twins**: {len(found):,} groups of {found['images'].sum():,} images, the largest of "
            f"{found['images'].max()}; {(found['usages'] > 1).sum()} groups lie across parts, and "
            f"{(found['labels'] > 1).sum()} ({(found['labels'] > 1).mean():.1%}) carry more than one label."
        )
    return "- " + "\n- ".join(said)


def readable_agreement(images: pd.DataFrame) -> pd.DataFrame:
    """For each class, and for all: n, and the share of labels that are the votes' majority, per usage, in percent."""
    rows = {}
    for name, own in [*images.groupby("label"), ("all", images)]:
        row = {}
        for usage in USAGES:
            part = own[own["usage"] == usage]
            found = votes.counted(int((votes.outcome(part) == votes.OUTCOMES[0]).sum()), len(part))
            row[usage] = f"{percent(found['share'])} [{interval(found['low'], found['high'])}], {found['n']:,}"
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("label")


def readable_ceilings(table: pd.DataFrame) -> pd.DataFrame:
    """`votes.ceilings` in percent."""
    ends = intervals(table["low"], table["high"])
    right = [f"{row.right:,} of {row.n:,}" for row in table.itertuples()]
    shares = {"right": right, "accuracy": table["share"].map(percent), "95 % interval": ends}
    return table[["model"]].rename(columns={"model": "a model that answers"}).assign(**shares)


def readable_scores(table: pd.DataFrame) -> pd.DataFrame:
    """`scores` with a row per part and a column per method, in percent."""
    said = [f"{percent(row.share)} [{interval(row.low, row.high)}]" for row in table.itertuples()]
    wide = table.assign(said=said).pivot(index=["part", "n"], columns="method", values="said")
    order = table[["part", "n"]].drop_duplicates()
    return wide.loc[list(order.itertuples(index=False, name=None)), table["method"].unique()].reset_index()


def answer(images: pd.DataFrame, pairs: pd.DataFrame, ceiling: pd.DataFrame, cleaning: pd.DataFrame) -> str:
    """The page's findings in sentences. ceiling: `votes.ceilings` of PrivateTest; cleaning: `cleaned`."""
    found = twin_table(images, pairs).set_index(["kind", "usage"])
    exact, near = found.loc["exact", "PrivateTest"], found.loc["near", "PrivateTest"]
    tested = images[images["usage"] == "PrivateTest"]
    alike = votes.agreement(tested, "label")[votes.OUTCOMES[0]].div(tested["label"].value_counts())
    best, worst, models = alike.idxmax(), alike.idxmin(), ceiling.set_index("model")
    printed = published()
    above = int((printed["low"] > models.loc[votes.BEST, "high"]).sum())
    gains = [_gain(row) for row in cleaning.itertuples() if row.lost + row.gained]
    return "\n".join(
        [
            f"- **{exact.in_training} of {exact.images:,} PrivateTest images ({exact.in_training / exact.images:.1%}) "
            f"are in Training pixel by pixel**; {near.in_training} ({near.in_training / near.images:.1%}) are there as "
            f"the same picture or nearly. {exact.disagree} and {near.disagree} of them have a twin there with another "
            "label.",
            f"- **The label is what most of ten voters see on {_share(ceiling.iloc[0])} of PrivateTest**: on "
            f"{alike[best]:.0%} of the images labelled {best}, on {alike[worst]:.0%} of those labelled {worst}.",
            f"- **A perfect reader of the votes would score {_share(models.loc[votes.DRAWN])}**, and "
            f"{_share(models.loc[votes.BEST])} if it also knew, from Training, how labels go with votes. The "
            f"intervals of {above} of {len(printed)} printed accuracies lie wholly above that interval: what networks "
            "learn here is not only what most people see in a face, but also what this data set calls it, and its "
            "twins.",
            f"- **What the twins in Training give away**, paired over PrivateTest: {'; '.join(gains)}.",
        ]
    )


def _share(row: pd.Series) -> str:
    return with_ends(tuple(row[["share", "low", "high"]]))


def _gain(row) -> str:
    p = p_value(row.p)
    said = f"p {p}" if p.startswith("<") else f"p = {p}"
    return f"{100 * (row.with_twins - row.without):+.2f} points for {row.method} ({said})"


def in_short() -> str:
    """What the stored results say, in a sentence."""
    images, pairs, predictions = (quality.read(name) for name in ("images", "pairs", "predictions"))
    twin = twin_table(images, pairs).set_index(["kind", "usage"]).loc["exact", "PrivateTest"]
    fitted = predictions.loc[predictions["method"] == quality.FITTED, "prediction"].to_numpy()
    models = votes.ceilings(images, fitted).set_index("model")
    return (
        f"{twin.in_training} of {twin.images:,} PrivateTest images are in Training pixel by pixel; a perfect reader of "
        f"ten people's votes would score {_share(models.loc[votes.DRAWN])}."
    )


def readable_cleaned(table: pd.DataFrame) -> pd.DataFrame:
    """`cleaned` in percent."""
    return pd.DataFrame(
        {
            "method": table["method"],
            "all of Training": table["with_twins"].map(percent),
            "without twins": table["without"].map(percent),
            "difference": [f"{100 * x:+.2f}" for x in table["with_twins"] - table["without"]],
            "right only with them": table["lost"],
            "right only without": table["gained"],
            "p": [p_value(x) for x in table["p"]],
            "n": table["n"],
        }
    )


def readable_contrasts(table: pd.DataFrame) -> pd.DataFrame:
    """`contrasts` in percent."""
    p = [p_value(x) for x in table["p"]]
    gap = [f"{100 * x:+.2f}" for x in table["first"] - table["second"]]
    shares = {"first": table["first"].map(percent), "second": table["second"].map(percent)}
    return table[["method", "parts"]].assign(**shares, difference=gap, p=p)


def readable_published(table: pd.DataFrame) -> pd.DataFrame:
    """`published` in percent."""
    ends = intervals(table["low"], table["high"])
    shown = table[["method", "accuracy", "protocol", "source"]].rename(columns={"accuracy": "printed"})
    shown.insert(2, "95 % interval", ends)
    return shown


def readable_repeated(table: pd.DataFrame) -> pd.DataFrame:
    """`repeated` in percent."""
    names = {"same_label": "same label", "same_votes": "same votes", "same_majority": "same majority"}
    return table.assign(**{name: table[name].map(percent) for name in names}).rename(columns=names)


def readable_chance(table: pd.DataFrame) -> pd.DataFrame:
    """`twins.chance_share` with the similarity as text, the share in percent."""
    shown = {"similarity from": table["similarity"].map("{:.2f}".format), "pairs": table["pairs"]}
    return pd.DataFrame({**shown, "mirrored": table["mirrored"], "mirrored, % of pairs": table["share"].map(percent)})


def voters(images: pd.DataFrame) -> str:
    """How far the voters agree with each other, and the label with them, in sentences."""
    chances, share = votes.voters(images), votes.share_of_label(images)
    hits = share["among"] / share["tied"]
    difference, low, high = mean_interval(hits - chances["other_nine"], within=(-1, 1))
    said = {name: percent(column.mean()) for name, column in chances.items()}
    return (
        f"A voter drawn at random says what most of the ten say on {said['top']} % of the images, what most of the "
        f"*other nine* say on {said['other_nine']} %, and what a second voter says on {said['two']} % (means over "
        f"{len(images):,} images, ties drawn). The FER2013 label says what most of the ten say on "
        f"{percent(hits.mean())} %, and what one voter says on {said['label']} %. Image by image, the label's "
        f"agreement with the majority less one more voter's is {100 * difference:+.2f} points "
        f"[{interval(low, high, '+')}]."
    )


def limits(images: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """What else limits a score on PrivateTest, in sentences."""
    tested = images[images["usage"] == "PrivateTest"]
    firm = quality.repeated(images, pairs).set_index("twins").loc["near, not exact"]
    unsure = quality.ambiguous(images, pairs)
    return "\n".join(
        [
            "- If the label of each PrivateTest image were one of its ten votes, drawn at random, the majority would "
            f"score {percent(votes.voters(tested)['top'].mean())} %.",
            f"- Labels of near twins that are not exact are the same for {percent(firm['same_label'])} % of "
            f"{int(firm['pairs']):,} pairs. Were each label drawn anew, no model, whatever it sees, could be right on "
            f"more than {percent(np.sqrt(firm['same_label']))} % of such pictures (the root of that share). That is a "
            "limit for pictures that were found twice; others may be easier or harder.",
            f"- {unsure} PrivateTest images have an exact twin, anywhere, with another label. Were their labels "
            f"exchanged, the first four rows above could change by {100 * unsure / len(tested):.2f} points at most.",
        ]
    )
