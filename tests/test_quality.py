import json

import numpy as np
import pandas as pd
import pytest

from fer_lib import faces, paths
from fer_lib.datasets import ferplus
from fer_lib.datasets.fer2013 import CLASSES
from fer_lib.faces import DataError, Faces
from fer_lib.findings import quality
from fer_lib.measures import twins, votes
from fer_lib.words import quality_wording

USAGES = np.array((["Training"] * 4 + ["PrivateTest", "PublicTest"]) * 7)
LABELS = np.arange(42) // 6


def few() -> Faces:
    """Four Training, a PrivateTest and a PublicTest image of each class, of random blocks.

    The PrivateTest image of class 0 is its first Training image, that of class 1 a Training image of class 2.
    """
    blocks = np.random.default_rng(0).integers(0, 256, (42, 12, 12), dtype=np.uint8)
    images = blocks.repeat(4, axis=1).repeat(4, axis=2)
    images[4], images[10] = images[0], images[12]
    images[5] = 0
    frames = pd.DataFrame({"frame_id": [f"{i:05d}" for i in range(42)], "subject": "", "sequence": "", "usage": USAGES})
    return Faces("fer2013", images, LABELS.copy(), frames, CLASSES)


def cast() -> np.ndarray:
    """Nine votes for the label and one for unknown; on image 5, ten for no face."""
    found = np.zeros((42, 10), int)
    found[np.arange(42), [ferplus.CATEGORIES.index(CLASSES[i]) for i in LABELS]] = 9
    found[:, ferplus.CATEGORIES.index("unknown")] = 1
    found[5] = np.eye(10, dtype=int)[-1] * 10
    return found


