"""The strong recipe: modern training, to see how far the small network gets without leakage.

AdamW with a one-cycle learning rate, label smoothing, augmentation (mirroring, rotation, scaling, shift, gamma) and
standardised faces. The constants were set by hand after four trainings on inner folds 0 and 1 of CK+, so folds 4 to 9
of `subject` did not influence them.
"""

import math

import numpy as np
import torch

from fer_lib.faces import SIZE
from fer_lib.stn import warp

WEIGHT_DECAY = 0.05
LABEL_SMOOTHING = 0.1

ROTATION = 10.0
"""Maximum rotation in degrees, either way, uniform."""
SCALE = 1.1
"""Maximum factor of enlargement or reduction, log-uniform."""
SHIFT = 3.0
"""Maximum shift in pixels, either way, uniform."""
GAMMA = 1.5
"""Exponent between this and its inverse, log-uniform; standardising would undo changes of brightness or contrast."""

RISE = 0.3
"""Share of epochs with rising learning rate (one-cycle, Smith and Topin 2019)."""
LOWEST = 0.04
"""Initial learning rate as a share of the highest; it falls to zero."""


def rate(epoch: int, epochs: int) -> float:
    """Learning rate of an epoch (counted from 1) as a share of the highest: half a cosine up, half a cosine down."""
    place = (epoch - 0.5) / epochs
    if place < RISE:
        return LOWEST + (1 - LOWEST) * (1 - math.cos(math.pi * place / RISE)) / 2
    return (1 + math.cos(math.pi * (place - RISE) / (1 - RISE))) / 2


def draw_augmentation(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw views float32 (n, 2, 3), in the form of the transformer's theta, and gammas float32 (n,)."""
    angle = np.radians(rng.uniform(-ROTATION, ROTATION, n))
    scale = np.exp(rng.uniform(-np.log(SCALE), np.log(SCALE), n))
    mirror = rng.choice([-1.0, 1.0], n)
    shift = rng.uniform(-SHIFT, SHIFT, (n, 2)) * 2 / SIZE
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    view = np.stack([mirror * cos, -sin, shift[:, 0], mirror * sin, cos, shift[:, 1]], axis=1)
    gamma = np.exp(rng.uniform(-np.log(GAMMA), np.log(GAMMA), n))
    return view.reshape(n, 2, 3).astype(np.float32), gamma.astype(np.float32)


def augment(images: torch.Tensor, view: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
    """Images (N, 1, 48, 48) in [0, 1] warped by `view` (N, 2, 3) and raised to the power `gamma` (N,).

    Outside the image a view repeats the edge pixels.
    """
    seen = warp(images, view.to(images.dtype), "border").clamp(0, 1)
    return seen ** gamma.to(images.dtype)[:, None, None, None]


def standardise(images: torch.Tensor) -> torch.Tensor:
    """Scale each image (N, 1, 48, 48) to mean 0 and standard deviation 1; images without contrast become 0."""
    centred = images - images.mean(dim=(1, 2, 3), keepdim=True)
    return centred / centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=1e-3)
