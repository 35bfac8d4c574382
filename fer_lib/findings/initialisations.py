"""How far the initialisations of one recipe differ under `subject`, and what their ensemble reaches.

Made from `results/` alone.
"""

from itertools import combinations

import pandas as pd

from fer_lib.comparisons import DECIDED, cluster_gain
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


def same_settings(dataset: str) -> pd.DataFrame:
    """Comparisons of two initialisations of one setting under `subject`: neither is the better one.

    A row per setting, score (`clean`, `unseen`) and pair of initialisations that were tested on all subjects: method
    (its label), score, first, second and the columns of `cluster_gain`.
    """
    rows = []
    for experiment in (row for row in measured(dataset) if row.protocol == "subject"):
        seeds = sorted(_whole_passes(experiment)["seed"].unique())
        for name in ("clean", "unseen") if seeds else ():
            table = right(experiment, SCORES[name])
            wide = table.pivot_table(index=["fold", "subject", "frame_id"], columns="seed", values="score")
            subjects, folds = (wide.index.get_level_values(level) for level in ("subject", "fold"))
            for first, second in combinations(seeds, 2):
                found = cluster_gain(wide[first] - wide[second], subjects, folds)
                rows.append({"method": label(experiment), "score": name, "first": first, "second": second, **found})
    return pd.DataFrame(rows)


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
        f"comparisons; 95 % intervals let one expect at most {(1 - LEVEL) * len(table):.1f} (page A stronger recipe)."
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
