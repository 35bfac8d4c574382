"""What a network trained on one data set knows of another without further training: measured once, then read.

It needs the weights of networks trained on this machine and uses every run of the two experiments that has some.

results/transfer/frozen.csv.gz     a row per features, classifier, member, fold of `subject` and CK+ frame: prediction
results/transfer/zero_shot.csv.gz  a row per direction, member and face of a shared class: label, prediction, free
results/transfer/likeness.csv.gz   a row per CK+ frame: the image of FER2013 that is most like it
"""

import copy
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from fer_lib import faces, machine, paths, results
from fer_lib.evaluation import classifier, embed
from fer_lib.experiments import Experiment, Member
from fer_lib.faces import Faces
from fer_lib.measures import twins
from fer_lib.network import Network
from fer_lib.splits import FOLDS, split
from fer_lib.training import network_for, to_float
from fer_lib.weights import load_network, weights_file, weights_fingerprint
from fer_lib.words.naming import LONG_START

ON_FER2013, ON_CKPLUS = LONG_START, "subject-resnet10-strong"
"""The experiments whose networks are used: the same network and recipe, trained on either data set from scratch."""

CLASSIFIERS = {"linear": "logistic", "5 nearest": "knn"}
"""What learns CK+'s classes from the frozen features -> `evaluation.classifier`; nothing is tuned."""

NAMES = {"ckplus": "CK+", "fer2013": "FER2013"}

TRAINED, UNTRAINED = "FER2013's features", "an untrained network's features"


def folder() -> Path:
    """Where the tables are."""
    return paths.RESULTS / "transfer"


@threadpool_limits.wrap(limits=1)
def measure() -> None:
    """Run the networks and write the tables: some minutes, on one thread, because several change the last bits of sums.

    Raises DataError if CK+ or FER2013 is absent, FileNotFoundError if no network of an experiment has its weights here.
    """
    ckplus, fer2013 = faces.load("ckplus"), faces.load("fer2013")
    source, target = results.stored("fer2013", ON_FER2013), results.stored("ckplus", ON_CKPLUS)
    to_ckplus, to_fer2013 = trained(source, fer2013), trained(target, ckplus)
    results.write_csv(folder() / "frozen.csv.gz", frozen(source, to_ckplus, ckplus))
    private = fer2013.take(split(fer2013, "usage").test)
    answers = []
    for networks, known, asked in ((to_ckplus, fer2013, ckplus), (to_fer2013, ckplus, private)):
        direction = f"{NAMES[known.name]} to {NAMES[asked.name]}"
        answers += [zero_shot(*one, known.classes, asked).assign(direction=direction) for one in networks.items()]
    results.write_csv(folder() / "zero_shot.csv.gz", pd.concat(answers))
    results.write_csv(folder() / "likeness.csv.gz", likeness(ckplus, fer2013))
    weights = {
        f"{experiment.dataset} {experiment.experiment} {member}": weights_fingerprint(experiment, member)
        for experiment, networks in ((source, to_ckplus), (target, to_fer2013))
        for member in networks
    }
    data = {data.name: data.fingerprint for data in (ckplus, fer2013)}
    record = {"dataset": "ckplus, fer2013", "data_fingerprints": data, "weights": weights, **results.provenance()}
    record["device"] = machine.name()
    results.write_json(folder() / "run.json", record)


def trained(experiment: Experiment, data: Faces) -> dict[Member, Network]:
    """The members whose weights are on this machine. Raises FileNotFoundError if there is none."""
    here = [member for member in results.finished(experiment) if weights_file(experiment, member).exists()] or [
        Member(0, 0)
    ]
    return {member: load_network(experiment, member, len(data.classes)) for member in here}


def frozen(experiment: Experiment, networks: dict[Member, Network], data: Faces) -> pd.DataFrame:
    """Predictions under `subject` by classifiers on features that nothing of `data` has changed.

    Columns features, classifier, seed, fold, frame_id, subject, label, prediction. Each network is joined by an
    untrained one of the same build, initialised by the member's seed (not with the weights that its training began
    with), which tells what the build alone gives.
    """
    images, rows = to_float(data.images, "cpu"), []
    for member, network in networks.items():
        torch.manual_seed(member.seed)
        for name, one in ((TRAINED, network), (UNTRAINED, network_for(experiment, len(data.classes)))):
            points = features(one, images)
            for fold in range(FOLDS):
                parts = split(data, "subject", fold=fold)
                frames = data.frames.loc[parts.test, ["frame_id", "subject"]].assign(label=data.labels[parts.test])
                for words, kind in CLASSIFIERS.items():
                    fitted = classifier(kind, member.seed).fit(points[parts.train], data.labels[parts.train])
                    about = {"features": name, "classifier": words, "seed": member.seed, "fold": fold}
                    rows.append(frames.assign(**about, prediction=fitted.predict(points[parts.test])))
    columns = ["features", "classifier", "seed", "fold", "frame_id", "subject", "label", "prediction"]
    return pd.concat(rows)[columns]


def features(network: Network, images: torch.Tensor) -> np.ndarray:
    """What the last layer is given, float32 (N, 512), for images (N, 1, 48, 48)."""
    headless = copy.deepcopy(network)
    headless.resnet.fc = nn.Identity()
    return embed(headless, images)


def zero_shot(member: Member, network: Network, classes: tuple[str, ...], data: Faces) -> pd.DataFrame:
    """Predictions of a network of `classes` for the faces of `data` whose class it knows, a row per face.

    Columns seed, fold, frame_id, subject, label, prediction (the likeliest of the shared classes) and free (of all that
    the network knows), in words.
    """
    shared = [name for name in data.classes if name in classes]
    rows = np.flatnonzero(np.isin(data.labels, [data.classes.index(name) for name in shared]))
    likely = embed(network, to_float(data.images[rows], "cpu"))
    among = likely[:, [classes.index(name) for name in shared]]
    said = {
        "label": np.array(data.classes)[data.labels[rows]],
        "prediction": np.array(shared)[among.argmax(axis=1)],
        "free": np.array(classes)[likely.argmax(axis=1)],
    }
    frames = data.frames.loc[rows, ["frame_id", "subject"]]
    return frames.assign(seed=member.seed, fold=member.fold, **said)


def likeness(data: Faces, others: Faces) -> pd.DataFrame:
    """For each face of `data` the most similar one of another data set, by `twins.shrunk`, a row per face.

    Columns frame_id, subject, similarity, nearest and usage (of the other), and mirrored: the highest similarity to any
    of the others mirrored, which tells how alike two different faces are by chance.
    """
    own = twins.shrunk(data.images)
    as_they_are = own @ twins.shrunk(others.images).T
    mirrored = own @ twins.shrunk(others.images[:, :, ::-1]).T
    nearest = others.frames.iloc[as_they_are.argmax(axis=1)]
    return data.frames[["frame_id", "subject"]].assign(
        similarity=as_they_are.max(axis=1).clip(max=1),
        nearest=nearest["frame_id"].to_numpy(),
        usage=nearest["usage"].to_numpy(),
        mirrored=mirrored.max(axis=1).clip(max=1),
    )


def read(table: str) -> pd.DataFrame:
    """One of the tables of the module's docstring, without their ending. Raises FileNotFoundError if it is absent."""
    file = folder() / f"{table}.csv.gz"
    if not file.exists():
        raise FileNotFoundError(f"no results {file}; run the notebook 11_transfer with measure first")
    return pd.read_csv(file, dtype={"frame_id": str, "subject": str, "nearest": str}, keep_default_na=False)
