"""The study's answers in sentences, for the README and the overview.

Everything is made by the functions of the pages, from `results/`; nothing is measured here.
"""

import pandas as pd

from fer_lib import (
    audit,
    claims,
    embedding_scores,
    fer2013_wording,
    gains,
    naming,
    occluded_references,
    paths,
    quality_wording,
    questions,
    recipe_results,
    references,
    results,
    robustness,
    speed,
    tables,
    transfer_wording,
    views,
)
from fer_lib.experiments import Experiment
from fer_lib.wording import interval, percent, with_ends

COMMON = "STN + ResNet-10 + "
"""What all followed arms share; left out of the names within a sentence or a figure."""


def followed(occlusion: str = "rectangle") -> list[str]:
    """The labels of the arms that the overview follows: softmax, and triplet with a transformer that keeps the face."""
    settings = ({"loss": "softmax"}, {"loss": "triplet", "stn_lr_factor": 0.1})
    return [naming.label(Experiment("followed", "ckplus", occlusion=occlusion, **given)) for given in settings]


FEW = 7
"""Lines that a figure can hold and a reader can tell apart."""


def few(arms: list[Experiment]) -> list[Experiment]:
    """The arms that a figure of lines shows; all, if they are few.

    Else the followed arms, with and without occlusion in training, and the strong recipe, from scratch and from
    FER2013's usual weights.
    """
    followed_arms = {*followed(), *followed(occlusion="none")}
    shown = [
        arm
        for arm in arms
        if naming.label(arm) in followed_arms
        or (arm.recipe == "strong" and arm.pretrained in ("none", naming.USUAL_START))
    ]
    return shown if len(arms) > FEW and shown else arms


def in_short(dataset: str) -> str:
    """The study's answers to the questions that its readers come with, in Markdown: a sentence, and a list below it."""
    table = tables.accuracy_table(dataset)
    said = {
        "Does the method work?": (
            works(dataset, table),
            [as_printed(table), on_new_people(dataset, table), divides(dataset)],
        ),
        "Is it robust to occlusion?": (
            occlusion_takes(dataset),
            [
                occluded_references.in_words(dataset, followed()),
                gains.in_words(gains.table(dataset)),
                questions.by_fill(dataset),
                views.looks_away(dataset),
            ],
        ),
        "Can the printed number be trusted?": (leak(dataset), [references_over_splits(dataset), printed_in_short()]),
        "What is there to beat?": (
            recipe_results.in_short(dataset),
            [transfer_wording.in_short(), fer2013_wording.in_short()] if dataset == "ckplus" else [],
        ),
    }
    parts = []
    for question, (answer, lines) in said.items():
        parts.append(f"**{question}** {answer}".strip())
        parts.append("\n".join(f"- {line}" for line in lines if line))
    return "\n\n".join(filter(None, parts))


def works(dataset: str, table: pd.DataFrame) -> str:
    """Which of the printed accuracies are reached, and how many of the paper's arms beat what learns no features.

    table: `tables.accuracy_table`, here and below.
    """
    printed = table[table["printed"] > 0]
    lines = []
    if len(printed):
        reached = _reached(printed).groupby(printed["printed"]).any()
        missed = ", ".join(percent(share) for share in reached.index[~reached])
        lines.append(
            f"It reaches {reached.sum() or 'none'} of its {len(reached)} printed accuracies under its own split"
            + (f", not {missed} %." if missed else ".")
        )
    over = _over_reference(dataset, table)
    if len(over):
        better, slower = (over["verdict"] == "supported").sum(), over["label"].str.contains("STN rate").sum()
        lines.append(
            f"On new people {better or 'none'} of {len(over)} networks trained as its own ({slower} of them with a "
            f"slower transformer) can be called better than {references.METHODS[-1]}, which learns no features."
        )
    return " ".join(lines)


def as_printed(table: pd.DataFrame) -> str:
    """What the paper's arms reach under its split, those first whose printed accuracy lies in the interval."""
    arms = table[(table["part"] == "Table 2") & (table["protocol"] == "random")]
    reached, printed = _reached(arms), arms["printed"] > 0
    groups = {"as printed": reached, "not as printed": printed & ~reached, "not in the paper": ~printed}
    said = [
        f"{words}: {', '.join(_with_printed(row) for row in arms[chosen].itertuples())}"
        for words, chosen in groups.items()
        if chosen.any()
    ]
    return f"Under the paper's split {'; '.join(said)}." if said else ""


def _reached(arms: pd.DataFrame) -> pd.Series:
    return (arms["ci_low"] <= arms["printed"]) & (arms["printed"] <= arms["ci_high"])


def _with_printed(row) -> str:
    beside = [f"printed {percent(row.printed)}"] if row.printed > 0 else []
    beside += [_some_lost(row)] if row.lost else []
    said = f"{short(row.label)} {with_ends((row.mean, row.ci_low, row.ci_high))}"
    return said + (f" ({'; '.join(beside)})" if beside else "")


def _some_lost(row) -> str:
    kept = f", the others reach {percent(row.kept_mean)}" if row.lost < row.n else ""
    return f"{row.lost} of {row.n} transformers lost the face{kept}"


