"""PyTorch's own convolution is the oracle."""

import copy

import pytest
import torch
from torch import nn

from fer_lib import machine
from fer_lib.cpu_layers import ChannelsMaxPool2d, ProductConv2d, fit_to_cpu
from fer_lib.network import Network


@pytest.mark.parametrize(("size", "stride", "margin"), [(1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 2, 1), (7, 2, 3)])
def test_same_result_and_gradients_as_torch(size, stride, margin):
    torch.manual_seed(0)
    own = ProductConv2d(4, 5, size, stride, margin, bias=False).double()
    torchs = nn.Conv2d(4, 5, size, stride, margin, bias=False).double()
    torchs.load_state_dict(own.state_dict())
    outcomes = []
    for convolution in (own, torchs):
        images = torch.linspace(-1, 1, 2 * 4 * 9 * 7).double().sin().view(2, 4, 9, 7).requires_grad_()
        result = convolution(images)
        result.cos().sum().backward()
        outcomes.append((result, images.grad, convolution.weight.grad))
    for one, other in zip(*outcomes, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("size", "stride", "margin", "channels"), [(3, 2, 1, 64), (2, 2, 0, 8), (2, 2, 0, 10)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_same_bits_as_torchs_max_pooling(size, stride, margin, channels, layout):
    """Also where pixels tie, as under a black rectangle, and where windows share their maximum."""
    torch.manual_seed(0)
    images = torch.randn(3, channels, 17, 17).relu()
    images[:, :, 4:9, 2:11] = 0.3
    costs, outcomes = None, []
    for pooling in (ChannelsMaxPool2d(size, stride, margin), nn.MaxPool2d(size, stride, margin)):
        given = images.clone().to(memory_format=layout).requires_grad_()
        result = pooling(given)
        costs = torch.randn_like(result) if costs is None else costs
        (result * costs).sum().backward()
        outcomes.append((result, given.grad))
    for one, other in zip(*outcomes, strict=True):
        assert torch.equal(one, other)


def test_a_product_one_can_check_in_the_head():
    convolution = ProductConv2d(1, 1, 3, 1, 1, bias=False)
    nn.init.ones_(convolution.weight)
    assert convolution(torch.ones(1, 1, 2, 3)).tolist() == [[[[4, 6, 4], [4, 6, 4]]]]


@pytest.mark.parametrize("has_avx512", [False, True])
def test_the_fitted_network_stays_the_same(has_avx512, monkeypatch):
    monkeypatch.setattr(machine, "has_avx512", lambda: has_avx512)
    torch.manual_seed(0)
    network = Network().double().eval()
    fitted = copy.deepcopy(network)
    fit_to_cpu(fitted)
    assert isinstance(fitted.resnet.conv1, ProductConv2d) != has_avx512
    assert isinstance(fitted.resnet.maxpool, ChannelsMaxPool2d)
    assert fitted.state_dict().keys() == network.state_dict().keys()
    images = torch.rand(3, 1, 48, 48).double()
    torch.testing.assert_close(fitted(images)[0], network(images)[0], rtol=1e-10, atol=1e-10)
