"""The mean face of each emotion of a data set: nobody's face, so that a page may show it and results/ may hold it."""

import numpy as np
import pandas as pd

from fer_lib import paths, results
from fer_lib.faces import SIZE, Faces

PEOPLE = 10
"""A mean over fewer people could still be recognised; it is not stored."""


def store(data: Faces) -> None:
    """Keep the means over the frames of each emotion as `results/<dataset>/mean_faces.csv.gz`, to two decimals of 255.

    One row per emotion: emotion, people, frames, then the pixels row by row. An emotion of fewer than `PEOPLE` people
    is left out; where a data set does not know its people, every frame counts as one.
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
    """Emotion -> its mean face (48, 48), 0 to 255. Raises FileNotFoundError if nothing was stored."""
    table = results.of_data_set(dataset, "mean_faces.csv.gz").set_index("emotion").drop(columns=["people", "frames"])
    return {emotion: pixels.to_numpy(float).reshape(SIZE, SIZE) for emotion, pixels in table.iterrows()}
