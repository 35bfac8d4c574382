import numpy as np
import pandas as pd
import pytest

from fer_lib.faces import Faces
from fer_lib.measures.leakage import expected, ladder, readable


@pytest.fixture
def subjects():
    """Twenty subjects, two emotions, three frames each; a face is its person's grey, and hardly its emotion's."""
    rows = [(person, emotion, frame) for person in range(20) for emotion in range(2) for frame in range(3)]
    images = np.stack([np.full((48, 48), 12 * person + 3 * emotion, np.uint8) for person, emotion, _ in rows])
    frames = pd.DataFrame(
        {
            "frame_id": [f"S{person:03d}_{emotion:03d}_{frame:08d}" for person, emotion, frame in rows],
            "subject": [f"S{person:03d}" for person, _, _ in rows],
            "sequence": [f"S{person:03d}_{emotion:03d}" for person, emotion, _ in rows],
            "usage": "",
        }
    )
    return Faces("subjects", images, np.array([emotion for _, emotion, _ in rows]), frames, ("no", "yes"))


def test_each_protocol_takes_one_crutch_away(subjects):
    leaks = ladder(subjects, seeds=5).set_index("protocol")
    assert list(leaks.index) == ["random", "sequence", "subject"]
    assert leaks["splits"].tolist() == [5, 5, 10]
    assert leaks.loc["random", "nearest is same person"] == 1
    # Without its sequence the nearest image is the same person's other emotion; without the person, another's.
    assert leaks.loc["sequence", "sequence seen"] == 0
    assert leaks.loc["sequence", "nearest is same person"] > 0.7
    assert leaks.loc["subject", ["sequence seen", "subject seen", "nearest is same person"]].tolist() == [0, 0, 0]


def test_what_a_random_test_gives_away_is_expected_exactly():
    """Two subjects with a sequence of two frames each; two of the four frames are tested, or one of the sequences."""
    frames = pd.DataFrame({"frame_id": list("abcd"), "sequence": list("xxyy"), "subject": list("ppqq")})
    # Of the three frames beside a tested one its twin is one, and one more is tested: unseen with a chance of 1/3.
    # A sequence is absent if both tested frames are the other's: 1 of 6 pairs. So 2 frames in 2 * 5/6 sequences.
    for frame in (expected(frames, "frame_id", 2), expected(frames.assign(subject="p"), "frame_id", 2)):
        assert frame["sequence seen"] == pytest.approx(2 / 3)
        assert frame["frames a sequence"] == pytest.approx(1.2)
    assert frame["subject seen"] == 1 and frame["frames a subject"] == 2
    whole = expected(frames, "sequence", 1)
    assert whole == {"sequence seen": 0, "frames a sequence": 2, "subject seen": 0, "frames a subject": 2}
    assert expected(frames.assign(subject="p"), "sequence", 1)["subject seen"] == 1


def test_of_ck_nearly_every_test_frame_has_a_twin_in_training():
    frames = pd.DataFrame({"frame_id": range(981), "sequence": np.arange(981) // 3, "subject": np.arange(981) // 3})
    assert expected(frames, "frame_id")["sequence seen"] == pytest.approx(1 - 180 / 980 * 179 / 979)


def test_unknown_subjects_are_left_out(subjects):
    unknown = subjects.frames.assign(subject="", sequence="", usage=["Training", "PrivateTest"] * 60)
    leaks = ladder(Faces("f", subjects.images, subjects.labels, unknown, subjects.classes), seeds=2)
    assert leaks["protocol"].tolist() == ["random", "usage"]
    assert "subject seen" not in leaks
    assert readable(leaks).columns.tolist() == ["protocol", "splits", "test frames"]


def test_shares_are_shown_in_percent(subjects):
    leaks = ladder(subjects, seeds=1)
    shown = readable(leaks)
    assert shown["sequence in training, %"].tolist()[1:] == ["0.00", "0.00"]
    assert shown["subject in training, %"].iloc[2] == shown["nearest image: same subject, %"].iloc[2] == "0.00"
    a_sequence = shown["test frames per sequence"].tolist()
    assert a_sequence == leaks["frames a sequence"].tolist(), "rounded in the cell, and once"
    assert a_sequence[1:] == pytest.approx([3, 3]) and shown["test frames per subject"].iloc[2] == 6
