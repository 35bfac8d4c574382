import io
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from fer_lib.datasets import ckplus
from fer_lib.datasets.ckplus import crop
from fer_lib.faces import EMOTIONS, DataError

pytestmark = pytest.mark.usefixtures("own_cache")

FOLDERS = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
SEQUENCES = (45, 18, 59, 25, 69, 28, 83)


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png", compress_level=1)
    return stream.getvalue()


@pytest.fixture(scope="module")
def images():
    """981 faces of random pixels, in the order of their labels."""
    return np.random.default_rng(0).integers(0, 256, (981, 48, 48), dtype=np.uint8)


@pytest.fixture(scope="module")
def members(images):
    """CK+48 as Kaggle names it: 327 sequences dealt to 118 subjects in turn, of three frames each."""
    labels = np.repeat(range(7), SEQUENCES)
    sequences = [f"S{i % 118 + 1:03d}_{i // 118 + 1:03d}" for i in range(327)]
    names = [
        f"CK+48/{FOLDERS[label]}/{sequence}_{frame:08d}.png"
        for label, sequence in zip(labels, sequences, strict=True)
        for frame in (11, 12, 13)
    ]
    return {name: png(image) for name, image in zip(names, images, strict=True)}


def zipped(members, file):
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def unpacked(members, root):
    for name, content in members.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


# 36 wide and high: the crop's side is 48, from (30, 20) to (78, 68).
LANDMARKS = "".join(f" {x:.7e} {y:.7e}\n" for x in np.linspace(36, 72, 17) for y in np.linspace(32, 68, 4))


def released(members, root, labels="Emotion"):
    """The original release: faces inside larger pictures, some RGB; every sequence begins with a black frame."""
    for name, content in members.items():
        _, folder, frame = name.removesuffix(".png").split("/")
        subject, sequence, number = frame.split("_")
        places = [root / part / subject / sequence for part in ("cohn-kanade-images", "Landmarks", labels)]
        if number == "00000011":
            for place in places:
                place.mkdir(parents=True)
            (places[0] / f"{subject}_{sequence}_00000001.png").write_bytes(png(np.zeros((90, 110), np.uint8)))
        picture = Image.new("RGB" if number == "00000012" else "L", (110, 90))
        picture.paste(Image.open(io.BytesIO(content)), (30, 20))
        (places[0] / f"{frame}.png").write_bytes(png(np.asarray(picture)))
        (places[1] / f"{frame}_landmarks.txt").write_text(LANDMARKS)
        if number == "00000013":
            (places[2] / f"{frame}_emotion.txt").write_text(f"   {FOLDERS.index(folder) + 1}.0000000e+00\n")
            (places[2] / f"._{frame}_emotion.txt").write_bytes(b"what macOS adds to an archive")
    return root


def renamed(members, old, new):
    return {name.replace(old, new): content for name, content in members.items()}


@pytest.mark.parametrize(
    "lay",
    [
        lambda members, root: zipped(members, root / "CK+48.zip"),
        lambda members, root: zipped(renamed(members, "CK+48/", "ck/CK+48/"), root / "below" / "archive.zip"),
        unpacked,
        lambda members, root: unpacked(renamed(members, "/happy/", "/Happiness/"), root / "below"),
        lambda members, root: unpacked(renamed(members, "CK+48/", ""), root),
        released,
        lambda members, root: released(members, root / "below", "Emotion_labels/Emotion"),
    ],
    ids=["zip", "zip below", "folder", "folder below", "bare classes", "release", "release below"],
)
def test_every_layout_gives_the_same_faces(members, images, own_cache, tmp_path, lay):
    lay(members, tmp_path / "data")
    faces = ckplus.load(tmp_path / "data")
    frame_ids = [name.split("/")[-1].removesuffix(".png") for name in members]
    order = np.argsort(frame_ids)
    assert faces.frames["frame_id"].tolist() == sorted(frame_ids)
    np.testing.assert_array_equal(faces.images, images[order])
    np.testing.assert_array_equal(faces.labels, np.repeat(range(7), np.multiply(SEQUENCES, 3))[order])
    assert (faces.name, faces.classes, faces.labels.dtype) == ("ckplus", EMOTIONS, np.int64)
    assert faces.frames.iloc[0].tolist() == ["S001_001_00000011", "S001", "S001_001", ""]
    assert ckplus.load(tmp_path / "data").fingerprint == faces.fingerprint
    assert len(list(own_cache.iterdir())) == 1


