"""Claims compared from results written by hand, so that every number is known beforehand."""

from dataclasses import replace

import pandas as pd
import pytest
from few_results import RESNET18, SOFTMAX, TRIPLET, store

from fer_lib import paths, results
from fer_lib.comparisons import ONE_TRAINING, TWO_KINDS
from fer_lib.findings import claims, followed, tables
from fer_lib.measures.references import METHODS
from fer_lib.words import rounding, wording


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    for module in (tables, wording):
        monkeypatch.setattr(module, "read_experiments", lambda: [SOFTMAX, TRIPLET, RESNET18])


def test_claims_on_subjects_have_no_ends_where_a_fold_lost_the_face(monkeypatch):
    arms = [replace(arm, protocol="subject", seeds=2) for arm in (TRIPLET, SOFTMAX)]
    monkeypatch.setattr(tables, "read_experiments", lambda: arms)
    store(arms[0], [1.0, 0.25], [0, 1])
    store(arms[1], [0.75, 0.75], [0, 0])
    found, kept = claims.claims_table("ckplus").to_dict("records")
    assert found["verdict"] == TWO_KINDS and found["difference"] == pytest.approx(-1 / 8)
    # Both of softmax's initialisations count beside the one of triplet that kept the face.
    assert (kept["difference"], kept["pairs"]) == (0.25, "subjects in 1 fold (1 and 2 runs)")
    assert pd.isna([found[name] for name in ("ci_low", "ci_high", "trained_low", "trained_high", "p")]).all()
    assert "[" not in rounding.in_points(pd.Series(found))


def test_a_claim_of_which_no_pair_of_runs_kept_the_face_stands_there_once():
    store(TRIPLET, [0.9, 0.1], [0, 1])
    store(SOFTMAX, [0.1, 0.8], [1, 0])
    (found,) = claims.claims_table("ckplus").to_dict("records")
    assert found["verdict"] == TWO_KINDS
    said = wording.claims_in_words(claims.claims_table("ckplus"))
    assert said.endswith("(printed: +0.48 points): protocol random two kinds of outcome.")


def test_claims_are_paired_by_member():
    store(TRIPLET, [0.9, 0.85, 0.65], [0, 0, 0])
    store(SOFTMAX, [0.8, 0.7, 0.6], [0, 0, 0])
    store(RESNET18, [0.95, 0.55, 0.6], [0, 0, 0])
    found = claims.claims_table("ckplus").set_index("claim")
    triplet = found.loc["triplet loss beats softmax"]
    # Differences 0.1, 0.15, 0.05: mean 0.1, standard deviation 0.05, 181 test frames for 800, t(0.975, 2) = 4.3.
    assert (triplet["difference"], triplet["n"], triplet["verdict"]) == (pytest.approx(0.1), 3, "not resolvable")
    assert triplet["ci_low"] == pytest.approx(0.1 - 4.3027 * 0.05 * (1 / 3 + 181 / 800) ** 0.5, abs=1e-5)
    cut = found.loc["the cut ResNet beats ResNet-18"]
    assert cut["difference"] == pytest.approx(0)
    assert cut["verdict"] == "not resolvable"
    assert cut["printed"] == 0.0209
    # Watched one epoch earlier, members 1 and 2 were 0.1 and 0.2 better, in either arm: over both the same.
    assert triplet["late"] == pytest.approx(0.1) and triplet["late_low"] == pytest.approx(triplet["ci_low"])


def test_two_kinds_of_outcome_have_a_mean_and_no_interval():
    store(TRIPLET, [0.9, 0.1, 0.6], [0, 1, 0])
    store(SOFTMAX, [0.8, 0.8, 0.7], [0, 0, 0])
    table = claims.claims_table("ckplus")
    found, kept = table.to_dict("records")
    assert found["difference"] == pytest.approx(-0.7 / 3) and found["verdict"] == TWO_KINDS
    assert pd.isna([found["ci_low"], found["p"], found["late_low"]]).all()
    assert kept["claim"] == "triplet loss beats softmax, collapsed runs left out"
    assert (kept["difference"], kept["n"], kept["verdict"]) == (pytest.approx(0), 2, "not resolvable"), "+0.1 and -0.1"
    assert kept["late"] == pytest.approx(0) and kept["ci_low"] < 0 < kept["ci_high"]
    assert wording.claims_in_words(table) == (
        "- **Triplet loss beats softmax** (printed: +0.48 points): protocol random "
        f"{rounding.gained(pd.Series(kept))}, not resolvable (STN + ResNet-10 + triplet, collapsed runs left out)."
    )
    assert wording.late_in_words(table).endswith(
        "Its mean over the last 5 logged epochs gives the same verdict in 1 of 1 comparisons on clear faces that have "
        "an interval."
    )
    shown = wording.readable_claims(table).iloc[0]
    assert shown[["verdict", "ours", "p (Holm)"]].tolist() == ["two kinds of outcome", "-23.33", "–"]


