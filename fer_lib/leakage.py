"""How much each protocol gives away: what of the test frames training has seen."""

import numpy as np
import pandas as pd

from fer_lib.evaluation import nearest_pixels
from fer_lib.faces import Faces
from fer_lib.splits import draws, exposure, served
from fer_lib.wording import percent


def ladder(faces: Faces, seeds: int = 20) -> pd.DataFrame:
    """One row per protocol that the data set can serve, from the most to the least exposed.

    Columns: protocol, splits, test frames; and, where the data set knows its people, the shares of test frames whose
    sequence or subject is in training (`splits.exposure`) and whose nearest training image in raw pixels shows the same
    person. `random` and `sequence` are drawn `seeds` times.
    """
    subject = faces.frames["subject"].to_numpy(dtype=str)
    known = (subject != "").all()
    rows = []
    for protocol in served(faces):
        splits = [parts for _, _, parts in draws(faces, protocol, seeds)]
        row = {"protocol": protocol, "splits": len(splits), "test frames": np.mean([len(p.test) for p in splits])}
        if known:
            seen = pd.DataFrame([exposure(faces, parts) for parts in splits]).mean()
            nearest = [nearest_pixels(faces.images, parts.train, parts.test) for parts in splits]
            pairs = zip(splits, nearest, strict=True)
            same = np.mean([(subject[parts.test] == subject[near]).mean() for parts, near in pairs])
            row |= {"sequence seen": seen["sequence"], "subject seen": seen["subject"], "nearest is same person": same}
        rows.append(row)
    return pd.DataFrame(rows)


def readable(leaks: pd.DataFrame) -> pd.DataFrame:
    """`ladder` in percent, rounded for the eye."""
    about = ["protocol", "splits", "test frames"]
    return leaks[about].round(1).join(leaks.drop(columns=about).map(percent))
