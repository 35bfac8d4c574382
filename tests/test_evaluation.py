import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from fer_lib.evaluation import Predictor, embed, nearest_pixels, scores
from fer_lib.experiments import Experiment
from fer_lib.network import Network


@pytest.fixture(scope="module")
def trained():
    torch.manual_seed(0)
    images, labels = torch.rand(70, 1, 48, 48), torch.arange(70) % 7
    images[:, 0, 0, :] = labels[:, None] / 7
    return Network().train(), images, labels


def test_embedding_is_in_evaluation_mode_and_restores_it(trained):
    network, images, _ = trained
    before = network.resnet.bn1.running_mean.clone()
    assert embed(network, images).shape == (70, 7)
    assert network.training and network.stn.training
    assert torch.equal(before, network.resnet.bn1.running_mean)
    np.testing.assert_allclose(np.linalg.norm(embed(network, images, normalise=True), axis=1), 1, rtol=1e-5)


def test_softmax_probabilities_are_those_of_torch(trained):
    network, images, labels = trained
    predict = Predictor(network, Experiment("x", loss="softmax"), 0, images, labels)
    with torch.inference_mode():
        expected = torch.softmax(network.eval()(images)[0].double(), dim=1).numpy()
    np.testing.assert_allclose(predict(images), expected, rtol=1e-4)


@pytest.mark.parametrize("classifier", ["knn", "boosted-trees", "logistic"])
def test_classifiers_after_triplet(trained, classifier):
    network, images, labels = trained
    predict = Predictor(network, Experiment("x", classifier=classifier), 0, images, labels)
    probabilities = predict(images)
    assert probabilities.shape == (70, 7)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    if classifier == "knn":
        points = embed(network, images)
        oracle = KNeighborsClassifier(5).fit(points, labels.numpy())
        assert (probabilities.argmax(axis=1) == oracle.predict(points)).all()


def test_scores_by_hand():
    # Class 0: both right; class 1: one of two right; class 2 has no test frame and does not count.
    result = scores(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 2]))
    assert result["accuracy"] == 0.75
    assert result["balanced_accuracy"] == 0.75
    assert result["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)


def test_nearest_pixels():
    images = np.stack([np.full((48, 48), grey, np.uint8) for grey in (0, 100, 10, 90, 60)])
    assert nearest_pixels(images, np.array([0, 1]), np.array([2, 3, 4])).tolist() == [0, 1, 1]
