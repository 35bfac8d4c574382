"""Occlusion benchmark for any face classifier: many kinds of occlusion, each reproducible to the pixel.

    benchmark = OcclusionBenchmark(images)            # uint8 (N, 48, 48), a whole data set
    predictions = benchmark.predictions(predict)      # predict: uint8 (M, 48, 48) -> class probabilities (M, K)
    table = scores(predictions, labels, subjects)     # of occlusion_scores

What covers a face depends only on its index in the data set and the occlusion, so every model sees the same images.
Severity is the share of pixels covered.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
import torch
from PIL import Image, ImageDraw

from fer_lib.faces import SIZE
from fer_lib.landmarks import Landmarks, measure
from fer_lib.occlusion import draw_rectangles, rectangle_mask
from fer_lib.probabilities import Predict, checked, faces_for

FILLS = ("black", "mean", "noise", "texture", "face")
"""What covered pixels show: 0; the face's own mean grey; uniform noise; a weave of stripes; another face."""

PATCH = 4
"""Side in pixels of the patches that `patches` and `targeted` cover."""
GRID = SIZE // PATCH
"""Patches per side of a face: 12."""

WINDOW, STRIDE = 16, 8
"""Side and step in pixels of the grey square that slides over the face to find the parts the model relies on."""


@dataclass(frozen=True)
class Occlusion:
    """One way to cover a face. level: the side of a square in pixels, a nominal share of the face, or 0 if the kind has
    no levels."""

    kind: str
    fill: str
    level: float = 0

    def __str__(self) -> str:
        level = {0: ""}.get(self.level, f" {self.level:.0f} px" if self.kind == "square" else f" {self.level:.0%}")
        return f"{self.kind}{level}, {self.fill}"


CLEAN = Occlusion("none", "none")
PAPER = Occlusion("rectangle", "black")
"""The only occlusion in the paper's training."""

TARGETED = tuple(Occlusion("targeted", "mean", level) for level in (0.1, 0.25, 0.5))
"""Covers the patches that the tested model relies on most, so it differs from model to model."""

SUITE = (
    *(Occlusion("rectangle", fill) for fill in FILLS),
    *(Occlusion("square", fill, side) for side in (8, 16, 24) for fill in FILLS),
    *(Occlusion(kind, fill) for kind in ("eyes", "mouth", "upper", "lower", "left", "right") for fill in FILLS),
    *(Occlusion("patches", fill, share) for share in (0.1, 0.25, 0.4, 0.5) for fill in FILLS),
    *(Occlusion("salt and pepper", "black or white", share) for share in (0.1, 0.25, 0.5)),
    *TARGETED,
)
"""Every occlusion of the benchmark."""

WINDOWS = tuple(product(range(0, SIZE - WINDOW + 1, STRIDE), repeat=2))
"""Top left corners of the sliding square."""

Slid = tuple[np.ndarray, dict[str, np.ndarray]]
"""Result of `OcclusionBenchmark.slide`: drops per patch, and predicted classes by column name."""


