"""The study's answers in sentences, from numbers that one can check in the head."""

from dataclasses import replace

import numpy as np
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


def test_what_is_printed_is_reached_or_not(monkeypatch):
    rows = [
        ("softmax", 0.99, 0.98, 1, 0.985, 0),
        ("triplet", 0.6, np.nan, np.nan, 0.99, 1),
        ("other", 0.9, 0.8, 1, np.nan, 2),
    ]
    table = pd.DataFrame(rows, columns=["label", "mean", "ci_low", "ci_high", "printed", "lost"])
    table = table.assign(n=2, kept_mean=0.95, part="Table 2", protocol="random")
    assert answers.as_printed(table) == (
        "Under the paper's split as printed: softmax 99.00 % [98.00 to 100.00] (printed 98.50); not as printed: "
        "triplet 60.00 % (printed 99.00; 1 of 2 transformers lost the face, the others reach 95.00); not in the paper: "
        "other 90.00 % [80.00 to 100.00] (2 of 2 transformers lost the face)."
    )
    columns = ["protocol", "label", "reference", "n", "verdict"]
    over = [
        ("subject", name, answers.references.METHODS[-1], 10, said) for name, said in (("a", "supported"), ("b", "x"))
    ]
    monkeypatch.setattr(answers.claims, "against_references", lambda dataset: pd.DataFrame(over, columns=columns))
    people = table[:2].assign(protocol="subject", label=["a", "b"], printed=np.nan)
    assert answers.works("ckplus", pd.concat([table, people])) == (
        "It reaches 1 of its 2 printed accuracies under its own split, not 99.00 %. On new people 1 of 2 networks "
        "trained as its own (0 of them with a slower transformer) can be called better than HOG + linear SVM, which "
        "learns no features."
    )
