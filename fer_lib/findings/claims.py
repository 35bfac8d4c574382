"""Paired comparisons on the same splits: the paper's claims, and networks against simple reference methods."""

from dataclasses import dataclass

import pandas as pd

from fer_lib import paths, results
from fer_lib.comparisons import COMPARISON, TWO_KINDS, paired_difference
from fer_lib.experiments import SOFTMAX, Experiment
from fer_lib.findings.robustness import gain
from fer_lib.findings.tables import (
    compared,
    late_accuracy,
    measured,
    members_used,
    not_collapsed,
    occluded,
    of_one_kind,
)
from fer_lib.measures.references import METHODS
from fer_lib.occlusion_scores import SCORES
from fer_lib.stats import RESAMPLED
from fer_lib.words.naming import label, part, published


@dataclass(frozen=True)
class Claim:
    """The claim that one arm is better than another.

    better: parameters of the better arm; worse: parameters of the other that replace them. covered: compare on test
    frames under the paper's occlusion instead of clean ones.
    """

    words: str
    better: dict
    worse: dict
    covered: bool = False


TRIPLET = {"backbone": "resnet10", "input_path": "stn", "loss": "triplet", "mining": "random", "normalise": False}
"""The paper's triplet loss; other readings of it are ablations."""

CLAIMS = (
    Claim("the cut ResNet beats ResNet-18", {"backbone": "resnet10", "loss": "softmax"}, {"backbone": "resnet18"}),
    Claim("triplet loss beats softmax", TRIPLET, SOFTMAX),
    Claim(
        "triplet loss with a slow STN beats softmax at the full STN rate",
        TRIPLET | {"stn_lr_factor": 0.1},
        SOFTMAX | {"stn_lr_factor": 1.0},
    ),
    Claim("training with occlusion helps on clear faces", {"occlusion": "rectangle"}, {"occlusion": "none"}),
    Claim(
        "training with occlusion helps on faces occluded as in training",
        {"occlusion": "rectangle"},
        {"occlusion": "none"},
        covered=True,
    ),
)
"""Claims of sections 3 and 4 of Kim et al. 2022; for occlusion they mention a comparison without numbers."""

NOT_COLLAPSED = ", collapsed runs left out"
"""What ends a claim that is compared without the collapsed runs."""

LATE = ("late", "late_low", "late_high", "late_verdict")
"""Columns of `late`."""


def claims_table(dataset: str, claims: tuple[Claim, ...] = CLAIMS) -> pd.DataFrame:
    """One row per claim (default: the paper's) and pair of arms that share splits.

    Under `subject` intervals resample subjects, n counts them, and the test exchanges the arms within a subject;
    `usage` does the same with images; under the other protocols the difference is paired by member. `verdict` is that
    of `comparisons`, or `TWO_KINDS` without interval and p, since the mean then mixes two kinds of outcome. The next
    row is then the same without the collapsed runs, if any are left, its claim ending in `NOT_COLLAPSED`. The columns
    `LATE` are NaN on occluded faces, which are not evaluated during training.
    """
    rows = []
    for claim in claims:
        for better, worse in pairs(dataset, claim):
            pair = {"claim": claim.words, "protocol": better.protocol, "better": label(better)}
            found = difference(better, worse, claim.covered)
            if not found["n"]:
                continue
            pair |= {"worse": label(worse), "printed": printed_gain(better, worse)}
            rows.append(pair | found | ({} if claim.covered else late(better, worse)))
            if found["verdict"] == TWO_KINDS:
                found = difference(better, worse, claim.covered, without_collapsed=True)
                watched = {} if claim.covered else late(better, worse, without_collapsed=True)
                rows += [pair | found | watched | {"claim": f"{claim.words}{NOT_COLLAPSED}"}] if found["n"] else []
    return pd.DataFrame(rows, columns=["claim", "protocol", "better", "worse", "printed", *COMPARISON, *LATE])


