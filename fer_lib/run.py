"""Run one experiment: train and evaluate every member that is not finished, and add each to the results.

On a CPU members run in parallel processes and are added as they finish; on a GPU they run side by side and are added at
the end. `python -m fer_lib.run DATASET EXPERIMENT` runs a row of `experiments.csv` where there is torch but no Jupyter.
"""

import hashlib
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import accuracy_score

from fer_lib import faces, machine, results
from fer_lib.evaluation import Predictor, embed, scores, self_agreement, views
from fer_lib.experiments import Experiment, Member, find
from fer_lib.faces import Faces
from fer_lib.measures import attribution
from fer_lib.network import Network
from fer_lib.occlusion_benchmark import CLEAN, PAPER, OcclusionBenchmark
from fer_lib.progress import Progress
from fer_lib.side_by_side import fit_side_by_side
from fer_lib.splits import asked, split
from fer_lib.training import THETA, Data, Trainee, epochs_done, fit, network_for, save, to_float
from fer_lib.workers import in_parallel


def run(experiment: Experiment) -> None:
    """Bring `results/<dataset>/<experiment>/` to completion; what is finished is never trained again.

    Raises DataError or ValueError, before anything is trained, if the data, the splits or the folder do not fit, or
    another process trains into the folder.
    """
    data = faces.load(experiment.dataset)
    for member in experiment.members:
        parts = split(data, experiment.protocol, member.seed, member.fold)
        alone = np.flatnonzero(np.bincount(data.labels[parts.train]) == 1)
        if experiment.loss != "softmax" and len(alone):
            raise ValueError(
                f"{member} would train on a single frame of {data.classes[alone[0]]}; a triplet needs two: add frames, "
                "or take loss 'softmax'"
            )
    with results.alone(experiment):
        _train_missing(experiment, data)


def _train_missing(experiment: Experiment, data: Faces) -> None:
    results.open_folder(experiment, data.fingerprint, machine.name())
    finished = results.finished(experiment)
    waiting = [member for member in experiment.members if member not in finished]
    if not waiting:
        return
    for seed in {member.seed for member in waiting}:
        check_start(experiment, seed)
    done = len(finished) * experiment.epochs + sum(epochs_done(checkpoint_file(experiment, m)) for m in waiting)
    total = len(experiment.members) * experiment.epochs
    progress = Progress(experiment.experiment, total, done, results.folder(experiment) / "progress.txt")
    for member, outcome in train(experiment, evaluate, waiting, data, progress.step):
        results.add_member(experiment, member, outcome["tables"], outcome["timing"])
        checkpoint_file(experiment, member).unlink()
    progress.finish()


Finish = Callable[[Trainee, Faces], Any]
"""What becomes of a trained member: (member, data) -> outcome; picklable."""


def train(
    experiment: Experiment, finish: Finish, members: list[Member], data: Faces, on_epoch: Callable[[], None]
) -> Iterator[tuple[Member, Any]]:
    """Train the members and give each with its outcome: on a CPU from processes, on a GPU side by side.

    Their checkpoints are in the experiment's folder.
    """
    folder = results.folder(experiment)
    if machine.device() == "cuda":
        return train_side_by_side(experiment, folder, finish, members, data, on_epoch)
    return in_parallel(partial(train_member, experiment, folder, finish), members, data, on_epoch)


def train_member(
    experiment: Experiment, folder: Path, finish: Finish, member: Member, data: Faces, on_epoch: Callable[[], None]
) -> Any:
    """Train one member on the CPU; its outcome."""
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
) -> Iterator[tuple[Member, Any]]:
    """Train the members at once, then give each with its outcome."""
    learners = [trainee(experiment, folder, member, data, machine.device()) for member in members]
    fit_side_by_side(learners, on_epoch)
    for learner in learners:
        yield learner.member, finish(learner, data)


