"""What FER2013 teaches for CK+ in sentences and in rounded tables, from `transfer_results`."""

import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment
from fer_lib.findings import recipe_results
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
from fer_lib.words.rounding import intervals, members_and_subjects, percent, with_ends


def answer() -> str:
    """The page's findings in a few sentences, a paragraph for each way to use the other data set."""
    fine, scratch = tuned(), recipe_results.strong("ckplus")
    best, aim = ladder().set_index("method").loc[named(fine)], AIMS["clean accuracy"][2]
    gained_over = compared(fine, scratch).query("subjects == 'all'").set_index("score")
    tuning = [
        f"**Fine-tuned from FER2013's weights**, the small network is right on {with_ends(best)} of the frames of "
        f"unseen subjects ({best['members']:.0f} of {len(fine.members)} runs, {best['subjects']:.0f} "
        f"subjects), by sequence on {with_ends(recipe_results.by_sequence(fine))}. The aim was {percent(aim)} %: "
        f"{'reached' if best['mean'] >= aim else 'not reached'}. Over training from scratch it gains "
        f"{_judged(gained_over.loc['clean'])} on clear faces and {_judged(gained_over.loc['unseen'])} under unseen "
        "occlusion.",
        *map(longer_in_short, fine_tuned(LONG_START)),
        heavy_in_short(),
    ]
    return "\n\n".join([" ".join(filter(None, tuning)), features_in_short(), directions_in_short()])


def _judged(row: pd.Series) -> str:
    """A row of `compared` in points and its verdict: the tables have its intervals."""
    return f"{100 * row['difference']:+.2f} points ({row['verdict']})"


def longer_in_short(longer: Experiment) -> str:
    """What fine-tuning from the longer start gains over `tuned`, in a sentence."""
    more = compared(longer, tuned()).query("subjects == 'all'").set_index("score")
    return (
        f"Weights of 150 epochs on FER2013 instead of 20 add {_judged(more.loc['clean'])} on clear faces and "
        f"{_judged(more.loc['unseen'])} under unseen occlusion."
    )


def heavy_in_short() -> str:
    """What the most robust of `heavily_covered` gains and loses, in a sentence; empty if none is trained."""
    heavy = _most_robust()
    if not heavy:
        return ""
    mixed = tuned(heavy.pretrained)
    more = compared(heavy, mixed).set_index(["subjects", "score"])
    imitated, other = (more.loc["all", f"unseen, {kind}"] for kind in ("imitated", "not imitated"))
    clear = [f"{_judged(row)} for {subjects}" for subjects, row in more.xs("clean", level="score").iterrows()]
    return (
        f"Covering more of each face in training, for {heavy.epochs} epochs instead of {mixed.epochs}, adds "
        f"{_judged(imitated)} under the unseen occlusion that this imitates and {_judged(other)} under the other; on "
        f"clear faces {' and '.join(clear)}."
    )


def features_in_short() -> str:
    """What a linear classifier makes of the features of FER2013's network, and of others, in a sentence."""
    table = ladder().set_index("method")
    trained, untrained = (
        with_ends(table.loc[f"{network}, linear"]) for network in (transfer.TRAINED, transfer.UNTRAINED)
    )
    return (
        f"**Its features as they are**, under a linear classifier, reach {trained}, those of an untrained network "
        f"{untrained}, gradient histograms {with_ends(table.loc[METHODS[-1]])}."
    )


def directions_in_short() -> str:
    """What networks say of the other data set's faces without any training on them, in a sentence."""
    said = [
        f"{row.direction} {with_ends((row.mean, row.ci_low, row.ci_high))} of {row.faces:,} faces (always saying the "
        f"commonest of the {row.classes} shared classes: {percent(row.commonest)} %)"
        for row in directions().itertuples()
    ]
    return f"**Asked about the other data set at once**: {'; '.join(said)}."


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
            f"({len(results.finished(heavy))} of {len(heavy.members)} runs)"
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
    subjects = sorted(seen["subject"].unique())
    others = cluster_interval(fine[~fine["subject"].isin(subjects)])
    return (
        f"{said}: they show {_listed(subjects)}, like {_listed(images)} there. The median frame's most similar "
        f"image there has {table['similarity'].median():.2f}. On everybody else the fine-tuned networks reach "
        f"{with_ends(others)}."
    )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def readable_ladder(table: pd.DataFrame) -> pd.DataFrame:
    """`ladder` in percent."""
    ends = intervals(table["ci_low"], table["ci_high"])
    shown = {"accuracy": table["mean"].map(percent), "95 % interval": ends, "macro F1": table["macro_f1"].map(percent)}
    n = [members_and_subjects(row.members, row.subjects) for row in table.itertuples()]
    return table[["method"]].assign(**shown, n=n)


def readable_directions(table: pd.DataFrame) -> pd.DataFrame:
    """`directions` in percent."""
    ends = intervals(table["ci_low"], table["ci_high"])
    shown = {"shared classes": table["classes"], "faces": table["faces"], "accuracy": table["mean"].map(percent)}
    shown |= {"95 % interval": ends, "if all classes may be said": table["free"].map(percent)}
    shown |= {"commonest class": table["commonest"].map(percent), "networks": table["n"]}
    return table[["direction"]].assign(**shown)
