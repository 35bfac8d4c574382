"""Scores from stored answers whose values one can work out by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from few_faces import few_faces
from few_results import add

from fer_lib import occlusion_scores, results
from fer_lib.comparisons import TWO_KINDS
from fer_lib.experiments import Experiment, Member
from fer_lib.findings import claims, questions, robustness
from fer_lib.occlusion_benchmark import CLEAN, FILLS, SUITE, WINDOWS, OcclusionBenchmark, window_name
from fer_lib.words import occlusion_wording
from fer_lib.words.naming import label

WITH = Experiment("with", dataset="synthetic", protocol="subject", folds=2, loss="softmax")
WITHOUT = replace(WITH, experiment="without", occlusion="none")


def answers(right_under, subjects):
    """Four frames of class 0 and 1, each right under the occlusions that `right_under` is true of, else wrong."""
    frames = pd.DataFrame({"frame_id": list("abcd"), "subject": subjects, "label": [0, 1, 0, 1]})
    columns = {str(one): frames["label"] if right_under(one) else 1 - frames["label"] for one in (CLEAN, *SUITE)}
    windows = {window_name(*corner): frames["label"] for corner in WINDOWS}
    windows[window_name(0, 0)] = 1
    return pd.concat([frames, pd.DataFrame({**columns, **windows}, index=frames.index)], axis=1)


def store(experiment, right_under, seed=0):
    for fold, subjects in enumerate((["p", "p", "q", "q"], ["r", "r", "s", "s"])):
        frames = answers(right_under, subjects)
        predictions = frames[["frame_id", "subject", "label"]].assign(prediction=0, p_fear=0.5, p_anger=0.5)
        tables = {"predictions.csv.gz": predictions, "occluded_predictions.csv.gz": frames}
        add(experiment, Member(seed, fold), tables | {"metrics.csv": pd.DataFrame({"accuracy": [1.0]})})


@pytest.fixture
def stored(listed):
    listed(WITH, WITHOUT)
    store(WITH, lambda one: one.kind in ("none", "rectangle", "eyes"))
    store(WITHOUT, lambda one: one.kind == "none")


def test_scores_by_hand(stored):
    table = robustness.robustness_table("synthetic").set_index(["experiment", "score"])["mean"]
    assert table["with", "clean"] == table["without", "clean"] == 1
    assert (table["with", "black rectangle"], table["without", "black rectangle"]) == (1, 0)
    assert table["with", "unseen"] == table["with", "kept"] == pytest.approx(1 / 8), "eyes of 8 kinds"
    assert table["without", "unseen"] == 0
    kinds = robustness.by_kind(WITH).set_index("kind")["mean"]
    assert kinds[kinds == 1].index.tolist() == ["none", "rectangle", "eyes"] and (kinds.isin([0, 1])).all()


def test_the_benchmarks_own_table_has_the_same_numbers(stored):
    asked = results.read(WITH, "occluded_predictions.csv.gz")
    for one in SUITE:
        if one.kind == "eyes":
            asked[str(one)] = asked["label"].where(asked["subject"] != "p", 1 - asked["label"])
    results.write_csv(results.folder(WITH) / "occluded_predictions.csv.gz", asked)
    said = asked[[str(one) for one in (CLEAN, *SUITE)]], asked["label"], asked["subject"]
    table, ends = occlusion_scores.scores(*said).set_index("score"), ["mean", "ci_low", "ci_high"]
    stored_table = robustness.robustness_table("synthetic").query("experiment == 'with'").set_index("score")
    pd.testing.assert_frame_equal(table[ends], stored_table[ends], check_exact=True)
    assert table["n"].tolist() == stored_table["subjects"].tolist() == [4] * 5
    # One of four subjects fails; of so few, the interval reaches from always the same one to always another.
    assert table.loc["unseen", ends].tolist() == pytest.approx([3 / 4 / 8, 0, 1 / 8])
    rows = occlusion_scores.by_occlusion(OcclusionBenchmark(few_faces().images[:8]), *said)
    assert [tuple(row) for row in rows[ends].to_numpy()] == [
        pytest.approx(robustness.score(WITH, {one: 1.0}), nan_ok=True) for one in SUITE
    ]


def test_accuracy_by_kind_and_level(stored):
    table = robustness.by_level(WITH).set_index("occlusion")
    assert len(table) == 1 + 1 + 3 + 6 + 4 + 3, "clear; rectangle, squares, parts, patches, salt and pepper"
    assert table.index[table["seen"]].tolist() == ["rectangle", "square 8 px", "square 16 px", "square 24 px"]
    assert table.index[table["mean"] == 1].tolist() == ["none", "rectangle", "eyes"]
    shown = occlusion_wording.readable_levels({"a": table.reset_index(), "b": table.reset_index()})
    assert list(shown) == ["occlusion", "a", "b"] and shown["occlusion"].tolist()[:3] == [
        "none", "rectangle (seen)", "square 8 px (seen)",
    ]  # fmt: skip
    assert shown.loc[[1, 2], "a"].tolist() == ["100.0", "0.0"], "nobody differs, so there is no interval"


def test_questions_are_paired_by_subjects(stored):
    found = questions.compared("synthetic").set_index("score")
    assert set(found["question"]) == {"training with occlusion"} and (found["n"] == 4).all()
    assert found.loc["unseen", "difference"] == pytest.approx(1 / 8)
    assert found.loc["clean", "difference"] == 0
    assert found.loc["eyes", ["difference", "ci_low", "ci_high"]].tolist() == [1, 1, 1], "everybody gains as much"
    assert found["p"].isna().all(), "trained once"
    readable = questions.readable(found.reset_index())
    by_fill = [f"unseen, {fill}" for fill in FILLS]
    kinds = [kind for kind in robustness.KINDS if kind != "targeted"]
    assert readable["score"].tolist() == [
        "clean", "black rectangle", "unseen", *by_fill, "unseen, not black", *kinds,
    ]  # fmt: skip
    found.loc["eyes", "verdict"] = "supported"
    gained, decided = questions.wide(found.reset_index())
    assert gained.columns.tolist() == list(questions.DRAWN.values()), "without the fills"
    assert gained.index.tolist() == ["training with occlusion\n(softmax, epochs 100)"]
    assert gained["unseen"].item() == pytest.approx(1 / 8)
    assert decided.loc[:, ["clear", "eyes"]].values.tolist() == [[False, True]]
    mixed = found.reset_index().assign(verdict=TWO_KINDS)
    assert questions.wide(mixed)[0].empty, "what mixes two kinds of outcome is no gain"
    assert readable["gain"].iloc[-1] == "+0.00 [+0.00\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}+0.00]"


def test_an_initialisation_that_only_one_arm_has_counts_in_its_mean(stored):
    store(WITH, lambda one: False, seed=1)
    assert robustness.gain(WITH, WITHOUT, occlusion_scores.SCORES["unseen"])["difference"] == pytest.approx(1 / 16)
    (found,) = questions.where_training_with_occlusion_helps("synthetic").values()
    assert found.loc["rectangle"].tolist() == [0.5] * 5
    unseen = occlusion_scores.SCORES["unseen"]
    assert robustness.gain(WITH, WITHOUT, unseen, folds=[1])["n"] == 2
    assert claims.difference(WITH, WITHOUT, covered=True)["difference"] == 0.5, "under the black rectangle"


def test_starts_are_apart_and_a_fold_that_lost_the_face_takes_the_interval(stored):
    fine, unseen = replace(WITH, experiment="fine", pretrained="other"), occlusion_scores.SCORES["unseen"]
    store(fine, lambda one: True)
    assert robustness.gain(fine, WITHOUT, unseen)["pairs"] == "subjects in 1 start and 2 single runs (2 and 2 runs)"
    history = pd.DataFrame({"seed": 0, "fold": [0, 1], "epoch": WITH.epochs, "grid_outside": [0.0, 1.0]})
    results.write_csv(results.folder(WITH) / "history.csv", history)
    assert robustness.gain(WITH, WITHOUT, unseen)["verdict"] == TWO_KINDS
    mean, *ends = robustness.score(WITH, unseen)
    assert mean == pytest.approx(1 / 8) and np.isnan(ends).all()


def test_members_are_the_unit_under_other_protocols(stored):
    arm = replace(WITH, experiment="random", protocol="random", seeds=3, folds=1)
    for seed, kinds in enumerate((("none", "mouth"), ("none",), ("none",))):
        frames = answers(lambda one, kinds=kinds: one.kind in kinds, list("pqrs"))
        add(arm, Member(seed, 0), {"occluded_predictions.csv.gz": frames})
    mouth = occlusion_scores.equally([one for one in SUITE if one.kind == "mouth"])
    mean, low, high = robustness.score(arm, mouth)
    assert (mean, low, high) == (pytest.approx(1 / 3), 0, 1), "members at 1, 0 and 0: Student's interval, cut"
    two = robustness.right(arm, mouth).query("seed < 2")
    assert np.isnan(robustness.interval_over(arm, two, two["score"])[1:]).all(), "two are too few"


def test_the_commonest_class(stored):
    table = results.read(WITH, "occluded_predictions.csv.gz")
    results.write_csv(results.folder(WITH) / "occluded_predictions.csv.gz", table.query("label == 0 or fold == 1"))
    assert robustness.commonest([WITH]) == pytest.approx(4 / 6)
    assert robustness.commonest([WITH, WITHOUT]) == pytest.approx(8 / 14)


def test_the_part_of_the_face_that_is_needed(stored):
    loss = robustness.needed(WITH).set_index(["emotion", "top", "left"])["loss"]
    first, second = loss.index.unique("emotion")
    assert len(loss) == 2 * 36 and loss[second].max() == 0, "class 1 is right wherever the square is"
    assert loss[first, 0, 0] == 1, "class 0 is lost when the top left corner, under one window, is covered"
    assert loss[first, 8, 8] == 0.25 and loss[first, 40, 40] == 0, "four windows cover this cell, one of them costs"
    store(WITH, lambda one: False)
    assert (robustness.needed(WITH).query("emotion == @second")["loss"] == -1).all(), "wrong on clear faces alone"


def test_members_that_were_never_asked_are_named(stored):
    assert robustness.not_asked("synthetic").empty
    results.write_csv(
        results.folder(WITH) / "occluded_predictions.csv.gz",
        results.read(WITH, "occluded_predictions.csv.gz").query("fold == 1"),
    )
    assert robustness.not_asked("synthetic").values.tolist() == [["subject", label(WITH), "1 of 2"]]


def test_members_beyond_those_that_are_listed_were_asked_too(stored, listed):
    listed(replace(WITH, folds=1), WITHOUT)
    assert robustness.not_asked("synthetic").empty


def test_who_was_asked_about_fewer_faces_does_not_compare(stored):
    asked = results.read(WITH, "occluded_predictions.csv.gz").query("frame_id != 'a'")
    results.write_csv(results.folder(WITH) / "occluded_predictions.csv.gz", asked)
    assert robustness.by_protocol([WITH, WITHOUT]) == {"subject": [WITHOUT]}


def test_what_mixes_two_kinds_of_outcome_is_compared_again_without_them(stored):
    """Of the arm with occlusion the member of fold 1 collapsed: fold 0 alone is left, with two subjects."""
    history = pd.DataFrame({"seed": 0, "fold": [0, 1], "epoch": WITH.epochs, "grid_outside": [0.0, 1.0]})
    results.write_csv(results.folder(WITH) / "history.csv", history)
    found = questions.compared("synthetic", ("clean", "unseen"))
    first, again = "training with occlusion", "training with occlusion, collapsed runs left out"
    assert found["question"].tolist() == [first, first, again, again]
    assert found["n"].tolist() == [4, 4, 2, 2] and (found["verdict"] == TWO_KINDS).tolist() == [
        True,
        True,
        False,
        False,
    ]
    assert questions.where_training_with_occlusion_helps("synthetic") == {}


def test_nothing_is_kept_by_two_kinds_of_outcome(stored):
    """Of two members one has collapsed: it keeps all of its few right answers, which says nothing."""
    history = pd.DataFrame({"seed": 0, "fold": [0, 1], "epoch": WITH.epochs, "grid_outside": [0.0, 1.0]})
    results.write_csv(results.folder(WITH) / "history.csv", history)
    table = robustness.robustness_table("synthetic").set_index(["label", "score"])
    assert np.isnan(table.loc[(label(WITH), "kept"), "mean"]) and table.loc[(label(WITH), "unseen"), "mean"] == 0.125
    assert table.loc[(label(WITHOUT), "kept"), "mean"] == 0


def cover():
    """Store the covered shares: half of the face under the paper's rectangle, a quarter else."""
    table = pd.DataFrame([{"kind": one.kind, "fill": one.fill, "level": one.level} for one in (CLEAN, *SUITE)])
    table["severity"] = 0.25
    table.loc[(table["kind"] == "rectangle") & (table["fill"] == "black"), "severity"] = 0.5
    results.write_csv(results.folder(WITH) / "occlusion.csv", pd.concat([table.assign(seed=0, fold=k) for k in (0, 1)]))


