"""Train one member of an experiment, with checkpoints from which an interrupted run resumes.

Within an epoch the host never waits for a GPU.
"""

import io
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy, normalize

from fer_lib.batches import Batch, draw_epoch
from fer_lib.cpu_layers import fit_to_cpu
from fer_lib.evaluation import Predictor, scores
from fer_lib.experiments import Experiment, Member
from fer_lib.network import Network
from fer_lib.occlusion import apply_mask, mixed_fill, rectangle_mask
from fer_lib.recipe import LABEL_SMOOTHING, WEIGHT_DECAY, augment, rate
from fer_lib.results import conflicts, setting, write
from fer_lib.stn import share_outside
from fer_lib.triplet import triplet_loss

LOOK_EVERY = 5
"""Epochs between evaluations of the test accuracy, which is logged but never used for selection.

If the protocol has selection frames, every epoch is evaluated, so that an epoch can be selected.
"""

CHECKPOINT_SECONDS = 20
"""Minimum time between checkpoints, which are written at evaluations: a GPU trains faster than a disk writes."""

THETA = ("xx", "xy", "x", "yx", "yy", "y")
"""Entries of theta, row by row: the weights of the output's x and y in the input's x, and its shift; then for y."""


@dataclass
class Data:
    """One member's frames on the device: images float (N, 1, 48, 48) in [0, 1], labels (N,).

    Selection frames are None if the protocol has none. train_votes: shares (N, classes) used as target instead of
    train_labels, or None.
    """

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor
    selection_images: torch.Tensor | None = None
    selection_labels: torch.Tensor | None = None
    train_votes: torch.Tensor | None = None


def to_float(images: np.ndarray, device: str) -> torch.Tensor:
    """uint8 (N, 48, 48) -> float32 (N, 1, 48, 48) in [0, 1]."""
    return torch.from_numpy(images).to(device).unsqueeze(1).float() / 255


def losses(experiment: Experiment, embeddings: torch.Tensor, labels: torch.Tensor, votes: torch.Tensor | None = None):
    """Loss of a batch and its share of active triplets (NaN without triplets).

    votes: shares (B, classes), used as target of the cross-entropy instead of the labels (B,).
    """
    loss, active = 0.0, embeddings.new_full((), torch.nan)
    if experiment.loss in ("softmax", "joint"):
        target = labels if votes is None else votes
        loss = cross_entropy(
            embeddings, target, label_smoothing=LABEL_SMOOTHING if experiment.recipe == "strong" else 0.0
        )
    if experiment.has_triplets:
        points = normalize(embeddings) if experiment.normalise else embeddings
        cost, active = triplet_loss(points, labels, experiment.mining, experiment.margin)
        loss = loss + cost
    return loss, active


def with_frames(batch: Batch, data: Data) -> Batch:
    """Add images (B, 1, 48, 48), labels (B,) and, if needed, `others`, the covering faces (B, 1, 48, 48), to the batch.

    If votes are the target, also votes (B, classes).
    """
    frames = {"images": data.train_images[batch["index"]], "labels": data.train_labels[batch["index"]]}
    if data.train_votes is not None:
        frames["votes"] = data.train_votes[batch["index"]]
    if "other" in batch:
        frames["others"] = data.train_images[batch["other"]]
    return batch | frames


def training_images(experiment: Experiment, batch: Batch) -> torch.Tensor:
    """The batch's training images: augmented, then occluded."""
    images = batch["images"]
    if experiment.recipe == "strong":
        images = augment(images, batch["view"], batch["gamma"])
    if experiment.occlusion == "none":
        return images
    fill = mixed_fill(images, batch["fill"], batch["noise"], batch["others"]) if "fill" in batch else 0.0
    return apply_mask(images, rectangle_mask(batch["boxes"]), fill)


def batch_loss(network, experiment: Experiment, batch: Batch):
    """Loss of a batch, and its logged values: loss, share of active triplets, number of correct frames, theta.

    batch: as returned by `with_frames`.
    """
    labels = batch["labels"]
    embeddings, theta = network(training_images(experiment, batch), batch.get("kept"))
    loss, active = losses(experiment, embeddings, labels, batch.get("votes"))
    right = (embeddings.detach().argmax(dim=1) == labels).sum()
    return loss, (loss.detach(), active, right, theta.detach())


