"""What FER2013 teaches for CK+, and the other way round; from `results/` alone.

Fine-tuned: training on CK+ starts from the weights that the same network and recipe were trained to on FER2013. Under
`subject` people are resampled; the faces of FER2013 are resampled one by one.
"""

import numpy as np
import pandas as pd

from fer_lib import recipe_results, results, splits, transfer, twins
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.naming import LONG_START, USUAL_START, label
from fer_lib.occlusion_benchmark import SUITE
from fer_lib.references import METHODS
from fer_lib.robustness import SCORES, equally, gain, score
from fer_lib.stats import COMPARISON, cluster_interval, cluster_ratio
from fer_lib.tables import has_results, macro_f1, measured
from fer_lib.wording import gained, in_points, interval, paired, percent, with_ends

AIMS = recipe_results.AIMS | {"clean accuracy": (SCORES["clean"], None, 0.985)}
"""What was aimed for before the first fine-tuning; under occlusion as much as for the recipe itself."""

KEPT = [aim for aim in AIMS if aim.startswith("kept")]
"""The aims that are shares of the accuracy on clear faces."""

IMITATED = ("patches", "mouth", "lower")
"""The unseen kinds of occlusion that heavy occlusion is much like: its pieces the first, its wide rectangle the rest.
"""

APART = {f"{half} half": equally([one for one in SUITE if one.kind == half]) for half in ("upper", "lower")} | {
    "unseen, imitated": equally([one for one in SCORES["unseen"] if one.kind in IMITATED]),
    "unseen, not imitated": equally([one for one in SCORES["unseen"] if one.kind not in IMITATED]),
}
"""Scores that tell whether a training that covers one part of the face is robust where it covers another."""

ASKED = {"all": range(splits.FOLDS), "folds 4 to 9": recipe_results.BLIND}
"""Who is asked: everybody, and those without whom the recipe was chosen, and the rate of fine-tuning would be too."""


def tuned(start: str = USUAL_START) -> Experiment:
    """The networks fine-tuned from a row of FER2013 under `subject`. Raises ValueError if none is trained."""
    found = [row for row in _tuned() if row.pretrained == start and row.occlusion == "mixed"]
    if not found:
        raise ValueError(f"nothing was fine-tuned from {start} on ckplus under subject; train its row with 01_train")
    return found[0]


def from_longer() -> list[Experiment]:
    """Those fine-tuned, otherwise alike, from weights that were trained longer on FER2013."""
    return [row for row in _tuned() if row.pretrained == LONG_START and row.occlusion == "mixed"]


def heavily_covered() -> list[Experiment]:
    """Those fine-tuned under heavy occlusion, where there is the like under mixed occlusion to compare with."""
    starts = {row.pretrained for row in _tuned() if row.occlusion == "mixed"}
    return [row for row in _tuned() if row.occlusion == "heavy" and row.pretrained in starts]


def _tuned() -> list[Experiment]:
    rows = [row for row in read_experiments() if (row.dataset, row.protocol) == ("ckplus", "subject")]
    return [row for row in rows if row.pretrained != "none" and has_results(row)]


def ladder() -> pd.DataFrame:
    """Accuracy on people never seen, from what learns nothing of faces to what learns from both data sets.

    A row per method: method, mean, ci_low, ci_high, macro_f1, members (with the splits of a reference), people.
    """
    references = results.of_data_set("ckplus", "reference_predictions.csv.gz")
    references = references[references["protocol"] == "subject"]
    rows = [_row(name, references[references["method"] == name]) for name in METHODS[1:]]
    for (features, by), own in transfer.read("frozen").groupby(["features", "classifier"], sort=False):
        rows.append(_row(f"{features}, {by}", own))
    rows.sort(key=lambda row: row["mean"])
    plain = Experiment("softmax", dataset="ckplus", protocol="subject", loss="softmax")
    own = {label(row): row for row in measured("ckplus") if row.protocol == "subject"}
    fine = (tuned(), *from_longer(), *heavily_covered())
    for experiment in (own.get(label(plain)), recipe_results.strong("ckplus"), *fine):
        if experiment:
            rows.append(_row(named(experiment), results.read(experiment, "predictions.csv.gz")))
    return pd.DataFrame(rows)


def named(experiment: Experiment) -> str:
    """The experiment as this page calls it."""
    if experiment.pretrained != "none":
        longer = " of 150 epochs" * (experiment.pretrained == LONG_START)
        return f"strong recipe, from FER2013's weights{longer}{', heavy occlusion' * (experiment.occlusion == 'heavy')}"
    is_strong = experiment.recipe == "strong"
    slower = ", slower transformer" * (experiment.stn_lr_factor < 1)
    return "strong recipe, from scratch" if is_strong else f"the paper's network with {experiment.loss}{slower}"


