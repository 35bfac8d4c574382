"""ResNet-18 and its version cut to 10 layers, built from torchvision's blocks, for one-channel images."""

from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

BLOCKS = {"resnet10": [1, 1, 1, 1], "resnet18": [2, 2, 2, 2], "resnet10-unpooled": [1, 1, 1, 1]}
"""Residual blocks per stage. `resnet10` gives the map sizes of Table 1 of Kim et al. 2022: 24, 12, 6, 3, 2 pixels.

`resnet10-unpooled` has no max pooling: its stages work on 24, 12, 6 and 3 pixels, with the same number of weights.
"""


def resnet(name: str, outputs: int) -> ResNet:
    """Build the ResNet `name` of `BLOCKS` (He et al. 2016): (N, 1, 48, 48) -> (N, outputs).

    Raises ValueError for an unknown name.
    """
    if name not in BLOCKS:
        raise ValueError(f"unknown backbone {name!r}; known: {', '.join(BLOCKS)}")
    network = ResNet(BasicBlock, BLOCKS[name], num_classes=outputs)
    network.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    # Initialised as torchvision does its own three-channel conv1.
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    if name.endswith("unpooled"):
        network.maxpool = nn.Identity()
    return network
