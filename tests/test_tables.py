"""Tables from results written by hand, so that every number is known beforehand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from few_results import RESNET18, SOFTMAX, TRIPLET, store

from fer_lib import paths, results
from fer_lib.experiments import Experiment
from fer_lib.findings import audit, power, tables
from fer_lib.words import wording


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
    gains = pd.concat([table.assign(oracle_gain=[0.05, 0.9]), table[:1].assign(oracle_gain=0.01)])
    said = "added 1.00 to 5.00 points (median 3.00, 2 networks without a collapsed run)"
    assert said in wording.oracle_in_short(gains), "one run of triplet has collapsed"
    assert wording.readable_oracle(table.reset_index())["n"].tolist() == ["2\xa0runs", "3\xa0runs"]
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
    assert shown["95 % interval"].tolist()[1] == "–"
    # Wilson's interval of 1 of 3, as statistics books print it.
    assert wording.collapsed_in_words(table.reset_index()) == (
        "STN + ResNet-10 + triplet (random): in 1 of 3 runs the STN collapsed (Wilson's interval 6.15 to 79.23 %); "
        "these reach 0.00 %, the others 75.00 %."
    )


def test_subject_protocol_pools_and_resamples_subjects():
    arm = Experiment("subjects", "ckplus", "subject", seeds=2)
    store(arm, [1.0, 0.75], [0, 0])
    with pytest.MonkeyPatch.context() as listed:
        listed.setattr(tables, "read_experiments", lambda: [arm])
        (row,) = tables.accuracy_table("ckplus").to_dict("records")
    # Person a is right 4 times of 4, person b 3 times; two people say nothing of a third.
    assert row["mean"] == 7 / 8 and np.isnan([row["ci_low"], row["ci_high"]]).all()
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


def test_the_machines_that_trained_are_named():
    store(SOFTMAX, [0.8, 0.8], [0, 0])
    run = results.read_run(SOFTMAX)
    assert wording.trained_on("ckplus").startswith("The runs shown here were trained on cpu: 2. Another machine")
    run["members"]["seed1-fold0"]["device"] = "other"
    results.write_run(SOFTMAX, run)
    said = wording.trained_on("ckplus")
    assert "cpu: 1; other: 1. 1 of 1 networks have runs of more than one machine. Another" in said
    run["members"]["seed1-fold0"]["device"] = "cpu (AVX2)"
    results.write_run(SOFTMAX, run)
    assert "one machine. Of cpu (AVX2) the processor's name was not recorded. Another" in wording.trained_on("ckplus")


def test_how_much_triplet_and_softmax_differ():
    store(TRIPLET, [1.0, 0.75, 0.75], [0, 0, 0])
    store(SOFTMAX, [0.75, 0.75, 0.5], [0, 0, 0])
    # Differences 1/4, 0 and 1/4: the first and the last are one frame each, of 12.
    found = power.spreads("ckplus")
    assert found[:3] == pytest.approx((1 / 48**0.5, 2 / 12, 3))
    assert found.gain[0] == pytest.approx(1 / 6) and found.gain[1] < 0 < found.gain[2]
    store(TRIPLET, [1.0, 0.75, 0.75], [0, 0, 1])
    assert power.spreads("ckplus")[2] == 0, "one has lost the face"


def test_printed_numbers_are_reached_after_the_last_or_at_the_best_epoch(monkeypatch):
    store(SOFTMAX, [1.0, 0.75, 0.9], [0, 0, 0])  # at their best epoch 1, 0.85 and 1.1
    assert audit.by_epoch("ckplus").endswith(
        "at the epoch with the best test accuracy: STN + ResNet-10 + softmax (98.96 %) 1 and 2 of 3. Choosing the "
        "epoch on the test frames is one possible way to such a number; we do not know whether it was done."
    )
    store(TRIPLET, [0.75], [0])
    assert "STN + ResNet-10 + triplet (99.44 %) none and none of 1." in audit.by_epoch("ckplus")
    monkeypatch.setattr(audit.naming, "printed", lambda arm: np.nan)
    assert audit.by_epoch("ckplus") == ""


def test_runs_that_were_also_tested_with_dropout():
    store(SOFTMAX, [0.75, 0.5], [0, 0])
    assert audit.self_agreements("ckplus").empty
    both = {"dropout_accuracy": [np.nan, 0.25], "self_agreement": [np.nan, 1.0]}
    results.write_csv(results.folder(SOFTMAX) / "metrics.csv", results.read(SOFTMAX, "metrics.csv").assign(**both))
    found = audit.self_agreements("ckplus")
    assert found.drop(columns="method").values.tolist() == [[1, 0.5, 0.25, 1]]
    folds = replace(SOFTMAX, experiment="folds", protocol="subject")
    store(folds, [0.75, 0.5], [0, 0])
    results.write_csv(results.folder(folds) / "metrics.csv", results.read(folds, "metrics.csv").assign(**both))
    with pytest.MonkeyPatch.context() as listed:
        listed.setattr(tables, "read_experiments", lambda: [SOFTMAX, folds])
        assert len(audit.self_agreements("ckplus")) == 1, "folds of subjects are no runs on the paper's split"


def test_sums_of_frames_and_of_probabilities():
    store(SOFTMAX, [0.75, 0.9], [0, 0])
    assert tables.accuracy_table("ckplus")["occluded"].item() == pytest.approx((0.375 + 0.45) / 2)
    said = pd.DataFrame({"sequence": "a", "subject": "p", "label": 0, "p_no": [0.05, 0.9, 0.9]})
    voted = tables.voted(said.assign(p_yes=1 - said["p_no"]), "sequence")
    assert voted["prediction"].item() == 0, "the surest frame is outvoted: (0.05 + 0.9 + 0.9) / 3"


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
    counts = tables.confusion_counts(SOFTMAX)
    assert counts.loc["contempt", ["anger", "contempt"]].tolist() == [4, 4] and not counts.loc["anger"].any()


def test_a_late_accuracy_is_that_of_the_last_epochs_watched(monkeypatch):
    history = pd.DataFrame({"seed": 0, "fold": 0, "epoch": range(8)})
    history["test_accuracy"] = [1, 1, 0.1, 0.2, np.nan, 0.3, 0.4, 0.5]
    monkeypatch.setattr(tables.results, "read", lambda experiment, name: history)
    assert tables.late_accuracy(SOFTMAX).to_dict() == {(0, 0): pytest.approx(0.3)}


def test_a_network_counts_once_whatever_classifies_its_embeddings(monkeypatch):
    knn = Experiment("knn", "ckplus", stn_lr_factor=0.1)
    trees, other = (
        replace(knn, experiment="trees", classifier="boosted-trees", seeds=3),
        replace(knn, experiment="b", margin=0.5),
    )
    alone = replace(knn, experiment="alone", head_layers=2, classifier="boosted-trees")
    monkeypatch.setattr(tables, "measured", lambda dataset: [trees, knn, other, alone])
    assert tables.trained_apart("ckplus") == [knn, other, alone]
