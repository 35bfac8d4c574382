"""Whether errors come together, on frames that one can count."""

import numpy as np
import pandas as pd
import pytest
from few_results import LEAKS, add

from fer_lib import paths, results
from fer_lib.experiments import Experiment, Member
from fer_lib.findings import dependence
from fer_lib.words.naming import label


def test_design_effects_that_one_can_work_out():
    # Half of four frames are wrong: independent 4 * 1/4 = 1. Two subjects, one wrong twice: sums of 1 and -1, so
    # (1 + 1) * 2 / 1 = 4. One error in each: sums of 0.
    assert dependence.design_effect([1, 1, 0, 0], [0] * 4, list("aabb"))[0] == 4
    assert dependence.design_effect([1, 0, 1, 0], [0] * 4, list("aabb"))[0] == 0
    # Each frame a subject of its own: 4 * 1/4 * 4 / 3.
    assert dependence.design_effect([1, 1, 0, 0], [0] * 4, list("abcd"))[0] == pytest.approx(4 / 3)
    # Both splits together: (4 + 0) / (1 + 1); one without an error adds nothing to either.
    both = [1, 1, 0, 0, 1, 0, 1, 0], np.repeat([0, 1], 4), list("aabbaabb")
    assert dependence.design_effect(*both)[0] == 2
    assert dependence.design_effect([1, 1, 0, 0, 0, 0], [0] * 4 + [1] * 2, list("aabbab"))[0] == 4
    assert np.isnan(dependence.design_effect([0, 0], [0, 0], list("ab"))).all()
    # Differences of two networks that err on a subject each: sums of 2 and -2, (4 + 4) * 2 / 4.
    assert dependence.design_effect([1, 1, -1, -1], [0] * 4, list("aabb"))[0] == 4
    # A split with one subject says nothing of how subjects differ.
    assert np.isnan(dependence.design_effect([0, 1, 0], [0, 0, 0], list("aaa"))).all()


def test_errors_of_two_networks_are_paired_by_frame():
    first = pd.DataFrame({"seed": 0, "fold": 0, "frame_id": list("1234"), "subject": list("aabb"), "label": 1})
    first, second = first.assign(prediction=[1, 1, 0, 0]), first.assign(prediction=[1, 0, 1, 2])
    paired = dependence.paired_errors(first, second)
    assert paired["off"].tolist() == [0, -1, 1, 0] and paired["subject"].tolist() == list("aabb")
    assert dependence.paired_errors(first.iloc[:2], second)["off"].tolist() == [0, -1]
    assert dependence.paired_errors(first, second.assign(seed=[0, 0, 0, 9]))["off"].tolist() == [0, -1, 1]


def test_independent_errors_have_a_design_effect_of_one():
    wrong = np.random.default_rng(0).random(4000) < 0.1
    effect, low, high = dependence.design_effect(wrong, np.repeat(range(4), 1000), np.arange(4000) // 2)
    assert effect == pytest.approx(1, abs=0.1) and low < 1 < high


def test_the_interval_resamples_subjects_with_all_their_splits():
    """Of 40 subjects every fourth is always wrong, in each of three splits: these are copies and tell nothing new."""
    wrong, subjects = np.repeat(np.arange(40) % 4 == 0, 2), np.repeat(np.arange(40), 2)
    once = dependence.design_effect(wrong, np.zeros(80), subjects)
    assert once[1] < once[0] < once[2]
    three = dependence.design_effect(np.tile(wrong, 3), np.repeat(range(3), 80), np.tile(subjects, 3))
    assert three == pytest.approx(once, rel=0.15), "but for ties, of which resampled counts have many"


def test_which_methods_are_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    arms = [Experiment(name, "ckplus", loss=loss) for name, loss in (("kept", "softmax"), ("gone", "triplet"))]
    monkeypatch.setattr(dependence, "measured", lambda dataset: arms)
    frames = {"frame_id": list("1234"), "subject": list("aabb"), "label": 1, "prediction": [0, 0, 1, 1]}
    for arm, outside in zip(arms, (0.0, 1.0), strict=True):
        add(arm, Member(0, 0), {"predictions.csv.gz": pd.DataFrame(frames)}, outside)
    said = pd.DataFrame(frames).assign(seed=0, fold=0)
    stored = [
        said.assign(protocol="random", method="majority class"),
        said.assign(protocol="random", method="HOG + linear SVM", prediction=1),
        said.assign(protocol="random", method="1-NN on pixels", prediction=[1, 0, 0, 1]),
        said.assign(protocol="subject", method="1-NN on pixels"),
    ]
    results.write_csv(tmp_path / "ckplus" / "reference_predictions.csv.gz", pd.concat(stored))
    found = dependence.design_effects("ckplus")
    # HOG makes no error, and the STN of the triplet network has collapsed.
    assert found.iloc[:, :4].values.tolist() == [["1-NN on pixels", 1, 2, 0.0], [label(arms[0]), 1, 2, 4.0]]


def test_dependence_in_words():
    effects = pd.DataFrame({"method": ["HOG", "STN"], "splits": [10, 6], "errors": 9, "effect": [2.65, 2.44]})
    effects = effects.assign(ci_low=[2.0, np.nan], ci_high=[3.0, np.nan])
    said = dependence.in_words(LEAKS, effects)
    assert said.startswith(
        "The 181 frames of a random test set are not independent. A tested sequence contributes 1.2 frames and a "
        "tested subject 2.0 (expected over all random splits). Clustered by subject, the variance of the number of "
        "errors is that of independent frames times a design effect, with its 95 % interval over subjects: HOG 2.6 "
        "[2.0\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}3.0] (n = 10 splits); STN 2.4 (n = 6 splits). Wilson's intervals "
        "are therefore probably too narrow, and the exact p values probably too small."
    )
    assert "96.64 % of them have a frame of the same sequence there" in said
    assert "2.0 (expected over all random splits). Wilson's" in dependence.in_words(LEAKS, effects.iloc[:0])
    assert "is 2.4 to 2.6 times that of independent frames (1 of 2 intervals" in dependence.in_short(effects)
    assert dependence.in_short(effects.iloc[:0]) == dependence.in_short(effects.assign(effect=1.0)) == ""
