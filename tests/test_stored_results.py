"""The stored results agree with one another: scores follow from the stored predictions, and members test what they say.

What scores and counts here is scikit-learn and pandas, not the functions that wrote the results.
"""

import json
from collections import defaultdict
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from fer_lib import paths
from fer_lib.occlusion_benchmark import Occlusion

FOLDERS = sorted(file.parent for file in paths.RESULTS.glob("*/*/metrics.csv"))
OCCLUDED = "occluded_predictions.csv.gz"
UNCOVERED = "none, none"


def each(folders):
    return pytest.mark.parametrize("folder", folders, ids=lambda folder: f"{folder.parent.name} {folder.name}")


@cache
def members(folder, table):
    """The rows of each (seed, fold)."""
    rows = pd.read_csv(folder / table, dtype={"frame_id": str, "subject": str}, keep_default_na=False, na_values="nan")
    return dict(iter(rows.groupby(["seed", "fold"])))


@each(FOLDERS)
def test_scores_follow_from_the_predictions(folder):
    metrics, predictions = members(folder, "metrics.csv"), members(folder, "predictions.csv.gz")
    history = members(folder, "history.csv")
    assert metrics.keys() == predictions.keys() == history.keys()
    record = json.loads((folder / "run.json").read_text())
    assert set(record["members"]) == {f"seed{seed}-fold{fold}" for seed, fold in metrics}
    for member, own in predictions.items():
        (scores,) = metrics[member].itertuples()
        assert own["frame_id"].is_unique and len(own) == scores.n_test
        shares = own.filter(like="p_").to_numpy()
        np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
        assert (own["prediction"] == shares.argmax(axis=1)).all()
        asked = (own["label"], own["prediction"])
        f1 = f1_score(*asked, labels=own["label"].unique(), average="macro", zero_division=0)
        assert scores.accuracy == pytest.approx(accuracy_score(*asked))
        assert scores.macro_f1 == pytest.approx(f1)
        assert history[member]["epoch"].tolist() == list(range(1, record["epochs"] + 1))
        assert history[member]["test_accuracy"].iloc[-1] == pytest.approx(scores.accuracy)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@each(FOLDERS)
def test_balanced_accuracy_is_that_of_the_predictions(folder):
    for member, own in members(folder, "predictions.csv.gz").items():
        balanced = balanced_accuracy_score(own["label"], own["prediction"])
        assert members(folder, "metrics.csv")[member]["balanced_accuracy"].item() == pytest.approx(balanced)


@each([folder for folder in FOLDERS if (folder / OCCLUDED).exists()])  # results older than this table lack it
def test_accuracies_under_occlusion_are_those_of_the_occluded_predictions(folder):
    clear, accuracies = members(folder, "predictions.csv.gz"), members(folder, "occlusion.csv")
    for member, own in members(folder, OCCLUDED).items():
        seen = clear[member].set_index("frame_id").loc[own["frame_id"]]
        assert (seen["label"].to_numpy() == own["label"].to_numpy()).all()
        # Batches of other frames round differently, which may decide a tie among nearest neighbours.
        assert (seen["prediction"].to_numpy() != own[UNCOVERED].to_numpy()).mean() < 0.002
        names = [str(Occlusion(row.kind, row.fill, row.level)) for row in accuracies[member].itertuples()]
        right = own[names].eq(own["label"], axis=0)
        np.testing.assert_allclose(accuracies[member]["accuracy"], right.mean())
        assert (accuracies[member]["n"] == len(own)).all()


def test_members_of_one_split_test_the_same_frames():
    tested, labels = {}, {}
    for folder in FOLDERS:
        record = json.loads((folder / "run.json").read_text())
        drawn = record["protocol"] in ("random", "sequence")
        for (seed, fold), own in members(folder, "predictions.csv.gz").items():
            split = (record["data_fingerprint"], record["protocol"], seed if drawn else None, fold)
            frames = frozenset(own["frame_id"])
            assert tested.setdefault(split, frames) == frames, f"{folder}, seed {seed}, fold {fold}"
            known = labels.setdefault(record["data_fingerprint"], {})
            found = dict(zip(own["frame_id"], own["label"], strict=True))
            assert known | found == found | known, f"{folder}, seed {seed}, fold {fold}: other labels"
            known |= found


def test_the_splits_of_ck_are_those_of_their_protocols():
    """A frame is named SUBJECT_SEQUENCE_FRAME."""
    tested = defaultdict(dict)
    for folder in FOLDERS:
        if folder.parent.name == "ckplus":
            protocol = json.loads((folder / "run.json").read_text())["protocol"]
            for member, own in members(folder, "predictions.csv.gz").items():
                tested[protocol][member] = own["frame_id"]
    folds = {fold: frames for (_, fold), frames in tested["subject"].items()}
    subjects = {fold: set(frames.str.split("_").str[0]) for fold, frames in folds.items()}
    assert sum(map(len, folds.values())) == 981 and len(set(pd.concat(folds))) == 981
    assert sum(map(len, subjects.values())) == len(set().union(*subjects.values())) == 118
    for (_, fold), frames in tested["inner"].items():
        assert set(frames) == {*folds[2 * fold], *folds[2 * fold + 1]}
    assert {len(frames) for frames in tested["random"].values()} == {181}
    for frames in tested["sequence"].values():
        assert len(frames) == 180
        assert set(frames.str.rsplit("_", n=1).str[0].value_counts()) == {3}
