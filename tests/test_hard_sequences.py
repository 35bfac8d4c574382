"""By hand, about the subjects of `test_recipe_results`: one sequence of three frames each, labelled yes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_recipe_results import PAPER, STRONG, store

from fer_lib.findings import hard_sequences
from fer_lib.findings.hard_sequences import ALL_RIGHT, ALL_WRONG, NOBODY, SOME_WRONG

FINE = replace(STRONG, experiment="fine", pretrained="usage-resnet10-strong-short")

COUNTED = pd.DataFrame(
    [("A", "A_1", 3, 3), ("A", "A_2", 3, 0), ("B", "B_1", 3, 2), ("C", "C_1", 3, 3), ("D", "D_1", 3, 0)],
    columns=["subject", "sequence", "answers", "errors"],
)


@pytest.fixture
def stored(listed):
    """Wrong on all of fold 0 and on a frame of fold 1."""
    listed(STRONG, FINE, PAPER)
    store(STRONG, [lambda i, one, fold=fold: fold > 1 or (fold, i > 0) == (1, True) for fold in range(6)])


def test_a_sequence_by_its_answers(stored):
    table = hard_sequences.by_sequence(STRONG).set_index("sequence")
    assert table["subject"].tolist() == ["S0", "S1", "S2", "S3", "S4", "S5"], "the most often wrong first"
    assert table.loc["S0_001"].tolist() == ["S0", "yes", 3, 3, "no", 1, 0, 0, 0, ALL_WRONG], "there are no others"
    assert table.loc["S1_001", ["errors", "said", "reading"]].tolist() == [1, "yes", SOME_WRONG]
    assert table.loc["S1_001", "share"] == pytest.approx(2 / 3)
    assert set(table["reading"].iloc[2:]) == {ALL_RIGHT}
    assert hard_sequences.always_wrong(table).index.tolist() == ["S0_001"]


def test_another_initialisation_may_read_it(stored):
    store(STRONG, [lambda i, one: i == 0] * 6, seed=1)
    table = hard_sequences.by_sequence(STRONG).set_index("sequence")
    assert table.loc["S0_001", ["answers", "errors", "said", "reading"]].tolist() == [6, 5, "no", SOME_WRONG]
    assert hard_sequences.always_wrong(table).empty


@pytest.mark.parametrize("right, reading", [(0, NOBODY), (1, ALL_WRONG)])
def test_other_networks_agree_or_not(stored, right, reading):
    """The paper's network reads every face, but is no network of the recipe."""
    store(PAPER, [lambda i, one: True] * 6)
    store(FINE, [lambda i, one, fold=fold: fold > 0 or i < right for fold in range(6)])
    assert [arm.experiment for arm in hard_sequences.others(STRONG)] == ["fine"]
    hardest = hard_sequences.by_sequence(STRONG).iloc[0]
    assert hardest[["agree", "right", "others", "reading"]].tolist() == [3 - right, right, 3, reading]


def test_others_count_once_everybody_was_asked(stored):
    store(FINE, [lambda i, one: False] * 5)
    assert hard_sequences.others(STRONG) == []


def test_on_how_few_the_errors_lie():
    assert hard_sequences.concentration(COUNTED) == {
        "sequences": 5,
        "always": 2,
        "answers": 15,
        "errors": 8,
        "errors_on_always": 6,
        "share_on_always": 0.75,
        "half": 2,
        "subjects": 4,
        "subjects_without_error": 1,
        "subjects_without_right": 1,
        "sequences_of_these": 1,
    }


def test_nothing_or_everything_is_wrong():
    faultless = hard_sequences.concentration(COUNTED.assign(errors=0))
    assert (faultless["always"], faultless["half"]) == (0, 0)
    assert np.isnan(faultless["share_on_always"])
    hopeless = hard_sequences.concentration(COUNTED.assign(errors=3))
    assert (hopeless["always"], hopeless["half"], hopeless["share_on_always"]) == (5, 3, 1)
