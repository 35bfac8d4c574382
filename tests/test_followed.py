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
    assert followed.least_exposed(table[:2])[1]["label"].tolist() == ["y"]


def test_a_figure_of_many_lines_shows_few():
    arms = [Experiment(f"margin-{k}", "ckplus", margin=k) for k in range(2, 9)]
    assert followed.few(arms) == arms, "seven can be told apart"
    softmax = Experiment("softmax", "ckplus", loss="softmax", occlusion="none")
    tuned = replace(followed.STRONG, experiment="tuned", pretrained=naming.USUAL_START, **naming.FINE_TUNED)
    others = [replace(tuned, pretrained=naming.LONG_START), replace(followed.STRONG, experiment="y", loss="triplet")]
    shown = [followed.STRONG, softmax, tuned]
    assert followed.few([*arms, *others, tuned, softmax, followed.STRONG]) == shown
    assert followed.few([arms[0], softmax]) == [softmax, arms[0]], "the followed first"
    assert len(followed.few([*arms, arms[0]])) == 8, "none of them is followed"
