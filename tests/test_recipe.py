import math

import numpy as np
import pytest
import torch
from torchvision.transforms.functional import hflip

from fer_lib import recipe
from fer_lib.experiments import Experiment
from fer_lib.stn import SpatialTransformer
from fer_lib.training import losses, network_for, optimiser_for


def test_rate_rises_and_falls_once():
    rates = [recipe.rate(epoch, 50) for epoch in range(1, 51)]
    top = int(np.argmax(rates))
    assert top in (14, 15), "after three tenths of the epochs"
    assert (np.diff(rates[: top + 1]) > 0).all() and (np.diff(rates[top:]) < 0).all()
    assert rates[0] == pytest.approx(recipe.LOWEST, abs=0.01) and 0 < rates[-1] < 0.01 and 0.99 < max(rates) <= 1


def test_rate_in_the_middle_of_the_fall():
    assert recipe.rate(33, 50) == pytest.approx(0.5, abs=1e-9), "(32.5 / 50 - 0.3) / 0.7 = 1 / 2"


def test_views_turn_scale_shift_and_mirror_within_their_limits():
    view, gamma = recipe.draw_augmentation(np.random.default_rng(0), 4000)
    assert view.shape == (4000, 2, 3) and view.dtype == gamma.dtype == np.float32
    scale = np.sqrt(np.abs(np.linalg.det(view[:, :, :2])))
    assert scale.min() >= 1 / recipe.SCALE - 1e-5 and scale.max() <= recipe.SCALE + 1e-5
    assert np.log(scale).mean() == pytest.approx(0, abs=0.01)
    angle = np.degrees(np.arctan2(-view[:, 0, 1], view[:, 1, 1]))
    assert abs(angle).max() <= recipe.ROTATION + 1e-3 and abs(angle).max() > 0.95 * recipe.ROTATION
    assert abs(view[:, :, 2]).max() * 24 == pytest.approx(recipe.SHIFT, rel=0.02)
    assert (np.linalg.det(view[:, :, :2]) < 0).mean() == pytest.approx(0.5, abs=0.03), "half of them are mirrored"
    assert gamma.min() >= 1 / recipe.GAMMA - 1e-5 and gamma.max() <= recipe.GAMMA + 1e-5


def test_augment_mirrors_shifts_and_raises():
    images = torch.rand(3, 1, 48, 48)
    identity, mirror = [[1.0, 0, 0], [0, 1, 0]], [[-1.0, 0, 0], [0, 1, 0]]
    shift = [[1.0, 0, 2 / 48], [0, 1, 0]]  # the view moves a pixel to the right, its edge is repeated
    seen = recipe.augment(images, torch.tensor([identity, mirror, shift]), torch.tensor([2.0, 1.0, 1.0]))
    torch.testing.assert_close(seen[0], images[0] ** 2, atol=1e-4, rtol=0)
    torch.testing.assert_close(seen[1], hflip(images[1]), atol=1e-4, rtol=0)
    torch.testing.assert_close(seen[2, :, :, :-1], images[2, :, :, 1:], atol=1e-4, rtol=0)
    torch.testing.assert_close(seen[2, :, :, -1], images[2, :, :, -1], atol=1e-4, rtol=0)


def test_standardised_faces_forget_brightness_and_contrast():
    images = torch.rand(4, 1, 48, 48)
    seen = recipe.standardise(images)
    torch.testing.assert_close(seen.mean(dim=(1, 2, 3)), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(seen.std(dim=(1, 2, 3), correction=0), torch.ones(4))
    torch.testing.assert_close(recipe.standardise(0.3 * images + 0.2), seen, atol=1e-4, rtol=0)
    assert recipe.standardise(torch.full((1, 1, 48, 48), 0.4)).abs().max() < 1e-3


def test_only_the_backbone_decays():
    network = network_for(Experiment("x", recipe="strong", loss="softmax", stn_lr_factor=0.1), 7)
    assert network.standardised and isinstance(network.stn, SpatialTransformer)
    optimiser = optimiser_for(network, Experiment("x", recipe="strong", stn_lr_factor=0.1))
    groups = optimiser.param_groups
    assert [group["weight_decay"] for group in groups] == [recipe.WEIGHT_DECAY, 0]
    assert groups[1]["lr"] == pytest.approx(0.1 * groups[0]["lr"])
    before = network.resnet.fc.weight.detach().clone()
    for weight in network.parameters():
        weight.grad = torch.zeros_like(weight)
    optimiser.step()
    torch.testing.assert_close(network.resnet.fc.weight, (1 - groups[0]["lr"] * recipe.WEIGHT_DECAY) * before)
    paper = optimiser_for(network, Experiment("x")).param_groups
    assert all(group["weight_decay"] == 0 for group in paper)


def test_smoothed_loss_by_hand():
    embeddings, labels = torch.zeros(1, 7), torch.tensor([2])
    embeddings[0, 2] = math.log(2)
    # p = 2/8 for the true class, 1/8 for each other.
    plain, smooth = (
        losses(Experiment("x", loss="softmax", recipe=name), embeddings, labels)[0] for name in ("paper", "strong")
    )
    assert plain == pytest.approx(math.log(4))
    share = recipe.LABEL_SMOOTHING / 7
    assert smooth == pytest.approx((1 - 6 * share) * math.log(4) + 6 * share * math.log(8))
