import numpy as np
import pandas as pd
import pytest

from fer_lib import paths, results
from fer_lib.experiments import Experiment
from fer_lib.figures import embedding_maps

TRIPLET = Experiment("triplet", "ckplus")
FRAMES = [f"S001_001_{i:08d}" for i in range(12)]


def store(points):
    tested = np.arange(12) < 9
    frames = pd.DataFrame({"seed": 0, "fold": 0, "frame_id": FRAMES, "subject": "S001", "label": 1, "tested": tested})
    frames = frames.assign(**{f"e{i}": column for i, column in enumerate(points.round(6).T)})
    results.write_csv(results.folder(TRIPLET) / "embeddings.csv.gz", pd.concat([frames, frames.assign(seed=1)]))
    predictions = frames.loc[tested, ["seed", "fold", "frame_id"]].assign(prediction=3, p_fear=0.2, p_joy=0.8)
    results.write_csv(results.folder(TRIPLET) / "predictions.csv.gz", predictions)
    finished = pd.DataFrame({"seed": [0, 1], "fold": 0})
    results.write_csv(results.folder(TRIPLET) / "metrics.csv", finished)


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch):
    """Twelve points; UMAP, which takes half a minute to import, is replaced by the first two dimensions."""
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    calls = []
    monkeypatch.setattr(embedding_maps, "umap_map", lambda points, seed: calls.append(seed) or points[:, :2] + seed)
    store(np.random.default_rng(0).normal(size=(12, 3)))
    return calls


def test_maps_are_stored_and_used_again(study):
    made = embedding_maps.maps(TRIPLET)
    file = results.folder(TRIPLET) / "maps.csv.gz"
    content = file.read_bytes()
    assert made.groupby(["method", "map_seed"]).size().to_dict() == {
        ("PCA", 0): 12,
        ("UMAP", 0): 12,
        ("UMAP", 1): 12,
        ("UMAP", 2): 12,
        ("t-SNE", 0): 12,
    }
    pd.testing.assert_frame_equal(embedding_maps.maps(TRIPLET), made)
    assert study == [0, 1, 2] and file.read_bytes() == content
    assert (made[["x", "y"]].round(4) == made[["x", "y"]]).all(axis=None)


def test_other_embeddings_get_other_maps(study):
    before = embedding_maps.maps(TRIPLET)
    store(np.random.default_rng(1).normal(size=(12, 3)))
    after = embedding_maps.maps(TRIPLET)
    assert study == [0, 1, 2, 0, 1, 2]
    assert set(before["fingerprint"]).isdisjoint(after["fingerprint"])
    pd.testing.assert_frame_equal(embedding_maps.maps(TRIPLET), after)


def test_a_new_member_changes_no_map(study):
    embedding_maps.maps(TRIPLET)
    table = results.read(TRIPLET, "embeddings.csv.gz")
    results.write_csv(results.folder(TRIPLET) / "embeddings.csv.gz", pd.concat([table, table.assign(seed=2)]))
    embedding_maps.maps(TRIPLET)
    assert study == [0, 1, 2]


def test_every_frame_has_its_place_and_test_frames_their_prediction():
    points = embedding_maps.located(TRIPLET, "UMAP", 1)
    assert points["frame_id"].tolist() == FRAMES
    assert points["prediction"].tolist() == [3] * 9 + [-1] * 3
    assert set(points["emotion"]) == {"joy"}, "the classes are those of the results, whatever the data set"
    own = embedding_maps.first_member(TRIPLET)
    assert points["x"].to_numpy() == pytest.approx(own["e0"].to_numpy() + 1, abs=1e-4)


def test_points_in_one_place_are_a_map_too():
    store(np.ones((12, 3)))
    made = embedding_maps.maps(TRIPLET)
    assert (made.loc[made["method"] != "UMAP", ["x", "y"]] == 0).all(axis=None)


def test_without_embeddings_there_is_no_map():
    (results.folder(TRIPLET) / "embeddings.csv.gz").unlink()
    with pytest.raises(ValueError, match="has no embeddings; train triplet with 01_train"):
        embedding_maps.maps(TRIPLET)


def test_every_map_beside_another():
    table = embedding_maps.every_map(TRIPLET).set_index("frame_id")
    alone = embedding_maps.located(TRIPLET, "t-SNE").set_index("frame_id")
    assert table["t-SNE 0 y"].to_dict() == alone["y"].to_dict()
    assert table.columns.tolist()[:5] == ["subject", "label", "emotion", "tested", "prediction"]
    assert table.shape == (12, 5 + 10)
