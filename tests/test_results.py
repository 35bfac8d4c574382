import gzip
import json
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_lib import paths, results
from fer_lib.experiments import Experiment, Member

EXPERIMENT = Experiment("tried", seeds=2)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    return tmp_path / "synthetic" / "tried"


def tables(accuracy):
    return {
        "predictions.csv.gz": pd.DataFrame({"frame_id": ["00007"], "subject": [""], "p_fear": [1 / 3]}),
        "occlusion.csv": pd.DataFrame({"kind": ["none"], "accuracy": [accuracy]}),
        "occluded_predictions.csv.gz": pd.DataFrame({"frame_id": ["00007"], "subject": [""], "none, none": [3]}),
        "embeddings.csv.gz": pd.DataFrame({"frame_id": ["00007"], "subject": [""], "tested": [True], "e0": [0.25]}),
        "views.csv.gz": pd.DataFrame({"frame_id": ["00007"], "subject": [""], "xx": [1.0]}),
        "attribution.csv.gz": pd.DataFrame({"map": ["Grad-CAM"], "emotion": ["fear"], "0 0": [0.5]}),
        "deletion.csv.gz": pd.DataFrame({"frame_id": ["00007"], "subject": [""], "map": ["random"], "5%": [3]}),
        "regions.csv.gz": pd.DataFrame({"frame_id": ["00007"], "subject": [""], "inside": [float("nan")]}),
        "history.csv": pd.DataFrame({"epoch": [1], "loss": [0.1], "test_accuracy": [float("nan")]}),
        "metrics.csv": pd.DataFrame({"accuracy": [accuracy]}),
    }


def add(member, accuracy):
    results.add_member(EXPERIMENT, member, tables(accuracy), {"train_seconds": 1.0})


def test_members_are_added_in_order_at_full_precision():
    results.open_folder(EXPERIMENT, "abc", "cpu")
    assert results.finished(EXPERIMENT) == []
    add(Member(1, 0), 2 / 3)
    assert results.finished(EXPERIMENT) == [Member(1, 0)]
    assert not results.is_complete(EXPERIMENT, "abc")
    add(Member(0, 0), 1.0)
    assert results.is_complete(EXPERIMENT, "abc")
    metrics = results.read(EXPERIMENT, "metrics.csv")
    assert metrics.to_dict("list") == {"seed": [0, 1], "fold": [0, 0], "accuracy": [1.0, 2 / 3]}
    predictions = results.read(EXPERIMENT, "predictions.csv.gz")
    assert predictions["frame_id"].tolist() == ["00007"] * 2 and predictions["subject"].tolist() == [""] * 2
    assert predictions["p_fear"].tolist() == [1 / 3] * 2
    assert results.read(EXPERIMENT, "history.csv")["test_accuracy"].isna().all()
    assert list(results.read_run(EXPERIMENT)["members"]) == ["seed0-fold0", "seed1-fold0"]


def test_rows_are_sorted_by_seed_first_and_a_reader_may_change_its_own():
    results.open_folder(EXPERIMENT, "abc", "cpu")
    for member in (Member(1, 0), Member(0, 1)):
        add(member, 0.5)
    for _ in range(2):
        metrics = results.read(EXPERIMENT, "metrics.csv")
        assert metrics[["seed", "fold", "accuracy"]].values.tolist() == [[0, 1, 0.5], [1, 0, 0.5]]
        metrics["accuracy"] = 1


def test_each_member_says_with_what_it_was_made(monkeypatch):
    results.open_folder(EXPERIMENT, "abc", "cpu")
    for seed, commit in enumerate("xy"):
        monkeypatch.setattr(results, "_commit", lambda commit=commit: commit)
        add(Member(seed, 0), 0.5)
    members = results.read_run(EXPERIMENT)["members"]
    assert [one["commit"] for one in members.values()] == ["x", "y"]
    assert members["seed0-fold0"]["versions"]["torch"]


