"""Spatial transformer: predict an affine view of the face, then sample it (Jaderberg et al. 2015).

Conventions: images are (N, 1, 48, 48); theta is (N, 2, 3) and maps output to input coordinates, both x first and in
[-1, 1] from border to border (`align_corners=False`, as in the author's code); points outside the image are sampled
as 0 (black).
"""

import torch
import torch.nn.functional as F
from torch import nn

from fer_lib.faces import SIZE

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)

FEATURES = 10 * 8 * 8
"""Number of features from the convolutions of the localisation network."""

DROPOUT = 0.5
"""Dropout rate of the two-layer head in training, as in the author's code."""


class SpatialTransformer(nn.Module):
    """Localisation network, sampling grid and sampler (Kim et al. 2022, section 2.1 and Fig. 2).

    In the paper: two convolutions, each with max pooling and ReLU, and one fully connected layer to theta. Kernel sizes
    and widths are from the author's public code, which also has a second fully connected layer and a dropout of 0.5:
    `head_layers=2`. The dropout mask is drawn with the batch and passed in, so that it can be replayed; without a mask
    dropout is off. (In the author's code it stays on at evaluation.) Theta starts as the identity, so training starts
    from the unchanged face.

    Raises ValueError unless `head_layers` is 1 or 2.
    """

    def __init__(self, head_layers: int = 1):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, kernel_size=7),  # 48 -> 42
            nn.MaxPool2d(2),  # 21
            nn.ReLU(),
            nn.Conv2d(8, 10, kernel_size=5),  # 17
            nn.MaxPool2d(2),  # 8
            nn.ReLU(),
            nn.Flatten(),
        )
        if head_layers == 1:
            self.head = nn.Sequential(nn.Linear(FEATURES, 6))
        elif head_layers == 2:
            self.head = nn.Sequential(nn.Linear(FEATURES, 32), nn.ReLU(), nn.Linear(32, 6))
        else:
            raise ValueError(f"head_layers is {head_layers}; the localisation head has 1 layer or 2")
        nn.init.zeros_(self.head[-1].weight)
        with torch.no_grad():
            self.head[-1].bias.copy_(torch.tensor(IDENTITY))

    def forward(self, images: torch.Tensor, kept: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Warped images (N, 1, 48, 48) and theta (N, 2, 3); kept: dropout mask, bool (N, FEATURES)."""
        features = self.features(images)
        if kept is not None:
            features = features * kept / (1 - DROPOUT)
        theta = self.head(features).view(-1, 2, 3)
        return warp(images, theta), theta


def warp(images: torch.Tensor, theta: torch.Tensor, beyond: str = "zeros") -> torch.Tensor:
    """Sample images (N, C, H, W) bilinearly on the grid of theta (N, 2, 3); beyond: padding, "zeros" or "border"."""
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode=beyond, align_corners=False)


def share_outside(theta: torch.Tensor) -> torch.Tensor:
    """Share of the sampling grid outside the image for each theta (N, 2, 3), shape (N,).

    0 for the identity, near 1 for a collapsed transformer.
    """
    grid = F.affine_grid(theta, [len(theta), 1, SIZE, SIZE], align_corners=False)
    return (grid.abs() > 1).any(dim=-1).float().mean(dim=(1, 2))
