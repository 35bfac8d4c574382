"""What FER2013 teaches for CK+ in sentences and in rounded tables, from `transfer_results`."""

import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment
from fer_lib.findings import initialisations, recipe_results
from fer_lib.findings.robustness import SCORES, score
from fer_lib.findings.transfer_results import (
    AIMS,
    compared,
    directions,
    fine_tuned,
    heavily_covered,
    ladder,
    named,
    tuned,
)
from fer_lib.measures import transfer, twins
from fer_lib.measures.references import METHODS
from fer_lib.stats import cluster_interval
from fer_lib.words.naming import LONG_START
from fer_lib.words.rounding import gained, interval, intervals, percent, with_ends


def answer() -> str:
    """The page's findings in sentences."""
    fine, scratch = tuned(), recipe_results.strong("ckplus")
    table, voted = ladder().set_index("method"), recipe_results.by_sequence(fine)
    best = table.loc[named(fine)]
    aim = AIMS["clean accuracy"][2]
    lines = [
        f"- Fine-tuned from FER2013's weights, the small network is right on {with_ends(best)} of the frames of "
        f"people it has never seen ({best['members']:.0f} of {len(fine.members)} trainings, {best['people']:.0f} "
        f"people), by sequence, the probabilities of its frames averaged, on {with_ends(voted)}. Aimed for were "
        f"{percent(aim)} %: {'reached' if best['mean'] >= aim else 'not reached'}."
    ]
    lines += filter(None, [initialisations.in_words(fine)])
    words = {"clean": "on clear faces", "unseen": "under unseen occlusion"}
    for row in compared(fine, scratch).query("people == 'all' and score in @words").itertuples():
        lines.append(
            f"- Against the recipe from scratch, which takes {scratch.epochs} epochs, {words[row.score]}: "
            f"{gained(row)}, {row.n} {row.pairs}: {row.verdict}."
        )
    lines += [f"- {line}" for line in (*map(longer_in_short, fine_tuned(LONG_START)), heavy_in_short()) if line]
    features = table.loc[f"{transfer.TRAINED}, linear"], table.loc[f"{transfer.UNTRAINED}, linear"]
    lines.append(
        f"- A linear classifier on frozen features of FER2013's network of 150 epochs reaches "
        f"{with_ends(features[0])}, on those of an untrained network {with_ends(features[1])}, on gradient histograms "
        f"{with_ends(table.loc[METHODS[-1]])}."
    )
    for row in directions().itertuples():
        lines.append(
            f"- Without any training on the other data set, {row.direction}: {percent(row.mean)} % "
            f"[{interval(row.ci_low, row.ci_high)}] of {row.faces:,} faces of the {row.classes} classes that both "
            f"have; always saying the commonest would give {percent(row.commonest)} %."
        )
    return "\n".join(lines)


def longer_in_short(longer: Experiment) -> str:
    """What fine-tuning from the longer start gains over `tuned`, in a sentence."""
    more = compared(longer, tuned()).query("people == 'all'").set_index("score")
    clean, unseen = more.loc["clean"], more.loc["unseen"]
    return (
        f"From weights of 150 epochs on FER2013 (in larger batches) instead of 20 it gains {gained(clean)} on clear "
        f"faces, {clean['verdict']}, and {gained(unseen)} under unseen occlusion, {unseen['verdict']}."
    )


def heavy_in_short() -> str:
    """What the most robust of `heavily_covered` gains and loses, in a sentence; empty if none is trained."""
    heavy = _most_robust()
    if not heavy:
        return ""
    mixed = tuned(heavy.pretrained)
    more = compared(heavy, mixed).set_index(["people", "score"])
    imitated, other = (more.loc["all", f"unseen, {kind}"] for kind in ("imitated", "not imitated"))
    clear = [
        f"{gained(row)} (people: {people}), {row['verdict']}"
        for people, row in more.xs("clean", level="score").iterrows()
    ]
    return (
        f"Covered more heavily in training ({named(heavy)}, {heavy.epochs} epochs instead of {mixed.epochs}), it gains "
        f"{gained(imitated)} under the unseen kinds of occlusion that this imitates, {imitated['verdict']}, and "
        f"{gained(other)} under the others, {other['verdict']}; on clear faces {'; '.join(clear)}."
    )


def _most_robust() -> Experiment | None:
    """Of `heavily_covered` the one that reaches most under unseen occlusion."""
    return max(heavily_covered(), key=lambda row: score(row, SCORES["unseen"])[0], default=None)


def in_short() -> str:
    """What fine-tuning reaches, usual and under heavy occlusion, in a sentence; empty if the usual is not trained."""
    if not fine_tuned():
        return ""
    said = f"Fine-tuned from FER2013's weights it reaches {_reached(tuned())}"
    if heavy := _most_robust():
        said += (
            f"; with more of each face covered in that training, by kinds much like some of these, {_reached(heavy)} "
            f"({len(results.finished(heavy))} of {len(heavy.members)} trainings)"
        )
    return f"{said}."


def _reached(arm: Experiment) -> str:
    clear, unseen = (with_ends(score(arm, SCORES[name])) for name in ("clean", "unseen"))
    return f"{clear} and {unseen} under unseen occlusion"


def overlap() -> str:
    """Whether FER2013 shows faces of CK+, and what the fine-tuned networks reach on everybody else, in sentences."""
    table = transfer.read("likeness")
    seen, fine = table[table["similarity"] >= twins.NEAR], results.read(tuned(), "predictions.csv.gz")
    by_chance = int((table["mirrored"] >= twins.NEAR).sum())
    said = (
        f"Of {len(table)} frames of CK+ {len(seen)} have a near twin in FER2013 (similarity of {twins.NEAR} or more, "
        f"page *FER2013*), where mirrored, and so by chance, {by_chance} have one"
    )
    if seen.empty:
        return f"{said}: the median frame's most similar image there has {table['similarity'].median():.2f}."
    images = [f"row {one} ({usage})" for (one, usage), _ in seen.groupby(["nearest", "usage"])]
    people = sorted(seen["subject"].unique())
    others = cluster_interval(fine[~fine["subject"].isin(people)])
    return (
        f"{said}: they show {_listed(people)}, like {_listed(images)} there. The median frame's most similar "
        f"image there has {table['similarity'].median():.2f}. On everybody else the fine-tuned networks reach "
        f"{with_ends(others)}."
    )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def readable_ladder(table: pd.DataFrame) -> pd.DataFrame:
    """`ladder` in percent."""
    ends = intervals(table["ci_low"], table["ci_high"])
    shown = {"accuracy": table["mean"].map(percent), "95 % interval": ends, "macro F1": table["macro_f1"].map(percent)}
    n = [f"{row.members} members, {row.people} people" for row in table.itertuples()]
    return table[["method"]].assign(**shown, n=n)


def readable_directions(table: pd.DataFrame) -> pd.DataFrame:
    """`directions` in percent."""
    ends = intervals(table["ci_low"], table["ci_high"])
    shown = {"shared classes": table["classes"], "faces": table["faces"], "accuracy": table["mean"].map(percent)}
    shown |= {"95 % interval": ends, "if all classes may be said": table["free"].map(percent)}
    shown |= {"commonest class": table["commonest"].map(percent), "networks": table["n"]}
    return table[["direction"]].assign(**shown)
