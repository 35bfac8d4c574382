"""The study's answers in sentences, for the README and the overview.

Everything is made by the functions of the pages, from `results/`; nothing is measured here.
"""

import nbformat
import numpy as np
import pandas as pd

from fer_lib import paths, results
from fer_lib.comparisons import DECIDED, TWO_KINDS, holm
from fer_lib.experiments import Experiment
from fer_lib.findings import (
    audit,
    claims,
    embedding_scores,
    followed,
    initialisations,
    questions,
    robustness,
    single_splits,
    tables,
    triplet_outcomes,
    views,
)
from fer_lib.findings.recipe_results import by_sequence, on_all_folds
from fer_lib.measures import occluded_references, references
from fer_lib.occlusion_scores import SCORES
from fer_lib.pages import PAGES as TITLES
from fer_lib.pages import address
from fer_lib.stats import LEVEL, wilson
from fer_lib.words import (
    embedding_wording,
    fer2013_wording,
    headlines,
    naming,
    occlusion_wording,
    recipe_wording,
    transfer_wording,
)
from fer_lib.words.rounding import gained, interval, percent, with_ends

PAGES = {
    "Does the method work?": ("02_table", "04_embeddings"),
    "Is it robust to occlusion?": ("03_occlusion", "05_attention"),
    "Can the printed number be trusted?": ("00_data", "06_audit"),
    "What is there to beat?": ("09_recipe", "11_transfer", "10_fer2013_networks"),
}
"""The questions that readers come with -> the pages that answer them."""


def in_brief(dataset: str, table: pd.DataFrame, over: pd.DataFrame, parts: pd.DataFrame, folder: str = "") -> list[str]:
    """The answer to each question of `PAGES` in a paragraph of Markdown, with links to the pages.

    table: `tables.accuracy_table`; over: `over_reference`; parts: `gains.table`; folder: where the pages lie, seen from
    the text; ends in a slash if it is not empty.
    """
    paragraphs = []
    for (question, pages), said in zip(PAGES.items(), headlines_of(dataset, table, over, parts), strict=True):
        links = ", ".join(f"[{TITLES[page]}]({folder}{address(page, dataset)})" for page in pages)
        paragraphs.append(f"**{question}** {said} {links}")
    return paragraphs


def in_short(dataset: str, parts: pd.DataFrame) -> str:
    """The answers to the questions of `PAGES` in Markdown: those of `in_brief`, and a list of sentences each.

    parts: `gains.table`.
    """
    table = tables.accuracy_table(dataset)
    over = over_reference(dataset, table)
    division = embedding_scores.comparisons(embedding_scores.all_member_scores(dataset), dataset)
    others = [transfer_wording.in_short(), fer2013_wording.in_short()] if dataset == "ckplus" else []
    said = (
        [
            beside_printed(table),
            gains_as_printed(dataset, table),
            on_unseen_subjects(dataset, table, over),
            embedding_wording.in_brief(division, triplet_outcomes.compared(dataset)),
        ],
        [
            occlusion_takes(dataset),
            occlusion_wording.what_breaks_it(dataset),
            views.in_short(dataset),
            questions.fills_in_short(dataset),
        ],
        [leak(dataset), audit.by_epoch(dataset), printed_in_short(), single_splits.in_words(dataset)],
        [recipe_wording.in_short(dataset), *others],
    )
    paragraphs = []
    for brief, sentences in zip(in_brief(dataset, table, over, parts), said, strict=True):
        paragraphs += [brief, "\n".join(f"- {said}" for said in sentences if said)]
    return "\n\n".join(paragraphs)


def headlines_of(dataset: str, table: pd.DataFrame, over: pd.DataFrame, parts: pd.DataFrame) -> list[str]:
    """The answer to each question of `PAGES` in one sentence; for the arguments see `in_brief`."""
    arms = [
        arm
        for arm in robustness.arms(dataset)
        if arm.protocol == "subject" and on_all_folds(arm, "occluded_predictions.csv.gz")
    ]
    by_label = {naming.label(arm): arm for arm in arms}
    scores = pd.DataFrame({name: _means(arm) for name, arm in by_label.items()})
    first = next((name for name in followed.labels() if name in scores), None)
    printed = pd.read_csv(paths.NOTEBOOKS / "published.csv")
    on_subjects = printed[printed["protocol"].str.startswith("10 folds of subjects")]["accuracy"].max()
    own = printed.dropna(subset="backbone")
    heavy = [name for name, arm in by_label.items() if arm.occlusion == "heavy"]
    published = on_subjects if dataset == "ckplus" else np.nan
    works = headlines.works(reached(dataset, table), over)
    return [
        " ".join(filter(None, [works, *_highest_reached_by_others(dataset, table)])),
        headlines.robust(first, scores[first], _covered(by_label[first]), parts) if first else "",
        headlines.trusted(_sequences_seen(dataset), audit.common_ways(own), len(own)),
        headlines.beaten(scores, by_sequence(by_label[scores.loc["clean"].idxmax()])[0], published, heavy)
        if arms
        else "",
    ]


