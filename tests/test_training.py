import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from few_faces import few_faces

from fer_lib import training
from fer_lib.batches import draw_epoch
from fer_lib.experiments import Experiment, Member
from fer_lib.recipe import LABEL_SMOOTHING
from fer_lib.splits import split
from fer_lib.training import Data, Trainee, epochs_done, fit, losses, to_float, transformer_health


@pytest.fixture(scope="module")
def data():
    torch.set_num_threads(1)
    few = few_faces()
    parts = split(few, "random")
    images, labels = to_float(few.images, "cpu"), torch.from_numpy(few.labels)
    return Data(images[parts.train], labels[parts.train], images[parts.test], labels[parts.test])


def test_images_become_shares_of_white():
    images = to_float(np.full((2, 48, 48), 51, np.uint8), "cpu")
    assert images.shape == (2, 1, 48, 48)
    assert images.unique().tolist() == pytest.approx([0.2])


def test_joint_loss_is_the_sum():
    embeddings, labels = torch.randn(12, 7), torch.arange(12) % 3
    softmax, triplet, joint = (
        losses(Experiment("x", loss=loss), embeddings, labels)[0] for loss in ("softmax", "triplet", "joint")
    )
    torch.testing.assert_close(joint, softmax + triplet)
    assert losses(Experiment("x", margin=0.25), torch.zeros(3, 7), labels[:3])[0] == 0.25, "all distances are 0"
    assert torch.isnan(losses(Experiment("x", loss="softmax"), embeddings, labels)[1])


@pytest.mark.parametrize(("recipe", "smoothing"), [("paper", 0.0), ("strong", LABEL_SMOOTHING)])
def test_loss_against_votes_is_the_cross_entropy_with_their_shares(recipe, smoothing):
    embeddings = torch.tensor([[0.0, 0.0, 0.0], [2.0, 1.0, 0.0]])
    votes = torch.tensor([[1.0, 0.0, 0.0], [0.25, 0.75, 0.0]])
    experiment = Experiment("x", dataset="ferplus", loss="softmax", target="votes", recipe=recipe)
    loss, _ = losses(experiment, embeddings, torch.tensor([0, 1]), votes)
    total = np.log(np.exp([2, 1, 0]).sum())
    smoothed = (1 - smoothing) * votes[1].numpy() + smoothing / 3
    assert loss.item() == pytest.approx((np.log(3) + (smoothed * (total - np.array([2, 1, 0]))).sum()) / 2)


def test_votes_for_the_label_alone_are_the_label():
    embeddings, labels = torch.randn(12, 7), torch.arange(12) % 7
    experiment = Experiment("x", loss="softmax", recipe="strong")
    alone = torch.nn.functional.one_hot(labels, 7).float()
    torch.testing.assert_close(
        losses(experiment, embeddings, labels, alone), losses(experiment, embeddings, labels), equal_nan=True
    )


def test_normalised_loss_forgets_length():
    embeddings, labels = torch.randn(12, 7), torch.arange(12) % 3
    experiment = Experiment("x", normalise=True, mining="batch-all")
    torch.testing.assert_close(losses(experiment, embeddings, labels)[0], losses(experiment, 9 * embeddings, labels)[0])


def test_transformer_has_its_own_rate(data, tmp_path):
    experiment = Experiment("x", stn_lr_factor=0.0, lr=0.01, batch_size=16, epochs=1)
    trainee = Trainee(experiment, Member(0, 0), data, 7, tmp_path / "checkpoint.pt")
    network = trainee.network
    before = [p.clone() for p in network.stn.parameters()]
    resnet_before = network.resnet.fc.weight.clone()
    fit(trainee, lambda: None)
    row = trainee.history[0]
    assert all(torch.equal(a, b) for a, b in zip(before, network.stn.parameters(), strict=True))
    assert not torch.equal(resnet_before, network.resnet.fc.weight)
    assert (row["theta_xx_mean"], row["theta_xx_sd"], row["grid_outside"]) == (1, 0, 0)


def test_health_of_known_thetas():
    theta = torch.tensor([[[1.0, 0, 0], [0, 1, 0]], [[3.0, 0, 0], [0, 1, 0]]])
    health = transformer_health(theta)
    assert (health["theta_xx_mean"], health["theta_xx_sd"]) == (2, 1)
    assert health["grid_outside"] == pytest.approx((0 + 2 / 3) / 2)


