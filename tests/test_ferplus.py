import zipfile

import numpy as np
import pandas as pd
import pytest

from fer_lib import ferplus
from fer_lib.faces import DataError, Faces
from fer_lib.fer2013 import CLASSES

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
    found = ferplus.load(three_faces(), tmp_path)
    assert found.tolist() == VOTES
    assert found.shape[1] == len(ferplus.CATEGORIES)


def test_votes_in_a_zip_that_begin_with_a_mark(tmp_path):
    with zipfile.ZipFile(tmp_path / "FERPlus-master.zip", "w") as archive:
        archive.writestr("FERPlus-master/fer2013new.csv", text(*ROWS).encode("utf-8-sig"))
    assert ferplus.load(three_faces(), tmp_path).tolist() == VOTES


def test_absent_votes_say_where_to_get_them(tmp_path):
    with pytest.raises(DataError, match=r"no FERPlus in .*take it from github.com/microsoft/FERPlus"):
        ferplus.load(three_faces(), tmp_path)


def test_image_folders_do_not_tell_the_row(tmp_path):
    (tmp_path / "fer2013new.csv").write_text(text(*ROWS))
    folders = three_faces(("PrivateTest_00000003", "Training_00000001", "Training_00000002"))
    with pytest.raises(DataError, match=r"FERPlus counts the rows of fer2013.csv.*put fer2013.csv into"):
        ferplus.load(folders, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "begins with ''; wanted is usage,image name,neutral"),
        (text(*ROWS, header=HEADER.replace("sadness,anger", "anger,sadness")), "begins with 'Usage,Image name,neutral"),
        (text(*ROWS[:2]), "has 2 rows where FER2013 has 3: download it again"),
        (text(ROWS[0], ROWS[1], ROWS[0]), "row 2: usage is 'Training', that of fer2013.csv 'PrivateTest'"),
        (text(ROWS[0], ROWS[1], ROWS[2] + ",0"), "row 2 has 13 columns, the header 12"),
        (text(ROWS[0].replace("4", "-4"), *ROWS[1:]), "row 0: '-4' is no number of votes"),
        (text(ROWS[0].replace("4", "four"), *ROWS[1:]), "row 0: 'four' is no number of votes"),
        (text(ROWS[0].replace("4", "5"), *ROWS[1:]), "row 0 has 11 votes; wanted are 1 to 10"),
        (text(ROWS[0], ROWS[1].replace("10", "0"), ROWS[2]), "row 1 has 0 votes"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, content, message):
    (tmp_path / "fer2013new.csv").write_text(content)
    with pytest.raises(DataError, match=message):
        ferplus.load(three_faces(), tmp_path)
