"""Mean face of each emotion in a data set; it shows no individual, so pages may show it and results/ may store it."""

import numpy as np
import pandas as pd

from fer_lib import paths, results
from fer_lib.faces import SIZE, Faces

PEOPLE = 10
"""Minimum number of people for a stored mean; with fewer, individuals might be recognisable."""


def store(data: Faces) -> None:
    """Store the mean face of each emotion in `results/<dataset>/mean_faces.csv.gz`, 0 to 255 to two decimals.

    One row per emotion: emotion, people, frames, then the pixels row by row. Emotions of fewer than `PEOPLE` people are
    left out; if subjects are unknown, every frame counts as one person.
    """
    rows = []
    people = data.frames["subject"].where(data.frames["subject"] != "", data.frames["frame_id"]).to_numpy(str)
    for label, emotion in enumerate(data.classes):
        own = data.labels == label
        if (count := len(np.unique(people[own]))) >= PEOPLE:
            rows.append([emotion, count, int(own.sum()), *data.images[own].mean(axis=0).ravel().round(2)])
    table = pd.DataFrame(rows, columns=["emotion", "people", "frames", *(f"{i}" for i in range(SIZE**2))])
    results.write_csv(paths.RESULTS / data.name / "mean_faces.csv.gz", table)


def stored(dataset: str) -> dict[str, np.ndarray]:
    """Emotion -> mean face (48, 48), 0 to 255. Raises FileNotFoundError if nothing is stored."""
    table = results.of_data_set(dataset, "mean_faces.csv.gz").set_index("emotion").drop(columns=["people", "frames"])
    return {emotion: pixels.to_numpy(float).reshape(SIZE, SIZE) for emotion, pixels in table.iterrows()}