def trainee(experiment: Experiment, folder: Path, member: Member, data: Faces, device: str) -> Trainee:
    """The member with its own training and test frames on the device, as far as its checkpoint has it."""
    parts = split(data, experiment.protocol, member.seed, member.fold)
    tensors = []
    for rows in filter(len, (parts.train, parts.test, parts.selection)):
        tensors += [to_float(data.images[rows], device), torch.from_numpy(data.labels[rows]).to(device)]
    votes = torch.from_numpy(data.votes[parts.train]).to(device) if experiment.target == "votes" else None
    frames = Data(*tensors, train_votes=votes)
    learner = Trainee(experiment, member, frames, len(data.classes), folder / f"checkpoint-{member}.pt")
    if experiment.pretrained != "none" and learner.epoch == 1:
        learner.network.load_state_dict(pretrained(experiment, member.seed), strict=False)
    return learner


def pretrained(experiment: Experiment, seed: int) -> dict[str, torch.Tensor]:
    """The weights that the members of a seed start from: those that the same seed was trained to on FER2013.

    Its last layer is left out, since its classes are others. Raises ValueError if that network is built otherwise,
    FileNotFoundError if it was not trained on this machine.
    """
    other = results.stored("fer2013", experiment.pretrained)
    for name in ("backbone", "input_path", "head_layers", "recipe"):
        here, there = getattr(experiment, name), getattr(other, name)
        if here != there:
            raise ValueError(f"{name} is {here!r}, but {there!r} in {other.experiment}, which training starts from")
    weights = load_network(other, Member(seed, 0), len(results.class_names(other))).state_dict()
    return {name: tensor for name, tensor in weights.items() if not name.startswith("resnet.fc.")}


def evaluate(trained: Trainee, data: Faces) -> dict:
    """A trained member's rows for each table of the results, and its timing; stores its weights."""
    experiment, member, network, frames = trained.experiment, trained.member, trained.network, trained.data
    parts = split(data, experiment.protocol, member.seed, member.fold)
    save(network.state_dict(), trained.checkpoint.with_name(f"model-{member}.pt"))
    predict = Predictor(network, experiment, member.seed, frames.train_images, frames.train_labels)
    probabilities = predict(frames.test_images)
    truth, predicted = data.labels[parts.test], probabilities.argmax(axis=1)
    predictions = _about(data, parts.test).assign(prediction=predicted)
    for i, name in enumerate(data.classes):
        predictions[f"p_{name}"] = probabilities[:, i]
    metrics = {
        "selector": "last epoch",
        "epoch": experiment.epochs,
        "n_test": len(truth),
        **scores(truth, predicted),
    }
    if experiment.head_layers == 2:
        metrics |= self_agreement(predict, frames.test_images, truth, member.seed)
    if len(parts.selection):
        mirrored = predict(frames.test_images.flip(3))
        metrics["mirrored_accuracy"] = accuracy_score(truth, (probabilities + mirrored).argmax(axis=1))
    chosen = asked(data, experiment.protocol)
    few, test = data.take(chosen), np.flatnonzero(np.isin(chosen, parts.test))
    benchmark = OcclusionBenchmark(few.images)

    def ask(images: np.ndarray) -> np.ndarray:
        return predict(to_float(images, frames.test_images.device))

    slid = benchmark.slide(ask, test)
    occluded = benchmark.predictions(ask, test, slid)
    frames_seen = len(frames.train_labels) * experiment.frames_per_anchor * experiment.epochs
    return {
        "tables": {
            "predictions.csv.gz": predictions,
            "occlusion.csv": benchmark.accuracies(occluded, few.labels[test], test),
            "occluded_predictions.csv.gz": _about(few, test).join(occluded.set_index(test)),
            "embeddings.csv.gz": embeddings(trained, few, test, np.flatnonzero(np.isin(chosen, parts.train))),
            "views.csv.gz": chosen_views(trained, benchmark, few, test),
            **attribution.measure(trained, few, test, benchmark, ask, slid[0]),
            "history.csv": pd.DataFrame(trained.history),
            "metrics.csv": pd.DataFrame([metrics]),
        },
        "timing": {
            "train_seconds": round(trained.seconds, 1),
            "frames_per_second": round(frames_seen / trained.seconds, 1),
            "device": machine.name(),
            **_start_of(experiment, member),
        },
    }


def _start_of(experiment: Experiment, member: Member) -> dict[str, str]:
    """The fingerprint of the weights that a fine-tuned member starts from."""
    if experiment.pretrained == "none":
        return {}
    start = results.stored("fer2013", experiment.pretrained)
    return {"pretrained_sha256": weights_fingerprint(start, Member(member.seed, 0))}