def network_for(experiment: Experiment, classes: int) -> Network:
    """The experiment's untrained network."""
    standardised = experiment.recipe == "strong"
    return Network(experiment.backbone, experiment.input_path, experiment.head_layers, classes, standardised)


def optimiser_for(network: Network, experiment: Experiment) -> torch.optim.Optimizer:
    """Adam, as in the author's code. The transformer may have its own learning rate, and no weight decay, which would
    shrink its view."""
    decay = WEIGHT_DECAY if experiment.recipe == "strong" else 0.0
    groups = [{"params": network.resnet.parameters(), "highest": experiment.lr, "weight_decay": decay}]
    if network.stn is not None:
        groups.append({"params": network.stn.parameters(), "highest": experiment.lr * experiment.stn_lr_factor})
    on_gpu = next(network.parameters()).is_cuda
    for group in groups:
        # A captured step reads its learning rate from the device.
        group["lr"] = torch.tensor(group["highest"], dtype=torch.float32).cuda() if on_gpu else group["highest"]
    return torch.optim.Adam(groups, fused=True, capturable=on_gpu, decoupled_weight_decay=True)


class Trainee:
    """A member in training, restored from its checkpoint if there is one.

    fingerprint: of the data set. Raises ValueError if the checkpoint is damaged, or of other parameters or data.
    history: the rows of `history.csv`; seconds: duration of the training epochs, without evaluation; start_sha256:
    fingerprint of the weights that fine-tuning started from, else None.
    """

    def __init__(
        self, experiment: Experiment, member: Member, data: Data, classes: int, checkpoint: Path, fingerprint: str = ""
    ):
        self.experiment, self.member, self.data, self.checkpoint = experiment, member, data, checkpoint
        torch.manual_seed(int(np.random.SeedSequence([member.seed, member.fold]).generate_state(1)[0]))
        self.network = network_for(experiment, classes)
        if data.train_images.is_cuda:
            # GPU convolutions use this layout and would otherwise reorder before and after each call.
            self.network.to(data.train_images.device, memory_format=torch.channels_last)
        else:
            fit_to_cpu(self.network)
        self.optimiser = optimiser_for(self.network, experiment)
        self.history, self.seconds, self.stored_at = [], 0.0, time.monotonic()
        self.start_sha256, self.setting = None, setting(experiment, fingerprint)
        if checkpoint.exists():
            state = load(checkpoint, data.train_images.device)
            # Git keeps run.json, not checkpoints; those of older code do not say what they are of.
            if different := conflicts(experiment, state.get("setting", self.setting), fingerprint):
                raise ValueError(f"{checkpoint} is of other parameters or data ({'; '.join(different)}); delete it")
            self.network.load_state_dict(state["network"])
            # These two differ between GPU and CPU, and the checkpoint may be from the other device.
            on_this_device = [
                {name: group[name] for name in ("lr", "capturable")} for group in self.optimiser.param_groups
            ]
            self.optimiser.load_state_dict(state["optimiser"])
            for group, own in zip(self.optimiser.param_groups, on_this_device, strict=True):
                group.update(own)
            # The moments need their weight's memory layout, in which a fused step reads them.
            for parameter, moments in self.optimiser.state.items():
                for name in ("exp_avg", "exp_avg_sq"):
                    moments[name] = torch.empty_like(parameter).copy_(moments[name])
            self.history, self.seconds = state["history"], state["seconds"]
            self.start_sha256 = state["start_sha256"]

    @property
    def epoch(self) -> int:
        """The next epoch to train, counted from 1."""
        return len(self.history) + 1

    @property
    def finished(self) -> bool:
        """Whether all epochs are trained."""
        return len(self.history) == self.experiment.epochs

    def set_rate(self) -> None:
        """Set the learning rate for the next epoch."""
        if self.experiment.recipe == "strong":
            for group in self.optimiser.param_groups:
                value = group["highest"] * rate(self.epoch, self.experiment.epochs)
                if isinstance(group["lr"], torch.Tensor):
                    group["lr"].fill_(value)
                else:
                    group["lr"] = value

    def step(self, batch: Batch):
        """Train on one batch; returns its logged values."""
        self.optimiser.zero_grad(set_to_none=True)
        loss, logged = batch_loss(self.network, self.experiment, with_frames(batch, self.data))
        if self._is_solved(loss):
            for parameter in self.network.parameters():
                parameter.grad = torch.zeros_like(parameter)
        else:
            loss.backward()
        self.optimiser.step()
        return logged

    def _is_solved(self, loss: torch.Tensor) -> bool:
        """Whether no triplet is active, so that all gradients are zero and a CPU can skip the backward pass.

        The resulting bits are the same. Not used on a GPU, which would have to wait for the answer.
        """
        return self.experiment.loss == "triplet" and not loss.is_cuda and loss.item() == 0

    def end_epoch(self, logged: list, seconds: float) -> None:
        """Add an epoch to the history; every few epochs evaluate the test frames and store a checkpoint.

        logged: what `batch_loss` logs for each batch; seconds: the epoch's duration. Raises ValueError if the loss is
        not finite.
        """
        *scalars, thetas = zip(*logged, strict=True)
        loss, active, right = (torch.stack(column).double().cpu().numpy() for column in scalars)
        theta, sizes = torch.cat(thetas), [len(theta) for theta in thetas]
        self.seconds += seconds
        row = {
            "epoch": self.epoch,
            "loss": float(np.average(loss, weights=sizes)),
            "active_triplets": float(np.average(active, weights=sizes)),
            "train_accuracy": float("nan") if self.experiment.loss == "triplet" else float(right.sum() / len(theta)),
            "test_accuracy": float("nan"),
            **transformer_health(theta),
        }
        if not np.isfinite(row["loss"]):
            name = self.experiment.experiment
            raise ValueError(f"{name}, {self.member}: the loss is {row['loss']} in epoch {self.epoch}; lower lr")
        self.history.append(row)
        if len(self.history) % LOOK_EVERY == 0 or self.finished or self.data.selection_images is not None:
            row |= self._accuracies()
            if self.finished or time.monotonic() - self.stored_at > CHECKPOINT_SECONDS:
                state = {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}
                state |= {"history": self.history, "seconds": self.seconds, "start_sha256": self.start_sha256}
                state["setting"] = self.setting
                save(state, self.checkpoint)
                self.stored_at = time.monotonic()

    def _accuracies(self) -> dict[str, float]:
        data = self.data
        predict = Predictor(self.network, self.experiment, self.member.seed, data.train_images, data.train_labels)
        watched = {"test_accuracy": (data.test_images, data.test_labels)}
        if data.selection_images is not None:
            watched["selection_accuracy"] = (data.selection_images, data.selection_labels)
        return {
            name: scores(labels.cpu().numpy(), predict(images).argmax(axis=1))["accuracy"]
            for name, (images, labels) in watched.items()
        }


