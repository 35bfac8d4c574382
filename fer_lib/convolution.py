"""Convolutions as matrix products, for processors on which PyTorch's are slow on small feature maps.

Without AVX-512, oneDNN takes two to three times as long as the equivalent matrix product on maps of two or three
pixels and on the single input channel of the first layer.
"""

import torch
from torch import nn
from torch.nn.functional import linear, pad

from fer_lib import machine
from fer_lib.network import Network


class ProductConv2d(nn.Conv2d):
    """A square `nn.Conv2d` without bias, dilation or groups, as one matrix product: (N, C, H, W) -> (N, O, h, w)."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Same as `nn.Conv2d`, up to the order of summation."""
        (size, _), (stride, _), (margin, _) = self.kernel_size, self.stride, self.padding
        padded = pad(images, (margin, margin, margin, margin))
        windows = padded.unfold(2, size, stride).unfold(3, size, stride)  # (N, C, h, w, size, size)
        n, _, height, width, *_ = windows.shape
        rows = windows.permute(0, 2, 3, 1, 4, 5).reshape(n * height * width, -1)
        return linear(rows, self.weight.flatten(1)).view(n, height, width, -1).permute(0, 3, 1, 2)


def fit_to_cpu(network: Network) -> None:
    """On a CPU without AVX-512, make the network's first and last stage convolve by matrix products.

    The stages in between are faster unchanged. Weights and results stay the same, up to the order of summation.
    """
    if machine.has_avx512():
        return
    for module in (network.resnet.conv1, *network.resnet.layer4.modules()):
        if isinstance(module, nn.Conv2d):
            module.__class__ = ProductConv2d
