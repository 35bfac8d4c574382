"""The paper's claims, each as a paired comparison of arms that differ in nothing else."""

from dataclasses import dataclass

import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment
from fer_lib.naming import label
from fer_lib.robustness import SCORES, gain
from fer_lib.stats import COMPARISON, RESAMPLED, TRAININGS, paired_by, paired_difference, subject_difference
from fer_lib.tables import best_watched, measured, occluded


@dataclass(frozen=True)
class Claim:
    """One arm is better than another.

    printed: the gain that the paper prints, a share. better: what the better arm has; worse: what the other has
    instead. covered: compared on the test frames under the paper's occlusion rather than on the clean ones.
    """

    words: str
    printed: float
    better: dict
    worse: dict
    covered: bool = False


CLAIMS = (
    Claim(
        "the cut ResNet beats ResNet-18", 0.0209, {"backbone": "resnet10", "loss": "softmax"}, {"backbone": "resnet18"}
    ),
    Claim(
        "triplet loss beats softmax",
        0.0048,
        {"backbone": "resnet10", "loss": "triplet"},
        {"loss": "softmax", "mining": "random", "normalise": False},
    ),
    Claim(
        "triplet loss, with a slower transformer, beats softmax",
        0.0048,
        {"backbone": "resnet10", "loss": "triplet", "stn_lr_factor": 0.1},
        {"loss": "softmax", "mining": "random", "normalise": False, "stn_lr_factor": 1.0},
    ),
    Claim(
        "training with occlusion helps on clear faces", float("nan"), {"occlusion": "rectangle"}, {"occlusion": "none"}
    ),
    Claim(
        "training with occlusion helps on occluded faces",
        float("nan"),
        {"occlusion": "rectangle"},
        {"occlusion": "none"},
        covered=True,
    ),
)
"""Sections 3 and 4 of Kim et al. 2022; for occlusion they say that both were compared, and print no number."""


AT_BEST = {"difference": "", "ci_low": "_low", "ci_high": "_high"}


def claims_table(dataset: str, claims: tuple[Claim, ...] = CLAIMS) -> pd.DataFrame:
    """One row per claim, the paper's by default, protocol and setting for which both arms are measured.

    Under `subject` people are resampled, n counts them, and the test exchanges the arms within a person; under `usage`
    the same with images; under the other protocols the difference is paired by member. `verdict` is that of `stats`.
    at_best, at_best_low, at_best_high: the difference paired by member if each had stopped at its best watched epoch on
    the test frames; NaN on occluded faces, which were not watched.
    """
    arms = measured(dataset)
    rows = []
    for claim in claims:
        for better in arms:
            if any(getattr(better, name) != value for name, value in claim.better.items()):
                continue
            for worse in arms:
                if better.method | claim.worse | {"experiment": worse.experiment} == worse.method:
                    pair = {"claim": claim.words, "protocol": better.protocol, "better": label(better)}
                    found = difference(better, worse, claim.covered)
                    best = (
                        {} if claim.covered else paired_difference(*map(best_watched, (better, worse)), better.protocol)
                    )
                    ends = {f"at_best{end}": best.get(key) for key, end in AT_BEST.items()}
                    rows.append({**pair, "worse": label(worse), "printed": claim.printed, **found, **ends})
    about = ["claim", "protocol", "better", "worse", "printed"]
    return pd.DataFrame(rows, columns=[*about, *COMPARISON, *(f"at_best{end}" for end in AT_BEST.values())])


def difference(first: Experiment, second: Experiment, covered: bool = False) -> dict:
    """Gain of the first arm over the second with interval, p and n, and what is paired: members, people or images."""
    if first.protocol in RESAMPLED and covered:
        return gain(first, second, SCORES["black rectangle"])
    if first.protocol in RESAMPLED:
        predictions = (results.read(arm, "predictions.csv.gz") for arm in (first, second))
        columns = RESAMPLED[first.protocol][0], TRAININGS[first.protocol][0]
        found = subject_difference(*predictions, *columns)
        return {**found, "pairs": paired_by(first.protocol, found["trainings"])}
    scored = occluded if covered else lambda arm: results.read(arm, "metrics.csv")
    by_member = [scored(arm).set_index(["seed", "fold"])["accuracy"] for arm in (first, second)]
    return {**paired_difference(*by_member), "pairs": "members"}
