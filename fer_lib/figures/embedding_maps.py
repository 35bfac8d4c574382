"""2-D maps of an experiment's embeddings: stored with its results, for UMAP's digits differ between machines."""

import hashlib
import warnings
from functools import partial

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from fer_lib import results
from fer_lib.experiments import Experiment
from fer_lib.findings.embedding_scores import dimensions

FILE = "maps.csv.gz"
UMAP_SEEDS = (0, 1, 2)
UMAP_SETTINGS = {"n_neighbors": 15, "min_dist": 0.8, "metric": "euclidean"}
PERPLEXITY = 30

UMAP_WORDS = (
    f"UMAP on Euclidean distances, {UMAP_SETTINGS['n_neighbors']} neighbours, min_dist {UMAP_SETTINGS['min_dist']}"
)
SETTINGS = f"{UMAP_WORDS}; t-SNE with perplexity {PERPLEXITY}, initialised by PCA; PCA."
"""How the maps are made, in words."""


def first_member(experiment: Experiment) -> pd.DataFrame:
    """The rows of `embeddings.csv.gz` of the first member that has some, test frames first. Empty if there is none."""
    table = results.read(experiment, "embeddings.csv.gz")
    if table.empty:
        return table
    own = (table["seed"] == table["seed"].iloc[0]) & (table["fold"] == table["fold"].iloc[0])
    return table[own].reset_index(drop=True)


def maps(experiment: Experiment) -> pd.DataFrame:
    """The maps of the first member's frames: stored ones, or new ones where none fit its embeddings, stored then.

    Columns fingerprint (of embeddings and settings), frame_id, method (UMAP, t-SNE, PCA), map_seed, x, y; x and y to
    four decimals, without a unit. Raises ValueError if the experiment has no embeddings.
    """
    frames = first_member(experiment)
    if frames.empty:
        raise ValueError(f"{results.folder(experiment)} has no embeddings; train {experiment.experiment} with 01_train")
    fingerprint = _fingerprint(frames)
    stored = results.read(experiment, FILE)
    if len(stored) and (stored["fingerprint"] == fingerprint).all():
        return stored
    points = frames[dimensions(frames)].to_numpy(float)
    makers = [("UMAP", seed, partial(umap_map, seed=seed)) for seed in UMAP_SEEDS]
    makers += [("t-SNE", 0, tsne_map), ("PCA", 0, pca_map)]
    tables, in_one_place = [], (np.ptp(points, axis=0) == 0).all()
    for method, seed, make in makers:
        places = np.zeros((len(points), 2)) if in_one_place else make(points)
        x, y = places.astype(np.float64).round(4).T
        about = {"fingerprint": fingerprint, "frame_id": frames["frame_id"], "method": method, "map_seed": seed}
        tables.append(pd.DataFrame({**about, "x": x, "y": y}))
    results.write_csv(results.folder(experiment) / FILE, pd.concat(tables))
    return results.read(experiment, FILE)


def located(experiment: Experiment, method: str = "UMAP", map_seed: int = 0) -> pd.DataFrame:
    """One map: frame_id, subject, label, emotion (the label's name), tested, prediction, x, y.

    A training frame's prediction is -1: only test frames were classified.
    """
    frames = first_member(experiment)
    found = maps(experiment)
    found = found[(found["method"] == method) & (found["map_seed"] == map_seed)]
    predictions = results.read(experiment, "predictions.csv.gz")
    member = ["seed", "fold", "frame_id"]
    frames = frames.merge(predictions[[*member, "prediction"]], on=member, how="left")
    frames["prediction"] = frames["prediction"].where(frames["tested"]).fillna(-1).astype(int)
    frames["emotion"] = np.array(results.class_names(experiment))[frames["label"]]
    columns = ["frame_id", "subject", "label", "emotion", "tested", "prediction"]
    return frames[columns].merge(found[["frame_id", "x", "y"]], on="frame_id", validate="one_to_one")


def every_map(experiment: Experiment) -> pd.DataFrame:
    """The frames of `located` with x and y in each of the stored maps: columns "UMAP 0 x", "UMAP 0 y" and so on."""
    frames = located(experiment).drop(columns=["x", "y"]).set_index("frame_id")
    for (method, seed), found in maps(experiment).groupby(["method", "map_seed"], sort=False):
        places = found.set_index("frame_id")[["x", "y"]]
        frames = frames.join(places.rename(columns=lambda axis, name=f"{method} {seed}": f"{name} {axis}"))
    return frames.reset_index()


def umap_map(points: np.ndarray, seed: int) -> np.ndarray:
    """(N, D) -> (N, 2) by UMAP (McInnes et al. 2018) on one core."""
    settings = {**UMAP_SETTINGS, "n_neighbors": min(UMAP_SETTINGS["n_neighbors"], len(points) - 1)}
    # What UMAP warns of would stand on the page of whoever makes the map, and on nobody else's.
    with warnings.catch_warnings(action="ignore"):
        from umap import UMAP  # half a minute to import, and only for a map that is not stored

        return UMAP(**settings, random_state=seed, n_jobs=1).fit_transform(points)


def tsne_map(points: np.ndarray) -> np.ndarray:
    """(N, D) -> (N, 2) by t-SNE (van der Maaten & Hinton 2008)."""
    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=0, n_jobs=1).fit_transform(points)


def pca_map(points: np.ndarray) -> np.ndarray:
    """(N, D) -> (N, 2) by the first two principal components."""
    return PCA(n_components=2, svd_solver="full").fit_transform(points)


def _fingerprint(frames: pd.DataFrame) -> str:
    """Of frames and embeddings to their stored six decimals, and of how maps are made."""
    digest = hashlib.sha256(repr((UMAP_SETTINGS, UMAP_SEEDS, PERPLEXITY)).encode())
    digest.update("\n".join(frames["frame_id"]).encode())
    millionths = (frames[dimensions(frames)].to_numpy(float) * 1e6).round()
    digest.update(np.ascontiguousarray(millionths, dtype="<i8"))
    return digest.hexdigest()[:16]
