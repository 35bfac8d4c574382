"""Results of the strong recipe in sentences and in rounded tables, from `recipe_results`."""

import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.findings import initialisations
from fer_lib.findings.recipe_results import (
    AIMS,
    BLIND,
    CLEAR,
    COMPARED,
    PLAIN,
    TRIPLET,
    active_triplets,
    by_sequence,
    changed,
    on_all_folds,
    reached,
    the_papers,
    trained,
    variant,
)
from fer_lib.findings.robustness import ASKED, gain, right, score
from fer_lib.findings.tables import LOOKS, has_results
from fer_lib.occlusion_scores import SCORES
from fer_lib.stats import pooled
from fer_lib.words.naming import label
from fer_lib.words.rounding import (
    gained,
    in_cell,
    judged,
    listed,
    percent,
    points,
    with_ends,
)
from fer_lib.words.wording import readable_comparisons

INNER_CAPTION = (
    "Accuracy of each setting on the inner folds, in percent, with 95 % intervals over subjects; one initialisation. "
    "Last columns: inner folds 0 and 1 alone."
)
"""Caption of `inner_scores`."""

UNTOUCHED = ", whose subjects were not tested before the recipe was chosen"
"""What holds of the subjects of folds 4 to 9: inner folds only trained on them until then."""

MET = {
    "yes": "reached",
    "by the mean": "reached by the mean, but not by the whole interval",
    "no": "not reached",
}
"""Whether an aim is met -> in a sentence."""


def answer(experiment: Experiment) -> str:
    """Whether the aims are met, and what the STN, occlusion in training, triplet loss and longer training change.

    A bullet each.
    """
    table, paper = reached(experiment).set_index("aim"), the_papers(experiment.dataset)
    clean, kept = table.loc["clean accuracy"], table.drop("clean accuracy")
    shares = [
        f"{with_ends(row)} {aim.removeprefix('kept ')} (aim: {100 * row['wanted']:g} %)" for aim, row in kept.iterrows()
    ]
    before = reached(paper).set_index("aim").loc[kept.index, "mean"].dropna() if paper else kept["mean"][:0]
    beside = f". The paper's training with softmax keeps {listed(list(map(percent, before)))} %" if len(before) else ""
    bullets = [
        f"**The aim of {100 * clean['wanted']:g} % on unseen subjects is {MET[met(clean)]}.** The strong recipe "
        f"reaches {headline(experiment, subjects=UNTOUCHED)}.",
        f"**Under occlusion** it keeps, of that accuracy, {', '.join(shares)}{beside}.",
    ]
    plain, clear, triplet = (variant(experiment, **instead) for instead in (PLAIN, CLEAR, TRIPLET))
    if plain and on_all_folds(plain):
        bullets.append(f"**The spatial transformer** gains {_gains(experiment, plain)}.")
    if clear and on_all_folds(clear):
        bullets.append(f"**Its occlusion in training** gains {_gains(experiment, clear)}.")
    if triplet and on_all_folds(triplet):
        bullets.append(
            f"**Triplet loss** instead of softmax changes the accuracy by {_gains(triplet, experiment)}."
            f"{_trained_enough(triplet)}"
        )
    for longer in filter(on_all_folds, changed(experiment.dataset)):
        row = on_clear(longer, experiment)
        bullets.append(
            f"**{longer.epochs} epochs** instead of {experiment.epochs} reach {headline(longer)}. "
            f"Paired gain: {gained(row)}, {row['verdict']}{_blind_gain(longer, experiment)}; n = {row['n']} "
            f"{row['pairs']}."
        )
    return "\n".join(f"- {bullet}" for bullet in bullets)


def _gains(first: Experiment, second: Experiment) -> str:
    rows = {words: pd.Series(gain(first, second, SCORES[name])) for name, words in ASKED.items()}
    said = ", ".join(f"{gained(row)} {words} ({row['verdict']})" for words, row in rows.items())
    n, pairs = next(iter(rows.values()))[["n", "pairs"]]
    return f"{said}; n = {n} {pairs}"


def _trained_enough(triplet: Experiment) -> str:
    """How many triplets the recipe leaves active, against the paper's training, whose triplet loss is the same."""
    paper = the_papers(triplet.dataset, "triplet")
    if not (paper and on_all_folds(paper)):
        return ""
    left, there = (percent(active_triplets(arm)) for arm in (triplet, paper))
    row = on_clear(triplet, paper)
    return (
        f" The recipe was chosen for softmax and may train triplet loss too little: {left} % of the training triplets "
        f"are still active in its last epoch, {there} % in that of the paper's training with a slow STN. Against that "
        f"training it changes the accuracy by {judged(row)}."
    )


def headline(experiment: Experiment, where: str = "", subjects: str = "") -> str:
    """Accuracy on unseen subjects, and in brackets its runs, that by sequence, the untouched folds, and the ensemble.

    where: stands before the brackets. subjects: what holds of the subjects of folds 4 to 9, such as `UNTOUCHED`.
    """
    table, blind = right(experiment, SCORES["clean"]), on_blind_folds(experiment)
    said = [f"{runs(experiment)}, {table['subject'].nunique()} subjects"]
    said += [f"by sequence {with_ends(by_sequence(experiment))}"]
    said += [f"folds 4 to 9{subjects}: {blind}"] if blind else []
    said += filter(None, [initialisations.ensemble(experiment)])
    return f"{with_ends(score(experiment, SCORES['clean']))}{where} ({'; '.join(said)})"


