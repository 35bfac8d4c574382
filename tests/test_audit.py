import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fer_lib.findings import audit


def test_which_printed_numbers_are_possible():
    printed = pd.DataFrame({"method": list("abcd"), "accuracy": [96.87, 98.96, 99.44, 99.0]})
    found = audit.possible(printed)
    assert found["errors, as a share of 181"].tolist() == ["impossible", "impossible", "1", "impossible"]
    assert found["errors, as a mean over batches"].tolist()[:2] == [
        "6 (of 16, 32, 64); 8 (of 128)",
        "2 (of 16, 32, 64)",
    ]
    assert found["errors"].tolist() == [6, 2, 1, 2]
    assert found["nearest share"][2] == pytest.approx(100 * 180 / 181)


def test_whether_one_way_gives_all_numbers():
    assert audit.common_way(pd.DataFrame({"accuracy": [96.87, 98.96, 99.44]})).startswith(
        "No one way of counting, over all frames or over batches, gives all 3"
    )
    assert audit.common_way(pd.DataFrame({"accuracy": [96.87, 98.96]})).endswith(
        "in one way: over batches of 16, or batches of 32, or batches of 64."
    )


def test_a_number_is_rounded_or_cut():
    share = 180 / 181  # 99.4475 percent
    assert audit.same_to_two_decimals(share, 99.45) and audit.same_to_two_decimals(share, 99.44)
    assert not audit.same_to_two_decimals(share, 99.46)
    assert audit.same_to_two_decimals(1.0, 100.0)


def test_the_papers_counts_against_each_other():
    assert audit.fisher(2, 1) == 1
    assert audit.fisher(6, 1) == pytest.approx(0.12, abs=0.005)
    # Five frames, all in favour of one: heads five times in five tosses, on either side.
    assert audit.mcnemar_at_best(6, 1) == 2 / 2**5
    assert audit.mcnemar_at_best(2, 1) == audit.mcnemar_at_best(1, 1) == 1
    # One frame more on either side speaks for it less: 6 of 7 tosses.
    assert stats.binomtest(6, 7).pvalue > audit.mcnemar_at_best(6, 1)
    shown = audit.counts_table(pd.DataFrame({"method": list("ab"), "errors": [6, 1]}))
    assert shown["Fisher's p"].tolist() == ["0.121", "–"]
    assert shown["McNemar's p, at best"].tolist() == ["0.062", "–"]
    assert shown["errors"].tolist() == ["6 of 181", "1 of 181"]


def test_every_count_that_explains_a_number_is_told_apart_or_not():
    said = audit.told_apart(pd.DataFrame({"method": list("abc"), "accuracy": [96.87, 98.96, 99.44]}))
    alike = "With 2 or 6 errors a method cannot be told apart from the proposed one with 1, neither on frames "
    assert said.startswith(alike)
    # Seven frames, all in favour of one: 2 / 2**7.
    assert said.endswith("over batches of 128, it could be: p 0.037 (Fisher), at best 0.016 (McNemar).")
    far = audit.told_apart(pd.DataFrame({"method": list("ab"), "accuracy": [96.69, 100.0]}))
    assert far.startswith("With 6 errors, if the printed number is over all frames, it could be")


def test_which_count_gives_a_number_as_a_share():
    assert audit.as_a_share(99.44) == "Of 181 frames only 180 right gives 99.44 %, cut and not rounded to two decimals"
    assert audit.as_a_share(99.45) == "Of 181 frames only 180 right gives 99.45 %, rounded to two decimals"
    assert audit.as_a_share(98.96) == "Of 181 frames no number right gives 98.96 %, rounded or cut to two decimals"
    assert audit.same_to_two_decimals(179 / 180, 99.44), "were a frame left out"


def test_power_of_a_paired_t_test():
    # Cohen (1988): a difference of half a standard deviation is found in 80 % of studies with 34 pairs.
    assert audit.paired_t_power(0.5, 1, 34) == pytest.approx(0.808, abs=0.001)
    assert audit.seeds_needed(0.5, 1) == 34
    assert audit.paired_t_power(0, 1, 20) == pytest.approx(0.05)
    assert audit.paired_t_power(2, 0.1, 200) == pytest.approx(1)


