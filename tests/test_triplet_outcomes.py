"""What becomes of triplets whose distances one can take in the head."""

import few_results
import numpy as np
import pandas as pd
import pytest
from few_results import SOFTMAX, TRIPLET

from fer_lib import results
from fer_lib.figures import triplet_plots
from fer_lib.findings import embedding_scores, triplet_outcomes
from fer_lib.findings.triplet_outcomes import CLOSE, NEARER, OUTCOMES, SOLVED, WRONG
from fer_lib.words import embedding_wording
from fer_lib.words.naming import label

RIGHT, ONE_WRONG = [0, 1, 9, 11], [0, 1, 3, 5]
"""Two frames of anger, then two of contempt, on a line. In the second, from 3 the positive is at 2, as one negative."""


def of_anchors(places, classes):
    return triplet_outcomes.of_anchors(np.array(places, float)[:, None], np.array(classes), margin=1.0)


def store(experiment, places, outside):
    """places: of the four test frames of each member; a training frame lies where it would change everything."""
    few_results.store(experiment, [1] * len(places), outside)
    rows = []
    for seed, own in enumerate(places):
        frames = pd.DataFrame({"label": [0, 0, 1, 1, 1], "tested": [True] * 4 + [False], "e0": [*own, 0.5]})
        rows.append(frames.assign(seed=seed, fold=0, frame_id=["a", "b", "c", "d", "e"], subject="S1"))
    results.write_csv(results.folder(experiment) / "embeddings.csv.gz", pd.concat(rows))


@pytest.fixture
def stored(listed):
    """Of triplet the last member collapsed."""
    listed(SOFTMAX, TRIPLET)
    store(SOFTMAX, [ONE_WRONG, ONE_WRONG, ONE_WRONG], [0, 0, 0])
    store(TRIPLET, [RIGHT, ONE_WRONG, [0, 0, 0, 0]], [0, 0, 1])


def test_by_less_than_the_margin_is_not_solved():
    # The squares of 1 and 1.3 differ by less than 1; from 1, the negative is at 0.3. It is alone: no anchor.
    found = of_anchors([0, 1, 1.3], [0, 0, 1])
    assert found["anchor"].tolist() == [0, 1]
    assert found[list(OUTCOMES)].values.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert of_anchors([0, 1, 1.3, 2], [0, 0, 1, 1]).loc[0, list(OUTCOMES)].tolist() == [0, 0.5, 0.5]
    solved = of_anchors([0, 1, np.sqrt(2)], [0, 0, 1]).loc[0, SOLVED]
    assert solved == 1, "by exactly the margin the loss is zero"


def test_a_negative_as_near_as_the_positive_counts_as_nearer():
    assert of_anchors([0, 1, -1], [0, 0, 1]).loc[0, WRONG] == 1


def test_as_every_triplet_of_pytorch_metric_learning():
    torch = pytest.importorskip("torch")
    from pytorch_metric_learning.utils.loss_and_miner_utils import get_all_triplets_indices

    rng = np.random.default_rng(0)
    points, classes = rng.normal(size=(30, 3)), rng.integers(0, 4, 30)
    anchor, positive, negative = get_all_triplets_indices(torch.from_numpy(classes))
    near, far = (((points[anchor] - points[other]) ** 2).sum(axis=1) for other in (positive, negative))
    oracle = pd.DataFrame({"anchor": anchor, WRONG: far <= near, SOLVED: far - near >= 1.0})
    oracle = oracle.groupby("anchor").mean()
    found = triplet_outcomes.of_anchors(points, classes, margin=1.0).assign(seed=0, fold=0)
    for outcome in (WRONG, SOLVED):
        own = triplet_outcomes.by_member(found, outcome)
        assert own.index.tolist() == [(0, 0)]
        assert own.item() == pytest.approx(oracle[outcome].mean())
    assert found[list(OUTCOMES)].sum(axis=1).to_numpy() == pytest.approx(1)


def test_negatives_of_frequent_emotions_count_as_often_as_they_are(listed, monkeypatch):
    # Two of anger, a contempt between them, three of disgust far away: one negative in four is nearer.
    found = of_anchors([0, 2, 1, 100, 110, 120], [0, 0, 1, 2, 2, 2]).query("label == 0").assign(seed=0, fold=0)
    assert triplet_outcomes.by_member(found, WRONG).item() == 1 / 4
    monkeypatch.setattr(triplet_outcomes, "of_members", lambda experiment: found)
    monkeypatch.setattr(results, "class_names", lambda experiment: ["anger", "contempt", "disgust"])
    assert triplet_outcomes.of_emotions(TRIPLET).values.tolist() == [
        ["anger", "contempt", 1 / 4, 1.0], ["anger", "disgust", 3 / 4, 0.0],
    ]  # fmt: skip


