import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from fer_lib.evaluation import Predictor, embed, macro_f1, nearest_pixels, over_crops, scores, self_agreement
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
    with pytest.raises(RuntimeError, match="channels"):
        embed(network, images.expand(-1, 3, -1, -1))
    assert network.training and network.stn.training, "an error does not leave it in evaluation mode"


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


def test_macro_f1_is_the_mean_over_initialisations():
    predictions = pd.DataFrame({"seed": [0, 0, 1, 1], "fold": 0, "label": [0, 1, 0, 1], "prediction": [0, 1, 0, 0]})
    # The first is right throughout; the F1 of the second's classes: 2/3 and 0.
    assert macro_f1(predictions) == pytest.approx((1 + 1 / 3) / 2)
    more = pd.DataFrame({"seed": 0, "fold": 1, "label": [0, 1], "prediction": [0, 1]})
    assert macro_f1(pd.concat([predictions, more])) == 1, "the second has not been tested on that fold"


def test_nearest_pixels():
    images = np.stack([np.full((48, 48), grey, np.uint8) for grey in (0, 100, 10, 90, 60)])
    assert nearest_pixels(images, np.array([0, 1]), np.array([2, 3, 4])).tolist() == [0, 1, 1]


def test_crops_are_the_corners_and_the_centre_and_their_mirror_images():
    image = torch.zeros(1, 1, 48, 48)
    image[..., :4, :20] = 1
    seen = []

    def white(images):
        seen.append(images)
        halves = images.reshape(1, 48, 2, 24).mean(dim=(1, 3))
        return halves.double().numpy()

    left, right = over_crops(white, image)[0]
    assert [tuple(view.shape) for view in seen] == [(1, 1, 48, 48)] * 10
    assert left == pytest.approx(right), "every view comes with its mirror image"
    # Of the bar, 4 pixels high and 20 wide, left crops at the top see 4 x 20, right ones 4 x 16, the centre 2 x 18.
    assert (left + right) / 2 == pytest.approx((2 * 80 + 2 * 64 + 2 * 36) / 10 / 44**2, rel=0.02)


def test_self_agreement_is_about_dropout_and_not_about_truth(trained):
    _, images, labels = trained
    torch.manual_seed(0)
    network = Network(head_layers=2)
    predict = Predictor(network, Experiment("x", head_layers=2), 0, images, labels)
    # The last layer starts at zero weight: whatever is dropped, theta is the identity, and the passes agree in full.
    assert self_agreement(predict, images, labels.numpy(), 0) == {
        "self_agreement": 1.0,
        "dropout_accuracy": (predict(images).argmax(axis=1) == labels.numpy()).mean(),
    }
    torch.nn.init.normal_(network.stn.head[-1].weight, std=10.0)
    found = self_agreement(predict, images, labels.numpy(), 0)
    assert 0 < found["self_agreement"] < 1
    assert found == self_agreement(predict, images, labels.numpy(), 0)
    # The labels move the accuracy only.
    moved = self_agreement(predict, images, (labels.numpy() + 1) % 7, 0)
    assert moved["self_agreement"] == found["self_agreement"] and moved["dropout_accuracy"] != found["dropout_accuracy"]
