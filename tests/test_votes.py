import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy

from fer_lib.datasets import ferplus
from fer_lib.datasets.ferplus import CATEGORIES
from fer_lib.measures import votes

CAST = {
    "sure": {"fear": 10},
    "split": {"fear": 5, "surprise": 5},
    "wrong": {"neutral": 6, "fear": 3, "unknown": 1},
    "tied others": {"neutral": 4, "sadness": 4, "fear": 2},
    "contempt": {"contempt": 6, "fear": 3, "anger": 1},
    "no face": {"no face": 10},
}
"""What ten people vote on six images that are all labelled fear."""


@pytest.fixture
def table():
    cast = np.array([[votes_of.get(name, 0) for name in CATEGORIES] for votes_of in CAST.values()])
    images = votes.described(cast, np.full(6, "fear"))
    return images.assign(usage="PrivateTest", label="fear")


def test_described_by_hand(table):
    assert table["majority"].tolist() == ["fear", "surprise/fear", "neutral", "neutral/sadness", "contempt", "no face"]
    assert table["seven"].tolist() == ["fear", "surprise/fear", "neutral", "neutral/sadness", "fear", ""]
    assert table["counts"].tolist() == ["10", "5 5", "6 3 1", "4 4 2", "6 3 1", "10"]
    assert table["label_votes"].tolist() == [10, 5, 3, 2, 3, 0]


def test_clear_majorities_by_hand(table):
    assert votes.clear_majority(table).tolist() == ["fear", "", "neutral", "", "contempt", "no face"]
    counts = {"4 3 1 1 1": "fear", "4 2 2": "", "5 5": "", "1 1 1": "", "2": "fear"}
    few = pd.DataFrame({"counts": list(counts), "majority": "fear"})
    assert votes.clear_majority(few).tolist() == list(counts.values())


def test_clear_majorities_are_the_labels_of_ferplus():
    cast = np.random.default_rng(0).multinomial(10, [0.5, 0.3, *[0.025] * 8], 300)
    images = votes.described(cast, np.full(300, "fear"))
    kept, labels, _ = ferplus.labelled(cast)
    read = votes.clear_majority(images)
    assert np.flatnonzero(read.isin(ferplus.CLASSES)).tolist() == kept.tolist()
    assert read[kept].tolist() == [ferplus.CLASSES[label] for label in labels]
    assert 0 < len(kept) < 300


def test_outcomes_by_hand(table):
    assert votes.outcome(table).tolist() == [
        "the label",
        "a tie with the label",
        "another class",
        "a tie without the label",
        "none of the seven classes",
        "none of the seven classes",
    ]
    assert votes.agreement(table).loc["fear"].tolist() == [1, 1, 1, 1, 2]


def test_confusion_counts_every_image_once(table):
    counts = votes.confusion(table)
    assert counts.shape == (7, 11) and counts.to_numpy().sum() == 6
    assert {name: count for name, count in counts.loc["fear"].items() if count} == {
        "fear": 1, "neutral": 1, "contempt": 1, "no face": 1, "tied": 2,
    }  # fmt: skip


def test_ceilings_by_hand(table):
    # Training calls neutral faces fear and has never seen contempt, so its most voted class is answered.
    train = table.iloc[[2, 2, 2]].assign(usage="Training", label=["fear", "fear", "neutral"])
    both = pd.concat([table, train], ignore_index=True)
    found = votes.ceilings(both, np.array(["fear", "fear", "fear", "anger", "anger", "anger"])).set_index("model")
    assert found["right"].tolist() == [1, 2, 2, 3, 3, 3]  # a drawn tie: 1.5 right, rounded up; then 2.5
    assert (found["n"] == 6).all()
    assert found.loc[votes.BEST, "share"] == 0.5
    assert found.loc[votes.BEST, "low"] < 0.5 < found.loc[votes.BEST, "high"]


def test_voters_by_counting_every_voter(table):
    found = votes.voters(table)
    for i, counts in enumerate(table["counts"]):
        people = np.repeat(np.arange(len(counts.split())), np.array(counts.split(), int))
        alike, with_nine = [], []
        for own in range(10):
            others = np.delete(people, own)
            alike.append((others == people[own]).mean())
            said = np.bincount(others, minlength=people.max() + 1)
            most = np.flatnonzero(said == said.max())
            with_nine.append(np.isin(people[own], most) / len(most))
        assert found["two"][i] == pytest.approx(np.mean(alike))
        assert found["other_nine"][i] == pytest.approx(np.mean(with_nine))
    assert found["top"].tolist() == [1, 0.5, 0.6, 0.4, 0.6, 1]
    assert found["label"].tolist() == [1, 0.5, 0.3, 0.2, 0.3, 0]


def test_a_single_vote_agrees_with_nobody():
    table = votes.described(np.eye(1, 10, dtype=int), np.array(["neutral"]))
    (row,) = votes.voters(table).to_dict("records")
    assert row["top"] == row["label"] == 1
    assert np.isnan(row["two"]) and np.isnan(row["other_nine"])


def test_entropy_is_scipys(table):
    assert votes.entropies(table)[[0, 1, 2]].tolist() == pytest.approx([0, 1, entropy([0.6, 0.3, 0.1], base=2)])


def test_agreement_by_the_majoritys_votes(table):
    found = votes.by_top(table)
    assert found[["votes", "right", "n"]].to_numpy().tolist() == [[4, 0, 1], [5, 1, 1], [6, 0, 2], [10, 1, 2]]
    assert np.isnan(votes.counted(0, 0)["low"])


def test_entropies_are_counted_by_whether_the_label_is_the_majority(table):
    found = votes.entropy_counts(table)
    assert found["from"].iloc[0] == 0 and found["to"].iloc[-1] == 3
    sums = found[["label is the majority", "label is not the majority"]].sum()
    assert sums["label is the majority"] == (votes.outcome(table) == votes.OUTCOMES[0]).sum() and sums.sum() == len(
        table
    )
    assert (
        found.loc[0, ["label is the majority", "label is not the majority"]].sum()
        == (votes.entropies(table) == 0).sum()
    )
