"""Frozen features and zero-shot answers, by hand on a few synthetic faces and networks that answer as told."""

import json

import numpy as np
import pytest
import torch
from few_faces import few_faces
from sklearn.linear_model import LogisticRegression
from torch import nn

from fer_lib import faces, paths, results
from fer_lib.experiments import Experiment, Member
from fer_lib.measures import transfer
from fer_lib.network import Network
from fer_lib.splits import split
from fer_lib.training import network_for, save, to_float
from fer_lib.weights import load_network, weights_file

FIRST = Member(0, 0)


class Told(nn.Module):
    """Says the same logits of every image."""

    def __init__(self, *logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, images, kept=None):
        return self.logits.expand(len(images), -1), None


def test_features_are_what_the_last_layer_is_given():
    torch.manual_seed(0)
    network, images = Network().eval(), to_float(few_faces().images[:5], "cpu")
    found = transfer.features(network, images)
    assert found.shape == (5, 512)
    with torch.inference_mode():
        logits = network.resnet.fc(torch.from_numpy(found))
        np.testing.assert_allclose(logits, network(images)[0], atol=1e-5)


def test_only_shared_classes_are_asked_for_and_may_be_said():
    few = few_faces()
    # It knows neither contempt nor disgust, and would say neutral of everything, then fear.
    known = ("neutral", "fear", "anger", "happiness", "sadness", "surprise")
    table = transfer.zero_shot(FIRST, Told(9.0, 8.0, 1.0, 1.0, 1.0, 1.0), known, few)
    assert len(table) == 5 * 12 and set(table["label"]) == set(known) - {"neutral"}
    assert set(table["prediction"]) == {"fear"} and set(table["free"]) == {"neutral"}
    assert (table["label"] == table["prediction"]).mean() == 1 / 5
    own = few.frames.set_index("frame_id")["sequence"][table["frame_id"]]
    assert own.str.len().gt(0).all() and table["frame_id"].is_unique


def test_the_most_similar_face_is_found_whatever_its_contrast():
    few = few_faces()
    others = few.take(np.array([40, 7, 3]))
    others = faces.Faces("fer2013", others.images // 2 + 20, others.labels, others.frames, others.classes)
    table = transfer.likeness(few.take(np.array([3, 40])), others)
    assert table["nearest"].tolist() == [few.frames["frame_id"][3], few.frames["frame_id"][40]]
    assert table["similarity"].tolist() == pytest.approx([1, 1], abs=1e-3)
    assert (table["mirrored"] < table["similarity"]).all()


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """Untrained weights stand for those of either experiment: one member each has them, of two that are finished."""
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    few = few_faces()
    web = faces.Faces("fer2013", few.images, few.labels, few.frames.copy(), few.classes)
    web.frames["usage"] = np.resize(["Training", "PrivateTest", "PublicTest"], len(few))
    lab = faces.Faces("ckplus", few.images, few.labels, few.frames, few.classes)
    monkeypatch.setattr(faces, "load", {"ckplus": lab, "fer2013": web}.get)
    for name, dataset, protocol in (
        (transfer.ON_FER2013, "fer2013", "usage"),
        (transfer.ON_CKPLUS, "ckplus", "subject"),
    ):
        row = Experiment(name, dataset=dataset, protocol=protocol, loss="softmax", seeds=2)
        results.open_folder(row, "abc", "cpu")
        for member in row.members:
            results.add_member(row, member, {table: few.frames[["frame_id"]] for table in results.TABLES}, {})
        torch.manual_seed(1)
        save(network_for(row, 7).state_dict(), weights_file(row, FIRST))
    return lab


def test_what_is_measured(trained):
    transfer.measure()
    frozen, shot = transfer.read("frozen"), transfer.read("zero_shot")
    tested = sum(len(split(trained, "subject", fold=fold).test) for fold in range(10))
    assert frozen.groupby(["features", "classifier"]).size().to_dict() == {
        (features, by): tested for features in (transfer.TRAINED, transfer.UNTRAINED) for by in transfer.CLASSIFIERS
    }
    assert shot.groupby("direction").size().to_dict() == {"CK+ to FER2013": 28, "FER2013 to CK+": 84}
    assert set(shot["seed"]) == {0}, "the other member has no weights here"
    record = json.loads((paths.RESULTS / "transfer" / "run.json").read_text())
    assert list(record["weights"]) == [
        f"fer2013 {transfer.ON_FER2013} seed0-fold0",
        f"ckplus {transfer.ON_CKPLUS} seed0-fold0",
    ]
    parts = split(trained, "subject", fold=0)
    network = load_network(results.stored("fer2013", transfer.ON_FER2013), FIRST, 7)
    points = transfer.features(network, to_float(trained.images, "cpu"))
    wanted = LogisticRegression(max_iter=1000).fit(points[parts.train], trained.labels[parts.train])
    own = frozen.query("features == @transfer.TRAINED and classifier == 'linear' and fold == 0")
    assert own["prediction"].tolist() == wanted.predict(points[parts.test]).tolist()


def test_it_is_measured_on_one_thread(trained, monkeypatch):
    found, before = [], torch.get_num_threads()
    monkeypatch.setattr(transfer, "likeness", lambda *data: found.append(torch.get_num_threads()) or data[0].frames)
    torch.set_num_threads(2)
    transfer.measure()
    found.append(torch.get_num_threads())
    torch.set_num_threads(before)
    assert found == [1, 2]


def test_without_weights_there_is_one_sentence(trained):
    weights_file(results.stored("fer2013", transfer.ON_FER2013), FIRST).unlink()
    with pytest.raises(FileNotFoundError, match=r"no weights .* python -m fer_lib.retrain fer2013 usage-resnet10"):
        transfer.measure()
    with pytest.raises(FileNotFoundError, match="run the notebook 11_transfer with measure first"):
        transfer.read("frozen")
