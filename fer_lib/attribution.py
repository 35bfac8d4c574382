"""Attribution maps: which patches of a face a prediction rests on, by three methods, and how faithful the maps are.

A map is (12, 12): one value per patch of 4 x 4 pixels of the input image (the benchmark's grid), high where the patch
is evidence for the predicted class. Two methods are implemented here; the third is the benchmark's sliding square.
"""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, grid_sample, normalize

from fer_lib.datasets import synthetic
from fer_lib.evaluation import EVALUATION_BATCH, embed, evaluating
from fer_lib.faces import SIZE, Faces
from fer_lib.network import Network
from fer_lib.occlusion_benchmark import (
    GRID,
    PATCH,
    OcclusionBenchmark,
    cover_patches,
    in_patches,
    mean_grey,
    part_of_face,
)
from fer_lib.probabilities import Predict
from fer_lib.stn import warp
from fer_lib.training import Trainee, to_float

METHODS = ("integrated gradients", "Grad-CAM", "sliding square")
CONTROLS = ("contrast", "random")
"""Maps that ignore the network: how much a patch differs from the face's mean grey, and random numbers."""

STEPS = 8
"""Points between the grey baseline and the face at which integrated gradients evaluates the gradient."""

SHARES = (0.05, 0.1, 0.25, 0.5)
"""Shares of patches removed in the deletion test."""

VISIBLE = 0.024
"""Change in grey value (0 to 1) above which a drawn pixel belongs to an expression: three times the camera noise."""

Score = Callable[[torch.Tensor], torch.Tensor]
"""Images (N, 1, 48, 48) -> differentiable score of each class (N, K)."""


def class_score(network: nn.Module, centres: torch.Tensor | None = None, normalised: bool = False) -> Score:
    """The class scores of a network in evaluation mode, minus their mean over the classes.

    Without centres: the logits. With centres (K, D), each class's mean training embedding: the negative squared
    distances to them. Pure triplet training needs centres, since it has no logits and its k-nearest-neighbour
    classifier has no gradient.
    """

    def score(images: torch.Tensor) -> torch.Tensor:
        points = network(images)[0]
        if centres is not None:
            points = normalize(points) if normalised else points
            points = -(points[:, None] - centres).square().sum(dim=2)
        return points - points.mean(dim=1, keepdim=True)

    return score


def integrated_gradients(score: Score, images, baseline, classes, steps: int = STEPS) -> torch.Tensor:
    """Integrated gradients (N, 1, 48, 48) of the score of `classes` (N,), along the line from baseline to image.

    Sundararajan et al. 2017, by the midpoint rule: the attributions sum to the score of the image minus that of the
    baseline, up to the rule's error.
    """
    total = torch.zeros_like(images)
    for k in range(steps):
        point = (baseline + (k + 0.5) / steps * (images - baseline)).requires_grad_()
        total += torch.autograd.grad(_of(score(point), classes), point)[0]
    return (images - baseline) * total / steps


def grad_cam(score: Score, layer: nn.Module, images, classes) -> torch.Tensor:
    """Grad-CAM of a layer, (N, h, w): its feature maps weighted by their mean gradients (Selvaraju et al. 2017).

    Without the final ReLU, so that patches with evidence against the class are ranked too.
    """
    seen = []
    hook = layer.register_forward_hook(lambda module, given, output: seen.append(output))
    own = _of(score(images), classes)
    hook.remove()
    weights = torch.autograd.grad(own, seen[0])[0].mean(dim=(2, 3), keepdim=True)
    return (weights * seen[0]).sum(dim=1).detach()


