"""How much each protocol gives away: exposure of the test frames, and what a classifier without training gains."""

import numpy as np
import pandas as pd

from fer_lib.evaluation import nearest_pixels
from fer_lib.faces import Faces
from fer_lib.splits import exposure, fold_count, served, split
from fer_lib.stats import mean_interval
from fer_lib.wording import interval, percent


def ladder(faces: Faces, draws: int = 20) -> pd.DataFrame:
    """One row per protocol that the data set can serve, from the most to the least exposed.

    Columns: protocol, splits, test frames; the shares of test frames whose sequence or subject is in training
    (`splits.exposure`) and whose nearest training image in raw pixels shows the same person; 1-NN accuracy, the share
    for which that image shows the same emotion, with its 95 % interval over the splits. What the data set does not know
    is NaN. `random` and `sequence` are drawn `draws` times.
    """
    subject = faces.frames["subject"].to_numpy(dtype=str)
    known = (subject != "").all()
    rows = []
    for protocol in served(faces):
        seeds = draws if protocol in ("random", "sequence") else 1
        splits = [split(faces, protocol, seed, fold) for seed in range(seeds) for fold in range(fold_count(protocol))]
        nearest = [nearest_pixels(faces.images, parts.train, parts.test) for parts in splits]
        pairs = list(zip(splits, nearest, strict=True))
        right = [(faces.labels[parts.test] == faces.labels[near]).mean() for parts, near in pairs]
        mean, low, high = mean_interval(right)
        row = {"protocol": protocol, "splits": len(splits), "test frames": np.mean([len(p.test) for p in splits])}
        if known:
            seen = pd.DataFrame([exposure(faces, parts) for parts in splits]).mean()
            same = np.mean([(subject[parts.test] == subject[near]).mean() for parts, near in pairs])
            row |= {"sequence seen": seen["sequence"], "subject seen": seen["subject"], "nearest is same person": same}
        rows.append({**row, "1-NN accuracy": mean, "ci_low": low, "ci_high": high})
    return pd.DataFrame(rows)


def readable(leaks: pd.DataFrame) -> pd.DataFrame:
    """`ladder` in percent, rounded for the eye."""
    shares = leaks.drop(columns=["protocol", "splits", "test frames", "ci_low", "ci_high"]).map(percent)
    ends = [interval(low, high) for low, high in zip(leaks["ci_low"], leaks["ci_high"], strict=True)]
    return leaks[["protocol", "splits", "test frames"]].round(1).join(shares).assign(**{"95 % interval": ends})
