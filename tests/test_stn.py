import math

import pytest
import torch
from torchvision.transforms.v2.functional import affine

from fer_lib.stn import FEATURES, IDENTITY, SpatialTransformer, share_outside, warp


def theta(*entries):
    return torch.tensor([entries], dtype=torch.float32).view(1, 2, 3)


@pytest.mark.parametrize(("head_layers", "parameters"), [(1, 6256), (2, 23120)])
def test_starts_as_the_identity(head_layers, parameters):
    torch.manual_seed(0)
    transformer = SpatialTransformer(head_layers)
    # 1*8*49+8 + 8*10*25+10 = 2410, and 640*6+6 = 3846 or 640*32+32 + 32*6+6 = 20710
    assert sum(p.numel() for p in transformer.parameters()) == parameters
    images = torch.rand(3, 1, 48, 48)
    warped, found = transformer(images)
    torch.testing.assert_close(warped, images)
    torch.testing.assert_close(found, theta(*IDENTITY).expand(3, 2, 3))


def test_two_convolutions_each_with_pooling_and_relu():
    names = [type(layer).__name__ for layer in SpatialTransformer().features]
    assert names == ["Conv2d", "MaxPool2d", "ReLU"] * 2 + ["Flatten"]


def test_head_of_three_layers_is_refused():
    with pytest.raises(ValueError, match="head_layers is 3"):
        SpatialTransformer(3)


def test_dropout_only_where_it_is_passed():
    torch.manual_seed(0)
    transformer = SpatialTransformer(2).eval()
    torch.nn.init.normal_(transformer.head[-1].weight)
    images = torch.rand(2, 1, 48, 48)
    assert torch.equal(transformer(images)[1], transformer(images)[1])
    some = torch.arange(2 * FEATURES).view(2, FEATURES) % 2 == 0
    features = transformer.features(images)
    expected = transformer.head(torch.where(some, 2 * features, 0)).view(2, 2, 3)
    torch.testing.assert_close(transformer(images, some)[1], expected)


def test_shift_moves_whole_pixels():
    image = torch.zeros(1, 1, 48, 48)
    image[0, 0, 10, 20] = 1.0
    # One pixel is 2/48; x first; theta says where to look, so looking 3 pixels to the right moves the dot to the left.
    moved = warp(image, theta(1, 0, 3 * 2 / 48, 0, 1, 0))
    assert moved[0, 0].argmax() == 10 * 48 + 17
    torch.testing.assert_close(moved.sum(), torch.tensor(1.0))


def test_rotation_agrees_with_torchvision():
    image = torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(0))
    angle = 20
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    expected = affine(image, angle, [0, 0], 1.0, [0.0, 0.0], interpolation=2)
    torch.testing.assert_close(warp(image, theta(c, s, 0, -s, c, 0)), expected, atol=1e-4, rtol=0)


def test_share_outside():
    assert share_outside(theta(*IDENTITY)).item() == 0
    assert share_outside(theta(1, 0, 1, 0, 1, 0)).item() == 0.5  # half a width to the right: half of the view is off
    assert share_outside(theta(2, 0, 0, 0, 2, 0)).item() == 0.75  # twice as wide and as high a view
    assert share_outside(theta(1, 0, 9, 0, 1, 0)).item() == 1
