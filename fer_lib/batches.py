"""All random choices of a training epoch, drawn in advance from (seed, fold, epoch) alone.

A member therefore sees the same batches, triplets, occlusions and dropout masks on every device, whatever else is
training, and a resumed run needs no generator state.
"""

import numpy as np
import torch

from fer_lib.experiments import Experiment, Member
from fer_lib.occlusion import DRAW, draw_fills
from fer_lib.recipe import draw_augmentation
from fer_lib.stn import DROPOUT, FEATURES

Batch = dict[str, torch.Tensor]
"""Random draws for the B frames of a batch; entries that the experiment does not use are absent.

- index (B,): indices into the training frames.
- boxes (B, 4), or (B, K, 4) under mixed or heavy occlusion: the rectangles that occlude each face.
- fill (B,), noise (B, 48, 48), other (B,): fills of mixed or heavy occlusion, and the frames whose faces cover others.
- view (B, 2, 3), gamma (B,): the augmentation of the strong recipe.
- kept (B, FEATURES): dropout mask of a two-layer localisation head.
"""


def draw_batches(
    rng: np.random.Generator, labels: np.ndarray, batch_size: int, triplets: bool, balanced: bool = False
) -> list[np.ndarray]:
    """One epoch's batches, as indices into the training frames; every frame once, in random order.

    With `triplets` each batch is n anchors, then one random positive per anchor (another frame of its class), then one
    random negative per anchor: any frame of another class is as likely, or, if `balanced`, any other class. Raises
    ValueError if a class has a single frame, and thus no positive.
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
    if balanced:
        there = np.flatnonzero(count)
        step = rng.integers(1, len(there), len(order))
        other = there[(np.searchsorted(there, own) + step) % len(there)]
        negative = by_class[start[other] + rng.integers(0, count[other])]
    else:
        other = rng.integers(0, len(labels) - count[own])
        negative = by_class[other + np.where(other >= start[own], count[own], 0)]
    cuts = range(batch_size, len(order), batch_size)
    return [
        np.concatenate(part) for part in zip(*(np.split(i, cuts) for i in (order, positive, negative)), strict=True)
    ]


def draw_epoch(experiment: Experiment, member: Member, epoch: int, labels: torch.Tensor) -> list[Batch]:
    """The batches of one epoch; labels: of the member's training frames, (N,)."""
    drawn, sizes = draw_frames(experiment, member, epoch, labels.numpy())
    parts = [tensor.split(sizes) for tensor in drawn.values()]
    return [dict(zip(drawn, batch, strict=True)) for batch in zip(*parts, strict=True)]


def draw_frames(experiment: Experiment, member: Member, epoch: int, labels: np.ndarray) -> tuple[Batch, list[int]]:
    """The draws for all frames of an epoch, batch after batch, and the batch sizes."""
    rng = np.random.default_rng([member.seed, member.fold, epoch])
    dropout = np.random.default_rng(rng.integers(2**62))
    balanced = experiment.mining == "balanced"
    batches = draw_batches(rng, labels, experiment.batch_size, experiment.has_triplets, balanced)
    index = np.concatenate(batches)
    count = len(index)
    drawn = {"index": index}
    if experiment.occlusion != "none":
        drawn["boxes"] = DRAW[experiment.occlusion](rng, count)
    if experiment.occlusion in ("mixed", "heavy"):
        drawn["fill"], drawn["noise"] = draw_fills(rng, count)
        drawn["other"] = rng.integers(0, len(labels), count)
    if experiment.recipe == "strong":
        drawn["view"], drawn["gamma"] = draw_augmentation(rng, count)
    if experiment.head_layers == 2:
        drawn["kept"] = dropout.random((count, FEATURES), dtype=np.float32) >= DROPOUT
    return {name: torch.from_numpy(part) for name, part in drawn.items()}, [len(batch) for batch in batches]
