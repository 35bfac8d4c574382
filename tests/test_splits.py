import numpy as np
import pandas as pd
import pytest

from fer_lib import splits
from fer_lib.datasets import synthetic
from fer_lib.faces import Faces
from fer_lib.splits import asked, exposure, split


@pytest.fixture(scope="module")
def faces():
    return synthetic.load()


def four_faces(labels=(0, 1, 0, 1), **columns):
    """Four faces, or as many as there are labels."""
    ids = list("abcdefg")[: len(labels)]
    frames = pd.DataFrame({"frame_id": ids, "subject": "", "sequence": "", "usage": "", **columns})
    return Faces("four", np.zeros((len(labels), 48, 48), np.uint8), np.array(labels), frames, ("no", "yes"))


def test_random_is_800_181_and_depends_on_the_seed(faces):
    parts = split(faces, "random", seed=3)
    assert (len(parts.train), len(parts.test)) == (800, 181)
    assert sorted([*parts.train, *parts.test]) == list(range(981))
    assert (split(faces, "random", seed=3).test == parts.test).all()
    assert (split(faces, "random", seed=4).test != parts.test).any()


def test_random_leaks_as_ck48_does(faces):
    seen = pd.DataFrame([exposure(faces, split(faces, "random", seed)) for seed in range(400)])
    # With 800 of 981 frames drawn, both twins of a test frame are missed with chance (180/980)(179/979) = 0.034.
    assert abs(seen["sequence"].mean() - 0.966) < 0.004
    assert abs(seen["subject"].mean() - 0.997) < 0.003


def test_sequence_keeps_sequences_whole(faces):
    parts = split(faces, "sequence", seed=1)
    assert len(parts.test) == 180
    seen = exposure(faces, parts)
    assert seen["sequence"] == 0
    assert 0 < seen["subject"] < 1


def test_subject_folds_are_every_tenth_subject(faces):
    folds = [split(faces, "subject", fold=fold) for fold in range(10)]
    subjects = np.unique(faces.frames["subject"])
    tested = [set(faces.frames["subject"].iloc[parts.test]) for parts in folds]
    assert [len(s) for s in tested] == [12] * 8 + [11] * 2
    assert tested[3] == set(subjects[3::10])
    assert sorted(np.concatenate([parts.test for parts in folds])) == list(range(981))
    assert all(exposure(faces, parts) == {"sequence": 0, "subject": 0} for parts in folds)


def test_usage_tests_the_private_frames():
    parts = split(four_faces(usage=["Training", "Training", "PublicTest", "PrivateTest"]), "usage")
    assert (parts.train.tolist(), parts.test.tolist(), parts.selection.tolist()) == ([0, 1], [3], [2])


def test_all_are_asked_unless_they_are_many(faces, monkeypatch):
    assert asked(faces, "subject").tolist() == list(range(981))
    monkeypatch.setattr(splits, "ASKED", 2)
    few = asked(four_faces(), "random")
    assert len(few) == 2 and few.tolist() == sorted(few) == asked(four_faces(), "subject").tolist()
    monkeypatch.setattr(splits, "ASKED", 327)
    assert set(asked(faces, "subject") % 3) == {0, 1, 2}, "of a sequence's three frames not always the same one"
    monkeypatch.setattr(splits, "ASKED", 118)
    assert faces.frames["subject"].iloc[asked(faces, "subject")].is_unique, "first a frame of each of 118 subjects"
    monkeypatch.setattr(splits, "ASKED", 2)
    of_five = four_faces((0, 1, 0, 1, 0, 1, 0), usage=["Training"] * 2 + ["PrivateTest"] * 5)
    assert asked(of_five, "usage").tolist() == [2, 5], "every third that is tested"


@pytest.mark.parametrize(
    ("faces_given", "protocol", "fold", "message"),
    [
        (four_faces(), "leave-one-out", 0, "unknown protocol 'leave-one-out'"),
        (four_faces(), "random", 1, "fold 1 of protocol 'random'"),
        (four_faces(), "subject", 0, "needs the subject of each frame"),
        (four_faces((0, 0, 0, 1), subject=list("abcd")), "subject", 3, "no training frame of yes"),
        (four_faces(usage=["Training"] * 4), "usage", 0, "no test frame"),
    ],
)
def test_impossible_splits_are_refused(faces_given, protocol, fold, message):
    with pytest.raises(ValueError, match=message):
        split(faces_given, protocol, fold=fold)


def test_draws_that_leave_a_class_out_are_left_out():
    rare = four_faces((0, 0, 0, 0, 0, 1), sequence=list("aabbcd"), subject=list("aabbcd"))
    kept = [seed for seed in range(8) if np.random.default_rng([seed, 0x5917]).permutation(list("abcd"))[0] != "d"]
    assert [seed for seed, _, _ in splits.draws(rare, "sequence", 8)] == kept and 0 < len(kept) < 8
    with pytest.raises(ValueError, match="no training frame of yes"):
        splits.draws(rare, "subject", 8)
    with pytest.raises(ValueError, match="needs the sequence of each frame"):
        splits.draws(four_faces((0, 1, 0, 1), sequence=[""] * 4), "sequence", 2)


def test_inner_folds_are_pairs_of_subject_folds(faces):
    for fold in range(5):
        inner = split(faces, "inner", fold=fold)
        both = [split(faces, "subject", fold=2 * fold + i).test for i in range(2)]
        assert inner.test.tolist() == sorted(np.concatenate(both))
        assert exposure(faces, inner)["subject"] == 0
    with pytest.raises(ValueError, match="fold 5 of protocol 'inner': it has folds 0 to 4"):
        split(faces, "inner", fold=5)
