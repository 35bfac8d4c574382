"""Finding and reading face images in folders and zip files, with errors that name the faulty file."""

import io
import os
import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

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
    for found in zipped(root, pattern):
        return found
    for top, names in _by_top(files(root, depth=3), pattern):
        return root / top, [name.removeprefix(top) for name in names]
    return None


def zipped(root: Path, pattern: re.Pattern) -> Iterator[tuple[Path, list[str]]]:
    """All that `find` could return from zips, in its order; twice the same zip if it has two `top`s."""
    for file in _zips(root):
        for _, names in _by_top(_members(file) or [], pattern):
            yield file, names


def files(folder: str | Path, depth: int, rest: bool = False) -> Iterator[str]:
    """Names of the files in `folder` and up to `depth` levels down, outside hidden folders.

    With `rest`, also of what is no such file: broken links, hidden folders and those further down.
    """
    # Much faster than Path.glob on the 35,887 files of FER2013.
    for entry in os.scandir(folder) if os.path.isdir(folder) else ():
        if os.path.isfile(entry.path):  # False, without an error, for a link to itself
            yield entry.name
        elif depth and entry.is_dir() and not entry.name.startswith("."):
            yield from (f"{entry.name}/{name}" for name in files(entry.path, depth - 1, rest))
        elif rest:
            yield entry.name


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


def absent(name: str, root: Path, layouts: str, source: str, folder: str = "") -> DataError:
    """The error for a data set `name` not in `root`, with the remedy; with `folder`, it names zips that lack it."""
    zips = {str(file): _members(file) for file in _zips(root)}
    damaged = ", ".join(file for file, members in zips.items() if members is None)
    others = ", ".join(file for file, members in zips.items() if members is not None)
    hint = f" (damaged, to be downloaded again: {damaged})" if damaged else ""
    if folder and others:
        layouts += f", and found {others} without files in a folder {folder}"
    return DataError(
        f"no {name} in {root}{hint}: looked there and one level down for {layouts}; {source}, and put it there, or "
        "set FER_DATA to the folder it is in (data/README.md says more)"
    )


def decode(file: Path, content: bytes) -> Image.Image:
    """Decode the image `content`. Raises DataError, naming `file`, if it is truncated, huge or not an image."""
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        # Pillow's own words name an object in memory.
        reason = "of no known format" if isinstance(error, UnidentifiedImageError) else error
        raise DataError(f"{file} cannot be read as an image ({reason}): replace it with a readable copy") from error
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


def _by_top(names: Iterable[str], pattern: re.Pattern) -> list[tuple[str, list[str]]]:
    """Each `top` with the sorted names under it; the one with most names first."""
    tops = defaultdict(list)
    for name in sorted(set(names)):
        if match := pattern.fullmatch(name):
            tops[match["top"]].append(name)
    return sorted(tops.items(), key=lambda item: (-len(item[1]), item[0]))


def _zips(root: Path) -> list[Path]:
    return sorted(root.glob("*.zip")) + sorted(root.glob("*/*.zip"))


def _members(file: Path) -> list[str] | None:
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.namelist()
    except DAMAGE:
        return None
