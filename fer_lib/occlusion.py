"""Occlusion: drawing where to cover a face and covering it are two steps, so that a drawn occlusion can be replayed.

Boxes are int64 (N, 4): top, left, height, width in pixels; a box without height covers nothing. Masks are bool
(N, 48, 48), True where the face is covered.
"""

import numpy as np
import torch

from fer_lib.faces import SIZE

AREA = (0.02, 0.33)
RATIO = (0.3, 3.3)
ATTEMPTS = 10


def draw_rectangles(rng: np.random.Generator, n: int) -> np.ndarray:
    """Boxes (n, 4) of random erasing (Zhong et al. 2020) with the author's settings, one per face.

    The covered area is uniform in 2-33 % of the face, the ratio of height to width log-uniform in 0.3-3.3; a rectangle
    that does not fit is drawn again, at most 10 times, after which the face stays clear (as in torchvision's
    RandomErasing, which this follows draw by draw in distribution).
    """
    area = rng.uniform(*AREA, (n, ATTEMPTS)) * SIZE**2
    ratio = np.exp(rng.uniform(*np.log(RATIO), (n, ATTEMPTS)))
    height = np.round(np.sqrt(area * ratio)).astype(np.int64)
    width = np.round(np.sqrt(area / ratio)).astype(np.int64)
    place = rng.random((n, 2))
    fits = (height < SIZE) & (width < SIZE)
    first = fits.argmax(axis=1)
    rows = np.arange(n)
    height, width = height[rows, first], width[rows, first]
    top = (place[:, 0] * (SIZE - height + 1)).astype(np.int64)
    left = (place[:, 1] * (SIZE - width + 1)).astype(np.int64)
    return np.where(fits.any(axis=1)[:, None], np.stack([top, left, height, width], axis=1), 0)


def rectangle_mask(boxes: torch.Tensor) -> torch.Tensor:
    """Boxes (N, 4) -> mask (N, 48, 48), on the boxes' device."""
    top, left, height, width = boxes[:, :, None].unbind(dim=1)  # each (N, 1)
    pixel = torch.arange(SIZE, device=boxes.device)
    rows = (pixel >= top) & (pixel < top + height)
    columns = (pixel >= left) & (pixel < left + width)
    return rows[:, :, None] & columns[:, None, :]


def apply_mask(images: torch.Tensor, mask: torch.Tensor, fill: torch.Tensor | float = 0.0) -> torch.Tensor:
    """Images (N, 1, 48, 48) with `fill`, a grey value in [0, 1] or images to take it from, under mask (N, 48, 48)."""
    return torch.where(mask[:, None], fill, images)
