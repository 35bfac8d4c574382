"""The paper's claims, and whether a network is worth its training, each as a paired comparison on the same splits."""

from dataclasses import dataclass

import pandas as pd

from fer_lib import paths, results
from fer_lib.experiments import SOFTMAX, Experiment
from fer_lib.findings.robustness import SCORES, gain
from fer_lib.findings.tables import late_accuracy, measured, occluded, of_one_kind
from fer_lib.measures.references import METHODS
from fer_lib.stats import (
    COMPARISON,
    RESAMPLED,
    paired_difference,
    pooled_difference,
)
from fer_lib.words.naming import label, part, published


@dataclass(frozen=True)
class Claim:
    """One arm is better than another.

    better: what the better arm has; worse: what the other has instead. covered: compared on the test frames under the
    paper's occlusion rather than on the clean ones.
    """

    words: str
    better: dict
    worse: dict
    covered: bool = False


CLAIMS = (
    Claim("the cut ResNet beats ResNet-18", {"backbone": "resnet10", "loss": "softmax"}, {"backbone": "resnet18"}),
    Claim("triplet loss beats softmax", {"backbone": "resnet10", "loss": "triplet"}, SOFTMAX),
    Claim(
        "triplet loss with a slow STN beats softmax at the full STN rate",
        {"backbone": "resnet10", "loss": "triplet", "stn_lr_factor": 0.1},
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
"""Sections 3 and 4 of Kim et al. 2022; for occlusion they say that both were compared, and print no number."""

LATE = ("late", "late_low", "late_high", "late_verdict")
"""The columns of `late`."""


def claims_table(dataset: str, claims: tuple[Claim, ...] = CLAIMS) -> pd.DataFrame:
    """One row per claim, the paper's by default, protocol and setting of which both arms have a member in common.

    Under `subject` subjects are resampled, n counts them, and the test exchanges the arms within a subject; `usage`
    does the same with images; under the other protocols the difference is paired by member. `verdict` is that of
    `stats`, or `TWO_KINDS`, and then there are no ends and no p: a mean of two kinds of outcome has none. Then
    `LATE`; NaN on occluded faces, which were not watched.
    """
    rows = []
    for claim in claims:
        for better, worse in pairs(dataset, claim):
            pair = {"claim": claim.words, "protocol": better.protocol, "better": label(better)}
            found = difference(better, worse, claim.covered)
            if not found["n"]:
                continue
            watched = {} if claim.covered else late(better, worse)
            rows.append({**pair, "worse": label(worse), "printed": printed_gain(better, worse), **found, **watched})
    return pd.DataFrame(rows, columns=["claim", "protocol", "better", "worse", "printed", *COMPARISON, *LATE])


def late(better: Experiment, worse: Experiment) -> dict:
    """The difference of `tables.late_accuracy`, paired by member, with its ends and verdict: the columns `LATE`."""
    found = paired_difference(*map(late_accuracy, (better, worse)), better.protocol)
    found = of_one_kind(found, _members(better, worse), better, worse)
    names = ("difference", "ci_low", "ci_high", "verdict")
    return {column: found[name] for column, name in zip(LATE, names, strict=True)}


def printed_gain(better: Experiment, worse: Experiment) -> float:
    """What the paper's numbers for the two losses and networks differ by on CK+, a share; NaN if it gives none."""
    both = [(arm.backbone, arm.loss) for arm in (better, worse)]
    gives = better.dataset == "ckplus" and both[0] != both[1]
    return round(published(*both[0]) - published(*both[1]), 4) if gives else float("nan")


def pairs(dataset: str, claim: Claim) -> list[tuple[Experiment, Experiment]]:
    """The measured arms of which the first has what the claim names, and the second instead what it is to beat."""
    arms = measured(dataset)
    having = [arm for arm in arms if all(getattr(arm, name) == value for name, value in claim.better.items())]
    return [(better, worse) for better in having for worse in arms if better.is_like(worse, **claim.worse)]


def difference(first: Experiment, second: Experiment, covered: bool = False) -> dict:
    """Gain of the first arm over the second with interval, p and n, and what is paired: members, subjects or images."""
    if first.protocol in RESAMPLED and covered:
        return gain(first, second, SCORES["black rectangle"])
    if first.protocol in RESAMPLED:
        predictions = (results.read(arm, "predictions.csv.gz") for arm in (first, second))
        return of_one_kind(pooled_difference(first.protocol, *predictions), _members(first, second), first, second)
    scored = occluded if covered else lambda arm: results.read(arm, "metrics.csv")
    by_member = [scored(arm).set_index(["seed", "fold"])["accuracy"] for arm in (first, second)]
    return _by_member(*by_member, first, second)


def _by_member(first: pd.Series, second: pd.Series, *arms: Experiment) -> dict:
    found = {**paired_difference(first, second, arms[0].protocol), "pairs": "runs"}
    return of_one_kind(found, (first - second).dropna().reset_index(), *arms)


def _members(*arms: Experiment) -> pd.DataFrame:
    """The members that both arms have: columns seed and fold."""
    one, other = (results.read(arm, "metrics.csv")[["seed", "fold"]] for arm in arms)
    return one.merge(other)


def against_references(dataset: str) -> pd.DataFrame:
    """What the paper's arms and the strong recipe gain over methods that learn little, on the same test frames.

    A row per arm, under the protocols that the references were asked under, and reference: protocol, label, reference,
    and the columns of `stats.COMPARISON`. A reference has no initialisation: under `subject` its one answer stands
    beside each initialisation's. No row where notebook 00_data has not stored the references.
    """
    rows, stored = [], (paths.RESULTS / dataset / "reference_predictions.csv.gz").exists()
    predictions = results.of_data_set(dataset, "reference_predictions.csv.gz") if stored else pd.DataFrame()
    for arm in measured(dataset) if stored else ():
        if part(arm) not in ("Table 2", "strong recipe") or arm.protocol not in set(predictions["protocol"]):
            continue
        for method in METHODS[1:]:
            said = predictions[(predictions["protocol"] == arm.protocol) & (predictions["method"] == method)]
            about = {"protocol": arm.protocol, "label": label(arm), "reference": method}
            rows.append({**about, **_over_reference(arm, said)})
    return pd.DataFrame(rows, columns=["protocol", "label", "reference", *COMPARISON])


def _over_reference(arm: Experiment, said: pd.DataFrame) -> dict:
    if arm.protocol in RESAMPLED:
        own = results.read(arm, "predictions.csv.gz")
        said = said.drop(columns="seed").merge(own[["seed", "fold"]].drop_duplicates(), on="fold")
        return of_one_kind(pooled_difference(arm.protocol, own, said), own, arm)
    right = (said["label"] == said["prediction"]).groupby([said["seed"], said["fold"]]).mean()
    accuracy = results.read(arm, "metrics.csv").set_index(["seed", "fold"])["accuracy"]
    return _by_member(accuracy, right, arm)
