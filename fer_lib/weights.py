"""Weights of trained networks on this machine, and the starting weights of fine-tuning."""

import hashlib
from pathlib import Path

import torch

from fer_lib import results
from fer_lib.experiments import Experiment, Member
from fer_lib.network import Network
from fer_lib.training import load, network_for


def weights_file(experiment: Experiment, member: Member) -> Path:
    """File of a member's weights, present only on the machine that trained it."""
    return results.folder(experiment) / f"model-{member}.pt"


def weights_fingerprint(experiment: Experiment, member: Member) -> str:
    """sha256 over names and values of a member's weights, since two files of the same weights may differ in bytes."""
    digest = hashlib.sha256()
    for name, tensor in load(weights_file(experiment, member), "cpu").items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def load_network(experiment: Experiment, member: Member, classes: int) -> Network:
    """A trained network in evaluation mode.

    Raises FileNotFoundError if its weights are not on this machine, ValueError if they are damaged.
    """
    file = weights_file(experiment, member)
    if not file.exists():
        raise _absent(experiment, file)
    network = network_for(experiment, classes)
    network.load_state_dict(load(file, "cpu"))
    return network.eval()


def _absent(experiment: Experiment, file: Path) -> FileNotFoundError:
    names = f"{experiment.dataset} {experiment.experiment}"
    return FileNotFoundError(f"no weights {file}; train the experiment, or run python -m fer_lib.retrain {names}")


def start_weights(experiment: Experiment, seed: int) -> dict[str, torch.Tensor]:
    """Starting weights for the members of a seed: those of the FER2013 run `pretrained` with the same seed.

    Without the last layer, whose classes differ. Raises ValueError if that network has another architecture or recipe,
    FileNotFoundError if it was not trained on this machine to the end.
    """
    other, first = results.stored("fer2013", experiment.pretrained), Member(seed, 0)
    if first not in results.finished(other):  # the classes of one killed in its evaluation are not stored
        raise _absent(other, weights_file(other, first))
    for name in ("backbone", "input_path", "head_layers", "recipe"):
        here, there = getattr(experiment, name), getattr(other, name)
        if here != there:
            raise ValueError(f"{name} is {here!r}, but {there!r} in {other.experiment}, which training starts from")
    weights = load_network(other, first, len(results.class_names(other))).state_dict()
    return {name: tensor for name, tensor in weights.items() if not name.startswith("resnet.fc.")}


def start_fingerprint(experiment: Experiment, seed: int) -> str:
    """Fingerprint of the starting weights on this machine for the fine-tuned members of a seed."""
    return weights_fingerprint(results.stored("fer2013", experiment.pretrained), Member(seed, 0))


def check_start(experiment: Experiment, seed: int) -> None:
    """Check that the starting weights of a seed exist and are those that its finished members started from.

    Raises the errors of `start_weights`, and ValueError if the weights have changed.
    """
    if experiment.pretrained == "none":
        return
    start_weights(experiment, seed)
    now = start_fingerprint(experiment, seed)
    for member in results.finished(experiment):
        timing = results.read_run(experiment)["members"].get(str(member), {})
        if member.seed == seed and timing.get("start_sha256", now) != now:
            raise ValueError(
                f"{member} of {experiment.experiment} started from other weights of {experiment.pretrained} than those "
                f"on this machine now; restore the former, or give the experiment another name"
            )
