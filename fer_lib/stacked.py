"""Train several members as one stacked model: what a GPU does best, since one small network leaves it idle.

The members' weights lie in tensors with a leading dimension (M, ...), and one forward and backward pass serves all; on
a GPU the whole step, optimiser included, is captured once as a CUDA graph and replayed. Each member keeps its own
batches and draws, so it ends where it would end alone, up to the rounding of another order of summation.
"""

import copy
import time
import warnings
from collections.abc import Callable, Sequence

import torch
from torch.func import functional_call, stack_module_state, vmap

from fer_lib.batches import Batch
from fer_lib.training import Trainee, batch_loss, with_frames


def fit_together(trainees: list[Trainee], on_epoch: Callable[[], None]) -> None:
    """Train members of one experiment to their last epoch.

    Those that are behind the others, after a killed run, catch up first. `on_epoch` is called for each epoch of each.
    """
    stack = None
    while waiting := [trainee for trainee in trainees if not trainee.finished]:
        behind = min(trainee.epoch for trainee in waiting)
        group = [trainee for trainee in waiting if trainee.epoch == behind]
        if stack is None or stack.trainees != group:
            stack = Stack(group)
        stack.train_epoch()
        for _ in group:
            on_epoch()


class Stack:
    """Members of one experiment at the same epoch. Their networks' tensors become views of the stacked ones."""

    def __init__(self, trainees: list[Trainee]):
        self.trainees, self.experiment = trainees, trainees[0].experiment
        networks = [trainee.network.train() for trainee in trainees]
        self.parameters, self.buffers = stack_module_state(networks)
        for i, network in enumerate(networks):
            for name, parameter in network.named_parameters():
                parameter.data = self.parameters[name].data[i]
            for name, buffer in network.named_buffers():
                buffer.data = self.buffers[name][i]
        self.skeleton = copy.deepcopy(networks[0]).to("meta")
        on_gpu = trainees[0].data.train_images.is_cuda
        self.step = Captured(self._step) if on_gpu else self._step

    def train_epoch(self) -> None:
        """Train each member one epoch: together as many batches as all of them have in full, the rest alone."""
        began = time.perf_counter()
        batches = [trainee.begin_epoch() for trainee in self.trainees]
        full = len(batches[0][0]["index"])
        common = min(sum(len(batch["index"]) == full for batch in own) for own in batches)
        logged = []
        for drawn in zip(*(own[:common] for own in batches), strict=True):
            logged.append([column.clone() for column in self.step(stacked(drawn))])
        columns = [torch.stack(column) for column in zip(*logged, strict=True)]
        rest = [[t.step(batch) for batch in own[common:]] for t, own in zip(self.trainees, batches, strict=True)]
        for i, trainee in enumerate(self.trainees):
            own = zip(*(column[:, i] for column in columns), strict=True)
            trainee.end_epoch([*own, *rest[i]], began, share=1 / len(self.trainees))

    def _step(self, batch: Batch):
        """Train every member on its batch; tensors (M, B, ...). Returns what is logged of it, (M, ...)."""
        own = [{name: tensor[i] for name, tensor in batch.items()} for i in range(len(self.trainees))]
        batch = stacked([with_frames(one, t.data) for one, t in zip(own, self.trainees, strict=True)])
        with warnings.catch_warnings():
            # affine_grid runs member by member under vmap; it is small, and one graph holds it all.
            warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
            loss, logged = vmap(self._member_loss)(self.parameters, self.buffers, batch)
        gradients = torch.autograd.grad(loss.sum(), list(self.parameters.values()))
        gradients = [gradient.contiguous() for gradient in gradients]  # fused Adam reads them in the weights' layout
        for i, trainee in enumerate(self.trainees):
            for parameter, gradient in zip(trainee.network.parameters(), gradients, strict=True):
                parameter.grad = gradient[i]
            trainee.optimiser.step()
        return logged

    def _member_loss(self, parameters, buffers, batch: Batch):
        def network(*inputs):
            return functional_call(self.skeleton, (parameters, buffers), inputs)

        return batch_loss(network, self.experiment, batch)


def stacked(batches: Sequence[Batch]) -> Batch:
    """Batches of the same size as one, tensors (M, B, ...)."""
    return {name: torch.stack([batch[name] for batch in batches]) for name in batches[0]}


class Captured:
    """A function of a dict of CUDA tensors that is run eagerly a few times, then captured as a CUDA graph and replayed.

    Shapes must stay the same; the tensors it returns are overwritten by the next call.
    """

    WARM_UP = 3
    """Calls that a side stream runs eagerly before the capture, which CUDA libraries need to set themselves up."""

    def __init__(self, function: Callable):
        self.function, self.calls, self.graph = function, 0, torch.cuda.CUDAGraph()

    def __call__(self, inputs: Batch):
        self.calls += 1
        if self.calls <= self.WARM_UP:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                outputs = self.function(inputs)
            torch.cuda.current_stream().wait_stream(side)
            return outputs
        if self.calls == self.WARM_UP + 1:
            self.inputs = {name: tensor.clone() for name, tensor in inputs.items()}
            with torch.cuda.graph(self.graph):
                self.outputs = self.function(self.inputs)
        for name, tensor in inputs.items():
            self.inputs[name].copy_(tensor)
        self.graph.replay()
        return self.outputs
