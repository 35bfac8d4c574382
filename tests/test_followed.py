"""The networks that are followed among all others."""

from dataclasses import replace
from itertools import product

import pandas as pd
import pytest

from fer_lib.experiments import Experiment
from fer_lib.findings import followed
from fer_lib.words import naming, occlusion_wording


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
    shown = [softmax, followed.STRONG, tuned]
    assert followed.few([*arms, *shown, *others]) == shown
    assert len(followed.few([*arms, arms[0]])) == 8, "none of them is followed"


@pytest.fixture
def asked(monkeypatch):
    """(arms) -> each has a frame for each of its seeds and folds."""

    def right(arm, weights):
        members = product(range(arm.seeds), range(arm.folds))
        return pd.DataFrame([(*member, "a") for member in members], columns=["seed", "fold", "frame_id"])

    monkeypatch.setattr(followed.robustness, "right", right)


def test_a_figure_draws_who_can_have_an_interval(asked):
    few, enough, more = (Experiment(f"of-{n}", "ckplus", protocol="random", loss="softmax", seeds=n) for n in (2, 3, 4))
    pooled, sequence = (Experiment("one", "ckplus", protocol=protocol) for protocol in ("subject", "sequence"))
    assert followed.drawn([few, sequence, pooled, enough, more]) == {"subject": [pooled], "random": [enough, more]}
    assert followed.drawn([enough, pooled]) == {"subject": [pooled]}, "one alone is compared with nothing"
    assert followed.drawn([enough]) == {"random": [enough]}
    assert followed.drawn([few]) == {}
    bare = [replace(arm, occlusion="none") for arm in (enough, more)]
    assert followed.drawn([pooled, *bare]) == {"subject": [pooled]}, "without the paper's network"
    assert occlusion_wording.not_drawn([pooled, *bare], {"subject": [pooled]}) == (
        "Not drawn: protocol random (2 networks tested), because none of the paper's networks with occlusion in "
        "training (STN + ResNet-10 + softmax; STN + ResNet-10 + triplet (STN rate × 0.1)) was tested under occlusion "
        "there, in at least 3 runs and beside another network. The first table has these protocols."
    )
    assert occlusion_wording.not_drawn([pooled], {"subject": [pooled]}) == ""


def test_who_is_held_beside_each_other(asked):
    softmax = Experiment("softmax", "ckplus", protocol="subject", backbone="resnet10", loss="softmax")
    bare, strong = (
        replace(softmax, occlusion="none"),
        replace(naming.USUAL["strong"], dataset="ckplus", protocol="subject", loss="softmax"),
    )
    random = replace(softmax, protocol="random")
    found = followed.beside([bare, random, strong, softmax])
    assert [naming.label(one) for one in found] == [
        "STN + ResNet-10 + softmax",
        "STN + ResNet-10 + softmax (strong recipe)",
        "STN + ResNet-10 + softmax (no occlusion)",
    ]
    others = [replace(softmax, experiment=f"margin-{k}", loss="triplet", margin=k) for k in range(2, 9)]
    assert followed.beside(others) == others[:4]
