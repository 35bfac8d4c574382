"""The strong recipe: what the study adds to the paper's training to see how far the small network gets without leaking.

Adam decays the weights and its rate rises and falls once; the labels are smoothed; every training face is mirrored,
turned, scaled, shifted and given another gamma; the network standardises each face. The constants were set by hand
after four trainings on inner folds 0 and 1 of CK+, so folds 4 to 9 of `subject` had no part in them.
"""

import math

import numpy as np
import torch

from fer_lib.faces import SIZE
from fer_lib.stn import warp

WEIGHT_DECAY = 0.05
LABEL_SMOOTHING = 0.1

ROTATION = 10.0
"""Degrees either way, uniform."""
SCALE = 1.1
"""Up to so many times as large or as small, log-uniform."""
SHIFT = 3.0
"""Pixels either way, uniform."""
GAMMA = 1.5
"""Exponent up to this or its inverse, log-uniform; brightness and contrast would be undone by standardising."""

RISE = 0.3
"""Share of the epochs in which the learning rate rises (one-cycle, Smith and Topin 2019)."""
LOWEST = 0.04
"""Learning rate at the beginning, as a share of the highest; it falls to nothing."""


def rate(epoch: int, epochs: int) -> float:
    """Learning rate of an epoch, from 1 on, as a share of the highest: half a cosine up, half a cosine down."""
    place = (epoch - 0.5) / epochs
    if place < RISE:
        return LOWEST + (1 - LOWEST) * (1 - math.cos(math.pi * place / RISE)) / 2
    return (1 + math.cos(math.pi * (place - RISE) / (1 - RISE))) / 2


def draw_augmentation(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Views float32 (n, 2, 3), as the transformer's theta, and gammas float32 (n,)."""
    angle = np.radians(rng.uniform(-ROTATION, ROTATION, n))
    scale = np.exp(rng.uniform(-np.log(SCALE), np.log(SCALE), n))
    mirror = rng.choice([-1.0, 1.0], n)
    shift = rng.uniform(-SHIFT, SHIFT, (n, 2)) * 2 / SIZE
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    view = np.stack([mirror * cos, -sin, shift[:, 0], mirror * sin, cos, shift[:, 1]], axis=1)
    gamma = np.exp(rng.uniform(-np.log(GAMMA), np.log(GAMMA), n))
    return view.reshape(n, 2, 3).astype(np.float32), gamma.astype(np.float32)


def augment(images: torch.Tensor, view: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
    """Images (N, 1, 48, 48) in [0, 1] seen through `view` (N, 2, 3) and raised to `gamma` (N,).

    Where a view reaches beyond the image it shows the image's edge.
    """
    seen = warp(images, view.to(images.dtype), "border").clamp(0, 1)
    return seen ** gamma.to(images.dtype)[:, None, None, None]


def standardise(images: torch.Tensor) -> torch.Tensor:
    """Each image (N, 1, 48, 48) with mean 0 and standard deviation 1; one without contrast becomes 0."""
    centred = images - images.mean(dim=(1, 2, 3), keepdim=True)
    return centred / centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt().clamp(min=1e-3)
