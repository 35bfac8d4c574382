"""Numbers as text."""

import numpy as np
import pandas as pd

from fer_lib.words import rounding


def test_what_was_trained_on_whom():
    assert rounding.members_and_subjects(1) == "1\xa0run"
    assert rounding.members_and_subjects(2, 118) == "2\xa0runs, 118\xa0subjects"


def test_what_an_interval_is_over():
    assert rounding.in_folds("subject", 20, 10) == "20\xa0runs in\xa010\xa0folds"
    assert (rounding.in_folds("random", 4, 4), rounding.in_folds("usage", 1, 1)) == ("4\xa0runs", "1\xa0run")


def test_nothing_is_less_than_zero_by_rounding_alone():
    assert rounding.interval(-1e-18, 0.0123, "+") == "+0.00 to +1.23"
    assert rounding.points(-1e-18, -1e-18, 0.01) == "+0.00 [+0.00\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}+1.00]"


def test_a_list_in_a_sentence():
    assert [rounding.listed(list(names)) for names in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]


def test_numbers_for_the_eye():
    assert (rounding.percent(0.98765), rounding.percent(float("nan"))) == ("98.77", "–")
    assert rounding.in_cell(0.9, 0.85, 1, ".2f").replace("\N{NO-BREAK SPACE}", " ") == "0.90 [0.85 to 1.00]"
    assert rounding.in_cell(0.0312, -0.01, 0.1, "+.1%").replace("\N{NO-BREAK SPACE}", " ") == "+3.1 [-1.0 to +10.0]"
    assert (
        rounding.in_cell(0.9, float("nan"), float("nan"), ".1%") == "90.0"
        and rounding.in_cell(*[float("nan")] * 3, ".1f") == "–"
    )
    assert [rounding.p_value(p) for p in (1, 0.0312, 0.001, 0.00099, 0, float("nan"))] == [
        "1.000",
        "0.031",
        "0.001",
        "<\N{NO-BREAK SPACE}0.001",
        "<\N{NO-BREAK SPACE}0.001",
        "–",
    ]
    assert (rounding.interval(0.5, 1), rounding.interval(-0.01, 0.02, "+")) == ("50.00 to 100.00", "-1.00 to +2.00")
    ends = pd.DataFrame({"low": [0.5, np.nan], "high": [1, np.nan]})
    assert rounding.intervals(ends["low"], ends["high"]) == ["50.00\xa0to\xa0100.00", "–"]


def test_a_verdicts_two_intervals_are_both_said():
    found = {"difference": 0.01, "ci_low": 0, "ci_high": 0.02, "pairs": "subjects in 4 folds"}
    apart = pd.Series({**found, "trained_low": -0.01, "trained_high": 0.03})
    assert rounding.gained(apart) == "+1.00 points [+0.00 to +2.00; folds -1.00 to +3.00]"
    cell = rounding.in_points(apart).replace("\N{NO-BREAK SPACE}", "_")
    assert cell == "+1.00 [+0.00_to_+2.00] folds_[-1.00_to_+3.00]"
    mixed = pd.Series({**apart, "pairs": "subjects in 3 starts and 30 single runs (30 and 30 runs)"})
    assert rounding.gained(mixed) == "+1.00 points [+0.00 to +2.00; starts and runs -1.00 to +3.00]"
    one_training = pd.Series({**found, "trained_low": np.nan})
    assert rounding.gained(one_training) == "+1.00 points [+0.00 to +2.00]"
    assert rounding.gained(pd.Series({**found, "ci_low": np.nan})) == "+1.00 points"


def test_what_is_paired_breaks_before_in_only():
    row = pd.Series({"n": 3589, "pairs": "images in 3 initialisations"})
    assert rounding.paired(row).split(" ") == [
        "3,589\N{NO-BREAK SPACE}images",
        "in\N{NO-BREAK SPACE}3\N{NO-BREAK SPACE}initialisations",
    ]
