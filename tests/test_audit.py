import pandas as pd
import pytest
from scipy import stats

from fer_lib.findings import audit


def test_which_printed_numbers_are_possible():
    printed = pd.DataFrame({"method": list("abcd"), "accuracy": [96.87, 98.96, 99.44, 99.0]})
    found = audit.possible(printed)
    assert found[audit.AS_A_SHARE].tolist() == ["impossible", "impossible", "1", "impossible"]
    assert found["errors, as a mean over batches"].tolist()[:2] == [
        "6 (of 16, 32, 64 frames); 8 (of 128 frames)",
        "2 (of 16, 32, 64 frames)",
    ]
    assert found["errors"].tolist() == [6, 2, 1, 2]
    assert found["nearest possible accuracy"][2] == pytest.approx(100 * 180 / 181)


def test_whether_one_way_gives_all_numbers():
    assert audit.common_way(pd.DataFrame({"accuracy": [96.87, 98.96, 99.44]})).startswith(
        "Neither counting all frames nor averaging over test batches gives all 3 printed accuracies. Counted on one "
        "test set, they would need at least 1,245 frames; CK+ has 981. At least one"
    )
    assert audit.common_way(pd.DataFrame({"accuracy": [96.87, 98.96]})).endswith(
        "in the same way: over batches of 16, or batches of 32, or batches of 64."
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
    assert shown["McNemar's p, smallest possible"].tolist() == ["0.062", "–"]
    assert shown["errors"].tolist() == ["6 of 181", "1 of 181"]


def test_every_count_that_explains_a_number_is_told_apart_or_not():
    said = audit.told_apart(pd.DataFrame({"method": list("abc"), "accuracy": [96.87, 98.96, 99.44]}))
    alike = (
        "A method with 2 or 6 errors does not differ significantly from the proposed one with 1, whether they share "
    )
    assert said.startswith(alike)
    # Seven frames, all in favour of one: 2 / 2**7.
    assert said.endswith("over batches of 128, a difference is possible: p = 0.037 (Fisher), at best 0.016 (McNemar).")
    far = audit.told_apart(pd.DataFrame({"method": list("ab"), "accuracy": [96.69, 100.0]}))
    assert far.startswith("With 6 errors, which fit an accuracy computed over all frames, a difference is possible")


def test_the_smallest_test_set_that_gives_all_numbers():
    assert audit.fewest_frames([50]) == 2 and audit.fewest_frames([50, 33.33]) == 6
    assert audit.fewest_frames([66.66]) == audit.fewest_frames([66.67]) == 3, "2 of 3, cut or rounded"
    # Of n frames k give 99.44 and m give 98.96, so that the difference of 0.48 % is k - m frames: 6 of 1,245.
    assert audit.fewest_frames([96.87, 98.96, 99.44]) == 1245


@pytest.mark.parametrize("derived", [98.95, 98.96, 98.97])
def test_nothing_depends_on_the_last_digit_of_the_number_that_only_the_text_gives(derived):
    printed = pd.DataFrame({"method": list("abc"), "accuracy": [96.87, derived, 99.44]})
    found = audit.possible(printed)
    assert found[audit.AS_A_SHARE].tolist() == ["impossible", "impossible", "1"] and found["errors"].tolist() == [
        6,
        2,
        1,
    ]
    assert audit.common_ways(printed) == audit.common_ways(printed.drop(1)) == []
    assert audit.fewest_frames(printed["accuracy"]) >= 1245
    assert "errors does not differ significantly from the proposed one with 1" in audit.told_apart(printed)


def test_which_count_gives_a_number_as_a_share():
    assert audit.as_a_share(99.44) == (
        "Only 180 correct frames out of 181 give 99.44 %, truncated rather than rounded to two decimals"
    )
    assert audit.as_a_share(99.45) == "Only 180 correct frames out of 181 give 99.45 %, rounded to two decimals"
    assert audit.as_a_share(98.96) == "No number of correct frames out of 181 gives 98.96 %, rounded or truncated"
    assert audit.same_to_two_decimals(179 / 180, 99.44), "were a frame left out"


def test_the_printed_numbers_in_short():
    printed = pd.DataFrame({"method": list("abc"), "accuracy": [96.87, 98.96, 99.44]})
    first, second = audit.in_short(audit.possible(printed))
    assert first.startswith(
        "Accuracies that the paper's table prints for its networks and that are possible on 181 frames: 1 of 2. Only"
    )
    # Of 6 and of 2 errors against 1 McNemar's p for 6 is the smallest: 2 / 2**5.
    assert "would be 96.94 to 99.90 %" in second and second.endswith(
        "none differs from it significantly (smallest p = 0.062)."
    )
    _, far = audit.in_short(audit.possible(printed.assign(accuracy=[93.37, 98.96, 99.44])))
    assert "at least one differs from it significantly" in far


def test_self_agreement_is_not_accuracy():
    members = pd.DataFrame({"accuracy": [0.95, 0.97], "dropout_accuracy": [0.95, 0.97], "self_agreement": [1.0, 1.0]})
    members = members.assign(method="trees")
    said = audit.agreement_in_words(members)
    # Student's t for two values: 96 - 12.7 points and 96 + 12.7, at most 100.
    assert said.startswith(
        "trees: mean accuracy is 96.00 % [83.29 to 100.00], mean self-agreement 100.00 %, 4.00 points higher (n"
    )
    assert "(n = 2 runs)" in said and "of none of the 2 runs" in said
    assert "of 1 of the 2 runs" in audit.agreement_in_words(members.assign(dropout_accuracy=[0.95, 0.96]))
    two = pd.concat([members, members.assign(method="k-NN")])
    assert audit.agreement_in_words(two).count("(n = 2 runs)") == 2, "two methods share no mean"


def test_the_number_line_has_every_count_and_every_printed_number():
    line = audit.number_line(pd.DataFrame({"method": ["STN"], "printed": [99.44]}))
    assert line["what"].tolist() == ["possible"] * 9 + ["STN"]
    assert line["accuracy"].tolist()[:3] == pytest.approx([100, 18000 / 181, 17900 / 181])
    assert line["accuracy"].iloc[-1] == 99.44
