import numpy as np
import pandas as pd
import pytest
from few_faces import few_faces

from fer_lib import paths, results
from fer_lib.experiments import Experiment
from fer_lib.findings import tables
from fer_lib.measures import occluded_references, references
from fer_lib.occlusion_benchmark import CLEAN, SUITE, TARGETED
from fer_lib.splits import split

ASKED = [one for one in (CLEAN, *SUITE) if one not in TARGETED]
PLAIN, TAUGHT = occluded_references.METHODS[-2:]


def test_the_references_are_asked_about_every_face_under_every_occlusion(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    data = few_faces()
    occluded_references.store(data)
    table = results.of_data_set(data.name, occluded_references.TABLE)
    assert table.columns[5:].tolist() == [str(one) for one in ASKED]
    for _, own in table.groupby("method"):
        assert sorted(own["frame_id"]) == sorted(data.frames["frame_id"])
    parts = split(data, "subject", fold=3)
    own = table[(table["method"] == PLAIN) & (table["fold"] == 3)]
    features = references.hog_features(data.images)
    assert own[str(CLEAN)].tolist() == references.predict(PLAIN, data, features, parts).tolist()


def test_copies_are_each_face_under_rectangles_of_its_own():
    data = few_faces()
    copies = occluded_references._covered_copies(data)
    assert len(copies) == 10 * len(data)
    assert (copies.labels[: len(data)] == data.labels).all() and (copies.labels[-len(data) :] == data.labels).all()
    black = (copies.images == 0) & (np.tile(data.images, (len(copies) // len(data), 1, 1)) > 0)
    share = black.mean(axis=(1, 2))
    assert 0.1 < share.mean() < 0.25 and share.max() < 0.34, "2 to 33 % of a face, uniform"
    first, second = (black[k * len(data)] for k in (0, 1))
    assert (first != second).any(), "another copy, another rectangle"


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Four subjects, a frame each: the network is right on all, the references on clear faces, and on b's always."""
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    arm = Experiment("network", "ckplus", protocol="subject", loss="softmax")
    about = pd.DataFrame({"fold": [0, 0, 1, 1], "frame_id": list("pqrs"), "subject": list("abcd"), "label": 1})
    said = {str(one): [1, 1, 1, 1] if one == CLEAN else [0, 1, 0, 0] for one in ASKED}
    methods = occluded_references.METHODS
    table = pd.concat([pd.DataFrame({**about, **said}).assign(method=method) for method in methods])
    results.write_csv(tmp_path / "ckplus" / occluded_references.TABLE, table)
    answers = about.assign(seed=0, **{str(one): 1 for one in ASKED})
    monkeypatch.setattr(occluded_references, "arms", lambda dataset: [arm])
    monkeypatch.setattr(
        occluded_references, "right",
        lambda arm, weights: answers[["seed", "fold", "frame_id", "subject"]].assign(score=1.0),
    )  # fmt: skip
    monkeypatch.setattr(tables, "of_one_kind", lambda found, *used: found)
    return arm


def test_scores_by_hand(stored):
    table = occluded_references.scores("ckplus").set_index(["method", "score"])["mean"]
    assert table[PLAIN].tolist() == pytest.approx([1, 0.25, 0.25])
    assert occluded_references.scores("own").empty, "they were not asked there"


def test_a_network_is_held_against_what_was_taught_the_same(stored, monkeypatch):
    table = occluded_references.against("ckplus")
    assert table["reference"].unique().tolist() == [TAUGHT] and table["n"].tolist() == [4] * 3
    assert table["difference"].tolist() == pytest.approx([0, 0.75, 0.75])
    shown = occluded_references.readable(table)
    assert shown["unseen"].item().startswith("+75.00 [") and shown["reference"].item() == TAUGHT
    bare = Experiment("bare", "ckplus", protocol="subject", loss="softmax", occlusion="none")
    monkeypatch.setattr(occluded_references, "arms", lambda dataset: [bare])
    assert occluded_references.against("ckplus")["reference"].unique().tolist() == [PLAIN]
