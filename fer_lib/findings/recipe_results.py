"""What the strong recipe reaches under `subject`, against what was aimed for, the paper's training, and itself changed.

Made from `results/` alone.
"""

import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.findings import initialisations
from fer_lib.findings.claims import LATE, difference, late
from fer_lib.findings.robustness import SCORES, equally, gain, right, score
from fer_lib.findings.tables import LOOKS, has_results, measured, of_one_kind, voted, with_sequences
from fer_lib.occlusion_benchmark import SUITE
from fer_lib.splits import FOLDS
from fer_lib.stats import COMPARISON, cluster_interval, cluster_ratio, pooled_gain
from fer_lib.words.naming import label, part
from fer_lib.words.rounding import gained, intervals, percent, points, with_ends
from fer_lib.words.wording import readable_comparisons

AIMS = {
    "clean accuracy": (SCORES["clean"], None, 0.96),
    "kept with 25 % covered by patches": (
        equally([one for one in SUITE if (one.kind, one.level) == ("patches", 0.25)]),
        SCORES["clean"],
        0.90,
    ),
    "kept with the mouth covered": (equally([one for one in SUITE if one.kind == "mouth"]), SCORES["clean"], 0.80),
    "kept with the eyes covered": (equally([one for one in SUITE if one.kind == "eyes"]), SCORES["clean"], 0.80),
}
"""What was aimed for before the first training: score, of which other score it is the share, and the aim."""

COMPARED = {
    "clean": SCORES["clean"],
    "unseen": SCORES["unseen"],
    "25 % patches": AIMS["kept with 25 % covered by patches"][0],
    "mouth": AIMS["kept with the mouth covered"][0],
    "eyes": AIMS["kept with the eyes covered"][0],
}
"""Scores in which trainings are compared."""

BLIND = range(4, FOLDS)
"""The folds of `subject` whose people were in no inner fold that was looked at before `recipe` was settled."""

GROUPS = {"all": range(FOLDS), "folds 4 to 9": BLIND}
"""Who is asked: everybody, and those without whom the recipe was chosen, and the rate of fine-tuning would be too."""

CAPTION = (
    "Protocol subject, pooled over the tested frames of all finished folds and initialisations; people are resampled, "
    "so what another initialisation would change is not in the interval."
)


def strong(dataset: str) -> Experiment:
    """The strong recipe with mixed occlusion, under `subject`. Raises ValueError if none of it is trained."""
    rows = _trained(dataset)
    if not rows:
        raise ValueError(f"the strong recipe was not trained on {dataset} under subject; train its row with 01_train")
    return rows[0]


def changed(dataset: str) -> list[Experiment]:
    """What else was trained by the strong recipe with mixed occlusion under `subject`: longer, say."""
    return _trained(dataset)[1:]


def _trained(dataset: str) -> list[Experiment]:
    """With the recipe's usual settings first, as `experiments.csv` lists them."""
    settings = ("strong", "subject", "mixed", "softmax", "none")
    rows = measured(dataset)
    return [row for row in rows if (row.recipe, row.protocol, row.occlusion, row.loss, row.pretrained) == settings]


def reached(experiment: Experiment, aims: dict = AIMS) -> pd.DataFrame:
    """One row per aim, given as `AIMS` are: aim, mean, ci_low, ci_high, wanted, members, people."""
    frames = right(experiment, SCORES["clean"])
    counts = {"members": frames.groupby(["seed", "fold"]).ngroups, "people": frames["subject"].nunique()}
    rows = []
    for aim, (weights, of, wanted) in aims.items():
        mean, low, high = score(experiment, weights, of)
        rows.append({"aim": aim, "mean": mean, "ci_low": low, "ci_high": high, "wanted": wanted, **counts})
    return pd.DataFrame(rows)


def by_sequence(experiment: Experiment) -> tuple[float, float, float]:
    """Accuracy by sequence, its frames' probabilities averaged within each member, and its interval over people."""
    return cluster_interval(voted(with_sequences(experiment), ["seed", "fold", "sequence"]))


def compared(first: Experiment, second: Experiment, scores: dict) -> pd.DataFrame:
    """What the first training gains over the second, paired by people over the members that both have.

    A row per group of people (`GROUPS`) and score: people, score, and the columns of `stats.COMPARISON`; a group that
    is everybody stands there once.
    """
    rows = [
        {"people": people, "score": name, **gain(first, second, weights, folds)}
        for people, folds in GROUPS.items()
        for name, weights in scores.items()
    ]
    return pd.DataFrame(rows).query("n > 0")[["people", "score", *COMPARISON]].drop_duplicates(["score", *COMPARISON])


def by_initialisation(first: Experiment, second: Experiment) -> pd.DataFrame:
    """What the first training gains over the second on clear faces, each initialisation alone, paired by people.

    A row per initialisation that both have: initialisation, and the columns of `stats.COMPARISON`.
    """
    key = ["seed", "fold", "frame_id", "subject"]
    both = right(first, SCORES["clean"]).merge(right(second, SCORES["clean"]), on=key)
    rows = []
    for seed, own in both.groupby("seed"):
        found = of_one_kind(pooled_gain(first.protocol, own, own["score_x"] - own["score_y"]), own, first, second)
        rows.append({"initialisation": seed, **found})
    return pd.DataFrame(rows, columns=["initialisation", *COMPARISON])


