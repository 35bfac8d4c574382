"""The full network: a spatial transformer followed by a ResNet (Kim et al. 2022, Fig. 1)."""

import torch
from torch import nn

from fer_lib.recipe import standardise
from fer_lib.resnet import resnet
from fer_lib.stn import SpatialTransformer

INPUT_PATHS = ("stn", "dual", "plain")


class Network(nn.Module):
    """Images float (N, 1, 48, 48) in [0, 1] -> embedding (N, outputs) and theta (N, 2, 3).

    The embedding is the output of the fully connected layer: the logits with softmax loss, else the point in triplet
    space. `input_path` selects a reading of section 2.3, "passing the generated data and input data through the
    network":

    - `stn`: only the warped image enters the ResNet;
    - `dual`: the warped image and the input pass through the same ResNet, and their embeddings are averaged;
    - `plain`: no transformer; theta is the identity (an ablation).

    `standardised`: scale each image to mean 0 and standard deviation 1 first, so that the zeros which the transformer
    samples outside the image equal its mean grey.

    Raises ValueError for an unknown input path or backbone.
    """

    def __init__(self, backbone="resnet10", input_path="stn", head_layers=1, outputs=7, standardised=False):
        super().__init__()
        if input_path not in INPUT_PATHS:
            raise ValueError(f"unknown input path {input_path!r}; known: {', '.join(INPUT_PATHS)}")
        self.input_path, self.standardised = input_path, standardised
        self.resnet = resnet(backbone, outputs)
        self.stn = None if input_path == "plain" else SpatialTransformer(head_layers)

    def forward(self, images: torch.Tensor, kept: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Embedding (N, outputs) and theta (N, 2, 3); kept: dropout mask of the localisation network, None if off."""
        if self.standardised:
            images = standardise(images)
        if self.stn is None:
            return self.resnet(images), torch.eye(2, 3, device=images.device).expand(len(images), 2, 3)
        warped, theta = self.stn(images, kept)
        if self.input_path == "stn":
            return self.resnet(warped), theta
        seen, given = self.resnet(torch.cat([warped, images])).chunk(2)
        return (seen + given) / 2, theta


def parameter_count(network: nn.Module) -> int:
    """Number of trainable weights."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
