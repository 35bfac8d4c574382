"""By hand, about the two networks of `test_fer2013_results`."""

import pandas as pd
import pytest
from test_fer2013_results import BARE, PAPER, SETTINGS, TRUTH, store, store_two

from fer_lib import paths
from fer_lib.comparisons import ONE_TRAINING
from fer_lib.experiments import Experiment
from fer_lib.findings import fer2013_results, quality
from fer_lib.words import fer2013_wording
from fer_lib.words.naming import label


@pytest.fixture
def stored(listed):
    listed(PAPER, BARE)
    store_two()


def test_recalls_a_column_per_network(stored):
    shown = fer2013_wording.readable_recalls(fer2013_results.recalls(fer2013_results.arms())).set_index("emotion")
    assert shown.loc["happiness", label(PAPER)].replace("\N{NO-BREAK SPACE}", " ") == "50.00", "no image differs"
    assert shown.loc["fear", label(BARE)] == "0.00"
    assert shown["images"].tolist() == [4, 4]


def test_ten_crops_are_shown_where_a_network_has_them(stored):
    table = fer2013_results.scores()
    assert "with ten crops (corners, centre, mirrored)" not in fer2013_wording.readable(table)
    table.loc[0, "ten_crops"] = 0.7
    assert fer2013_wording.readable(table)["with ten crops (corners, centre, mirrored)"].tolist() == ["70.00", "–"]


def test_what_a_network_reaches(stored):
    said = fer2013_wording.reached(fer2013_results.scores().iloc[0], 2)
    # By hand: 3,136 weights of conv1, 128 of its norm; stages of 74k, 230k, 919k and 3.67 million; head and STN.
    assert said.startswith(
        f"**{label(PAPER)}** with 4.91 million weights, the best of 2 networks on PublicTest, reaches 62.50 % [50.00 to"
    )
    assert (
        "PrivateTest after 3 epochs (n = 2 runs, 50.00 to 75.00 %); the ensemble of its runs reaches 50.00 % [" in said
    )


def test_networks_trained_as_in_the_paper_in_a_sentence(stored):
    (said,) = fer2013_wording.as_in_the_paper(fer2013_results.scores())
    assert said == (
        f"**The paper's networks** reach: {label(PAPER)} 62.50 % [50.00 to 87.50] (n = 2 runs, 50.00 to 75.00 %)."
    )


def test_aims_are_for_the_long_training():
    best = pd.Series({"epochs": 150, "mean": 0.74, "ensemble": 0.745})
    assert fer2013_wording.aimed(best) == (
        " Our own targets were 73.70 % for one network (reached) and 75.00 % for an ensemble (not reached)."
    )
    assert fer2013_wording.aimed(best.replace(150, 20)) == ""


def test_claims_in_a_sentence():
    rows = [
        ("a", 0.01, "supported"),
        ("a", -0.02, "not resolvable"),
        ("a", 0.005, "supported"),
        ("a", 0.03, ONE_TRAINING),
    ]
    rows += [("b", -0.01, "not resolvable"), ("b", 0.01, "not resolvable"), ("c", 0.03, ONE_TRAINING)]
    table = pd.DataFrame(rows, columns=["claim", "difference", "verdict"])
    (said,) = fer2013_wording.claimed(table, "Its claims")
    assert said == (
        'Its claims: "a": supported (+1.00 and +0.50 points), not resolvable (-2.00 points); "b": not resolvable; '
        f'"c": {ONE_TRAINING} (+3.00 points).'
    )
    assert fer2013_wording.claimed(pd.DataFrame(), "Its claims") == []


def test_a_claim_about_a_network_that_is_not_trained_enough(stored, listed):
    triplet = Experiment("triplet", **SETTINGS | {"loss": "triplet"})
    listed(PAPER, triplet)
    for seed in (1, 2):
        store(triplet, seed, TRUTH)
    row = {"claim": "triplet wins", "better": label(triplet), "worse": label(PAPER), "difference": -0.27}
    claims = fer2013_results.judged(pd.DataFrame([{**row, "verdict": "contradicted"}]))
    assert fer2013_wording.claimed(claims, "Its claims") == [
        'Its claims: "triplet wins": not trained enough (-27.00 points).'
    ]
    # The losses are 1 and 1.25.
    assert f"of {label(triplet)} is still 1.12 of its margin (1.00 to 1.25, n = 2 runs)" in fer2013_wording.untrained(
        claims
    )
    assert fer2013_wording.untrained(claims.assign(verdict="contradicted")) == ""


def test_twins_a_column_per_part():
    part = {"method": "net", "share": 0.5, "low": 0.4, "high": 0.6}
    parts = pd.DataFrame(
        [{**part, "part": name, "n": 1000 + k} for k, name in enumerate((*quality.TWIN_PARTS, "label is not"))]
    )
    gap = {"method": "net", "gap": 0.1, "low": 0.05, "high": 0.15, "same_mix": 0.2, "same_low": 0.1, "same_high": 0.3}
    shown = fer2013_wording.readable_twins(parts, pd.DataFrame([gap]))
    assert shown.columns.tolist() == [
        "method", "all (1,000)", "without an exact twin in Training (1,001)", "without a near twin in Training (1,002)",
        "with a near twin in Training (1,003)", "gap", "gap at the same class mix",
    ]  # fmt: skip
    (row,) = shown.replace("\N{NO-BREAK SPACE}", " ", regex=True).to_numpy().tolist()
    assert row == ["net", *["50.0 [40.0 to 60.0]"] * 4, "+10.00 [+5.00 to +15.00]", "+20.00 [+10.00 to +30.00]"]


def test_where_voters_confirm_the_label():
    rows = [(quality.VOTE_PARTS[0], 2196, 0.8), (quality.VOTE_PARTS[1], 1393, 0.4)]
    parts = pd.DataFrame(rows, columns=["part", "n", "share"]).assign(method="net", low=0.3, high=0.9)
    assert fer2013_wording.by_agreement(pd.Series({"label": "net"}), parts) == (
        "It is correct on 80.00 % [30.00 to 90.00] of the 2,196 images whose label is the voters' majority, and on "
        "40.00 % [30.00 to 90.00] of the 1,393 others."
    )


def test_in_short(stored, monkeypatch, tmp_path):
    said = fer2013_wording.in_short()
    assert f"{label(PAPER)}, chosen on PublicTest, reaches 62.50 % [50.00 to 87.50] (n = 2)" in said
    assert "the best published network without extra data has 73.70 %." in said
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "nothing")
    assert fer2013_wording.in_short() == ""