def test_collapsed_runs_are_left_out_and_softmax_has_no_margin(stored):
    table = triplet_outcomes.table("ckplus").set_index(["experiment", "outcome"])
    assert table["mean"].to_dict() == {
        ("softmax", WRONG): 1 / 8, ("softmax", NEARER): 7 / 8,
        ("triplet", WRONG): 1 / 16, ("triplet", CLOSE): 0, ("triplet", SOLVED): 15 / 16,
    }  # fmt: skip
    assert table["n"].groupby("experiment").unique().map(list).to_dict() == {"softmax": [3], "triplet": [2]}
    # The shares 0 and 1/8 have the standard error 1/16, and t(0.975, 1) is 12.7.
    assert table.loc[("triplet", WRONG), ["ci_low", "ci_high"]].tolist() == pytest.approx([0, 0.856637], abs=1e-5)


def test_runs_of_one_split_are_compared(stored):
    table = triplet_outcomes.compared("ckplus")
    assert table[["experiment", "less", "difference", "n"]].values.tolist() == [["triplet", "softmax", -1 / 16, 2]]
    assert triplet_outcomes.beside("ckplus", table) == [TRIPLET, SOFTMAX]
    assert embedding_wording.triplets_in_words(table).startswith(
        f"- **{label(TRIPLET)}**, protocol random: in 6.25 % of the triplets of test frames the negative is nearer "
        "than the positive, -6.25 ["
    )
    assert embedding_wording.triplets_in_words(table.assign(n=1)) == ""


def test_the_share_of_rare_emotions_is_told(stored):
    """One anchor has one rare negative, which is nearer, and three frequent ones, of which one is nearer."""
    own = {"anchor": 0, "label": 0, "negative": [1, 2], "count": [1, 3], WRONG: [1, 1 / 3], "seed": 0, "fold": 0}
    asked, among = triplet_outcomes.among_rarer(pd.DataFrame(own))
    assert asked == 1 / 4 and among.to_dict() == {(0, 0): pytest.approx(1 / 2)}
    said = embedding_wording.rare_triplets([TRIPLET, SOFTMAX])
    assert said == (
        f"- **{label(TRIPLET)}**: the rarer half of the pairs of emotions is 50 % of the triplets and 0.00 % of those "
        f"whose negative is nearer (n = 1); against {label(SOFTMAX)} +0.00 points (n = 1 pairs of runs)."
    )


def test_of_a_sequence_one_frame_is_asked(stored):
    """The last: without the first of each, a positive is left in neither class."""
    table = results.read(TRIPLET, "embeddings.csv.gz")
    table["frame_id"] = table["frame_id"].map({"a": "S1_1_1", "b": "S1_1_2", "c": "S1_2_1", "d": "S1_2_2"}).fillna("e")
    assert embedding_scores.one_a_sequence(table[:4])["frame_id"].tolist() == ["S1_1_2", "S1_2_2"]
    assert len(embedding_scores.one_a_sequence(table[:4].assign(subject=""))) == 4, "FER2013 has frames alone"
    results.write_csv(results.folder(TRIPLET) / "embeddings.csv.gz", table)
    assert triplet_outcomes.of_members(TRIPLET).empty


def test_without_embeddings_nothing_is_compared(listed):
    listed(SOFTMAX, TRIPLET)
    for experiment in (SOFTMAX, TRIPLET):
        few_results.store(experiment, [1, 1], [0, 0])
    table = triplet_outcomes.compared("ckplus")
    assert table.empty and triplet_outcomes.beside("ckplus", table) == []
    assert triplet_outcomes.table("ckplus").empty


def test_a_network_that_always_collapsed_is_not_drawn(listed):
    listed(TRIPLET)
    store(TRIPLET, [RIGHT, RIGHT], [1, 1])
    assert triplet_outcomes.table("ckplus").empty and triplet_outcomes.of_emotions(TRIPLET).empty


def test_every_bar_holds_all_triplets(stored):
    fig = triplet_plots.outcomes(triplet_outcomes.table("ckplus"))
    bars = fig.axes[0].patches
    ends = pd.DataFrame({"line": [round(bar.get_y(), 3) for bar in bars], "width": [bar.get_width() for bar in bars]})
    assert ends.groupby("line")["width"].sum().tolist() == pytest.approx([1, 1])
    assert [text.get_text() for text in fig.axes[0].get_yticklabels()] == [label(SOFTMAX), label(TRIPLET)]


def test_emotions_in_percent(stored, ax):
    triplet_plots.emotions(ax, triplet_outcomes.of_emotions(SOFTMAX))
    assert [text.get_text() for text in ax.texts] == ["0", "25"], "none where anchor and negative are of one emotion"