def on_clear(first: Experiment, second: Experiment) -> pd.Series:
    """What the first training gains over the second on clear faces, paired: `comparisons.COMPARISON`."""
    return pd.Series(gain(first, second, SCORES["clean"]))


def _blind_gain(longer: Experiment, experiment: Experiment) -> str:
    """`on_clear` on the folds of CK+ that did not choose the length of training; empty elsewhere."""
    found = gain(longer, experiment, SCORES["clean"], BLIND)
    return f"; folds 4 to 9: {100 * found['difference']:+.2f}" if experiment.dataset == "ckplus" and found["n"] else ""


def runs(experiment: Experiment) -> str:
    """20 of 30 runs."""
    return f"{len(results.finished(experiment))} of {len(experiment.members)} runs"


def on_blind_folds(experiment: Experiment) -> str:
    """Accuracy on the subjects of CK+ that had no part in choosing the recipe; empty elsewhere, or without a run."""
    table = right(experiment, SCORES["clean"])
    blind = table[table["fold"].isin(BLIND)]
    if experiment.dataset != "ckplus" or blind.empty:
        return ""
    return with_ends(pooled("subject", blind, blind["score"]))


def in_short(dataset: str) -> str:
    """What the strong recipe reaches, for as long as it was trained, and whether that is its aim; or empty."""
    arms = trained(dataset)
    if not arms:
        return ""
    arms, aim = [arms[0], *filter(on_all_folds, arms[1:])], {"clean accuracy": AIMS["clean accuracy"]}
    rows = [reached(arm, aim).iloc[0] for arm in arms]
    reaches = [f"{with_ends(row)} in {arm.epochs} epochs" for arm, row in zip(arms, rows, strict=True)]
    best = max(rows, key=lambda row: row["mean"])
    blind = [found for arm in arms if (found := on_blind_folds(arm))]
    untouched = f" (folds 4 to 9, whose subjects had no part in choosing them: {' and '.join(blind)})" if blind else ""
    return (
        f"Our aim of {100 * best['wanted']:g} % is {MET[met(best)]}. With a modern training recipe, the paper's "
        f"network reaches {' and '.join(reaches)} on unseen subjects{untouched}."
    )


def met(row) -> str:
    """Whether the aim of a row of `reached` is met: by the whole interval, by the mean alone, or not."""
    if row.ci_low >= row.wanted:
        return "yes"
    return "by the mean" if row["mean"] >= row.wanted else "no"


GAINED = (
    "Gain in points, paired over the folds that both have, the initialisations of each averaged: dots and numbers of "
    "all folds, triangles of folds 4 to 9. Thick: 95 % interval over subjects; thin: over folds. A verdict needs both. "
    "n and p (of the interval nearer to zero) are in the data. Not corrected for multiple comparisons."
)
"""The caption of `recipe_results.compared` as a picture."""


def gains_in_words(gained: pd.DataFrame) -> str:
    """The rows of `recipe_results.compared` that are of all subjects, in words."""
    rows = gained[gained["subjects"] == "all"].itertuples()
    return "; ".join(f"{row.score} {100 * row.difference:+.1f} points, {row.verdict}" for row in rows)


def readable_over(table: pd.DataFrame) -> pd.DataFrame:
    """`over_the_paper` in points."""
    late = [points(row.late, row.late_low, row.late_high) for row in table.itertuples()]
    shown = readable_comparisons(table, "label", "score").assign(**{f"last {LOOKS} logged": late})
    return shown.rename(columns={"label": "over"})


def inner_scores(dataset: str, pretrained: bool = False) -> pd.DataFrame:
    """Accuracy of each setting that was tried, from scratch or from FER2013's weights, on its inner folds.

    Columns method, inner folds, clean and unseen with their ends, and each score of `COMPARED` on inner folds 0 and 1,
    whose subjects are those of folds 0 to 3.
    """
    names, rows = ("clean", "unseen"), []
    for row in read_experiments():
        tried = (row.dataset, row.protocol, row.pretrained != "none") == (dataset, "inner", pretrained)
        if tried and has_results(row):
            about = {"method": label(row), "inner folds": f"{len(results.finished(row))} of {len(row.members)}"}
            scores = {name: in_cell(*_pooled(row, name), ".2%") for name in names}
            first = {name: right(row, weights).query("fold < 2")["score"].mean() for name, weights in COMPARED.items()}
            rows.append({**about, **scores, **{f"{name}, 0 and 1": percent(share) for name, share in first.items()}})
    return pd.DataFrame(rows, columns=["method", "inner folds", *names, *(f"{name}, 0 and 1" for name in COMPARED)])


def _pooled(experiment: Experiment, name: str) -> tuple[float, float, float]:
    frames = right(experiment, SCORES[name])
    return pooled("subject", frames, frames["score"])
