"""The overview's sentences, from numbers that one can check in the head."""

import pandas as pd
import pytest

from fer_lib import overview, paths, results
from fer_lib.experiments import Experiment, Member

SOFTMAX = Experiment("softmax", "ckplus", loss="softmax", seeds=3)
OTHER = Experiment("other", "ckplus", protocol="subject", folds=10)


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    monkeypatch.setattr(overview, "read_experiments", lambda: [SOFTMAX, OTHER])


def test_followed_arms_are_named_as_in_the_tables():
    assert overview.followed() == ["STN + ResNet-10 + softmax", "STN + ResNet-10 + triplet (STN rate × 0.1)"]
    assert overview.followed(occlusion="none")[0] == "STN + ResNet-10 + softmax (no occlusion)"


def test_what_is_open_is_counted():
    results.open_folder(SOFTMAX, "abc", "cpu")
    tables = {name: pd.DataFrame({"accuracy": [1.0]}) for name in results.TABLES}
    results.add_member(SOFTMAX, Member(0, 0), tables, {})
    row = {"claim": "it helps", "protocol": "random", "n": 4, "pairs": "members"}
    compared = pd.DataFrame([{**row, "verdict": "supported"}, {**row, "verdict": "not resolvable", "n": 2}])
    assert overview.still_open("ckplus", compared).splitlines() == [
        "- 1 of 13 members are trained: 1 of 3 under random, 0 of 10 under subject.",
        '- Not resolvable with 2 members: "it helps", protocol random.',
    ]


def test_the_leak_is_that_of_the_papers_split():
    leaks = pd.DataFrame({"protocol": ["random", "subject"], "sequence seen": [0.958, 0.0]})
    results.write_csv(paths.RESULTS / "ckplus" / "leakage.csv", leaks)
    assert overview.leak("ckplus").startswith("Under the paper's split 96 % of the test frames")


def test_every_page_is_linked_with_its_answer(monkeypatch):
    monkeypatch.setattr(overview, "answers", lambda dataset, arms: {"00_data": "Said.", "02_table": ""})
    links = overview.read_on("ckplus", pd.DataFrame()).splitlines()
    assert links[:2] == ["- [Data](00_data.html): Said.", "- [Table 2](02_table.html)"]
    assert len(links) == len(overview.report.PAGES) - 1


def test_what_a_question_found_is_that_of_the_first_arm(monkeypatch):
    scores = pd.DataFrame({"label": [overview.followed()[0]] * 2, "score": ["clean", "unseen"], "mean": [0.9, 0.6]})
    monkeypatch.setattr(overview.robustness, "robustness_table", lambda _: scores.assign(protocol="subject", people=2))
    ends = {"ci_low": 0.005, "ci_high": 0.015, "trained_low": -0.01, "trained_high": 0.03}
    about = {"question": "training with occlusion", "protocol": "subject", "with": overview.followed()[0], **ends}
    counts = {"n": 2, "pairs": "people in 2 folds", "verdict": "not resolvable"}
    gains = {"unseen": 0.01, "unseen, black": 0.02, "unseen, face": -0.01}
    asked = pd.DataFrame({"score": gains.keys(), "difference": gains.values()}).assign(**about, **counts)
    assert overview.occlusion_takes("ckplus", asked) == (
        "STN + ResNet-10 + softmax: 90.00 % on clear faces, 60.00 % under occlusion that no training showed. Training "
        "with a black rectangle gains there +1.00 points [+0.50 to +1.50; folds -1.00 to +3.00], 2 people in 2 folds: "
        "not resolvable; +2.00 where black covers the face, -1.00 where another face does."
    )
    assert overview.occlusion_takes("ckplus", asked.assign(protocol="random")).endswith("no training showed.")


def test_the_least_exposed_protocol_counts():
    table = pd.DataFrame({"protocol": ["random", "sequence", "sequence"], "label": ["x", "y", overview.followed()[0]]})
    protocol, own = overview._first_protocol(table)
    assert protocol == "sequence" and own["label"].tolist() == overview.followed()[:1]
    assert len(overview._first_protocol(table, every=True)[1]) == 2
    assert overview._first_protocol(table[:2])[1]["label"].tolist() == ["y"]