def _row(name: str, predictions: pd.DataFrame) -> dict:
    mean, low, high = cluster_interval(predictions)
    counts = {"members": predictions.groupby(["seed", "fold"]).ngroups, "people": predictions["subject"].nunique()}
    return {"method": name, "mean": mean, "ci_low": low, "ci_high": high, "macro_f1": macro_f1(predictions), **counts}


def gains(first: Experiment, second: Experiment) -> pd.DataFrame:
    """What the first training gains over the second, paired by people over the members that both have.

    A row per group of people (`ASKED`) and score of `recipe_results.COMPARED` and `APART`: people, score, and the
    columns of `stats.COMPARISON`.
    """
    rows = [
        {"people": people, "score": name, **gain(first, second, weights, folds)}
        for people, folds in ASKED.items()
        for name, weights in (recipe_results.COMPARED | APART).items()
    ]
    table = pd.DataFrame(rows).query("n > 0")
    return table[["people", "score", *COMPARISON]]


def kept(experiments: list[Experiment]) -> pd.DataFrame:
    """`recipe_results.reached` for each experiment, the fine-tuned with this page's aims: method, then as there."""
    aims = {one: recipe_results.AIMS if one.pretrained == "none" else AIMS for one in experiments}
    found = {named(one): recipe_results.reached(one, wanted) for one, wanted in aims.items()}
    return pd.concat(found, names=["method"]).reset_index("method").reset_index(drop=True)


def directions() -> pd.DataFrame:
    """What the networks score on faces of the other data set without having seen one, a row per direction.

    Columns direction, n (networks), faces, people, classes, commonest (share of the commonest class), mean, ci_low,
    ci_high (among the shared classes), free (share right if every class that the network knows may be said).
    """
    rows = []
    for direction, own in transfer.read("zero_shot").groupby("direction", sort=False):
        unit = "subject" if (own["subject"] != "").all() else "frame_id"
        mean, low, high = cluster_ratio(own["label"] == own["prediction"], own[unit])
        rows.append(
            {
                "direction": direction,
                "n": own.groupby(["seed", "fold"]).ngroups,
                "faces": own["frame_id"].nunique(),
                "people": own["subject"].nunique() if unit == "subject" else np.nan,
                "classes": own["label"].nunique(),
                "commonest": own["label"].value_counts(normalize=True).iloc[0],
                "mean": mean,
                "ci_low": low,
                "ci_high": high,
                "free": (own["label"] == own["free"]).mean(),
            }
        )
    return pd.DataFrame(rows)


def zero_shot_confusions() -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
    """Direction -> answers by true (rows) and predicted shared class, all networks together; the classes."""
    found = {}
    for direction, own in transfer.read("zero_shot").groupby("direction", sort=False):
        classes = tuple(sorted(own["label"].unique()))
        counts = pd.crosstab(own["label"], own["prediction"])
        found[direction] = counts.reindex(index=classes, columns=classes, fill_value=0).to_numpy(), classes
    return found


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
    lines += filter(None, [recipe_results.between_initialisations(fine)])
    words = {"clean": "on clear faces", "unseen": "under unseen occlusion"}
    for row in gains(fine, scratch).query("people == 'all' and score in @words").itertuples():
        lines.append(
            f"- Against the recipe from scratch, which takes {scratch.epochs} epochs, {words[row.score]}: "
            f"{gained(row)}, {row.n} {row.pairs}: {row.verdict}."
        )
    lines += [f"- {line}" for line in all_in_short()[1:] if line]
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


def with_longer_start(longer: Experiment) -> str:
    """What one of `from_longer` keeps and gains over `tuned`, in sentences."""
    now, kept = _kept(longer, tuned())
    more = gains(longer, tuned()).query("people == 'all'").set_index("score")
    gained_there = [
        f"{words} {gained(more.loc[name])}, {more.loc[name, 'verdict']}"
        for name, words in {"clean": "on clear faces", "unseen": "under unseen occlusion"}.items()
    ]
    return (
        f"{_capital(named(longer))} instead of 20: right on {with_ends(now.loc['clean accuracy'])} of the clear "
        f"faces ({now['members'].iloc[0]} of {len(longer.members)} trainings); against fine-tuning from 20 "
        f"{'; '.join(gained_there)}. Of its own accuracy it keeps {kept}."
    )


def _kept(arm: Experiment, other: Experiment) -> tuple[pd.DataFrame, str]:
    """What an arm reaches, by aim; what it keeps under occlusion beside what the other does, in words."""
    before = recipe_results.reached(other, AIMS).set_index("aim")["mean"]
    now = recipe_results.reached(arm, AIMS).set_index("aim")
    kept = [f"{with_ends(now.loc[aim])} {aim.removeprefix('kept ')}, before {percent(before[aim])}" for aim in KEPT]
    return now, "; ".join(kept)


