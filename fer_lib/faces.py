"""`Faces`: the common form of every data set."""

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
"""Data sets with FER2013's images, whose frames have a usage but no subject."""

EMOTIONS = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
"""The seven classes of CK+, in the order of their labels (Lucey et al. 2010 number them from 1)."""

ALL_EMOTIONS = (*EMOTIONS, "neutral")
"""All classes that occur in the study's data sets."""

SHOWN_CKPLUS = ("S052", "S055", "S074", "S106", "S111", "S113", "S121", "S124", "S125", "S130", "S132")
"""The only subjects whose images may be reproduced under the CK+ user agreement, with the notice (c) Jeffrey Cohn."""


class DataError(ValueError):
    """Raised if a data set is missing, incomplete or malformed; the message names the file and the remedy."""


@dataclass(frozen=True)
class Faces:
    """A labelled set of grey face images.

    images: uint8 (N, 48, 48). labels: int64 (N,), indices into `classes`.
    frames: N rows, columns frame_id (unique), subject, sequence and usage; unknown attributes are empty strings. Rows
    are sorted by frame_id, so that indices mean the same on every machine.
    votes: None, or float32 (N, classes): each class's share of the votes on a face; rows sum to 1.
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
        """The faces at `rows`, in this order."""
        frames = self.frames.iloc[rows].reset_index(drop=True)
        votes = None if self.votes is None else self.votes[rows]
        return Faces(self.name, self.images[rows], self.labels[rows], frames, self.classes, votes)

    @cached_property
    def fingerprint(self) -> str:
        """sha256 over images, labels and votes: sets with the same fingerprint train the same networks.

        For `own` it also covers classes and frames; for the other sets the subjects are published and fixed.
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
        """Which faces a report may show, bool (N,): all synthetic ones, the permitted subjects of CK+, no others."""
        if self.name == "ckplus":
            return self.frames["subject"].isin(SHOWN_CKPLUS).to_numpy()
        return np.full(len(self), self.name == "synthetic")


def load(name: str) -> Faces:
    """Load the data set `name`, one of `DATASETS`.

    Raises ValueError for an unknown name, DataError if its files are missing or wrong.
    """
    if name not in DATASETS:
        raise ValueError(f"unknown data set {name!r}; known: {', '.join(DATASETS)}")
    return import_module(f"fer_lib.datasets.{name}").load()