@pytest.fixture
def measured(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    monkeypatch.setattr(faces, "load", lambda name: few())
    monkeypatch.setattr(ferplus, "votes", lambda data: cast())
    quality.measure()
    return tmp_path / "fer2013"


def test_measured_by_hand(measured):
    images, pairs, predictions = (quality.read(name) for name in ("images", "pairs", "predictions"))
    assert pairs.loc[pairs["identical"], ["first", "second"]].to_numpy().tolist() == [[0, 4], [10, 12]]
    assert images["constant"].to_numpy().nonzero()[0].tolist() == [5]
    assert images.loc[5, ["neighbour", "majority", "counts"]].tolist() == [-1, "no face", "10"]
    assert images.loc[0, ["frame_id", "usage", "label", "majority", "counts"]].tolist() == [
        "00000", "Training", "anger", "anger", "9 1",
    ]  # fmt: skip
    methods = predictions.groupby(["method", "training"]).size()
    assert methods.to_dict() == {
        **{(method, training): 7 for method in quality.METHODS for training in (quality.ALL, quality.CLEAN)},
        (quality.FITTED, quality.ALL): 7,
    }
    # The votes tell the label; the nearest image is the twin, right for class 0 and wrong for class 1.
    by_method = predictions[predictions["training"] == quality.ALL].set_index(["method", "frame_id"])["prediction"]
    assert (by_method[quality.FITTED] == list(CLASSES)).all()
    assert by_method["1-NN on pixels"][["00004", "00010"]].tolist() == [CLASSES[0], CLASSES[2]]
    run = json.loads((measured / "run.json").read_text())
    assert (run["dataset"], run["data_fingerprint"]) == ("fer2013", few().fingerprint)


def test_measured_twice_is_measured_alike(measured):
    first = {file.name: file.read_bytes() for file in measured.glob("*.gz")}
    assert set(first) == {"images.csv.gz", "pairs.csv.gz", "predictions.csv.gz"}
    quality.measure()
    assert {file.name: file.read_bytes() for file in measured.glob("*.gz")} == first


def test_twins_leave_the_clean_training_set(monkeypatch):
    trained = {}
    monkeypatch.setattr(
        quality, "_reference", lambda *given: trained.setdefault(len(given[3].train), given[3]).test * 0
    )
    pairs = pd.DataFrame({"first": [0, 10, 1], "second": [4, 12, 2]})
    quality.predictions(few(), cast(), pairs)
    assert sorted(trained) == [26, 28]
    assert set(trained[28].train) - set(trained[26].train) == {0, 12}


def test_tables_of_what_was_measured(measured):
    images, pairs, predictions = (quality.read(name) for name in ("images", "pairs", "predictions"))
    table = quality.twin_table(images, pairs).set_index(["kind", "usage"])
    assert table.loc[("exact", "PrivateTest"), ["images", "in_training", "disagree"]].tolist() == [7, 2, 1]
    assert table.loc[("exact", "Training"), ["within", "across", "in_training"]].tolist() == [0, 2, 0]
    assert quality.ambiguous(images, pairs) == 1
    nothing = quality.nothing_table(images).set_index("usage")
    assert nothing.loc["PublicTest"].tolist() == [7, 1, 1, 1, 0, 0]
    parts = quality.subsets(images, pairs)
    assert {name: len(ids) for name, ids in parts.items()} == {
        **dict(zip(quality.TWIN_PARTS, (7, 5, 5, 2), strict=True)),
        **dict(zip(quality.VOTE_PARTS, (7, 0), strict=True)),
    }
    scores = quality.scores(predictions, parts).set_index(["method", "part"])
    assert scores.loc[("1-NN on pixels", quality.TWIN), ["right", "n", "share"]].tolist() == [
        1,
        2,
        0.5,
    ]
    assert np.isnan(scores.loc[("1-NN on pixels", quality.VOTE_PARTS[1]), "share"])


def test_cleaned_is_paired_by_image():
    label = ["fear"] * 8
    right, wrong = "fear", "anger"
    with_twins = [right] * 6 + [wrong] * 2
    without = [right] + [wrong] * 5 + [right, wrong]
    rows = [
        pd.DataFrame({"frame_id": range(8), "label": label, "prediction": said, "training": training, "method": "x"})
        for training, said in ((quality.ALL, with_twins), (quality.CLEAN, without))
    ]
    (row,) = quality.cleaned(pd.concat(rows)).to_dict("records")
    assert (row["with_twins"], row["without"], row["lost"], row["gained"], row["n"]) == (0.75, 0.25, 5, 1, 8)
    assert row["difference"] == 0.5 and -0.25 < row["ci_low"] < 0.25 and row["ci_high"] == 1
    same = pd.concat([rows[0], rows[0].assign(training=quality.CLEAN)])
    assert quality.cleaned(same)["p"].tolist() == [1]


def test_results_that_are_nowhere_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no results .*images\.csv\.gz; run the notebook 08_fer2013"):
        quality.read("images")


def test_absent_votes_stop_the_measurement_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(faces, "load", lambda name: few())
    with pytest.raises(DataError, match="no FERPlus in"):
        monkeypatch.setattr(paths, "DATA", tmp_path)
        quality.measure()
    assert not (tmp_path / "results").exists()


def test_stored_results_say_what_the_page_says():
    images, pairs, predictions = (quality.read(name) for name in ("images", "pairs", "predictions"))
    assert images["usage"].value_counts().to_dict() == {"Training": 28709, "PublicTest": 3589, "PrivateTest": 3589}
    assert images["constant"].sum() == 12 and (images.loc[images["constant"], "majority"] == "no face").all()
    # The threshold is the lowest hundredth at which chance has at most 1 % of the pairs.
    shares = twins.chance_share(pairs, np.array([twins.NEAR - 0.01, twins.NEAR]))["share"]
    assert shares[0] > 0.01 >= shares[1]
    fitted = predictions[predictions["method"] == quality.FITTED]["prediction"].to_numpy()
    ceilings = votes.ceilings(images, fitted)
    said = quality_wording.answer(images, pairs, ceilings, quality.cleaned(predictions))
    assert "288 PrivateTest images (8.0%) have an exact twin in Training" in said
    assert "always predicts their majority, would score 62.58 % [60.98 to 64.15]; a classifier" in said
    assert "The intervals of 8 of 9 published accuracies lie entirely above both" in said
    beyond = ceilings.assign(high=1.0)
    assert "published accuracies" not in quality_wording.answer(images, pairs, beyond, quality.cleaned(predictions))


def test_printed_accuracies_are_whole_images():
    table = quality.published()
    assert table["accuracy"].is_monotonic_decreasing
    np.testing.assert_allclose(table["share"], table["accuracy"] / 100, atol=0.5 / 3589)
    assert ((table["low"] < table["share"]) & (table["share"] < table["high"])).all()


def test_likeness_and_similarities_by_hand():
    images = pd.DataFrame(
        {"similarity": [0.295, 0.555, 0.555, 1.0, np.nan], "mirrored": [False, False, True, False, False]}
    )
    counts = quality.similarity_counts(images).set_index("from")
    assert counts.loc[0.55, ["not mirrored", "mirrored"]].tolist() == [1, 1]
    assert counts.loc[0.99, "not mirrored"] == 1 and counts[["not mirrored", "mirrored"]].sum().sum() == 3
    pairs = pd.DataFrame(
        {
            "similarity": [0.52, 0.53, 1.0, 1.0],
            "mirrored": [True, False, False, False],
            "identical": [False, False, False, True],
            "same_label": [True, False, True, False],
            "same_majority": [True, True, False, False],
        }
    )
    found = quality.likeness(pairs)
    assert found.iloc[0][["from", "to", "pairs", "mirrored", "same_label", "same_majority"]].tolist() == [
        0.5,
        0.54,
        2,
        0.5,
        0.5,
        1,
    ]
    assert found.iloc[-2][["from", "pairs", "same_label"]].tolist() == [0.98, 1, 1], "as like as can be, not the same"
    assert found.iloc[-1][["from", "pairs", "same_label"]].tolist() == [1, 1, 0]
