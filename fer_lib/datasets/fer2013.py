"""FER2013 (Goodfellow et al. 2013), as CSV or as image folders; see `data/README.md` for how to get it."""

import csv
import io
import re
from collections.abc import Iterable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib import paths
from fer_lib.datasets import images
from fer_lib.datasets.cache import Arrays, cached
from fer_lib.faces import SIZE, DataError, Faces

VERSION = "fer2"
"""Increased when the parsing changes, so that old cache entries are not used."""

CLASSES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
COUNTS = dict(zip(CLASSES, (4953, 547, 5121, 8989, 6077, 4002, 6198), strict=True))
USAGES = {"Training": 28709, "PublicTest": 3589, "PrivateTest": 3589}
COLUMNS = ("emotion", "pixels", "usage")
TABLE = re.compile(r"(?P<top>(?:.*/)?)(?:fer2013|icml_face_data)\.csv")
IMAGE = re.compile(
    r"(?P<top>(?:.*/)?)(?:train|test)/(?P<folder>[A-Za-z]+)/"
    rf"(?P<usage>{'|'.join(USAGES)})_(?P<number>\d+)\.(?i:jpe?g|png)"
)

Row = tuple[str, int, str, np.ndarray]


def load(data_dir: Path | None = None) -> Faces:
    """FER2013 from `data_dir` (default: `paths.DATA`): 35,887 faces, 28,709 of them for training.

    Searched there and one level down, zipped (under any name) or not: `fer2013.csv` or `icml_face_data.csv`; then
    `train/<class>/` and `test/<class>/` with images such as Training_123.jpg. frame_id is the row of the CSV,
    "00000" to "35886", or the image's name with its number as eight digits. usage is Training, PublicTest or
    PrivateTest; subjects are unknown.

    Raises DataError if none is found, a row or an image is invalid, or the counts are not those of FER2013.
    """
    root = Path(data_dir or paths.DATA)
    if found := images.find(root, TABLE):
        place, names = found[0], found[1][:1]
        rows, source = lambda: _table(images.read(place, names)[names[0]], place / names[0]), place / names[0]
    elif found := images.find(root, IMAGE):
        place, names = found
        rows, source = lambda: _folders(place, names), place
    else:
        raise images.absent(
            "FER2013",
            root,
            "fer2013.csv or icml_face_data.csv, a zip of it, and train/<class>/*.jpg with test/<class>/*.jpg",
            'take it from Kaggle\'s "Challenges in Representation Learning: Facial Expression Recognition Challenge"',
        )
    arrays = cached(images.key(VERSION, place, names), lambda: _checked(rows(), source))
    text = {name: arrays[name].astype(str) for name in ("frame_id", "usage")}
    frames = pd.DataFrame({"frame_id": text["frame_id"], "subject": "", "sequence": "", "usage": text["usage"]})
    return Faces("fer2013", arrays["images"], arrays["labels"], frames, CLASSES)


def _table(content: bytes, file: Path) -> Iterable[Row]:
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", errors="replace", newline=""))
    try:
        header = [name.strip().lower() for name in next(lines, [])]  # icml_face_data.csv says " Usage" and " pixels"
        if missing := [name for name in COLUMNS if name not in header]:
            raise DataError(f"{file} has no column {' and no column '.join(missing)}: download it again")
        for row, cells in enumerate(filter(None, lines)):
            where = f"{file}, row {row} (line {lines.line_num})"
            if len(cells) != len(header):
                raise DataError(f"{where} has {len(cells)} columns, the header {len(header)}: download it again")
            emotion, pixels, usage = (cells[header.index(name)].strip() for name in COLUMNS)
            if emotion not in map(str, range(len(CLASSES))):
                raise DataError(f"{where}: emotion is {emotion!r}; it must be 0 to 6: download it again")
            if usage not in USAGES:
                raise DataError(f"{where}: usage is {usage!r}; it must be {', '.join(USAGES)}: download it again")
            yield f"{row:05d}", int(emotion), usage, _pixels(pixels, where)
    except csv.Error as error:
        raise DataError(f"{file}, line {lines.line_num}, is not valid CSV ({error}): download it again") from error


def _pixels(text: str, where: str) -> np.ndarray:
    with suppress(ValueError):
        values = np.fromstring(text, dtype=np.int64, sep=" ")
        if len(values) == SIZE**2 and values.min() >= 0 and values.max() <= 255:
            return values.astype(np.uint8).reshape(SIZE, SIZE)
    words = text.encode().split()
    if len(words) != SIZE**2:
        raise DataError(f"{where} has {len(words)} pixels; it must have {SIZE**2}: download it again")
    wrong = next(word.decode() for word in words if not word.isdigit() or int(word) > 255)
    raise DataError(f"{where}: pixel {wrong!r} is not a grey value from 0 to 255: download it again")


def _folders(place: Path, names: list[str]) -> Iterable[Row]:
    for name, content in images.read(place, names).items():
        match = IMAGE.fullmatch(name)
        emotion = images.emotion(match["folder"])
        if emotion not in CLASSES:
            raise DataError(f"{place / name}: {match['folder']} is not a class of FER2013; known: {', '.join(CLASSES)}")
        frame_id = f"{match['usage']}_{int(match['number']):08d}"
        yield frame_id, CLASSES.index(emotion), match["usage"], images.grey_face(place / name, content)


def _checked(rows: Iterable[Row], place: Path) -> Arrays:
    rows = sorted(rows, key=lambda row: row[0])
    emotions, usages = ([row[column] for row in rows] for column in (1, 2))
    found = {name: emotions.count(label) for label, name in enumerate(CLASSES)}
    found |= {usage: usages.count(usage) for usage in USAGES}
    for name, wanted in {**COUNTS, **USAGES}.items():
        if found[name] != wanted:
            raise DataError(f"{place} has {found[name]} faces of {name} where FER2013 has {wanted}: download it again")
    ids = [row[0] for row in rows]
    if twice := next((a for a, b in pairwise(ids) if a == b), None):
        raise DataError(f"{place} has more than one image {twice}: unpack or download it again")
    faces = np.stack([row[3] for row in rows])
    return {"images": faces, "labels": np.array(emotions), "frame_id": np.array(ids), "usage": np.array(usages)}