def test_a_corrected_test_has_a_limit():
    # Standard error 1 / 2 however many pairs: a difference of 1 is two of them, and 2 - 1.96 = 0.04.
    assert audit.power_limit(1, 1, 0.25) == pytest.approx(stats.norm.cdf(0.04), abs=1e-4)
    assert audit.paired_t_power(1, 1, 100_000, 0.25) == pytest.approx(audit.power_limit(1, 1, 0.25), abs=1e-4)
    assert audit.power_limit(0, 1, 0.25) == pytest.approx(0.05)
    # (1.96 + 0.8416) / 2.
    assert audit.resolvable(1, 0.25) == pytest.approx(1.4008, abs=1e-4)
    assert audit.power_limit(audit.resolvable(1, 0.25), 1, 0.25) == pytest.approx(0.8, abs=1e-4)
    assert audit.seeds_needed(1.39, 1, 0.25) == np.inf
    needed = audit.seeds_needed(1.6, 1, 0.25)
    below, at = (audit.paired_t_power(1.6, 1, n, 0.25) for n in (needed - 1, needed))
    assert below < audit.POWER <= at
    # Over a spread this small two pairs are enough, whatever they share.
    assert audit.seeds_needed(1, 0.001, 0.25) == 2


def test_the_power_of_a_corrected_test_by_simulation():
    """Ten differences of 1 with a standard deviation of 0.5 each, and an error of their own that all ten share."""
    rng, n, overlap = np.random.default_rng(0), 10, 0.25
    drawn = 1 + 0.5 * (rng.normal(size=(20_000, n)) + np.sqrt(overlap) * rng.normal(size=(20_000, 1)))
    error = drawn.std(axis=1, ddof=1) * np.sqrt(1 / n + overlap)
    found = np.abs(drawn.mean(axis=1)) / error > stats.t.ppf(0.975, n - 1)
    assert found.mean() == pytest.approx(audit.paired_t_power(1, 0.5, n, overlap), abs=0.01)


def test_frames_for_two_proportions():
    # 0.5 against 0.6 at 80 % power: 388 a group without continuity correction.
    assert audit.frames_needed(0.5, 0.6) == 388


def test_frames_that_both_see_by_simulation():
    needed = audit.paired_frames_needed(0.05, 0.15)
    assert audit.paired_frames_power(0.05, 0.15, needed) == pytest.approx(0.8, abs=0.002)
    gained, lost = np.random.default_rng(0).multinomial(needed, [0.10, 0.05, 0.85], size=4000)[:, :2].T
    p = 2 * stats.norm.sf(np.abs(gained - lost) / np.sqrt(gained + lost))
    assert (p < 0.05).mean() == pytest.approx(0.8, abs=0.02)
    with pytest.raises(ValueError, match=r"discordant is 0.01; a difference of 0.05 needs at least as much"):
        audit.paired_frames_needed(0.05, 0.01)


def test_discordance_counts_frames_that_one_arm_alone_gets_right():
    first = pd.DataFrame({"seed": 0, "fold": 0, "frame_id": list("abcd"), "label": 1, "prediction": [1, 1, 0, 0]})
    second = first.assign(prediction=[1, 0, 1, 2])
    assert audit.discordance(first, second) == 0.5
    assert audit.discordance(first.iloc[:2], second) == 0.5


def test_few_values_hardly_tell_their_spread():
    # Chi-squared with 3 degrees of freedom: 0.216 and 9.348.
    assert audit.spread_interval(2, 4) == pytest.approx((2 * (3 / 9.348) ** 0.5, 2 * (3 / 0.216) ** 0.5), abs=0.01)


LEAKS = pd.DataFrame({"protocol": ["random", "subject"], "test frames": [181.0, 98.1], "sequence seen": [0.9664, 0]})
LEAKS = LEAKS.assign(**{"frames a sequence": [1.21, 3], "frames a subject": [1.996, 8.3]})


