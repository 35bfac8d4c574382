import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t, ttest_1samp, ttest_ind, ttest_rel

from fer_lib import stats
from fer_lib.comparisons import (
    DECIDED,
    ONE_TRAINING,
    arms_gain,
    cluster_gain,
    holm,
    paired_by,
    paired_difference,
    paired_frames,
    pooled_gain,
    verdict,
)


def test_paired_difference_agrees_with_scipy():
    a = pd.Series([0.9, 0.8, 0.95, 0.7], index=[0, 1, 2, 3])
    b = pd.Series([0.85, 0.82, 0.9, 0.6], index=[0, 1, 2, 3])
    result, oracle = paired_difference(a, b), ttest_rel(a, b)
    assert result["difference"] == pytest.approx(0.045)
    assert result["p"] == pytest.approx(oracle.pvalue)
    assert (result["ci_low"], result["ci_high"]) == pytest.approx(tuple(oracle.confidence_interval()))


def test_members_whose_splits_share_frames_are_compared_with_more_caution():
    """By hand: differences 1, 2 and 3 points, standard deviation 1 point, 181 test frames for 800 that train."""
    a, b = pd.Series([0.91, 0.82, 0.93]), pd.Series([0.90, 0.80, 0.90])
    apart, shared = paired_difference(a, b), paired_difference(a, b, "random")
    error = 0.01 * (1 / 3 + 181 / 800) ** 0.5
    assert shared["ci_high"] == pytest.approx(0.02 + 4.3027 * error, abs=1e-6)
    assert shared["p"] == pytest.approx(2 * t.sf(0.02 / error, 2)) and shared["p"] > apart["p"]
    assert shared["difference"] == apart["difference"] == pytest.approx(0.02)


def test_paired_difference_uses_common_members_only():
    a, b = pd.Series([0.9, 0.5], index=[0, 1]), pd.Series([0.4, 0.1], index=[1, 2])
    result = paired_difference(a, b)
    assert (result["n"], result["difference"]) == (1, pytest.approx(0.1))
    assert np.isnan(result["p"]) and result["verdict"] == ONE_TRAINING
    alike = paired_difference(a, a)
    assert alike["difference"] == 0 and np.isnan(alike["ci_low"]) and np.isnan(alike["p"]), "a tie is no proof of one"


def test_equal_differences_have_no_ends_however_they_are_rounded():
    """Each run has one frame of 181 more right, which is another binary fraction each time."""
    first, second = (pd.Series([(right - less) / 181 for right in (178, 150, 120, 160)]) for less in (0, 1))
    assert np.ptp(first - second) > 0
    found = paired_difference(first, second)
    assert np.isnan([found["ci_low"], found["p"]]).all() and found["verdict"] == "not resolvable"
    one = pd.Series([0.9, 0.9, 0.9], index=pd.MultiIndex.from_product([[0, 1, 2], [0]], names=["seed", "fold"]))
    assert np.isnan(paired_difference(one, one - 0.01, "usage")["p"])


def test_arms_of_other_starts_are_paired_by_run_where_no_unit_is_resampled():
    frames = pd.DataFrame({"seed": [0, 0, 1, 1], "fold": 0, "frame_id": list("abab"), "subject": "p"})
    both = frames.assign(score=[1, 1, 1, 0]), frames.assign(score=[0, 1, 0, 0])
    found = arms_gain("random", *both, started=(True, False))
    assert (found["difference"], found["pairs"], found["n"]) == (0.5, "runs", 2)


def test_members_that_were_not_trained_apart_count_once():
    index = pd.MultiIndex.from_product([[0, 1], [0, 1, 2]], names=["seed", "fold"])
    first, second = pd.Series([0.3, 0.2, 0.1, 0.5, 0.2, 0.3], index), pd.Series(0.0, index)
    assert paired_difference(first, second)["n"] == 6
    by_fold = paired_difference(first, second, "subject")
    assert (by_fold["n"], by_fold["difference"]) == (3, pytest.approx((0.4 + 0.2 + 0.2) / 3))
    one_less = paired_difference(first, second[:3], "subject")
    assert one_less["difference"] == by_fold["difference"], "both initialisations of the first count"