def on_new_people(dataset: str, table: pd.DataFrame) -> str:
    """What the paper's arms reach on new people, and whether it is more than the best reference, in a sentence."""
    over = _over_reference(dataset, table)
    if over.empty:
        return ""
    arms = table[table["protocol"] == "subject"].set_index("label")
    said = []
    for row in over.itertuples():
        own = arms.loc[row.label]
        lost = f" ({_some_lost(own)})" if own["lost"] else ""
        said.append(f"{short(row.label)} {with_ends(own)}{lost}, {row.verdict}")
    alone = results.of_data_set(dataset, "references.csv").set_index(["method", "protocol"])
    reference = with_ends(alone.loc[references.METHODS[-1], "subject"])
    return (
        f"On new people {references.METHODS[-1]} reaches {reference}; beside it, and whether they are better: "
        f"{'; '.join(said)} ({over['n'].iloc[0]} {over['pairs'].iloc[0]})."
    )


def _over_reference(dataset: str, table: pd.DataFrame) -> pd.DataFrame:
    """What the paper's arms gain over the best reference on new people; those that were asked about the most."""
    arms = table.loc[(table["part"] == "Table 2") & (table["protocol"] == "subject"), "label"]
    over = claims.against_references(dataset)
    over = over[(over["protocol"] == "subject") & (over["reference"] == references.METHODS[-1])]
    over = over[over["label"].isin(arms)]
    return over[over["n"] == over["n"].max()]


def divides(dataset: str) -> str:
    """Whether another loss divides the classes more clearly than softmax, in a sentence; empty if none was compared."""
    found = embedding_scores.in_short(dataset)
    return f"Do its embeddings divide the emotions more clearly (page *Embeddings*)? {found}" if found else ""


def printed_in_short() -> str:
    """What the paper's own number says of the accuracy behind it, in a sentence."""
    published = pd.read_csv(paths.NOTEBOOKS / "published.csv").dropna(subset="backbone")
    proposed = audit.possible(published).iloc[-1]
    low, high = audit.wilson(proposed["errors"])
    frames = audit.TEST_FRAMES
    return (
        f"{proposed['printed']} % is {frames - proposed['errors']} of {frames} frames, cut, not rounded, to two "
        f"decimals; were the frames independent, that would be compatible with {interval(low, high)} %. "
        f"{audit.common_way(published)}"
    )


def leak(dataset: str) -> str:
    """How many test frames of the paper's split have a frame of their sequence in training, in a sentence."""
    leaks = results.of_data_set(dataset, "leakage.csv").set_index("protocol")
    seen = leaks.loc["random", "sequence seen"]
    return (
        f"Under the paper's split {100 * seen:.0f} % of the test frames have a frame of the same sequence in training."
    )


def references_over_splits(dataset: str) -> str:
    """What a method without a network reaches under the paper's split and on new people, a sentence each."""
    stored = results.of_data_set(dataset, "references.csv").set_index(["method", "protocol"])
    words = {"random": "under the paper's split", "subject": "on new people"}
    lines = []
    for method in references.METHODS[1:]:
        said = [
            f"{with_ends(stored.loc[method, name])} {where}"
            for name, where in words.items()
            if (method, name) in stored.index
        ]
        lines.append(f"{method}: {', '.join(said)}." if said else "")
    return " ".join(filter(None, lines))


def occlusion_takes(dataset: str) -> str:
    """What occlusion takes from the first arm, in a sentence."""
    table = compared_under_occlusion(dataset)[1]
    name = table["label"].iloc[0]
    own = table[table["label"] == name].set_index("score")
    clear, unseen = (with_ends(own.loc[score]) for score in ("clean", "unseen"))
    return f"{name}: {clear} on clear faces, {unseen} under occlusion that no training showed."


def of_each_page(dataset: str, arms: pd.DataFrame) -> dict[str, str]:
    """Page -> its answer in a sentence. arms: rows of `tables.accuracy_table`."""
    printed = arms[arms["printed"] > 0]
    beside = [
        f"{percent(row.printed)} % printed, {with_ends((row.mean, row.ci_low, row.ci_high))} here"
        + (f", where {row.lost} of {row.n} lost the face" if row.lost else "")
        for row in printed.itertuples()
    ]
    protocol, scores = first_protocol(robustness.robustness_table(dataset), every=True)
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
        "09_recipe": recipe_results.in_short(dataset),
        "10_fer2013_networks": fer2013_wording.in_short(),
        "11_transfer": transfer_wording.in_short(),
        "07_speed": (
            f"Ten members at once train {fastest.min():.1f} to {fastest.max():.1f} times as fast as the usual way."
            if len(fastest)
            else ""
        ),
    }


def compared_under_occlusion(dataset: str) -> tuple[str, pd.DataFrame]:
    """The least exposed protocol, and its followed arms' accuracy on clear and on covered faces.

    Without those that were asked about other people than most: they do not compare.
    """
    protocol, table = first_protocol(robustness.robustness_table(dataset))
    scores = table["score"].isin(["clean", "black rectangle", "unseen"])
    return protocol, table[scores & (table["people"] == table["people"].max())]


def moved(dataset: str) -> pd.DataFrame:
    """The rows of `views.summary` that say how far a rectangle moves the view; its method is called label."""
    table = views.summary(dataset)
    return table[table["quantity"] == "moved"].rename(columns={"method": "label"})


def first_protocol(table: pd.DataFrame, every: bool = False) -> tuple[str, pd.DataFrame]:
    """The least exposed protocol, and its rows: of the followed arms, with and without occlusion, if there are any."""
    protocol = next(name for name in ("subject", "sequence", "random", "usage") if name in set(table["protocol"]))
    own = table[table["protocol"] == protocol]
    chosen = own[own["label"].isin([*followed(), *followed(occlusion="none")])]
    return protocol, own if every or chosen.empty else chosen


def short(label: str) -> str:
    """The label without what is common, and without parentheses, so that it may stand in some."""
    return label.removeprefix(COMMON).replace(" (", ", ").rstrip(")")
