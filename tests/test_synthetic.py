"""The synthetic faces: the shape of CK+48, the same bytes each time, and expressions where a face has them."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from sklearn.neighbors import KNeighborsClassifier

from fer_lib import splits
from fer_lib.datasets import synthetic
from fer_lib.datasets.face_drawing import draw
from fer_lib.faces import EMOTIONS


@pytest.fixture(scope="module")
def faces():
    return synthetic.load()


@pytest.fixture(scope="module")
def units():
    """Intensity of each action unit (column) in each frame (row)."""
    rows = {frame_id: units for _, _, _, frame_id, _, units, _, _ in synthetic._recordings()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(synthetic.MOVES)).fillna(0.0)


def middle(ranges):
    return {name: (low + high) / 2 for name, (low, high) in ranges.items()}


def change(action_units):
    """Grey-level change, (48, 48), that the action units make in the average face seen from the front."""
    frontal = middle(synthetic.VIEW) | {"light_u": 0.0}
    identity = middle(synthetic.IDENTITY)
    drawn = [draw(synthetic.control_points(identity, units), frontal) for units in ({}, action_units)]
    return np.abs(drawn[1] - drawn[0])


def test_counts_are_those_of_ckplus(faces):
    assert faces.images.shape == (981, 48, 48)
    assert faces.images.dtype == np.uint8
    assert faces.classes == EMOTIONS
    assert np.bincount(faces.labels).tolist() == [135, 54, 177, 75, 207, 84, 249]
    assert faces.frames["subject"].nunique() == 118
    assert set(faces.frames.groupby("sequence").size()) == {3}
    per_subject = faces.frames.groupby("subject")["sequence"].nunique()
    assert per_subject.value_counts().sort_index().to_dict() == {1: 21, 2: 22, 3: 47, 4: 20, 5: 7, 6: 1}


def test_a_sequence_has_one_emotion_and_a_subject_poses_none_twice(faces):
    table = faces.frames.assign(label=faces.labels)
    assert (table.groupby("sequence")["label"].nunique() == 1).all()
    assert (table.groupby(["subject", "label"])["sequence"].nunique() == 1).all()


def test_names_are_built_like_those_of_ckplus_and_sorted(faces):
    ids = faces.frames["frame_id"]
    assert ids.str.fullmatch(r"S\d{3}_\d{3}_\d{8}").all()
    assert ids.is_unique
    assert ids.is_monotonic_increasing
    assert (ids.str[:4] == faces.frames["subject"]).all()
    assert (ids.str[:8] == faces.frames["sequence"]).all()
    assert (faces.frames["usage"] == "").all()


def test_faces_drawn_again_have_the_same_bytes(faces):
    assert synthetic.load().fingerprint == faces.fingerprint


def test_frames_of_a_sequence_are_near_twins(faces):
    pixels = faces.images.reshape(len(faces), -1)[:, ::8]
    distance = cdist(pixels, pixels, "cityblock")
    subject, sequence = (faces.frames[column].to_numpy(dtype=str) for column in ("subject", "sequence"))
    same_subject, same_sequence = subject[:, None] == subject, sequence[:, None] == sequence
    twins = np.median(distance[same_sequence & ~np.eye(len(faces), dtype=bool)])
    assert 2 * twins < np.median(distance[same_subject & ~same_sequence])
    assert 5 * twins < np.median(distance[~same_subject])


def test_action_units_are_the_prototype_and_at_most_a_faint_stray_one(faces, units):
    assert units.index.tolist() == faces.frames["frame_id"].tolist()
    assert units.columns.tolist() == list(synthetic.MOVES)
    assert units.to_numpy().min() == 0
    assert units.to_numpy().max() <= 1
    for label, emotion in enumerate(EMOTIONS):
        own = set(synthetic.PROTOTYPES[emotion])
        shown = units[faces.labels == label]
        if emotion == "contempt":
            on_left = shown["AU14L"] > shown["AU14R"]
            assert 0 < on_left.mean() < 1
            shown = shown[~on_left]
        assert (shown[list(own)] > 0).all(axis=None)
        rest = shown.drop(columns=list(own))
        assert (rest > 0).sum(axis=1).max() == 1
        assert rest.max(axis=None) <= 0.3


def test_action_units_rise_to_the_apex(units):
    first, second, apex = (units.to_numpy()[k::3] for k in range(3))
    np.testing.assert_allclose(first, 0.8 * apex)
    np.testing.assert_allclose(second, 0.9 * apex)


def test_smiling_moves_the_mouth_and_leaves_forehead_and_hair_alone():
    smile = change({"AU12": 1.0})
    assert smile[:12].max() == 0
    assert smile[30:44, 8:40].sum() > 0.8 * smile.sum()
    assert smile.max() > 0.2
    assert change({"AU12": 0.5}).sum() < smile.sum()


def test_raised_brows_leave_the_lower_face_alone():
    brows = change({"AU1": 1.0, "AU2": 1.0})
    assert brows[24:].max() == 0
    assert brows[:24].max() > 0.2


def test_a_one_sided_unit_moves_the_subjects_own_side():
    right = change({"AU14R": 1.0})
    assert right[:, 27:].max() == 0
    assert right[:, :24].max() > 0.2
    np.testing.assert_allclose(change({"AU14L": 1.0})[:, ::-1], right, atol=0.02)


def test_every_action_unit_shows():
    for code in synthetic.MOVES:
        assert change({code: 1.0}).max() > 0.05, code


def test_an_unknown_action_unit_is_an_error():
    with pytest.raises(ValueError, match="unknown action unit 'AU99'"):
        synthetic.control_points(middle(synthetic.IDENTITY), {"AU99": 1.0})


def nearest_neighbour_accuracy(faces, parts):
    pixels = faces.images.reshape(len(faces), -1).astype(np.float32)
    hits = [
        KNeighborsClassifier(1).fit(pixels[part.train], faces.labels[part.train]).predict(pixels[part.test])
        == faces.labels[part.test]
        for part in parts
    ]
    return np.concatenate(hits).mean()


def test_difficulty_lies_between_trivial_and_hopeless(faces):
    seen = nearest_neighbour_accuracy(faces, [splits.split(faces, "random")])
    unseen = nearest_neighbour_accuracy(faces, [splits.split(faces, "subject", fold=fold) for fold in range(10)])
    assert seen > 0.9
    assert 0.32 < unseen < 0.5  # always saying surprise is right on 249 of 981: 0.254


def test_an_expression_is_where_its_action_units_are(faces, units):
    chosen = [faces.frames["frame_id"][faces.labels == k].iloc[2] for k in (0, 4)]
    anger, happiness = synthetic.expression_changes(chosen)
    assert anger.shape == (48, 48) and anger.max() > 0.1
    assert anger[:20].sum() > happiness[:20].sum(), "anger lowers the brows"
    assert happiness[30:].sum() > 2 * happiness[:20].sum(), "happiness opens the mouth"
    assert happiness[:8].max() < 0.01, "nothing happens on the forehead"
    with pytest.raises(KeyError, match="no synthetic frame 'S999'"):
        synthetic.expression_changes(["S999"])
