"""What the strong recipe reaches in sentences and in rounded tables, from `recipe_results`."""

import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.findings.recipe_results import (
    AIMS,
    BLIND,
    COMPARED,
    by_sequence,
    changed,
    on_all_folds,
    reached,
    trained,
)
from fer_lib.findings.robustness import SCORES, gain, right, score
from fer_lib.findings.tables import LOOKS, has_results
from fer_lib.stats import cluster_ratio
from fer_lib.words.naming import label
from fer_lib.words.rounding import gained, intervals, members_and_subjects, percent, points, with_ends
from fer_lib.words.wording import readable_comparisons


def answer(experiment: Experiment) -> str:
    """What the recipe reaches, in a paragraph for each length of its training."""
    table = reached(experiment).set_index("aim")
    clean, kept = table.loc["clean accuracy"], table.loc["kept with 25 % covered by patches"]
    paragraphs = [
        f"On clear faces of unseen subjects, the strong recipe reaches {with_ends(clean)} "
        f"({clean['members']:.0f} of {len(experiment.members)} runs, {clean['subjects']:.0f} subjects), by sequence "
        f"{with_ends(by_sequence(experiment))}. With a quarter of the face covered by random patches it keeps "
        f"{with_ends(kept)} of that. {_on_blind_folds(experiment)}"
    ]
    for longer in filter(on_all_folds, changed(experiment.dataset)):
        row, clear = pd.Series(gain(longer, experiment, SCORES["clean"])), with_ends(score(longer, SCORES["clean"]))
        paragraphs.append(
            f"In {longer.epochs} epochs instead of {experiment.epochs} it reaches {clear}, {gained(row)} more "
            f"({len(results.finished(longer))} runs, {row['n']} {row['pairs']}): {row['verdict']}. "
            f"{_on_blind_folds(longer)}"
        )
    return "\n\n".join(paragraph.rstrip() for paragraph in paragraphs)


def _on_blind_folds(experiment: Experiment) -> str:
    table = right(experiment, SCORES["clean"])
    blind = table[table["fold"].isin(BLIND)]
    if experiment.dataset != "ckplus" or blind.empty:
        return ""
    only = with_ends(cluster_ratio(blind["score"], blind["subject"]))
    return f"On folds 4 to 9, whose subjects had no part in choosing it, it reaches {only}."


def in_short(dataset: str) -> str:
    """What the strong recipe reaches, for as long as it was trained, in a sentence; empty if none of it is trained."""
    rows = trained(dataset)
    if not rows:
        return ""
    shown = [rows[0], *(row for row in rows[1:] if on_all_folds(row))]
    reached = [[with_ends(score(row, SCORES[name])) for row in shown] for name in ("clean", "unseen")]
    clear, unseen = (
        [f"{said} in {row.epochs} epochs" for said, row in zip(own, shown, strict=True)] for own in reached
    )
    parts = [f" ({len(results.finished(row))} of {len(row.members)} runs)" for row in shown]
    clear = " and ".join(said + part for said, part in zip(clear, parts, strict=True))
    return (
        f"The same network, trained as one would today, reaches {clear} on unseen subjects (aimed for: "
        f"{100 * AIMS['clean accuracy'][2]:g}), and under unseen occlusion {' and '.join(unseen)}."
    )


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
            "n": [members_and_subjects(row.members, row.subjects) for row in table.itertuples()],
        }
    )


def readable_over(table: pd.DataFrame) -> pd.DataFrame:
    """`over_the_paper` in points."""
    late = [points(row.late, row.late_low, row.late_high) for row in table.itertuples()]
    shown = readable_comparisons(table, "label", "score").assign(**{f"last {LOOKS} watched": late})
    return shown.rename(columns={"label": "over"})


def inner_scores(dataset: str, pretrained: bool = False) -> pd.DataFrame:
    """What each setting that was tried, from scratch or from FER2013's weights, scores on its inner folds.

    Columns method, inner folds, clean and unseen with their ends, and each score of `COMPARED` on inner folds 0 and 1,
    whose subjects are those of folds 0 to 3.
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


def _pooled(experiment: Experiment, name: str) -> tuple[float, float, float]:
    frames = right(experiment, SCORES[name])
    return cluster_ratio(frames["score"], frames["subject"])
