import os
import signal
import time
from contextlib import closing

import pytest
import torch

from fer_lib.experiments import Member
from fer_lib.workers import in_parallel

MEMBERS = [Member(0, 0), Member(1, 0), Member(2, 0)]


def three_epochs(member, data, on_epoch):
    for _ in range(3):
        on_epoch()
    return data + member.seed


def threads(member, data, on_epoch):
    return torch.get_num_threads()


def first_fails(member, folder, on_epoch):
    if member.seed == 0:
        raise ValueError("seed 0 cannot be trained")
    second_is_slow(member, folder, on_epoch)


def second_is_slow(member, folder, on_epoch):
    if member.seed == 0:
        return
    for _ in range(600):
        time.sleep(0.1)
        on_epoch()
    (folder / "trained").touch()


def killed(member, data, on_epoch):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_process_is_told():
    with pytest.raises(
        ChildProcessError, match="training processes was killed, most often for lack of memory; run again"
    ):
        list(in_parallel(killed, MEMBERS[:1], None, lambda: None))


def test_closed_in_between_the_others_stop(tmp_path):
    with closing(in_parallel(second_is_slow, MEMBERS[:2], tmp_path, lambda: None)) as outcomes:
        assert next(outcomes)[0] == MEMBERS[0]
    assert not (tmp_path / "trained").exists()


def test_every_member_once_and_every_epoch_counted():
    epochs = []
    outcomes = dict(in_parallel(three_epochs, MEMBERS, 10, lambda: epochs.append(1)))
    assert outcomes == {Member(0, 0): 10, Member(1, 0): 11, Member(2, 0): 12}
    assert len(epochs) == 9


def test_a_process_has_one_thread():
    assert dict(in_parallel(threads, MEMBERS[:1], None, lambda: None)) == {Member(0, 0): 1}


def test_a_failure_stops_the_others_and_is_told(tmp_path):
    began = time.monotonic()
    with pytest.raises(ValueError, match="seed 0 cannot be trained"):
        list(in_parallel(first_fails, MEMBERS[:2], tmp_path, lambda: None))
    assert time.monotonic() - began < 55  # the other would have taken 60 s
    assert not (tmp_path / "trained").exists()
