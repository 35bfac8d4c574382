"""Whole experiments on a few synthetic faces: killed, resumed, and with other members beside them."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from few_faces import few_faces

from fer_lib import faces, results, retrain, splits
from fer_lib.batches import draw_epoch
from fer_lib.experiments import Experiment, Member
from fer_lib.member_tables import evaluate
from fer_lib.occlusion_benchmark import CLEAN, SUITE
from fer_lib.run import run, train_member, trainee
from fer_lib.training import THETA, to_float
from fer_lib.weights import load_network, weights_file

SOFTMAX = Experiment("few", loss="softmax", seeds=2, epochs=2, batch_size=32)

SCRIPT = """
from few_faces import use_few_faces
from fer_lib.experiments import Experiment
from fer_lib.run import run
if __name__ == "__main__":
    use_few_faces()
    run(Experiment("few", loss="softmax", seeds=2, epochs=7, batch_size=35))
"""


def stored(experiment):
    return {name: (results.folder(experiment) / name).read_bytes() for name in results.TABLES}


def test_an_experiment_and_who_trains_beside_it(few):
    run(SOFTMAX)
    both = stored(SOFTMAX)
    metrics = results.read(SOFTMAX, "metrics.csv")
    assert metrics[["seed", "fold", "n_test", "epoch"]].to_numpy().tolist() == [[0, 0, 15, 2], [1, 0, 15, 2]]
    predictions = results.read(SOFTMAX, "predictions.csv.gz")
    assert len(predictions) == 30
    right = (predictions["label"] == predictions["prediction"]).groupby(predictions["seed"]).mean()
    assert right.tolist() == metrics["accuracy"].tolist()
    classes = [f"p_{name}" for name in faces.EMOTIONS]
    assert (predictions[classes].sum(axis=1) - 1).abs().max() < 1e-9
    assert (predictions[classes].to_numpy().argmax(axis=1) == predictions["prediction"]).all()
    occlusion = results.read(SOFTMAX, "occlusion.csv")
    assert len(occlusion) == 2 * (1 + len(SUITE))
    assert occlusion.loc[occlusion["kind"] == "none", "accuracy"].tolist() == metrics["accuracy"].tolist()
    occluded = results.read(SOFTMAX, "occluded_predictions.csv.gz")
    assert (occluded[["seed", "frame_id", "label"]] == predictions[["seed", "frame_id", "label"]]).all(axis=None)
    assert occluded[str(CLEAN)].tolist() == predictions["prediction"].tolist()
    points = results.read(SOFTMAX, "embeddings.csv.gz")
    assert points.groupby(["seed", "tested"]).size().to_dict() == {(0, False): 69, (0, True): 15, (1, True): 15}
    logits = points.query("tested")[[f"e{i}" for i in range(7)]].to_numpy()
    assert (logits.argmax(axis=1) == predictions["prediction"]).all(), "under softmax the embedding is the logits"
    views = results.read(SOFTMAX, "views.csv.gz").query("seed == 1")
    assert views.groupby("occlusion").size().to_dict() == {"none": 15, "rectangle": 15}
    network = load_network(SOFTMAX, Member(1, 0), 7)
    frames = faces.load("synthetic")
    chosen = frames.frames["frame_id"].isin(views["frame_id"]).to_numpy()
    theta = network(to_float(frames.images[chosen], "cpu"))[1].detach().numpy().reshape(-1, 6)
    np.testing.assert_allclose(views.query("occlusion == 'none'")[list(THETA)], theta, atol=1e-5)
    assert not list(few.glob("**/checkpoint*")) and not list(few.glob("**/*.tmp"))

    run(SOFTMAX)
    assert stored(SOFTMAX) == both

    alone = replace(SOFTMAX, experiment="alone", seeds=1)
    run(alone)
    for name in results.TABLES:
        first = results.read(SOFTMAX, name).query("seed == 0").reset_index(drop=True)
        pd.testing.assert_frame_equal(results.read(alone, name), first, check_exact=True)


def few_of_fer2013():
    """The few faces under FER2013's name, half of them for training."""
    given = few_faces()
    usage = np.resize(["Training", "Training", "PublicTest", "PrivateTest"], len(given))
    return faces.Faces("fer2013", given.images, given.labels, given.frames.assign(usage=usage), given.classes)


