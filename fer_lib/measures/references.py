"""References with little or no learning: they show what the split alone leaks, and any network should beat them.

No setting of theirs was tuned on these data.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from skimage.feature import hog
from sklearn.metrics import accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from fer_lib import paths, results
from fer_lib.evaluation import macro_f1
from fer_lib.faces import Faces
from fer_lib.splits import Split, draws, served
from fer_lib.stats import cluster_interval, mean_interval
from fer_lib.words.rounding import intervals, percent

SEEDS = 10
"""Splits of the protocols `random` and `sequence`: those of the trained experiments' first seeds."""


METHODS = ("majority class", "1-NN on pixels", "HOG + linear SVM")


def predict(method: str, faces: Faces, features: np.ndarray, parts: Split) -> np.ndarray:
    """The classes that one of `METHODS` predicts for the test frames; features: `hog_features` of all frames."""
    return learned(method, faces, features, parts.train)(faces.images[parts.test], features[parts.test])


def learned(
    method: str, faces: Faces, features: np.ndarray, train: np.ndarray
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """One of `METHODS` fitted to the training frames: a function from images and their features to classes.

    The most frequent class; that of the nearest training frame in raw pixels; a linear SVM (C = 1) on `hog_features`.
    """
    labels = faces.labels[train]
    if method == "majority class":
        return lambda images, features: np.full(len(images), np.bincount(labels).argmax())
    if method == "1-NN on pixels":
        nearest = KNeighborsClassifier(1).fit(_pixels(faces.images[train]), labels)
        return lambda images, features: nearest.predict(_pixels(images))
    machine = LinearSVC(random_state=0).fit(features[train], labels)
    return lambda images, features: machine.predict(features)


def _pixels(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1).astype(np.float32)


def hog_features(images: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients (Dalal and Triggs 2005) of images (N, 48, 48): (N, 800).

    8 orientations, cells of 8x8 pixels, blocks of 2x2 cells.
    """
    return np.array([hog(image, orientations=8, pixels_per_cell=(8, 8), cells_per_block=(2, 2)) for image in images])


def predict_all(faces: Faces) -> pd.DataFrame:
    """Predictions of every reference on every split.

    One row per protocol, method, seed, fold and test frame: with frame_id, subject, label, prediction.
    """
    rows, features = [], hog_features(faces.images)
    for protocol in served(faces):
        for seed, fold, parts in draws(faces, protocol, SEEDS):
            frames = faces.frames.loc[parts.test, ["frame_id", "subject"]].assign(label=faces.labels[parts.test])
            frames = frames.assign(protocol=protocol, seed=seed, fold=fold)
            rows += [frames.assign(method=m, prediction=predict(m, faces, features, parts)) for m in METHODS]
    columns = ["protocol", "method", "seed", "fold", "frame_id", "subject", "label", "prediction"]
    return pd.concat(rows)[columns].reset_index(drop=True)


def summary(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row per protocol and method: mean, ci_low, ci_high, n (splits), macro_f1 (`evaluation.macro_f1`).

    As for the trained networks: under `subject` pooled with subjects resampled, else over the splits.
    """
    rows = []
    for (protocol, method), own in predictions.groupby(["protocol", "method"], sort=False):
        by_split = own.groupby(["seed", "fold"])
        accuracies = [accuracy_score(one["label"], one["prediction"]) for _, one in by_split]
        mean, low, high = cluster_interval(own) if protocol == "subject" else mean_interval(accuracies)
        row = {"protocol": protocol, "method": method, "mean": mean, "ci_low": low, "ci_high": high}
        rows.append({**row, "n": len(accuracies), "macro_f1": macro_f1(own)})
    return pd.DataFrame(rows)


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`summary` in percent, rounded for display."""
    ends = intervals(table["ci_low"], table["ci_high"])
    shares = {"accuracy": table["mean"].map(percent), "95 % interval": ends, "n": table["n"]}
    return table[["protocol", "method"]].assign(**shares, **{"macro F1": table["macro_f1"].map(percent)})


def in_words(table: pd.DataFrame) -> str:
    """`summary` in a sentence, without the majority class."""
    said = []
    for method, own in table[table["method"] != METHODS[0]].groupby("method", sort=False):
        shares = [f"{percent(row.mean)} % ({row.protocol})" for row in own.itertuples()]
        said.append(f"{method} {', '.join(shares)}")
    return f"References without a network, on the same splits: {'; '.join(said)}."


@threadpool_limits.wrap(limits=1)  # so that the bits do not depend on how many threads there are
def store(faces: Faces) -> pd.DataFrame:
    """Predict, and write `references.csv` (the summary) and `reference_predictions.csv.gz`; returns the summary."""
    predictions = predict_all(faces)
    folder = paths.RESULTS / faces.name
    results.write_csv(folder / "reference_predictions.csv.gz", predictions)
    table = summary(predictions)
    results.write_csv(folder / "references.csv", table)
    return table