def test_bytes_do_not_depend_on_the_order_of_arrival(place, tmp_path, monkeypatch):
    contents = []
    for order in ((0, 1), (1, 0)):
        monkeypatch.setattr(paths, "RESULTS", tmp_path / str(order))
        results.open_folder(EXPERIMENT, "abc", "cpu")
        for seed in order:
            add(Member(seed, 0), seed / 7)
        contents.append([(results.folder(EXPERIMENT) / name).read_bytes() for name in results.TABLES])
    assert contents[0] == contents[1]


def test_a_member_that_was_half_written_is_written_again(place):
    results.open_folder(EXPERIMENT, "abc", "cpu")
    add(Member(0, 0), 0.5)
    before = (place / "predictions.csv.gz").read_bytes()
    (place / "metrics.csv").unlink()  # as if killed just before the last file
    assert results.finished(EXPERIMENT) == []
    assert results.read(EXPERIMENT, "predictions.csv.gz").empty, "what is not finished counts nowhere"
    add(Member(0, 0), 0.5)
    assert (place / "predictions.csv.gz").read_bytes() == before


def test_run_json_tells_where_the_numbers_come_from(place):
    results.open_folder(EXPERIMENT, "abc", "cpu")
    run = json.loads((place / "run.json").read_text())
    assert (run["data_fingerprint"], run["device"], run["lr"], run["method_version"]) == ("abc", "cpu", 0.001, 1)
    assert set(run["versions"]) == set(results.PACKAGES)
    assert run["commit"]


@pytest.mark.parametrize(
    ("experiment", "fingerprint", "message"),
    [
        (Experiment("tried", lr=0.01), "abc", r"lr is 0.001 there, 0.01 here"),
        (EXPERIMENT, "xyz", r"data_fingerprint is 'abc' there, 'xyz' here"),
    ],
)
def test_results_of_something_else_are_left_alone(place, experiment, fingerprint, message):
    results.open_folder(EXPERIMENT, "abc", "cpu")
    add(Member(0, 0), 0.5)
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    with pytest.raises(
        ValueError, match=rf"holds results of other parameters or data \({message}\); give the experiment"
    ):
        results.open_folder(experiment, fingerprint, "cpu")
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before
    assert not results.is_complete(experiment, fingerprint)


def test_a_start_that_failed_does_not_hold_its_name(place):
    results.open_folder(EXPERIMENT, "abc", "cpu")
    other = Experiment("tried", lr=0.01)
    results.open_folder(other, "xyz", "cpu")
    assert results.conflicts(other, results.read_run(other), "xyz") == []
    (place / "checkpoint-seed0-fold0.pt").touch()
    with pytest.raises(ValueError, match=r"lr is 0\.01 there, 0\.001 here"):
        results.open_folder(EXPERIMENT, "xyz", "cpu")


@pytest.mark.parametrize("left", ["checkpoint-seed0-fold0.pt", "metrics.csv"])
def test_what_is_left_without_its_parameters_is_not_taken_over(place, left):
    results.open_folder(EXPERIMENT, "abc", "cpu")
    add(Member(0, 0), 0.5)
    (place / left).touch()
    for file in place.iterdir():
        if file.name != left:
            file.unlink()
    with pytest.raises(ValueError, match=rf"tried holds {left}, but no run.json says what of; restore that, or move"):
        results.open_folder(EXPERIMENT, "abc", "cpu")
    assert not (place / "run.json").exists()


def test_more_seeds_continue_the_same_results():
    results.open_folder(EXPERIMENT, "abc", "cpu")
    add(Member(0, 0), 0.5)
    more = Experiment("tried", seeds=5)
    results.open_folder(more, "abc", "cpu")
    assert results.finished(more) == [Member(0, 0)]


def test_unwritable_results(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "file")
    with pytest.raises(
        OSError, match=r"cannot write .*run.json .*make it writable, free space on the disk, or set FER_"
    ):
        results.open_folder(EXPERIMENT, "abc", "cpu")


