"""What covering a part of the face costs, in a sentence and in a rounded table."""

import pandas as pd

from fer_lib import results
from fer_lib.findings import followed, robustness
from fer_lib.occlusion_benchmark import CLEAN, TARGETED
from fer_lib.occlusion_scores import of_kind, weighed
from fer_lib.words.naming import label
from fer_lib.words.rounding import in_cell, percent, with_ends

PARTS = {"eyes": "eyes", "mouth": "mouth"} | {kind: f"{kind} half" for kind in ("upper", "lower", "left", "right")}
"""Cover -> the part of the face that it hides."""


def what_breaks_it(dataset: str) -> str:
    """The kinds of occlusion that cost the followed network most and least, and the emotion that the worst costs most.

    Under the least exposed protocol; without the targeted occlusions.
    """
    arm = followed.few(next(iter(robustness.by_protocol(robustness.arms(dataset)).values())))[0]
    kinds = robustness.by_kind(arm).set_index("kind").drop(["none", TARGETED[0].kind])
    worst, best = kinds["mean"].idxmin(), kinds["mean"].idxmax()
    share = {kind: f"{100 * robustness.covered(arm, of_kind(kind)):.0f} % of the face" for kind in (worst, best)}
    lowest, highest = (f"{_covered(kind)}, {with_ends(kinds.loc[kind])} ({share[kind]})" for kind in (worst, best))
    answers = results.read(arm, "occluded_predictions.csv.gz")
    emotions = answers["label"].map(dict(enumerate(results.class_names(arm))))
    clear, covered = (weighed(answers, one).groupby(emotions).mean() for one in ({CLEAN: 1.0}, of_kind(worst)))
    emotion = (clear - covered).idxmax()
    return (
        f"Of the kinds of occlusion, each over its severities and fills, protocol {arm.protocol}, {label(arm)} is "
        f"right least often {lowest}, and most often {highest}. {_covered(worst).capitalize()} it loses most recall "
        f"on {emotion}: from {percent(clear[emotion])} to {percent(covered[emotion])} % of "
        f"{(emotions == emotion).sum()} predictions (picked for its size)."
    )


def _covered(kind: str) -> str:
    return f"with the {PARTS[kind]} covered" if kind in PARTS else f"under the kind {kind}"


def readable_levels(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """`robustness.by_level` of each network in percent, a column each: name -> table."""
    first = next(iter(tables.values()))
    shown = {"occlusion": first["occlusion"] + first["seen"].map({True: " (seen)", False: ""})}
    for name, table in tables.items():
        shown[name] = [in_cell(row.mean, row.ci_low, row.ci_high, ".1%") for row in table.itertuples()]
    return pd.DataFrame(shown)