def test_power_in_words():
    said = audit.power_answer(0.0158, 0.018, 4, LEAKS)
    assert said.startswith("What finds a difference of 0.48 points with a chance of 80 %, two-sided at 5 %?")
    assert "- **No number of seeds** of each arm on these frames." in said and "So few pairs tell only" not in said
    # Of 181 test frames for 800 that train: 1.58 * sqrt(181 / 800) = 0.75, times 1.96 + 0.8416 = 2.11.
    assert "its standard error tends to 0.75 points" in said and "a difference of 2.11 points or more (" in said
    assert f"as if every split had frames of its own, {audit.seeds_needed(0.0048, 0.0158)} would seem enough" in said
    assert "5,406 frames, 652 people" in said and "all their frames, 8.3 on average" in said
    assert "not run yet" in audit.power_answer(float("nan"), 0.018, 0, LEAKS)
    assert "not run yet" in audit.power_answer(0.01, float("nan"), 0, LEAKS)


def test_a_difference_that_seeds_can_resolve_names_them():
    said = audit.power_answer(0.0005, 0.018, 4, LEAKS)
    needed = audit.seeds_needed(0.0048, 0.0005, audit.SHARED)
    least, most = (audit.seeds_needed(0.0048, end, audit.SHARED) for end in audit.spread_interval(0.0005, 4))
    assert f"**{needed} seeds** of each arm" in said and "the chance to 100 %" in said
    assert f"it takes {least} at least, and {most} at most." in said
    wider = audit.power_answer(0.003, 0.018, 4, LEAKS)
    assert "at least, and that perhaps no number does." in wider


def test_test_frames_depend_on_training_more_than_on_each_other():
    said = audit.dependence(LEAKS)
    assert "of 181 frames" in said and "96.64 % of them have a frame of the same sequence there" in said
    assert "a tested sequence has 1.2 of them, a tested person 2.0" in said


def test_self_agreement_is_not_accuracy():
    members = pd.DataFrame({"accuracy": [0.95, 0.97], "dropout_accuracy": [0.95, 0.97], "self_agreement": [1.0, 1.0]})
    said = audit.agreement_in_words(members)
    assert "Mean accuracy 96.00, mean self-agreement 100.00, n = 2." in said and "4.00 points higher" in said
    assert "of none of the 2 networks" in said
    assert "of 1 of the 2 networks" in audit.agreement_in_words(members.assign(dropout_accuracy=[0.95, 0.96]))


def test_a_rung_without_an_interval_is_its_mean():
    rungs = pd.DataFrame({"method": ["a", "a", "b"], "protocol": ["random", "subject", "subject"], "mean": 0.5})
    rungs = rungs.assign(ci_low=[0.4, np.nan, 0.4], ci_high=[0.6, np.nan, 0.6])
    shown = audit.readable_ladder(rungs)
    assert shown.loc["a"].tolist() == ["50.00 [40.00\xa0to\xa060.00]", "50.00"]
    assert shown.loc["b", "random"] == "–"


def test_the_number_line_has_every_count_and_every_printed_number():
    line = audit.number_line(pd.DataFrame({"method": ["STN"], "printed": [99.44]}), most_errors=2)
    assert line["what"].tolist() == ["possible"] * 3 + ["STN"]
    assert line["accuracy"].tolist() == pytest.approx([100, 18000 / 181, 17900 / 181, 99.44])


def test_power_curves_are_the_powers():
    curves = audit.power_curves(0.01, 0.02, points=(1,))
    assert "tends to with ever more seeds, 56 % (1)." in audit.power_caption(curves)
    curves = curves.set_index(["of", "n"])
    power, limit = curves["power"], curves["limit"]
    assert power["seeds"].index[[0, 1, -1]].tolist() == [2, 3, 1000] and power["seeds"].index.is_unique
    assert power["seeds", 10] == audit.paired_t_power(0.01, 0.01, 10, 181 / 800)
    assert power["frames"].iloc[0] == audit.paired_frames_power(0.01, 0.02, 100)
    # 1 / sqrt(181 / 800) = 2.102, and 2.102 - 1.96 = 0.142.
    assert limit["seeds"].unique() == pytest.approx([stats.norm.cdf(0.142)], abs=1e-3)
    assert power["seeds"].max() < limit["seeds"].max() and limit["frames"].unique() == [1]
