"""Changes tried to speed up a training step, each with its predicted and measured speed-up."""

import copy
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pandas as pd
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from fer_lib import machine
from fer_lib.batches import Batch
from fer_lib.cpu_layers import ChannelsMaxPool2d, ProductConv2d
from fer_lib.experiments import Experiment, Member
from fer_lib.training import Data, Trainee, batch_loss, optimiser_for, with_frames

TRIPLET = Experiment("step")
"""The proposed network with the paper's batch of 8 triplets."""

PREDICTED = {
    "three forward passes": (0.85, "kernels on 8 frames reuse each loaded weight a third as often"),
    "Adam without fusing": (0.93, "the weights are read and written once an operation instead of once a step"),
    "channels-last": (1.05, "the convolutions' own layout, but they reorder as they go anyway"),
    "torch.compile": (1.05, "fuses what stands between the convolutions, a quarter of the time"),
    "bf16 autocast": (1.7, "four times the arithmetic where the processor has it, which is not all of the time"),
    "bf16 autocast, channels-last": (
        float("nan"),
        "added once bf16 alone had been timed: fewer reorderings",
    ),
    "oneDNN's convolutions alone": (
        float("nan"),
        "where it has no AVX-512 kernels the study multiplies matrices instead; added once that was timed",
    ),
    "PyTorch's max pooling": (
        float("nan"),
        "vectorised for channels-last images only, where the study finds the maxima; added once that was timed",
    ),
    "a solved batch": (2.2, "no triplet is active, every gradient is zero: forward pass and Adam are left"),
    "stacked, 2 members": (0.9, "grouped convolutions are no larger for one core, and rarer in the libraries"),
}
"""Change to a training step -> predicted speed-up, and why."""

OWN_LAYERS = {"oneDNN's convolutions alone": ProductConv2d, "PyTorch's max pooling": ChannelsMaxPool2d}
"""Change that gives up a layer of the study for the PyTorch layer it derives from -> the study's layer."""


def tried(seconds: float = 3.0, rounds: int = 3) -> pd.DataFrame:
    """Time changes to a training step of 8 triplets, each alternating with the unchanged step, on one thread.

    Columns: change, predicted and measured (speed-up factors), why (reason for the prediction). measured is NaN if this
    machine does not support the change.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = []
    for change, (predicted, why) in PREDICTED.items():
        measured = float("nan")
        if _possible(change):
            step, changed, members = _step(), _step(change), 2 if change.startswith("stacked") else 1
            ratios = [_rate(changed, seconds) * members / _rate(step, seconds) for _ in range(rounds)]
            measured = median(ratios)
        rows.append({"change": change, "predicted": predicted, "measured": measured, "why": why})
    torch.set_num_threads(before)
    return pd.DataFrame(rows)


def _possible(change: str) -> bool:
    """Whether this machine supports the change: a compiler, or a processor that computes in bf16.

    On a GPU the networks are already channels-last, and none of the study's own layers is used.
    """
    if machine.device() == "cuda" and ("channels-last" in change or change in OWN_LAYERS):
        return False
    if "bf16" in change:
        return machine.device() == "cuda" or machine.has_avx512()
    return change != "torch.compile" or shutil.which("g++") is not None


def _step(change: str = "") -> Callable[[], object]:
    """A training step on random images, with at most one change."""
    device, experiment = machine.device(), TRIPLET
    rng = torch.Generator().manual_seed(0)
    images = torch.rand(24, 1, 48, 48, generator=rng).to(device)
    labels = torch.cat([torch.arange(8) % 7, torch.arange(8) % 7, (torch.arange(8) + 1) % 7]).to(device)
    data = Data(images, labels, images, labels)
    batch = {"index": torch.arange(24, device=device), "boxes": torch.full((24, 4), 12, device=device)}
    members = [Member(0, 0), Member(1, 0)] if change == "stacked, 2 members" else [Member(0, 0)]
    trainees = [Trainee(experiment, member, data, 7, Path("none")) for member in members]
    network = trainees[0].network.train()
    if len(members) == 2:
        return _stacked(trainees, batch)
    for module in network.modules():
        if type(module) is OWN_LAYERS.get(change):
            module.__class__ = type(module).__base__
    if "channels-last" in change:
        network.to(memory_format=torch.channels_last)
    optimiser = optimiser_for(network, experiment)
    if change == "Adam without fusing":
        optimiser = torch.optim.Adam(network.parameters(), lr=experiment.lr)
    forward = torch.compile(network) if change == "torch.compile" else network

    def thrice(images, kept):
        parts = [forward(part, kept) for part in images.chunk(3)]
        return tuple(torch.cat(both) for both in zip(*parts, strict=True))

    def in_bf16(images, kept):
        with torch.autocast(device, torch.bfloat16):
            embeddings, theta = forward(images, kept)
        return embeddings.float(), theta

    pass_through = thrice if change == "three forward passes" else in_bf16 if "bf16" in change else forward

    def step():
        optimiser.zero_grad(set_to_none=True)
        loss, _ = batch_loss(pass_through, experiment, with_frames(batch, data))
        if change == "a solved batch":
            for parameter in network.parameters():
                parameter.grad = torch.zeros_like(parameter)
        else:
            loss.backward()
        optimiser.step()

    return step


def _stacked(trainees: list[Trainee], batch: Batch) -> Callable[[], object]:
    """A step of several members stacked into one network, whose weights have a leading member dimension."""
    parameters, buffers = stack_module_state([trainee.network.train() for trainee in trainees])
    skeleton = copy.deepcopy(trainees[0].network).to("meta")
    for module in skeleton.modules():
        if isinstance(module, ChannelsMaxPool2d):
            module.__class__ = nn.MaxPool2d  # vmap cannot ask for a layout
    optimiser = torch.optim.Adam(parameters.values(), lr=trainees[0].experiment.lr, fused=True)
    each = [with_frames(batch, trainee.data) for trainee in trainees]
    batches = {name: torch.stack([one[name] for one in each]) for name in each[0]}

    def loss_of(own, kept, given):
        return batch_loss(lambda *inputs: functional_call(skeleton, (own, kept), inputs), trainees[0].experiment, given)

    def step():
        optimiser.zero_grad(set_to_none=True)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)  # affine_grid, which is small
            vmap(loss_of)(parameters, buffers, batches)[0].sum().backward()
        optimiser.step()

    return step


def _rate(function: Callable[[], object], seconds: float) -> float:
    """Calls per second, after three warm-up calls."""
    for _ in range(3):
        function()
    calls = max(5, round(seconds / machine.seconds(function)))
    return calls / machine.seconds(lambda: [function() for _ in range(calls)])