def _means(arm: Experiment) -> dict[str, float]:
    """Accuracy over all test frames, each counted once, by the names of `robustness.ASKED`."""
    frames = {asked: robustness.right(arm, SCORES[asked]).groupby("frame_id") for asked in robustness.ASKED}
    return {asked: own["score"].mean().mean() for asked, own in frames.items()}


def _covered(arm: Experiment) -> pd.Series:
    """Mean share of the face that is covered by the names of `robustness.ASKED`."""
    return pd.Series({asked: robustness.covered(arm, SCORES[asked]) for asked in robustness.ASKED})


def as_printed(dataset: str, table: pd.DataFrame) -> str:
    """Which of the paper's numbers our runs under its split reach, in sentences.

    table: `tables.accuracy_table`, here and below.
    """
    works = headlines.works(reached(dataset, table), pd.DataFrame())
    return " ".join(filter(None, [works, beside_printed(table), *_highest_reached_by_others(dataset, table)]))


def beside_printed(table: pd.DataFrame) -> str:
    """How many runs of what reaches fewest of the paper's numbers collapsed, in a sentence."""
    printed = table[table["printed"] > 0]
    of_same_number = printed.groupby("printed")["collapsed"].transform("sum") > 0
    collapsed = [
        f"in {row.collapsed or 'none'} of {row.n} runs of {row.label}" for row in printed[of_same_number].itertuples()
    ]
    return f"The STN collapsed {', '.join(collapsed)}." if collapsed else ""


def gains_as_printed(dataset: str, table: pd.DataFrame) -> str:
    """The gains that the paper prints beside those of our runs of its networks under its split, in a sentence."""
    found = claims.claims_table(dataset)
    found = found.assign(stands=holm(found["p"]) < 1 - LEVEL)
    own = found[(found["protocol"] == "random") & found["printed"].notna() & (found["verdict"] != TWO_KINDS)]
    said = []
    for row in own[own["better"].isin(table.loc[table["printed"] > 0, "label"])].itertuples():
        unsure = ", not after Holm's correction" if row.verdict in DECIDED and not row.stands else ""
        printed = f"{row.claim}: printed {100 * row.printed:+.2f}"
        said.append(f"{printed}, ours {gained(row)} ({row.verdict}{unsure}; n = {row.n} {row.pairs})")
    return f"The gains that the paper prints, under its split: {'; '.join(said)}." if said else ""


def _highest_reached_by_others(dataset: str, table: pd.DataFrame) -> list[str]:
    """How many other networks under the paper's split reach its highest number, and the one that does most often."""
    highest = table["printed"].max()
    own = table[table["protocol"] == "random"]
    members = tables.with_members(own[own["printed"] != highest], dataset)
    runs = (members["accuracy"] >= audit.in_frames(highest)).groupby(members["label"], sort=False).agg(["sum", "size"])
    found = runs[runs["sum"] > 0].sort_values("sum", ascending=False, kind="stable")
    if found.empty:
        return []
    most, others = found.iloc[0], f"{len(found)} of {len(runs)} other networks"
    said = f"{percent(highest)} % is reached by single runs of {others}, most often by {found.index[0]}"
    return [f"{said} ({most['sum']} of {most['size']} runs)."]


def reached(dataset: str, table: pd.DataFrame) -> pd.DataFrame:
    """A row per number that the paper prints: printed, label, n (our runs of it), collapsed (of these), runs that reach
    it in whole frames, best run."""
    printed = table[table["printed"] > 0]
    collapsed = printed.groupby("printed")["collapsed"].sum()
    rows = [
        (
            number,
            own["label"].iloc[0],
            len(own),
            collapsed[number],
            (own["accuracy"] >= audit.in_frames(number)).sum(),
            own["accuracy"].max(),
        )
        for number, own in tables.with_members(printed, dataset).groupby("printed")
    ]
    return pd.DataFrame(rows, columns=["printed", "label", "n", "collapsed", "runs", "best"])


