"""Faces of one's own: the synthetic ones as files, and what is said of folders that are not as wanted."""

import os
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from few_faces import few_faces
from PIL import Image

from fer_lib import splits
from fer_lib.datasets import own
from fer_lib.faces import DataError


def write(folder, emotion, name, image, ending="png"):
    file = folder / "own" / emotion / f"{name}.{ending}"
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(file)
    return file


@pytest.fixture
def ten(tmp_path, own_cache):
    """Ten subjects, happy and sad, one recording of two frames each: squares of greys 10 x person + 0, 1, 2, 3."""
    for person in range(10):
        for recording, emotion in enumerate(("Happy", "sad")):
            for frame in range(2):
                image = np.full((48, 48), 10 * person + 2 * recording + frame, np.uint8)
                write(tmp_path, emotion, f"P{person}_{recording}_{frame}", image)
    return tmp_path


def renamed(folder, old, new):
    """Give the person `old` the name `new`, which may be a function of the emotion."""
    for file in sorted((folder / "own").glob(f"*/{old}_*")):
        name = new if isinstance(new, str) else new(file.parent.name)
        file.rename(file.with_name(file.name.replace(old, name)))


def test_files_of_a_known_set_are_that_set(tmp_path):
    known = few_faces()
    for image, label, name in zip(known.images, known.labels, known.frames["frame_id"], strict=True):
        write(tmp_path, known.classes[label], name, image)
    found = own.load(tmp_path)
    assert (found.name, found.classes) == ("own", known.classes)
    assert (found.images == known.images).all() and (found.labels == known.labels).all()
    assert found.frames.equals(known.frames) and not found.may_be_shown.any()
    assert (splits.split(found, "subject").test == splits.split(known, "subject").test).all()


def test_who_is_who_is_in_the_fingerprint(ten):
    before = own.load(ten).fingerprint
    renamed(ten, "P1", "P01")
    assert own.load(ten).fingerprint != before


def test_names_tell_who_and_what(ten):
    faces = own.load(ten)
    assert faces.classes == ("happiness", "sadness") and faces.labels.tolist() == [0, 0, 1, 1] * 10
    assert faces.frames.iloc[6].tolist() == ["P1_1_0", "P1", "P1_1", ""]
    assert faces.images[:, 0, 0].tolist() == [10 * person + i for person in range(10) for i in range(4)]


def test_any_size_and_colour_becomes_a_grey_square(ten):
    wide = np.zeros((60, 100, 3), np.uint8)
    wide[:, 15:85] = 255
    write(ten, "fear", "P0_2_0", wide)
    deep = np.zeros((480, 480, 4), np.uint8)
    deep[..., 3], deep[:, 240:, :3] = 255, 255
    write(ten, "fear", "P1_2_0", deep)
    write(ten, "fear", "P2_2_0", np.full((48, 48), 77, np.uint8), "JPG")
    faces = own.load(ten)
    first, second, third = faces.images[faces.labels == faces.classes.index("fear")]
    assert (first == 255).all(), "the central square is white"
    assert (second[:, :23] == 0).all() and (second[:, 25:] == 255).all()
    assert abs(third.astype(int) - 77).max() <= 1


def test_a_phone_held_sideways_is_turned(ten):
    image = np.zeros((48, 48), np.uint8)
    image[:, :24] = 255
    file = write(ten, "sad", "P0_2_0", image)
    turned = Image.open(file)
    exif = turned.getexif()
    exif[0x0112] = 6  # to be shown turned by a quarter, clockwise
    turned.save(file, exif=exif)
    faces = own.load(ten)
    assert (faces.images[faces.frames["frame_id"] == "P0_2_0"][0][:24] == 255).all(), "what was left is on top"


@pytest.mark.parametrize(
    ("ending", "exif"),
    [
        ("png", b"Exif\0\0garbage"),
        ("png", b"Exif\0\0MM\0*"),
        # To be turned, beside a width in letters, with which Pillow cannot write them again.
        ("jpg", b"Exif\0\0MM\0*\0\0\0\x08\0\2\1\x12\0\3\0\0\0\1\0\6\0\0\1\0\0\2\0\0\0\2\x36" + bytes(7)),
    ],
)
def test_damaged_exif_data_are_named(ten, ending, exif):
    file = ten / "own" / "sad" / f"P0_2_0.{ending}"
    Image.new("L", (48, 48), 255).save(file, exif=exif)
    with pytest.raises(DataError, match=rf"P0_2_0\.{ending} has damaged EXIF data \(.*\); turn it upright and save"):
        own.load(ten)


def test_zipped_is_the_same(ten, tmp_path_factory):
    there = tmp_path_factory.mktemp("zipped")
    shutil.make_archive(there / "mine", "zip", ten, "own")
    assert own.load(there).fingerprint == own.load(ten).fingerprint


