"""CK+ (Lucey et al. 2010), as CK+48 or as the original release; see `data/README.md` for how to get it."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fer_lib import paths
from fer_lib.datasets import images
from fer_lib.datasets.cache import Arrays, cached, content_key
from fer_lib.faces import EMOTIONS, SIZE, DataError, Faces

VERSION = "ckplus2"
"""Increased when the parsing changes, so that old cache entries are not used."""

COUNTS = dict(zip(EMOTIONS, (135, 54, 177, 75, 207, 84, 249), strict=True))
SEQUENCES, SUBJECTS, LAST_FRAMES = 327, 118, 3
CK48 = re.compile(r"(?P<top>(?:.*/)?)(?P<folder>[A-Za-z]+)/(?P<frame>S\d{3}_\d{3}_\d{8})\.(?i:png)")
WIDENED = 4 / 3

Row = tuple[str, int, np.ndarray]


def load(data_dir: Path | None = None) -> Faces:
    """CK+ from `data_dir` (default: `paths.DATA`): 981 frames, the last three of 327 sequences of 118 subjects.

    Searched there and one level down, in this order: a zip of CK+48 of any name; the folder `CK+48/<class>/`; the
    original release in `cohn-kanade-images/`, `Emotion/` and `Landmarks/`, whose frames are cropped by `crop`. frame_id
    is the image name, such as S010_004_00000017: subject, sequence, frame.

    Raises DataError if none is found, an image is invalid, or the counts are not those of CK+.
    """
    root = Path(data_dir or paths.DATA)
    if found := images.find(root, CK48):
        place, names = found
        arrays = cached(images.key(VERSION, place, names), lambda: _checked(_ck48(place, names), place))
    elif release := _part(root, "cohn-kanade-images"):
        frames = _labelled_frames(root, release)
        used = {file.relative_to(root).as_posix() for files in frames for file in files}
        arrays = cached(content_key(VERSION, root, used), lambda: _checked(map(_cropped, frames), release.parent))
    else:
        raise images.absent(
            "CK+",
            root,
            "a zip of CK+48, CK+48/<class>/*.png, and cohn-kanade-images/ with Emotion/ and Landmarks/",
            'request CK+ from the Affect Analysis Group, University of Pittsburgh, or take "CK+48" on Kaggle',
        )
    frames = pd.DataFrame({"frame_id": arrays["frame_id"].astype(str)})
    frames["subject"] = frames["frame_id"].str[:4]
    frames["sequence"] = frames["frame_id"].str[:8]
    frames["usage"] = ""
    return Faces("ckplus", arrays["images"], arrays["labels"], frames, EMOTIONS)


def crop(image: Image.Image, landmarks: np.ndarray) -> np.ndarray:
    """Crop a face to uint8 (48, 48) by its 68 landmarks, float (68, 2): x and y in pixels from the top left.

    The crop is a square, horizontally centred, with its lower edge on the chin; its side is 4/3 of the larger side of
    the landmarks' bounding box, which ends at the brows: the rest is forehead and hair. How CK+48 was cropped is not
    documented; in its mean face the chin lies on the lower edge and the cheeks span three quarters of the width, so
    these crops are similar but not identical to it. Pixels outside the image are black.
    """
    low, high = landmarks.min(axis=0), landmarks.max(axis=0)
    side = WIDENED * (high - low).max()
    left, top = (low[0] + high[0] - side) / 2, high[1] - side
    box = [round(edge) for edge in (left, top, left + side, top + side)]
    # Pillow widens the filter when shrinking an image, which prevents aliasing.
    return np.asarray(image.convert("L").crop(box).resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def _ck48(place: Path, names: list[str]) -> list[Row]:
    rows = []
    for name, content in images.read(place, names).items():
        match = CK48.fullmatch(name)
        emotion = images.emotion(match["folder"])
        if emotion not in EMOTIONS:
            raise DataError(f"{place / name}: {match['folder']} is not a class of CK+; known: {', '.join(EMOTIONS)}")
        rows.append((match["frame"], EMOTIONS.index(emotion), images.grey_face(place / name, content)))
    return rows


def _part(root: Path, *names: str) -> Path | None:
    """The first folder with one of these names, at most two levels down, that contains subject folders."""
    levels = [root.glob(f"{level}{name}") for level in ("", "*/", "*/*/") for name in names]
    return next((folder for found in levels for folder in sorted(found) if any(folder.glob("S[0-9]*"))), None)


def _labelled_frames(root: Path, release: Path) -> list[tuple[Path, Path, Path]]:
    """Files (image, landmarks, label) of the last three frames of each labelled sequence."""
    parts = {"Emotion": _part(root, "Emotion", "Emotion_labels"), "Landmarks": _part(root, "Landmarks")}
    for part, folder in parts.items():
        if folder is None:
            raise DataError(f"found {release}, but not CK+'s folder {part}/: unpack it next to it")
    frames = []
    for label in sorted(parts["Emotion"].glob("S*/*/S*_emotion.txt")):
        subject, sequence = label.name.split("_")[:2]
        last = sorted((release / subject / sequence).glob("S*.png"))[-LAST_FRAMES:]
        if len(last) < LAST_FRAMES:
            raise DataError(
                f"{release / subject / sequence} has {len(last)} frames, but a labelled sequence has at least "
                f"{LAST_FRAMES}; unpack cohn-kanade-images again"
            )
        for image in last:
            landmarks = parts["Landmarks"] / subject / sequence / f"{image.stem}_landmarks.txt"
            if not landmarks.is_file():
                raise DataError(f"{landmarks} is missing: unpack CK+'s landmarks again")
            frames.append((image, landmarks, label))
    return frames


def _cropped(frame: tuple[Path, Path, Path]) -> Row:
    image, landmarks, label = frame
    points = _numbers(landmarks)
    if points.shape != (68, 2):
        raise DataError(f"{landmarks} has {points.size} numbers instead of 68 lines of x and y: unpack it again")
    number = _numbers(label)
    if number.size != 1 or number.item() not in range(1, len(EMOTIONS) + 1):
        raise DataError(f"{label} contains {label.read_text().strip()!r}, not a number from 1 to 7: unpack it again")
    picture = images.decode(image, image.read_bytes())
    extent, (x, y), (width, height) = np.ptp(points, axis=0).max(), points.mean(axis=0), picture.size
    if not (0 < extent <= max(picture.size) and 0 <= x < width and 0 <= y < height):
        raise DataError(
            f"{landmarks} puts a face of {extent:g} pixels at x {x:g}, y {y:g} of an image of {width} x {height}: "
            "unpack both again"
        )
    return image.stem, int(number.item()) - 1, crop(picture, points)


def _numbers(file: Path) -> np.ndarray:
    try:
        numbers = np.array([line.split() for line in file.read_text().splitlines() if line.strip()], dtype=float)
        if np.isfinite(numbers).all():
            return numbers
    except ValueError:
        pass
    raise DataError(f"{file} does not hold rows of numbers: unpack it again")


def _checked(rows: Iterable[Row], place: Path) -> Arrays:
    rows = sorted(rows, key=lambda row: row[0])
    ids, labels = ([row[column] for row in rows] for column in (0, 1))
    for label, (emotion, wanted) in enumerate(COUNTS.items()):
        if (found := labels.count(label)) != wanted:
            raise DataError(
                f"{place} has {found} frames of {emotion} where CK+ has {wanted}: download or unpack it again"
            )
    frames = pd.DataFrame({"id": ids, "label": labels}).drop_duplicates("id")
    # Grouped by label too, since a sequence has one emotion.
    lengths = frames.groupby([frames["id"].str[:8], "label"]).size()
    subjects = frames["id"].str[:4].nunique()
    if len(lengths) != SEQUENCES or set(lengths) != {LAST_FRAMES} or subjects != SUBJECTS:
        raise DataError(
            f"{place} has {len(lengths)} sequences (of one emotion each) of {subjects} subjects, {lengths.min()} to "
            f"{lengths.max()} frames each; CK+ has {SEQUENCES} of {SUBJECTS}, {LAST_FRAMES} each: download it again"
        )
    return {
        "images": np.stack([row[2] for row in rows]),
        "labels": np.array(labels, dtype=np.int64),
        "frame_id": np.array(ids),
    }