def with_heavy_occlusion(heavy: Experiment) -> str:
    """What one of `heavily_covered` keeps and gains over fine-tuning from there under mixed occlusion, in sentences."""
    fine = tuned(heavy.pretrained)
    now, kept = _kept(heavy, fine)
    more = gains(heavy, fine)
    clean = [
        f"{gained(row)} (people: {row.people}), {row.verdict}" for row in more.query("score == 'clean'").itertuples()
    ]
    everybody = more[more["people"] == "all"].set_index("score")
    covered = [
        f"{what} it gains {gained(everybody.loc[score])}, {everybody.loc[score, 'verdict']}"
        for score, what in {
            "unseen, imitated": "under the unseen kinds that it imitates (patches, mouth, lower half)",
            "unseen, not imitated": "under the others",
            "upper half": "with the upper half covered, which is one of these,",
        }.items()
    ]
    return (
        f"{_capital(named(heavy))} ({heavy.epochs} epochs): right on {with_ends(now.loc['clean accuracy'])} of the "
        f"clear faces ({now['members'].iloc[0]} of {len(heavy.members)} trainings); against fine-tuning from there "
        f"under mixed occlusion ({fine.epochs} epochs) {'; '.join(clean)}. Of its own accuracy it keeps {kept}. "
        f"It has learned what its training covered: {'; '.join(covered)}."
    )


def in_short() -> str:
    """What fine-tuning from the usual start reaches, in a sentence; empty if nothing was fine-tuned so."""
    if not any(row.pretrained == USUAL_START and row.occlusion == "mixed" for row in _tuned()):
        return ""
    fine = tuned()
    found = cluster_interval(results.read(fine, "predictions.csv.gz"))
    more = pd.Series(gain(fine, recipe_results.strong("ckplus"), SCORES["clean"]))
    return (
        f"Fine-tuned from FER2013, the strong recipe reaches {with_ends(found)} on new people: {gained(more)} over it "
        f"from scratch, {more['n']} {more['pairs']}, {more['verdict']}."
    )


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def all_in_short() -> list[str]:
    """What fine-tuning reaches, from the usual start, from a longer one and under heavy occlusion, a sentence each."""
    return [in_short(), *map(longer_in_short, from_longer() if in_short() else ()), heavy_in_short()]


def longer_in_short(longer: Experiment) -> str:
    """What one of `from_longer` gains over `tuned`, in a sentence."""
    more = gains(longer, tuned()).query("people == 'all'").set_index("score")
    clean, unseen = more.loc["clean"], more.loc["unseen"]
    return (
        f"From weights of 150 epochs on FER2013 (in larger batches) instead of 20 it gains {gained(clean)} on clear "
        f"faces, {clean['verdict']}, and {gained(unseen)} under unseen occlusion, {unseen['verdict']}."
    )


def heavy_in_short() -> str:
    """What the most robust of `heavily_covered` gains and loses, in a sentence; empty if none is trained."""
    heavy = max(heavily_covered(), key=lambda row: score(row, SCORES["unseen"])[0], default=None)
    if not heavy:
        return ""
    mixed = tuned(heavy.pretrained)
    more = gains(heavy, mixed).set_index(["people", "score"])
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


def readable_ladder(table: pd.DataFrame) -> pd.DataFrame:
    """`ladder` in percent."""
    ends = [interval(low, high) for low, high in zip(table["ci_low"], table["ci_high"], strict=True)]
    shown = {"accuracy": table["mean"].map(percent), "95 % interval": ends, "macro F1": table["macro_f1"].map(percent)}
    n = [f"{row.members} members, {row.people} people" for row in table.itertuples()]
    return table[["method"]].assign(**shown, n=n)


def readable_gains(table: pd.DataFrame) -> pd.DataFrame:
    """`gains` in points."""
    said, n = [in_points(row) for row in table.itertuples()], [paired(row) for row in table.itertuples()]
    return table[["people", "score"]].assign(gain=said, n=n, better=table["verdict"])


def readable_directions(table: pd.DataFrame) -> pd.DataFrame:
    """`directions` in percent."""
    ends = [interval(low, high) for low, high in zip(table["ci_low"], table["ci_high"], strict=True)]
    shown = {"shared classes": table["classes"], "faces": table["faces"], "accuracy": table["mean"].map(percent)}
    shown |= {"95 % interval": ends, "if all classes may be said": table["free"].map(percent)}
    shown |= {"commonest class": table["commonest"].map(percent), "networks": table["n"]}
    return table[["direction"]].assign(**shown)
