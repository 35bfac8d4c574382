"""Train several members side by side on a GPU, which one small network would leave idle.

Each member has a stream of its own. Its whole step, from the drawn batch to the optimiser, is captured once as a CUDA
graph and replayed, so that within an epoch the GPU does not wait for the host; the next epochs are drawn meanwhile.
One stacked network would need grouped convolutions, which are slower than separate ones on streams.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import torch

from fer_lib import machine
from fer_lib.batches import Batch, draw_frames
from fer_lib.training import Trainee

AHEAD = 3
"""Epochs of each member that are drawn beforehand."""


def fit_side_by_side(trainees: list[Trainee], on_epoch: Callable[[], None]) -> None:
    """Train members to their last epoch, an epoch of each at a time; `on_epoch` is called for each of them.

    On a CPU, where the tests run it, it is each member's own training step by step.
    """
    with ThreadPoolExecutor(machine.cores()) as pool:
        waiting = [OnStream(trainee, pool) for trainee in trainees if not trainee.finished]
        while waiting:
            began = time.perf_counter()
            for member in waiting:
                member.begin_epoch()
            for k in range(max(member.steps for member in waiting)):
                for member in waiting:
                    member.step(k)
            _wait()
            seconds = (time.perf_counter() - began) / len(waiting)
            for member in waiting:
                member.end_epoch(seconds)
            for _ in waiting:
                on_epoch()
            waiting = [member for member in waiting if not member.trainee.finished]


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


class OnStream:
    """A member with its stream, its captured steps and the epochs that are drawn for it."""

    def __init__(self, trainee: Trainee, pool: ThreadPoolExecutor):
        trainee.network.train()
        self.trainee, self.pool, self.drawn, self.parts = trainee, pool, {}, []
        self.labels = trainee.data.train_labels.cpu().numpy()
        self.stream = torch.cuda.stream(torch.cuda.Stream()) if trainee.data.train_images.is_cuda else nullcontext()
        _wait()  # for the weights, which another stream puts on the device

    @property
    def steps(self) -> int:
        return sum(part.steps for part in self.parts)

    def begin_epoch(self) -> None:
        """Put what is drawn for the epoch on the device."""
        trainee = self.trainee
        experiment, member = trainee.experiment, trainee.member
        for epoch in range(trainee.epoch, min(trainee.epoch + AHEAD, experiment.epochs) + 1):
            if epoch not in self.drawn:
                self.drawn[epoch] = self.pool.submit(draw_frames, experiment, member, epoch, self.labels)
        drawn, sizes = self.drawn.pop(trainee.epoch).result()
        full = sizes.count(sizes[0])  # all batches but perhaps the last, which has the rest of the frames
        frames = sum(sizes[:full])
        parts = [(full, slice(frames)), (1, slice(frames, None))][: 1 + (full < len(sizes))]
        self.parts = self.parts or [Steps(trainee) for _ in parts]
        with self.stream:
            trainee.set_rate()
            for part, (steps, own) in zip(self.parts, parts, strict=True):
                part.load({name: tensor[own].unflatten(0, (steps, -1)) for name, tensor in drawn.items()})

    def step(self, k: int) -> None:
        """Take the epoch's step k, if it has so many: the full batches first."""
        with self.stream:
            if k < self.parts[0].steps:
                self.parts[0]()
            elif k < self.steps:
                self.parts[1]()

    def end_epoch(self, seconds: float) -> None:
        """Enter the epoch into the member's history."""
        self.trainee.end_epoch([row for part in self.parts for row in zip(*part.logged, strict=True)], seconds)


class Steps:
    """The steps of an epoch whose batches are of one size, run eagerly a few times, then captured and replayed.

    Each reads its place in the epoch from the device, and writes there what is logged of it.
    """

    WARM_UP = 3
    """Steps before the capture, in which CUDA's libraries and the optimiser set themselves up."""

    def __init__(self, trainee: Trainee):
        self.trainee, self.drawn, self.logged, self.graph, self.calls = trainee, None, None, None, 0

    @property
    def steps(self) -> int:
        return len(self.drawn["index"])

    def load(self, drawn: Batch) -> None:
        """Put an epoch's batches, tensors (steps, B, ...), where the steps read them."""
        if self.drawn is None:
            device = self.trainee.data.train_images.device
            self.drawn = {name: tensor.to(device) for name, tensor in drawn.items()}
            self.place = torch.zeros(1, dtype=torch.int64, device=device)
        else:
            for name, tensor in drawn.items():
                self.drawn[name].copy_(tensor)
            self.place.zero_()

    def __call__(self) -> None:
        self.calls += 1
        if self.calls <= self.WARM_UP or not self.place.is_cuda:
            self._step()
            return
        if self.graph is None:
            self.graph = torch.cuda.CUDAGraph()
            # "thread_local", for other threads draw meanwhile.
            with torch.cuda.graph(self.graph, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
                self._step()
        self.graph.replay()

    def _step(self) -> None:
        logged = self.trainee.step({name: tensor[self.place].squeeze(0) for name, tensor in self.drawn.items()})
        if self.logged is None:
            self.logged = [value.new_empty((self.steps, *value.shape)) for value in logged]
        for column, value in zip(self.logged, logged, strict=True):
            column.index_copy_(0, self.place, value[None])
        self.place += 1
