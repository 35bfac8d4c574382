"""Layers that a CPU computes faster than PyTorch's own: convolutions as matrix products, max pooling by channels.

Without AVX-512, oneDNN takes two to three times as long as the equivalent matrix product on maps of two or three
pixels and on the single input channel of the first layer. PyTorch's max pooling is vectorised for channels-last images
only; on others it took a twentieth of a training step and a fifth of an evaluation.
"""

import torch
from torch import nn
from torch.nn.functional import linear, max_pool2d, pad

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


class ChannelsMaxPool2d(nn.MaxPool2d):
    """`nn.MaxPool2d` that finds the maxima channels-last: (N, C, H, W) -> (N, C, h, w)."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Same as `nn.MaxPool2d` to the last bit, gradients included."""
        by_channels = images.detach().contiguous(memory_format=torch.channels_last)
        _, places = max_pool2d(by_channels, self.kernel_size, self.stride, self.padding, return_indices=True)
        return images.flatten(2).gather(2, places.flatten(2)).view(places.shape)


def fit_to_cpu(network: Network) -> None:
    """Make the network pool by channels, and without AVX-512 its first and last stage convolve by matrix products.

    The stages in between are faster unchanged. Weights and results stay the same, up to the order of summation.
    """
    for module in network.modules():
        if isinstance(module, nn.MaxPool2d):
            module.__class__ = ChannelsMaxPool2d
    if machine.has_avx512():
        return
    for module in (network.resnet.conv1, *network.resnet.layer4.modules()):
        if isinstance(module, nn.Conv2d):
            module.__class__ = ProductConv2d
