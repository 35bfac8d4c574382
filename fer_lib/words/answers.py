"""The study's answers in sentences, for the README and the overview.

Everything is made by the functions of the pages, from `results/`; nothing is measured here.
"""

import pandas as pd

from fer_lib import paths, report, results
from fer_lib.findings import (
    audit,
    claims,
    embedding_scores,
    followed,
    gains,
    robustness,
    tables,
    views,
)
from fer_lib.measures import references, speed
from fer_lib.stats import wilson
from fer_lib.words import fer2013_wording, quality_wording, recipe_wording, transfer_wording
from fer_lib.words.rounding import interval, percent, with_ends

PAGES = {
    "Does the method work?": ("02_table", "04_embeddings"),
    "Is it robust to occlusion?": ("03_occlusion", "05_attention"),
    "Can the printed number be trusted?": ("00_data", "06_audit"),
    "What is there to beat?": ("09_recipe", "11_transfer", "10_fer2013_networks"),
}
"""The questions that readers come with -> the pages that answer them."""


def in_short(dataset: str, folder: str = "") -> str:
    """The answers to the questions of `PAGES` in Markdown, a paragraph each, and where to read on.

    folder: where the pages lie, seen from the text; ends in a slash if it is not empty.
    """
    table = tables.accuracy_table(dataset)
    others = [transfer_wording.in_short(), fer2013_wording.in_short()] if dataset == "ckplus" else []
    said = (
        [as_printed(table), on_new_people(dataset, table)],
        [occlusion_takes(dataset), gains.in_words(gains.table(dataset)), views.looks_away(dataset)],
        [leak(dataset), printed_in_short()],
        [recipe_wording.in_short(dataset), *others],
    )
    paragraphs = []
    for (question, pages), sentences in zip(PAGES.items(), said, strict=True):
        links = ", ".join(f"[{report.PAGES[page]}]({folder}{report.address(page, dataset)})" for page in pages)
        paragraphs.append(f"**{question}** {' '.join(filter(None, sentences))} Pages: {links}.")
    return "\n\n".join(paragraphs)


def as_printed(table: pd.DataFrame) -> str:
    """How many of the printed accuracies are reached under the paper's split, in sentences.

    table: `tables.accuracy_table`, here and below.
    """
    printed = table[table["printed"] > 0]
    if printed.empty:
        return ""
    reached = _reached(printed).groupby(printed["printed"]).any()
    missed = ", ".join(percent(share) for share in reached.index[~reached])
    said = f"Under its own split it reaches {reached.sum() or 'none'} of its {len(reached)} printed accuracies"
    lost = [
        f"In {row.lost} of {row.n} trainings of {row.label} the transformer lost the face."
        for row in printed[printed["lost"] > 0].itertuples()
    ]
    return " ".join([said + (f", not {missed} %." if missed else "."), *lost])


def _reached(arms: pd.DataFrame) -> pd.Series:
    return (arms["ci_low"] <= arms["printed"]) & (arms["printed"] <= arms["ci_high"])


def on_new_people(dataset: str, table: pd.DataFrame) -> str:
    """What the followed arms reach on new people beside the best reference, and how many arms are better than it."""
    over = _over_reference(dataset, table)
    if over.empty:
        return ""
    arms = table[table["protocol"] == "subject"].set_index("label")
    said = [f"{name} {with_ends(arms.loc[name])}" for name in followed.labels() if name in arms.index]
    alone = results.of_data_set(dataset, "references.csv").set_index(["method", "protocol"])
    reference = references.METHODS[-1]
    said.append(f"{reference}, which learns no features, {with_ends(alone.loc[reference, 'subject'])}")
    better = (over["verdict"] == "supported").sum() or "None"
    slower = over["label"].str.contains("STN rate").sum()
    return (
        f"On new people: {'; '.join(said)}. "
        f"{better} of {len(over)} networks trained as the paper's ({slower} of them with a slower "
        "transformer) can be called better than that."
    )