def test_elsewhere_another_folder_is_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "results")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"cannot write .*a.md .*; make it writable, free space on the disk, or name ano"):
        results.write(tmp_path / "file" / "a.md", b"")


def test_a_failed_write_keeps_the_good_file(tmp_path, monkeypatch):
    file = tmp_path / "table.csv"
    results.write(file, b"good")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match=r"cannot write .*table.csv \(No space left on device\)"):
        results.write(file, b"bad")
    assert file.read_bytes() == b"good"


def test_a_damaged_file_is_named_with_what_to_do(place):
    results.open_folder(EXPERIMENT, "abc", "cpu")
    file = place / "predictions.csv.gz"
    for content in (b"no gzip", b""):
        file.write_bytes(content)
        with pytest.raises(ValueError, match=r"predictions.csv.gz is damaged \(.*\); restore it from git, or move its"):
            results.read(EXPERIMENT, file.name)
    file.write_bytes(gzip.compress(b"seed,fold\n0,0\n" * 999)[:-20])
    with pytest.raises(ValueError, match=r"predictions.csv.gz is damaged"):
        results.read(EXPERIMENT, file.name)
    (place / "run.json").write_text("{")
    for read in (lambda: results.read_run(EXPERIMENT), lambda: results.stored("synthetic", EXPERIMENT.experiment)):
        with pytest.raises(ValueError, match=r"run.json is damaged"):
            read()


def test_stored_parameters_come_back():
    asked = Experiment("tried", loss="joint", margin=0.3, seeds=4)
    results.open_folder(asked, "abc", "cpu")
    assert results.stored("synthetic", "tried").method == asked.method
    results.add_member(asked, Member(2, 0), {name: pd.DataFrame({"x": [1]}) for name in results.TABLES}, {})
    found = results.stored("synthetic", "tried")
    assert results.finished(found) == [Member(2, 0)], "also where those before it are not finished"
    with pytest.raises(FileNotFoundError, match=r"no results .*run.json; train the experiment with notebook 01_train"):
        results.stored("synthetic", "untried")


def test_a_commit_is_dirty_where_code_differs(tmp_path, monkeypatch):
    def git(*words):
        you = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", tmp_path, *you, *words], check=True, capture_output=True)

    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert results.provenance()["commit"] == "unknown"
    for name in ("fer_lib/run.py", "results/table.csv"):
        results.write(tmp_path / name, b"1")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    clean = results.provenance()["commit"]
    assert len(clean) == 40
    results.write(tmp_path / "results" / "table.csv", b"2")
    results.write(tmp_path / "results" / "new.csv", b"3")
    assert results.provenance()["commit"] == clean
    git("add", "results")
    assert results.provenance()["commit"] == clean
    results.write(tmp_path / "fer_lib" / "run.py", b"2")
    assert results.provenance()["commit"] == f"{clean}-dirty"


def test_a_parameter_that_results_do_not_name_had_its_default():
    given = Experiment("x", loss="softmax")
    older = {**given.method, "method_version": results.METHOD_VERSION}
    del older["pretrained"]
    assert results.conflicts(given, older) == []
    other = replace(given, pretrained="first")
    assert results.conflicts(other, older) == ["pretrained is 'none' there, 'first' here"]


def test_two_processes_do_not_train_into_one_folder():
    with results.alone(EXPERIMENT):
        message = r"another process is training into .*; wait for it, or stop it"
        with pytest.raises(ValueError, match=message), results.alone(EXPERIMENT):
            pass
        with results.alone(replace(EXPERIMENT, experiment="other")):
            pass
    with results.alone(EXPERIMENT):
        pass


def test_subjects_may_be_called_anything():
    names = ["7", "07", "nan", "None"]
    results.write_csv(paths.RESULTS / "ckplus" / "x.csv", pd.DataFrame({"subject": names, "share": [np.nan, 0, 1, 2]}))
    stored = results.of_data_set("ckplus", "x.csv")
    assert stored["subject"].tolist() == names and stored["share"].isna().tolist() == [True, False, False, False]
