"""`Faces`: the one form in which every data set reaches the study."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module

import numpy as np
import pandas as pd

SIZE = 48
"""Height and width of every face image in pixels (Kim et al. 2022, section 3)."""

DATASETS = ("synthetic", "ckplus", "fer2013", "ferplus", "own")

OF_FER2013 = ("fer2013", "ferplus")
"""Those with the images of FER2013, which come with a usage and without a subject."""

EMOTIONS = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
"""The seven classes of CK+, in the order of their labels (Lucey et al. 2010 number them from 1)."""

ALL_EMOTIONS = (*EMOTIONS, "neutral")
"""Every class that a data set of this study has."""

SHOWN_CKPLUS = ("S052", "S055", "S074", "S106", "S111", "S113", "S121", "S124", "S125", "S130", "S132")
"""The only subjects whose images the CK+ user agreement lets one reproduce, with the notice (c) Jeffrey Cohn."""


class DataError(ValueError):
    """A data set is missing, incomplete or malformed; the message names the file and the remedy."""


@dataclass(frozen=True)
class Faces:
    """A labelled set of grey face images.

    images: uint8 (N, 48, 48). labels: int64 (N,), indices into `classes`.
    frames: N rows, columns frame_id (unique), subject, sequence and usage; an attribute that the data set does
    not know is the empty string. Rows are sorted by frame_id, so that indices mean the same on every machine.
    votes: None, or float32 (N, classes): for each face the share of people's votes that a class has; rows sum to 1.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    frames: pd.DataFrame
    classes: tuple[str, ...]
    votes: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: np.ndarray) -> "Faces":
        """The faces at `rows` alone, in this order."""
        frames = self.frames.iloc[rows].reset_index(drop=True)
        votes = None if self.votes is None else self.votes[rows]
        return Faces(self.name, self.images[rows], self.labels[rows], frames, self.classes, votes)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over images, labels and votes: two sets with the same fingerprint train the same networks.

        Who is who is published for every set but one's own, where it counts too.
        """
        digest = hashlib.sha256(np.ascontiguousarray(self.images))
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8"))
        if self.votes is not None:
            digest.update(np.ascontiguousarray(self.votes, dtype="<f4"))
        if self.name == "own":
            digest.update(json.dumps([self.classes, self.frames.to_numpy().tolist()]).encode())
        return digest.hexdigest()

    @property
    def may_be_shown(self) -> np.ndarray:
        """bool (N,): which faces a report may show: all synthetic ones, the permitted subjects of CK+, else none."""
        if self.name == "ckplus":
            return self.frames["subject"].isin(SHOWN_CKPLUS).to_numpy()
        return np.full(len(self), self.name == "synthetic")


def load(name: str) -> Faces:
    """Load the data set `name`, one of `DATASETS`.

    Raises ValueError for another name, DataError where the files are missing or wrong.
    """
    if name not in DATASETS:
        raise ValueError(f"unknown data set {name!r}; known: {', '.join(DATASETS)}")
    return import_module(f"fer_lib.datasets.{name}").load()
