"""Train several members side by side on a GPU, since one small network does not keep it busy.

Each member has its own stream. Its whole step, from the drawn batch to the optimiser, is captured once as a CUDA graph
and replayed, so that within an epoch the GPU does not wait for the host; meanwhile the next epochs are drawn. One
stacked network would need grouped convolutions, which are slower than separate ones on streams.
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
"""Number of epochs drawn in advance for each member."""


def fit_side_by_side(trainees: list[Trainee], on_epoch: Callable[[], None]) -> None:
    """Train the members to their last epoch, one epoch of each at a time; calls `on_epoch` after each epoch of each.

    On a CPU, as in the tests, the members' steps run one after the other.
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
    """A member with its stream, its captured steps and the epochs drawn for it."""

    def __init__(self, trainee: Trainee, pool: ThreadPoolExecutor):
        trainee.network.train()
        self.trainee, self.pool, self.drawn, self.parts = trainee, pool, {}, []
        self.labels = trainee.data.train_labels.cpu().numpy()
        self.stream = torch.cuda.stream(torch.cuda.Stream()) if trainee.data.train_images.is_cuda else nullcontext()
        _wait()  # for the weights, which another stream copies to the device

    @property
    def steps(self) -> int:
        return sum(part.steps for part in self.parts)

    def begin_epoch(self) -> None:
        """Copy the epoch's draws to the device."""
        trainee = self.trainee
        experiment, member = trainee.experiment, trainee.member
        for epoch in range(trainee.epoch, min(trainee.epoch + AHEAD, experiment.epochs) + 1):
            if epoch not in self.drawn:
                self.drawn[epoch] = self.pool.submit(draw_frames, experiment, member, epoch, self.labels)
        drawn, sizes = self.drawn.pop(trainee.epoch).result()
        full = sizes.count(sizes[0])  # all batches except a smaller last one
        frames = sum(sizes[:full])
        parts = [(full, slice(frames)), (1, slice(frames, None))][: 1 + (full < len(sizes))]
        self.parts = self.parts or [Steps(trainee) for _ in parts]
        with self.stream:
            trainee.set_rate()
            for part, (steps, own) in zip(self.parts, parts, strict=True):
                part.load({name: tensor[own].unflatten(0, (steps, -1)) for name, tensor in drawn.items()})

    def step(self, k: int) -> None:
        """Run step k of the epoch, if there is one; full batches come first."""
        with self.stream:
            if k < self.parts[0].steps:
                self.parts[0]()
            elif k < self.steps:
                self.parts[1]()

    def end_epoch(self, seconds: float) -> None:
        """Add the epoch to the member's history."""
        self.trainee.end_epoch([row for part in self.parts for row in zip(*part.logged, strict=True)], seconds)


class Steps:
    """The training steps on an epoch's batches of one size: run eagerly a few times, then captured and replayed.

    A step reads its index in the epoch from the device, and writes its logged values there.
    """

    WARM_UP = 3
    """Eager steps before the capture, in which CUDA's libraries and the optimiser initialise."""

    def __init__(self, trainee: Trainee):
        self.trainee, self.drawn, self.logged, self.graph, self.calls = trainee, None, None, None, 0

    @property
    def steps(self) -> int:
        return len(self.drawn["index"])

    def load(self, drawn: Batch) -> None:
        """Copy an epoch's batches, tensors (steps, B, ...), to where the steps read them."""
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
            # "thread_local", since other threads draw epochs meanwhile.
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