class OcclusionBenchmark:
    """The occlusions of one data set: images uint8 (N, 48, 48).

    Where a method takes rows, they are indices of faces in the set, a slice or bool (N,) (default: all); it raises
    ValueError for others. Raises ValueError unless the images have this form, or are a list of such faces, and are at
    least two, so that one face can cover another.
    """

    def __init__(self, images: np.ndarray):
        self.images = faces_for("the benchmark", images, least=2)
        self.landmarks = measure(self.images)

    def occluded(self, occlusion: Occlusion, rows=slice(None), drops=None) -> tuple[np.ndarray, np.ndarray]:
        """Occluded faces uint8 (M, 48, 48) and their masks bool (M, 48, 48).

        drops: of `slide` (M, 12, 12); `TARGETED` covers the patches where they are largest, and needs them.
        """
        rows, targeted = as_rows(rows), occlusion.kind == "targeted" and drops is not None
        masks = cover_patches(drops, occlusion.level) if targeted else self.masks(occlusion)[rows]
        return np.where(masks, self._fill(occlusion.fill, rows), self.images[rows]), masks

    def masks(self, occlusion: Occlusion) -> np.ndarray:
        """Masks of the occlusion for every face of the set, bool (N, 48, 48). Raises ValueError for an unknown kind."""
        count, kind = len(self.images), occlusion.kind
        if kind in ("none", "eyes", "mouth", "upper", "lower", "left", "right"):
            return np.broadcast_to(part_of_face(kind, self.landmarks), (count, SIZE, SIZE))
        if kind == "rectangle":
            return rectangle_mask(torch.from_numpy(paper_boxes(count))).numpy()
        rng = self._rng(kind, float(occlusion.level))
        if kind == "square":
            place = rng.integers(0, SIZE - int(occlusion.level) + 1, (count, 2))
            boxes = np.concatenate([place, np.full((count, 2), int(occlusion.level))], axis=1)
            return rectangle_mask(torch.from_numpy(boxes)).numpy()
        if kind == "patches":
            return cover_patches(rng.random((count, GRID, GRID)), occlusion.level)
        if kind == "salt and pepper":
            return _highest(rng.random((count, SIZE, SIZE)), round(occlusion.level * SIZE**2))
        if kind == "targeted":
            raise ValueError(
                f"what {str(occlusion)!r} covers depends on the model: give `occluded` the drops of `slide`"
            )
        raise ValueError(f"no mask of kind {kind!r}; known: {', '.join(dict.fromkeys(one.kind for one in SUITE))}")

    def predictions(self, predict: Predict, rows=slice(None), slid: Slid | None = None) -> pd.DataFrame:
        """Predicted class of each face, one column for `CLEAN`, each of `SUITE` and each of `WINDOWS`.

        slid: the result of `slide` for these faces, if already computed. Raises ValueError as `probabilities.checked`.
        """
        ask = checked(predict)
        drops, predicted = slid or self._slide(ask, rows)
        columns = {str(CLEAN): predicted[str(CLEAN)]}
        for occlusion in SUITE:
            faces, _ = self.occluded(occlusion, rows, drops)
            columns[str(occlusion)] = ask(faces, str(occlusion)).argmax(axis=1)
        return pd.DataFrame({**columns, **predicted})

    def accuracies(self, predictions: pd.DataFrame, labels: np.ndarray, rows=slice(None)) -> pd.DataFrame:
        """One row for each of `CLEAN` and `SUITE`: kind, level, fill, severity (mean covered share), n, accuracy.

        predictions: result of `predictions` for the faces `rows`; labels: their true classes (M,).
        """
        table = []
        for occlusion in (CLEAN, *SUITE):
            row = {"kind": occlusion.kind, "level": occlusion.level, "fill": occlusion.fill}
            right = predictions[str(occlusion)].to_numpy() == labels
            row |= {"severity": self.severity(occlusion, rows), "n": len(labels), "accuracy": float(right.mean())}
            table.append(row)
        return pd.DataFrame(table)

    def severity(self, occlusion: Occlusion, rows=slice(None)) -> float:
        """Mean share of pixels covered."""
        if occlusion.kind == "targeted":
            return float(cover_patches(np.zeros((1, GRID, GRID)), occlusion.level).mean())
        return float(self.masks(occlusion)[as_rows(rows)].mean())

    def slide(self, predict: Predict, rows=slice(None)) -> Slid:
        """Slide the grey square; returns the mean drop in confidence per patch (M, 12, 12), and the predicted classes.

        The classes (M,) are keyed by `CLEAN` for the clean faces and by `window_name` for each position of the square.
        Raises ValueError as `predictions`.
        """
        return self._slide(checked(predict), rows)

    def _slide(self, ask: Callable[..., np.ndarray], rows) -> Slid:
        """As `slide`; ask: of `probabilities.checked`."""
        rows = as_rows(rows)
        faces, grey = self.images[rows], self._fill("mean", rows)[:, 0, 0]
        clean = ask(faces.copy())  # of a copy, for a slice of rows is a view of the set
        predicted = {str(CLEAN): clean.argmax(axis=1)}
        chosen = np.arange(len(clean)), predicted[str(CLEAN)]
        sure = clean[chosen]  # now, for the model may return the same array each time
        drops, counts = np.zeros((len(clean), SIZE, SIZE)), np.zeros((SIZE, SIZE))
        for top, left in WINDOWS:
            here = np.s_[top : top + WINDOW, left : left + WINDOW]
            covered = faces.copy()
            covered[:, *here] = grey[:, None, None]
            probabilities = ask(covered, window_name(top, left))
            predicted[window_name(top, left)] = probabilities.argmax(axis=1)
            drops[:, *here] += (sure - probabilities[chosen])[:, None, None]
            counts[here] += 1
        return in_patches(drops / counts), predicted

    def _fill(self, fill: str, rows) -> np.ndarray:
        """The covering pixels, uint8 (M, 48, 48). Raises ValueError for an unknown fill."""
        count, rng = len(self.images), self._rng("fill", fill)
        shape = (count, SIZE, SIZE)
        if fill in ("black", "none"):
            filled = np.zeros(shape, np.uint8)
        elif fill == "mean":
            filled = np.broadcast_to(mean_grey(self.images), shape)
        elif fill == "noise":
            filled = rng.integers(0, 256, shape, dtype=np.uint8)
        elif fill == "texture":
            filled = weave(rng, count)
        elif fill == "face":
            filled = self.images[(np.arange(count) + rng.integers(1, count, count)) % count]
        elif fill == "black or white":
            filled = rng.integers(0, 2, shape, dtype=np.uint8) * 255
        else:
            raise ValueError(f"unknown fill {fill!r}; known: {', '.join(FILLS)}")
        return filled[rows]

    def _rng(self, *names) -> np.random.Generator:
        return np.random.default_rng([0, *(zlib.crc32(str(name).encode()) for name in names)])


