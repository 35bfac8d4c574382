"""Convolutions as matrix products, for processors on which PyTorch's own are slow on small maps.

Without AVX-512, oneDNN takes two to three times as long as the matrix product that does the same arithmetic on maps of
two or three pixels, and on the single channel of the first layer.
"""

import torch
from torch import nn
from torch.nn.functional import linear, pad

from fer_lib import machine
from fer_lib.network import Network


class ProductConv2d(nn.Conv2d):
    """A square `nn.Conv2d` without bias, dilation or groups, as one matrix product: (N, C, H, W) -> (N, O, h, w)."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """As `nn.Conv2d`, up to the order of summation."""
        (size, _), (stride, _), (margin, _) = self.kernel_size, self.stride, self.padding
        padded = pad(images, (margin, margin, margin, margin))
        windows = padded.unfold(2, size, stride).unfold(3, size, stride)  # (N, C, h, w, size, size)
        n, _, height, width, *_ = windows.shape
        rows = windows.permute(0, 2, 3, 1, 4, 5).reshape(n * height * width, -1)
        return linear(rows, self.weight.flatten(1)).view(n, height, width, -1).permute(0, 3, 1, 2)


def fit_to_cpu(network: Network) -> None:
    """Where the CPU has no AVX-512, let the network's first and last stage convolve by matrix products.

    The stages between are faster as they are. Weights and results stay the same, up to the order of summation.
    """
    if machine.has_avx512():
        return
    for module in (network.resnet.conv1, *network.resnet.layer4.modules()):
        if isinstance(module, nn.Conv2d):
            module.__class__ = ProductConv2d