def test_an_epoch_averages_over_frames_and_watches_its_own_frames(tmp_path):
    """Ten training faces, black ones of class 0 and white ones of class 1; of the selection frames half are wrong."""
    black, white = torch.zeros(1, 1, 48, 48), torch.ones(1, 1, 48, 48)
    images, labels = torch.cat([black] * 5 + [white] * 5), torch.arange(10) // 5
    data = Data(images, labels, images[4:6], labels[4:6], images[4:6], labels[:2])
    trainee = Trainee(Experiment("x", epochs=2), Member(0, 0), data, 7, tmp_path / "checkpoint.pt")
    thetas = torch.eye(2, 3).expand(4, 2, 3).split([3, 1])
    logged = [(torch.tensor(loss), torch.tensor(loss / 5), torch.tensor(2), theta)
              for loss, theta in zip((1.0, 5.0), thetas, strict=True)]  # fmt: skip
    trainee.end_epoch(logged, 1.0)
    (row,) = trainee.history
    # (3 * 1 + 1 * 5) / 4, and a fifth of it.
    assert (row["loss"], row["active_triplets"]) == (2, pytest.approx(0.4)) and np.isnan(row["train_accuracy"])
    assert (row["test_accuracy"], row["selection_accuracy"]) == (1, 0.5)


def test_faces_are_augmented_then_covered_by_others():
    experiment = Experiment("x", loss="softmax", recipe="strong", occlusion="mixed")
    images, box = torch.rand(4, 1, 48, 48), [0, 0, 48, 12]
    mirror = torch.tensor([[-1.0, 0, 0], [0, 1, 0]]).expand(2, 2, 3)
    batch = {"index": torch.tensor([0, 1]), "other": torch.tensor([2, 3]), "view": mirror, "gamma": torch.full((2,), 2)}
    fills = {"boxes": torch.tensor([[box], [box]]), "fill": torch.tensor([1, 3]), "noise": torch.zeros(2, 48, 48)}
    data = Data(images, torch.tensor([0, 1, 0, 1]), images, torch.tensor([0, 1, 0, 1]))
    seen = training.training_images(experiment, training.with_frames(batch | fills, data))
    augmented = images[:2].flip(3) ** 2
    torch.testing.assert_close(seen[..., 12:], augmented[..., 12:], atol=1e-4, rtol=0)
    torch.testing.assert_close(seen[0, 0, :, :12], augmented[0].mean().expand(48, 12), atol=1e-4, rtol=0)
    assert torch.equal(seen[1, ..., :12], images[3, ..., :12])


def test_the_strong_recipe_sets_the_rate_of_each_epoch(data, tmp_path):
    experiment = Experiment("x", loss="softmax", recipe="strong", stn_lr_factor=0.1, epochs=1, batch_size=69)
    trainee = Trainee(experiment, Member(0, 0), data, 7, tmp_path / "checkpoint.pt")
    fit(trainee, lambda: None)
    # Half of the only epoch is two sevenths of the fall: (1 + cos(2 pi / 7)) / 2.
    rates = [group["lr"] for group in trainee.optimiser.param_groups]
    assert rates == pytest.approx([0.001 * 0.811745, 0.0001 * 0.811745], rel=1e-5)


def test_learns_the_training_frames(data, tmp_path):
    experiment = Experiment("x", loss="softmax", occlusion="none", epochs=12, batch_size=16, stn_lr_factor=0.1)
    trainee = Trainee(experiment, Member(0, 0), data, 7, tmp_path / "checkpoint.pt")
    fit(trainee, lambda: None)
    history = trainee.history
    assert [row["epoch"] for row in history] == list(range(1, 13))
    assert history[-1]["loss"] < 0.5 * history[0]["loss"]
    assert 0.8 < history[-1]["train_accuracy"] <= 1
    assert trainee.network.resnet.bn1.num_batches_tracked == 12 * 5, "training mode gathers every batch's statistics"
    looked = [row["epoch"] for row in history if not np.isnan(row["test_accuracy"])]
    assert looked == [5, 10, 12]


