"""PyTorch's own convolution is the oracle."""

import copy

import pytest
import torch
from torch import nn

from fer_lib import machine
from fer_lib.convolution import ProductConv2d, fit_to_cpu
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
    assert fitted.state_dict().keys() == network.state_dict().keys()
    images = torch.rand(3, 1, 48, 48).double()
    torch.testing.assert_close(fitted(images)[0], network(images)[0], rtol=1e-10, atol=1e-10)
