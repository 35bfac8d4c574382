"""Your own faces: one folder of images per emotion, with the subject in the file name; see `data/README.md`."""

import re
import struct
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from fer_lib import paths
from fer_lib.datasets import images
from fer_lib.datasets.cache import Arrays, cached
from fer_lib.faces import ALL_EMOTIONS, SIZE, DataError, Faces
from fer_lib.splits import FOLDS

VERSION = "own2"
"""Increased when the parsing changes, so that old cache entries are not used."""

FILE = re.compile(r"(?s)(?P<top>(?!__MACOSX/)(?:.*/)?)own/(?P<folder>[^/.][^/]*)(?:/(?P<name>[^.].*))?")
"""Matches all files except hidden and system files, so that no file is silently ignored.

If there is no folder of an emotion, `folder` is the file and `name` None.
"""

NAME = re.compile(r"(?P<sequence>(?P<subject>[^_/]+)_[^_/]+)_[^_/]+")
ENDINGS = (".png", ".jpg", ".jpeg")


def load(data_dir: Path | None = None) -> Faces:
    """The faces in `data_dir` (default: `paths.DATA`) under `own/<emotion>/<person>_<recording>_<frame>.png` (or .jpg).

    Searched there and one level down, zipped or not. frame_id is the image name, in Unicode's form NFC and without
    spaces around its parts. Images are converted to grey, cropped to their central square and scaled to 48x48. The
    classes are those of `faces.ALL_EMOTIONS` that have a folder.

    Raises DataError if there are no images or several folders `own`, an image or a name is invalid, two persons differ
    only in case, a recording shows two emotions, two persons or emotions share an image, there are fewer than two
    classes or ten subjects, or too few subjects show one of the emotions.
    """
    place, names = _find(Path(data_dir or paths.DATA))
    rows = sorted(_parsed(place, name) for name in names)
    frames = pd.DataFrame(rows, columns=["frame_id", "emotion", "file"])
    frames[["sequence", "subject"]] = frames["frame_id"].str.extract(NAME)[["sequence", "subject"]]
    _check(frames, place)
    faces = cached(images.key(VERSION, place, names), lambda: _read(place, frames["file"].tolist()))["images"]
    _check_twins(faces, frames, place)
    classes = tuple(name for name in ALL_EMOTIONS if name in set(frames["emotion"]))
    labels = np.array([classes.index(name) for name in frames["emotion"]])
    return Faces("own", faces, labels, frames[["frame_id", "subject", "sequence"]].assign(usage=""), classes)


def _find(root: Path) -> tuple[Path, list[str]]:
    """The only zip or folder that holds a folder `own`, and the names in it, also of what is no image."""
    found = list(images.zipped(root, FILE))
    for folder in (root / "own", *sorted(root.glob("[!.]*/own"))):
        entries = [f"own/{name}" for name in images.files(folder, depth=1, rest=True)]
        # Names with a top are of a folder own in this one, which has its own turn.
        names = sorted(name for name in entries if (match := FILE.fullmatch(name)) and not match["top"])
        if not all(name.endswith(".zip") for name in names):  # else they were looked into
            found.append((folder.parent, names))
    if not found:
        layout = "own/<emotion>/<person>_<recording>_<frame>.png (or .jpg), zipped or not"
        raise images.absent("faces of your own", root, layout, "make such a folder own", "own")
    if len(found) > 1:
        first, second = (place / FILE.fullmatch(names[0])["top"] / "own" for place, names in found[:2])
        raise DataError(f"{first} and {second} both hold faces of your own; keep one and move the other away")
    return found[0]


