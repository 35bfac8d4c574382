"""A stacked training is the same as each member's own: compared in double precision, where rounding stays small.

In single precision Adam turns the rounding of a gradient that is zero in theory into steps of full length (the bias of
the last layer under the triplet loss is one), so that two orders of summation part within some steps.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch
from few_faces import few_faces, use_few_faces

from fer_lib import faces, paths, results, training
from fer_lib.experiments import Experiment, Member
from fer_lib.run import evaluate, run, train_stacked
from fer_lib.stacked import Stack, fit_together, stacked
from fer_lib.training import Data, Trainee, epochs_done, fit, to_float

MEMBERS = {Member(0, 0): 9, Member(0, 1): 8, Member(1, 0): 11}
"""How many training frames each has: with batches of 4, two go together and the rest alone."""

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")


@pytest.fixture
def double():
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def trainees(experiment, folder, members=MEMBERS, device="cpu"):
    folder.mkdir(exist_ok=True)
    faces, dtype = few_faces(), torch.get_default_dtype()
    images = to_float(faces.images[::4], device).to(dtype)
    labels = torch.arange(len(images), device=device) % 3
    shares = torch.tensor([[0.5, 0.5, 0.0], [0.25, 0.75, 0.0], [0.0, 0.0, 1.0]], dtype=dtype, device=device)[labels]

    def data(n):
        votes = shares[:n] if experiment.target == "votes" else None
        return Data(images[:n], labels[:n], images[-4:], labels[-4:], train_votes=votes)

    return [Trainee(experiment, member, data(n), 3, folder / f"{member}.pt") for member, n in members.items()]


def assert_same(alone, stacked, rtol):
    assert [one.member for one in alone] == [one.member for one in stacked]
    for one, other in zip(alone, stacked, strict=True):
        for row, expected in zip(other.history, one.history, strict=True):
            assert row == pytest.approx(expected, rel=rtol, abs=rtol, nan_ok=True)
        for name, tensor in one.weights().items():
            torch.testing.assert_close(other.weights()[name], tensor, rtol=rtol, atol=rtol)


@pytest.mark.parametrize(
    "parameters",
    [
        {"loss": "triplet"},
        {"loss": "joint", "mining": "batch-hard", "head_layers": 2, "input_path": "dual"},
        {"loss": "triplet", "mining": "batch-all", "normalise": True, "input_path": "plain", "occlusion": "none"},
        {"loss": "softmax", "recipe": "strong", "occlusion": "mixed"},
        {"loss": "softmax", "recipe": "strong", "occlusion": "heavy"},
        {"loss": "softmax", "recipe": "strong", "dataset": "ferplus", "target": "votes"},
    ],
    ids=["triplet", "joint-two-layers-dual", "batch-all-plain", "strong", "heavy", "votes"],
)
def test_together_as_alone_whatever_the_size(double, tmp_path, parameters):
    experiment = Experiment("x", epochs=2, batch_size=4, **parameters)
    alone, stacked = trainees(experiment, tmp_path / "alone"), trainees(experiment, tmp_path / "stacked")
    for one in alone:
        fit(one, lambda: None)
    epochs = []
    fit_together(stacked, lambda: epochs.append(1))
    assert len(epochs) == 3 * 2
    assert_same(alone, stacked, rtol=1e-6)


def test_first_step_in_single_precision(tmp_path):
    experiment = Experiment("x", epochs=1, batch_size=4, loss="softmax")
    alone, together = trainees(experiment, tmp_path), trainees(experiment, tmp_path)
    batches = [one.begin_epoch()[0] for one in alone]
    logged = Stack(together).step(stacked(batches))
    for i, (one, other) in enumerate(zip(alone, together, strict=True)):
        one.network.train()
        loss, _, right, _ = one.step(batches[i])
        torch.testing.assert_close(logged[0][i], loss)
        assert logged[2][i] == right
        for own, theirs in zip(one.network.parameters(), other.network.parameters(), strict=True):
            assert (own.grad - theirs.grad).abs().max() <= 1e-4 * own.grad.abs().max() + 1e-7


def test_a_member_that_is_behind_catches_up(double, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 1)
    experiment = Experiment("x", epochs=2, batch_size=4)
    whole = trainees(experiment, tmp_path / "whole")
    fit_together(whole, lambda: None)
    for one in trainees(replace(experiment, epochs=1), tmp_path / "killed", dict(list(MEMBERS.items())[:2])):
        fit(one, lambda: None)
    resumed = trainees(experiment, tmp_path / "killed")
    assert [one.epoch for one in resumed] == [2, 2, 1]
    fit_together(resumed, lambda: None)
    assert_same(whole, resumed, rtol=1e-6)
    checkpoints = [one.checkpoint for one in resumed]
    assert list(map(epochs_done, checkpoints)) == [2, 2, 2]
    alone = trainees(replace(experiment, epochs=1), tmp_path / "alone", {Member(0, 0): 9})[0]
    fit(alone, lambda: None)
    # A checkpoint holds its own member's weights, not the whole stack's.
    assert checkpoints[0].stat().st_size == pytest.approx(alone.checkpoint.stat().st_size, rel=0.01)


def test_outcomes_are_those_of_parallel_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    monkeypatch.setattr(faces, "load", faces.load)  # so that it is put back
    use_few_faces()
    experiment = Experiment("few", loss="softmax", seeds=2, epochs=1, batch_size=32)
    run(experiment)
    stacked = train_stacked(experiment, tmp_path, evaluate, experiment.members, few_faces(), lambda: None, "cpu")
    for member, outcome in stacked:
        own = {name: results.read(experiment, name) for name in results.TABLES}
        own = {name: table[table["seed"] == member.seed].iloc[:, 2:] for name, table in own.items()}
        for name, table in outcome["tables"].items():
            assert list(table.columns) == list(own[name].columns), name
        assert outcome["tables"]["predictions.csv.gz"]["frame_id"].tolist() == (
            own["predictions.csv.gz"]["frame_id"].tolist()
        )
        assert outcome["tables"]["history.csv"]["loss"].item() == pytest.approx(own["history.csv"]["loss"].item(), 0.01)
        assert (tmp_path / f"model-{member}.pt").exists()


@needs_gpu
def test_captured_step_as_alone_on_a_gpu(double, tmp_path):
    experiment = Experiment("x", epochs=2, batch_size=4, head_layers=2, loss="joint")
    alone, stacked = trainees(experiment, tmp_path / "alone"), trainees(experiment, tmp_path / "stacked", device="cuda")
    for one in alone:
        fit(one, lambda: None)
    fit_together(stacked, lambda: None)
    for one, other in zip(alone, stacked, strict=True):
        loss = [[row["loss"] for row in each.history] for each in (one, other)]
        np.testing.assert_allclose(loss[0], loss[1], rtol=1e-3)


@needs_gpu
def test_run_on_a_gpu_and_resume(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    monkeypatch.setattr(faces, "load", faces.load)
    use_few_faces()
    experiment = Experiment("few", protocol="subject", folds=4, epochs=6)
    run(replace(experiment, folds=2))
    run(experiment)
    assert len(results.read(experiment, "metrics.csv")) == 4
