"""Losses from stored answers whose values one can count by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from few_results import add

from fer_lib import results
from fer_lib.experiments import Experiment, Member
from fer_lib.findings import occluded_parts
from fer_lib.occlusion_benchmark import CLEAN, SUITE, WINDOWS, window_name
from fer_lib.words import occlusion_wording

ARM = Experiment("arm", dataset="synthetic", protocol="subject", folds=2, loss="softmax")
OTHER = replace(ARM, experiment="other", occlusion="none")
CORNER = window_name(0, 0)


def store(experiment, wrong, members=((0, 0), (0, 1))):
    """Four frames of classes 0 and 1 a member, of subjects of its own.

    All are right but where `wrong`, occlusion or place -> class, says that the frames of this class are not.
    """
    for seed, fold in members:
        about = pd.DataFrame({"frame_id": list("abcd"), "label": [0, 1, 0, 1]})
        about["subject"] = [f"{name}{fold}" for name in "pqrs"]
        names = [*map(str, (CLEAN, *SUITE)), *(window_name(*corner) for corner in WINDOWS)]
        said = {name: about["label"].where(about["label"] != wrong.get(name), 1 - about["label"]) for name in names}
        asked = pd.concat([about, pd.DataFrame(said)], axis=1)
        answered = about.assign(prediction=about["label"], p_anger=0.5, p_fear=0.5)
        add(experiment, Member(seed, fold), {"predictions.csv.gz": answered, "occluded_predictions.csv.gz": asked})


@pytest.fixture
def stored(listed):
    listed(ARM, OTHER)
    store(ARM, {CORNER: 0, **{str(one): 1 for one in SUITE if (one.kind, one.fill) == ("left", "black")}})
    store(OTHER, {window_name(16, 16): 1})


def test_recall_of_each_emotion_under_each_cover(stored):
    table = occluded_parts.recall([ARM]).set_index(["emotion", "kind"])
    assert len(table) == 2 * 7 and (table["n"] == 4).all(), "two frames of each class in two folds"
    covered = table.loc[("fear", "left")]
    assert covered["recall"] == pytest.approx(0.8) and np.isnan(covered["low"]), "a fill of five, for everyone"
    assert table["recall"].drop(("fear", "left")).eq(1).all()
    fallen = occluded_parts.falls(table.reset_index())
    assert fallen[["emotion", "kind", "clear"]].values.tolist() == [["fear", "left", 1]]
    said = (
        "STN + ResNet-10 + softmax (epochs 100) loses most recall on fear with the left half covered: from 100.00 to "
        "80.00 %, n = 4 predictions. This is the largest of its falls, picked for its size, so the interval is too "
        "optimistic."
    )
    assert occlusion_wording.hardest(fallen) == said
    both = pd.concat([fallen, fallen.assign(method="other")])
    assert occlusion_wording.hardest(both) == f"{said} The figure has the other networks."


def test_the_loss_at_a_place_by_hand(stored):
    table = occluded_parts.place_losses(ARM).set_index(["emotion", "top", "left"])["loss"]
    assert len(table) == 2 * 25 and table[0, 0, 0] == 1 and table.drop((0, 0, 0)).eq(0).all()
    found = occluded_parts.loss(ARM, 0, 0, 0)
    assert (found["difference"], found["ci_low"], found["trainings"], found["frames"]) == (1, 1, 2, 4)
    assert found["n"] == 4 and found["pairs"] == "subjects in 2 folds"


def test_the_costliest_places_stand_beside_those_of_the_other_networks(stored):
    table = occluded_parts.costliest([ARM, OTHER])
    cells = table[["emotion", "top", "left", "of"]].drop_duplicates().values.tolist()
    assert cells == [["anger", 0, 0, "anywhere"], ["fear", 16, 16, "anywhere"], ["anger", 0, 0, "corner"]]
    assert table["picked"].tolist() == [True, False, False, True, True, False]
    assert table["difference"].tolist() == [1, 0, 0, 1, 1, 0]
    shown = occlusion_wording.readable_costliest(table)
    assert shown.shape == (3, 3) and shown["covered"].iloc[0] == "anger, rows 0 to 15, columns 0 to 15, 4 subjects"
    assert "(upper corner)" in shown["covered"].iloc[2]
    assert shown.iloc[0, 1].startswith("+100.00") and shown.iloc[0, 1].endswith(" (largest)")
    assert shown.iloc[0, 2].startswith("+0.00") and "largest" not in shown.iloc[0, 2]
    assert occlusion_wording.picked_from(occluded_parts.place_losses(ARM)).startswith(
        "Largest: of 50 pairs of emotion and place in that network (upper corner: of 4 in each of these networks). "
    )


def test_the_costliest_corner_in_words(stored):
    alone = (
        "The largest loss in an upper corner, away from eyes and mouth: anger in softmax, epochs 100, +100.00 points "
        "[+100.00 to +100.00] of recall, 4 subjects in 2 folds."
    )
    assert occlusion_wording.corner(occluded_parts.costliest([ARM]), [ARM]) == alone
    said = occlusion_wording.corner(occluded_parts.costliest([ARM, OTHER]), [ARM, OTHER])
    others = " Of 1 other networks, for which this place was not picked, 0 have a resolvable loss there."
    assert said == alone + others


def test_few_members_have_no_interval(listed):
    arm = replace(ARM, protocol="random", seeds=3, folds=1)
    listed(arm)
    for count, has_ends in ((2, False), (3, True)):
        store(arm, {str(one): 1 for one in SUITE if one.kind == "eyes"}, [(seed, 0) for seed in range(count)])
        frames = results.read(arm, "occluded_predictions.csv.gz")
        values = np.where(frames["seed"] == 0, 0.0, 1.0)
        mean, *ends = occluded_parts.interval_over(arm, frames, values)
        assert mean == pytest.approx((count - 1) / count) and np.isfinite(ends).all() == has_ends
    one = occluded_parts._shown(
        replace(arm, seeds=2), frames[frames["seed"] < 2], {"ci_low": 0.1, "verdict": "supported"}
    )
    assert np.isnan(one["ci_low"]) and one["verdict"] == "not resolvable"