@pytest.mark.parametrize(
    ("emotion", "name", "message"),
    [
        ("bored", "P0_2_0", "bored is not an emotion; known: anger, contempt"),
        ("fear", "P0-2", "the name must be <person>_<recording>_<frame>"),
        ("sad", "P0_0_9", "the recording P0_0 shows happiness and sadness"),
        ("sad", "P0_0_1", "more than one image named P0_0_1"),
        ("sad", "more/P0_2_0", "a folder of an emotion may contain only images .*, no folders"),
        ("fear", "P0_2_0", "too few subjects show fear"),
    ],
)
def test_what_is_wrong_is_named(ten, emotion, name, message):
    write(ten, emotion, name, np.full((48, 48), 255, np.uint8))
    with pytest.raises(DataError, match=message):
        own.load(ten)


def test_a_name_that_is_not_in_utf8_is_told_in_ascii(ten):
    picture = ten / "own" / "sad" / "P0_1_0.png"
    Path(os.fsdecode(os.fsencode(picture.with_name("M")) + b"\xfcller_1_0.png")).write_bytes(picture.read_bytes())
    with pytest.raises(DataError, match=r"holds 'own/sad/M.udcfcller_1_0\.png', whose name is not in UTF-8; rename it"):
        own.load(ten)


@pytest.mark.parametrize("spelt", [lambda name: unicodedata.normalize("NFD", name), lambda name: f" {name} "])
def test_one_person_whose_name_is_typed_in_two_ways_is_one_subject(ten, spelt):
    renamed(ten, "P1", "Jörg")
    expected = own.load(ten)
    renamed(ten, "Jörg", lambda emotion: spelt("Jörg") if emotion == "sad" else "Jörg")
    assert len(list((ten / "own").glob("*/Jörg_*"))) == 2
    found = own.load(ten)
    assert found.frames.equals(expected.frames) and found.fingerprint == expected.fingerprint


def test_persons_that_differ_only_in_case_are_refused(ten):
    renamed(ten, "P1", lambda emotion: "p1" if emotion == "sad" else "P1")
    with pytest.raises(DataError, match=r"the persons P1 and p1 differ only in case; spell one person's name alike"):
        own.load(ten)


@pytest.mark.parametrize(
    ("emotion", "name", "message"),
    [
        ("Happy", "P1_0_2", r"Happy/P0_0_0\.png and .*Happy/P1_0_2\.png are the same image at 48x48 under two persons"),
        ("sad", "P0_1_2", r"Happy/P0_0_0\.png and .*sad/P0_1_2\.png are the same image at 48x48 under two emotions"),
    ],
)
def test_one_image_under_two_persons_or_emotions_is_refused(ten, emotion, name, message):
    shutil.copy(ten / "own" / "Happy" / "P0_0_0.png", ten / "own" / emotion / f"{name}.png")
    with pytest.raises(DataError, match=message):
        own.load(ten)


def test_one_recording_may_stand_still(ten):
    shutil.copy(ten / "own" / "Happy" / "P0_0_0.png", ten / "own" / "Happy" / "P0_0_2.png")
    assert len(own.load(ten)) == 41


def test_an_image_in_no_folder_of_an_emotion_is_named(ten):
    (ten / "own" / "sad" / "P0_1_0.png").rename(ten / "own" / "P0_1_0.png")
    with pytest.raises(
        DataError, match=r"own/P0_1_0\.png is in no folder of an emotion; move it into own/<emotion>/, or"
    ):
        own.load(ten)


def test_a_link_to_nothing_is_named(ten):
    (ten / "own" / "sad" / "P0_1_5.png").symlink_to(ten / "nowhere.png")
    with pytest.raises(
        DataError, match=r"P0_1_5\.png: a folder of an emotion may contain .* no folders or broken links"
    ):
        own.load(ten)


