"""Transfer between FER2013 and CK+ in sentences and in rounded tables, from `transfer_results`."""

from dataclasses import replace

import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.findings import recipe_results
from fer_lib.findings.robustness import right, score
from fer_lib.findings.tables import has_results
from fer_lib.findings.transfer_results import (
    AIMS,
    CLASSIFIERS,
    FEATURES,
    compared,
    directions,
    fine_tuned,
    heavily_covered,
    ladder,
    tuned,
)
from fer_lib.measures import transfer, twins
from fer_lib.measures.references import METHODS
from fer_lib.occlusion_scores import SCORES
from fer_lib.stats import cluster_interval
from fer_lib.words import recipe_wording
from fer_lib.words.recipe_wording import headline
from fer_lib.words.rounding import briefly, intervals, judged, listed, members_and_subjects, percent, with_ends

RATE_ONLY = ", whose subjects were tested before only to choose the rate of fine-tuning"
"""What holds of the subjects of folds 4 to 9 here: all inner folds chose the rate, see page 11."""

MAY_LOSE = ["unseen, not imitated", "clean"]
"""The scores in which heavy occlusion may cost accuracy."""


def answer() -> str:
    """The page's findings, a bullet per way to use the other data set."""
    return "\n".join(
        f"- {bullet}"
        for bullet in (fine_tuned_in_short(), occluded_in_short(), features_in_short(), directions_in_short())
    )


def fine_tuned_in_short() -> str:
    """Whether fine-tuning reaches its aim, and what it gains over training from scratch."""
    over = _of_all(tuned(), recipe_results.strong("ckplus")).loc["clean"]
    return (
        f"{_aim()} Fine-tuned from FER2013's weights, the network reaches "
        f"{headline(tuned(), ' on unseen subjects', RATE_ONLY)}. Gain over training from scratch: {judged(over)}."
    )


def occluded_in_short() -> str:
    """What pretraining gains under unseen occlusion, and what heavy occlusion does."""
    gains = _of_all(tuned(), recipe_results.strong("ckplus"))
    unseen, noise, others = (gains.loc[one] for one in ("unseen", "salt and pepper", "unseen, no noise"))
    return (
        f"**Under unseen occlusion** pretraining gains {judged(unseen)}: {briefly(noise)} under salt-and-pepper noise "
        f"(picked for its size), {briefly(others)} under the other kinds. {heavy_in_short()}"
    ).strip()


def heavy_in_short() -> str:
    """What the most robust of `heavily_covered` gains and loses, and what longer training alone does; may be empty."""
    heavy = max(heavily_covered(), key=lambda arm: score(arm, SCORES["unseen"])[0], default=None)
    if not heavy:
        return ""
    mixed = tuned(heavy.pretrained)
    found = compared(heavy, mixed)
    gains, blind = (found[found["subjects"] == who].set_index("score") for who in ("all", "folds 4 to 9"))
    others, clear = (briefly(gains.loc[one]) for one in MAY_LOSE)
    kinds = [f"{kind} {100 * gains.loc[kind, 'difference']:+.2f}" for kind in ("upper half", "eyes", "salt and pepper")]
    untouched = [briefly(row) for _, row in blind.reindex(MAY_LOSE).dropna(how="all").iterrows()]
    return (
        f"Heavy occlusion for {heavy.epochs} epochs, instead of mixed for {mixed.epochs}, gains "
        f"{judged(gains.loc['unseen, imitated'])} under the kinds it imitates, {others} under the others "
        f"({', '.join(kinds)}) and {clear} on clear faces"
        f"{'; the last two on folds 4 to 9: ' * bool(untouched)}{' and '.join(untouched)}.{_longer_alone(heavy, mixed)}"
    )


