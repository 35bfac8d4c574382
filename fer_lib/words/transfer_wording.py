"""Transfer between FER2013 and CK+ in sentences and in rounded tables, from `transfer_results`."""

from collections.abc import Callable

import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment
from fer_lib.findings import recipe_results
from fer_lib.findings.robustness import score
from fer_lib.findings.transfer_results import (
    AIMS,
    CLASSIFIERS,
    FEATURES,
    KINDS,
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
from fer_lib.occlusion_scores import SCORES
from fer_lib.stats import cluster_interval
from fer_lib.words import recipe_wording
from fer_lib.words.naming import LONG_START
from fer_lib.words.recipe_wording import headline, on_blind_folds, runs
from fer_lib.words.rounding import briefly, intervals, judged, listed, members_and_subjects, percent, with_ends

RATE_ONLY = ", whose subjects were tested before only to choose the rate of fine-tuning"
"""What holds of the subjects of folds 4 to 9 here: all inner folds chose the rate, see page 11."""


def answer() -> str:
    """The page's findings, a bullet per way to use the other data set."""
    return "\n".join(
        f"- {bullet}"
        for bullet in (fine_tuned_in_short(), occluded_in_short(), features_in_short(), directions_in_short())
    )


def fine_tuned_in_short() -> str:
    """Whether fine-tuning reaches its aim, and what it gains over training from scratch."""
    fine, aim = tuned(), AIMS["clean accuracy"][2]
    over = _of_all(fine, recipe_results.strong("ckplus")).loc["clean"]
    met = recipe_wording.met(recipe_results.reached(fine, {"clean accuracy": AIMS["clean accuracy"]}).iloc[0])
    return (
        f"**The aim of {100 * aim:g} % is {recipe_wording.MET[met]}.** Fine-tuned from FER2013's weights, "
        f"the network reaches {headline(fine, ' on unseen subjects', RATE_ONLY)}, "
        f"{with_ends(recipe_results.by_sequence(fine))} by sequence. Gain over training from scratch: {judged(over)}."
    )


def occluded_in_short() -> str:
    """What pretraining gains under unseen occlusion, and what the most robust of `heavily_covered` gains and loses."""
    pretrained = _of_all(tuned(), recipe_results.strong("ckplus"))
    said = f"**Under unseen occlusion** pretraining gains {judged(pretrained.loc['unseen'])}; {_from_to(pretrained)}."
    heavy = max(heavily_covered(), key=_unseen, default=None)
    if not heavy:
        return said
    mixed = tuned(heavy.pretrained)
    more = compared(heavy, mixed).set_index(["subjects", "score"])
    clear = [
        f"{briefly(row)} over {subjects.replace('all', 'all folds')}"
        for subjects, row in more.xs("clean", level="score").iterrows()
    ]
    return (
        f"{said} Heavy occlusion in training, for {heavy.epochs} epochs instead of {mixed.epochs}, gains "
        f"{_with_blind(more, 'unseen, imitated', judged)} under the kinds it imitates and "
        f"{_with_blind(more, 'unseen, not imitated', briefly)} under the others; {_from_to(more.loc['all'])}. "
        f"On clear faces it gains {' and '.join(clear)}."
    )


def _from_to(compared: pd.DataFrame) -> str:
    """The smallest and the largest gain under one kind of occlusion, of rows of `compared` indexed by score."""
    gains = compared.loc[list(KINDS), "difference"]
    said = [
        f"{100 * gains[kind]:+.2f} points ({kind}; {compared.loc[kind, 'verdict']})"
        for kind in (gains.idxmin(), gains.idxmax())
    ]
    return f"of single kinds from {' to '.join(said)}, picked for their size"


def _with_blind(compared: pd.DataFrame, score: str, judged: Callable[[pd.Series], str]) -> str:
    """A row of `compared`, indexed by subjects and score, and within its brackets folds 4 to 9 where these differ."""
    said, blind = judged(compared.loc["all", score]), compared[compared.index == ("folds 4 to 9", score)]
    for _, row in blind.iterrows():
        said = f"{said.removesuffix(')')}; folds 4 to 9: {100 * row['difference']:+.2f}, {row['verdict']})"
    return said


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
    return f"**Zero-shot**, on the shared classes: {', '.join(said)}."


def _unseen(arm: Experiment) -> float:
    return score(arm, SCORES["unseen"])[0]


def in_short() -> str:
    """What fine-tuning reaches, and the highest score under unseen occlusion; empty if the usual is not trained."""
    if not fine_tuned():
        return ""
    fine, best = tuned(), max([tuned(), *fine_tuned(LONG_START), *heavily_covered()], key=_unseen)
    imitated = ""
    if best in heavily_covered():
        mixed = _of_all(best, tuned(best.pretrained))
        imitated = (
            ", by a network whose training imitates some of these kinds. Over mixed occlusion it gains "
            f"{briefly(mixed.loc['unseen, imitated'])} under these and {briefly(mixed.loc['unseen, not imitated'])} "
            "under the others"
        )
    clear, unseen = (
        "; ".join(filter(None, [runs(arm), blind and f"folds 4 to 9{subjects}: {blind}"]))
        for arm, blind, subjects in (
            (fine, on_blind_folds(fine), RATE_ONLY),
            (best, on_blind_folds(best, "unseen"), ""),
        )
    )
    over = _of_all(fine, recipe_results.strong("ckplus")).loc["clean"]
    return (
        f"Fine-tuned from FER2013's weights, it reaches {with_ends(score(fine, SCORES['clean']))} ({clear}), "
        f"{judged(over)} over training from scratch. Our aim was {100 * AIMS['clean accuracy'][2]:g} %. The highest "
        f"accuracy of a fine-tuned network under unseen occlusion is {with_ends(score(best, SCORES['unseen']))} "
        f"({unseen}){imitated}."
    )


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


def readable_best(table: pd.DataFrame) -> pd.DataFrame:
    """The fine-tuned network that comes closest to each aim, in percent; table: `transfer_results.kept`."""
    best = _best(table)
    shown = recipe_wording.readable_aims(best)
    shown.insert(2, "best network", best["method"].to_list())
    return shown


def met_by_the_mean(table: pd.DataFrame) -> str:
    """Which aims the best network meets by its mean alone, and its accuracy on clear faces; empty if none.

    table: `transfer_results.kept`.
    """
    clear, said = table[table["aim"] == "clean accuracy"].set_index("method"), []
    costs = {named(arm): compared(arm, tuned(arm.pretrained)) for arm in heavily_covered()}
    for _, row in _best(table).iterrows():
        if recipe_wording.met(row) != "by the mean":
            continue
        cost = costs.get(row["method"], pd.DataFrame(columns=["subjects", "score"]))
        cost = cost.query("subjects == 'all' and score == 'clean'")
        against = [f", {judged(found)} against mixed occlusion from the same start" for _, found in cost.iterrows()]
        said.append(
            f"{row['aim'][0].upper()}{row['aim'][1:]}: only the mean, {with_ends(row)}, reaches the aim "
            f"of {100 * row['wanted']:g} %, not the whole interval "
            f"({members_and_subjects(row['members'], row['subjects'])}). The network, {row['method']}, reaches "
            f"{with_ends(clear.loc[row['method']])} on clear faces{''.join(against)}."
        )
    return " ".join(said)


def _best(table: pd.DataFrame) -> pd.DataFrame:
    tuned_alone = table[table["method"] != named(recipe_results.strong("ckplus"))]
    return tuned_alone.loc[tuned_alone.groupby("aim", sort=False)["mean"].idxmax()]


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
