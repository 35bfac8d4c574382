import zipfile

import pytest
from PIL import Image

from fer_lib import fer2013, images, paths
from fer_lib.faces import DataError
from fer_lib.fer2013 import COUNTS, USAGES

HEADER = "emotion,pixels,Usage"
GREYS = [" ".join([str(grey)] * 48**2) for grey in range(7)]


# Fourteen faces stand for the 35,887; the official counts have a test of their own.
ROWS = [(i % 7, "Training" if i < 10 else "PublicTest" if i < 12 else "PrivateTest") for i in range(14)]


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(fer2013, "COUNTS", dict.fromkeys(fer2013.CLASSES, 2))
    monkeypatch.setattr(fer2013, "USAGES", {"Training": 10, "PublicTest": 2, "PrivateTest": 2})


def test_official_counts():
    assert sum(COUNTS.values()) == sum(USAGES.values()) == 35_887
    assert (COUNTS["happiness"], COUNTS["disgust"], USAGES["Training"]) == (8989, 547, 28_709)


@pytest.fixture
def table():
    return [HEADER, *(f"{label},{GREYS[label]},{usage}" for label, usage in ROWS)]


def write(lines, file):
    file.write_text("\n".join(lines) + "\n")
    return file


def test_csv_zip_and_icml_give_the_same_faces(table, tmp_path):
    places = [tmp_path / name for name in ("csv", "zip", "icml")]
    for place in places:
        place.mkdir()
    write(table, places[0] / "fer2013.csv")
    with zipfile.ZipFile(places[1] / "fer2013.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.write(places[0] / "fer2013.csv", "fer2013/fer2013.csv")
    icml = ["emotion, Usage, pixels", *(f"{label},{usage},{GREYS[label]}" for label, usage in ROWS)]
    write(icml, places[2] / "icml_face_data.csv")
    loaded = [fer2013.load(place) for place in places]
    assert {faces.fingerprint for faces in loaded} == {loaded[0].fingerprint}
    faces = loaded[0]
    assert (len(faces), faces.images.shape[1:], faces.classes[3]) == (14, (48, 48), "happiness")
    assert (faces.images[:, 47, 47] == faces.labels).all()
    assert faces.frames["usage"].value_counts().to_dict() == fer2013.USAGES
    assert faces.frames["frame_id"].iloc[[0, -1]].tolist() == ["00000", "00013"]


def test_image_folders(tmp_path):
    folders = list(fer2013.FOLDERS)
    for i, (label, usage) in enumerate(ROWS):
        folder = tmp_path / ("train" if usage == "Training" else "test") / folders[label]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (48, 48), 10 * i).save(folder / f"{usage}_{1000 + i}.jpg")
    faces = fer2013.load(tmp_path)
    assert faces.frames["frame_id"].tolist()[:3] == [
        "PrivateTest_00001012",
        "PrivateTest_00001013",
        "PublicTest_00001010",
    ]
    assert faces.frames["usage"].tolist() == ["PrivateTest"] * 2 + ["PublicTest"] * 2 + ["Training"] * 10
    assert faces.images[:, 0, 0].tolist() == [120, 130, 100, 110, *range(0, 100, 10)]
    assert faces.labels.tolist() == [5, 6, 3, 4, 0, 1, 2, 3, 4, 5, 6, 0, 1, 2]
    (tmp_path / "train" / "angry" / "face.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"face.jpg is not named <class>/Training_123.jpg"):
        fer2013.load(tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"7,{GREYS[0]},Training", "row 0: emotion is '7'; it must be 0 to 6"),
        (f"0,{GREYS[0]} 5,Training", "row 0: 2305 pixels; 2304 are wanted"),
        (f"0,{GREYS[0][:-2]},Training", "row 0: 2303 pixels"),
        (f"0,{GREYS[0][:-1]}300,Training", "row 0: pixel '300' is no grey value"),
        (f"0,{GREYS[0][:-1]}-1,Training", "row 0: pixel '-1' is no grey value"),
        (f"0,{GREYS[0][:-1]}x,Training", "row 0: pixel 'x' is no grey value"),
        (f"1,{GREYS[1]},Training", "1 faces of anger where FER2013 has 2"),
        (f"0,{GREYS[0]},PublicTest", "9 faces of Training where FER2013 has 10"),
    ],
)
def test_a_wrong_row_is_named(table, tmp_path, line, message):
    lines = [HEADER, line, *(table[2:] if "faces of" in message else table[2:4])]
    write(lines, tmp_path / "fer2013.csv")
    with pytest.raises(DataError, match=message):
        fer2013.load(tmp_path)


def test_absent_headless_and_cut_short(table, tmp_path):
    with pytest.raises(DataError, match=r"no FER2013 in .*fer2013.csv.*data/README.md"):
        fer2013.load(tmp_path)
    (tmp_path / "fer2013.zip").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(DataError, match=r"fer2013.zip is not a whole zip file"):
        fer2013.load(tmp_path)
    with zipfile.ZipFile(tmp_path / "fer2013.zip", "w") as archive:
        archive.writestr("readme.txt", "")
    with pytest.raises(DataError, match=r"fer2013.zip holds neither fer2013.csv nor icml_face_data.csv"):
        fer2013.load(tmp_path)
    write(table[1:3], tmp_path / "fer2013.csv")
    with pytest.raises(DataError, match=r"fer2013.csv has no column emotion, pixels, usage"):
        fer2013.load(tmp_path)


def test_wrong_image_is_named():
    with pytest.raises(DataError, match=r"broken.jpg cannot be read"):
        images.grey_face("broken.jpg", b"")
