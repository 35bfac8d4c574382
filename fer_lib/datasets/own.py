"""Your own faces: a folder of images for each emotion, named by who they show. `data/README.md` says how."""

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
"""Raised when what is made of the same files changes, so that an old cache is not used."""

FILE = re.compile(r"(?P<top>(?!__MACOSX/)(?:.*/)?)own/(?P<folder>[^/.][^/]*)/(?P<name>[^.].*)")
"""All files but those that systems hide there, so that none is left out unsaid."""

NAME = re.compile(r"(?P<sequence>(?P<subject>[^_/]+)_[^_/]+)_[^_/]+")
ENDINGS = (".png", ".jpg", ".jpeg")


def load(data_dir: Path | None = None) -> Faces:
    """The faces in `data_dir` (default: `paths.DATA`) under `own/<emotion>/<person>_<recording>_<frame>.png` (or .jpg).

    Looked for there and one level down, zipped or not. frame_id is the name of the image. Each image is made grey, cut
    to its central square and scaled to 48x48. The classes are those of `faces.ALL_EMOTIONS` that have a folder.

    Raises DataError if there is none, an image or a name is wrong, a recording shows two emotions, there are fewer
    than two classes or ten subjects, or too few of them show one of the emotions.
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
            raise DataError(f"{place / name}: {match['folder']} is no emotion; known: {', '.join(ALL_EMOTIONS)}")
        stem, ending = Path(match["name"]).stem, Path(match["name"]).suffix
        if ending.lower() not in ENDINGS or "/" in match["name"]:
            raise DataError(
                f"{place / name}: wanted in a folder of an emotion are images, {', '.join(ENDINGS)}, and no folders; "
                "convert it or move it away"
            )
        if not NAME.fullmatch(stem):
            raise DataError(
                f"{place / name}: wanted is a name <person>_<recording>_<frame>, such as S010_004_17; rename it"
            )
        rows.append((stem, emotion, _face(place / name, content)))
    rows.sort(key=lambda row: row[0])
    ids, emotions, faces = zip(*rows, strict=True)
    return {"frame_id": np.array(ids), "emotion": np.array(emotions), "images": np.stack(faces)}


def _face(file: Path, content: bytes) -> np.ndarray:
    """The image as uint8 (48, 48), upright, whatever its size and colours."""
    image = images.decode(file, content)
    if image.mode[0] in "IF":
        # Pillow would cut all that is brighter than 255 to white.
        raise DataError(f"{file} has more than 8 bits a pixel (mode {image.mode}); store it with 8 bits a channel")
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
    # Two folds are tested together where settings are tried: who alone shows an emotion must not be all of them.
    pair = frames["subject"].map({name: i % FOLDS // 2 for i, name in enumerate(sorted(set(frames["subject"])))})
    pairs = pair.groupby(frames["emotion"]).nunique()
    if pairs.min() < 2:
        raise DataError(
            f"{place}: too few subjects show {pairs.idxmin()} to train on some and test on others; add some"
        )
