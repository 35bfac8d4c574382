"""Where the eyes and the mouth are on aligned face crops: measured on the mean face of a data set, not guessed."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from fer_lib import paths, results


@dataclass(frozen=True)
class Landmarks:
    """Pixels of the mean face: the row of the eyes, the columns of the eye on the left and on the right of the image,
    the row of the mouth."""

    eye_row: int
    left_eye: int
    right_eye: int
    mouth_row: int


def measure(images: np.ndarray) -> Landmarks:
    """Find them on images uint8 (N, 48, 48) of upright, centred faces, where the mean face is darkest.

    The eyes: in the row with the darkest mean over the middle half, between a sixth and a half of the height; in each
    half of it, the darkest column of a band of five rows, not at the border. The mouth: the darkest row of the middle
    sixth between two thirds and nine tenths of the height.
    """
    mean = images.mean(axis=0)
    eye_row = 8 + mean[8:24, 12:36].mean(axis=1).argmin()
    band = mean[eye_row - 2 : eye_row + 3].mean(axis=0)
    mouth_row = 34 + mean[34:44, 20:28].mean(axis=1).argmin()
    return Landmarks(int(eye_row), int(10 + band[10:20].argmin()), int(28 + band[28:38].argmin()), int(mouth_row))


def in_words(found: Landmarks) -> str:
    """Where they are, in a sentence."""
    return (
        f"The eyes are in row {found.eye_row}, columns {found.left_eye} and {found.right_eye}, the mouth is in row "
        f"{found.mouth_row}, counted from 0 at the top left."
    )


def store(dataset: str, found: Landmarks) -> None:
    """Keep what was measured on a data set as `results/<dataset>/landmarks.csv`."""
    results.write_csv(paths.RESULTS / dataset / "landmarks.csv", pd.DataFrame([asdict(found)]))


def stored(dataset: str) -> Landmarks:
    """What was measured on a data set. Raises FileNotFoundError if nothing was stored."""
    return Landmarks(**results.of_data_set(dataset, "landmarks.csv").astype(object).iloc[0])
