"""Embeddings, class probabilities and scores of a trained network. Test frames are never used for selection."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, recall_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from torch import nn
from torch.nn.functional import interpolate, normalize, softmax
from torchvision.transforms.v2.functional import ten_crop

from fer_lib.experiments import Experiment
from fer_lib.stn import DROPOUT, FEATURES

EVALUATION_BATCH = 256

CROP = 44
"""Side of the crops in `over_crops`: as usual for FER2013, 4 pixels less than the face's."""


def classifier(name: str, seed: int):
    """The scikit-learn classifier to fit on training embeddings after triplet training.

    `knn` votes among the 5 nearest neighbours; `boosted-trees` is what the author's code uses; `logistic` is linear.
    """
    return {
        "knn": KNeighborsClassifier(n_neighbors=5),
        "boosted-trees": HistGradientBoostingClassifier(random_state=seed),
        "logistic": LogisticRegression(max_iter=1000),
    }[name]


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put the network in evaluation mode, and back into its own mode afterwards, also after an error."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


def embed(network: nn.Module, images: torch.Tensor, normalise: bool = False, kept=None) -> np.ndarray:
    """Embeddings float32 (N, D) of images (N, 1, 48, 48), in evaluation mode.

    kept: dropout mask of the localisation head, bool (N, FEATURES); None, the normal case here, turns dropout off.
    """
    batches = images.split(EVALUATION_BATCH)
    dropouts = kept.split(EVALUATION_BATCH) if kept is not None else [None] * len(batches)
    with evaluating(network), torch.inference_mode():
        parts = [network(batch, own)[0] for batch, own in zip(batches, dropouts, strict=True)]
    embeddings = torch.cat(parts).float()
    return (normalize(embeddings) if normalise else embeddings).cpu().numpy()


def views(network: nn.Module, images: torch.Tensor) -> np.ndarray:
    """The transformer's theta float32 (N, 2, 3) for images (N, 1, 48, 48), in evaluation mode."""
    with evaluating(network), torch.inference_mode():
        thetas = [network(batch)[1] for batch in images.split(EVALUATION_BATCH)]
    return torch.cat(thetas).cpu().numpy()


class Predictor:
    """Predicts class probabilities with a trained network.

    With `softmax` and `joint` loss: the softmax of the embedding. With pure `triplet` loss: the output of the
    experiment's classifier, fitted on the clean training frames.
    """

    def __init__(self, network: nn.Module, experiment: Experiment, seed: int, images, labels):
        self.network, self.normalise = network, experiment.normalise
        self.fitted = None
        if experiment.loss == "triplet":
            self.fitted = classifier(experiment.classifier, seed)
            self.fitted.fit(embed(network, images, self.normalise), labels.cpu().numpy())

    def __call__(self, images: torch.Tensor, kept: torch.Tensor | None = None) -> np.ndarray:
        """Images (N, 1, 48, 48) -> probabilities float64 (N, classes); kept: as in `embed`."""
        if self.fitted is None:
            return softmax(torch.from_numpy(embed(self.network, images, kept=kept)).double(), dim=1).numpy()
        return self.fitted.predict_proba(embed(self.network, images, self.normalise, kept)).astype(np.float64)


def over_crops(predict: Predictor, images: torch.Tensor) -> np.ndarray:
    """Mean probabilities float64 (N, classes) over ten views of images (N, 1, 48, 48), scaled back to their size.

    The views are the four corners and the centre, each as it is and mirrored (Krizhevsky et al. 2012).
    """
    size = images.shape[-2:]
    crops = (interpolate(crop, size, mode="bilinear") for crop in ten_crop(images, [CROP, CROP]))
    return np.mean([predict(crop) for crop in crops], axis=0)


def self_agreement(predict: Predictor, images: torch.Tensor, labels: np.ndarray, seed: int) -> dict[str, float]:
    """Share of images on which two forward passes with the localisation head's dropout agree, and the first's accuracy.

    The first author's public code (commit 99ff0bf) leaves this dropout on at evaluation and compares the predictions of
    two forward passes with each other; it never reads the test labels. Here everything else is in evaluation mode and
    the classifier is fitted on training embeddings without dropout. images (N, 1, 48, 48), labels (N,); the network
    must have a two-layer head.
    """
    drawn = np.random.default_rng(seed).random((2, len(images), FEATURES)) >= DROPOUT
    first, second = (predict(images, kept).argmax(axis=1) for kept in torch.from_numpy(drawn).to(images.device))
    return {"self_agreement": float((first == second).mean()), "dropout_accuracy": accuracy_score(labels, first)}


def scores(labels: np.ndarray, predictions: np.ndarray) -> dict[str, float]:
    """Accuracy, macro F1 and balanced accuracy, the latter two over the classes that have a test frame."""
    present = np.unique(labels)
    return {
        "accuracy": accuracy_score(labels, predictions),
        "macro_f1": _macro_f1(labels, predictions),
        "balanced_accuracy": recall_score(labels, predictions, labels=present, average="macro"),
    }


def macro_f1(predictions: pd.DataFrame) -> float:
    """Mean over seeds of the macro F1, each computed over all test frames of a seed.

    Of seeds that have not been tested on the same number of folds, those on the most.
    """
    seeds = predictions.groupby("seed")
    folds = seeds["fold"].nunique()
    most = [seeds.get_group(seed) for seed in folds.index[folds == folds.max()]]
    return float(np.mean([_macro_f1(one["label"], one["prediction"]) for one in most]))


def _macro_f1(labels, predictions) -> float:
    return f1_score(labels, predictions, labels=np.unique(labels), average="macro", zero_division=0)


def nearest_pixels(images: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Index of the training image nearest to each test image in raw pixels: a classifier that learns nothing."""
    pixels = images.reshape(len(images), -1).astype(np.float32)
    nearest = NearestNeighbors(n_neighbors=1).fit(pixels[train])
    return train[nearest.kneighbors(pixels[test], return_distance=False)[:, 0]]
