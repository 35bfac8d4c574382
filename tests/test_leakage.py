import numpy as np
import pandas as pd
import pytest

from fer_lib.faces import Faces
from fer_lib.leakage import ladder, readable


@pytest.fixture
def people():
    """Twenty people, two emotions, three frames each; a face is its person's grey, and hardly its emotion's."""
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
    return Faces("people", images, np.array([emotion for _, emotion, _ in rows]), frames, ("no", "yes"))


def test_each_protocol_takes_one_crutch_away(people):
    leaks = ladder(people, seeds=5).set_index("protocol")
    assert list(leaks.index) == ["random", "sequence", "subject"]
    assert leaks["splits"].tolist() == [5, 5, 10]
    assert leaks.loc["random", "nearest is same person"] == 1
    # Without its sequence the nearest image is the same person's other emotion; without the person, another's.
    assert leaks.loc["sequence", "sequence seen"] == 0
    assert leaks.loc["sequence", "nearest is same person"] > 0.7
    assert leaks.loc["subject", ["sequence seen", "subject seen", "nearest is same person"]].tolist() == [0, 0, 0]


def test_unknown_people_are_left_out(people):
    unknown = people.frames.assign(subject="", sequence="", usage=["Training", "PrivateTest"] * 60)
    leaks = ladder(Faces("f", people.images, people.labels, unknown, people.classes), seeds=2)
    assert leaks["protocol"].tolist() == ["random", "usage"]
    assert "subject seen" not in leaks
    assert readable(leaks).columns.tolist() == ["protocol", "splits", "test frames"]


def test_shares_are_shown_in_percent(people):
    assert readable(ladder(people, seeds=1))["subject seen"].tolist() == ["100.00", "100.00", "0.00"]