def test_an_exchange_of_classes_is_not_hidden_by_the_cache(members, tmp_path):
    root = unpacked(members, tmp_path / "data")
    before = ckplus.load(root)
    anger, fear = ([name for name in members if f"/{folder}/" in name][:3] for folder in ("anger", "fear"))
    for one, other in zip(anger, fear, strict=True):
        shutil.move(root / one, root / one.replace("anger", "fear"))
        shutil.move(root / other, root / other.replace("fear", "anger"))
    assert (ckplus.load(root).labels != before.labels).sum() == 6


def test_absent(tmp_path):
    with pytest.raises(DataError) as error:
        ckplus.load(tmp_path)
    for said in (str(tmp_path), "zip of CK+48", "CK+48/<class>/*.png", "cohn-kanade-images/", "Affect Analysis Group"):
        assert said in str(error.value)
    for said in ("University of Pittsburgh", "Kaggle", "FER_DATA", "data/README.md"):
        assert said in str(error.value)
    with pytest.raises(DataError, match="nowhere"):
        ckplus.load(tmp_path / "nowhere")


def test_a_zip_cut_short_or_damaged(members, tmp_path):
    file = zipped(members, tmp_path / "CK+48.zip")
    whole = file.read_bytes()
    file.write_bytes(whole[:-5000])
    with pytest.raises(DataError, match=r"\(damaged, to be downloaded again: .*CK\+48.zip\)"):
        ckplus.load(tmp_path)
    file.write_bytes(whole[:500] + bytes([whole[500] ^ 255]) + whole[501:])
    with pytest.raises(DataError, match=r"CK\+48.zip is a damaged zip file .*: download it again"):
        ckplus.load(tmp_path)


def test_wrong_counts_name_the_class(members, tmp_path):
    missing = next(name for name in members if "/contempt/" in name)
    zipped({name: content for name, content in members.items() if name != missing}, tmp_path / "CK+48.zip")
    with pytest.raises(DataError, match=r"CK\+48.zip has 53 frames of contempt where CK\+ has 54"):
        ckplus.load(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"S001_001_00000011": "S001_999_00000011"}, "328 sequences .* of 118 subjects, 1 to 3 frames each"),
        ({"S118_00": "S117_10"}, "327 sequences .* of 117 subjects, 3 to 3 frames each"),
        (
            {"anger/S001_001_00000011": "fear/S001_001_00000011", "fear/S005_002_00000011": "anger/S005_002_00000011"},
            "329 sequences .* of 118 subjects, 1 to 3 frames each",
        ),
    ],
    ids=["a sequence of four parts", "two subjects in one", "two emotions in a sequence"],
)
def test_wrong_sequences(members, tmp_path, changes, message):
    for old, new in changes.items():
        members = renamed(members, old, new)
    zipped(members, tmp_path / "CK+48.zip")
    with pytest.raises(DataError, match=message):
        ckplus.load(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (png(np.zeros((49, 48), np.uint8)), "is 48x49 in mode L; it must be 48x48 in mode L"),
        (png(np.zeros((48, 48, 3), np.uint8)), "is 48x48 in mode RGB; it must be 48x48 in mode L"),
        (png(np.random.default_rng(1).integers(0, 256, (48, 48), np.uint8))[:900], "cannot be read as an image"),
        (b"", "cannot be read as an image"),
    ],
    ids=["size", "mode", "truncated", "empty"],
)
@pytest.mark.parametrize("lay", [unpacked, lambda members, root: zipped(members, root / "CK+48.zip")])
def test_a_wrong_image_is_named(members, tmp_path, lay, content, message):
    name = "CK+48/fear/S005_002_00000011.png"
    lay({**members, name: content}, tmp_path)
    with pytest.raises(DataError, match=message) as error:
        ckplus.load(tmp_path)
    assert name in str(error.value)