def on_unseen_subjects(dataset: str, table: pd.DataFrame, over: pd.DataFrame) -> str:
    """What the paper's arms without a collapsed run and the best reference reach, and how many arms beat it.

    On clear faces of unseen subjects. over: `over_reference`.
    """
    if over.empty:
        return ""
    over = over[over["verdict"] != TWO_KINDS]
    arms = table[table["protocol"] == "subject"].set_index("label")
    trained = tables.by_label(dataset, "subject")
    said = [f"{name} {with_ends(arms.loc[name])}{initialisations.apart(trained[name])}" for name in over["label"]]
    alone = results.of_data_set(dataset, "references.csv").set_index(["method", "protocol"])
    reference = references.METHODS[-1]
    first = f"On clear faces of unseen subjects: {'; '.join(said)}. {reference}"
    reaches = f"without learned features, reaches {with_ends(alone.loc[reference, 'subject'])}"
    if not said:
        return f"On unseen subjects {reference}, {reaches}."
    better = (over["verdict"] == "supported").sum()
    return (
        f"{first}, {reaches}; of these networks, the ones without a collapsed run, {better or 'none'} "
        f"{'are' if better > 1 else 'is'} measurably better. The intervals cover other subjects, not another "
        "initialisation."
    )


def over_reference(dataset: str, table: pd.DataFrame) -> pd.DataFrame:
    """What the paper's arms gain over the best reference on unseen subjects; those that were tested on the most.

    Rows of `claims.against_references`, with each arm's accuracy and the reference's alone.
    """
    arms = table[(table["part"] == "Table 2") & (table["protocol"] == "subject")].set_index("label")["mean"]
    over = claims.against_references(dataset)
    over = over[(over["protocol"] == "subject") & (over["reference"] == references.METHODS[-1])]
    over = over[over["label"].isin(arms.index)]
    over = over[over["n"] == over["n"].max()]
    return over.assign(accuracy=over["label"].map(arms), alone=over["label"].map(arms) - over["difference"])


def printed_in_short() -> str:
    """What the paper's own number says of the accuracy behind it, in sentences."""
    published = pd.read_csv(paths.NOTEBOOKS / "published.csv").dropna(subset="backbone")
    proposed = audit.possible(published).iloc[-1]
    return (
        f"{audit.as_a_share(proposed['printed'])}. If the frames were independent, this would be compatible with an "
        f"accuracy of {interval(*wilson(proposed['errors'], audit.TEST_FRAMES))} %. {audit.common_way(published)}"
    )


def leak(dataset: str) -> str:
    """What the paper's split gives away: frames of sequences that training has seen, and what 1-NN makes of them."""
    seen = 100 * _sequences_seen(dataset)
    said = f"Under the paper's split {seen:.0f} % of the test frames have a frame of the same sequence in training"
    stored = results.of_data_set(dataset, "references.csv").set_index(["method", "protocol"])
    nearest = references.METHODS[1]
    if not {(nearest, "random"), (nearest, "subject")} <= set(stored.index):
        return f"{said}."
    known, new = (with_ends(stored.loc[nearest, protocol]) for protocol in ("random", "subject"))
    return f"{said}: {nearest} reaches {known} there, {new} on unseen subjects."


def _sequences_seen(dataset: str) -> float:
    return results.of_data_set(dataset, "leakage.csv").set_index("protocol").loc["random", "sequence seen"]


def occlusion_takes(dataset: str) -> str:
    """What occlusion takes from the first followed arm, and what it gains over a reference there, in sentences."""
    protocol, table = followed.under_occlusion(dataset)
    name = table["label"].iloc[0]
    own = table[table["label"] == name].set_index("score")
    clear, covered, unseen = (with_ends(own.loc[score]) for score in robustness.ASKED)
    unseen_subjects = " of unseen subjects" if protocol == "subject" else f" (protocol {protocol})"
    said = (
        f"{name} reaches {clear} on clear faces{unseen_subjects}, {covered} under the paper's rectangle and {unseen} "
        "under kinds of occlusion that no training contains."
    )
    over = occluded_references.against(dataset).query("score == 'unseen' and label == @name")
    gains = [
        f"Under the latter it gains {gained(row)} over {row.reference} ({row.verdict})." for row in over.itertuples()
    ]
    return " ".join([said, *gains])


def read_on(dataset: str) -> str:
    """A link to every other page with its question, as a list in Markdown."""
    links = [f"- [{title}]({address(page, dataset)}): {_question(page)}" for page, title in TITLES.items()]
    return "\n".join(links[1:])


def _question(page: str) -> str:
    notebook = nbformat.read(paths.NOTEBOOKS / f"{page}.ipynb", as_version=4)
    return notebook.cells[0].source.splitlines()[0].removeprefix("# ")
