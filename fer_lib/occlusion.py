"""Occlusion in two steps, drawing and applying, so that a drawn occlusion can be replayed.

A box is (top, left, height, width) in pixels, int64; a box of height or width 0 covers nothing, and boxes may extend
beyond the image. Masks are bool (N, 48, 48), True where the face is covered.
"""

import numpy as np
import torch

from fer_lib.faces import SIZE

AREA = (0.02, 0.33)
RATIO = (0.3, 3.3)
ATTEMPTS = 10

MIXED_FILLS = ("black", "mean", "noise", "face")
"""Fills of mixed and heavy occlusion: 0, the face's mean grey, uniform noise, or another face's pixels."""
PIECES = 16
"""Maximum number of rectangles per face in mixed occlusion."""
COVERED = 0.5
"""Share of faces covered by mixed occlusion; the others stay clear."""

HEAVY_COVERED = 0.8
"""Share of faces covered by heavy occlusion."""
HEAVY_PIECES = (4, 16, 36)
HEAVY_AREA = 0.5
"""Possible numbers of scattered rectangles per face, and the largest share they may cover together."""
LOW = 0.3
"""Share of faces that get one wide rectangle over the lower face instead."""
LOW_AREA, LOW_RATIO = (0.3, 0.7), (0.3, 1.0)
"""Its area as a share of the face (uniform) and its ratio of height to width (log-uniform)."""
LOW_ROWS, LOW_COLUMNS = (SIZE // 2, SIZE), (SIZE // 4, SIZE - SIZE // 4)
"""Range of its centre in pixels: in the lower half, horizontally in the middle half."""


def draw_rectangles(rng: np.random.Generator, n: int) -> np.ndarray:
    """Boxes (n, 4) of random erasing (Zhong et al. 2020) with the author's settings, one per face.

    The covered area is uniform in 2-33 % of the face, the ratio of height to width log-uniform in 0.3-3.3. Up to 10
    rectangles are drawn until one fits; if none does, the face stays clear. The distribution is that of torchvision's
    RandomErasing.
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


def draw_mixed(rng: np.random.Generator, n: int) -> np.ndarray:
    """Boxes (n, PIECES, 4) of mixed occlusion: one rectangle as in `draw_rectangles`, or several smaller ones.

    A face is covered by 1, 4 or 16 rectangles, which may overlap, each with 1, 1/4 or 1/16 of the area.
    """
    boxes = draw_rectangles(rng, n * PIECES).reshape(n, PIECES, 4)
    pieces = rng.choice([1, 4, PIECES], n) * (rng.random(n) < COVERED)
    side = np.sqrt(np.maximum(pieces, 1))[:, None]
    small = np.ceil(boxes[..., 2:] / side[..., None]).astype(np.int64)
    corner = (rng.random((n, PIECES, 2)) * (SIZE - small + 1)).astype(np.int64)
    small[np.arange(PIECES) >= pieces[:, None]] = 0
    return np.concatenate([corner, small], axis=2)


def draw_heavy(rng: np.random.Generator, n: int) -> np.ndarray:
    """Boxes (n, 37, 4) of heavy occlusion: most faces are covered.

    Either several rectangles lie anywhere or one wide rectangle covers the lower face; both may reach past the edge.
    """
    pieces = rng.choice(HEAVY_PIECES, n)[:, None]
    area = rng.uniform(AREA[0], HEAVY_AREA, (n, max(HEAVY_PIECES))) / pieces
    scattered = _around(rng, area, RATIO, (0, SIZE), (0, SIZE))
    scattered[np.arange(area.shape[1]) >= pieces, 2:] = 0
    low = _around(rng, rng.uniform(*LOW_AREA, (n, 1)), LOW_RATIO, LOW_ROWS, LOW_COLUMNS)
    is_low, is_covered = rng.random((n, 1, 1)) < LOW, rng.random((n, 1, 1)) < HEAVY_COVERED
    boxes = np.concatenate([np.where(is_low, 0, scattered), np.where(is_low, low, 0)], axis=1)
    return np.where(is_covered, boxes, 0)


def draw_fills(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """What mixed and heavy occlusion show: indices into `MIXED_FILLS` (n,), and noise uint8 (n, 48, 48)."""
    return rng.integers(0, len(MIXED_FILLS), n), rng.integers(0, 256, (n, SIZE, SIZE), dtype=np.uint8)


DRAW = {"rectangle": draw_rectangles, "mixed": draw_mixed, "heavy": draw_heavy}
"""Occlusion of an experiment -> how its boxes are drawn."""


def _around(rng: np.random.Generator, area: np.ndarray, ratio, rows, columns) -> np.ndarray:
    """Boxes (n, k, 4) with areas (n, k), as shares of the face, and centres uniform in the ranges rows and columns."""
    stretch = np.sqrt(np.exp(rng.uniform(*np.log(ratio), area.shape)))
    side = SIZE * np.sqrt(area)
    height, width = np.ceil(side * stretch), np.ceil(side / stretch)
    top, left = rng.uniform(*rows, area.shape) - height / 2, rng.uniform(*columns, area.shape) - width / 2
    return np.stack([np.floor(top), np.floor(left), height, width], axis=-1).astype(np.int64)


def mixed_fill(images: torch.Tensor, fills: torch.Tensor, noise: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Fill for each of images (N, 1, 48, 48): fills (N,) are indices into `MIXED_FILLS`, noise is uint8 (N, 48, 48),
    others are the faces (N, 1, 48, 48) that cover."""
    kind = fills[:, None, None, None]
    black, mean = torch.zeros_like(images), images.mean(dim=(1, 2, 3), keepdim=True).expand_as(images)
    noise = noise[:, None].to(images.dtype) / 255
    return torch.where(kind == 0, black, torch.where(kind == 1, mean, torch.where(kind == 2, noise, others)))


def rectangle_mask(boxes: torch.Tensor) -> torch.Tensor:
    """Mask (N, 48, 48) of the pixels under any of the boxes (N, 4) or, several per face, (N, K, 4), on their device."""
    boxes = boxes if boxes.dim() == 3 else boxes[:, None]
    top, left, height, width = boxes[..., None].unbind(dim=2)  # each (N, K, 1)
    pixel = torch.arange(SIZE, device=boxes.device)
    rows = (pixel >= top) & (pixel < top + height)
    columns = (pixel >= left) & (pixel < left + width)
    return rows.float().transpose(1, 2) @ columns.float() > 0  # counts the boxes over each pixel in one product


def apply_mask(images: torch.Tensor, mask: torch.Tensor, fill: torch.Tensor | float = 0.0) -> torch.Tensor:
    """Replace images (N, 1, 48, 48) under mask (N, 48, 48) by `fill`: a grey value in [0, 1], or images."""
    return torch.where(mask[:, None], fill, images)
