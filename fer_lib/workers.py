"""Train members in parallel on a CPU, in single-threaded processes: fastest, and the same bits as alone."""

import multiprocessing
import os
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from fer_lib import machine
from fer_lib.experiments import Member

Train = Callable[[Member, Any, Callable[[], None]], Any]
"""The work for a member: (member, data, on_epoch) -> outcome; picklable; calls on_epoch after each epoch."""


def in_parallel(
    train: Train, members: list[Member], data, on_epoch: Callable[[], None]
) -> Generator[tuple[Member, Any], None, None]:
    """Yield each member with its outcome as it finishes, using as many processes as there are cores.

    If a member fails or the caller closes the generator, the others stop after their current epoch; a process exits at
    once if its parent is killed. Raises ChildProcessError if a process was killed.
    """
    spawn = multiprocessing.get_context("spawn")
    epochs, stop = spawn.SimpleQueue(), spawn.Event()
    listener = Thread(target=lambda: [on_epoch() for _ in iter(epochs.get, None)])
    pool = ProcessPoolExecutor(min(len(members), machine.cores()), spawn, _start, (train, data, epochs, stop))
    listener.start()
    try:
        jobs = {pool.submit(_work, member): member for member in members}
        for job in as_completed(jobs):
            yield jobs[job], job.result()
    except BrokenProcessPool as error:
        raise ChildProcessError(
            f"one of up to {machine.cores()} training processes was killed, most often for lack of memory; run again "
            "to resume from the checkpoints"
        ) from error
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
        epochs.put(None)
        listener.join()


_job: dict = {}


def _start(train: Train, data, epochs, stop) -> None:
    torch.set_num_threads(1)
    threadpool_limits(1)
    _job.update(train=train, data=data, epochs=epochs, stop=stop)
    Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """Exit with the parent, so that no orphan keeps training into the files of the next run."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _work(member: Member):
    return _job["train"](member, _job["data"], _on_epoch)


def _on_epoch() -> None:
    _job["epochs"].put(1)
    if _job["stop"].is_set():
        raise InterruptedError("stopped, because another member failed or the run was interrupted")