def run_half(experiment, checkpoint):
    """Train a fold for one epoch of more, so that its checkpoint is that of an interrupted run."""
    learner = trainee(experiment, checkpoint.parent, Member(0, 1), few_faces(), "cpu")
    learner.data.selection_images, learner.data.selection_labels = learner.data.test_images, learner.data.test_labels
    learner.stored_at = -np.inf
    learner.network.train()
    batches = draw_epoch(experiment, learner.member, 1, learner.data.train_labels)
    learner.end_epoch([learner.step(batch) for batch in batches], 1)


def test_training_starts_from_the_same_seeds_weights(few, monkeypatch):
    monkeypatch.setenv("FER_RESULTS", str(few))  # for the workers
    first = Experiment("first", dataset="fer2013", protocol="usage", loss="softmax", epochs=1, batch_size=32)
    second = replace(first, experiment="second", dataset="synthetic", protocol="subject", pretrained="first")
    with pytest.raises(FileNotFoundError, match=r"no results .*first/run.json"):
        run(second)
    with monkeypatch.context() as patch:
        patch.setattr(faces, "load", lambda name: few_of_fer2013())
        run(first)
    network = load_network(first, Member(0, 0), 7).state_dict()
    begun = trainee(second, few, Member(0, 0), few_faces(), "cpu").network.state_dict()
    same = {name: torch.equal(tensor, network[name]) for name, tensor in begun.items()}
    assert {name for name, is_same in same.items() if not is_same} == {"resnet.fc.weight", "resnet.fc.bias"}
    run(second)
    assert len(results.read(second, "metrics.csv")) == 1

    torch.save({name: tensor + 1 for name, tensor in network.items()}, weights_file(first, Member(0, 0)))
    with pytest.raises(ValueError, match="seed0-fold0 of second started from other weights of first than those"):
        run(replace(second, folds=2))
    checkpoint = few / "checkpoint-seed0-fold1.pt"
    run_half(replace(second, epochs=2), checkpoint)
    with pytest.raises(ValueError, match=r"checkpoint-seed0-fold1.pt started from other weights of first than those"):
        torch.save({name: tensor + 2 for name, tensor in network.items()}, weights_file(first, Member(0, 0)))
        trainee(replace(second, epochs=2), few, Member(0, 1), few_faces(), "cpu")
    weights_file(second, Member(0, 0)).unlink()
    with pytest.raises(ValueError, match="seed0-fold0 of second started from other weights of first than those"):
        retrain.restore(second)


def test_training_frames_have_their_votes_where_these_are_the_target(few):
    fer = few_of_fer2013()
    votes = np.random.default_rng(0).dirichlet(np.ones(7), len(fer)).astype(np.float32)
    plus = replace(fer, name="ferplus", votes=votes)
    soft = Experiment("soft", dataset="ferplus", protocol="usage", loss="softmax", target="votes", epochs=1)
    data = trainee(soft, few, Member(0, 0), plus, "cpu").data
    assert torch.equal(data.train_votes, torch.from_numpy(votes[splits.split(plus, "usage").train]))
    assert trainee(replace(soft, target="label"), few, Member(0, 0), plus, "cpu").data.train_votes is None


def test_frames_to_choose_by_are_watched_and_of_many_some_are_asked(few, monkeypatch):
    fer = few_of_fer2013()
    monkeypatch.setattr(splits, "ASKED", 11)
    experiment = Experiment("few", dataset="fer2013", protocol="usage", loss="softmax", epochs=2, batch_size=32)
    outcome = train_member(experiment, few, evaluate, Member(0, 0), fer, lambda: None)["tables"]
    history, metrics = outcome["history.csv"], outcome["metrics.csv"].iloc[0]
    assert history[["test_accuracy", "selection_accuracy"]].notna().all(axis=None), "every epoch is looked at"
    assert history["test_accuracy"].iloc[-1] == metrics["accuracy"]
    assert (metrics["n_test"], len(outcome["predictions.csv.gz"])) == (21, 21)
    assert metrics[["mirrored_accuracy", "ten_crop_accuracy"]].between(0, 1).all()
    asked = fer.frames.query("usage == 'PrivateTest'")["frame_id"].iloc[::2].tolist()
    for name in ("occluded_predictions.csv.gz", "embeddings.csv.gz"):
        assert outcome[name]["frame_id"].tolist() == asked
    clear = outcome["predictions.csv.gz"].set_index("frame_id")["prediction"][asked]
    assert outcome["occluded_predictions.csv.gz"][str(CLEAN)].tolist() == clear.tolist()
    assert set(outcome["occlusion.csv"]["n"]) == {11}


