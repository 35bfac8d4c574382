"""Scores of predictions whose values one can work out by hand."""

import numpy as np
import pandas as pd
import pytest
from few_faces import few_faces

from fer_lib.occlusion_benchmark import CLEAN, FILLS, SUITE, Occlusion, OcclusionBenchmark
from fer_lib.occlusion_scores import SCORES, by_occlusion, scores, under_curve

LABELS, SUBJECTS = np.array([0, 1, 0, 1]), ["p", "p", "q", "q"]
ENDS = ["mean", "ci_low", "ci_high"]


@pytest.fixture
def predictions():
    """Right on clear faces; with the eyes covered for the first two faces, p's; wrong elsewhere."""
    right = {"none": [True] * 4, "eyes": [True, True, False, False]}
    columns = {str(one): np.where(right.get(one.kind, [False] * 4), LABELS, 1 - LABELS) for one in (CLEAN, *SUITE)}
    return pd.DataFrame(columns)


def test_weights_add_up_and_leave_out_what_training_shows():
    for weights in SCORES.values():
        assert sum(weights.values()) == pytest.approx(1)
    unseen = SCORES["unseen"]
    assert {one.kind for one in SUITE} - {one.kind for one in unseen} == {"rectangle", "square", "targeted"}
    assert len(unseen) == 53
    assert unseen[Occlusion("eyes", "black")] == pytest.approx(1 / 8 / 5)
    assert unseen[Occlusion("patches", "noise", 0.25)] == pytest.approx(1 / 8 / 20)


def test_area_under_the_curve_is_the_trapezoid():
    levels, accuracy = np.array([0, 0.1, 0.25, 0.4, 0.5]), np.array([1, 0.9, 0.5, 0.4, 0.1])
    weights = under_curve("noise")
    assert [one.level for one in weights] == levels.tolist()
    assert np.dot(list(weights.values()), accuracy) == pytest.approx(np.trapezoid(accuracy, levels) / 0.5)
    assert len(SCORES["area under the curve"]) == 1 + 4 * len(FILLS)


def test_scores_over_subjects_and_over_faces(predictions):
    table = scores(predictions, LABELS, SUBJECTS)
    assert table["score"].tolist() == ["clean", "black rectangle", "unseen", "area under the curve", "kept"]
    assert (table["n"] == 2).all()
    found = table.set_index("score")[ENDS]
    assert found["mean"].tolist() == pytest.approx([1, 0, 1 / 16, 0.1, 1 / 16]), "the curve falls to 0 at 10 of 50 %"
    assert found[["ci_low", "ci_high"]].isna().all(axis=None), "two subjects"
    alone = scores(predictions, LABELS).set_index("score")
    assert (alone["n"] == 4).all()
    assert alone.loc["unseen", ENDS].tolist() == alone.loc["kept", ENDS].tolist() == pytest.approx([1 / 16, 0, 1 / 8])
    assert alone.loc[["clean", "black rectangle"], ["ci_low", "ci_high"]].isna().all(axis=None)


def test_one_row_per_occlusion_says_what_training_has_seen(predictions):
    benchmark = OcclusionBenchmark(few_faces().images[:8])
    table = by_occlusion(benchmark, predictions, LABELS, SUBJECTS, [1, 3, 5, 7])
    assert len(table) == len(SUITE) and (table["n"] == 2).all()
    assert set(table.loc[table["seen"], "kind"]) == {"rectangle", "square"}
    eyes = table.query("kind == 'eyes'")
    assert eyes["fill"].tolist() == list(FILLS) and (eyes["mean"] == 0.5).all() and eyes["ci_low"].isna().all()
    assert (table.loc[table["kind"] != "eyes", "mean"] == 0).all()
    severity = table.set_index(["kind", "fill", "level"])["severity"]
    assert severity["square", "black", 24] == 24**2 / 48**2 and severity["patches", "noise", 0.25] == 0.25
    with pytest.raises(ValueError, match="rows choose 8 faces of the benchmark, but there are predictions of 4"):
        by_occlusion(benchmark, predictions, LABELS)


def test_what_does_not_fit_is_refused(predictions):
    with pytest.raises(ValueError, match=r"labels have shape \(3,\); predictions of 4 faces need shape \(4,\)"):
        scores(predictions, LABELS[:3])
    with pytest.raises(ValueError, match=r"subjects have shape \(4, 1\); predictions of 4 faces need shape \(4,\)"):
        scores(predictions, LABELS, np.array(SUBJECTS)[:, None])
    with pytest.raises(ValueError, match="labels are <U5; they must be class numbers, 0 for the model's first output"):
        scores(predictions, ["anger", "fear"] * 2)
    with pytest.raises(ValueError, match="predictions lack columns such as 'mouth, black'; OcclusionBenchmark"):
        scores(predictions.drop(columns="mouth, black"), LABELS)


@pytest.mark.parametrize(
    ("subjects", "missing"),
    [
        ([None] * 4, 4),
        ([np.nan] * 4, 4),
        (["p", np.nan, "q", None], 2),
        (["p", np.nan, "q", "q"], 1),
        (pd.Series(["p", "p", pd.NA, "q"]), 1),
        (pd.Categorical(["p", None, "q", "q"]), 1),
    ],
)
def test_a_face_without_a_subject_is_refused(predictions, subjects, missing):
    said = rf"subjects are missing \(None or NaN\) for {missing} of 4 faces; say who is on each, or pass no subjects"
    with pytest.raises(ValueError, match=said):
        scores(predictions, LABELS, subjects)
    with pytest.raises(ValueError, match=said):
        by_occlusion(OcclusionBenchmark(np.zeros((4, 48, 48), np.uint8)), predictions, LABELS, subjects)


def test_a_subject_may_be_called_nan(predictions):
    assert (scores(predictions, LABELS, ["nan", "nan", "q", "q"])["n"] == 2).all()