def _of(scores: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    return scores.gather(1, classes[:, None]).sum()


def on_the_face(maps: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """Map (N, h, h) in the transformer's output coordinates back to the input images, (N, 1, 48, 48).

    Pixels outside the view are 0.
    """
    back = torch.linalg.pinv(theta[:, :, :2])
    inverse = torch.cat([back, -back @ theta[:, :, 2:]], dim=2)
    return warp(in_pixels(maps), inverse)


def in_pixels(maps: torch.Tensor) -> torch.Tensor:
    """Upsample the maps (N, h, h) of a stage to (N, 1, 48, 48), placing each cell at the pixel it is centred on.

    Every strided layer of the ResNet starts at the first pixel, so after n halvings cell k is centred on pixel 2^n k:
    of the last stage's two cells per side the first is centred on the edge of the image, the second on pixel 32.
    """
    cells = maps.shape[-1]
    stride = 2 ** math.ceil(math.log2(SIZE / cells))
    place = 2 * torch.arange(SIZE, device=maps.device, dtype=maps.dtype) / stride / max(cells - 1, 1) - 1
    grid = torch.stack(torch.meshgrid(place, place, indexing="xy"), dim=-1).expand(len(maps), SIZE, SIZE, 2)
    return grid_sample(maps[:, None], grid, padding_mode="border", align_corners=True)


def network_maps(network: Network, score: Score, images: torch.Tensor, classes: torch.Tensor) -> dict[str, np.ndarray]:
    """Maps (N, 12, 12) by the first two of `METHODS`, for images (N, 1, 48, 48) and `classes` (N,).

    Integrated gradients start from the face's mean grey and pass through the transformer as well; they sum to the
    gain in score. Grad-CAM uses the last stage, where it is defined, whose map is 2 x 2.
    """
    parts = {name: [] for name in METHODS[:2]}
    with evaluating(network):
        for own, named in zip(images.split(EVALUATION_BATCH), classes.split(EVALUATION_BATCH), strict=True):
            grey = own.mean(dim=(2, 3), keepdim=True).expand_as(own)
            pixels = integrated_gradients(score, own, grey, named)
            with torch.no_grad():
                theta = network(own)[1]
            cams = grad_cam(score, network.resnet.layer4, own, named)
            on_face = on_the_face(cams[: len(own)], theta)
            if network.input_path == "dual":
                on_face = on_face + on_the_face(cams[len(own) :], torch.eye(2, 3, device=own.device).expand_as(theta))
            for name, found in zip(parts, (pixels, on_face), strict=True):
                parts[name].append(PATCH**2 * avg_pool2d(found, PATCH)[:, 0])
    return {name: torch.cat(found).cpu().numpy().astype(np.float64) for name, found in parts.items()}


def contrast(images: np.ndarray) -> np.ndarray:
    """Mean absolute difference (N, 12, 12) of each patch from its face's mean grey; images: uint8 (N, 48, 48)."""
    return in_patches(np.abs(images - images.mean(axis=(1, 2), keepdims=True)))


def delete(predict: Predict, images: np.ndarray, priority: np.ndarray) -> dict[str, np.ndarray]:
    """Removed share, "5%" to "50%" -> predicted classes after removing the patches of highest priority (N, 12, 12).

    images: uint8 (N, 48, 48). Removed patches show the face's mean grey, as in the occlusion benchmark.
    """
    grey = mean_grey(images)
    covered = {f"{share:.0%}": np.where(cover_patches(priority, share), grey, images) for share in SHARES}
    return {share: predict(faces).argmax(axis=1) for share, faces in covered.items()}


def measure(
    trained: Trainee, data: Faces, test: np.ndarray, benchmark: OcclusionBenchmark, predict: Predict, drops: np.ndarray
) -> dict[str, pd.DataFrame]:
    """A trained member's rows for `attribution.csv.gz`, `deletion.csv.gz` and `regions.csv.gz`, on its test frames.

    test: indices of the test frames in data, whose faces are those of the benchmark.
    drops: maps (M, 12, 12) of the benchmark's sliding square for these frames.

    Attribution: per method and predicted class the mean map, each frame's scaled to an absolute sum of 1, and the
    number of frames. Deletion: per frame, map and order the class predicted for each removed share. Regions: per frame
    and map, the share of positive attribution inside a region, and the region's share of the image; eyes and mouth
    are the benchmark's, the region of an expression is known for synthetic faces only.
    """
    images = data.images[test]
    predicted = predict(images).argmax(axis=1)
    tensors = to_float(images, trained.data.test_images.device)
    classes = torch.from_numpy(predicted).to(tensors.device)
    score = class_score(trained.network, _centres(trained), trained.experiment.normalise)
    maps = network_maps(trained.network, score, tensors, classes)
    maps[METHODS[2]] = drops
    chance = np.random.default_rng([0, GRID]).random((len(data), GRID, GRID))[test]
    controls = dict(zip(CONTROLS, (contrast(images), chance), strict=True))
    tested = data.frames.loc[test, ["frame_id", "subject"]].assign(label=data.labels[test], prediction=predicted)
    orders = [(name, "most", by) for name, by in {**maps, **controls}.items()]
    orders += [(name, "least", -by) for name, by in maps.items()]
    deleted = [tested.assign(map=name, first=order, **delete(predict, images, by)) for name, order, by in orders]
    known = regions(data, test, benchmark)
    return {
        "attribution.csv.gz": mean_maps(maps, predicted, data.classes),
        "deletion.csv.gz": pd.concat(deleted),
        "regions.csv.gz": _in_regions({**maps, "contrast": controls["contrast"]}, tested, known),
    }


def _centres(trained: Trainee) -> torch.Tensor | None:
    if trained.experiment.loss != "triplet":
        return None
    frames = trained.data
    points = torch.from_numpy(embed(trained.network, frames.train_images, trained.experiment.normalise))
    labels = frames.train_labels.cpu()
    return torch.stack([points[labels == k].mean(dim=0) for k in labels.unique()]).to(frames.train_images.device)


def mean_maps(maps: dict[str, np.ndarray], predicted: np.ndarray, classes: tuple[str, ...]) -> pd.DataFrame:
    """One row per method and predicted class: map, emotion, frames and the mean map's patches to five decimals."""
    rows = []
    for name, found in maps.items():
        size = np.abs(found).sum(axis=(1, 2), keepdims=True)
        scaled = np.divide(found, size, out=np.zeros_like(found), where=size > 0)
        for k in np.unique(predicted):
            own = scaled[predicted == k]
            rows.append([name, classes[k], len(own), *own.mean(axis=0).ravel().round(5)])
    patches = [f"{row} {column}" for row in range(GRID) for column in range(GRID)]
    return pd.DataFrame(rows, columns=["map", "emotion", "frames", *patches])


def regions(data: Faces, test: np.ndarray, benchmark: OcclusionBenchmark) -> dict[str, np.ndarray]:
    """Region -> share of each patch that lies in it, (N, 12, 12), for the test frames."""
    found = {
        kind: part_of_face(kind, benchmark.landmarks)[None].repeat(len(test), axis=0) for kind in ("eyes", "mouth")
    }
    if data.name == "synthetic":
        found["expression"] = synthetic.expression_changes(data.frames["frame_id"].iloc[test]) > VISIBLE
    return {name: in_patches(masks.astype(np.float64)) for name, masks in found.items()}


def _in_regions(maps: dict[str, np.ndarray], tested: pd.DataFrame, places: dict[str, np.ndarray]) -> pd.DataFrame:
    tables = []
    for name, found in maps.items():
        speaking = np.maximum(found, 0)
        total = speaking.sum(axis=(1, 2))
        for region, share in places.items():
            within = (speaking * share).sum(axis=(1, 2))
            inside = np.divide(within, total, out=np.full(len(total), np.nan), where=total > 0)
            about = {"inside": inside.round(4), "area": share.mean(axis=(1, 2)).round(4)}
            tables.append(tested.assign(map=name, region=region, **about))
    return pd.concat(tables)
