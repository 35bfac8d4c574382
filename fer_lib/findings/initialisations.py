"""How far the initialisations of one recipe differ under `subject`, and what their ensemble reaches.

Made from `results/` alone.
"""

from itertools import combinations

import pandas as pd

from fer_lib.comparisons import DECIDED, cluster_gain, verdict
from fer_lib.experiments import Experiment
from fer_lib.findings.robustness import right
from fer_lib.findings.tables import measured, voted, with_sequences
from fer_lib.occlusion_scores import SCORES
from fer_lib.stats import LEVEL, cluster_interval
from fer_lib.words.naming import label
from fer_lib.words.rounding import interval, percent, with_ends

TOGETHER = "ensemble"
"""Of all initialisations: their probabilities averaged."""


def reached(experiment: Experiment) -> pd.DataFrame:
    """Accuracy of each initialisation that was tested on all subjects, and of their ensemble.

    A row per network (asked: one initialisation, or `TOGETHER`), by frame and by sequence: asked, by, mean, ci_low,
    ci_high. Empty if fewer than two were tested on all subjects.
    """
    table, rows = _whole_passes(experiment), []
    for unit, by in {"frame": ["frame_id"], "sequence": ["sequence"]}.items():
        asked = {f"initialisation {seed}": voted(own, by) for seed, own in table.groupby("seed")}
        asked |= {TOGETHER: voted(table, by)} if asked else {}
        rows += [(name, unit, *cluster_interval(own, *by)) for name, own in asked.items()]
    return pd.DataFrame(rows, columns=["asked", "by", "mean", "ci_low", "ci_high"])


def apart(experiment: Experiment) -> str:
    """Accuracy by frame of the initialisations, each tested on all subjects, in brackets; empty with fewer than two."""
    found = reached(experiment).query("by == 'frame' and asked != @TOGETHER")
    if found.empty:
        return ""
    return f" ({len(found)} initialisations: {', '.join(percent(mean) for mean in found['mean'])} %)"


def ensemble(experiment: Experiment) -> str:
    """What the ensemble of the initialisations, each tested on all subjects, reaches; empty with fewer than two."""
    found = reached(experiment).query("by == 'frame'").set_index("asked")
    return f"ensemble of {len(found) - 1} initialisations: {with_ends(found.loc[TOGETHER])}" if len(found) else ""


def _whole_passes(experiment: Experiment) -> pd.DataFrame:
    """The predictions of the initialisations that have all folds; of none where that is only one."""
    table = with_sequences(experiment)
    whole = table.groupby("seed")["fold"].nunique().loc[lambda folds: folds == experiment.folds].index
    return table[table["seed"].isin(whole if len(whole) > 1 else [])]


def gain_together(experiment: Experiment) -> dict[str, float]:
    """Gain of the ensemble over one initialisation on average, paired by subjects: `cluster_gain`."""
    table = _whole_passes(experiment)
    alone = (table["prediction"] == table["label"]).groupby(table["frame_id"]).mean()
    together = voted(table, ["frame_id"]).set_index("frame_id")
    right = together["prediction"] == together["label"]
    return cluster_gain(right - alone, together["subject"])


def same_recipe(experiment: Experiment, folds: int) -> pd.DataFrame:
    """Comparisons of two initialisations of one recipe, on every choice of so many folds: neither is the better one.

    A row per score (`clean`, `unseen`), pair of initialisations that were tested on all subjects, and folds: score,
    first, second, folds, the columns of `cluster_gain`, and alone: the verdict of the interval over subjects alone.
    """
    seeds, rows = sorted(_whole_passes(experiment)["seed"].unique()), []
    for name in ("clean", "unseen") if seeds else ():
        table = right(experiment, SCORES[name])
        wide = table.pivot_table(index=["fold", "subject", "frame_id"], columns="seed", values="score").reset_index()
        for first, second in combinations(seeds, 2):
            for chosen in combinations(range(experiment.folds), folds):
                own = wide[wide["fold"].isin(chosen)]
                found = cluster_gain(own[first] - own[second], own["subject"], own["fold"])
                alone = verdict((found["ci_low"], found["ci_high"]))
                rows.append({"score": name, "first": first, "second": second, "folds": chosen, **found, "alone": alone})
    return pd.DataFrame(rows)


def same_recipe_in_words(table: pd.DataFrame) -> str:
    """How often `same_recipe` finds a difference, and how large one may look, in sentences; empty without a row."""
    if table.empty:
        return ""
    alone, both = (table[column].isin(DECIDED).sum() for column in ("alone", "verdict"))
    most = table["difference"].abs().groupby(table["score"]).max()
    count, folds = len(table), len(table["folds"].iloc[0])
    return (
        f"On {folds} folds, two initialisations differ by up to {100 * most['clean']:.1f} points on clear faces and "
        f"{100 * most['unseen']:.1f} under unseen occlusion. The interval over subjects alone finds a difference in "
        f"{alone} of {count} comparisons, both intervals together in {both}."
    )


def same_settings(dataset: str) -> pd.DataFrame:
    """`same_recipe` on all folds for each setting under `subject` of which it can be asked, its label in `method`."""
    asked = {label(row): same_recipe(row, row.folds) for row in measured(dataset) if row.protocol == "subject"}
    found = [table.assign(method=name) for name, table in asked.items() if len(table)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def readable_settings(table: pd.DataFrame) -> pd.DataFrame:
    """`same_settings` in points, a row per setting: how many pairs, their largest differences, how many are found."""
    rows = []
    for method, own in table.groupby("method", sort=False):
        by_score = own["difference"].abs().groupby(own["score"]).max()
        most = {f"largest difference, {score}": f"{100 * by_score[score]:.2f}" for score in ("clean", "unseen")}
        found = own["verdict"].isin(DECIDED).sum()
        rows.append({"setting": method, "pairs": len(own) // 2, **most, "found": f"{found} of {len(own)}"})
    return pd.DataFrame(rows)


def found_by_chance(dataset: str) -> str:
    """In how many comparisons of a setting with itself both intervals find a difference; empty without a comparison."""
    table = same_settings(dataset)
    if table.empty:
        return ""
    found = table["verdict"].isin(DECIDED).sum()
    return (
        f"Two initialisations of one setting, compared in the same way, get a verdict in {found} of {len(table)} "
        f"comparisons; 95 % intervals let one expect about {(1 - LEVEL) * len(table):.0f} (page A stronger recipe)."
    )


def in_words(experiment: Experiment) -> str:
    """How far the initialisations differ and what their ensemble reaches; empty if there are not two."""
    table = reached(experiment).query("by == 'frame'").set_index("asked")
    if table.empty:
        return ""
    together, alone = table.loc[TOGETHER], table["mean"].drop(TOGETHER)
    found = gain_together(experiment)
    return (
        f"The {len(alone)} initialisations reach {percent(alone.min())} to {percent(alone.max())} %. Their ensemble "
        f"reaches {with_ends(together)}, {100 * found['difference']:+.2f} points "
        f"[{interval(found['ci_low'], found['ci_high'], '+')}] over one initialisation on average "
        f"({found['n']} subjects)."
    )


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`reached` in percent, a row per network."""
    said = [with_ends((row.mean, row.ci_low, row.ci_high)) for row in table.itertuples()]
    shown = table.assign(said=said).pivot(index="asked", columns="by", values="said").loc[table["asked"].unique()]
    return shown.rename(columns="by {}".format).rename_axis(index="network", columns=None).reset_index()
