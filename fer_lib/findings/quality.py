"""How good FER2013 is: measured once where its files are, then read from `results/fer2013/`.

images.csv.gz       a row per image: usage, label, constant; its nearest other image; what its votes say
pairs.csv.gz        a row for each two images that are alike, by their row in images.csv.gz
predictions.csv.gz  a row per PrivateTest image, method and training set: prediction
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from threadpoolctl import threadpool_limits

from fer_lib import faces, paths, results
from fer_lib.comparisons import cluster_gain
from fer_lib.datasets import fer2013, ferplus
from fer_lib.faces import Faces
from fer_lib.measures import references, twins, votes
from fer_lib.splits import Split, split

FLOOR = 0.9
"""Similarity from which pairs are stored, below `twins.NEAR`, to show what chance does there."""

ALL, CLEAN = "Training", "Training without the tests' twins"
METHODS = ("majority class", "1-NN on pixels", "HOG + ridge classifier")
"""References as on CK+, but least squares (alpha = 1) in place of the support vector machine, which is slow here."""

FITTED = "logistic regression on the votes"

TWIN_PARTS = (
    "all",
    "without an exact twin in Training",
    "without a near twin in Training",
    "with a near twin in Training",
)
NO_TWIN, TWIN = TWIN_PARTS[2:]
VOTE_PARTS = ("label is the voters' majority", "label is not the voters' majority")
"""Parts of PrivateTest, by twins and by votes."""


def folder() -> Path:
    """Where the tables are."""
    return paths.RESULTS / "fer2013"


@threadpool_limits.wrap(limits=1)  # more threads would add up in another order
def measure() -> None:
    """Read FER2013 and FERPlus and write the tables: some minutes on two cores. Raises DataError if one is absent."""
    data = faces.load("fer2013")
    cast = ferplus.votes(data)
    names = np.array(data.classes)[data.labels]
    nearest, pairs = twins.search(data.images, FLOOR)
    images = data.frames[["frame_id", "usage"]].assign(label=names, constant=twins.constant(data.images))
    images = pd.concat([images, nearest, votes.described(cast, names)], axis=1)
    results.write_csv(folder() / "images.csv.gz", images)
    results.write_csv(folder() / "pairs.csv.gz", pairs)
    results.write_csv(folder() / "predictions.csv.gz", predictions(data, cast, twins.of_kind(pairs, "near")))
    record = {"dataset": data.name, "data_fingerprint": data.fingerprint, **results.provenance()}
    results.write_json(folder() / "run.json", record)


def predictions(data: Faces, cast: np.ndarray, pairs: pd.DataFrame) -> pd.DataFrame:
    """What the references, and a classifier of the votes `cast`, say of PrivateTest: frame_id, method, training,
    label, prediction. The references are trained twice: on Training, and without those whose twin is in PrivateTest.
    """
    parts = split(data, "usage")
    first, second = pairs["first"].to_numpy(), pairs["second"].to_numpy()
    seen = np.union1d(first[np.isin(second, parts.test)], second[np.isin(first, parts.test)])
    frames = data.frames.loc[parts.test, ["frame_id"]].assign(label=np.array(data.classes)[data.labels[parts.test]])
    features, rows = references.hog_features(data.images), []
    for training, kept in ((ALL, parts), (CLEAN, Split(np.setdiff1d(parts.train, seen), parts.test))):
        for method in METHODS:
            found = np.array(data.classes)[_reference(method, data, features, kept)]
            rows.append(frames.assign(method=method, training=training, prediction=found))
    shares = cast / cast.sum(axis=1, keepdims=True)
    fitted = LogisticRegression(max_iter=1000).fit(shares[parts.train], data.labels[parts.train])
    found = np.array(data.classes)[fitted.predict(shares[parts.test])]
    rows.append(frames.assign(method=FITTED, training=ALL, prediction=found))
    return pd.concat(rows)[["frame_id", "method", "training", "label", "prediction"]].reset_index(drop=True)


def _reference(method: str, data: Faces, features: np.ndarray, parts: Split) -> np.ndarray:
    if method in references.METHODS:
        return references.predict(method, data, features, parts)
    return RidgeClassifier().fit(features[parts.train], data.labels[parts.train]).predict(features[parts.test])


def read(table: str) -> pd.DataFrame:
    """One of the tables of the module's docstring, without their ending: images, pairs or predictions.

    From this repository's own results where `paths.RESULTS` has none, for FER2013 is not measured for each study.
    Raises FileNotFoundError if it is in neither.
    """
    places = [folder() / f"{table}.csv.gz", paths.ROOT / "results" / "fer2013" / f"{table}.csv.gz"]
    file = next((place for place in places if place.exists()), places[0])
    if not file.exists():
        raise FileNotFoundError(f"no results {file}; run the notebook 08_fer2013 with measure first")
    return pd.read_csv(file, dtype={"frame_id": str, "counts": str}, keep_default_na=False, na_values=["nan"])


def twin_table(images: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """How many images of each usage have twins, a row per kind and usage: numbers of images.

    Columns: kind, usage, images, within, across, in_training, disagree, all_disagree (`twins.whose`).
    """
    rows = []
    for kind in twins.KINDS:
        whose = twins.whose(twins.of_kind(pairs, kind), images)
        for usage in fer2013.USAGES:
            own = whose[images["usage"] == usage]
            rows.append({"kind": kind, "usage": usage, "images": len(own), **own.sum()})
    return pd.DataFrame(rows)


def nothing_table(images: pd.DataFrame) -> pd.DataFrame:
    """How many images of each usage are constant, or have no class of FER2013 as majority: a row per usage."""
    majority = images["majority"]
    said = {
        "images": True,
        "constant": images["constant"],
        "no face": majority == "no face",
        "no face, all ten votes": (majority == "no face") & (images["counts"] == "10"),
        "unknown": majority == "unknown",
        "contempt": majority == "contempt",
    }
    return pd.DataFrame(said).groupby(images["usage"]).sum().loc[list(fer2013.USAGES)].reset_index()


def by_label(images: pd.DataFrame) -> pd.DataFrame:
    """`votes.agreement` per label, the best first, and of all images in the last row."""
    counts = votes.agreement(images)
    shares = counts[votes.OUTCOMES[0]] / counts.sum(axis=1)
    counts = counts.loc[shares.sort_values(ascending=False).index]
    return pd.concat([counts, counts.sum().to_frame("all").T])


def subsets(images: pd.DataFrame, pairs: pd.DataFrame) -> dict[str, pd.Series]:
    """`TWIN_PARTS` and `VOTE_PARTS` of PrivateTest -> their frame_ids."""
    tested = images["usage"] == "PrivateTest"
    seen = {kind: twins.whose(twins.of_kind(pairs, kind), images)["in_training"] for kind in twins.KINDS}
    alike = votes.outcome(images) == votes.OUTCOMES[0]
    chosen = (True, ~seen["exact"], ~seen["near"], seen["near"], alike, ~alike)
    names = (*TWIN_PARTS, *VOTE_PARTS)
    return {name: images["frame_id"][tested & rows] for name, rows in zip(names, chosen, strict=True)}


def scores(predicted: pd.DataFrame, parts: dict[str, pd.Series]) -> pd.DataFrame:
    """Accuracy of each method, trained on all of Training, on each part of PrivateTest: method, part, and `counted`."""
    rows = []
    for method, own in predicted[predicted["training"] == ALL].groupby("method", sort=False):
        hits = (own["prediction"] == own["label"]).set_axis(own["frame_id"])
        rows += [
            {"method": method, "part": part, **votes.counted(int(hits[ids].sum()), len(ids))}
            for part, ids in parts.items()
        ]
    return pd.DataFrame(rows)


def cleaned(predicted: pd.DataFrame) -> pd.DataFrame:
    """Accuracy on all of PrivateTest with and without its twins in Training, paired over images; a row per method.

    Columns: method, with_twins, without (accuracies), lost and gained (images that only the first, only the second
    training gets right), and those of `comparisons.cluster_gain`, images resampled.
    """
    rows = []
    for method, own in predicted.groupby("method", sort=False):
        hits = (own["prediction"] == own["label"]).groupby([own["frame_id"], own["training"]]).first().unstack()
        if CLEAN not in hits:
            continue
        lost, gained = int((hits[ALL] & ~hits[CLEAN]).sum()), int((~hits[ALL] & hits[CLEAN]).sum())
        accuracies = {"with_twins": hits[ALL].mean(), "without": hits[CLEAN].mean()}
        found = cluster_gain(hits[ALL].astype(float) - hits[CLEAN], hits.index)
        rows.append({"method": method, **accuracies, "lost": lost, "gained": gained, **found})
    return pd.DataFrame(rows)


def nearest_pairs(images: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Each image with its most similar other one, once: similarity, mirrored, identical, same_label, same_majority."""
    seen = images[images["neighbour"] >= 0]
    ends = np.sort(np.column_stack([seen.index, seen["neighbour"]]), axis=1)
    table = seen[["similarity", "mirrored"]].assign(first=ends[:, 0], second=ends[:, 1])
    table = table.drop_duplicates(["first", "second"])
    same = set(pairs.loc[pairs["identical"], ["first", "second"]].itertuples(index=False, name=None))
    both = table[["first", "second"]].itertuples(index=False, name=None)
    for column in ("label", "majority"):
        named = images[column].to_numpy(dtype=str)
        table[f"same_{column}"] = named[table["first"]] == named[table["second"]]
    return table.assign(identical=[pair in same for pair in both]).reset_index(drop=True)


