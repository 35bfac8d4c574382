"""Finding and reading face images in folders and zip files, with errors that name the faulty file."""

import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import mode

import numpy as np
from PIL import Image

from fer_lib.datasets.cache import content_key
from fer_lib.faces import SIZE, DataError

SYNONYMS = {
    "angry": "anger",
    "disgusted": "disgust",
    "fearful": "fear",
    "happy": "happiness",
    "sad": "sadness",
    "surprised": "surprise",
}

DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)
"""Exceptions that Python raises for truncated or corrupt zip files."""


def emotion(folder: str) -> str:
    """The study's name of the emotion of a folder: happiness for Happy."""
    return SYNONYMS.get(folder.lower(), folder.lower())


def find(root: Path, pattern: re.Pattern) -> tuple[Path, list[str]] | None:
    """Find the files of a data set, zipped or not, in `root` or one level down; returns their place and sorted names.

    `pattern` matches a file's full name relative to `root` or within a zip; its group `top` is the path above the data
    set's own folders. The place is the zip, with the names of its members, or else the folder `top`, with the names in
    it. If there are several `top`s, the one with most files is used. None if no name matches.
    """
    for file in _zips(root):
        _, names = _under_one_top(_members(file) or [], pattern)
        if names:
            return file, names
    top, names = _under_one_top(_files(root, depth=3), pattern)
    return (root / top, [name.removeprefix(top) for name in names]) if names else None


def read(place: Path, names: list[str]) -> dict[str, bytes]:
    """Bytes of the files `names` in a folder or zip. Raises DataError if the zip is damaged."""
    if place.is_dir():
        return {name: (place / name).read_bytes() for name in names}
    try:
        with zipfile.ZipFile(place) as archive:
            return {name: archive.read(name) for name in names}
    except DAMAGE as error:
        raise DataError(f"{place} is a damaged zip file ({error}): download it again") from error


def key(label: str, place: Path, names: list[str]) -> str:
    """Cache key for a result of `find`: over the zip file, or over the names and bytes of the folder's files."""
    return content_key(label, place, names) if place.is_dir() else content_key(label, place.parent, [place.name])


def absent(name: str, root: Path, layouts: str, source: str) -> DataError:
    """The error for a data set `name` that is not in `root`, with the remedy."""
    damaged = [str(file) for file in _zips(root) if _members(file) is None]
    hint = f" ({', '.join(damaged)} is a damaged zip file: download it again)" if damaged else ""
    return DataError(
        f"no {name} in {root}{hint}: looked there and one level down for {layouts}; {source}, and put it there, or "
        "set FER_DATA to the folder it is in (data/README.md says more)"
    )


def decode(file: Path, content: bytes) -> Image.Image:
    """Decode the image `content`. Raises DataError, naming `file`, if it is truncated or not an image."""
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{file} cannot be read as an image ({error}): unpack or download it again") from error
    return image


def grey_face(file: Path, content: bytes) -> np.ndarray:
    """A face image as uint8 (48, 48). Raises DataError if it has another size or is not 8-bit grey."""
    image = decode(file, content)
    if image.mode != "L" or image.size != (SIZE, SIZE):
        raise DataError(
            f"{file} is {image.width}x{image.height} in mode {image.mode}; it must be {SIZE}x{SIZE} in mode L "
            "(8-bit grey): use the file as published"
        )
    return np.asarray(image)


def _under_one_top(names: Iterable[str], pattern: re.Pattern) -> tuple[str, list[str]]:
    tops = {name: match["top"] for name in names if (match := pattern.fullmatch(name))}
    top = mode(sorted(tops.values())) if tops else ""
    return top, sorted(name for name in tops if tops[name] == top)


def _zips(root: Path) -> list[Path]:
    return sorted(root.glob("*.zip")) + sorted(root.glob("*/*.zip"))


def _members(file: Path) -> list[str] | None:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.namelist()
    except DAMAGE:
        return None


def _files(folder: str | Path, depth: int) -> Iterator[str]:
    # Much faster than Path.glob on the 35,887 files of FER2013.
    for entry in os.scandir(folder) if os.path.isdir(folder) else ():
        if entry.is_file():
            yield entry.name
        elif depth and entry.is_dir() and not entry.name.startswith("."):
            yield from (f"{entry.name}/{name}" for name in _files(entry.path, depth - 1))
