import io
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from fer_lib import ckplus, paths, synthetic
from fer_lib.ckplus import crop
from fer_lib.faces import EMOTIONS, DataError

FOLDER = {"happiness": "happy"}


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return stream.getvalue()


@pytest.fixture(scope="module")
def members():
    """The synthetic faces in the shape of CK+48: member name -> png."""
    faces = synthetic.load()
    names = [f"CK+48/{FOLDER.get(EMOTIONS[i], EMOTIONS[i])}" for i in faces.labels]
    frames = zip(names, faces.frames["frame_id"], faces.images, strict=True)
    return {f"{folder}/{frame}.png": png(image) for folder, frame, image in frames}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")


def zipped(members, file):
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def first(members, folder):
    return next(name for name in members if f"/{folder}/" in name)


def test_zip_and_folder_give_the_same_faces(members, tmp_path):
    expected = synthetic.load()
    (tmp_path / "zip").mkdir()
    file = zipped(members, tmp_path / "zip" / "CK+48.zip")
    from_zip = ckplus.load(tmp_path / "zip")
    assert from_zip.fingerprint == expected.fingerprint
    assert from_zip.frames["sequence"].tolist() == expected.frames["sequence"].tolist()
    assert from_zip.name == "ckplus"
    zipfile.ZipFile(file).extractall(tmp_path / "folder")
    assert ckplus.load(tmp_path / "folder").fingerprint == expected.fingerprint


def test_absent():
    with pytest.raises(DataError, match=r"no CK\+ in .*CK\+48.zip.*data/README.md.*FER_DATA"):
        ckplus.load(paths.CACHE)


def test_zip_cut_short(members, tmp_path):
    file = zipped(members, tmp_path / "CK+48.zip")
    file.write_bytes(file.read_bytes()[:-5000])
    with pytest.raises(DataError, match=r"CK\+48.zip is not a whole zip file .*download it again"):
        ckplus.load(tmp_path)


def test_a_missing_frame_names_the_class(members, tmp_path):
    fewer = {name: content for name, content in members.items() if name != first(members, "contempt")}
    zipped(fewer, tmp_path / "CK+48.zip")
    with pytest.raises(DataError, match=r"53 frames of contempt where CK\+ has 54"):
        ckplus.load(tmp_path)


def test_a_split_sequence_is_noticed(members, tmp_path):
    name = first(members, "fear")
    renamed = {name.replace(name[-16:-13], "999") if n == name else n: c for n, c in members.items()}
    zipped(renamed, tmp_path / "CK+48.zip")
    with pytest.raises(DataError, match=r"328 sequences of 118 subjects; CK\+ has 327 of 118"):
        ckplus.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (png(np.zeros((49, 48), np.uint8)), "is 48x49 in mode L; wanted is 48x48 in mode L"),
        (png(np.zeros((48, 48, 3), np.uint8)), "is 48x48 in mode RGB"),
        (png(np.random.default_rng(0).integers(0, 255, (48, 48), np.uint8))[:900], "cannot be read as an image"),
        (b"no image", "cannot be read as an image"),
    ],
)
def test_a_wrong_image_is_named(members, tmp_path, content, message):
    name = first(members, "surprise")
    zipped({**members, name: content}, tmp_path / "CK+48.zip")
    with pytest.raises(DataError, match=message) as error:
        ckplus.load(tmp_path)
    assert name in str(error.value)


def test_an_odd_name_is_refused(members, tmp_path):
    zipped({**members, "CK+48/joy/S001_001_00000001.png": b""}, tmp_path / "CK+48.zip")
    with pytest.raises(DataError, match=r"joy/S001_001_00000001.png is not named"):
        ckplus.load(tmp_path)


@pytest.fixture(scope="module")
def release(members, tmp_path_factory):
    """The original release: a neutral frame before the last three, faces in the middle of larger pictures."""
    root = tmp_path_factory.mktemp("release")
    grid = np.stack(np.meshgrid(np.linspace(30, 78, 17), np.linspace(20, 68, 4)), axis=-1).reshape(-1, 2)
    for name, content in members.items():
        folder, frame = name.split("/")[1], name.split("/")[2].removesuffix(".png")
        subject, sequence, number = frame.split("_")
        picture = Image.new("L", (110, 90))
        picture.paste(Image.open(io.BytesIO(content)), (30, 20))
        images = root / "cohn-kanade-images" / subject / sequence
        points = root / "Landmarks" / subject / sequence
        labels = root / "Emotion" / subject / sequence
        for place in (images, points, labels):
            place.mkdir(parents=True, exist_ok=True)
        picture.save(images / f"{frame}.png")
        neutral = images / f"{subject}_{sequence}_00000000.png"
        if not neutral.exists():
            Image.new("L", (110, 90)).save(neutral)
        np.savetxt(points / f"{frame}_landmarks.txt", grid)
        if not any(labels.iterdir()):
            emotion = {"happy": "happiness"}.get(folder, folder)
            (labels / f"{subject}_{sequence}_{number}_emotion.txt").write_text(
                f"   {EMOTIONS.index(emotion) + 1}.0e+00\n"
            )
    return root


def test_original_release_takes_the_last_three_frames(release):
    faces, expected = ckplus.load(release), synthetic.load()
    assert faces.frames["frame_id"].tolist() == expected.frames["frame_id"].tolist()
    assert faces.fingerprint == expected.fingerprint


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: shutil.rmtree(root / "Emotion"), "no Emotion/S010"),
        (lambda root: next(root.glob("Emotion/*/*/*.txt")).write_text("9"), "says 9; an emotion is 1 to 7"),
        (lambda root: next(root.glob("Emotion/*/*/*.txt")).write_text("?"), "does not hold a number"),
        (lambda root: next(root.glob("Landmarks/*/*/*.txt")).unlink(), r"is missing; unpack CK"),
        (lambda root: next(root.glob("Landmarks/*/*/*.txt")).write_text("1 2\n"), "68 lines of x and y"),
        (lambda root: next(root.glob("cohn-kanade-images/*/*/*.png")).unlink(), None),
    ],
)
def test_a_spoiled_release_is_refused(release, tmp_path, spoil, message):
    root = tmp_path / "copy"
    shutil.copytree(release, root, copy_function=shutil.copy)
    if message is None:
        sequence = next(root.glob("cohn-kanade-images/*/*"))
        for image in sorted(sequence.glob("*.png"))[:2]:
            image.unlink()
        message = "has 2 frames of a labelled sequence"
    else:
        spoil(root)
    with pytest.raises(DataError, match=message):
        ckplus.load(root)


def test_crop_is_a_centred_square():
    picture = np.zeros((100, 100), np.uint8)
    picture[20:68, 26:74] = 200
    points = np.array([[30, 20], [70, 68]], dtype=float)  # 40 wide, 48 high: the square reaches from 26 to 74
    assert (crop(Image.fromarray(picture), points) == 200).all()
