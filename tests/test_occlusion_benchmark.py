import hashlib
import re

import numpy as np
import pandas as pd
import pytest
import torch
from few_faces import few_faces
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from fer_lib import landmarks, paths
from fer_lib.figures import occlusion_plots
from fer_lib.landmarks import Landmarks
from fer_lib.measures.references import hog_features
from fer_lib.occlusion import draw_rectangles
from fer_lib.occlusion_benchmark import (
    CLEAN,
    FILLS,
    PAPER,
    SUITE,
    TARGETED,
    WINDOWS,
    Occlusion,
    OcclusionBenchmark,
    cover_patches,
    part_of_face,
    window_name,
)

COVERED = {("square", 8): 64, ("square", 16): 256, ("square", 24): 576, ("upper", 0): 1152, ("lower", 0): 1152,
           ("left", 0): 1152, ("right", 0): 1152, ("patches", 0.1): 14 * 16, ("patches", 0.25): 36 * 16,
           ("patches", 0.4): 58 * 16, ("patches", 0.5): 72 * 16, ("salt and pepper", 0.1): 230,
           ("salt and pepper", 0.25): 576, ("salt and pepper", 0.5): 1152}  # fmt: skip
"""Pixels of 2304 that each must cover."""


@pytest.fixture(scope="module")
def faces():
    return few_faces()


@pytest.fixture(scope="module")
def benchmark(faces):
    return OcclusionBenchmark(faces.images)


def test_severity_is_exact_to_the_pixel(benchmark):
    for occlusion in SUITE:
        if (occlusion.kind, occlusion.level) in COVERED:
            pixels = benchmark.masks(occlusion).sum(axis=(1, 2))
            assert (pixels == COVERED[occlusion.kind, occlusion.level]).all(), occlusion
            assert benchmark.severity(occlusion) == COVERED[occlusion.kind, occlusion.level] / 48**2
    assert {one.kind for one in SUITE} - {kind for kind, _ in COVERED} == {"rectangle", "eyes", "mouth", "targeted"}


def test_the_rectangle_is_the_papers(benchmark):
    top, left, height, width = draw_rectangles(np.random.default_rng(0), 84)[5]
    expected = np.zeros((48, 48), bool)
    expected[top : top + height, left : left + width] = True
    assert (benchmark.masks(PAPER)[5] == expected).all()


def test_only_what_is_covered_changes_and_shows_the_fill(faces, benchmark):
    for fill in FILLS:
        covered, mask = benchmark.occluded(Occlusion("square", fill, 24))
        assert (covered[~mask] == faces.images[~mask]).all()
    black, mask = benchmark.occluded(Occlusion("square", "black", 24))
    assert (black[mask] == 0).all()
    mean, mask = benchmark.occluded(Occlusion("eyes", "mean"), [3])
    assert (mean[mask] == np.floor(faces.images[3].mean() + 0.5)).all()
    other, mask = benchmark.occluded(Occlusion("upper", "face"), [3])
    assert sum((face[:24] == other[0, :24]).all() for face in np.delete(faces.images, 3, axis=0)) == 1
    others = benchmark.occluded(Occlusion("upper", "face"))[0]
    assert (others != faces.images).any(axis=(1, 2)).all(), "no face is covered by itself"
    two, mask = benchmark.occluded(TARGETED[0], [7, 2], np.zeros((2, 12, 12)))
    assert two[mask].reshape(2, -1)[:, 0].tolist() == [int(faces.images[i].mean() + 0.5) for i in (7, 2)]
    salted, mask = benchmark.occluded(Occlusion("salt and pepper", "black or white", 0.5))
    assert set(np.unique(salted[mask])) == {0, 255}
    noise, mask = benchmark.occluded(Occlusion("lower", "noise"))
    assert abs(noise[mask].mean() - 127.5) < 1 and noise[mask].max() == 255