def test_a_head_with_dropout_is_measured_with_it_on_too(few):
    author = Experiment("author", head_layers=2, seeds=2, epochs=1, batch_size=35)
    run(replace(author, seeds=1))
    older = results.read(author, "metrics.csv").drop(columns=["self_agreement", "dropout_accuracy"])
    results.write_csv(results.folder(author) / "metrics.csv", older)
    run(author)
    metrics = results.read(author, "metrics.csv")
    assert metrics.loc[0, ["self_agreement", "dropout_accuracy"]].isna().all(), "a member from before the columns"
    assert metrics.loc[1, ["self_agreement", "dropout_accuracy"]].between(0, 1).all()


def test_killed_and_started_again(few):
    """Killed with SIGKILL after a checkpoint: the workers go too, and the next run ends as an uninterrupted one."""
    killed = replace(SOFTMAX, epochs=7, batch_size=35)
    place = results.folder(killed)
    environment = {**os.environ, "FER_RESULTS": str(few), "PYTHONPATH": str(Path(__file__).parent)}
    script = few / "script.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen([sys.executable, script], env=environment, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    try:
        while not list(place.glob("checkpoint-*.pt")):
            assert process.poll() is None, process.stderr.read().decode()
            assert time.monotonic() < deadline, "no checkpoint after two minutes"
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    time.sleep(0.5)
    left = {file.name: file.stat().st_mtime_ns for file in place.iterdir()}
    assert "metrics.csv" not in left
    time.sleep(1.5)
    assert {file.name: file.stat().st_mtime_ns for file in place.iterdir()} == left, "a worker trains on"

    (place / "metrics.csv.1.tmp").write_text("what it was writing")
    run(killed)
    assert not list(place.glob("*.tmp"))
    uninterrupted = replace(killed, experiment="uninterrupted")
    run(uninterrupted)
    assert stored(killed) == stored(uninterrupted)


def test_a_run_names_the_code_that_it_began_with(few, monkeypatch):
    commits = iter(["begun with"] * 2 + ["changed meanwhile"] * 5)
    monkeypatch.setattr(results, "provenance", lambda: {"commit": next(commits)})
    one = replace(SOFTMAX, seeds=1, epochs=1)
    run(one)
    assert results.read_run(one)["members"]["seed0-fold0"]["commit"] == "begun with"
    assert next(commits) == "changed meanwhile"


def test_results_of_another_experiment_stop_it_before_training(few, monkeypatch):
    other = replace(SOFTMAX, epochs=1)
    results.open_folder(other, few_faces().fingerprint, "cpu")
    results.add_member(other, Member(0, 0), {name: pd.DataFrame({"x": [1]}) for name in results.TABLES}, {})
    monkeypatch.setattr("fer_lib.run.train", None)
    with pytest.raises(ValueError, match="epochs is 1 there, 2 here"):
        run(SOFTMAX)


def test_a_class_that_no_triplet_can_be_made_of_is_named_before_training(few, monkeypatch):
    data = few_faces()
    fear = np.flatnonzero(data.labels == data.classes.index("fear"))
    one = data.take(np.setdiff1d(np.arange(len(data)), fear[1:]))
    monkeypatch.setattr(faces, "load", lambda name: one)
    with pytest.raises(ValueError, match=r"a single frame of fear; a triplet needs two"):
        run(Experiment("few", seeds=5, epochs=1))
    assert not (few / "synthetic").exists()
