"""The study's answers in sentences, from numbers that one can check in the head."""

from dataclasses import replace

import pandas as pd

from fer_lib import answers, naming, paths, results
from fer_lib.experiments import Experiment


def test_followed_arms_are_named_as_in_the_tables():
    assert answers.followed() == ["STN + ResNet-10 + softmax", "STN + ResNet-10 + triplet (STN rate × 0.1)"]
    assert answers.followed(occlusion="none")[0] == "STN + ResNet-10 + softmax (no occlusion)"


def test_the_leak_is_that_of_the_papers_split(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    leaks = pd.DataFrame({"protocol": ["random", "subject"], "sequence seen": [0.958, 0.0]})
    results.write_csv(paths.RESULTS / "ckplus" / "leakage.csv", leaks)
    assert answers.leak("ckplus").startswith("Under the paper's split 96 % of the test frames")


def test_what_occlusion_takes_is_told_of_the_first_arm(monkeypatch):
    scores = pd.DataFrame({"label": [answers.followed()[0]] * 2, "score": ["clean", "unseen"], "mean": [0.9, 0.6]})
    scores = scores.assign(protocol="subject", people=2, ci_low=scores["mean"] - 0.1, ci_high=scores["mean"] + 0.1)
    monkeypatch.setattr(answers.robustness, "robustness_table", lambda dataset: scores)
    assert answers.occlusion_takes("ckplus") == (
        "STN + ResNet-10 + softmax: 90.00 % [80.00 to 100.00] on clear faces, 60.00 % [50.00 to 70.00] under occlusion "
        "that no training showed."
    )


def test_the_least_exposed_protocol_counts():
    table = pd.DataFrame({"protocol": ["random", "sequence", "sequence"], "label": ["x", "y", answers.followed()[0]]})
    protocol, own = answers.first_protocol(table)
    assert protocol == "sequence" and own["label"].tolist() == answers.followed()[:1]
    assert len(answers.first_protocol(table, every=True)[1]) == 2
    assert answers.first_protocol(table[:2])[1]["label"].tolist() == ["y"]


def test_a_figure_of_many_lines_shows_few():
    arms = [Experiment(f"margin-{k}", "ckplus", margin=k) for k in range(2, 9)]
    assert answers.few(arms) == arms, "seven can be told apart"
    followed = Experiment("followed", "ckplus", loss="softmax", occlusion="none")
    strong = replace(followed, experiment="strong", recipe="strong", occlusion="heavy", pretrained=naming.USUAL_START)
    assert answers.few([*arms, followed, strong, replace(strong, pretrained=naming.LONG_START)]) == [followed, strong]
    assert len(answers.few([*arms, arms[0]])) == 8, "none of them is followed"
