import io
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from fer_lib.datasets import fer2013
from fer_lib.datasets.fer2013 import CLASSES, COUNTS, USAGES
from fer_lib.faces import DataError

pytestmark = pytest.mark.usefixtures("own_cache")

FOLDERS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
GREYS = [" ".join([str(label)] * 48**2) for label in range(7)]
LABELS = np.random.default_rng(0).permutation(np.repeat(range(7), list(COUNTS.values())))
USAGE = np.repeat(list(USAGES), list(USAGES.values()))


def write_csv(stream, columns="emotion,pixels,Usage", labels=LABELS, usages=USAGE):
    """One row per label; the pixels of a face are all equal to its label."""
    stream.write(f"{columns}\n")
    for label, usage in zip(labels, usages, strict=True):
        cells = {"emotion": str(label), "pixels": GREYS[label], "usage": usage}
        stream.write(",".join(cells[name.strip().lower()] for name in columns.split(",")) + "\n")


def bare_csv(root, **options):
    root.mkdir(exist_ok=True)
    with (root / "fer2013.csv").open("w") as stream:
        write_csv(stream, **options)


def zipped_csv(root, member="icml_face_data.csv", **options):
    (root / "below").mkdir(parents=True)
    with (
        zipfile.ZipFile(root / "below" / "archive.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(member, "w") as binary,
        io.TextIOWrapper(binary) as stream,
    ):
        write_csv(stream, **options)


def check(faces):
    assert (faces.name, faces.classes, faces.labels.dtype) == ("fer2013", CLASSES, np.int64)
    assert faces.images.shape == (35887, 48, 48)
    assert (faces.images == faces.labels[:, None, None]).all()
    assert np.bincount(faces.labels).tolist() == [4953, 547, 5121, 8989, 6077, 4002, 6198]
    assert faces.frames["usage"].value_counts().to_dict() == USAGES
    assert (faces.frames[["subject", "sequence"]] == "").all(axis=None)
    assert faces.frames["frame_id"].is_monotonic_increasing


@pytest.mark.parametrize(
    ("lay", "options"),
    [(bare_csv, {}), (zipped_csv, {"columns": "emotion, Usage, pixels"})],
    ids=["fer2013.csv", "icml_face_data.csv in a zip below"],
)
def test_csv(own_cache, tmp_path, lay, options):
    lay(tmp_path / "data", **options)
    faces = fer2013.load(tmp_path / "data")
    check(faces)
    np.testing.assert_array_equal(faces.labels, LABELS)
    assert faces.frames["frame_id"].iloc[[0, -1]].tolist() == ["00000", "35886"]
    assert faces.frames["usage"].iloc[[28708, 28709, 32298]].tolist() == ["Training", "PublicTest", "PrivateTest"]
    assert fer2013.load(tmp_path / "data").fingerprint == faces.fingerprint
    assert len(list(own_cache.iterdir())) == 1


def test_image_folders(tmp_path):
    jpegs = [tmp_path / f"{label}.jpg" for label in range(7)]
    root = tmp_path / "data"
    for label, file in enumerate(jpegs):
        Image.new("L", (48, 48), label).save(file, quality=100)
        for part in ("train", "test"):
            (root / part / FOLDERS[label]).mkdir(parents=True)
    for number, (label, usage) in enumerate(zip(LABELS, USAGE, strict=True)):
        part = "train" if usage == "Training" else "test"
        os.link(jpegs[label], root / part / FOLDERS[label] / f"{usage}_{number}.jpg")
    faces = fer2013.load(root)
    check(faces)
    ids = faces.frames["frame_id"].tolist()
    assert (ids[0], ids[3589], ids[-1]) == ("PrivateTest_00032298", "PublicTest_00028709", "Training_00028708")
    np.testing.assert_array_equal(faces.labels, np.r_[LABELS[32298:], LABELS[28709:32298], LABELS[:28709]])


def test_pixels_are_read_row_by_row(tmp_path):
    counting = " ".join(str(i % 256) for i in range(48**2))
    face = fer2013._pixels(counting, "")
    assert (face[0, 47], face[1, 0], face[5, 16], face.dtype) == (47, 48, 0, np.uint8)


def test_absent(tmp_path):
    with pytest.raises(DataError) as error:
        fer2013.load(tmp_path)
    for said in (str(tmp_path), "fer2013.csv", "icml_face_data.csv", "zip", "train/<class>/*.jpg", "FER_DATA"):
        assert said in str(error.value)
    for said in ("Challenges in Representation Learning: Facial Expression Recognition Challenge", "data/README.md"):
        assert said in str(error.value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda whole: whole[:-60], r"\(damaged, to be downloaded again: .*archive\.zip\)"),
        (lambda whole: whole[:60] + b"?" + whole[61:], r"archive.zip is a damaged zip file .*: download it again"),
    ],
)
def test_a_zip_cut_short_or_damaged(tmp_path, damage, message):
    zipped_csv(tmp_path, "fer2013/fer2013.csv", labels=[0], usages=["Training"])
    file = tmp_path / "below" / "archive.zip"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(DataError, match=message):
        fer2013.load(tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (f"7,{GREYS[0]},Training", r"row 1 \(line 3\): emotion is '7'; it must be 0 to 6"),
        (f"0,{GREYS[0]},Testing", "row 1 .*: usage is 'Testing'; it must be Training, PublicTest, PrivateTest"),
        (f"0,{GREYS[0]} 5,Training", "row 1 .* has 2305 pixels; it must have 2304"),
        (f"0,{GREYS[0][:-2]},Training", "row 1 .* has 2303 pixels"),
        ("0,,Training", "row 1 .* has 0 pixels"),
        (f"0,{GREYS[0][:-1]}300,Training", "row 1 .*: pixel '300' is not a grey value from 0 to 255"),
        (f"0,{GREYS[0][:-1]}-1,Training", "row 1 .*: pixel '-1' is not a grey value"),
        (f"0,{GREYS[0][:-1]}1.5,Training", "row 1 .*: pixel '1.5' is not a grey value"),
        (
            f"0,{GREYS[0][:-1]}99999999999999999999,Training",
            "row 1 .*: pixel '99999999999999999999' is not a grey value",
        ),
        (f"0,{GREYS[0][:-1]}²,Training", "row 1 .*: pixel '²' is not a grey value"),
        (f"0,{GREYS[0]}", "row 1 .* has 2 columns, the header 3"),
        (f'0,"{"0" * 200_000}', "line 3, is not valid CSV"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, row, message):
    (tmp_path / "fer2013.csv").write_text(f"emotion,pixels,Usage\n0,{GREYS[0]},Training\n{row}\n", encoding="utf-8")
    with pytest.raises(DataError, match=message):
        fer2013.load(tmp_path)


def test_missing_columns_are_named(tmp_path):
    (tmp_path / "fer2013.csv").write_text("emotion,points\n")
    with pytest.raises(DataError, match=r"fer2013.csv has no column pixels and no column usage"):
        fer2013.load(tmp_path)


FACE = np.zeros((48, 48), np.uint8)
"""One image for all rows of the counts' test, which does not look at them."""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({0: (1, "Training")}, "4952 faces of anger where FER2013 has 4953"),
        ({0: (0, "PublicTest")}, "28708 faces of Training where FER2013 has 28709"),
        ({-1: None}, "6197 faces of neutral where FER2013 has 6198"),
    ],
)
def test_wrong_counts_name_class_or_usage(tmp_path, changes, message):
    pairs = dict(enumerate(zip(sorted(LABELS.tolist()), USAGE.tolist(), strict=True)))
    pairs.update({row % len(pairs): pair for row, pair in changes.items()})
    rows = [(f"{row:05d}", *pair, FACE) for row, pair in pairs.items() if pair]
    with pytest.raises(DataError, match=message):
        fer2013._checked(rows, tmp_path)


def test_an_image_that_occurs_twice_is_named(tmp_path):
    rows = [(f"{max(row, 1):05d}", *pair, FACE) for row, pair in enumerate(zip(LABELS, USAGE, strict=True))]
    with pytest.raises(DataError, match="more than one image 00001"):
        fer2013._checked(rows, tmp_path)


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("train/happy/Training_1.jpg", (40, 48), r"Training_1.jpg is 40x48 in mode L; it must be 48x48"),
        ("train/joy/Training_1.jpg", (48, 48), r"Training_1.jpg: joy is not a class of FER2013; known: anger"),
        ("train/happy/Training_1.jpg", (48, 48), "has 0 faces of anger where FER2013 has 4953"),
    ],
)
def test_a_wrong_image_is_named(tmp_path, name, size, message):
    (tmp_path / name).parent.mkdir(parents=True)
    Image.new("L", size).save(tmp_path / name)
    with pytest.raises(DataError, match=message):
        fer2013.load(tmp_path)
