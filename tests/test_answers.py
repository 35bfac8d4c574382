"""The study's answers in sentences, from numbers that one can check in the head."""

import numpy as np
import pandas as pd
import pytest

from fer_lib import paths, results
from fer_lib.experiments import Experiment
from fer_lib.findings import followed
from fer_lib.words import answers


def test_the_leak_stands_beside_what_it_gives_away(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    leaks = pd.DataFrame({"protocol": ["random", "subject"], "sequence seen": [0.958, 0.0]})
    results.write_csv(paths.RESULTS / "ckplus" / "leakage.csv", leaks)
    known = pd.DataFrame({"method": "1-NN on pixels", "protocol": ["random"], "mean": 0.9, "ci_low": 0.4, "ci_high": 1})
    results.write_csv(paths.RESULTS / "ckplus" / "references.csv", known)
    said = "Under the paper's split 96 % of the test frames have a frame of the same sequence in training"
    assert answers.leak("ckplus") == f"{said}."
    both = pd.concat([known, known.assign(protocol="subject", mean=0.5)])
    results.write_csv(paths.RESULTS / "ckplus" / "references.csv", both)
    nearest = "1-NN on pixels reaches 90.00 % [40.00 to 100.00] there, 50.00 % [40.00 to 100.00] on unseen subjects"
    assert answers.leak("ckplus") == f"{said}: {nearest}."


def test_what_the_printed_number_says():
    said = answers.printed_in_short()
    assert said.startswith(
        "Only 180 correct frames out of 181 give 99.44 %, truncated rather than rounded to two decimals. If "
    )
    assert "an accuracy of 96.94 to 99.90 %. Neither counting all frames nor averaging" in said


def test_what_occlusion_takes_is_told_of_the_first_arm(monkeypatch):
    scores = pd.DataFrame({"score": ["clean", "black rectangle", "unseen"], "mean": [0.9, 0.8, 0.6]})
    scores = scores.assign(label=followed.labels()[0], protocol="subject", subjects=2)
    scores = scores.assign(ci_low=scores["mean"] - 0.1, ci_high=scores["mean"] + 0.1)
    monkeypatch.setattr(followed.robustness, "robustness_table", lambda dataset: scores)
    ends = {"ci_low": 0.05, "ci_high": 0.15, "trained_low": 0.04, "trained_high": 0.16}
    over = {"label": followed.labels()[0], "reference": "HOG", "difference": 0.1, **ends, "verdict": "supported"}
    over = pd.DataFrame([over | {"score": score, "pairs": "subjects in 10 folds"} for score in ("clean", "unseen")])
    monkeypatch.setattr(answers.occluded_references, "against", lambda dataset: over)
    assert answers.occlusion_takes("ckplus") == (
        "STN + ResNet-10 + softmax reaches 90.00 % [80.00 to 100.00] on clear faces of unseen subjects, 80.00 % "
        "[70.00 to 90.00] under the paper's rectangle and 60.00 % [50.00 to 70.00] under kinds of occlusion that no "
        "training contains. Under the latter it gains +10.00 points [+5.00 to +15.00; folds +4.00 to +16.00] over HOG "
        "(supported)."
    )


def test_what_is_printed_is_reached_or_not(monkeypatch):
    rows = [("softmax", 0.985, 0), ("triplet", 0.99, 1), ("slow", 0.99, 0), ("other", np.nan, 2)]
    table = pd.DataFrame(rows, columns=["label", "printed", "collapsed"])
    table = table.assign(n=2, protocol="random", part="Table 2")
    found = pd.DataFrame({"label": ["softmax", "softmax", "triplet", "slow"], "accuracy": [0.985, 0.9, 0.2, 0.98]})
    found["printed"] = [0.985, 0.985, 0.99, 0.99]
    own = "label in @table['label']"
    monkeypatch.setattr(answers.tables, "with_members", lambda table, dataset: found.query(own))
    said = (
        "Under the paper's split the printed numbers, in whole test frames, are reached by softmax (98.50 %) in 1 of 2 "
        "runs; by triplet (99.00 %) in none of 2 runs (1 collapsed), at best 98.00 %. The STN collapsed in "
        "1 of 2 runs of triplet, in none of 2 runs of slow."
    )
    assert answers.as_printed("ckplus", table) == said
    found.loc[0, "accuracy"] = 0.99
    also = "99.00 % is reached by single runs of"
    assert answers.as_printed("ckplus", table) == (
        f"{said} {also} 1 of 1 other networks, most often by softmax (1 of 2 runs)."
    )
    bare = pd.DataFrame({"label": ["bare", "bare"], "accuracy": [0.99, 0.995]})
    found = pd.concat([found, bare], ignore_index=True)
    table = pd.concat([table, table[3:].assign(label="bare", part="ablation")], ignore_index=True)
    others = f"{also} 2 of 2 other networks, most often by bare (2 of 2 runs)."
    assert answers.as_printed("ckplus", table).endswith(others), "what is printed has no network without occlusion"
    assert "bare" not in answers.as_printed("ckplus", table.assign(protocol="subject"))
    assert answers.as_printed("ckplus", table[3:]) == "", "nothing is printed of other faces"


def test_printed_gains_stand_beside_ours(monkeypatch):
    table = pd.DataFrame({"label": ["softmax", "triplet", "slow"], "printed": [0.98, 0.99, np.nan]})
    found = pd.DataFrame({"better": ["softmax", "triplet", "triplet", "slow"], "printed": [0.02, 0.005, 0.005, 0.005]})
    found = found.assign(claim=["cut", "triplet loss", "triplet loss, some left out", "triplet loss"], p=0.04, n=3)
    found = found.assign(protocol="random", pairs="runs", trained_low=np.nan, difference=-0.01, ci_low=-0.02)
    found = found.assign(ci_high=[0.01, np.nan, -0.005, -0.005], trained_high=np.nan)
    found["verdict"] = ["not resolvable", "two kinds of outcome", "contradicted", "contradicted"]
    monkeypatch.setattr(answers.claims, "claims_table", lambda dataset: found)
    said = (
        "The gains that the paper prints, under its split: cut: printed +2.00, ours -1.00 points [-2.00 to +1.00] (not "
        "resolvable; n = 3 runs); triplet loss, some left out: printed +0.50, ours -1.00 points [-2.00 to -0.50] "
        "(contradicted, not after Holm's correction; n = 3 runs)."
    )
    assert answers.gains_as_printed("ckplus", table) == said
    monkeypatch.setattr(answers.claims, "claims_table", lambda dataset: found.assign(p=0.001))
    assert "Holm" not in answers.gains_as_printed("ckplus", table)
    assert answers.gains_as_printed("ckplus", table[2:]) == ""


def unseen_subjects(table: pd.DataFrame) -> str:
    return answers.on_unseen_subjects("ckplus", table, answers.over_reference("ckplus", table))


def test_networks_stand_beside_what_learns_no_features(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    reference, names = answers.references.METHODS[-1], followed.labels()
    ends = {"mean": 0.8, "ci_low": 0.7, "ci_high": 0.9, "protocol": "subject"}
    results.write_csv(paths.RESULTS / "ckplus" / "references.csv", pd.DataFrame([{"method": reference, **ends}]))
    over = pd.DataFrame({"label": names, "verdict": ["supported", "not resolvable"], "protocol": "subject", "n": 10})
    over = over.assign(reference=reference, difference=0.05)
    monkeypatch.setattr(answers.claims, "against_references", lambda dataset: over)
    arms = [Experiment("a", "ckplus", "subject", loss="softmax")]
    arms.append(Experiment("b", "ckplus", "subject", loss="triplet", stn_lr_factor=0.1))
    monkeypatch.setattr(answers.tables, "measured", lambda dataset: arms)
    apart = {"a": " (2 initialisations: 82.00, 78.00 %)", "b": ""}
    monkeypatch.setattr(answers.initialisations, "apart", lambda arm: apart[arm.experiment])
    table = pd.DataFrame({"label": names, "part": "Table 2", **ends})
    assert answers.over_reference("ckplus", table)["alone"].tolist() == pytest.approx([0.75, 0.75])
    assert unseen_subjects(table) == (
        f"On clear faces of unseen subjects: {names[0]} 80.00 % [70.00 to 90.00] (2 initialisations: 82.00, 78.00 %); "
        f"{names[1]} 80.00 % [70.00 to 90.00]. HOG + linear SVM, without learned features, reaches 80.00 % [70.00 to "
        "90.00]; of these networks, the ones without a collapsed run, 1 is measurably better. The intervals cover "
        "other subjects, not another initialisation."
    )
    over["verdict"] = "supported"
    assert "a collapsed run, 2 are measurably better." in unseen_subjects(table)
    over["verdict"] = answers.TWO_KINDS
    said = unseen_subjects(table)
    assert said == "On unseen subjects HOG + linear SVM, without learned features, reaches 80.00 % [70.00 to 90.00]."
    assert unseen_subjects(table.assign(part="other")) == "", "none was trained as the paper's"


def test_every_page_is_linked_with_its_question():
    links = answers.read_on("ckplus").splitlines()
    assert links[1:3] == [
        "- [Table 2](02_table.html): Does the method reach the numbers it prints?",
        "- [Occlusion](03_occlusion.html): Is it robust to occlusion?",
    ]
    assert len(links) == len(answers.TITLES) - 1
