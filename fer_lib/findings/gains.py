"""What each part of the method gains, and of what goes beyond it.

Made from `results/` alone. Two networks that differ in the part are asked about the same faces, clear and occluded.
"""

from collections.abc import Sequence

import pandas as pd

from fer_lib.comparisons import COMPARISON, DECIDED, TWO_KINDS, holm
from fer_lib.experiments import Experiment
from fer_lib.findings import tables
from fer_lib.findings.claims import NOT_COLLAPSED, printed_gain
from fer_lib.findings.recipe_results import on_all_folds
from fer_lib.findings.robustness import ASKED, gain
from fer_lib.occlusion_scores import SCORES
from fer_lib.splits import LEAST_EXPOSED
from fer_lib.stats import LEVEL
from fer_lib.words.rounding import gained

OF_THE_PAPER = {
    "ResNet cut to 10 layers instead of 18": ("resnet10-softmax", "resnet18-softmax"),
    "spatial transformer (STN)": ("resnet10-softmax", "resnet10-softmax-plain"),
    "triplet loss instead of softmax": ("resnet10-triplet", "resnet10-softmax"),
    "triplet loss instead of softmax (slow STN)": ("resnet10-triplet-slow-stn", "resnet10-softmax-slow-stn"),
    "occlusion in training (softmax)": ("resnet10-softmax", "resnet10-softmax-no-occlusion"),
    "occlusion in training (triplet, slow STN)": (
        "resnet10-triplet-slow-stn",
        "resnet10-triplet-slow-stn-no-occlusion",
    ),
}
BEYOND = {
    "STN at a tenth of its rate": ("resnet10-softmax-slow-stn", "resnet10-softmax"),
    "triplet loss beside softmax (slow STN)": ("resnet10-joint", "resnet10-softmax-slow-stn"),
    "strong recipe": ("resnet10-strong", "resnet10-softmax"),
    "strong recipe in 100 epochs instead of 50": ("resnet10-strong-long", "resnet10-strong"),
    "start from FER2013's weights": ("resnet10-transfer", "resnet10-strong"),
    "FER2013's weights of 150 epochs instead of 20": ("resnet10-transfer-strong", "resnet10-transfer"),
    "heavy occlusion, 60 epochs (not mixed, 20)": ("resnet10-transfer-heavy", "resnet10-transfer"),
}
IN_STRONG = {
    "spatial transformer (strong recipe, slow STN)": ("resnet10-strong", "resnet10-strong-plain"),
    "mixed occlusion in training (strong recipe)": ("resnet10-strong", "resnet10-strong-no-occlusion"),
    "triplet loss instead of softmax (strong recipe)": ("resnet10-strong-triplet", "resnet10-strong"),
    "triplets balanced by emotion (strong recipe)": ("resnet10-strong-triplet-balanced", "resnet10-strong-triplet"),
}
PARTS = {"paper": OF_THE_PAPER, "beyond": BEYOND, "strong": IN_STRONG}
"""Part -> the row of `experiments.csv` that has it, and the row that differs from it in the part, after the protocol.

Slow STN: with a tenth of the transformer's rate, for at the full one triplet's can collapse.
"""

SLOW = "resnet10-triplet-slow-stn"
ABLATIONS = {
    "no STN": ("resnet10-triplet-plain", SLOW),
    "no STN (softmax, full STN rate)": ("resnet10-softmax-plain", "resnet10-softmax"),
    "warped and input face (dual path)": ("resnet10-triplet-dual", SLOW),
    "two-layer localisation head": ("resnet10-triplet-two-layer-head", SLOW),
    "cross-entropy beside triplet (joint)": ("resnet10-joint", SLOW),
    "batch-hard mining": ("resnet10-triplet-batch-hard", SLOW),
    "semi-hard mining": ("resnet10-triplet-semi-hard", SLOW),
    "embeddings on the unit sphere": ("resnet10-triplet-normalised", SLOW),
    "boosted trees instead of k-NN": ("resnet10-triplet-boosted-trees", SLOW),
    "logistic regression instead of k-NN": ("resnet10-triplet-logistic", SLOW),
}
"""Change to the proposed network -> the row that has it, and the row without it, after the protocol."""

SAID = {"supported": "What helps, in points", "contradicted": "What hurts"}

VERDICTS = (
    "Thick: 95 % interval over subjects (under other protocols over runs); thin: over what was trained apart: folds, "
    "or of other starts the trainings of both. A verdict needs both on one side of zero. No interval: in some runs the "
    "STN collapsed, and the next line leaves these runs out (two kinds of outcome; an arrow: left of the axis), or all "
    "runs gained the same, or there is only one."
)
ABLATED = (
    "Accuracy gained by each change, in points: the proposed network with a slow STN (in one row softmax at the full "
    f"rate), changed and unchanged, on the same test frames. {VERDICTS} Unseen: kinds of occlusion that no training "
    "shows. Verdicts are not corrected for multiple comparisons."
)


