"""ResNet-18 and its cut to 10 layers, both from torchvision's parts, for one-channel images."""

from torch import nn
from torchvision.models.resnet import BasicBlock, ResNet

BLOCKS = {"resnet10": [1, 1, 1, 1], "resnet18": [2, 2, 2, 2], "resnet10-unpooled": [1, 1, 1, 1]}
"""Residual blocks per stage. The cut one gives the sizes of Table 1 of Kim et al. 2022: 24, 12, 6, 3, 2 pixels.

Unpooled: without the max pool, so that the stages see 24, 12, 6 and 3 pixels with as many weights.
"""


def resnet(name: str, outputs: int) -> ResNet:
    """The ResNet `name` of `BLOCKS` (He et al. 2016) with `outputs` outputs: (N, 1, 48, 48) -> (N, outputs).

    Raises ValueError for an unknown name.
    """
    if name not in BLOCKS:
        raise ValueError(f"unknown backbone {name!r}; known: {', '.join(BLOCKS)}")
    network = ResNet(BasicBlock, BLOCKS[name], num_classes=outputs)
    network.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
    # torchvision initialises its own three-channel conv1 so.
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    if name.endswith("unpooled"):
        network.maxpool = nn.Identity()
    return network