def test_the_share_that_a_score_covers(stored):
    cover()
    scores = occlusion_scores.SCORES
    assert robustness.covered(WITH, scores["black rectangle"]) == 0.5
    assert robustness.covered(WITH, scores["unseen"]) == pytest.approx(0.25)


def test_what_breaks_a_network(stored):
    cover()
    asked = results.read(WITH, "occluded_predictions.csv.gz")
    said = {"eyes": asked["label"], "left": 0}
    others = asked["label"].where(asked["subject"] != "p", 0)
    asked = asked.assign(**{str(one): said.get(one.kind, others) for one in SUITE})
    results.write_csv(results.folder(WITH) / "occluded_predictions.csv.gz", asked)
    assert occlusion_wording.what_breaks_it("synthetic") == (
        f"Of the kinds of occlusion, each over its severities and fills, protocol subject, {label(WITH)} is right "
        "least often with the left half covered, 50.00 % (25 % of the face), and most often with the eyes covered, "
        "100.00 % (25 % of the face). With the left half covered it loses most recall on anger: from 100.00 to "
        "0.00 % of 4 predictions (picked for its size)."
    )


def test_recall_of_each_emotion_under_each_cover(stored):
    table = robustness.recall([WITH]).set_index(["emotion", "kind"])
    assert len(table) == 2 * 7 and (table["n"] == 4).all(), "two frames of each class in two folds"
    assert (table["recall"] == table.index.get_level_values("kind").isin(["none", "eyes"])).all()