def test_of_several_comparisons_those_of_the_proposed_and_of_a_followed_network_are_told():
    store(TRIPLET, [0.9, 0.8, 0.7], [0, 0, 0])
    store(SOFTMAX, [0.8, 0.8, 0.7], [0, 0, 0])
    (found,) = claims.claims_table("ckplus").to_dict("records")
    slow = f"{found['better']} (STN rate × 0.1)"
    table = pd.DataFrame([found, {**found, "better": slow}, {**found, "better": "another"}])
    said = wording.claims_in_words(table)
    assert found["better"] == followed.PROPOSED
    assert f"({followed.PROPOSED}) and " in said and said.endswith(f"({slow})."), "another is in the table alone"


def test_a_collapsed_run_that_only_one_arm_has_does_not_count():
    store(TRIPLET, [0.9, 0.1], [0, 1])
    store(SOFTMAX, [0.8], [0])
    (found,) = claims.claims_table("ckplus").to_dict("records")
    assert (found["n"], found["verdict"], found["late_verdict"]) == (
        1,
        ONE_TRAINING,
        ONE_TRAINING,
    )
    alone = results.read(SOFTMAX, "metrics.csv").assign(seed=2)
    results.write_csv(results.folder(SOFTMAX) / "metrics.csv", alone)
    assert claims.claims_table("ckplus").empty, "no member in common"


def test_a_network_beside_what_learns_no_features():
    random, folds = SOFTMAX, replace(SOFTMAX, experiment="folds", protocol="subject", seeds=2)
    store(random, [0.5, 1.0], [0, 0])
    store(folds, [1.0, 0.5], [0, 0])
    own = results.read(random, "predictions.csv.gz")
    said = [own.assign(protocol="random", method=name, prediction=1) for name in METHODS]
    said += [own[own["seed"] == 0].assign(protocol="subject", method=name, prediction=1) for name in METHODS]
    assert claims.against_references("ckplus").empty, "none was asked"
    results.write_csv(paths.RESULTS / "ckplus" / "reference_predictions.csv.gz", pd.concat(said))
    with pytest.MonkeyPatch.context() as listed:
        listed.setattr(tables, "read_experiments", lambda: [random, folds])
        found = claims.against_references("ckplus")
    assert found["reference"].tolist() == list(METHODS[1:]) * 2
    # The reference is right on every frame.
    assert found["difference"].tolist() == pytest.approx([-0.25] * 4)
    assert found["pairs"].tolist() == ["runs"] * 2 + ["subjects in 1 fold (2 runs)"] * 2, (
        "its one answer stands for both seeds"
    )
    shown = wording.readable_comparisons(found, "protocol", "label", "reference")
    assert shown["reference"].iloc[0] == METHODS[1] and shown["gain"].iloc[0].startswith("-25.00 [")


def test_occlusion_is_claimed_on_clear_and_on_occluded_faces():
    clear = replace(SOFTMAX, experiment="clear", occlusion="none")
    store(SOFTMAX, [0.5, 1.0], [0, 0])
    store(clear, [0.25, 0.5], [0, 0])
    rows = [
        ("training with occlusion helps on clear faces", 0.375),
        ("training with occlusion helps on faces occluded as in training", 0.1875),
    ]
    with pytest.MonkeyPatch.context() as listed:
        listed.setattr(tables, "read_experiments", lambda: [SOFTMAX, clear])
        found = claims.claims_table("ckplus")
    assert list(zip(found["claim"], found["difference"], strict=True)) == rows
    assert found["printed"].isna().all() and found["pairs"].tolist() == ["runs", "runs"]
    assert found["late"].isna().tolist() == [False, True], "occluded faces are not watched in training"


def test_under_the_subject_protocol_subjects_are_paired():
    arms = [replace(arm, protocol="subject") for arm in (SOFTMAX, TRIPLET)]
    store(arms[0], [0.5, 0.5], [0, 0])
    store(arms[1], [1.0, 0.5], [0, 0])
    with pytest.MonkeyPatch.context() as listed:
        listed.setattr(tables, "read_experiments", lambda: arms)
        (row,) = claims.claims_table("ckplus").to_dict("records")
    # Person a gains 0 of 2 frames, person b 1 of 2, over both initialisations.
    assert (row["difference"], row["n"], row["pairs"]) == (0.25, 2, "subjects in 1 fold (2 and 2 runs)")
    assert pd.isna([row["ci_low"], row["p"]]).all(), "of two people"


def test_networks_better_than_a_reference_are_counted():
    table = pd.DataFrame(
        {"reference": ["1-NN"] * 3 + ["HOG"] * 2, "protocol": ["random", "random", "subject"] + ["random"] * 2}
    )
    table["verdict"] = ["supported", "contradicted", "not resolvable", "not resolvable", "supported"]
    assert wording.over_references_in_words(table) == (
        "- Measurably better than 1-NN: 1 of 2 under random, 1 worse; none of 1 under subject.\n"
        "- Measurably better than HOG: 1 of 2 under random."
    )
