"""Tables from results written by hand, so that every number is known beforehand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_lib import paths, results, stats
from fer_lib.experiments import Experiment, Member
from fer_lib.findings import audit, claims, power, tables
from fer_lib.measures.references import METHODS
from fer_lib.words import rounding, wording

SOFTMAX = Experiment("softmax", "ckplus", loss="softmax", seeds=3)
TRIPLET = Experiment("triplet", "ckplus", seeds=3)
RESNET18 = Experiment("resnet18", "ckplus", loss="softmax", backbone="resnet18", seeds=3)


def store(experiment, accuracies, outside):
    results.open_folder(experiment, "abc", "cpu")
    for seed, (accuracy, share) in enumerate(zip(accuracies, outside, strict=True)):
        frames = 4 if 4 * accuracy % 1 == 0 else 200
        right = round(frames * accuracy)
        made = {name: pd.DataFrame() for name in results.TABLES} | {
            "predictions.csv.gz": pd.DataFrame(
                {
                    "frame_id": [f"frame {i}" for i in range(frames)],
                    "subject": np.repeat(["a", "b"], frames // 2),
                    "label": 1,
                    "prediction": [1] * right + [0] * (frames - right),
                    "p_anger": 0.5,
                    "p_contempt": 0.5,
                }
            ),
            "occlusion.csv": pd.DataFrame(
                {"kind": ["rectangle"], "fill": ["black"], "n": frames, "accuracy": [accuracy / 2]}
            ),
            "history.csv": pd.DataFrame(
                {
                    "epoch": [99, 100],
                    "loss": [2.0, 1.0],
                    "grid_outside": [0.9, share],
                    "test_accuracy": [accuracy + 0.1 * seed, accuracy],
                }
            ),
            "metrics.csv": pd.DataFrame({"accuracy": [accuracy], "macro_f1": [accuracy]}),
        }
        results.add_member(experiment, Member(seed, 0), made, {"train_seconds": 60, "frames_per_second": 100})


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    for module in (tables, wording):
        monkeypatch.setattr(module, "read_experiments", lambda: [SOFTMAX, TRIPLET, RESNET18])


def test_accuracy_table():
    store(TRIPLET, [1.0, 0.5, 0.0], [0, 0, 1])
    store(SOFTMAX, [0.75, 0.75], [0, 0])
    table = tables.accuracy_table("ckplus").set_index("experiment")
    assert list(table.index) == ["softmax", "triplet"]
    row = table.loc["triplet"]
    assert (row["mean"], row["n"], row["collapsed"], row["kept_mean"], row["occluded"]) == (0.5, 3, 1, 0.75, 0.25)
    assert pd.isna(row["ci_low"]) and pd.isna(row["ci_high"]), "one member has collapsed"
    assert row["printed"] == pytest.approx(0.9944)
    assert (table.loc["softmax", "n"], table.loc["softmax", "of"]) == (2, 3)
    shown = wording.readable(table.reset_index())
    assert shown["n"].tolist() == ["2 of 3", "3"]
    # Two members gained 0 and 0.1 by their better last but one epoch.
    assert table.loc["softmax", "oracle_gain"] == pytest.approx(0.05)
    assert wording.readable_oracle(table.reset_index())["n"].tolist() == ["2 runs", "3 runs"]
    assert (table.loc["softmax", "worst_class"], table.loc["softmax", "worst_recall"]) == ("contempt", 0.75)
    assert wording.not_run("ckplus").startswith("So far 5 of the 9 runs in `experiments.csv` are done;")
    assert wording.readable_unfinished(tables.unfinished("ckplus")).to_numpy().tolist() == [
        ["Table 2", "STN + ResNet-10 + softmax", "1 of 3"],
        ["Table 2", "STN + ResNet-18 + softmax", "3 of 3"],
    ]
    twice = pd.concat([tables.unfinished("ckplus")] * 2)
    assert wording.readable_unfinished(twice)["random"].tolist() == ["1 of 3, 1 of 3", "3 of 3, 3 of 3"]
    assert shown["worst class"].tolist() == ["75.00 contempt", "50.00 contempt"]
    assert shown["printed"].tolist() == ["98.96", "99.44"]
    assert shown["ours"].tolist() == ["75.00", "50.00"]
    assert [values.tolist() for values in tables.member_accuracies(table.reset_index(), "ckplus")] == [
        [0.75, 0.75],
        [1.0, 0.5, 0.0],
    ]
    answer = wording.answer(table.reset_index())
    collapsed = "in 1 of 3 runs the STN collapsed"
    assert f"{collapsed}; these reach 0.00 %, the others 75.00 %; the paper prints 99.44 %." in answer
    assert "75.00 %, n = 2; the paper prints 98.96 %." in answer
    assert shown["95 % interval"].tolist()[1] == "–"
    # Wilson's interval of 1 of 3, as statistics books print it.
    assert wording.collapsed_in_words(table.reset_index()) == (
        f"STN + ResNet-10 + triplet (random): {collapsed} (Wilson's interval 6.15 to 79.23 %); these reach 0.00 %, the "
        "others 75.00 %."
    )


def test_when_the_stn_collapsed():
    columns = ["experiment", "seed", "fold", "epoch", "grid_outside"]
    rows = [("a", 0, 0, 1, 0.9), ("a", 0, 0, 2, 1.0), ("a", 1, 0, 1, 0.4), ("a", 1, 0, 2, 1.0)]
    assert wording.collapsed_early(pd.DataFrame(rows, columns=columns)) == (
        "In 2 runs of this page the STN collapsed: after the first epoch 40.00 to 90.00 % of the grid lay outside the "
        "image, from epoch 2 on more than 90 % in all of them."
    )
    assert wording.collapsed_early(pd.DataFrame(columns=columns)) == ""
    store(TRIPLET, [1.0, 0.5, 0.0], [0, 0, 1])
    found = tables.while_collapsed([TRIPLET])
    assert found[["experiment", "seed"]].drop_duplicates().values.tolist() == [["triplet", 2]]


def test_a_printed_number_is_judged_by_what_one_more_run_may_give():
    # 0.969 -+ t(0.975, 2) = 4.3027 times 0.001 times the root of 1 + 1/3
    may_give = "what one more run may give (96.40 to 97.40)."
    store(RESNET18, [0.97, 0.968, 0.969], [0, 0, 0])
    assert f"prints 96.87 %, within {may_give}" in wording.answer(tables.accuracy_table("ckplus"))
    store(SOFTMAX, [0.97, 0.968, 0.969], [0, 0, 0])
    said = wording.answer(tables.accuracy_table("ckplus"))
    assert f"prints 98.96 %, outside {may_give}" in said


def test_subject_protocol_pools_and_resamples_subjects():
    arm = Experiment("subjects", "ckplus", "subject", seeds=2)
    store(arm, [1.0, 0.75], [0, 0])
    with pytest.MonkeyPatch.context() as listed:
        listed.setattr(tables, "read_experiments", lambda: [arm])
        (row,) = tables.accuracy_table("ckplus").to_dict("records")
    # Person a is right 4 times of 4, person b 3 times; of two resampled subjects both may be b.
    assert (row["mean"], row["ci_low"], row["ci_high"]) == (7 / 8, 3 / 4, 1)
    assert (row["n"], row["of"], row["trainings"]) == (2, 2, 1)
    with pytest.MonkeyPatch.context() as listed:
        listed.setattr(tables, "read_experiments", lambda: [replace(arm, seeds=1)])
        assert tables.accuracy_table("ckplus")["of"].tolist() == [2], "two were trained, though one is planned now"


def test_a_fold_that_lost_the_face_leaves_a_mean_without_an_interval():
    arm = Experiment("subjects", "ckplus", "subject", seeds=2)
    store(arm, [1.0, 0.75], [0, 1])
    with pytest.MonkeyPatch.context() as listed:
        listed.setattr(tables, "read_experiments", lambda: [arm])
        (row,) = tables.accuracy_table("ckplus").to_dict("records")
    assert (row["mean"], row["collapsed"], row["collapsed_mean"]) == (7 / 8, 1, 0.75)
    assert pd.isna([row["ci_low"], row["ci_high"]]).all()


def test_claims_on_subjects_have_no_ends_where_a_fold_lost_the_face(monkeypatch):
    arms = [replace(arm, protocol="subject", seeds=2) for arm in (TRIPLET, SOFTMAX)]
    monkeypatch.setattr(tables, "read_experiments", lambda: arms)
    store(arms[0], [1.0, 0.25], [0, 1])
    store(arms[1], [0.75, 0.75], [0, 0])
    found, kept = claims.claims_table("ckplus").to_dict("records")
    assert found["verdict"] == stats.TWO_KINDS and found["difference"] == pytest.approx(-1 / 8)
    # Both of softmax's initialisations count beside the one of triplet that kept the face.
    assert (kept["difference"], kept["pairs"]) == (0.25, "subjects in 1 fold (1 and 2 runs)")
    assert pd.isna([found[name] for name in ("ci_low", "ci_high", "trained_low", "trained_high", "p")]).all()
    assert "[" not in rounding.in_points(pd.Series(found))


def test_a_claim_of_which_no_pair_of_runs_kept_the_face_stands_there_once():
    store(TRIPLET, [0.9, 0.1], [0, 1])
    store(SOFTMAX, [0.1, 0.8], [1, 0])
    (found,) = claims.claims_table("ckplus").to_dict("records")
    assert found["verdict"] == stats.TWO_KINDS
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


def test_the_machines_that_trained_are_named():
    store(SOFTMAX, [0.8, 0.8], [0, 0])
    run = results.read_run(SOFTMAX)
    assert wording.trained_on("ckplus").startswith("Runs were trained on cpu: 2. Another machine")
    run["members"]["seed1-fold0"]["device"] = "other"
    results.write_run(SOFTMAX, run)
    said = wording.trained_on("ckplus")
    assert "cpu: 1; other: 1. On more than one machine: STN + ResNet-10 + softmax (random)." in said


def test_two_kinds_of_outcome_have_a_mean_and_no_interval():
    store(TRIPLET, [0.9, 0.1, 0.6], [0, 1, 0])
    store(SOFTMAX, [0.8, 0.8, 0.7], [0, 0, 0])
    table = claims.claims_table("ckplus")
    found, kept = table.to_dict("records")
    assert found["difference"] == pytest.approx(-0.7 / 3) and found["verdict"] == stats.TWO_KINDS
    assert pd.isna([found["ci_low"], found["p"], found["late_low"]]).all()
    assert kept["claim"] == "triplet loss beats softmax, collapsed runs left out"
    assert (kept["difference"], kept["n"], kept["verdict"]) == (pytest.approx(0), 2, "not resolvable"), "+0.1 and -0.1"
    assert kept["late"] == pytest.approx(0) and kept["ci_low"] < 0 < kept["ci_high"]
    assert wording.claims_in_words(table) == (
        "- **Triplet loss beats softmax** (printed: +0.48 points): protocol random "
        f"{rounding.gained(pd.Series(kept))}, not resolvable (STN + ResNet-10 + triplet, collapsed runs left out)."
    )
    assert wording.late_in_words(table).endswith(
        "Its mean over the last 5 logged epochs gives the same verdict in 2 of 2 comparisons on clear faces."
    )
    shown = wording.readable_claims(table).iloc[0]
    assert shown[["verdict", "ours", "p (Holm)"]].tolist() == ["two kinds of outcome", "-23.33", "–"]


def test_of_several_comparisons_that_of_a_followed_network_is_told():
    store(TRIPLET, [0.9, 0.8, 0.7], [0, 0, 0])
    store(SOFTMAX, [0.8, 0.8, 0.7], [0, 0, 0])
    (found,) = claims.claims_table("ckplus").to_dict("records")
    slow = f"{found['better']} (STN rate × 0.1)"
    table = pd.DataFrame([found, {**found, "better": slow}, {**found, "better": "another"}])
    assert wording.claims_in_words(table).endswith(f"({slow}).")


def test_a_collapsed_run_that_only_one_arm_has_does_not_count():
    store(TRIPLET, [0.9, 0.1], [0, 1])
    store(SOFTMAX, [0.8], [0])
    (found,) = claims.claims_table("ckplus").to_dict("records")
    assert (found["n"], found["verdict"], found["late_verdict"]) == (1, stats.ONE_TRAINING, stats.ONE_TRAINING)
    alone = results.read(SOFTMAX, "metrics.csv").assign(seed=2)
    results.write_csv(results.folder(SOFTMAX) / "metrics.csv", alone)
    assert claims.claims_table("ckplus").empty, "no member in common"


def test_how_much_triplet_and_softmax_differ():
    store(TRIPLET, [1.0, 0.75, 0.75], [0, 0, 0])
    store(SOFTMAX, [0.75, 0.75, 0.5], [0, 0, 0])
    # Differences 1/4, 0 and 1/4: the first and the last are one frame each, of 12.
    assert power.spreads("ckplus")[:3] == pytest.approx((1 / 48**0.5, 2 / 12, 3))
    store(TRIPLET, [1.0, 0.75, 0.75], [0, 0, 1])
    assert power.spreads("ckplus")[2] == 0, "one has lost the face"


def test_runs_that_were_also_tested_with_dropout():
    store(SOFTMAX, [0.75, 0.5], [0, 0])
    assert audit.self_agreements("ckplus").empty
    both = {"dropout_accuracy": [np.nan, 0.25], "self_agreement": [np.nan, 1.0]}
    results.write_csv(results.folder(SOFTMAX) / "metrics.csv", results.read(SOFTMAX, "metrics.csv").assign(**both))
    found = audit.self_agreements("ckplus")
    assert found.drop(columns="method").values.tolist() == [[1, 0.5, 0.25, 1]]


def test_sums_of_frames_and_of_probabilities():
    store(SOFTMAX, [0.75, 0.9], [0, 0])
    # 0.375 of 4 frames and 0.45 of 200.
    assert tables.accuracy_table("ckplus")["occluded"].item() == pytest.approx(91.5 / 204)
    said = pd.DataFrame({"sequence": "a", "subject": "p", "label": 0, "p_no": [0.05, 0.9, 0.9]})
    voted = tables.voted(said.assign(p_yes=1 - said["p_no"]), "sequence")
    assert voted["prediction"].item() == 0, "the surest frame is outvoted: (0.05 + 0.9 + 0.9) / 3"


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
    assert (row["difference"], row["ci_low"], row["ci_high"]) == (0.25, 0, 0.5)
    assert (row["n"], row["pairs"], row["p"]) == (2, "subjects in 1 fold (2 and 2 runs)", 1)


def test_nothing_measured_is_said():
    with pytest.raises(ValueError, match=r"no finished experiment of ckplus in .*; train one with 01_train"):
        tables.accuracy_table("ckplus")


def test_results_of_an_older_method_are_left_out():
    store(SOFTMAX, [0.5], [0])
    results.write_run(SOFTMAX, {**results.read_run(SOFTMAX), "method_version": 0})
    with pytest.raises(ValueError, match="no finished experiment"):
        tables.accuracy_table("ckplus")


def test_what_figures_show_as_tables():
    store(SOFTMAX, [0.75, 0.25], [0, 0.5])
    members = tables.with_members(tables.accuracy_table("ckplus"), "ckplus")
    assert members[["seed", "accuracy", "mean"]].to_numpy().tolist() == [[0, 0.75, 0.5], [1, 0.25, 0.5]]
    curves = tables.learning_curves([SOFTMAX]).set_index(["quantity", "epoch"])
    assert not curves["collapsed"].any()
    assert curves.loc[("grid_outside", 100), ["mean", "min", "max"]].tolist() == [0.25, 0, 0.5]
    assert curves.loc[("test_accuracy", 100), ["mean", "min", "max"]].tolist() == [0.5, 0.25, 0.75]
    cells = tables.confusions([SOFTMAX]).set_index(["true", "predicted"])["frames"]
    assert cells.to_dict() == {
        ("anger", "anger"): 0,
        ("anger", "contempt"): 0,
        ("contempt", "anger"): 4,
        ("contempt", "contempt"): 4,
    }


def test_a_late_accuracy_is_that_of_the_last_epochs_watched(monkeypatch):
    history = pd.DataFrame({"seed": 0, "fold": 0, "epoch": range(8)})
    history["test_accuracy"] = [1, 1, 0.1, 0.2, np.nan, 0.3, 0.4, 0.5]
    monkeypatch.setattr(tables.results, "read", lambda experiment, name: history)
    assert tables.late_accuracy(SOFTMAX).to_dict() == {(0, 0): pytest.approx(0.3)}
