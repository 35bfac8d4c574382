"""Positions of eyes and mouth on aligned face crops, measured on the mean face of a data set."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from fer_lib import paths, results


@dataclass(frozen=True)
class Landmarks:
    """Pixel positions on the mean face: row of the eyes, columns of the left and right eye in the image, row of the
    mouth."""

    eye_row: int
    left_eye: int
    right_eye: int
    mouth_row: int


def measure(images: np.ndarray) -> Landmarks:
    """Locate the landmarks where the mean of images uint8 (N, 48, 48) of upright, centred faces is darkest.

    Eye row: the row between a sixth and a half of the height whose middle half has the darkest mean. Eye columns: the
    darkest column on each side, away from the border, of a band of five rows. Mouth: the row between two thirds and
    nine tenths of the height whose middle sixth is darkest.
    """
    mean = images.mean(axis=0)
    eye_row = 8 + mean[8:24, 12:36].mean(axis=1).argmin()
    band = mean[eye_row - 2 : eye_row + 3].mean(axis=0)
    mouth_row = 34 + mean[34:44, 20:28].mean(axis=1).argmin()
    return Landmarks(int(eye_row), int(10 + band[10:20].argmin()), int(28 + band[28:38].argmin()), int(mouth_row))


def in_words(found: Landmarks) -> str:
    """The positions as a sentence."""
    return (
        f"The eyes are in row {found.eye_row}, columns {found.left_eye} and {found.right_eye}, the mouth is in row "
        f"{found.mouth_row}, counted from 0 at the top left."
    )


def store(dataset: str, found: Landmarks) -> None:
    """Store the landmarks of a data set as `results/<dataset>/landmarks.csv`."""
    results.write_csv(paths.RESULTS / dataset / "landmarks.csv", pd.DataFrame([asdict(found)]))


def stored(dataset: str) -> Landmarks:
    """The stored landmarks of a data set. Raises FileNotFoundError if there are none."""
    return Landmarks(**results.of_data_set(dataset, "landmarks.csv").astype(object).iloc[0])
