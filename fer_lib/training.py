"""Train one member of an experiment, epoch by epoch, so that a killed run goes on where it was.

All that is random in an epoch (order, triplets, occlusions) is drawn on the CPU beforehand from (seed, fold, epoch):
the same on every device, and a resumed run needs no generator's state. Within an epoch nothing waits for the device.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy, normalize

from fer_lib.evaluation import Predictor, scores
from fer_lib.experiments import Experiment, Member
from fer_lib.network import Network
from fer_lib.occlusion import apply_mask, draw_rectangles, rectangle_mask
from fer_lib.stn import share_outside
from fer_lib.triplet import triplet_loss

CHECKPOINT_EVERY = 5
"""Epochs between checkpoints, and between looks at the test accuracy, which is logged and chooses nothing."""


@dataclass
class Data:
    """One member's frames on the device: images float (N, 1, 48, 48) in [0, 1], labels (N,)."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor


def to_float(images: np.ndarray, device: str) -> torch.Tensor:
    """uint8 (N, 48, 48) -> float32 (N, 1, 48, 48) in [0, 1]."""
    return torch.from_numpy(images).to(device).unsqueeze(1).float() / 255


def draw_batches(rng: np.random.Generator, labels: np.ndarray, batch_size: int, triplets: bool) -> list[np.ndarray]:
    """One epoch's batches, as indices into the training frames; every frame once, in random order.

    With `triplets` each batch is n anchors, then for each a random positive (another frame of its class), then for
    each a random negative. Raises ValueError if a class has a single frame, so that it has no positive.
    """
    order = rng.permutation(len(labels))
    if not triplets:
        return np.split(order, range(batch_size, len(order), batch_size))
    by_class = np.argsort(labels, kind="stable")
    count = np.bincount(labels)
    start = np.cumsum(count) - count
    if (count == 1).any():
        raise ValueError(f"class {count.tolist().index(1)} has a single training frame; a triplet needs two")
    place = np.empty(len(labels), dtype=np.int64)
    place[by_class] = np.arange(len(labels))
    own = labels[order]
    step = rng.integers(1, count[own])
    positive = by_class[start[own] + (place[order] - start[own] + step) % count[own]]
    other = rng.integers(0, len(labels) - count[own])
    negative = by_class[other + np.where(other >= start[own], count[own], 0)]
    cuts = range(batch_size, len(order), batch_size)
    return [
        np.concatenate(part) for part in zip(*(np.split(i, cuts) for i in (order, positive, negative)), strict=True)
    ]


def losses(experiment: Experiment, embeddings: torch.Tensor, labels: torch.Tensor):
    """Loss of a batch and its share of active triplets (NaN without triplets)."""
    loss, active = 0.0, torch.tensor(torch.nan)
    if experiment.loss in ("softmax", "joint"):
        loss = cross_entropy(embeddings, labels)
    if experiment.loss in ("triplet", "joint"):
        points = normalize(embeddings) if experiment.normalise else embeddings
        cost, active = triplet_loss(points, labels, experiment.mining, experiment.margin)
        loss = loss + cost
    return loss, active


def optimiser_for(network: Network, experiment: Experiment) -> torch.optim.Optimizer:
    """Adam, as in the author's code; the transformer may learn at a rate of its own."""
    groups = [{"params": network.resnet.parameters()}]
    if network.stn is not None:
        groups.append({"params": network.stn.parameters(), "lr": experiment.lr * experiment.stn_lr_factor})
    return torch.optim.Adam(groups, lr=experiment.lr, fused=True)