def late(better: Experiment, worse: Experiment, without_collapsed: bool = False) -> dict:
    """Difference of `tables.late_accuracy`, paired by member, with interval and verdict: the columns `LATE`."""
    arms = (better, worse)
    rows = [late_accuracy(arm).rename("accuracy").reset_index() for arm in arms]
    if without_collapsed:
        rows = list(map(not_collapsed, arms, rows))
    found = paired_difference(*(own.set_index(["seed", "fold"])["accuracy"] for own in rows), better.protocol)
    found = of_one_kind(found, *zip(arms, members_used(better.protocol, *rows), strict=True))
    names = ("difference", "ci_low", "ci_high", "verdict")
    return {column: found[name] for column, name in zip(LATE, names, strict=True)}


def printed_gain(better: Experiment, worse: Experiment) -> float:
    """Difference of the paper's accuracies for the two arms' loss and backbone on CK+, a share; NaN if not printed.

    The paper compares networks of its own training, with one STN rate.
    """
    both = [(arm.backbone, arm.loss) for arm in (better, worse)]
    of_the_paper = (better.dataset, better.recipe) == ("ckplus", "paper")
    gives = of_the_paper and both[0] != both[1] and better.stn_lr_factor == worse.stn_lr_factor
    return round(published(*both[0]) - published(*both[1]), 4) if gives else float("nan")


def pairs(dataset: str, claim: Claim) -> list[tuple[Experiment, Experiment]]:
    """Pairs of measured arms: the first has the claim's `better` parameters, the second differs from it by `worse`."""
    arms = measured(dataset)
    having = [arm for arm in arms if all(getattr(arm, name) == value for name, value in claim.better.items())]
    return [(better, worse) for better in having for worse in arms if better.is_like(worse, **claim.worse)]


def difference(first: Experiment, second: Experiment, covered: bool = False, without_collapsed: bool = False) -> dict:
    """Gain of the first arm over the second with interval, p, n and the paired units: members, subjects or images.

    without_collapsed: leave out collapsed runs.
    """
    arms = first, second
    if covered and first.protocol in RESAMPLED:
        return gain(*arms, SCORES["black rectangle"], without_collapsed=without_collapsed)
    if covered:  # of older runs no frame's answer is stored, so that a run's accuracy stands for one frame
        rows = [occluded(arm).rename(columns={"accuracy": "score"}).assign(frame_id="", subject="") for arm in arms]
    else:
        rows = [_right(results.read(arm, "predictions.csv.gz")) for arm in arms]
    return compared(*(map(not_collapsed, arms, rows) if without_collapsed else rows), *arms)


def _right(predictions: pd.DataFrame) -> pd.DataFrame:
    return predictions.assign(score=predictions["label"] == predictions["prediction"])


def against_references(dataset: str) -> pd.DataFrame:
    """Gain of the paper's arms, their ablations and the strong recipe over the reference methods, on the same frames.

    One row per arm and reference, under the protocols of the references: protocol, label, reference, and the columns of
    `comparisons.COMPARISON`. Empty if notebook 00_data has not stored the references.
    """
    rows, stored = [], (paths.RESULTS / dataset / "reference_predictions.csv.gz").exists()
    predictions = results.of_data_set(dataset, "reference_predictions.csv.gz") if stored else pd.DataFrame()
    for arm in measured(dataset) if stored else ():
        asked = part(arm) in ("Table 2", "ablation", "strong recipe")
        if not asked or arm.protocol not in set(predictions["protocol"]):
            continue
        for method in METHODS[1:]:
            said = predictions[(predictions["protocol"] == arm.protocol) & (predictions["method"] == method)]
            about = {"protocol": arm.protocol, "label": label(arm), "reference": method}
            rows.append(about | compared(_right(results.read(arm, "predictions.csv.gz")), _right(said), arm))
    return pd.DataFrame(rows, columns=["protocol", "label", "reference", *COMPARISON])