@pytest.mark.parametrize("base", ["", "below/"])
def test_folders_in_folders_of_emotions_are_named(ten, base):
    (ten / "below").mkdir()
    (ten / "own").rename(ten / base / "own")
    deep = ten / base / "own" / "sad" / "more" / "and" / "more"
    deep.mkdir(parents=True)
    (deep / "P0_1_5.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"own/sad/more: a folder of an emotion may contain only images"):
        own.load(ten)


def test_one_level_down_is_the_same(ten):
    expected = own.load(ten).fingerprint
    (ten / "own").rename(ten / "held")
    (ten / "own").mkdir()
    (ten / "held").rename(ten / "own" / "own")
    assert own.load(ten).fingerprint == expected


def test_a_zip_beside_the_folder_is_refused(ten):
    shutil.make_archive(ten / "mine", "zip", ten, "own")
    with pytest.raises(DataError, match=r"mine\.zip/own and .*/own both hold faces of your own; keep one"):
        own.load(ten)


def test_a_second_folder_is_refused_zipped_or_not(ten, tmp_path_factory):
    shutil.copytree(ten / "own", ten / "old" / "own")
    with pytest.raises(DataError, match=r"0/own and .*/old/own both hold faces of your own; keep one"):
        own.load(ten)
    there = tmp_path_factory.mktemp("zipped")
    shutil.make_archive(there / "mine", "zip", ten)
    with pytest.raises(DataError, match=r"mine\.zip/own and .*mine\.zip/old/own both hold faces of your own"):
        own.load(there)


def test_a_zip_in_the_folder_is_looked_into(ten):
    expected = own.load(ten).fingerprint
    file = shutil.make_archive(ten / "mine", "zip", ten, "own")
    shutil.rmtree(ten / "own")
    (ten / "own").mkdir()
    shutil.move(file, ten / "own" / "mine.zip")
    assert own.load(ten).fingerprint == expected


@pytest.mark.parametrize("zipped", [False, True])
def test_a_zip_beside_the_folders_of_emotions_is_named(ten, tmp_path_factory, zipped):
    sad = ten / "own" / "sad"
    shutil.make_archive(sad, "zip", sad)
    shutil.rmtree(sad)
    there = tmp_path_factory.mktemp("zipped") if zipped else ten
    if zipped:
        shutil.make_archive(there / "mine", "zip", ten)
    with pytest.raises(DataError, match=r"own/sad\.zip is in no folder of an emotion; unpack it, or move it away"):
        own.load(there)


def test_no_image_is_left_out_unsaid(ten):
    write(ten, "sad", "P0_2_0", np.zeros((48, 48), np.uint8), "webp")
    with pytest.raises(DataError, match=r"P0_2_0\.webp: a folder of an emotion may contain only images"):
        own.load(ten)


def test_what_systems_hide_beside_images_is_no_image(ten, tmp_path_factory):
    there = tmp_path_factory.mktemp("mac")
    for file in sorted((ten / "own").rglob("*.png")):
        for hidden in (ten / "__MACOSX" / file.relative_to(ten).parent, file.parent):
            hidden.mkdir(parents=True, exist_ok=True)
            (hidden / f"._{file.name}").write_bytes(b"resource fork")
    expected = own.load(ten).fingerprint
    shutil.make_archive(there / "mine", "zip", ten)
    assert own.load(there).fingerprint == expected


def test_a_broken_image_is_named(ten):
    (ten / "own" / "sad" / "P0_1_5.png").write_bytes(b"no image")
    with pytest.raises(DataError) as error:
        own.load(ten)
    assert str(error.value).endswith(
        "P0_1_5.png cannot be read as an image (of no known format): replace it with a readable copy"
    )


def test_a_huge_image_is_named(ten, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 3_000)
    write(ten, "sad", "P0_1_5", np.zeros((100, 100), np.uint8))
    with pytest.raises(DataError, match=r"P0_1_5\.png cannot be read as an image \(.*exceeds limit of 6000 pixels"):
        own.load(ten)


def test_sixteen_bits_are_not_cut_to_white(ten):
    write(ten, "sad", "P0_1_5", np.full((48, 48), 30_000, np.uint16))
    with pytest.raises(DataError, match=r"P0_1_5\.png has more than 8 bits per channel"):
        own.load(ten)


def test_too_few_subjects_are_refused(ten):
    for file in (ten / "own").rglob("P9*"):
        file.unlink()
    with pytest.raises(DataError, match="2 emotions of 9 subjects; it needs at least 2 emotions of 10 subjects"):
        own.load(ten)


def test_one_is_singular(tmp_path, own_cache):
    write(tmp_path, "sad", "P0_0_0", np.zeros((48, 48), np.uint8))
    with pytest.raises(DataError, match="has 1 emotion of 1 subject; it needs"):
        own.load(tmp_path)


def test_nothing_there_says_what_to_put_there(tmp_path):
    with pytest.raises(
        DataError, match=r"no faces of your own in .*own/<emotion>/<person>_<recording>_<frame>\.png"
    ) as error:
        own.load(tmp_path)
    assert "zipped or not; make such a folder own, and put it there, or set FER_DATA" in str(error.value)


def test_a_zip_without_the_folder_own_is_named(ten, tmp_path_factory):
    there = tmp_path_factory.mktemp("zipped")
    shutil.make_archive(there / "mine", "zip", ten / "own")
    with pytest.raises(DataError, match=r"zipped or not, and found .*mine\.zip without files in a folder own; make"):
        own.load(there)
