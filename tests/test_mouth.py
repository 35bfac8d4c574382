"""Reliance on the mouth of two networks, on four frames whose shares one can work out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_lib.experiments import Experiment
from fer_lib.findings import mouth
from fer_lib.findings.attention import PLACED
from fer_lib.words.naming import label

COVERED = Experiment("covered", "ckplus", "subject", folds=2, loss="softmax")
CLEAR = replace(COVERED, experiment="clear", occlusion="none")
GRADIENTS, SQUARE = PLACED
ONLY = {"occlusion": "rectangle"}


def shares(gradients, square, subjects="pqrs"):
    """The mouth's share by each map, a subject each; the first two subjects are in fold 0, the others in fold 1."""
    folds = [int(subject > "q") for subject in subjects]
    about = {"seed": 0, "fold": folds, "frame_id": list(subjects), "subject": list(subjects), "region": "mouth"}
    both = [
        pd.DataFrame(about).assign(map=name, inside=own) for name, own in ((GRADIENTS, gradients), (SQUARE, square))
    ]
    return pd.concat([*both, both[0].assign(region="eyes", inside=0.9)])


@pytest.fixture
def stored(monkeypatch):
    tables = {
        COVERED: shares([0.3, 0.4, 0.3, 0.4], [0.5, np.nan, 0.5, 0.5]),
        CLEAR: shares([0.4, 0.6, 0.5, 0.5, 0.9], [0.4, 0.5, 0.6, np.nan, 0.9], "pqrst"),
    }
    monkeypatch.setattr(mouth, "correct", tables.__getitem__)
    monkeypatch.setattr(mouth, "arms", lambda dataset: [COVERED, CLEAR])
    monkeypatch.setattr(mouth, "pairs", lambda dataset, claim: [(COVERED, CLEAR)] if claim.better == ONLY else [])


def test_shares_are_paired_by_frame(stored):
    gradients, square = mouth.compared("ckplus").to_dict("records")
    # 0.1, 0.2, 0.2 and 0.1 less; each fold by 0.15, so the folds do not differ. The fifth frame has no partner.
    assert gradients["difference"] == pytest.approx(0.15)
    assert (gradients["correct"], gradients["frames"], gradients["n"]) == (4, 4, 4)
    assert gradients["pairs"] == "subjects in 2 folds" and gradients["label"] == label(COVERED)
    # Two frames have a value in both maps: 0.1 more and 0.1 less.
    assert square["difference"] == pytest.approx(0) and (square["correct"], square["frames"]) == (4, 2)
    assert square["verdict"] == "not resolvable"


def test_each_map_has_its_verdict():
    name = label(COVERED)
    about = {
        "protocol": "subject",
        "occlusion": "rectangle",
        "label": name,
        "n": 4,
        "pairs": "subjects in 2 folds",
        "p": 0.5,
    }
    ends = dict.fromkeys(("ci_low", "ci_high", "trained_low", "trained_high"), 0.0)
    rows = [
        (GRADIENTS, 0.142, "supported", 790),
        (GRADIENTS, 0.092, "supported", 790),
        (SQUARE, 0.0632, "not resolvable", 790),
        (SQUARE, -0.0304, "contradicted", 382),
    ]
    table = pd.DataFrame(rows, columns=["map", "difference", "verdict", "frames"]).assign(correct=790, **about, **ends)
    assert mouth.in_words(table) == (
        "**Does occlusion in training lower the reliance on the mouth?** So many points of the positive relevance lie "
        "less on it (supported in so many comparisons): by *integrated gradients* 9.2 to 14.2 with the paper's "
        "rectangle (2 of 2); by *sliding square* -3.0 to 6.3 with the paper's rectangle (none of 2, the opposite in "
        "1)."
    )
    mixed = mouth.in_words(pd.concat([table, table[2:3].assign(occlusion="mixed")]))
    assert mixed.endswith("(none of 2, the opposite in 1), 6.3 with mixed occlusion (none of 1).")
    shown = mouth.readable(table)
    assert shown["frames"].tolist() == ["790 of 790"] * 3 + ["382 of 790"]
    assert shown["less on the mouth"].iloc[0].startswith("+14.20 [")
    assert mouth.in_words(table.iloc[:0]) == ""


def test_without_maps_of_both_networks_nothing_is_compared(stored, monkeypatch):
    monkeypatch.setattr(mouth, "arms", lambda dataset: [COVERED])
    assert mouth.compared("ckplus").empty
