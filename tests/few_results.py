"""Results written by hand, so that every number of a table is known beforehand."""

import numpy as np
import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment, Member

SOFTMAX = Experiment("softmax", "ckplus", loss="softmax", seeds=3)
TRIPLET = Experiment("triplet", "ckplus", seeds=3)
LEAKS = pd.DataFrame({"protocol": ["random", "subject"], "test frames": [181.0, 98.1], "sequence seen": [0.9664, 0]})
LEAKS = LEAKS.assign(**{"frames a sequence": [1.21, 3], "frames a subject": [1.996, 8.3]})
"""Two rows of `leakage.ladder`."""

RESNET18 = Experiment("resnet18", "ckplus", loss="softmax", backbone="resnet18", seeds=3)


def add(experiment, member, tables, outside=0.0):
    """Add a member with these tables; each of the others has its last epoch alone, with so much of the grid outside."""
    results.open_folder(experiment, "abc", "cpu")
    last = pd.DataFrame({"epoch": [experiment.epochs], "grid_outside": [outside]})
    timing = {"train_seconds": 60, "frames_per_second": 100}
    results.add_member(experiment, member, dict.fromkeys(results.TABLES, last) | tables, timing)


def store(experiment, accuracies, outside):
    for seed, (accuracy, share) in enumerate(zip(accuracies, outside, strict=True)):
        frames = 4 if 4 * accuracy % 1 == 0 else 200
        right = round(frames * accuracy)
        made = {
            "predictions.csv.gz": pd.DataFrame(
                {
                    "frame_id": [f"frame {i}" for i in range(frames)],
                    "subject": np.repeat(["a", "b"], frames // 2),
                    "label": 1,
                    "prediction": [1] * right + [0] * (frames - right),
                    "p_anger": 0.5,
                    "p_contempt": 0.5,
                }
            ),
            "occlusion.csv": pd.DataFrame(
                {"kind": ["rectangle"], "fill": ["black"], "n": frames, "accuracy": [accuracy / 2]}
            ),
            "history.csv": pd.DataFrame(
                {
                    "epoch": [99, 100],
                    "loss": [2.0, 1.0],
                    "grid_outside": [0.9, share],
                    "test_accuracy": [accuracy + 0.1 * seed, accuracy],
                }
            ),
            "metrics.csv": pd.DataFrame({"accuracy": [accuracy], "macro_f1": [accuracy]}),
        }
        add(experiment, Member(seed, 0), dict.fromkeys(results.TABLES, pd.DataFrame()) | made)