def check_start(experiment: Experiment, seed: int) -> None:
    """Raises what `pretrained` does, and ValueError if finished members started from other weights than those now."""
    if experiment.pretrained == "none":
        return
    pretrained(experiment, seed)
    now = _start_of(experiment, Member(seed, 0))["pretrained_sha256"]
    for member in results.finished(experiment):
        timing = results.read_run(experiment)["members"].get(str(member), {})
        if member.seed == seed and timing.get("pretrained_sha256", now) != now:
            raise ValueError(
                f"{member} of {experiment.experiment} started from other weights of {experiment.pretrained} than those "
                f"that are there now; put those back, or give the experiment another name"
            )


def _about(data: Faces, rows: np.ndarray) -> pd.DataFrame:
    return data.frames.loc[rows, ["frame_id", "subject"]].assign(label=data.labels[rows])


def chosen_views(trained: Trainee, benchmark: OcclusionBenchmark, data: Faces, test: np.ndarray) -> pd.DataFrame:
    """Theta for each test frame, clean and under the paper's rectangle; no row without a transformer.

    Columns frame_id, subject, occlusion and the entries xx, xy, x, yx, yy, y of theta, to six decimals.
    """
    tables = []
    for occlusion in (CLEAN, PAPER) if trained.network.stn is not None else ():
        images = to_float(benchmark.occluded(occlusion, test)[0], trained.data.test_images.device)
        entries = views(trained.network, images).reshape(len(test), 6).astype(np.float64).round(6)
        table = data.frames.loc[test, ["frame_id", "subject"]].assign(occlusion=occlusion.kind)
        tables.append(table.assign(**dict(zip(THETA, entries.T, strict=True))))
    return pd.concat(tables) if tables else pd.DataFrame(columns=["frame_id", "subject", "occlusion", *THETA])


def embeddings(trained: Trainee, data: Faces, test: np.ndarray, train: np.ndarray) -> pd.DataFrame:
    """Embeddings of the frames `test`, for the experiment's first member of the frames `train` too.

    Columns frame_id, subject, label, tested and e0, e1, ..., one per dimension, to six decimals.
    """
    experiment, device = trained.experiment, trained.data.test_images.device
    chosen = [(test, True)]
    if trained.member == experiment.members[0] and len(train):
        chosen.append((train, False))
    tables = []
    for rows, tested in chosen:
        images = to_float(data.images[rows], device)
        points = embed(trained.network, images, experiment.normalise).astype(np.float64).round(6)
        table = _about(data, rows).assign(tested=tested)
        tables.append(table.assign(**{f"e{i}": column for i, column in enumerate(points.T)}))
    return pd.concat(tables)


def load_network(experiment: Experiment, member: Member, classes: int) -> Network:
    """A trained member in evaluation mode. Raises FileNotFoundError if its weights are not on this machine."""
    file = weights_file(experiment, member)
    if not file.exists():
        names = f"{experiment.dataset} {experiment.experiment}"
        raise FileNotFoundError(f"no weights {file}; train the experiment, or python -m fer_lib.weights {names}")
    network = network_for(experiment, classes)
    network.load_state_dict(torch.load(file, weights_only=True, map_location="cpu"))
    return network.eval()


def weights_file(experiment: Experiment, member: Member) -> Path:
    """Where a member's weights are, on the machine that trained it."""
    return results.folder(experiment) / f"model-{member}.pt"


def weights_fingerprint(experiment: Experiment, member: Member) -> str:
    """sha256 of a trained member's weights."""
    return hashlib.sha256(weights_file(experiment, member).read_bytes()).hexdigest()


def checkpoint_file(experiment: Experiment, member: Member) -> Path:
    """Where a member is while it is trained."""
    return results.folder(experiment) / f"checkpoint-{member}.pt"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m fer_lib.run DATASET EXPERIMENT, a row of notebooks/experiments.csv")
    try:
        run(find(sys.argv[1], sys.argv[2]))
    except (OSError, ValueError) as error:
        sys.exit(str(error))