def train_epoch(network, optimiser, experiment: Experiment, member: Member, epoch: int, data: Data) -> dict:
    """Train one epoch; returns its row of `history.csv`."""
    rng = np.random.default_rng([member.seed, member.fold, epoch])
    torch.manual_seed(int(rng.integers(2**62)))  # for the dropout of the two-layer localisation head
    triplets = experiment.loss != "softmax"
    batches = draw_batches(rng, data.train_labels.cpu().numpy(), experiment.batch_size, triplets)
    device = data.train_images.device
    boxes = torch.from_numpy(draw_rectangles(rng, sum(map(len, batches)))).to(device)
    loss_sum, active_sum, correct, thetas, seen = 0.0, 0.0, 0.0, [], 0
    network.train()
    for batch, covered in zip(batches, boxes.split([len(batch) for batch in batches]), strict=True):
        index = torch.from_numpy(batch).to(device, non_blocking=True)
        images, labels = data.train_images[index], data.train_labels[index]
        if experiment.occlusion:
            images = apply_mask(images, rectangle_mask(covered))
        optimiser.zero_grad(set_to_none=True)
        embeddings, theta = network(images)
        loss, active = losses(experiment, embeddings, labels)
        loss.backward()
        optimiser.step()
        loss_sum += loss.detach() * len(batch)
        active_sum += active * len(batch)
        correct += (embeddings.detach().argmax(dim=1) == labels).sum()
        thetas.append(theta.detach())
        seen += len(batch)
    trains_logits = experiment.loss != "triplet"
    return {
        "epoch": epoch,
        "loss": float(loss_sum) / seen,
        "active_triplets": float(active_sum) / seen,
        "train_accuracy": float(correct) / seen if trains_logits else float("nan"),
        "test_accuracy": float("nan"),
        **transformer_health(torch.cat(thetas)),
    }


def transformer_health(theta: torch.Tensor) -> dict[str, float]:
    """Mean and standard deviation of the entries of theta (N, 2, 3), and the share of the grid outside the image."""
    health = {}
    for i, name in enumerate(("xx", "xy", "x", "yx", "yy", "y")):
        entry = theta.flatten(1)[:, i].double()
        health[f"theta_{name}_mean"] = float(entry.mean())
        health[f"theta_{name}_sd"] = float(entry.std(correction=0))
    health["grid_outside"] = float(torch.cat([share_outside(part) for part in theta.split(256)]).double().mean())
    return health


def fit(
    experiment: Experiment,
    member: Member,
    data: Data,
    classes: int,
    checkpoint: Path,
    on_epoch: Callable[[], None],
) -> tuple[Network, list[dict], float]:
    """Train a member to its last epoch, from its checkpoint if there is one.

    Returns the network, the rows of its history and the seconds that the training epochs took (evaluation apart).
    """
    torch.manual_seed(int(np.random.SeedSequence([member.seed, member.fold]).generate_state(1)[0]))
    network = Network(experiment.backbone, experiment.input_path, experiment.head_layers, classes)
    network.to(data.train_images.device)
    optimiser = optimiser_for(network, experiment)
    history, seconds = [], 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=data.train_images.device, weights_only=True)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        history, seconds = state["history"], state["seconds"]
    for epoch in range(len(history) + 1, experiment.epochs + 1):
        began = time.perf_counter()
        row = train_epoch(network, optimiser, experiment, member, epoch, data)
        seconds += time.perf_counter() - began
        if not np.isfinite(row["loss"]):
            raise ValueError(f"{experiment.experiment}, {member}: the loss is {row['loss']} in epoch {epoch}; lower lr")
        look = epoch % CHECKPOINT_EVERY == 0 or epoch == experiment.epochs
        if look:
            predict = Predictor(network, experiment, member.seed, data.train_images, data.train_labels)
            predictions = predict(data.test_images).argmax(axis=1)
            row["test_accuracy"] = scores(data.test_labels.cpu().numpy(), predictions)["accuracy"]
        history.append(row)
        if look:
            state = {"network": network.state_dict(), "optimiser": optimiser.state_dict()}
            save({**state, "history": history, "seconds": seconds}, checkpoint)
        on_epoch()
    return network, history, seconds


def epochs_done(checkpoint: Path) -> int:
    """How many epochs a checkpoint holds; 0 if there is none."""
    return len(torch.load(checkpoint, map_location="cpu", weights_only=True)["history"]) if checkpoint.exists() else 0


def save(state: dict, path: Path) -> None:
    """Store a state dict so that it is there whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    torch.save(state, partial)
    os.replace(partial, path)