def _parsed(place: Path, name: str) -> tuple[str, str, str]:
    """The frame_id, the emotion and `name`. Raises DataError if it is not an image's name in a folder of an emotion."""
    file, match = place / name, FILE.fullmatch(name)
    if re.search("[\ud800-\udfff]", name):
        # Python's stand-ins for bytes that are no UTF-8; they can be neither hashed nor printed.
        raise DataError(f"{place} holds {name!a}, whose name is not in UTF-8; rename it")
    if match["name"] is None:
        remedy = "unpack it" if file.suffix == ".zip" else "move it into own/<emotion>/"
        raise DataError(f"{file} is in no folder of an emotion; {remedy}, or move it away")
    emotion = images.emotion(match["folder"])
    if emotion not in ALL_EMOTIONS:
        raise DataError(f"{file}: {match['folder']} is not an emotion; known: {', '.join(ALL_EMOTIONS)}")
    image = Path(match["name"])
    no_image = "/" in match["name"] or (place.is_dir() and not file.is_file())
    if no_image or image.suffix.lower() not in ENDINGS:
        raise DataError(
            f"{file}: a folder of an emotion may contain only images ({', '.join(ENDINGS)}), no folders or broken "
            "links; convert it or move it away"
        )
    # Some systems decompose umlauts, so that one person's names may differ unseen.
    frame_id = "_".join(part.strip() for part in unicodedata.normalize("NFC", image.stem).split("_"))
    if not NAME.fullmatch(frame_id):
        raise DataError(f"{file}: the name must be <person>_<recording>_<frame>, such as S010_004_17; rename it")
    return frame_id, emotion, name


def _read(place: Path, names: list[str]) -> Arrays:
    return {"images": np.stack([_face(place / name, content) for name, content in images.read(place, names).items()])}


def _face(file: Path, content: bytes) -> np.ndarray:
    """Convert an image of any size and colour to an upright face, uint8 (48, 48)."""
    image = images.decode(file, content)
    if image.mode[0] in "IF":
        # Pillow would clip all values above 255 to white.
        raise DataError(f"{file} has more than 8 bits per channel (mode {image.mode}); save it as 8-bit")
    try:
        upright = ImageOps.exif_transpose(image)
    except (SyntaxError, TypeError, ValueError, struct.error) as error:
        raise DataError(f"{file} has damaged EXIF data ({error}); turn it upright and save it without them") from error
    return np.asarray(ImageOps.fit(upright.convert("L"), (SIZE, SIZE), Image.Resampling.BICUBIC))


def _check(frames: pd.DataFrame, place: Path) -> None:
    if twice := frames.loc[frames["frame_id"].duplicated(), "frame_id"].tolist():
        raise DataError(f"{place} has more than one image named {twice[0]}; give each a frame of its own")
    persons = {}
    for person in frames["subject"].unique():
        if (other := persons.setdefault(person.lower(), person)) != person:
            raise DataError(
                f"{place}: the persons {other} and {person} differ only in case; spell one person's name alike, and "
                "give two persons different names"
            )
    emotions = frames.groupby("sequence")["emotion"].unique()
    if len(mixed := emotions[emotions.map(len) > 1]):
        raise DataError(
            f"{place}: the recording {mixed.index[0]} shows {' and '.join(mixed.iloc[0])}; give each emotion a "
            "recording of its own"
        )
    classes, subjects = frames["emotion"].nunique(), frames["subject"].nunique()
    if classes < 2 or subjects < FOLDS:
        raise DataError(
            f"{place} has {classes} emotion{'s' * (classes > 1)} of {subjects} subject{'s' * (subjects > 1)}; it needs "
            f"at least 2 emotions of {FOLDS} subjects, one for each of the {FOLDS} folds"
        )
    # `inner` tests two folds together, which must not hold all the subjects that show an emotion.
    pair = frames["subject"].map({name: i % FOLDS // 2 for i, name in enumerate(sorted(set(frames["subject"])))})
    pairs = pair.groupby(frames["emotion"]).nunique()
    if pairs.min() < 2:
        raise DataError(
            f"{place}: too few subjects show {pairs.idxmin()} to train on some and test on others; add some"
        )


def _check_twins(faces: np.ndarray, frames: pd.DataFrame, place: Path) -> None:
    first = {}
    for face, frame in zip(faces, frames.itertuples(), strict=True):
        twin = first.setdefault(face.tobytes(), frame)
        # Two persons would bring the image into training and test; two emotions contradict each other.
        for attribute, many in (("subject", "persons"), ("emotion", "emotions")):
            if getattr(twin, attribute) != getattr(frame, attribute):
                raise DataError(
                    f"{place / twin.file} and {place / frame.file} are the same image at {SIZE}x{SIZE} under two "
                    f"{many}; keep only the right one"
                )
