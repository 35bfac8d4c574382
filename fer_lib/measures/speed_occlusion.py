"""How long the occlusion benchmark takes for the runs of an experiment, and how much of that the networks take."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib import machine
from fer_lib.datasets import synthetic
from fer_lib.evaluation import Predictor
from fer_lib.experiments import Experiment, Member
from fer_lib.faces import Faces
from fer_lib.occlusion_benchmark import OcclusionBenchmark
from fer_lib.run import trainee
from fer_lib.splits import FOLDS, split
from fer_lib.training import to_float
from fer_lib.workers import in_parallel


def suite(experiments: dict[str, Experiment], folds: int = FOLDS) -> pd.DataFrame:
    """Time the whole benchmark on the synthetic faces, for one run per fold of unseen subjects. One row per loss.

    The runs are tested as `run` does, in parallel processes on a CPU. They are untrained: the weights change no time.
    Columns: loss, members, faces (tested), images (seen by the networks), seconds, network_seconds (of these, in the
    networks and their classifiers; the rest draws the occlusions).
    """
    rows = []
    for loss, experiment in experiments.items():
        test = partial(timed, replace(experiment, protocol="subject"))
        members, at_once = [Member(0, fold) for fold in range(folds)], 1
        if machine.device() == "cpu":
            at_once = min(folds, machine.cores())
            found = [row for _, row in in_parallel(test, members, synthetic.load(), lambda: None)]
        else:
            found = [test(member, synthetic.load()) for member in members]
        total = pd.DataFrame(found).sum()
        row = {"loss": loss, "members": folds, "faces": int(total["faces"]), "images": int(total["images"])}
        rows.append({**row, **{name: total[name] / at_once for name in ("seconds", "network_seconds")}})
    return pd.DataFrame(rows)


def timed(experiment: Experiment, member: Member, faces: Faces, on_epoch: Callable[[], None] | None = None) -> dict:
    """The row of `suite` for one member, in seconds of its own; on_epoch is not called, for nothing is trained."""
    device, rows = machine.device(), split(faces, experiment.protocol, member.seed, member.fold).test
    images, seconds = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        learner = trainee(experiment, Path(folder), member, faces, device)
    predictor = Predictor(
        learner.network, experiment, member.seed, learner.data.train_images, learner.data.train_labels
    )

    def predict(shown: np.ndarray) -> np.ndarray:
        nonlocal images, seconds
        began = time.perf_counter()
        probabilities = predictor(to_float(shown, device))
        images, seconds = images + len(shown), seconds + time.perf_counter() - began
        return probabilities

    total = machine.seconds(lambda: OcclusionBenchmark(faces.images).predictions(predict, rows))
    return {"faces": len(rows), "images": images, "seconds": total, "network_seconds": seconds}


def stored(folder: Path) -> pd.DataFrame:
    """What `suite` found on a stored machine; empty if it was timed before the benchmark was."""
    file = folder / "occlusion.csv"
    return pd.read_csv(file) if file.exists() else pd.DataFrame()


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`suite`, rounded."""
    return pd.DataFrame(
        {
            "loss": table["loss"],
            "runs": table["members"],
            "faces": table["faces"],
            "images a face": [f"{x:.0f}" for x in table["images"] / table["faces"]],
            "seconds": [f"{x:.0f}" for x in table["seconds"]],
            "images / s": [f"{x:.0f}" for x in table["images"] / table["seconds"]],
            "× the networks alone": [f"{x:.2f}" for x in table["seconds"] / table["network_seconds"]],
        }
    )


def answer(table: pd.DataFrame) -> str:
    """How long the benchmark takes at most, in a sentence; empty if it was not timed."""
    if table.empty:
        return ""
    row = table.loc[table["seconds"].idxmax()]
    return (
        f"- The occlusion benchmark of {row['members']} runs, on {row['faces']} faces, takes {row['seconds']:.0f} "
        f"seconds ({row['loss']}), {row['seconds'] / row['network_seconds']:.2f} times what its networks alone take."
    )
