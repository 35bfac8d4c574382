"""Twins: images that show the same picture, pixel by pixel or nearly so, and on which side of a split they lie."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from tqdm import tqdm

SIDE = 24
"""Pixels to which a side of an image is halved before two are compared.

At the same share of chance pairs this finds more twins than the 48 pixels as they are, at a quarter of the work.
"""

NEAR = 0.93
"""Similarity from which two images count as near twins: the lowest hundredth at which at most 1 % of the pairs found
are there by chance, as the mirrored images estimate it (`chance_share`)."""

KINDS = ("exact", "near")


def constant(images: np.ndarray) -> np.ndarray:
    """bool (N,): which of the images (N, H, W) are one grey value all over and show nothing."""
    return images.min(axis=(1, 2)) == images.max(axis=(1, 2))


def shrunk(images: np.ndarray) -> np.ndarray:
    """Images (N, 48, 48) as vectors float32 (N, 576) of length 1 around their mean; a constant image is all 0.

    The product of two is the correlation of their pixels, averaged two by two: brightness and contrast do not matter.
    """
    count, height, width = images.shape
    blocks = images.reshape(count, SIDE, height // SIDE, SIDE, width // SIDE)
    pixels = blocks.mean(axis=(2, 4), dtype=np.float32).reshape(count, -1)
    pixels -= pixels.mean(axis=1, keepdims=True)
    pixels[constant(images)] = 0
    length = np.linalg.norm(pixels, axis=1, keepdims=True)
    return pixels / np.where(length > 0, length, 1)


def search(images: np.ndarray, at_least: float, block: int = 1024) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare each image uint8 (N, 48, 48) with every other one, as it is and mirrored.

    Returns two tables. nearest, a row per image: neighbour, the index of the most similar other image, their similarity
    (correlation of `shrunk`), and mirrored, whether one of them is. pairs, a row for each two images whose similarity
    reaches `at_least`: first < second, similarity, mirrored, and identical, whether all their pixels are the same.
    Constant images have no neighbour (-1, NaN) and are in no pair.
    """
    count, nothing = len(images), constant(images)
    ways = {False: shrunk(images), True: shrunk(images[:, :, ::-1])}
    best = np.full(count, -np.inf, np.float32)
    neighbour, mirrored, found = np.full(count, -1), np.zeros(count, bool), []

    def keep(where: slice, similarity: np.ndarray, other: np.ndarray, is_mirrored: bool) -> None:
        better = np.flatnonzero(similarity > best[where]) + where.start
        best[better] = similarity[better - where.start]
        neighbour[better], mirrored[better] = other[better - where.start], is_mirrored

    for start in tqdm(range(0, count, block), desc="twins", unit="block", leave=False):
        stop = min(start + block, count)
        for is_mirrored, features in ways.items():
            # What lies left of the diagonal was seen by an earlier block.
            similarity = ways[False][start:stop] @ features[start:].T
            np.fill_diagonal(similarity, -np.inf)
            similarity[:, nothing[start:]] = similarity[nothing[start:stop]] = -np.inf
            keep(slice(start, stop), similarity.max(axis=1), similarity.argmax(axis=1) + start, is_mirrored)
            keep(slice(start, count), similarity.max(axis=0), similarity.argmax(axis=0) + start, is_mirrored)
            row, column = np.nonzero(similarity >= at_least)
            row, column = row[row < column], column[row < column]
            found.append(pd.DataFrame({"first": row + start, "second": column + start})
                         .assign(similarity=similarity[row, column].clip(max=1), mirrored=is_mirrored))  # fmt: skip
    best[neighbour < 0] = np.nan
    nearest = pd.DataFrame({"neighbour": neighbour, "similarity": best.clip(max=1), "mirrored": mirrored})
    # A symmetric face is also like its mirrored twin: the way round that fits better counts.
    pairs = pd.concat(found).sort_values("similarity", ascending=False, kind="stable")
    pairs = pairs.drop_duplicates(["first", "second"]).sort_values(["first", "second"], ignore_index=True)
    same = (images[pairs["first"]] == images[pairs["second"]]).all(axis=(1, 2))
    return nearest, pairs.assign(mirrored=pairs["mirrored"] & ~same, identical=same)


def of_kind(pairs: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The pairs that are twins: `exact`, or `near`, which the exact ones are too. A mirrored pair is neither."""
    upright = pairs[~pairs["mirrored"]]
    return upright[upright["identical"]] if kind == "exact" else upright[upright["similarity"] >= NEAR]


def chance_share(pairs: pd.DataFrame, thresholds: np.ndarray) -> pd.DataFrame:
    """How many of the pairs above each threshold are there by chance: similarity, pairs, mirrored, share.

    Two pictures of different faces are as likely to look alike mirrored as they are, and hardly any image has a
    mirrored copy. So the mirrored pairs number those that chance puts among the others; real mirrored copies make the
    estimate too high.
    """
    rows = []
    for threshold in thresholds:
        above = pairs[pairs["similarity"] >= threshold]
        mirrored = int(above["mirrored"].sum())
        upright = len(above) - mirrored
        rows.append((threshold, upright, mirrored, mirrored / upright if upright else np.nan))
    return pd.DataFrame(rows, columns=["similarity", "pairs", "mirrored", "share"])


def groups(pairs: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """Images that pairs connect, a row per group: images, usages and labels, how many of each it has.

    pairs: first and second, rows of images, which has usage and label.
    """
    ends, shape = (pairs["first"], pairs["second"]), (len(images), len(images))
    _, group = connected_components(coo_array((np.ones(len(pairs), bool), ends), shape=shape), directed=False)
    paired = np.union1d(*ends)
    named = {"images": ("label", "size"), "usages": ("usage", "nunique"), "labels": ("label", "nunique")}
    return images.iloc[paired].groupby(group[paired]).agg(**named).reset_index(drop=True)


def whose(pairs: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """What the twins of each image are; a row per image, bool columns.

    within: one of its own usage; across: one of another. in_training: for an image that tests, one in Training.
    disagree: one of those in Training carries another label; all_disagree: every one of them does.
    """
    both = pd.concat([pairs[["first", "second"]], pairs[["first", "second"]].set_axis(["second", "first"], axis=1)])
    usage, label = images["usage"].to_numpy(dtype=str), images["label"].to_numpy(dtype=str)
    own, other = both["first"].to_numpy(), both["second"].to_numpy()
    same, trained = usage[own] == usage[other], (usage[own] != "Training") & (usage[other] == "Training")
    agree = label[own] == label[other]
    every = np.arange(len(images))
    table = {
        "within": np.isin(every, own[same]),
        "across": np.isin(every, own[~same]),
        "in_training": np.isin(every, own[trained]),
        "disagree": np.isin(every, own[trained & ~agree]),
    }
    table["all_disagree"] = table["disagree"] & ~np.isin(every, own[trained & agree])
    return pd.DataFrame(table, index=images.index)
