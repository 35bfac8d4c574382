"""How much each protocol gives away: exposure of the test frames, and what a classifier without training gains."""

import numpy as np
import pandas as pd

from fer_lib.evaluation import nearest_pixels_accuracy
from fer_lib.faces import Faces
from fer_lib.splits import exposure, fold_count, split
from fer_lib.stats import mean_interval
from fer_lib.wording import interval, percent


def ladder(faces: Faces, draws: int = 20) -> pd.DataFrame:
    """One row per protocol that the data set can serve, from the most to the least exposed.

    Columns: protocol, splits, test frames (mean), sequence seen, subject seen (`splits.exposure`), 1-NN accuracy on
    raw pixels with the 95 % interval over the splits. `random` and `sequence` are drawn `draws` times.
    """
    protocols = ("random", "sequence", "subject") if faces.frames["sequence"].ne("").all() else ("random", "usage")
    rows = []
    for protocol in protocols:
        folds = fold_count(protocol)
        seeds = draws if protocol in ("random", "sequence") else 1
        splits = [split(faces, protocol, seed, fold) for seed in range(seeds) for fold in range(folds)]
        seen = pd.DataFrame([exposure(faces, parts) for parts in splits]).mean()
        nearest = [nearest_pixels_accuracy(faces.images, faces.labels, parts.train, parts.test) for parts in splits]
        mean, low, high = mean_interval(nearest)
        rows.append(
            {
                "protocol": protocol,
                "splits": len(splits),
                "test frames": np.mean([len(parts.test) for parts in splits]),
                "sequence seen": seen["sequence"] if protocol != "usage" else np.nan,
                "subject seen": seen["subject"] if protocol != "usage" else np.nan,
                "1-NN accuracy": mean,
                "ci_low": low,
                "ci_high": high,
            }
        )
    return pd.DataFrame(rows)


def readable(leaks: pd.DataFrame) -> pd.DataFrame:
    """`ladder` in percent, rounded for the eye."""
    shares = leaks[["sequence seen", "subject seen", "1-NN accuracy"]].map(percent)
    ends = [interval(low, high) for low, high in zip(leaks["ci_low"], leaks["ci_high"], strict=True)]
    return leaks[["protocol", "splits", "test frames"]].round(1).join(shares).assign(**{"95 % interval": ends})
