"""FER2013 (Goodfellow et al. 2013): as csv, zipped or not, or as image folders. See `data/README.md`."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib import paths
from fer_lib.cache import Arrays, cached, content_key
from fer_lib.faces import SIZE, DataError, Faces
from fer_lib.images import grey_face

VERSION = 1
"""Raised when what is made of the same files changes, so that an old cache is not used."""

CLASSES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
COUNTS = dict(zip(CLASSES, (4953, 547, 5121, 8989, 6077, 4002, 6198), strict=True))
USAGES = {"Training": 28709, "PublicTest": 3589, "PrivateTest": 3589}
TABLES = ("fer2013.csv", "icml_face_data.csv")
FOLDERS = dict(zip(("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"), range(7), strict=True))
IMAGE_NAME = re.compile(rf"({'|'.join(USAGES)})_(\d+)")


def load(data_dir: Path | None = None) -> Faces:
    """FER2013 from `data_dir` (default: `paths.DATA`): 35,887 faces of unknown people.

    Looked for, in this order: `fer2013.csv` or `icml_face_data.csv`, a zip that holds one of them, and folders
    `train/<class>/*.jpg`, `test/<class>/*.jpg`. A face's frame_id is its row in the csv, or its file's name. Raises
    DataError if none is there or what is there is not whole.
    """
    root = Path(data_dir or paths.DATA)
    tables = [root / name for name in TABLES if (root / name).is_file()]
    archives = [
        file for file in sorted(root.glob("*.zip")) if "fer" in file.name.lower() or "icml" in file.name.lower()
    ]
    images = [file for part in ("train", "test") for file in sorted((root / part).glob("*/*.jpg"))]
    source = [*tables, *archives][:1] or images
    if not source:
        raise DataError(
            f"no FER2013 in {root}: neither fer2013.csv nor icml_face_data.csv nor a zip of it nor train/<class>/*.jpg "
            "is there; data/README.md says how to get it, and FER_DATA names another place"
        )

    def build() -> Arrays:
        if tables:
            return _table(tables[0].read_bytes(), tables[0])
        return _table(_unzip(archives[0]), archives[0]) if archives else _images(images, root)

    arrays = cached(content_key(f"fer2013{VERSION}", source), build)
    frames = pd.DataFrame({"frame_id": arrays["frame_id"].astype(str), "subject": "", "sequence": ""})
    return Faces(
        "fer2013", arrays["images"], arrays["labels"], frames.assign(usage=arrays["usage"].astype(str)), CLASSES
    )


def _unzip(archive: Path) -> bytes:
    try:
        with zipfile.ZipFile(archive) as members:
            names = [name for name in members.namelist() if Path(name).name in TABLES]
            if not names:
                raise DataError(f"{archive} holds neither {' nor '.join(TABLES)}; download FER2013 again")
            return members.read(names[0])
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise DataError(f"{archive} is not a whole zip file ({error}); download it again") from error


def _table(content: bytes, file: Path) -> Arrays:
    try:
        table = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{file} is not a readable csv ({error}); download it again") from error
    table.columns = table.columns.str.strip().str.lower()  # icml_face_data.csv says " Usage" and " pixels"
    absent = {"emotion", "pixels", "usage"} - set(table.columns)
    if absent:
        raise DataError(f"{file} has no column {', '.join(sorted(absent))}; download FER2013 again")
    wrong = np.flatnonzero(~table["emotion"].isin([str(i) for i in range(len(CLASSES))]))
    if len(wrong):
        raise DataError(f"{file}, row {wrong[0]}: emotion is {table['emotion'][wrong[0]]!r}; it must be 0 to 6")
    pixels = _pixels(table["pixels"], file)
    ids = np.array([f"{row:05d}" for row in range(len(table))])
    return _arrays(pixels, table["emotion"].to_numpy(dtype=np.int64), ids, table["usage"].to_numpy(dtype=str), file)


def _pixels(rows: pd.Series, file: Path) -> np.ndarray:
    counts = rows.str.count(r"\S+")
    wrong = np.flatnonzero(counts != SIZE**2)
    if len(wrong):
        raise DataError(f"{file}, row {wrong[0]}: {counts[wrong[0]]} pixels; {SIZE**2} are wanted: download it again")
    try:
        values = np.fromstring(" ".join(rows), dtype=np.int16, sep=" ")
        sound = values.min() >= 0 and values.max() <= 255
    except ValueError:
        sound = False
    if not sound:
        cells = ((row, value) for row, text in enumerate(rows) for value in text.split())
        row, value = next((r, v) for r, v in cells if not (v.isdigit() and int(v) <= 255))
        raise DataError(f"{file}, row {row}: pixel {value!r} is no grey value 0 to 255; download it again")
    return values.astype(np.uint8).reshape(-1, SIZE, SIZE)


def _images(files: list[Path], root: Path) -> Arrays:
    rows = []
    for file in files:
        name = IMAGE_NAME.fullmatch(file.stem)
        if not name or file.parent.name not in FOLDERS:
            raise DataError(
                f"{file} is not named <class>/Training_123.jpg or alike; use FER2013's image folders as they are"
            )
        rows.append((f"{name[1]}_{int(name[2]):08d}", FOLDERS[file.parent.name], name[1], file))
    rows.sort(key=lambda row: row[0])
    pixels = np.stack([grey_face(str(file), file.read_bytes()) for *_, file in rows])
    ids, labels, usages, _ = zip(*rows, strict=True)
    return _arrays(pixels, np.array(labels, dtype=np.int64), np.array(ids), np.array(usages), root)


def _arrays(images: np.ndarray, labels: np.ndarray, ids: np.ndarray, usages: np.ndarray, place: Path) -> Arrays:
    found = {name: int((labels == i).sum()) for i, name in enumerate(CLASSES)}
    found |= {usage: int((usages == usage).sum()) for usage in USAGES}
    for name, wanted in {**COUNTS, **USAGES}.items():
        if found[name] != wanted:
            raise DataError(f"{place} has {found[name]} faces of {name} where FER2013 has {wanted}; download it again")
    return {"images": images, "labels": labels, "frame_id": ids, "usage": usages}