def test_the_same_for_every_model_subset_and_machine(faces, benchmark):
    again = OcclusionBenchmark(faces.images)
    for occlusion in SUITE:
        if occlusion not in TARGETED:
            some = benchmark.occluded(occlusion, [7, 2])[0]
            assert (again.occluded(occlusion)[0][[7, 2]] == some).all(), occlusion
    patches = np.packbits(benchmark.masks(Occlusion("patches", "black", 0.25))).tobytes()
    assert hashlib.sha256(patches).hexdigest()[:16] == "4b05b4dd3b97bdf0", "not the stored results' masks"


def test_targeted_covers_what_a_model_relies_on(faces, benchmark):
    """A model that looks at one patch only: the grey square over it takes its confidence, and `targeted` finds it."""

    def looks_at_one_patch(images):
        bright = images[:, 20:24, 32:36].mean(axis=(1, 2)) / 255
        return np.stack([bright, 1 - bright], axis=1)

    images = np.full((4, 48, 48), 40, np.uint8)
    images[:, 20:24, 32:36] = 255
    own = OcclusionBenchmark(images)
    drops, windows = own.slide(looks_at_one_patch)
    # The faces' mean grey, (2288 * 40 + 16 * 255) / 2304, is 41: all confidence in the class but so much is lost.
    assert drops[:, 5, 8] == pytest.approx([1 - 41 / 255] * 4)
    found = own.occluded(TARGETED[0], drops=drops)[1]
    assert found[:, 20:24, 32:36].all() and (found.sum(axis=(1, 2)) == 14 * 16).all()
    over = [name for (top, left) in WINDOWS if windows[name := window_name(top, left)][0] == 1]
    assert over == ["window 8 24", "window 8 32", "window 16 24", "window 16 32"]


def test_patches_of_highest_priority():
    priority = np.arange(144.0).reshape(1, 12, 12)
    mask = cover_patches(priority, 0.01)
    assert mask.sum() == 16 and mask[0, 44:, 44:].all()
    assert cover_patches(np.zeros((1, 12, 12)), 0.01)[0, :4, :4].all(), "among equals the first"


def test_scores_a_foreign_model(faces, benchmark):
    model = make_pipeline(FunctionTransformer(hog_features), LogisticRegression(max_iter=200))
    train, test = np.arange(0, 84, 2), np.arange(1, 84, 2)
    model.fit(faces.images[train], faces.labels[train])
    predictions = benchmark.predictions(model.predict_proba, test)
    assert next(iter(predictions)) == str(CLEAN) and len(predictions.columns) == 1 + len(SUITE) + len(WINDOWS)
    table = benchmark.accuracies(predictions, faces.labels[test], test)
    assert table.loc[0, "accuracy"] == model.score(faces.images[test], faces.labels[test])
    by_hand = model.predict(benchmark.occluded(Occlusion("upper", "noise"), test)[0]) == faces.labels[test]
    assert table.query("kind == 'upper' and fill == 'noise'")["accuracy"].item() == by_hand.mean()
    assert (table["n"] == 42).all() and table["severity"].between(0, 0.5).all()


def test_eyes_and_mouth_are_where_they_are_darkest():
    images = np.full((2, 48, 48), 200, np.uint8)
    images[:, 17:20, 12:18] = images[:, 17:20, 30:36] = 50
    images[:, 38:41, 18:30] = 60
    images[:, 18, [14, 33]] = images[:, 39, 20:28] = 0
    assert landmarks.measure(images) == Landmarks(18, 14, 33, 39)


def test_sunglasses_and_mask_by_hand():
    found = Landmarks(18, 14, 33, 39)  # the eyes are 19 pixels apart, 21 above the mouth
    rows, columns = np.nonzero(part_of_face("eyes", found))
    # 18 -+ 4.75 and 14 - 8.55 to 33 + 8.55, each end with its pixel.
    assert (rows.min(), rows.max(), columns.min(), columns.max(), len(rows)) == (13, 22, 5, 41, 10 * 37)
    rows, columns = np.nonzero(part_of_face("mouth", found))
    # From 18 + 0.4 * 21 down over the edge, 23.5 -+ 16.15 aside.
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == pytest.approx((26.4, 47, 7.35, 39.65), abs=0.7)