def test_resumed_equals_uninterrupted_to_the_bit(data, tmp_path, monkeypatch):
    # Joint loss and the two-layer head: with it triplets, classes, occlusions and dropout are all drawn.
    monkeypatch.setattr(training, "LOOK_EVERY", 1)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    experiment = Experiment("x", loss="joint", epochs=3, batch_size=24, head_layers=2)

    class Killed(Exception):
        pass

    def kill():
        raise Killed

    whole = Trainee(experiment, Member(1, 0), data, 7, tmp_path / "whole.pt")
    fit(whole, lambda: None)
    with pytest.raises(Killed):
        fit(Trainee(experiment, Member(1, 0), data, 7, tmp_path / "killed.pt"), kill)
    assert epochs_done(tmp_path / "killed.pt") == 1
    resumed = Trainee(experiment, Member(1, 0), data, 7, tmp_path / "killed.pt")
    fit(resumed, lambda: None)
    np.testing.assert_equal(resumed.history, whole.history)
    weights = zip(whole.network.parameters(), resumed.network.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)


@pytest.mark.parametrize(
    ("changed", "fingerprint", "said"),
    [
        ({"lr": 0.01}, "abc", r"lr is 0\.001 there, 0\.01 here"),
        ({}, "xyz", "data_fingerprint is 'abc' there, 'xyz' here"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(data, tmp_path, changed, fingerprint, said):
    experiment, file = Experiment("x", loss="softmax", epochs=1, batch_size=35), tmp_path / "c.pt"
    fit(Trainee(experiment, Member(0, 0), data, 7, file, "abc"), lambda: None)
    assert Trainee(replace(experiment, seeds=2), Member(0, 0), data, 7, file, "abc").finished
    with pytest.raises(ValueError, match=rf"c.pt is of other parameters or data \({said}\); delete it"):
        Trainee(replace(experiment, **changed), Member(0, 0), data, 7, file, fingerprint)


def test_a_checkpoint_of_a_gpu_goes_on_on_a_cpu(data, tmp_path):
    experiment = Experiment("x", loss="softmax", epochs=2, batch_size=24)
    begun, file = Trainee(experiment, Member(0, 0), data, 7, tmp_path / "begun.pt"), tmp_path / "begun.pt"
    begun.end_epoch([begun.step(batch) for batch in draw_epoch(experiment, begun.member, 1, data.train_labels)], 1.0)
    state = {"network": begun.network.state_dict(), "optimiser": copy.deepcopy(begun.optimiser.state_dict())}
    for moments in state["optimiser"]["state"].values():
        for name in ("exp_avg", "exp_avg_sq"):
            if moments[name].dim() == 4:
                moments[name] = moments[name].to(memory_format=torch.channels_last)
    for group in state["optimiser"]["param_groups"]:
        group |= {"capturable": True, "lr": torch.tensor(0.5)}
    training.save({**state, "history": begun.history, "seconds": 1.0, "start_sha256": None}, file)
    resumed = Trainee(experiment, Member(0, 0), data, 7, file)
    assert [(group["lr"], group["capturable"]) for group in resumed.optimiser.param_groups] == [(0.001, False)] * 2
    fit(resumed, lambda: None)
    whole = Trainee(experiment, Member(0, 0), data, 7, tmp_path / "whole.pt")
    fit(whole, lambda: None)
    weights = zip(whole.network.parameters(), resumed.network.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)


def test_a_loss_that_is_no_number_stops_the_training(data, tmp_path):
    broken = Data(torch.full_like(data.train_images, torch.nan), data.train_labels, data.test_images, data.test_labels)
    experiment = Experiment("x", loss="softmax", occlusion="none")
    with pytest.raises(ValueError, match=r"x, seed0-fold0: the loss is nan in epoch 1; lower lr"):
        fit(Trainee(experiment, Member(0, 0), broken, 7, tmp_path / "c.pt"), lambda: None)


def test_batches_without_an_active_triplet_end_at_the_same_bits(data, tmp_path, monkeypatch):
    """With two triplets a batch some have no active one: without their backward pass the weights are the same."""
    experiment = Experiment("x", margin=0.0001, batch_size=2, epochs=1)
    solved = []

    def watched(trainee, loss):
        solved.append(is_solved(trainee, loss))
        return solved[-1]

    is_solved = Trainee._is_solved
    weights = []
    for name, decide in (("skipped", watched), ("whole", lambda trainee, loss: False)):
        monkeypatch.setattr(Trainee, "_is_solved", decide)
        trainee = Trainee(experiment, Member(0, 0), data, 7, tmp_path / f"{name}.pt")
        fit(trainee, lambda: None)
        weights.append(trainee.network.state_dict())
    assert 0 < sum(solved) < len(solved)
    assert all(torch.equal(a, b) for a, b in zip(*(w.values() for w in weights), strict=True))