def test_an_unknown_class_is_named(members, tmp_path):
    zipped(renamed(members, "/fear/", "/joy/"), tmp_path / "CK+48.zip")
    with pytest.raises(DataError, match=r"joy/S\d+_\d+_\d+.png: joy is not a class of CK\+; known: anger, contempt"):
        ckplus.load(tmp_path)


SEQUENCE = "S001/001/S001_001_000000"


@pytest.mark.parametrize(
    ("part", "content", "message"),
    [
        ("Emotion", None, "but not CK.'s folder Emotion/: unpack it next to it"),
        ("Landmarks", None, "but not CK.'s folder Landmarks/: unpack it next to it"),
        (f"Emotion/{SEQUENCE}13_emotion.txt", None, "has 0 frames of anger where CK. has 135"),
        (f"Emotion/{SEQUENCE}13_emotion.txt", "9.0", "13_emotion.txt contains '9.0', not a number from 1 to 7"),
        (f"Emotion/{SEQUENCE}13_emotion.txt", "1 2", "13_emotion.txt contains '1 2', not a number from 1 to 7"),
        (f"Emotion/{SEQUENCE}13_emotion.txt", "?", "13_emotion.txt does not hold rows of numbers"),
        (f"Landmarks/{SEQUENCE}12_landmarks.txt", None, "12_landmarks.txt is missing"),
        (f"Landmarks/{SEQUENCE}12_landmarks.txt", "1 2\n3 4\n", "12_landmarks.txt has 4 numbers instead of 68"),
        (f"Landmarks/{SEQUENCE}12_landmarks.txt", "1 2\n3\n", "12_landmarks.txt does not hold rows of numbers"),
        (f"Landmarks/{SEQUENCE}12_landmarks.txt", "nan 2\n", "12_landmarks.txt does not hold rows of numbers"),
        (f"Landmarks/{SEQUENCE}12_landmarks.txt", "5 5\n" * 68, "puts a face of 0 pixels at x 5, y 5 of an image"),
        (f"Landmarks/{SEQUENCE}12_landmarks.txt", "1 1\n" * 67 + "1e9 1", "puts a face of 1e.09 pixels at x 1.47"),
        (f"Landmarks/{SEQUENCE}12_landmarks.txt", "1e9 8\n1e9 9\n" * 34, "of 1 pixels at x 1e.09, y 8.5 of an image"),
        (f"cohn-kanade-images/{SEQUENCE}13.png", "no image", "13.png cannot be read as an image"),
        (f"cohn-kanade-images/{SEQUENCE}13.png", None, None),
    ],
)
def test_a_spoilt_release_is_refused(members, tmp_path, part, content, message):
    # The first sequence is enough: each fault shows before the frames are counted.
    root = released(dict(list(members.items())[:3]), tmp_path / "data")
    if content is not None:
        (root / part).write_text(content)
    elif (root / part).is_dir():
        shutil.rmtree(root / part)
    else:
        (root / part).unlink()
    if message is None:
        (root / f"cohn-kanade-images/{SEQUENCE}12.png").unlink()
        message = "S001/001 has 2 frames, but a labelled sequence has at least 3"
    with pytest.raises(DataError, match=message):
        ckplus.load(root)


def test_crop_stands_on_the_chin():
    # Brows to chin 36, less across: the side is 48, around x = 50, and the lower edge is the chin at y = 90.
    picture = np.zeros((120, 120), np.uint8)
    picture[42:90, 26:74] = 200
    landmarks = np.array([[40, 54], [60, 60], [50, 90]], dtype=float)
    assert (crop(Image.fromarray(picture), landmarks) == 200).all()
    half = crop(Image.fromarray(picture), landmarks + np.array([24, 0]))
    assert (half[:, :24] == 200).all()
    assert (half[:, 24:] == 0).all()


def test_crop_shrinks_without_aliasing():
    # Stripes one pixel wide, halved, are an even grey; every second pixel alone would be black or white.
    stripes = np.tile(np.array([0, 200], np.uint8), (96, 48))
    landmarks = np.array([[12, 24], [84, 96]], dtype=float)
    assert set(crop(Image.fromarray(stripes), landmarks)[:, 4:-4].ravel().tolist()) == {100}
