"""The study's answers in sentences, from numbers that one can check in the head."""

import pandas as pd

from fer_lib import answers, paths, results


def test_followed_arms_are_named_as_in_the_tables():
    assert answers.followed() == ["STN + ResNet-10 + softmax", "STN + ResNet-10 + triplet (STN rate × 0.1)"]
    assert answers.followed(occlusion="none")[0] == "STN + ResNet-10 + softmax (no occlusion)"


def test_the_leak_is_that_of_the_papers_split(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    leaks = pd.DataFrame({"protocol": ["random", "subject"], "sequence seen": [0.958, 0.0]})
    results.write_csv(paths.RESULTS / "ckplus" / "leakage.csv", leaks)
    assert answers.leak("ckplus").startswith("Under the paper's split 96 % of the test frames")


def test_what_a_question_found_is_that_of_the_first_arm(monkeypatch):
    scores = pd.DataFrame({"label": [answers.followed()[0]] * 2, "score": ["clean", "unseen"], "mean": [0.9, 0.6]})
    monkeypatch.setattr(answers.robustness, "robustness_table", lambda _: scores.assign(protocol="subject", people=2))
    ends = {"ci_low": 0.005, "ci_high": 0.015, "trained_low": -0.01, "trained_high": 0.03}
    about = {"question": "training with occlusion", "protocol": "subject", "with": answers.followed()[0], **ends}
    counts = {"n": 2, "pairs": "people in 2 folds", "verdict": "not resolvable"}
    gains = {"unseen": 0.01, "unseen, not black": -0.01}
    asked = pd.DataFrame({"score": gains.keys(), "difference": gains.values()}).assign(**about, **counts)
    assert answers.occlusion_takes("ckplus", asked) == (
        "STN + ResNet-10 + softmax: 90.00 % on clear faces, 60.00 % under occlusion that no training showed. Training "
        "with a black rectangle gains there +1.00 points [+0.50 to +1.50; folds -1.00 to +3.00], 2 people in 2 folds: "
        "not resolvable; where something other than black covers the face -1.00 points [+0.50 to +1.50; folds -1.00 to "
        "+3.00]: not resolvable."
    )
    assert answers.occlusion_takes("ckplus", asked.assign(protocol="random")).endswith("no training showed.")


def test_the_least_exposed_protocol_counts():
    table = pd.DataFrame({"protocol": ["random", "sequence", "sequence"], "label": ["x", "y", answers.followed()[0]]})
    protocol, own = answers.first_protocol(table)
    assert protocol == "sequence" and own["label"].tolist() == answers.followed()[:1]
    assert len(answers.first_protocol(table, every=True)[1]) == 2
    assert answers.first_protocol(table[:2])[1]["label"].tolist() == ["y"]
