"""Trained side by side each member is what it is alone: to the bit on a CPU, up to rounding on a GPU."""

import numpy as np
import pytest
import torch
from few_faces import few_faces

from fer_lib import machine, results, training
from fer_lib.experiments import Experiment, Member
from fer_lib.run import run, train_member, train_side_by_side
from fer_lib.side_by_side import fit_side_by_side
from fer_lib.training import Data, Trainee, epochs_done, fit, to_float

MEMBERS = {Member(0, 0): 9, Member(0, 1): 8, Member(1, 0): 11}
"""How many training frames each has: with batches of 4, two are full; a rest of 1, none or 3 is left."""

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")

each_way = pytest.mark.parametrize(
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


@pytest.fixture
def double():
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def trainees(experiment, folder, members=MEMBERS, device="cpu"):
    folder.mkdir(exist_ok=True)
    few, dtype = few_faces(), torch.get_default_dtype()
    images = to_float(few.images[::4], device).to(dtype)
    labels = torch.arange(len(images), device=device) % 3
    shares = torch.tensor([[0.5, 0.5, 0.0], [0.25, 0.75, 0.0], [0.0, 0.0, 1.0]], dtype=dtype, device=device)[labels]

    def data(n):
        votes = shares[:n] if experiment.target == "votes" else None
        return Data(images[:n], labels[:n], images[-4:], labels[-4:], train_votes=votes)

    return [Trainee(experiment, member, data(n), 3, folder / f"{member}.pt") for member, n in members.items()]


def assert_same(alone, beside):
    assert [one.member for one in alone] == [one.member for one in beside]
    for one, other in zip(alone, beside, strict=True):
        np.testing.assert_equal(other.history, one.history)
        for name, tensor in one.network.state_dict().items():
            assert torch.equal(other.network.state_dict()[name], tensor), name


@each_way
def test_each_is_what_it_is_alone(tmp_path, parameters):
    experiment = Experiment("x", epochs=2, batch_size=4, **parameters)
    alone, beside = trainees(experiment, tmp_path / "alone"), trainees(experiment, tmp_path / "beside")
    for one in alone:
        fit(one, lambda: None)
    epochs = []
    fit_side_by_side(beside, lambda: epochs.append(1))
    assert len(epochs) == 3 * 2
    assert_same(alone, beside)


def test_each_goes_on_from_its_own_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "LOOK_EVERY", 1)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)

    def kill():
        raise KeyboardInterrupt

    experiment = Experiment("x", epochs=2, batch_size=4)
    whole = trainees(experiment, tmp_path / "whole")
    fit_side_by_side(whole, lambda: None)
    for one in trainees(experiment, tmp_path / "killed", dict(list(MEMBERS.items())[:2])):
        with pytest.raises(KeyboardInterrupt):
            fit(one, kill)
    resumed = trainees(experiment, tmp_path / "killed")
    assert [one.epoch for one in resumed] == [2, 2, 1]
    fit_side_by_side(resumed, lambda: None)
    assert [one.epoch for one in resumed] == [3, 3, 3]
    for one, other in zip(whole, resumed, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True))


def test_outcomes_are_those_of_one_after_the_other(few, monkeypatch):
    monkeypatch.setattr(machine, "device", lambda: "cpu")
    experiment = Experiment("few", loss="softmax", seeds=2, epochs=1, batch_size=32)
    (few / "alone").mkdir()
    asked = experiment, few / "alone", lambda trained, data: trained.history
    alone = [(member, train_member(*asked, member, few_faces(), lambda: None)) for member in experiment.members]
    beside = experiment, few / "beside", asked[-1], experiment.members, few_faces(), lambda: None
    np.testing.assert_equal(list(train_side_by_side(*beside)), alone)


@needs_gpu
@each_way
def test_replayed_steps_are_those_of_a_cpu(double, tmp_path, parameters):
    # Four epochs, so that the rest is replayed too; a rate that is the same in single precision, as a GPU holds it.
    experiment = Experiment("x", epochs=4, batch_size=4, lr=2**-10, **parameters)
    alone = trainees(experiment, tmp_path / "alone")
    beside = trainees(experiment, tmp_path / "beside", device="cuda")
    for one in alone:
        fit(one, lambda: None)
    fit_side_by_side(beside, lambda: None)
    for one, other in zip(alone, beside, strict=True):
        loss = [[row["loss"] for row in each.history] for each in (one, other)]
        np.testing.assert_allclose(loss[0], loss[1], rtol=1e-3)


@needs_gpu
def test_a_killed_run_resumes_on_a_gpu(few, monkeypatch):
    monkeypatch.setattr(training, "LOOK_EVERY", 1)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    experiment = Experiment("few", protocol="subject", folds=4, epochs=6)
    with pytest.raises(KeyboardInterrupt):
        _run_until(experiment, 10, monkeypatch)
    assert {epochs_done(file) for file in results.folder(experiment).glob("checkpoint-*.pt")} >= {2}
    run(experiment)
    assert len(results.read(experiment, "metrics.csv")) == 4


def _run_until(experiment, epochs, monkeypatch):
    """Run, interrupted after so many epochs of members."""
    seen = []

    def step(self):
        seen.append(1)
        if len(seen) == epochs:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("fer_lib.progress.Progress.step", step)
        run(experiment)