def similarity_counts(images: pd.DataFrame) -> pd.DataFrame:
    """Images by their similarity to the most similar other one, a row per hundredth: from, to, not mirrored,
    mirrored. Those below 0.3 are left out."""
    edges = np.arange(30, 101) / 100
    found = {
        name: np.histogram(images.loc[images["mirrored"] == mirrored, "similarity"].dropna(), edges)[0]
        for name, mirrored in (("not mirrored", False), ("mirrored", True))
    }
    return pd.DataFrame({"from": edges[:-1], "to": edges[1:], **found})


def likeness(pairs: pd.DataFrame) -> pd.DataFrame:
    """What the pairs of `nearest_pairs` share, by their similarity; in the last row, from 1 to 1, exact twins.

    Columns from, to, pairs, and the shares mirrored, same_label, same_majority.
    """
    edges = np.r_[np.arange(50, 90, 4), np.arange(90, 101, 2)] / 100
    rows, columns = [], ["mirrored", "same_label", "same_majority"]
    differ, same = pairs[~pairs["identical"]], pairs[pairs["identical"]]
    for low, high in pairwise(edges):
        upper = differ["similarity"] <= high if high == 1 else differ["similarity"] < high
        own = differ[(differ["similarity"] >= low) & upper]
        rows.append((low, high, len(own), *own[columns].mean()))
    rows.append((1.0, 1.0, len(same), *same[columns].mean()))
    return pd.DataFrame(rows, columns=["from", "to", "pairs", *columns])


