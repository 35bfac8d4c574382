import zipfile

import numpy as np
import pandas as pd
import pytest

from fer_lib.datasets import fer2013, ferplus
from fer_lib.datasets.fer2013 import CLASSES
from fer_lib.faces import DataError, Faces

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
ROWS = [
    "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0",
    "Training,,0,0,0,0,0,0,0,0,0,10",
    "PrivateTest,x,0,9,0,0,0,0,0,0,0,0",
]
VOTES = [[4, 0, 0, 1, 3, 2, 0, 0, 0, 0], [0] * 9 + [10], [0, 9, 0, 0, 0, 0, 0, 0, 0, 0]]


def three_faces(ids=("00000", "00001", "00002")) -> Faces:
    frames = pd.DataFrame({"frame_id": ids, "usage": ["Training", "Training", "PrivateTest"]})
    return Faces("fer2013", np.zeros((3, 48, 48), np.uint8), np.zeros(3, np.int64), frames, CLASSES)


def text(*rows, header=HEADER) -> str:
    return "\r\n".join([header, *rows]) + "\r\n"


def test_votes_are_those_of_the_rows(tmp_path):
    (tmp_path / "FERPlus").mkdir()
    (tmp_path / "FERPlus" / "fer2013new.csv").write_text(text(*ROWS))
    found = ferplus.votes(three_faces(), tmp_path)
    assert found.tolist() == VOTES
    assert found.shape[1] == len(ferplus.CATEGORIES)


def test_votes_in_a_zip_that_begin_with_a_mark(tmp_path):
    with zipfile.ZipFile(tmp_path / "FERPlus-master.zip", "w") as archive:
        archive.writestr("FERPlus-master/fer2013new.csv", text(*ROWS).encode("utf-8-sig"))
    assert ferplus.votes(three_faces(), tmp_path).tolist() == VOTES


def test_absent_votes_say_where_to_get_them(tmp_path):
    with pytest.raises(DataError, match=r"no FERPlus in .*take it from github.com/microsoft/FERPlus"):
        ferplus.votes(three_faces(), tmp_path)


def test_image_folders_do_not_tell_the_row(tmp_path):
    (tmp_path / "fer2013new.csv").write_text(text(*ROWS))
    folders = three_faces(("PrivateTest_00000003", "Training_00000001", "Training_00000002"))
    with pytest.raises(DataError, match=r"FERPlus refers to the rows of fer2013.csv.*put fer2013.csv into"):
        ferplus.votes(folders, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "begins with '' instead of usage,image name,neutral"),
        ('"' + "x" * 200_000, "fer2013new.csv is not valid CSV .*: download it again"),
        (text(*ROWS, header=HEADER.replace("sadness,anger", "anger,sadness")), "begins with 'Usage,Image name,neutral"),
        (text(*ROWS[:2]), "has 2 rows where FER2013 has 3: download it again"),
        (text(ROWS[0], ROWS[1], ROWS[0]), "row 2: usage is 'Training', but 'PrivateTest' in fer2013.csv"),
        (text(ROWS[0], ROWS[1], ROWS[2] + ",0"), "row 2 has 13 columns, the header 12"),
        (text(ROWS[0].replace("4", "-4"), *ROWS[1:]), "row 0: '-4' is not a number of votes"),
        (text(ROWS[0].replace("4", "four"), *ROWS[1:]), "row 0: 'four' is not a number of votes"),
        (text(ROWS[0].replace("4", "5"), *ROWS[1:]), "row 0 has 11 votes; it must have 1 to 10"),
        (text(ROWS[0], ROWS[1].replace("10", "0"), ROWS[2]), "row 1 has 0 votes"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, content, message):
    (tmp_path / "fer2013new.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        ferplus.votes(three_faces(), tmp_path)


def cast(**votes) -> list[int]:
    return [votes.get(name.replace(" ", "_"), 0) for name in ferplus.CATEGORIES]


def test_a_label_has_more_than_half_of_the_votes_that_no_category_has_alone():
    happiness, anger, contempt = (ferplus.CLASSES.index(name) for name in ("happiness", "anger", "contempt"))
    kept, labels, shares = ferplus.labelled(
        np.array(
            [
                cast(happiness=6, neutral=2, surprise=1, fear=1),  # the single ones are dropped: 6 of 8
                cast(happiness=5, sadness=5),  # half is not more than half
                cast(anger=4, sadness=3, fear=1, disgust=1, contempt=1),  # 4 of the 7 that are left
                cast(anger=4, sadness=2, fear=2),
                cast(unknown=6, neutral=4),
                cast(no_face=10),
                cast(neutral=1, happiness=1, unknown=1),  # nothing is left
                cast(contempt=6, unknown=2, neutral=2),  # shares are of the votes for a class: 6 of 8
            ]
        )
    )
    assert kept.tolist() == [0, 2, 7]
    assert (labels.tolist(), labels.dtype) == ([happiness, anger, contempt], np.int64)
    assert (shares.shape, shares.dtype) == ((3, 8), np.float32)
    assert shares[0].tolist() == [0.25, 0.75, 0, 0, 0, 0, 0, 0]
    assert shares[1].tolist() == pytest.approx([0, 0, 0, 3 / 7, 4 / 7, 0, 0, 0])
    assert shares[2].tolist() == [0.25, 0, 0, 0, 0, 0, 0, 0.75]


def test_faces_are_those_of_fer2013_with_a_label(tmp_path, monkeypatch):
    fer = three_faces()
    fer.images[2] = 7
    monkeypatch.setattr(fer2013, "load", lambda data_dir: fer)
    (tmp_path / "fer2013new.csv").write_text(text(ROWS[0].replace("4,0,0,1", "5,0,0,0"), *ROWS[1:]))
    found = ferplus.load(tmp_path)
    assert (found.name, len(found.classes)) == ("ferplus", 8)
    assert found.frames["frame_id"].tolist() == ["00002"]
    assert found.frames["usage"].tolist() == ["PrivateTest"]
    assert found.images.max(axis=(1, 2)).tolist() == [7]
    assert [found.classes[label] for label in found.labels] == ["happiness"]
    assert found.votes.tolist() == [[0, 1, 0, 0, 0, 0, 0, 0]]
    assert not found.may_be_shown.any()


def test_votes_go_with_the_faces_and_into_the_fingerprint():
    images, labels = np.arange(3, dtype=np.uint8).repeat(48 * 48).reshape(3, 48, 48), np.arange(3)
    frames = pd.DataFrame({"frame_id": list("abc")})
    shares = np.eye(3, 8, dtype=np.float32)
    without = Faces("ferplus", images, labels, frames, ferplus.CLASSES)
    given = Faces("ferplus", images, labels, frames, ferplus.CLASSES, shares)
    assert given.take(np.array([2, 0])).votes.tolist() == shares[[2, 0]].tolist()
    assert without.take(np.array([2, 0])).votes is None
    other = Faces("ferplus", images, labels, frames, ferplus.CLASSES, shares[::-1])
    assert len({without.fingerprint, given.fingerprint, other.fingerprint}) == 3
    assert given.fingerprint == given.take(np.arange(3)).fingerprint
