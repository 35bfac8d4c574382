import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import few_results
import pandas as pd
import pytest
import torch

from fer_lib import faces, machine, results, retrain
from fer_lib.experiments import Experiment, Member
from fer_lib.run import run
from fer_lib.weights import weights_file, weights_fingerprint

SOFTMAX = Experiment("few", loss="softmax", seeds=2, epochs=1, batch_size=35)


def test_lost_weights_come_back_to_the_last_bit(few, monkeypatch, capsys):
    run(SOFTMAX)
    first, lost = (weights_file(SOFTMAX, member) for member in SOFTMAX.members)
    before, fingerprint = torch.load(lost, weights_only=True), weights_fingerprint(SOFTMAX, Member(1, 0))
    assert fingerprint != weights_fingerprint(SOFTMAX, Member(0, 0))
    weights = first.read_bytes()
    for file in (first, lost):
        file.unlink()
    others = {file: file.read_bytes() for file in results.folder(SOFTMAX).iterdir()}
    retrain.restore(SOFTMAX, ["seed1-fold0"])
    said = capsys.readouterr().out
    after = torch.load(lost, weights_only=True)
    assert weights_fingerprint(SOFTMAX, Member(1, 0)) == fingerprint
    assert before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)
    assert {file: file.read_bytes() for file in results.folder(SOFTMAX).iterdir() if file != lost} == others
    stored = results.read(SOFTMAX, "metrics.csv").set_index("seed").loc[1]
    tested, accuracy = stored["n_test"], 100 * stored["accuracy"]
    same = f"{tested} of {tested} predictions are those stored; accuracy {accuracy:.2f} %, stored {accuracy:.2f} %"
    assert f"seed1-fold0: {same} (now on " in said
    with pytest.raises(ValueError, match="few of synthetic has no run 'seed2-fold0'; stored: seed0-fold0, seed1-fold0"):
        retrain.restore(SOFTMAX, ["seed2-fold0"])
    first.write_bytes(weights)
    monkeypatch.setattr(retrain, "train_and_store", None)
    retrain.restore(replace(SOFTMAX, seeds=3))  # the third was not finished, the others have their weights
    assert capsys.readouterr().out == "nothing to train: the weights are on this machine\n"
    lost.unlink()
    other = faces.load("few").take(range(80))
    monkeypatch.setattr(faces, "load", lambda name: other)
    with pytest.raises(ValueError, match=r"holds results of other parameters or data: data_fingerprint is '"):
        retrain.restore(SOFTMAX)


def test_where_nothing_is_finished_there_is_nothing_to_compare_with(few):
    results.open_folder(SOFTMAX, "abc", "cpu")
    with pytest.raises(FileNotFoundError, match=r"no finished run in .*few; train one with 01_train"):
        retrain.restore(SOFTMAX)


def test_other_predictions_than_those_stored_are_counted(listed):
    listed(few_results.SOFTMAX)
    few_results.store(few_results.SOFTMAX, [0.25, 0.75, 0.25], [0, 0, 0])  # of four frames
    again = pd.Series([0, 0, 0, 1], index=[f"frame {i}" for i in (3, 2, 1, 0)])
    assert retrain.agreement(few_results.SOFTMAX, Member(1, 0), again) == (
        "seed1-fold0: 2 of 4 predictions are those stored; accuracy 25.00 %, stored 75.00 % (now on "
        f"{machine.name()}, the stored run on cpu)"
    )


def test_what_was_compared_is_said_though_a_later_run_fails(listed, monkeypatch, capsys):
    few_results.store(few_results.SOFTMAX, [0.25, 0.75, 0.25], [0, 0, 0])

    def train(experiment, finish, members, data, store, label):
        store(members[0], ({}, pd.Series(1, index=[f"frame {i}" for i in range(4)])))
        raise ValueError("the loss is nan")

    monkeypatch.setattr(faces, "load", lambda name: SimpleNamespace(fingerprint="abc"))
    monkeypatch.setattr(retrain, "train_and_store", train)
    with pytest.raises(ValueError, match="the loss is nan"):
        retrain.restore(few_results.SOFTMAX)
    assert capsys.readouterr().out.startswith("seed0-fold0: 1 of 4 predictions are those stored")


def test_the_command_says_what_is_wrong():
    command = [sys.executable, "-m", "fer_lib.retrain", "fer2013", "no-such"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith("no results ") and len(run.stderr.splitlines()) == 1