def _longer_alone(heavy: Experiment, mixed: Experiment) -> str:
    """Unseen occlusion on inner folds 0 and 1 as in the test folds and with as long a training; empty if not run."""
    inner = [row for row in read_experiments() if row.protocol == "inner" and has_results(row)]
    reached = [
        percent(right(row, SCORES["unseen"]).query("fold < 2")["score"].mean())
        for arm in (mixed, replace(heavy, occlusion="mixed"), heavy)
        for row in inner
        if arm.is_like(row, protocol="inner")
    ]
    if len(reached) < 3:
        return ""
    short, longer, covered = reached
    return (
        f" What longer training alone gains, on inner folds 0 and 1 under unseen occlusion: mixed {short} % in "
        f"{mixed.epochs} epochs and {longer} % in {heavy.epochs}, heavy {covered} %."
    )


def _of_all(first: Experiment, second: Experiment) -> pd.DataFrame:
    """The rows of `compared` for all subjects, by score."""
    return compared(first, second).query("subjects == 'all'").set_index("score")


def features_in_short() -> str:
    """Accuracy of a linear classifier on frozen features of FER2013's network, and on other features."""
    table = ladder().set_index("method")
    trained, untrained = (
        with_ends(table.loc[f"{FEATURES[network]}, {CLASSIFIERS['linear']}"])
        for network in (transfer.TRAINED, transfer.UNTRAINED)
    )
    return (
        f"**Frozen features** of the FER2013 network with a linear classifier reach {trained}, those of an untrained "
        f"network {untrained}, {METHODS[-1]} {with_ends(table.loc[METHODS[-1]])}."
    )


def directions_in_short() -> str:
    """Zero-shot accuracy in both directions."""
    said = [
        f"{row.direction} {with_ends((row.mean, row.ci_low, row.ci_high))} ({row.faces:,} faces; majority class "
        f"{percent(row.commonest)} %)"
        for row in directions().itertuples()
    ]
    return f"**Zero-shot**, without further training, on the shared classes: {', '.join(said)}."


def in_short() -> str:
    """Whether fine-tuning reaches its aim, and zero-shot accuracy; empty if not trained."""
    if not fine_tuned():
        return ""
    accuracy = with_ends(score(tuned(), SCORES["clean"]))
    said = f"{_aim()} Fine-tuned from FER2013's weights, the network reaches {accuracy} on unseen subjects."
    return f"{said} {directions_in_short() if transfer.folder().exists() else ''}".strip().replace("**", "")


def _aim() -> str:
    aim = {"clean accuracy": AIMS["clean accuracy"]}
    met = recipe_wording.met(recipe_results.reached(tuned(), aim).iloc[0])
    return f"**Our aim of {100 * aim['clean accuracy'][2]:g} % is {recipe_wording.MET[met]}.**"


def overlap() -> str:
    """Whether FER2013 contains subjects of CK+, and the accuracy of the fine-tuned networks on all others."""
    table = transfer.read("likeness")
    seen, fine = table[table["similarity"] >= twins.NEAR], results.read(tuned(), "predictions.csv.gz")
    by_chance = int((table["mirrored"] >= twins.NEAR).sum())
    said = (
        f"Of {len(table)} CK+ frames, {len(seen)} have a near twin in FER2013 (similarity of at least {twins.NEAR}, "
        f"page *FER2013*). Among its mirrored images, which give the level of chance, {by_chance} have one. The "
        f"similarity to the most similar image has a median of {table['similarity'].median():.2f}."
    )
    if seen.empty:
        return said
    images = [f"row {one} ({usage})" for (one, usage), _ in seen.groupby(["nearest", "usage"])]
    subjects = sorted(seen["subject"].unique())
    others = cluster_interval(fine[~fine["subject"].isin(subjects)])
    return (
        f"{said} The frames with a near twin show {listed(subjects)}; the twins are {listed(images)}. On all other "
        f"subjects the fine-tuned networks reach {with_ends(others)}."
    )


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
    shown |= {"95 % interval": ends, "all classes allowed": table["free"].map(percent)}
    shown |= {"majority class": table["commonest"].map(percent), "networks": table["n"]}
    return table[["direction"]].assign(**shown)