def caption(found: pd.DataFrame) -> str:
    """The caption of `gains_plots.picture` of `table`."""
    rule = "Above the rule the paper's parts, below it what goes beyond. " if found["whose"].nunique() > 1 else ""
    return (
        f"Accuracy gained by each part, in points: two networks that differ in it, on the same test frames. {rule}"
        f"{VERDICTS} Printed: under the paper's own split. Unseen: kinds of occlusion that no training shows; heavy "
        "occlusion imitates some of them, and its training is longer too (page Transfer). Slow STN: each STN compared "
        "has a tenth of the paper's rate. The strong recipe and a start from FER2013 have epochs and rates of their "
        "own. Verdicts are not corrected for multiple comparisons."
    )


def table(dataset: str, listed: dict = PARTS, protocols: Sequence[str] = LEAST_EXPOSED) -> pd.DataFrame:
    """A row per part and score of `ASKED`, under the first of the protocols of which there is any.

    listed: whose part it is -> the parts. Columns protocol, whose, part, asked, printed (NaN but on clear faces),
    `COMPARISON` and p_holm (p after Holm's correction for all rows).
    Only arms that were tested on all folds are compared. A part with two kinds of outcome stands there again without
    the collapsed runs, its name ending in `claims.NOT_COLLAPSED`.
    """
    arms = {arm.experiment: arm for arm in tables.measured(dataset) if on_all_folds(arm, "occluded_predictions.csv.gz")}
    for protocol in protocols:
        rows = []
        for whose, parts in listed.items():
            for part, names in parts.items():
                both = [arms.get(f"{protocol}-{name}") for name in names]
                if all(both):
                    about = {"protocol": protocol, "whose": whose, "part": part}
                    found = [{**about, **row} for row in _compared(*both) if row["n"]]
                    if any(row["verdict"] == TWO_KINDS for row in found):
                        about["part"] += NOT_COLLAPSED
                        found += [{**about, **row} for row in _compared(*both, without_collapsed=True) if row["n"]]
                    rows += found
        if rows:
            break
    found = pd.DataFrame(rows, columns=["protocol", "whose", "part", "asked", "printed", *COMPARISON])
    return found.assign(p_holm=holm(found["p"]))


def _compared(*both: Experiment, without_collapsed: bool = False) -> list[dict]:
    printed = {"clean": printed_gain(*both)}
    return [
        {"asked": name, "printed": printed.get(name)} | gain(*both, SCORES[name], without_collapsed=without_collapsed)
        for name in ASKED
    ]


def in_words(found: pd.DataFrame) -> str:
    """Which gains of the paper's parts, and of parts of the strong recipe, have a verdict, in points, and which have
    none; empty if not compared.

    A verdict that Holm's correction for all comparisons of `table` does not leave standing is marked, and so is another
    n than that of most.
    """
    n = found["n"].astype(str) + " " + found["pairs"].str.split(" (", regex=False).str[0]
    found = found.assign(stands=found["p_holm"] < 1 - LEVEL, units=n)
    own = found[found["whose"].isin(["paper", "strong"])]
    usual = max(own["units"].unique(), key=list(own["units"]).count, default="")
    lines = [f"{said}." for said in _by_verdict(own[own["whose"] == "paper"], usual)]
    strong = own[own["whose"] == "strong"].replace({"part": r" \(strong recipe.*\)$"}, "", regex=True)
    if said := "; ".join(one[0].lower() + one[1:] for one in _by_verdict(strong, usual)):
        lines.append(f"In the strong recipe: {said}.")
    lines += [f"n = {usual} where no other is named."] if usual else []
    return " ".join(lines)


def _by_verdict(own: pd.DataFrame, usual: str) -> list[str]:
    """The parts that help, that hurt and that have no verdict, in words; see `in_words`."""
    lines, decided = [], own[own["verdict"].isin(DECIDED)]
    for verdict in DECIDED:
        parts = [
            f"{part} {', '.join(_said(row, usual) for row in rows.itertuples())}"
            for part, rows in decided[decided["verdict"] == verdict].groupby("part", sort=False)
        ]
        lines += [f"{SAID[verdict]}: {'; '.join(parts)}"] if parts else []
    names = own["part"].str.removesuffix(NOT_COLLAPSED)
    undecided = names[~names.isin(decided["part"].str.removesuffix(NOT_COLLAPSED))].unique()
    return lines + ([f"No verdict on: {'; '.join(undecided)}"] if len(undecided) else [])


def _said(row, usual: str) -> str:
    limits = [f"n = {row.units}"] * (row.units != usual) + ["not after Holm's correction"] * (not row.stands)
    return f"{100 * row.difference:+.1f} {ASKED[row.asked]}" + (f" ({'; '.join(limits)})" if limits else "")


def in_full(found: pd.DataFrame) -> str:
    """What the picture shows, as its text alternative."""
    said = [f"{ASKED[row.asked]}, {row.part}: {gained(row)}, {row.verdict}" for row in found.itertuples()]
    return "; ".join(said)
