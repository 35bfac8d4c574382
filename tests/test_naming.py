from dataclasses import replace

import pandas as pd
import pytest

from fer_lib.experiments import Experiment
from fer_lib.words import naming

TRIPLET = Experiment("triplet", "ckplus")
RESNET18 = Experiment("resnet18", "ckplus", loss="softmax", backbone="resnet18")


def test_parts():
    assert naming.part(TRIPLET) == naming.part(replace(TRIPLET, stn_lr_factor=0.1)) == "Table 2"
    assert naming.part(replace(TRIPLET, epochs=8, batch_size=50, lr=0.01)) == "Table 2"
    assert naming.part(replace(TRIPLET, stn_lr_factor=0.1, occlusion="none")) == "no occlusion"
    authors = replace(TRIPLET, head_layers=2, classifier="boosted-trees")
    assert naming.part(authors) == "Table 2" and naming.printed(authors) == naming.printed(TRIPLET)
    assert naming.part(replace(authors, classifier="knn")) == "ablation"
    for other in ({"input_path": "plain"}, {"loss": "joint"}, {"mining": "batch-hard"}, {"classifier": "logistic"}):
        assert naming.part(replace(TRIPLET, **other)) == "ablation"


def test_labels():
    assert naming.label(TRIPLET) == "STN + ResNet-10 + triplet"
    assert naming.label(replace(TRIPLET, backbone="resnet10-unpooled")) == "STN + ResNet-10 unpooled + triplet"
    assert naming.label(RESNET18) == "STN + ResNet-18 + softmax"
    changed = Experiment("x", "ckplus", input_path="plain", occlusion="none")
    assert naming.label(changed) == "ResNet-10 + triplet (no occlusion)"
    on_fer2013 = replace(changed, dataset="fer2013", protocol="usage", epochs=10, batch_size=64)
    assert naming.label(on_fer2013) == "ResNet-10 + triplet (no occlusion)", "there is no transformer to have a rate"
    assert naming.label(replace(TRIPLET, epochs=1)) == "STN + ResNet-10 + triplet (epochs 1)"
    tuned = Experiment("x", "ckplus", loss="softmax", pretrained=naming.USUAL_START, epochs=20, lr=0.0005)
    assert naming.label(tuned) == "STN + ResNet-10 + softmax (from FER2013)"
    covered = replace(tuned, pretrained=naming.COVERED_START)
    assert naming.label(covered) == "STN + ResNet-10 + softmax (from FER2013 under heavy occlusion)"
    assert naming.label(replace(tuned, pretrained="other")) == "STN + ResNet-10 + softmax (from other)"
    assert naming.label(Experiment("x", "synthetic", epochs=8)) == "STN + ResNet-10 + triplet", "as in the practice run"


def test_the_papers_number_stands_beside_the_papers_settings_only():
    assert naming.printed(TRIPLET) == pytest.approx(0.9944)
    assert naming.printed(RESNET18) == pytest.approx(0.9687)
    for other in (
        {"stn_lr_factor": 0.1},
        {"protocol": "subject"},
        {"dataset": "synthetic"},
        {"input_path": "plain"},
        {"loss": "joint"},
    ):
        assert pd.isna(naming.printed(replace(TRIPLET, **other)))