def repeated(images: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """How often twins agree in label and votes: a row for exact twins, and one for near twins that are not exact.

    Columns: twins, pairs, same_label, same_votes (all counts and the majority are the same), same_majority; shares
    over pairs, in which an image with many twins counts as often as it has some.
    """
    rows, near = [], twins.of_kind(pairs, "near")
    for name, own in (("exact", near[near["identical"]]), ("near, not exact", near[~near["identical"]])):
        one, two = images.loc[own["first"]].reset_index(), images.loc[own["second"]].reset_index()
        same = {column: one[column] == two[column] for column in ("label", "majority", "counts")}
        row = {"twins": name, "pairs": len(own), "same_label": same["label"].mean()}
        rows.append(
            {**row, "same_votes": (same["majority"] & same["counts"]).mean(), "same_majority": same["majority"].mean()}
        )
    return pd.DataFrame(rows)


def ambiguous(images: pd.DataFrame, pairs: pd.DataFrame) -> int:
    """How many images of PrivateTest have an exact twin, anywhere, with another label."""
    exact = twins.of_kind(pairs, "exact")
    label, usage = images["label"].to_numpy(dtype=str), images["usage"].to_numpy(dtype=str)
    differ = exact[label[exact["first"]] != label[exact["second"]]]
    both = np.union1d(differ["first"], differ["second"])
    return int((usage[both] == "PrivateTest").sum())


def published(dataset: str = "fer2013", n: int = fer2013.USAGES["PrivateTest"]) -> pd.DataFrame:
    """Printed accuracies on PrivateTest, the highest first: method, protocol, source, ours (none), `votes.counted`.

    n: how many of its images have a label in the data set.
    """
    table = pd.read_csv(paths.NOTEBOOKS / f"published_{dataset}.csv")
    counts = pd.DataFrame([votes.counted(round(n * accuracy / 100), n) for accuracy in table["accuracy"]])
    return table.join(counts).assign(ours=False).sort_values("accuracy", ascending=False, ignore_index=True)
