"""Run one experiment: train and evaluate every unfinished member, and add each to the results.

On a CPU members run in parallel processes and are added as they finish; on a GPU they run side by side and are added at
the end. `python -m fer_lib.run DATASET EXPERIMENT` runs a row of `experiments.csv` without Jupyter.
"""

import sys
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fer_lib import faces, machine, results
from fer_lib.experiments import Experiment, Member, find
from fer_lib.faces import Faces
from fer_lib.member_tables import evaluate
from fer_lib.progress import Progress
from fer_lib.side_by_side import fit_side_by_side
from fer_lib.splits import split
from fer_lib.training import Data, Trainee, epochs_done, fit, to_float
from fer_lib.weights import check_start, start_fingerprint, start_weights
from fer_lib.workers import in_parallel


def run(experiment: Experiment) -> None:
    """Complete `results/<dataset>/<experiment>/`; finished members are never trained again.

    Raises DataError or ValueError before training if the data, splits or folder do not fit, or if another process is
    training into the folder.
    """
    data = faces.load(experiment.dataset)
    check(experiment, data)
    with results.alone(experiment):
        _train_missing(experiment, data)


def check(experiment: Experiment, data: Faces) -> None:
    """Check that the members can be trained. Raises DataError or ValueError if their splits do not fit the data, and
    for an unfinished member as `weights.check_start`."""
    for member in experiment.members:
        parts = split(data, experiment.protocol, member.seed, member.fold)
        alone = np.flatnonzero(np.bincount(data.labels[parts.train]) == 1)
        if experiment.has_triplets and len(alone):
            raise ValueError(
                f"{member} would train on a single frame of {data.classes[alone[0]]}; a triplet needs two: add frames, "
                "or use loss 'softmax'"
            )
    for seed in {member.seed for member in _waiting(experiment)}:
        check_start(experiment, seed)


def _waiting(experiment: Experiment) -> list[Member]:
    finished = results.finished(experiment)
    return [member for member in experiment.members if member not in finished]


def _train_missing(experiment: Experiment, data: Faces) -> None:
    results.open_folder(experiment, data.fingerprint, machine.name())
    for left in results.folder(experiment).glob("*.tmp"):  # by a run that was killed while it wrote
        left.unlink()
    waiting, made_by = _waiting(experiment), results.provenance()  # now, for the code may change while it trains
    if waiting:
        before = (len(experiment.members) - len(waiting)) * experiment.epochs

        def add(member: Member, outcome: dict) -> None:
            results.add_member(experiment, member, outcome["tables"], made_by | outcome["timing"])

        train_and_store(experiment, evaluate, waiting, data, add, experiment.experiment, before)


Finish = Callable[[Trainee, Faces], Any]
"""What to do with a trained member: (trainee, data) -> outcome; picklable."""


def train_and_store(
    experiment: Experiment,
    finish: Finish,
    members: list[Member],
    data: Faces,
    store: Callable[[Member, Any], None],
    label: str,
    before: int = 0,
) -> None:
    """Train the members with a line of progress; store(member, outcome) each, then delete its checkpoint.

    label: of the progress, which also counts so many epochs trained before.
    """
    done = before + sum(epochs_done(checkpoint_file(experiment, member)) for member in members)
    total = before + len(members) * experiment.epochs
    progress = Progress(label, total, done, results.folder(experiment) / "progress.txt")
    try:
        # Closed at once if storing fails: training must not continue in a folder that is unlocked for the next run.
        with closing(train(experiment, finish, members, data, progress.step)) as outcomes:
            for member, outcome in outcomes:
                store(member, outcome)
                checkpoint_file(experiment, member).unlink()
    finally:
        progress.finish()


def train(
    experiment: Experiment, finish: Finish, members: list[Member], data: Faces, on_epoch: Callable[[], None]
) -> Generator[tuple[Member, Any], None, None]:
    """Train the members and yield each with its outcome: in parallel processes on a CPU, side by side on a GPU.

    Checkpoints are kept in the experiment's folder.
    """
    folder = results.folder(experiment)
    if machine.device() == "cuda":
        return train_side_by_side(experiment, folder, finish, members, data, on_epoch)
    return in_parallel(partial(train_member, experiment, folder, finish), members, data, on_epoch)


def train_member(
    experiment: Experiment, folder: Path, finish: Finish, member: Member, data: Faces, on_epoch: Callable[[], None]
) -> Any:
    """Train one member on the CPU and return its outcome."""
    learner = trainee(experiment, folder, member, data, "cpu")
    fit(learner, on_epoch)
    return finish(learner, data)


def train_side_by_side(
    experiment: Experiment,
    folder: Path,
    finish: Finish,
    members: list[Member],
    data: Faces,
    on_epoch: Callable[[], None],
) -> Generator[tuple[Member, Any], None, None]:
    """Train the members simultaneously, then yield each with its outcome."""
    learners = [trainee(experiment, folder, member, data, machine.device()) for member in members]
    fit_side_by_side(learners, on_epoch)
    for learner in learners:
        yield learner.member, finish(learner, data)


def trainee(experiment: Experiment, folder: Path, member: Member, data: Faces, device: str) -> Trainee:
    """The member with its frames on the device, restored from its checkpoint if there is one.

    Raises ValueError if that is damaged, of other parameters or data, or started from other weights than a new start.
    """
    parts = split(data, experiment.protocol, member.seed, member.fold)
    tensors = []
    for rows in filter(len, (parts.train, parts.test, parts.selection)):
        tensors += [to_float(data.images[rows], device), torch.from_numpy(data.labels[rows]).to(device)]
    votes = torch.from_numpy(data.votes[parts.train]).to(device) if experiment.target == "votes" else None
    frames = Data(*tensors, train_votes=votes)
    checkpoint = folder / f"checkpoint-{member}.pt"
    learner = Trainee(experiment, member, frames, len(data.classes), checkpoint, data.fingerprint)
    if experiment.pretrained != "none":
        start = start_fingerprint(experiment, member.seed)
        if learner.epoch == 1:
            learner.network.load_state_dict(start_weights(experiment, member.seed), strict=False)
            learner.start_sha256 = start
        elif learner.start_sha256 != start:
            raise ValueError(
                f"{learner.checkpoint} started from other weights of {experiment.pretrained} than those on this "
                "machine now; restore the former, or delete it"
            )
    return learner


def checkpoint_file(experiment: Experiment, member: Member) -> Path:
    """File of a member's checkpoint during training."""
    return results.folder(experiment) / f"checkpoint-{member}.pt"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m fer_lib.run DATASET EXPERIMENT, a row of notebooks/experiments.csv")
    try:
        run(find(sys.argv[1], sys.argv[2]))
    except (OSError, ValueError) as error:
        sys.exit(str(error))