def test_an_interval_is_cut_at_what_a_difference_can_be():
    index = [0, 1, 2]
    first, second = pd.Series([0.1, 0.2, 0.15], index), pd.Series([1.9, 1.7, 1.8], index)
    # Differences -1.8, -1.5, -1.65: standard error 0.087, t(0.975, 2) = 4.30.
    ends = paired_difference(first, second, within=(-3, 3))
    assert (ends["ci_low"], ends["ci_high"]) == pytest.approx((-2.0226, -1.2774), abs=1e-3)
    assert paired_difference(first, second, within=(-2, 2))["ci_low"] == -2


def test_a_verdict_asks_subjects_and_trainings():
    subjects = np.repeat(list("abcdefgh"), 4)
    gained = np.tile([0.4, 0.5, 0.6, 0.5], 8)
    assert cluster_gain(gained, subjects)["verdict"] == "supported"
    assert cluster_gain(gained, subjects, np.zeros(32))["verdict"] == ONE_TRAINING
    folds = np.repeat([0, 1, 2, 3], 8)
    found = cluster_gain(gained + 0.01 * folds, subjects, folds)
    assert (found["verdict"], found["trainings"]) == ("supported", 4)
    # Means 0.5 to 0.53; standard error 0.0065, t(0.975, 3) = 3.18.
    assert (found["trained_low"], found["trained_high"]) == pytest.approx((0.4945, 0.5355), abs=1e-3)
    unlike = np.where(folds == 0, 1.9, -0.2)
    assert cluster_gain(unlike, subjects, folds)["verdict"] == "not resolvable"
    assert paired_by("subject", [1], ["folds"]) == "subjects in 1 fold"
    assert paired_by("usage", [3, 3], ["initialisations"] * 2) == "images in 3 initialisations"


def test_folds_of_unlike_size_count_by_their_frames():
    found = cluster_gain([0.1, 0.1, 0.2, 0.4], list("abcd"), [0, 0, 1, 2])
    # Mean 0.2. The folds lie -0.1, 0 and 0.2 from it, times 2, 1 and 1 of 4 frames: -0.05, 0, 0.05.
    # Standard error sqrt(3 / 2 * 0.005) = 0.0866, t(0.975, 2) = 4.30.
    far = cluster_gain([0.9, 0.1], list("ab"), [0, 1])
    assert (far["trained_low"], far["trained_high"]) == (-1, 1), "a gain is at most 1"
    assert found["difference"] == pytest.approx(0.2)
    assert (found["trained_low"], found["trained_high"]) == pytest.approx((-0.1726, 0.5726), abs=1e-3)


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([(0.1, 0.2)], "supported"),
        ([(0, 0.2)], "not resolvable"),
        ([(-0.2, 0)], "not resolvable"),
        ([(-0.2, -0.1)], "contradicted"),
        ([(-0.1, 0.1)], "not resolvable"),
        ([(float("nan"),) * 2], "not resolvable"),
        ([(0.1, 0.2), (-0.1, 0.3)], "not resolvable"),
        ([(0.1, 0.2), (-0.2, -0.1)], "not resolvable"),
        ([(-0.2, -0.1), (-0.3, -0.1)], "contradicted"),
    ],
)
def test_verdicts(intervals, expected):
    assert verdict(*intervals) == expected


def test_gain_of_four_people_by_hand():
    """They gain 1, 2, 3 and 0 of 3 frames; in one of 256 resamples nobody gains."""
    people, gained = np.repeat(list("abcd"), 3), [1, 0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 0]
    found = cluster_gain(gained, people)
    assert (found["difference"], found["n"]) == (0.5, 4)
    assert (found["ci_low"], found["ci_high"]) == (0, 1), "of four people, the same one may be drawn each time"
    assert found["p"] == pytest.approx(2 * t.sf(norm.isf(1 / 256) * (3 / 4) ** 0.5, 3), abs=0.01) and found["p"] > 0.05
    three = cluster_gain(gained[:9], people[:9])
    assert np.isnan([three["ci_low"], three["p"]]).all() and three["verdict"] == "not resolvable"
    once = pd.DataFrame({"seed": 0, "fold": 0, "frame_id": range(12), "subject": people})
    assert np.isnan(pooled_gain("subject", once, gained)["p"]), "trained once"