def over_the_paper(experiment: Experiment) -> pd.DataFrame:
    """What it gains over the paper's arms with the same loss, paired by people, over the members that both have.

    One row per arm and score (`clean`, `unseen`): label, score, the columns of `stats.COMPARISON`, and on clear faces
    of `claims.LATE`.
    """
    rows = []
    for arm in measured(experiment.dataset):
        same = (arm.protocol, arm.backbone, arm.loss) == ("subject", experiment.backbone, experiment.loss)
        if same and part(arm) in ("Table 2", "no occlusion"):
            found = {"clean": difference(experiment, arm), "unseen": gain(experiment, arm, SCORES["unseen"])}
            found["clean"] |= late(experiment, arm)
            rows += [{"label": label(arm), "score": name, **one} for name, one in found.items() if one["n"]]
    return pd.DataFrame(rows, columns=["label", "score", *COMPARISON, *LATE])


def readable_over(table: pd.DataFrame) -> pd.DataFrame:
    """`over_the_paper` in points."""
    late = [points(row.late, row.late_low, row.late_high) for row in table.itertuples()]
    shown = readable_comparisons(table, "label", "score").assign(**{f"last {LOOKS} watched": late})
    return shown.rename(columns={"label": "over"})


def inner_scores(dataset: str, pretrained: bool = False) -> pd.DataFrame:
    """What each setting that was tried, from scratch or from FER2013's weights, scores on its inner folds.

    Columns method, inner folds, clean and unseen with their ends, and each score of `COMPARED` on inner folds 0 and 1,
    whose people are those of folds 0 to 3.
    """
    names, rows = ("clean", "unseen"), []
    for row in read_experiments():
        tried = (row.dataset, row.protocol, row.pretrained != "none") == (dataset, "inner", pretrained)
        if tried and has_results(row):
            about = {"method": label(row), "inner folds": f"{len(results.finished(row))} of {len(row.members)}"}
            scores = {name: with_ends(_pooled(row, name)) for name in names}
            first = {name: right(row, weights).query("fold < 2")["score"].mean() for name, weights in COMPARED.items()}
            rows.append({**about, **scores, **{f"{name}, 0 and 1": percent(share) for name, share in first.items()}})
    return pd.DataFrame(rows, columns=["method", "inner folds", *names, *(f"{name}, 0 and 1" for name in COMPARED)])


def answer(experiment: Experiment) -> str:
    """What the recipe reaches, in sentences."""
    table = reached(experiment).set_index("aim")
    clean, kept = table.loc["clean accuracy"], table.loc["kept with 25 % covered by patches"]
    lines = [
        f"- On clear faces of people it has never seen, the strong recipe reaches {with_ends(clean)} "
        f"({clean['members']:.0f} of {len(experiment.members)} trainings, {clean['people']:.0f} people); "
        f"by sequence, the probabilities of its frames averaged, {with_ends(by_sequence(experiment))}.",
        f"- With a quarter of the face covered by random patches it keeps {with_ends(kept)} of that.",
    ]
    lines += filter(None, [initialisations.in_words(experiment)])
    lines += [f"- {said}" for said in [_on_blind_folds(experiment)] if said]
    for longer in filter(on_all_folds, changed(experiment.dataset)):
        row, clear = pd.Series(gain(longer, experiment, SCORES["clean"])), with_ends(score(longer, SCORES["clean"]))
        said = f"- In {longer.epochs} epochs instead of {experiment.epochs} it reaches {clear}, {gained(row)} more"
        n = f"{len(results.finished(longer))} trainings, {row['n']} {row['pairs']}"
        lines.append(f"{said} ({n}): {row['verdict']}. {_on_blind_folds(longer)}".rstrip())
    return "\n".join(lines)


def _on_blind_folds(experiment: Experiment) -> str:
    blind = right(experiment, SCORES["clean"]).query("fold in @BLIND")
    if experiment.dataset != "ckplus" or blind.empty:
        return ""
    only = with_ends(cluster_ratio(blind["score"], blind["subject"]))
    return f"On folds 4 to 9, whose people had no part in setting that, it reaches {only}."


def in_short(dataset: str) -> str:
    """What the strong recipe reaches, for as long as it was trained, in a sentence; empty if none of it is trained."""
    rows = _trained(dataset)
    if not rows:
        return ""
    shown = [rows[0], *(row for row in rows[1:] if on_all_folds(row))]
    reached = [[with_ends(score(row, SCORES[name])) for row in shown] for name in ("clean", "unseen")]
    clear, unseen = (
        [f"{said} in {row.epochs} epochs" for said, row in zip(own, shown, strict=True)] for own in reached
    )
    parts = [f" ({len(results.finished(row))} of {len(row.members)} trainings)" for row in shown]
    clear = " and ".join(said + part for said, part in zip(clear, parts, strict=True))
    return (
        f"The same network, trained as one would today, reaches {clear} on new people (aimed for: "
        f"{100 * AIMS['clean accuracy'][2]:g}), and under unseen occlusion {' and '.join(unseen)}."
    )


def on_all_folds(experiment: Experiment, table: str = "metrics.csv") -> bool:
    """Whether every fold of people is in a table: what was asked about other people is not compared."""
    return results.read(experiment, table)["fold"].nunique() >= experiment.folds


def readable_aims(table: pd.DataFrame) -> pd.DataFrame:
    """`reached` in percent, and whether the aim is met: by the whole interval, only by the mean, or not."""
    met = [
        "yes" if row.ci_low >= row.wanted else "by the mean" if row.mean >= row.wanted else "no"
        for row in table.itertuples()
    ]
    return pd.DataFrame(
        {
            "aim": table["aim"],
            "wanted": [f"{100 * x:g}" for x in table["wanted"]],
            "reached": [percent(x) for x in table["mean"]],
            "95 % interval": intervals(table["ci_low"], table["ci_high"]),
            "met": met,
            "n": [f"{row.members} members, {row.people} people" for row in table.itertuples()],
        }
    )


def _pooled(experiment: Experiment, name: str) -> tuple[float, float, float]:
    frames = right(experiment, SCORES[name])
    return cluster_ratio(frames["score"], frames["subject"])
