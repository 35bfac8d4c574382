"""CK+ (Lucey et al. 2010): as CK+48, zipped or unpacked, or as the original release. See `data/README.md`."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from fer_lib import paths
from fer_lib.cache import Arrays, cached, content_key
from fer_lib.faces import EMOTIONS, SIZE, DataError, Faces
from fer_lib.images import decode, grey_face, read_members

VERSION = 1
"""Raised when what is made of the same files changes, so that an old cache is not used."""

COUNTS = dict(zip(EMOTIONS, (135, 54, 177, 75, 207, 84, 249), strict=True))
SEQUENCES, SUBJECTS, LAST_FRAMES = 327, 118, 3
FOLDERS = {"anger": "anger", "contempt": "contempt", "disgust": "disgust", "fear": "fear"}
FOLDERS |= {"happy": "happiness", "sadness": "sadness", "surprise": "surprise"}
NAME = re.compile(r"S\d{3}_\d{3}_\d{8}")


def load(data_dir: Path | None = None) -> Faces:
    """CK+ from `data_dir` (default: `paths.DATA`): 981 frames of 327 sequences of 118 subjects.

    Looked for, in this order: a zip like `CK+48.zip`, the folder `CK+48/<class>/*.png`, and the original release
    `cohn-kanade-images/`, `Emotion/`, `Landmarks/`. Raises DataError if none is there or what is there is not whole.
    """
    root = Path(data_dir or paths.DATA)
    zips = sorted(file for file in root.glob("*.zip") if re.search(r"ck.*48", file.name, re.IGNORECASE))
    folders = [place for place in (root / "CK+48", root / "CK+48" / "CK+48", root) if (place / "anger").is_dir()]
    if zips:
        key, build = content_key(f"ckplus{VERSION}", zips[:1]), lambda: _ck48(read_members(zips[0], ".png"), zips[0])
    elif folders:
        files = sorted(folders[0].glob("*/*.png"))
        key = content_key(f"ckplus{VERSION}", files)
        build = lambda: _ck48({str(file): file.read_bytes() for file in files}, folders[0])  # noqa: E731
    elif (root / "cohn-kanade-images").is_dir():
        labels = _labels(root)
        used = [file for label in labels for file in (label, *_frames(root, label), *_landmarks(root, label))]
        key, build = content_key(f"ckplus{VERSION}", used), lambda: _original(root, labels)
    else:
        raise DataError(
            f"no CK+ in {root}: neither CK+48.zip nor CK+48/anger/ nor cohn-kanade-images/ is there; "
            "data/README.md says how to get it, and FER_DATA names another place"
        )
    arrays = cached(key, build)
    return _faces(arrays, root)


def _ck48(contents: dict[str, bytes], place: Path) -> Arrays:
    rows = []
    for name, content in contents.items():
        folder, frame = Path(name).parent.name, Path(name).stem
        if folder not in FOLDERS or not NAME.fullmatch(frame):
            raise DataError(
                f"{place}: {name} is not named <class>/S010_004_00000017.png; use CK+48 as it was downloaded"
            )
        rows.append((frame, EMOTIONS.index(FOLDERS[folder]), grey_face(name, content)))
    return _arrays(rows, place)


def _original(root: Path, labels: list[Path]) -> Arrays:
    rows = []
    for label in labels:
        emotion = _emotion(label)
        for image, points in zip(_frames(root, label), _landmarks(root, label), strict=True):
            face = crop(decode(str(image), image.read_bytes()), _points(points))
            rows.append((image.stem, emotion, face))
    return _arrays(rows, root)


def crop(image: Image.Image, points: np.ndarray) -> np.ndarray:
    """The face as uint8 (48, 48): the square centred on the 68 landmarks (x, y in pixels), from brows to chin.

    Its side is the larger side of the landmarks' bounding box. CK+48 does not say how it was cropped; this is about as
    tight, but not the same to the pixel. What lies outside the image is black.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    side = (high - low).max()
    left, top = (low + high - side) / 2
    box = (round(left), round(top), round(left + side), round(top + side))
    face = image.convert("L").crop(box).resize((SIZE, SIZE), Image.Resampling.BOX)
    return np.asarray(face)