def test_landmarks_are_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no .*landmarks.csv; run notebook 00_data on"):
        landmarks.stored("synthetic")
    landmarks.store("synthetic", Landmarks(18, 14, 33, 39))
    assert landmarks.stored("synthetic") == Landmarks(18, 14, 33, 39)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.zeros((3, 48, 48)), r"float64 \(3, 48, 48\)"),
        (np.zeros((3, 32, 32), np.uint8), r"uint8 \(3, 32, 32\)"),
        (np.zeros((1, 48, 48), "u1"), r"uint8 \(1, 48, 48\)"),
        ([np.zeros((48, 48))] * 3, r"float64 \(3, 48, 48\)"),
        ([], r"float64 \(0,\)"),
        (None, "None, which NumPy cannot read as numbers .*"),
        ([np.zeros((48, 48), "u1"), np.zeros((32, 32), "u1")], "a list, which NumPy cannot read as numbers .*"),
    ],
)
def test_other_images_are_refused(images, said):
    with pytest.raises(ValueError, match=f"^images are {said}" + r"; the benchmark takes uint8 \(N, 48, 48\), N at l"):
        OcclusionBenchmark(images)


@pytest.mark.parametrize("given", [list, torch.from_numpy])
def test_images_may_be_what_numpy_reads(faces, benchmark, given):
    own = OcclusionBenchmark(given(faces.images))
    assert own.landmarks == benchmark.landmarks
    assert (own.occluded(SUITE[0])[0] == benchmark.occluded(SUITE[0])[0]).all()


def test_unknown_kind_and_fill(benchmark):
    with pytest.raises(ValueError, match=r"no mask of kind 'hat'; known: rectangle, square"):
        benchmark.masks(Occlusion("hat", "black"))
    with pytest.raises(ValueError, match=r"what 'targeted 10%, mean' covers depends on the model: give `occluded`"):
        benchmark.occluded(TARGETED[0])
    with pytest.raises(ValueError, match=r"what 'targeted 20%, mean' covers depends on the model"):
        benchmark.masks(Occlusion("targeted", "mean", 0.2))
    with pytest.raises(ValueError, match=r"unknown fill 'wool'; known: black, mean"):
        benchmark.occluded(Occlusion("eyes", "wool"))


@pytest.mark.parametrize("rows", [None, 5, 2.5, [0.5], [[0, 1]], "all"])
def test_rows_that_choose_no_faces_are_named(benchmark, rows):
    message = rf"rows are {re.escape(repr(rows))}; give a slice, or a list or 1-D array of integers or bools"
    for ask in (lambda: benchmark.predictions(None, rows), lambda: benchmark.occluded(PAPER, rows)):
        with pytest.raises(ValueError, match=message):
            ask()
    with pytest.raises(ValueError, match=message):
        benchmark.severity(PAPER, rows)


def test_rows_may_be_a_mask(faces, benchmark):
    chosen = np.arange(84) % 40 == 0
    assert (benchmark.occluded(PAPER, chosen)[0] == benchmark.occluded(PAPER, slice(None, None, 40))[0]).all()


def test_names_are_columns():
    assert len({str(one) for one in (CLEAN, *SUITE)}) == 1 + len(SUITE)
    assert str(Occlusion("square", "noise", 8)) == "square 8 px, noise"
    assert pd.Series(map(str, TARGETED)).tolist() == ["targeted 10%, mean", "targeted 25%, mean", "targeted 50%, mean"]


def test_pictures_as_tables(faces, benchmark):
    table = occlusion_plots.gallery_table(benchmark, 0).set_index(["kind", "level", "fill"])["covered"]
    assert len(table) == len(SUITE) - len(TARGETED)
    assert table["square", 24, "noise"] == 0.25 and table["upper", 0, "black"] == 0.5
    pixels = occlusion_plots.mean_pixels(faces.images, benchmark.landmarks).set_index(["row", "column"])
    assert pixels.loc[(7, 30), "grey"] == pytest.approx(faces.images[:, 7, 30].mean(), abs=5e-4)
    assert pixels["mouth"].sum() == benchmark.masks(Occlusion("mouth", "black"))[0].sum() > 0
