import json

import numpy as np
import pandas as pd
import pytest
import torch
from few_faces import few_faces

from fer_lib import machine, paths
from fer_lib.datasets import synthetic
from fer_lib.experiments import Experiment
from fer_lib.measures import speed, speed_occlusion, speed_tried
from fer_lib.measures.speed_baseline import UsualFaces
from fer_lib.occlusion_benchmark import SUITE, WINDOWS
from fer_lib.splits import split


@pytest.fixture
def few(monkeypatch):
    torch.set_num_threads(1)
    faces = few_faces()
    monkeypatch.setattr(synthetic, "load", lambda: faces)


def test_work_of_a_training_step():
    # A backward pass is twice a forward pass, of 0.09 GFLOP for this network.
    assert speed.training_gflop(Experiment("x")) == pytest.approx(3 * 0.09, rel=0.02)
    assert speed.training_gflop(Experiment("x", backbone="resnet18")) > 0.4


def test_the_usual_way_finds_triplets():
    labels = np.arange(12) % 3
    images = np.broadcast_to((50 * (labels + 1)).astype(np.uint8)[:, None, None], (12, 48, 48))
    for i, ((anchor, positive, negative), label) in enumerate(
        UsualFaces(images, labels, triplets=True)[k] for k in range(12)
    ):
        # The erased rectangle is black, so the brightest pixel tells the class.
        shown = [round(float(face.max()) * 255 / 50) - 1 for face in (anchor, positive, negative)]
        assert shown[0] == shown[1] == label == labels[i]
        assert shown[2] != label


def test_compared_on_a_few_faces(few, monkeypatch):
    monkeypatch.setattr(speed, "_alone", lambda function: function())
    experiment = Experiment("x", epochs=2)
    table = speed.compare({"triplet": experiment}, {"ours, 2 members": 2})
    assert table["way"].tolist() == [speed.USUAL, "ours, 2 members"]
    assert table["frames"].tolist() == [3 * 69, 2 * 3 * 69]
    assert table["ratio"][0] == 1 and table["ratio"][1] > 0
    np.testing.assert_allclose(table["frames_per_second"], table["frames"] / table["seconds"])
    np.testing.assert_allclose(table["gflops"] / table["frames_per_second"], 0.268, rtol=0.01)
    assert (table["peak_memory_mb"] > 100).all()


def test_floor_of_every_precision():
    floor = speed.floor(size=256, repeats=2).set_index(["what", "threads"])["value"]
    assert floor[("matrix product, fp32", 1)] > 0.1
    assert np.isfinite(floor).all()


def test_every_change_to_a_step_trains(monkeypatch):
    without_compiler = {name: said for name, said in speed_tried.PREDICTED.items() if name != "torch.compile"}
    monkeypatch.setattr(speed_tried, "PREDICTED", without_compiler)
    table = speed_tried.tried(seconds=0.01, rounds=1)
    assert table["change"].tolist() == list(without_compiler)
    timed = table["change"].map(speed_tried._possible)
    assert (table["measured"][timed] > 0).all() and table["measured"][~timed].isna().all()
    assert machine.device() == "cuda" or timed[table["change"] == "bf16 autocast"].item() == machine.has_avx512()


def test_stored_times_in_words(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    assert speed.measured() == []
    folder = tmp_path / "speed" / "some-machine"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"machine": "some machine", "gflop_per_frame": 0.25}))
    floor = {"what": ["matrix product, fp32"] * 2, "threads": [1, 2], "value": [100.0, 200.0], "unit": "GFLOP/s"}
    pd.DataFrame(floor).to_csv(folder / "floor.csv")
    row = {"loss": "triplet", "way": speed.TEN, "members": 10, "frames_per_second": 400.0, "ratio": 4.0}
    row |= {"peak_memory_mb": 1500.0, "joules_per_1000_frames": np.nan}
    pd.DataFrame([row, {**row, "way": speed.ONE, "members": 1, "ratio": 1.25}]).to_csv(folder / "compare.csv")
    assert speed.measured() == [folder]
    assert speed.limit(folder) == 800
    assert speed.readable(folder).iloc[0].tolist() == [
        "triplet",
        "this study, 10 runs",
        "400",
        "4.00",
        "50",
        "1.50",
    ], "without the energy, which this machine does not tell"
    # 10 members x 100 epochs x 800 triplets of 3 frames at 400 frames a second are 6000 s.
    assert speed.answer(folder).endswith(
        "take 100 minutes, at 50% of the hardware limit. Together they train 4.0 times as many frames per second as "
        "one standard loop, and one run alone 1.25 times as many."
    )
    tried = {"change": ["stacked, 2 members"], "predicted": [0.9], "measured": [np.nan], "why": ["no larger"]}
    pd.DataFrame(tried).to_csv(folder / "tried.csv")
    assert speed.readable_tried(folder).iloc[0].tolist() == ["stacked, 2 runs", "0.90", "–", "no larger"]


def test_memory_is_that_of_this_process():
    before = machine.peak_memory()
    block = np.ones(50_000_000)
    assert machine.peak_memory() >= max(before, block.nbytes / 1e6)


def test_the_benchmark_of_two_runs_is_timed(few):
    table = speed_occlusion.suite({"triplet": Experiment("x"), "softmax": Experiment("x", loss="softmax")}, folds=2)
    assert table["loss"].tolist() == ["triplet", "softmax"] and (table["members"] == 2).all()
    tested = sum(len(split(few_faces(), "subject", fold=fold).test) for fold in range(2))
    assert (table["faces"] == tested).all()
    # Clean faces and every position of the sliding square once, and each occlusion once.
    assert (table["images"] == tested * (1 + len(WINDOWS) + len(SUITE))).all()
    assert (table["network_seconds"] > 0).all() and (table["network_seconds"] < table["seconds"]).all()


def test_the_time_of_the_benchmark_in_words(tmp_path):
    assert speed_occlusion.answer(speed_occlusion.stored(tmp_path)) == ""
    row = {"loss": "triplet", "members": 10, "faces": 100, "images": 10000, "seconds": 50.0, "network_seconds": 40.0}
    pd.DataFrame([row, {**row, "loss": "softmax", "seconds": 45.0}]).to_csv(tmp_path / "occlusion.csv", index=False)
    table = speed_occlusion.stored(tmp_path)
    assert speed_occlusion.readable(table).iloc[0].tolist() == ["triplet", 10, 100, "100", "50", "200", "1.25"]
    assert speed_occlusion.answer(table) == (
        "- The occlusion benchmark of 10 runs, on 100 faces, takes 50 seconds (triplet), 1.25 times what its networks "
        "alone take."
    )