def _labels(root: Path) -> list[Path]:
    labels = sorted(root.glob("Emotion*/**/S*_emotion.txt"))
    if not labels:
        raise DataError(
            f"no Emotion/S010/004/S010_004_00000017_emotion.txt in {root}; unpack CK+'s emotion labels there"
        )
    return labels


def _emotion(label: Path) -> int:
    try:
        number = float(label.read_text())
    except ValueError as error:
        raise DataError(f"{label} does not hold a number; unpack CK+'s emotion labels again") from error
    if number not in range(1, len(EMOTIONS) + 1):
        raise DataError(f"{label} says {number:g}; an emotion is 1 to {len(EMOTIONS)}: unpack CK+'s labels again")
    return int(number) - 1


def _frames(root: Path, label: Path) -> list[Path]:
    subject, sequence = label.name.split("_")[:2]
    place = root / "cohn-kanade-images" / subject / sequence
    frames = sorted(file for file in place.glob("*.png") if NAME.fullmatch(file.stem))[-LAST_FRAMES:]
    if len(frames) < LAST_FRAMES:
        raise DataError(
            f"{place} has {len(frames)} frames of a labelled sequence; at least 3 are wanted: unpack it again"
        )
    return frames


def _landmarks(root: Path, label: Path) -> list[Path]:
    files = []
    for image in _frames(root, label):
        subject, sequence = image.stem.split("_")[:2]
        file = root / "Landmarks" / subject / sequence / f"{image.stem}_landmarks.txt"
        if not file.exists():
            raise DataError(f"{file} is missing; unpack CK+'s landmarks beside cohn-kanade-images/")
        files.append(file)
    return files


def _points(file: Path) -> np.ndarray:
    try:
        points = np.loadtxt(file)
    except ValueError as error:
        raise DataError(f"{file} does not hold numbers ({error}); unpack CK+'s landmarks again") from error
    if points.shape != (68, 2):
        raise DataError(f"{file} holds {points.shape} numbers; 68 lines of x and y are wanted: unpack it again")
    return points


def _arrays(rows: Iterable[tuple[str, int, np.ndarray]], place: Path) -> Arrays:
    rows = sorted(rows, key=lambda row: row[0])
    ids = np.array([row[0] for row in rows])
    labels = np.array([row[1] for row in rows], dtype=np.int64)
    for label, (emotion, wanted) in enumerate(COUNTS.items()):
        found = int((labels == label).sum())
        if found != wanted:
            raise DataError(
                f"{place} has {found} frames of {emotion} where CK+ has {wanted}; download or unpack it again"
            )
    sequences, per_sequence = np.unique([i[:8] for i in ids], return_counts=True)
    subjects = len({i[:4] for i in ids})
    if len(sequences) != SEQUENCES or (per_sequence != LAST_FRAMES).any() or subjects != SUBJECTS:
        raise DataError(
            f"{place} has {len(sequences)} sequences of {subjects} subjects; CK+ has {SEQUENCES} of {SUBJECTS}, "
            f"{LAST_FRAMES} frames each: download or unpack it again"
        )
    return {"images": np.stack([row[2] for row in rows]), "labels": labels, "frame_id": ids}


def _faces(arrays: Arrays, root: Path) -> Faces:
    frames = pd.DataFrame({"frame_id": arrays["frame_id"].astype(str)})
    frames["subject"] = frames["frame_id"].str[:4]
    frames["sequence"] = frames["frame_id"].str[:8]
    frames["usage"] = ""
    return Faces("ckplus", arrays["images"], arrays["labels"], frames, EMOTIONS)
