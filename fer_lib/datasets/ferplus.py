"""FERPlus (Barsoum et al. 2016): ten people's votes on each image of FER2013; see `data/README.md`."""

import csv
import io
import re
from pathlib import Path

import numpy as np

from fer_lib import paths
from fer_lib.datasets import fer2013, images
from fer_lib.faces import DataError, Faces

CATEGORIES = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "no face",
)
"""Categories of the votes, in the order of the file's columns; the last three are not classes of FER2013."""

CLASSES = CATEGORIES[:8]

VOTERS = 10
HEADER = ("usage", "image name", *CATEGORIES[:-1], "nf")
TABLE = re.compile(r"(?P<top>(?:.*/)?)fer2013new\.csv")


def load(data_dir: Path | None = None) -> Faces:
    """FER2013's images with a majority label in FERPlus's eight classes; `data_dir` as for `votes`.

    frame_id and usage are FER2013's; labels and vote shares are those of `labelled`. Raises DataError if one of the two
    data sets is missing or invalid, or FER2013 comes as image folders.
    """
    every = fer2013.load(data_dir)
    kept, labels, shares = labelled(votes(every, data_dir))
    frames = every.frames.iloc[kept].reset_index(drop=True)
    return Faces("ferplus", every.images[kept], labels, frames, CLASSES, shares)


def labelled(cast: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels and vote shares from the votes `cast` (N, 10), as in the `majority` mode of the authors' code.

    Categories with a single vote are ignored. The label is the category with more than half of the remaining votes;
    images without one, or labelled unknown or no face, are left out. For training on vote shares that code keeps
    other images, and only their strongest categories (its mode `crossentropy`); here both targets use the same images,
    so that only the target differs.

    Returns the kept rows (K,); their labels, int64 (K,), indices into `CLASSES`; and each class's share of the image's
    remaining votes for classes, float32 (K, 8).
    """
    left = np.where(cast > 1, cast, 0)
    most = left.argmax(axis=1)
    kept = np.flatnonzero((2 * left.max(axis=1) > left.sum(axis=1)) & (most < len(CLASSES)))
    counts = left[kept, : len(CLASSES)]
    return kept, most[kept], (counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)


def votes(faces: Faces, data_dir: Path | None = None) -> np.ndarray:
    """Number of votes for each of `CATEGORIES`, int64 (N, 10), on FER2013's images `faces`: at most ten per image.

    `fer2013new.csv` is searched in `data_dir` (default: `paths.DATA`) and below, zipped or not. Its rows correspond to
    those of `fer2013.csv` in order. Raises DataError if it is missing or invalid, or if `faces` come from image
    folders, whose names do not contain the row.
    """
    root = Path(data_dir or paths.DATA)
    if not faces.frames["frame_id"].str.fullmatch(r"\d+").all():
        raise DataError(
            f"FERPlus refers to the rows of fer2013.csv, which image folders lack: put fer2013.csv into {root}"
        )
    found = images.find(root, TABLE)
    if not found:
        raise images.absent("FERPlus", root, "fer2013new.csv", "take it from github.com/microsoft/FERPlus")
    place, names = found[0], found[1][:1]
    file = place / names[0]
    text = images.read(place, names)[names[0]].decode("utf-8-sig", errors="replace")
    try:
        header, *rows = list(csv.reader(io.StringIO(text))) or [[]]
    except csv.Error as error:
        raise DataError(f"{file} is not valid CSV ({error}): download it again") from error
    if tuple(name.strip().lower() for name in header) != HEADER:
        raise DataError(f"{file} begins with {','.join(header)!r} instead of {','.join(HEADER)}: download it again")
    rows = [row for row in rows if row]
    if len(rows) != len(faces):
        raise DataError(f"{file} has {len(rows)} rows where FER2013 has {len(faces)}: download it again")
    usages = faces.frames["usage"].tolist()
    return np.array([_votes(cells, usages[row], f"{file}, row {row}") for row, cells in enumerate(rows)])


def _votes(cells: list[str], usage: str, where: str) -> list[int]:
    if len(cells) != len(HEADER):
        raise DataError(f"{where} has {len(cells)} columns, the header {len(HEADER)}: download it again")
    if cells[0] != usage:
        raise DataError(f"{where}: usage is {cells[0]!r}, but {usage!r} in fer2013.csv: use both files as published")
    wrong = [cell for cell in cells[2:] if not (cell.isascii() and cell.isdigit())]
    if wrong:
        raise DataError(f"{where}: {wrong[0]!r} is not a number of votes: download it again")
    votes = [int(cell) for cell in cells[2:]]
    if not 0 < sum(votes) <= VOTERS:
        raise DataError(f"{where} has {sum(votes)} votes; it must have 1 to {VOTERS}: download it again")
    return votes
