"""Maps whose values one can work out: of a linear network, of a tiny convolution, of one that looks at one patch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from few_faces import few_faces
from torch import nn

from fer_lib import attribution
from fer_lib.attribution import SHARES
from fer_lib.experiments import Experiment, Member
from fer_lib.network import Network
from fer_lib.occlusion_benchmark import GRID, OcclusionBenchmark
from fer_lib.run import trainee
from fer_lib.splits import split
from fer_lib.stn import warp
from fer_lib.training import to_float


def random_images(count=3, seed=0):
    return torch.rand(count, 1, 48, 48, generator=torch.Generator().manual_seed(seed))


def test_integrated_gradients_of_a_linear_network_are_weight_times_difference():
    weight = torch.randn(3, 48 * 48, generator=torch.Generator().manual_seed(0))
    images, classes = random_images(), torch.tensor([2, 0, 1])
    baseline = torch.full_like(images, 0.3)
    found = attribution.integrated_gradients(lambda x: x.flatten(1) @ weight.T, images, baseline, classes, steps=3)
    torch.testing.assert_close(found, weight[classes].view(-1, 1, 48, 48) * (images - 0.3))


def test_integrated_gradients_of_a_square_are_exact_by_the_midpoint_rule():
    images, baseline = random_images(2), torch.zeros(2, 1, 48, 48)
    score = lambda x: x.square().flatten(1).sum(dim=1, keepdim=True)  # noqa: E731
    found = attribution.integrated_gradients(score, images, baseline, torch.zeros(2, dtype=torch.long), steps=1)
    torch.testing.assert_close(found, images.square())


@pytest.mark.parametrize("input_path", ["stn", "dual", "plain"])
def test_the_pixels_add_up_to_what_the_score_gains(input_path):
    torch.manual_seed(0)
    network = Network("resnet10", input_path).eval()
    if network.stn is not None:
        nn.init.normal_(network.stn.head[-1].weight, std=1e-3)
    images, classes = random_images(2), torch.tensor([4, 1])
    grey = images.mean(dim=(2, 3), keepdim=True).expand_as(images)
    score = attribution.class_score(network)
    found = attribution.integrated_gradients(score, images, grey, classes, steps=20).sum(dim=(1, 2, 3))
    with torch.no_grad():
        gained = (score(images) - score(grey)).gather(1, classes[:, None])[:, 0]
    torch.testing.assert_close(found, gained, rtol=0.05, atol=5e-3)
    patches = attribution.network_maps(network, score, images, classes)["integrated gradients"].sum(axis=(1, 2))
    np.testing.assert_allclose(patches, gained, rtol=0.2, atol=0.01)


def test_grad_cam_by_hand():
    """Two maps, the image and twice the image; class 1 takes 3 times the mean of the first less that of the second."""
    layer = nn.Conv2d(1, 2, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, 2.0]).view(2, 1, 1, 1))
    weights = torch.tensor([[0.0, 0.0], [3.0, -1.0]])
    images = torch.tensor([[[[1.0, 0.0], [0.0, 4.0]]]])
    found = attribution.grad_cam(lambda x: layer(x).mean(dim=(2, 3)) @ weights.T, layer, images, torch.tensor([1]))
    # The gradient of a mean over four pixels is a quarter of its weight: (3 x - 2 x) / 4.
    torch.testing.assert_close(found, images[:, 0] / 4)
    assert not layer._forward_hooks


def test_scores_are_centred_and_after_triplets_the_distances_to_the_centres():
    def network(images):
        return images.flatten(1)[:, :2], None

    images = torch.zeros(1, 1, 48, 48)
    images[0, 0, 0, :2] = torch.tensor([3.0, 4.0])
    assert attribution.class_score(network)(images).tolist() == [[-0.5, 0.5]]
    centres = torch.tensor([[0.0, 0.0], [3.0, 1.0]])
    assert attribution.class_score(network, centres)(images).tolist() == [[-8, 8]]  # -25 and -9, less their mean -17
    at_one = attribution.class_score(network, centres[:1].repeat(2, 1), normalised=True)(images)
    assert at_one.tolist() == [[0, 0]]


def test_what_the_transformer_moved_is_put_back():
    theta = torch.tensor([[[0.5, 0.0, 0.5], [0.0, 0.5, -0.5]]])  # twice as large, the upper right quarter
    image = torch.zeros(1, 1, 48, 48)
    image[..., 4:8, 36:40] = 1
    seen = warp(image, theta)
    assert seen[0, 0, 9:15, 25:31].min() == 1, "the patch is seen twice as large"
    back = attribution.on_the_face(seen[:, 0], theta)
    assert back[..., 5:7, 37:39].min() > 0.9
    assert back.sum() == pytest.approx(16, rel=0.15) and back[..., 24:, :].max() == 0
    lost = attribution.on_the_face(torch.ones(1, 2, 2), torch.zeros(1, 2, 3))
    assert lost.isfinite().all(), "a view without extent has no inverse"


def test_cells_lie_where_the_strides_put_them():
    """Five layers that halve, each handing on its middle pixel: cell k of the last is pixel 32 k of the image."""
    image = torch.rand(1, 1, 48, 48)
    seen = image
    for kernel in (7, 3, 3, 3, 3):
        layer = nn.Conv2d(1, 1, kernel, stride=2, padding=kernel // 2, bias=False)
        layer.weight = nn.Parameter(torch.zeros(1, 1, kernel, kernel))
        layer.weight.data[0, 0, kernel // 2, kernel // 2] = 1
        seen = layer(seen).detach()
    found = attribution.in_pixels(seen[0])
    torch.testing.assert_close(found[0, 0, ::32, ::32], image[0, 0, ::32, ::32])
    torch.testing.assert_close(found[0, 0, 16, 0], image[0, 0, [0, 32], 0].mean())
    torch.testing.assert_close(found[0, 0, 47, 47], image[0, 0, 32, 32])
    torch.testing.assert_close(attribution.in_pixels(image[:, 0]), image)


def test_deletion_of_what_the_model_looks_at():
    def looks_at_one_patch(images):
        bright = images[:, 20:24, 32:36].mean(axis=(1, 2)) > 200
        return np.stack([bright, ~bright], axis=1).astype(float)

    images = np.full((2, 48, 48), 40, np.uint8)
    images[:, 20:24, 32:36] = 255
    right = np.zeros((2, GRID, GRID))
    right[:, 5, 8] = 1
    assert {int(k) for own in attribution.delete(looks_at_one_patch, images, right).values() for k in own} == {1}
    assert {int(k) for own in attribution.delete(looks_at_one_patch, images, -right).values() for k in own} == {0}
    assert list(attribution.delete(looks_at_one_patch, images, right)) == [f"{share:.0%}" for share in SHARES]
    assert attribution.contrast(images)[0].argmax() == 5 * GRID + 8


@pytest.fixture(scope="module")
def data():
    return few_faces()


@pytest.mark.parametrize("loss", ["softmax", "triplet"])
def test_what_is_stored_of_a_member(data, tmp_path, loss):
    member = Member(0, 0)
    experiment = replace(Experiment("few", batch_size=32), loss=loss)
    untrained = trainee(experiment, tmp_path, member, data, "cpu")
    untrained.network.train()
    test = split(data, "random", 0).test
    benchmark = OcclusionBenchmark(data.images)
    drops = np.zeros((len(test), GRID, GRID))

    def predict(images):
        with torch.no_grad():
            return untrained.network.eval()(to_float(images, "cpu"))[0].softmax(dim=1).numpy()

    tables = attribution.measure(untrained, data, test, benchmark, predict, drops)
    deleted, regions, maps = (tables[f"{name}.csv.gz"] for name in ("deletion", "regions", "attribution"))
    assert deleted.groupby(["map", "first"]).size().to_dict() == dict.fromkeys(
        [(name, first) for name in attribution.METHODS for first in ("least", "most")]
        + [(name, "most") for name in attribution.CONTROLS],
        len(test),
    )
    predicted = predict(data.images[test]).argmax(axis=1)
    assert (deleted["prediction"].to_numpy().reshape(-1, len(test)) == predicted).all()
    assert set(regions["region"]) == {"eyes", "mouth", "expression"}
    assert regions["area"].between(0, 1).all() and regions.query("map == 'contrast'")["inside"].between(0, 1).all()
    assert regions.query("map == 'sliding square'")["inside"].isna().all(), "a map of zeros says nothing"
    gradients = maps[maps["map"] == "integrated gradients"]
    assert gradients["frames"].sum() == len(test)
    assert gradients.iloc[:, 3:].abs().sum(axis=1).max() <= 1 + 144 * 5e-6
    assert (maps.loc[maps["map"] == "sliding square"].iloc[:, 3:] == 0).all(axis=None)
