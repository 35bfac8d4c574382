"""The networks that are followed among all others."""

from dataclasses import replace

import pandas as pd

from fer_lib.experiments import Experiment
from fer_lib.findings import followed
from fer_lib.words import naming


def test_followed_arms_are_named_as_in_the_tables():
    assert followed.labels() == ["STN + ResNet-10 + softmax", "STN + ResNet-10 + triplet (STN rate × 0.1)"]
    assert followed.labels(occlusion="none")[0] == "STN + ResNet-10 + softmax (no occlusion)"


def test_the_least_exposed_protocol_counts():
    table = pd.DataFrame({"protocol": ["random", "sequence", "sequence"], "label": ["x", "y", followed.labels()[0]]})
    protocol, own = followed.least_exposed(table)
    assert protocol == "sequence" and own["label"].tolist() == followed.labels()[:1]
    assert len(followed.least_exposed(table, every=True)[1]) == 2
    assert followed.least_exposed(table[:2])[1]["label"].tolist() == ["y"]


def test_a_figure_of_many_lines_shows_few():
    arms = [Experiment(f"margin-{k}", "ckplus", margin=k) for k in range(2, 9)]
    assert followed.few(arms) == arms, "seven can be told apart"
    softmax = Experiment("softmax", "ckplus", loss="softmax", occlusion="none")
    strong = replace(softmax, experiment="strong", recipe="strong", occlusion="heavy", pretrained=naming.USUAL_START)
    assert followed.few([*arms, softmax, strong, replace(strong, pretrained=naming.LONG_START)]) == [softmax, strong]
    assert len(followed.few([*arms, arms[0]])) == 8, "none of them is followed"