def fit(trainee: Trainee, on_epoch: Callable[[], None]) -> None:
    """Train a member to its last epoch, on the CPU."""
    trainee.network.train()
    while not trainee.finished:
        began = time.perf_counter()
        trainee.set_rate()
        batches = draw_epoch(trainee.experiment, trainee.member, trainee.epoch, trainee.data.train_labels)
        logged = [trainee.step(batch) for batch in batches]
        trainee.end_epoch(logged, time.perf_counter() - began)
        on_epoch()


def transformer_health(theta: torch.Tensor) -> dict[str, float]:
    """Mean and standard deviation of each entry of theta (N, 2, 3), and the share of the grid outside the image."""
    health = {}
    for i, name in enumerate(THETA):
        entry = theta.flatten(1)[:, i].double()
        health[f"theta_{name}_mean"] = float(entry.mean())
        health[f"theta_{name}_sd"] = float(entry.std(correction=0))
    health["grid_outside"] = float(torch.cat([share_outside(part) for part in theta.split(256)]).double().mean())
    return health


def epochs_done(checkpoint: Path) -> int:
    """Number of epochs in a checkpoint; 0 if there is none."""
    return len(load(checkpoint, "cpu")["history"]) if checkpoint.exists() else 0


def save(state: dict, path: Path) -> None:
    """Write a state dict atomically. Raises the errors of `results.write`."""
    content = io.BytesIO()
    torch.save(state, content)
    write(path, content.getvalue())


def load(path: Path, device: torch.device | str) -> dict:
    """The state dict of a file. Raises ValueError, with the remedy, if it is damaged."""
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, IndexError, KeyError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is damaged ({type(error).__name__}); delete it, then train again") from error
