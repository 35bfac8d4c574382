"""Evaluation of a trained member: its rows for each table of the results."""

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score

from fer_lib import attribution, machine
from fer_lib.evaluation import Predictor, embed, over_crops, scores, self_agreement, views
from fer_lib.faces import Faces
from fer_lib.occlusion_benchmark import CLEAN, PAPER, OcclusionBenchmark
from fer_lib.splits import asked, split
from fer_lib.training import THETA, Trainee, save, to_float


def evaluate(trained: Trainee, data: Faces) -> dict:
    """Evaluate a trained member and store its weights; returns its rows for each results table, and its timing."""
    experiment, member, network, frames = trained.experiment, trained.member, trained.network, trained.data
    parts = split(data, experiment.protocol, member.seed, member.fold)
    save(network.state_dict(), trained.checkpoint.with_name(f"model-{member}.pt"))
    predict = Predictor(network, experiment, member.seed, frames.train_images, frames.train_labels)
    probabilities = predict(frames.test_images)
    truth, predicted = data.labels[parts.test], probabilities.argmax(axis=1)
    predictions = _about(data, parts.test).assign(prediction=predicted)
    for i, name in enumerate(data.classes):
        predictions[f"p_{name}"] = probabilities[:, i]
    metrics = {
        "selector": "last epoch",
        "epoch": experiment.epochs,
        "n_test": len(truth),
        **scores(truth, predicted),
    }
    if experiment.head_layers == 2:
        metrics |= self_agreement(predict, frames.test_images, truth, member.seed)
    if len(parts.selection):
        mirrored = predict(frames.test_images.flip(3))
        metrics["mirrored_accuracy"] = accuracy_score(truth, (probabilities + mirrored).argmax(axis=1))
        metrics["ten_crop_accuracy"] = accuracy_score(truth, over_crops(predict, frames.test_images).argmax(axis=1))
    chosen = asked(data, experiment.protocol)
    few, test = data.take(chosen), np.flatnonzero(np.isin(chosen, parts.test))
    benchmark = OcclusionBenchmark(few.images)

    def ask(images: np.ndarray) -> np.ndarray:
        return predict(to_float(images, frames.test_images.device))

    slid = benchmark.slide(ask, test)
    occluded = benchmark.predictions(ask, test, slid)
    frames_seen = len(frames.train_labels) * experiment.frames_per_anchor * experiment.epochs
    return {
        "tables": {
            "predictions.csv.gz": predictions,
            "occlusion.csv": benchmark.accuracies(occluded, few.labels[test], test),
            "occluded_predictions.csv.gz": _about(few, test).join(occluded.set_index(test)),
            "embeddings.csv.gz": embeddings(trained, few, test, np.flatnonzero(np.isin(chosen, parts.train))),
            "views.csv.gz": chosen_views(trained, benchmark, few, test),
            **attribution.measure(trained, few, test, benchmark, ask, slid[0]),
            "history.csv": pd.DataFrame(trained.history),
            "metrics.csv": pd.DataFrame([metrics]),
        },
        "timing": {
            "train_seconds": round(trained.seconds, 1),
            "frames_per_second": round(frames_seen / trained.seconds, 1),
            "device": machine.name(),
            **({"start_sha256": trained.start_sha256} if trained.start_sha256 else {}),
        },
    }


def _about(data: Faces, rows: np.ndarray) -> pd.DataFrame:
    return data.frames.loc[rows, ["frame_id", "subject"]].assign(label=data.labels[rows])


def chosen_views(trained: Trainee, benchmark: OcclusionBenchmark, data: Faces, test: np.ndarray) -> pd.DataFrame:
    """Theta for each test frame, clean and under the paper's rectangle; empty for networks without a transformer.

    Columns frame_id, subject, occlusion and the entries xx, xy, x, yx, yy, y of theta, to six decimals.
    """
    tables = []
    for occlusion in (CLEAN, PAPER) if trained.network.stn is not None else ():
        images = to_float(benchmark.occluded(occlusion, test)[0], trained.data.test_images.device)
        entries = views(trained.network, images).reshape(len(test), 6).astype(np.float64).round(6)
        table = data.frames.loc[test, ["frame_id", "subject"]].assign(occlusion=occlusion.kind)
        tables.append(table.assign(**dict(zip(THETA, entries.T, strict=True))))
    return pd.concat(tables) if tables else pd.DataFrame(columns=["frame_id", "subject", "occlusion", *THETA])


def embeddings(trained: Trainee, data: Faces, test: np.ndarray, train: np.ndarray) -> pd.DataFrame:
    """Embeddings of the frames `test`, and for the experiment's first member also of the frames `train`.

    Columns frame_id, subject, label, tested and e0, e1, ..., one per dimension, to six decimals.
    """
    experiment, device = trained.experiment, trained.data.test_images.device
    chosen = [(test, True)]
    if trained.member == experiment.members[0] and len(train):
        chosen.append((train, False))
    tables = []
    for rows, tested in chosen:
        images = to_float(data.images[rows], device)
        points = embed(trained.network, images, experiment.normalise).astype(np.float64).round(6)
        table = _about(data, rows).assign(tested=tested)
        tables.append(table.assign(**{f"e{i}": column for i, column in enumerate(points.T)}))
    return pd.concat(tables)
