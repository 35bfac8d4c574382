"""Your own faces: one folder of images per emotion, with the subject in the file name; see `data/README.md`."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps

from fer_lib import paths
from fer_lib.datasets import images
from fer_lib.datasets.cache import Arrays, cached
from fer_lib.faces import ALL_EMOTIONS, SIZE, DataError, Faces
from fer_lib.splits import FOLDS

VERSION = "own1"
"""Increased when the parsing changes, so that old cache entries are not used."""

FILE = re.compile(r"(?P<top>(?!__MACOSX/)(?:.*/)?)own/(?P<folder>[^/.][^/]*)/(?P<name>[^.].*)")
"""Matches all files except hidden and system files, so that no file is silently ignored."""

NAME = re.compile(r"(?P<sequence>(?P<subject>[^_/]+)_[^_/]+)_[^_/]+")
ENDINGS = (".png", ".jpg", ".jpeg")


def load(data_dir: Path | None = None) -> Faces:
    """The faces in `data_dir` (default: `paths.DATA`) under `own/<emotion>/<person>_<recording>_<frame>.png` (or .jpg).

    Searched there and one level down, zipped or not. frame_id is the image name. Images are converted to grey, cropped
    to their central square and scaled to 48x48. The classes are those of `faces.ALL_EMOTIONS` that have a folder.

    Raises DataError if there are no images, an image or a name is invalid, a recording shows two emotions, there are
    fewer than two classes or ten subjects, or too few subjects show one of the emotions.
    """
    root = Path(data_dir or paths.DATA)
    found = images.find(root, FILE)
    if not found:
        layout = "own/<emotion>/<person>_<recording>_<frame>.png (or .jpg)"
        raise images.absent("faces of your own", root, layout, "make such folders")
    place, names = found
    arrays = cached(images.key(VERSION, place, names), lambda: _read(place, names))
    frames = pd.DataFrame({"frame_id": arrays["frame_id"].astype(str)})
    frames[["sequence", "subject"]] = frames["frame_id"].str.extract(NAME)[["sequence", "subject"]]
    emotions = arrays["emotion"].astype(str)
    _check(frames.assign(emotion=emotions), place)
    classes = tuple(name for name in ALL_EMOTIONS if name in emotions)
    labels = np.array([classes.index(name) for name in emotions])
    return Faces("own", arrays["images"], labels, frames[["frame_id", "subject", "sequence"]].assign(usage=""), classes)


def _read(place: Path, names: list[str]) -> Arrays:
    rows = []
    for name, content in images.read(place, names).items():
        match = FILE.fullmatch(name)
        emotion = images.emotion(match["folder"])
        if emotion not in ALL_EMOTIONS:
            raise DataError(f"{place / name}: {match['folder']} is not an emotion; known: {', '.join(ALL_EMOTIONS)}")
        stem, ending = Path(match["name"]).stem, Path(match["name"]).suffix
        if ending.lower() not in ENDINGS or "/" in match["name"]:
            raise DataError(
                f"{place / name}: a folder of an emotion may contain only images ({', '.join(ENDINGS)}), no folders; "
                "convert it or move it away"
            )
        if not NAME.fullmatch(stem):
            raise DataError(
                f"{place / name}: the name must be <person>_<recording>_<frame>, such as S010_004_17; rename it"
            )
        rows.append((stem, emotion, _face(place / name, content)))
    rows.sort(key=lambda row: row[0])
    ids, emotions, faces = zip(*rows, strict=True)
    return {"frame_id": np.array(ids), "emotion": np.array(emotions), "images": np.stack(faces)}


def _face(file: Path, content: bytes) -> np.ndarray:
    """Convert an image of any size and colour to an upright face, uint8 (48, 48)."""
    image = images.decode(file, content)
    if image.mode[0] in "IF":
        # Pillow would clip all values above 255 to white.
        raise DataError(f"{file} has more than 8 bits per channel (mode {image.mode}); save it as 8-bit")
    upright = ImageOps.exif_transpose(image).convert("L")
    return np.asarray(ImageOps.fit(upright, (SIZE, SIZE), Image.Resampling.BICUBIC))


def _check(frames: pd.DataFrame, place: Path) -> None:
    if twice := frames.loc[frames["frame_id"].duplicated(), "frame_id"].tolist():
        raise DataError(f"{place} has more than one image named {twice[0]}; give each a frame of its own")
    emotions = frames.groupby("sequence")["emotion"].unique()
    if len(mixed := emotions[emotions.map(len) > 1]):
        raise DataError(
            f"{place}: the recording {mixed.index[0]} shows {' and '.join(mixed.iloc[0])}; give each emotion a "
            "recording of its own"
        )
    classes, subjects = frames["emotion"].nunique(), frames["subject"].nunique()
    if classes < 2 or subjects < FOLDS:
        raise DataError(
            f"{place} has {classes} emotions of {subjects} subjects; it needs at least 2 emotions of {FOLDS} subjects, "
            f"one for each of the {FOLDS} folds"
        )
    # `inner` tests two folds together, which must not hold all the subjects that show an emotion.
    pair = frames["subject"].map({name: i % FOLDS // 2 for i, name in enumerate(sorted(set(frames["subject"])))})
    pairs = pair.groupby(frames["emotion"]).nunique()
    if pairs.min() < 2:
        raise DataError(
            f"{place}: too few subjects show {pairs.idxmin()} to train on some and test on others; add some"
        )