def _over_reference(dataset: str, table: pd.DataFrame) -> pd.DataFrame:
    """What the paper's arms gain over the best reference on new people; those that were asked about the most."""
    arms = table.loc[(table["part"] == "Table 2") & (table["protocol"] == "subject"), "label"]
    over = claims.against_references(dataset)
    over = over[(over["protocol"] == "subject") & (over["reference"] == references.METHODS[-1])]
    over = over[over["label"].isin(arms)]
    return over[over["n"] == over["n"].max()]


def printed_in_short() -> str:
    """What the paper's own number says of the accuracy behind it, in two sentences."""
    published = pd.read_csv(paths.NOTEBOOKS / "published.csv").dropna(subset="backbone")
    proposed = audit.possible(published).iloc[-1]
    return (
        f"{audit.as_a_share(proposed['printed'])}; were the frames independent, that would be compatible with "
        f"{interval(*wilson(proposed['errors'], audit.TEST_FRAMES))} %. {audit.common_way(published)}"
    )


def leak(dataset: str) -> str:
    """What the paper's split gives away: frames of sequences that training has seen, and what 1-NN makes of them."""
    seen = results.of_data_set(dataset, "leakage.csv").set_index("protocol").loc["random", "sequence seen"]
    said = (
        f"Under the paper's split {100 * seen:.0f} % of the test frames have a frame of the same sequence in training"
    )
    stored = results.of_data_set(dataset, "references.csv").set_index(["method", "protocol"])
    nearest = references.METHODS[1]
    if not {(nearest, "random"), (nearest, "subject")} <= set(stored.index):
        return f"{said}."
    known, new = (with_ends(stored.loc[nearest, protocol]) for protocol in ("random", "subject"))
    return f"{said}; there {nearest} reaches {known}, on new people {new}."


def occlusion_takes(dataset: str) -> str:
    """What occlusion takes from the first followed arm, in a sentence."""
    table = followed.under_occlusion(dataset)[1]
    name = table["label"].iloc[0]
    own = table[table["label"] == name].set_index("score")
    clear, covered, unseen = (with_ends(own.loc[score]) for score in robustness.ASKED)
    shown = "" if "no occlusion" in name else ", which its training shows,"
    return (
        f"{name} reaches {clear} on clear faces, {covered} under the paper's rectangle{shown} and "
        f"{unseen} under occlusion that no training shows."
    )


def of_each_page(dataset: str, arms: pd.DataFrame) -> dict[str, str]:
    """Page -> its answer in a sentence. arms: rows of `tables.accuracy_table`."""
    printed = arms[arms["printed"] > 0]
    beside = [
        f"{percent(row.printed)} % printed, {with_ends((row.mean, row.ci_low, row.ci_high))} here"
        + (f", where {row.lost} of {row.n} lost the face" if row.lost else "")
        for row in printed.itertuples()
    ]
    protocol, scores = followed.least_exposed(robustness.robustness_table(dataset), every=True)
    kept = scores.loc[(scores["score"] == "kept") & ~scores["label"].str.contains("heavy"), "mean"]
    ratios = [table.loc[table["way"] == speed.TEN, "ratio"] for table in map(speed.compared, speed.measured())]
    fastest = pd.concat(ratios) if ratios else pd.Series(dtype=float)
    return {
        "00_data": leak(dataset),
        "02_table": f"{'; '.join(beside)}." if beside else "",
        "03_occlusion": (
            f"Under unseen occlusion {len(kept)} networks keep {percent(kept.min())} to {percent(kept.max())} % of "
            f"their accuracy on clear faces, protocol {protocol}; those trained under heavy occlusion, which imitates "
            "some of it, are not among them."
        ),
        "04_embeddings": embedding_scores.in_short(dataset),
        "05_attention": views.looks_away(dataset),
        "06_audit": printed_in_short(),
        "08_fer2013": quality_wording.in_short(),
        "09_recipe": recipe_wording.in_short(dataset),
        "10_fer2013_networks": fer2013_wording.in_short(),
        "11_transfer": transfer_wording.in_short(),
        "07_speed": (
            f"Ten members at once train {fastest.min():.1f} to {fastest.max():.1f} times as fast as the usual way."
            if len(fastest)
            else ""
        ),
    }