def test_gains_by_fill_in_short(stored):
    # Of seven unseen kinds, eyes are right with it in each of five fills; salt and pepper has a fill of its own.
    said = questions.fills_in_short("synthetic")
    assert said.startswith("Under unseen kinds occlusion in training (softmax) gains +")
    assert " where they are black, as in training, " in said and said.endswith(" where another face covers.")
    store(WITH, lambda one: one == CLEAN or one.fill == "black")
    assert questions.fills_in_short("synthetic") == (
        "Under unseen kinds occlusion in training (softmax) gains +100.0 (not resolvable) where they are black, as in "
        "training, +0.0 (not resolvable) over the other fills, and +0.0 (not resolvable) where another face covers."
    )


def test_readable_table_marks_what_was_seen(stored):
    shown = robustness.readable(robustness.robustness_table("synthetic")).set_index("method")
    assert shown["black rectangle"].str.endswith(", seen").tolist() == [True, False]
    assert shown["black rectangle"].iloc[1].endswith(", unseen")
    assert list(shown.columns[2:]) == [*occlusion_scores.SCORES, "kept"]


def test_nothing_was_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(robustness, "measured", lambda dataset: [])
    with pytest.raises(ValueError, match="no experiment of synthetic was tested on the occlusion benchmark"):
        robustness.arms("synthetic")


def test_where_training_with_occlusion_helps(stored):
    (found,) = questions.where_training_with_occlusion_helps("synthetic").values()
    assert found.columns.tolist() == list(FILLS)
    assert found.loc["rectangle"].tolist() == [1] * 5 and found.loc["mouth"].tolist() == [0] * 5
    assert "salt and pepper" not in found.index, "it has no fill of its own"


def test_arms_without_a_common_member_that_was_asked_are_not_compared(stored):
    asked = results.read(WITHOUT, "occluded_predictions.csv.gz")
    results.write_csv(results.folder(WITHOUT) / "occluded_predictions.csv.gz", asked[:0])
    assert questions.compared("synthetic").empty