@pytest.mark.parametrize("people", [8, 60, 118])
def test_p_over_subjects_is_about_students(people):
    gained = norm.ppf((np.arange(people) + 0.5) / people)  # symmetric about 0
    for shift in (0.0, 0.2, -0.3):
        oracle = ttest_1samp(gained + shift, 0).pvalue
        assert cluster_gain(gained + shift, np.arange(people))["p"] == pytest.approx(oracle, rel=0.15, abs=0.003)


@pytest.mark.parametrize("seed", range(5))
def test_p_is_below_5_percent_where_there_is_a_verdict(seed, monkeypatch):
    """Gains of -1, 0 or 1 on three frames of each of 40 subjects in five folds, some larger on average than others."""
    rng, folds = np.random.default_rng(seed), np.repeat(range(5), 24)
    monkeypatch.setattr(stats, "RESAMPLES", 1999)
    verdicts = set()
    for more in np.linspace(-0.3, 0.3, 13):
        gained = (rng.random(120) < 0.3 + more) * 1.0 - (rng.random(120) < 0.3 - more)
        found = cluster_gain(gained, np.arange(120) // 3, folds)
        alone = [cluster_gain(gained, np.arange(120) // 3)["p"], ttest_1samp(gained.reshape(5, 24).mean(1), 0).pvalue]
        assert found["p"] == pytest.approx(max(alone)), "the folds are of one size"
        assert (found["p"] < 0.05) == (found["verdict"] in DECIDED)
        verdicts.add(found["verdict"])
    assert len(verdicts) > 1


def test_all_initialisations_count_where_folds_are_what_was_trained_apart():
    """Two initialisations, one of which misses frame b, against one that gets frame a wrong and lacks frame c."""
    columns = ["seed", "fold", "frame_id", "subject", "score"]
    once, again = ([(seed, 0, frame, "p", (seed, frame) != (1, "b")) for frame in "abc"] for seed in (0, 1))
    first = pd.DataFrame(once + again, columns=columns)
    second = pd.DataFrame([(0, 0, "a", "p", False), (0, 0, "b", "p", True)], columns=columns)
    by_fold = paired_frames("subject", first, second)
    assert by_fold["frame_id"].tolist() == ["a", "b"] and "seed" not in by_fold
    assert (by_fold["first"].tolist(), by_fold["second"].tolist()) == ([1, 0.5], [0, 1])
    by_run = paired_frames("random", first, second)
    assert by_run["seed"].tolist() == [0, 0], "only the run that both have"
    assert by_run["first"].tolist() == [1, 1]


def answered(*right):
    """How many of its 20 subjects, the first ones, each fold of each initialisation gets right."""
    columns = ["seed", "fold", "frame_id", "subject", "score"]
    rows = [
        (seed, fold, f"{fold} {i:02d}", f"{fold} {i}", i < n)
        for fold, counts in enumerate(right)
        for seed, n in enumerate(counts)
        for i in range(20)
    ]
    return pd.DataFrame(rows, columns=columns)


def test_folds_that_share_a_start_are_one_training():
    """From scratch, two runs a fold: 10 and 20 points off their folds' means, so a run's variance is 0.1 / 2 and that
    of the mean 0.05 / 4, with 2 degrees of freedom. From two starts, 90 and 70 %: 0.02 / 2, with 1."""
    scratch, started = answered([16, 12], [10, 18]), answered([18, 14], [18, 14])
    found = arms_gain("subject", started, scratch, (True, False))
    joint = 0.0225**2 / (0.0125**2 / 2 + 0.01**2)
    half = 0.15 * t.ppf(0.975, joint)
    assert (found["difference"], found["pairs"]) == (pytest.approx(0.1), "subjects in 2 starts and 4 single runs")
    assert (found["trained_low"], found["trained_high"]) == pytest.approx((0.1 - half, 0.1 + half))
    once = arms_gain("subject", started, answered([16], [10]), (True, False))
    assert once["verdict"] == ONE_TRAINING and np.isnan(once["trained_low"])


def test_trainings_that_nothing_links_are_compared_as_by_welch():
    first, second = answered([18, 17, 19]), answered([12, 10])
    oracle = ttest_ind([0.9, 0.85, 0.95], [0.6, 0.5], equal_var=False)
    for protocol, started, pairs in (
        ("usage", None, "images in 3 and 2 initialisations"),
        ("subject", (True, True), "subjects in 3 and 2 starts"),
        ("subject", (True, False), "subjects in 3 starts and 2 single runs"),
    ):
        found = arms_gain(protocol, first, second, started)
        assert (found["difference"], found["n"], found["pairs"]) == (pytest.approx(0.35), 20, pairs)
        assert (found["trained_low"], found["trained_high"]) == pytest.approx(tuple(oracle.confidence_interval()))
        assert found["p"] == pytest.approx(oracle.pvalue), "over images it is smaller"
        again = arms_gain(protocol, first.assign(seed=(first["seed"] + 1) % 3), second, started)
        assert again == pytest.approx(found), "which seed is called which does not matter"
    assert found["verdict"] == "supported"
    assert arms_gain("usage", first, answered([12]))["verdict"] == ONE_TRAINING
    unfinished = pd.concat([first, second.query("seed == 1 and frame_id < '0 05'").assign(seed=3)])
    assert arms_gain("usage", unfinished, second)["pairs"] == "images in 3 and 2 initialisations"


def test_late_accuracies_that_nothing_links_are_compared_as_by_welch():
    first, second = pd.Series([0.9, 0.8, 0.85]), pd.Series([0.5, 0.6])
    for arm in (first, second):
        arm.index = pd.MultiIndex.from_product([range(len(arm)), [0]], names=["seed", "fold"])
    found, oracle = paired_difference(first, second, "usage"), ttest_ind(first, second, equal_var=False)
    assert (found["difference"], found["n"]) == (pytest.approx(0.3), 2)
    assert (found["ci_low"], found["ci_high"]) == pytest.approx(tuple(oracle.confidence_interval()))
    assert found["p"] == pytest.approx(oracle.pvalue) and found["verdict"] == "supported"


def test_what_is_paired_depends_on_the_protocol():
    frames = pd.DataFrame({"seed": [0, 0, 0, 1], "fold": 0, "frame_id": list("abca"), "subject": list("ppqp")})
    values = [1, 0, 1, 1]
    gain = pooled_gain("random", frames, values)
    assert (gain["difference"], gain["n"], gain["pairs"]) == (pytest.approx(5 / 6), 2, "runs")
    gain = pooled_gain("usage", frames, values)
    assert (gain["n"], gain["trainings"], gain["pairs"]) == (3, 2, "images in 2 initialisations")
    gain = pooled_gain("subject", frames, values)
    assert gain["pairs"] == "subjects in 1 fold"
    assert gain["difference"] == pytest.approx(2 / 3), "frame a counts once, although two initialisations answer it"
    assert pooled_gain("random", frames[:3], values[:3])["pairs"] == "run"


def test_p_values_are_corrected_for_their_number():
    # Sorted 0.01, 0.02, 0.03 times 3, 2, 1; the last is no less than the one before it.
    corrected = holm(pd.Series([0.03, 0.01, np.nan, 0.02]))
    assert corrected.tolist() == pytest.approx([0.04, 0.03, np.nan, 0.04], nan_ok=True)
    assert holm(pd.Series([0.9, 0.8])).tolist() == [1, 1]
