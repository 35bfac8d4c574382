"""Several members at once, in processes of one thread each: on a CPU the same bits as alone, and the fastest."""

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
"""What is done for a member: (member, data, on_epoch) -> outcome; picklable, and calls on_epoch at each epoch."""


def in_parallel(
    train: Train, members: list[Member], data, on_epoch: Callable[[], None]
) -> Generator[tuple[Member, Any], None, None]:
    """Each member with its outcome, as they finish, from as many processes as there are cores.

    If a member fails or the caller closes this, the others stop after their epoch; a process whose parent is killed
    dies at once. Raises ChildProcessError if one of the processes was killed.
    """
    spawn = multiprocessing.get_context("spawn")
    epochs, stop = spawn.SimpleQueue(), spawn.Event()
    listener = Thread(target=lambda: [on_epoch() for _ in iter(epochs.get, None)])
    listener.start()
    pool = ProcessPoolExecutor(min(len(members), machine.cores()), spawn, _start, (train, data, epochs, stop))
    try:
        jobs = {pool.submit(_work, member): member for member in members}
        for job in as_completed(jobs):
            yield jobs[job], job.result()
    except BrokenProcessPool as error:
        raise ChildProcessError(
            f"a process of the {machine.cores()} that trained was killed, most often for want of memory; run again, "
            "which goes on from the checkpoints"
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
    """A killed parent must not leave a process that trains on, into the files of the run that follows."""
    multiprocessing.parent_process().join()
    os._exit(1)


def _work(member: Member):
    return _job["train"](member, _job["data"], _on_epoch)


def _on_epoch() -> None:
    _job["epochs"].put(1)
    if _job["stop"].is_set():
        raise InterruptedError("stopped, because another member failed or the run was interrupted")