def as_rows(rows) -> slice | np.ndarray:
    """rows as a slice or an array of integers or bools; raises ValueError if they are neither."""
    if isinstance(rows, slice):
        return rows
    array = np.asarray(rows) if np.size(rows) else np.empty(0, int)
    if array.ndim != 1 or array.dtype.kind not in "biu":
        raise ValueError(f"rows are {rows!r}; give a slice, or a list or 1-D array of integers or bools")
    return array


def paper_boxes(count: int) -> np.ndarray:
    """The rectangles (N, 4) of `PAPER` for a data set of `count` faces: top, left, height, width in pixels."""
    return draw_rectangles(np.random.default_rng(0), count)


def part_of_face(kind: str, found: Landmarks) -> np.ndarray:
    """Mask (48, 48) of one half of the image, of sunglasses over the eyes or of a medical mask over the mouth."""
    mask, first, second = np.zeros((SIZE, SIZE), bool), slice(SIZE // 2), slice(SIZE // 2, None)
    span, reach = found.right_eye - found.left_eye, found.mouth_row - found.eye_row
    if kind == "eyes":
        rows = np.clip([found.eye_row - 0.25 * span, found.eye_row + 0.25 * span + 1], 0, SIZE).astype(int)
        columns = np.clip([found.left_eye - 0.45 * span, found.right_eye + 0.45 * span + 1], 0, SIZE).astype(int)
        mask[slice(*rows), slice(*columns)] = True
    elif kind == "mouth":
        centre = (found.left_eye + found.right_eye) / 2
        # Over the nose, down the cheeks, round the chin: (down in eye-to-mouth distances, aside in eye distances).
        outline = [
            (0.4, 0.0), (0.65, 0.85), (1.15, 0.75), (1.45, 0.35), (1.45, -0.35), (1.15, -0.75), (0.65, -0.85),
        ]  # fmt: skip
        corners = [(found.eye_row + down * reach, centre + aside * span) for down, aside in outline]
        drawn = Image.new("1", (SIZE, SIZE))
        ImageDraw.Draw(drawn).polygon([(column, row) for row, column in corners], fill=1)
        mask = np.array(drawn)
    elif kind != "none":
        halves = {"upper": (first,), "lower": (second,), "left": (slice(None), first), "right": (slice(None), second)}
        mask[halves[kind]] = True
    return mask


def weave(rng: np.random.Generator, count: int) -> np.ndarray:
    """Textures uint8 (N, 48, 48) of two crossing stripe patterns of random direction and width; integer arithmetic."""
    y, x = np.mgrid[:SIZE, :SIZE]
    total = np.zeros((count, SIZE, SIZE), np.int64)
    for _ in range(2):
        down, right = rng.integers(1, 4, (2, count, 1, 1)) * rng.choice([-1, 1], (2, count, 1, 1))
        period = rng.integers(6, 18, (count, 1, 1))
        place = (down * y + right * x) % period
        total += 255 * np.minimum(place, period - place) // (period // 2)
    return (total // 2).astype(np.uint8)


def mean_grey(images: np.ndarray) -> np.ndarray:
    """Each face's mean grey, rounded, uint8 (N, 1, 1); images: uint8 (N, 48, 48)."""
    return np.floor(images.mean(axis=(1, 2), keepdims=True) + 0.5).astype(np.uint8)


def in_patches(pixels: np.ndarray) -> np.ndarray:
    """Patch means (N, 12, 12) of (N, 48, 48)."""
    return pixels.reshape(-1, GRID, PATCH, GRID, PATCH).mean(axis=(2, 4))


def cover_patches(priority: np.ndarray, share: float) -> np.ndarray:
    """Mask (M, 48, 48) over the patches of highest priority (M, 12, 12); their number is the nearest to `share`."""
    chosen = _highest(priority, round(share * priority[0].size))
    return chosen.repeat(PATCH, axis=1).repeat(PATCH, axis=2)


def _highest(priority: np.ndarray, count: int) -> np.ndarray:
    """True at the `count` highest entries of each (M, H, W); ties go to the first."""
    order = np.argsort(-priority.reshape(len(priority), -1), axis=1, kind="stable")[:, :count]
    chosen = np.zeros((len(priority), priority[0].size), bool)
    np.put_along_axis(chosen, order, True, axis=1)
    return chosen.reshape(priority.shape)


def window_name(top: int, left: int) -> str:
    """Column of `OcclusionBenchmark.predictions` for the sliding square with this top left corner."""
    return f"window {top} {left}"
