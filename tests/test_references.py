import numpy as np
import pandas as pd
import pytest
from few_faces import few_faces

from fer_lib import paths
from fer_lib.measures import references
from fer_lib.splits import split


@pytest.fixture(scope="module")
def predictions():
    return references.predict_all(few_faces())


def test_every_reference_on_every_split(predictions):
    assert predictions.groupby("protocol")["method"].unique().map(list).tolist() == [list(references.METHODS)] * 3
    folds = predictions.groupby(["protocol", "method"])[["seed", "fold"]].agg(lambda values: values.nunique())
    assert folds.loc["random"].to_numpy().tolist() == [[10, 1]] * 3
    assert folds.loc["subject"].to_numpy().tolist() == [[1, 10]] * 3
    tested = predictions.query("protocol == 'subject' and method == 'majority class'")["frame_id"]
    assert sorted(tested) == sorted(few_faces().frames["frame_id"])


def test_majority_class_is_one_class_a_split(predictions):
    majority = predictions.query("method == 'majority class'")
    assert (majority.groupby(["protocol", "seed", "fold"])["prediction"].nunique() == 1).all()


def test_a_frame_that_was_trained_on_is_recognised():
    faces = few_faces()
    parts = split(faces, "random")
    seen = type(parts)(parts.train, parts.train[:20])
    features = references.hog_features(faces.images)
    assert features.shape == (84, 800)
    for method in ("1-NN on pixels", "HOG + linear SVM"):
        found = references.predict(method, faces, features, seen)
        assert (found == faces.labels[parts.train[:20]]).all()


def test_summary_by_hand():
    frames = pd.DataFrame({"seed": [0, 0, 1, 1], "fold": 0, "subject": list("abab"), "label": [0, 1, 0, 1]})
    frames["frame_id"] = frames["subject"]
    frames = frames.assign(protocol="random", method="x", prediction=[0, 1, 0, 0])
    (row,) = references.summary(frames).to_dict("records")
    assert (row["mean"], row["n"]) == (0.75, 2)
    # Macro F1 of the second split: 2/3 and 0.
    assert row["macro_f1"] == pytest.approx((1 + 1 / 3) / 2)
    (row,) = references.summary(frames.assign(protocol="subject")).to_dict("records")
    assert row["mean"] == 0.75 and np.isnan(row["ci_low"]), "two subjects"


def test_stored_twice_is_stored_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    table = references.store(few_faces())
    first = {file.name: file.read_bytes() for file in (tmp_path / "synthetic").iterdir()}
    assert set(first) == {"references.csv", "reference_predictions.csv.gz"}
    references.store(few_faces())
    assert {file.name: file.read_bytes() for file in (tmp_path / "synthetic").iterdir()} == first
    said = references.in_words(table)
    assert (
        said.startswith("References without a network, on the same splits: 1-NN on pixels ") and "majority" not in said
    )
    assert said.count("(subject)") == 2
    np.testing.assert_allclose(pd.read_csv(tmp_path / "synthetic" / "references.csv")["mean"], table["mean"])
