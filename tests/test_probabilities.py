import numpy as np
import pandas as pd
import pytest
import torch
from few_faces import few_faces

from fer_lib.occlusion_benchmark import CLEAN, WINDOWS, OcclusionBenchmark


@pytest.fixture(scope="module")
def faces():
    return few_faces()


@pytest.fixture(scope="module")
def benchmark(faces):
    return OcclusionBenchmark(faces.images)


def halves(images):
    """Probabilities (M, 2): how bright the upper and the lower half are."""
    bright = images.reshape(len(images), 2, -1).mean(axis=2) + 1
    return bright / bright.sum(axis=1, keepdims=True)


def nth(n, answer):
    """`halves`, whose nth answer is changed."""
    calls = iter(range(1, 200))
    return lambda images: answer(halves(images)) if next(calls) == n else halves(images)


FIRST_SQUARE, FIRST_OF_SUITE = 2, 1 + len(WINDOWS) + 1
"""Number of the call with the first position of the sliding square, and with the first of `SUITE`."""


def with_value(value):
    """Puts it into the first column of the second row."""

    def changed(answer):
        answer[1, 0] = value
        return answer

    return changed


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda _: None, r"None, which NumPy cannot read as numbers \(its dtype is object\)"),
        (lambda right: list(map(str, right)), r"a list, which NumPy .* \(its dtype is <U\d+\)"),
        (lambda right: [[1.0], *right.tolist()], r"a list, which NumPy cannot read as numbers \(.*inhomogeneous.*\)"),
        (lambda right: torch.tensor(right, requires_grad=True), r"a Tensor, which .* requires grad.*detach\(\).*"),
        (lambda right: torch.tensor(right).bfloat16(), "a Tensor, which NumPy .*BFloat16.*"),
        (lambda _: 0.5, r"an array \(\)"),
        (lambda right: right.argmax(axis=1), r"an array \(3,\)"),
        (lambda right: right[1:], r"an array \(2, 2\)"),
        (lambda right: right[:, :0], r"an array \(3, 0\)"),
        (lambda right: right[:, None], r"an array \(3, 1, 2\)"),
    ],
)
def test_a_model_must_return_probabilities(benchmark, answer, said):
    wanted = r"; it must return probabilities, an array \(3, {}\), for 3 faces$"
    with pytest.raises(ValueError, match="^on clear faces predict returned " + said + wanted.format("classes")):
        benchmark.predictions(nth(1, answer), [0, 1, 2])
    with pytest.raises(ValueError, match="^under 'window 0 0' predict returned " + said + wanted.format(2)):
        benchmark.slide(nth(FIRST_SQUARE, answer), [0, 1, 2])
    with pytest.raises(ValueError, match="^under 'rectangle, black' predict returned " + said + wanted.format(2)):
        benchmark.predictions(nth(FIRST_OF_SUITE, answer), [0, 1, 2])


@pytest.mark.parametrize("call", [FIRST_SQUARE, FIRST_OF_SUITE])
def test_the_classes_stay_as_many_as_in_the_first_answer(benchmark, call):
    said = r"predict returned an array \(2, 3\); it must return probabilities, an array \(2, 2\), for 2 faces"
    with pytest.raises(ValueError, match=said):
        benchmark.predictions(nth(call, lambda right: np.pad(right, ((0, 0), (0, 1)))), [0, 1])
    with pytest.raises(ValueError, match=said):
        slid = benchmark.slide(halves, [0, 1])
        benchmark.predictions(nth(2, lambda right: np.pad(right, ((0, 0), (0, 1)))), [0, 1], slid)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_counted(benchmark, value):
    with pytest.raises(ValueError, match="on clear faces predict returned NaN or infinite numbers in 3 of 3 rows"):
        benchmark.predictions(lambda images: np.full((len(images), 2), value), [0, 1, 2])
    with pytest.raises(ValueError, match=r"under 'rectangle, black' predict .* in 1 of 3 rows; look .* weights"):
        benchmark.predictions(nth(FIRST_OF_SUITE, with_value(value)), [0, 1, 2])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda right: 100 * right, r"sums to 100 and its lowest number is \d\d\.\d+"),
        (lambda right: [[2.5, -1.5]] * len(right), "sums to 1 and its lowest number is -1.5"),
        (lambda right: np.log([[0.5, 0.5]] * len(right)), r"sums to -1.386 and its lowest number is -0.6931"),
        (lambda right: np.ones(right.shape, bool), "sums to 2 and its lowest number is 1"),
    ],
)
def test_what_does_not_sum_to_1_is_refused(benchmark, answer, said):
    rows = "on clear faces predict's rows must be probabilities that sum to 1; row 0 "
    with pytest.raises(ValueError, match=rows + said + "; apply softmax to logits, divide percents by 100"):
        benchmark.slide(lambda images: answer(halves(images)), [0, 1])


def test_a_row_that_goes_wrong_is_named(benchmark):
    with pytest.raises(ValueError, match=r"under 'rectangle, black' predict's rows .*; row 1 sums to 7.* softmax"):
        benchmark.predictions(nth(FIRST_OF_SUITE, with_value(7)), [0, 1, 2])


@pytest.mark.parametrize("given", [pd.DataFrame, torch.from_numpy, np.ndarray.tolist])
def test_what_numpy_reads_scores_the_same(benchmark, given):
    predictions = benchmark.predictions(lambda images: given(halves(images)))
    pd.testing.assert_frame_equal(predictions, benchmark.predictions(halves))
    drops, right = (benchmark.slide(predict)[0] for predict in (lambda images: given(halves(images)), halves))
    assert (drops == right).all()


def test_a_softmax_in_half_precision_is_precise_enough(benchmark):
    logits = np.random.default_rng(0).normal(0, 3, (len(benchmark.images), 1000))
    exact = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for precision in (np.float16, np.float32):
        clean = benchmark.slide(lambda _, precision=precision: exact.astype(precision))[1][str(CLEAN)]
        assert (clean == exact.argmax(axis=1)).mean() > 0.98, "some of its two highest are rounded to one number"


@pytest.mark.parametrize("votes", [bool, np.uint8, int])
def test_one_hot_votes_are_probabilities(benchmark, votes):
    drops = benchmark.slide(lambda images: np.eye(2, dtype=votes)[halves(images).argmax(axis=1)])[0]
    exact = benchmark.slide(lambda images: np.eye(2)[halves(images).argmax(axis=1)])[0]
    assert (drops == exact).all() and exact.max() > 0


@pytest.mark.parametrize("rows", [slice(None), slice(0, 9), np.arange(9)])
def test_a_model_may_write_into_the_faces_it_gets(faces, rows):
    def writes(images):
        answer = halves(images)
        images[:] = 0
        return answer

    own = OcclusionBenchmark(faces.images.copy())
    predictions, drops = own.predictions(writes, rows), own.slide(writes, rows)[0]
    assert (own.images == faces.images).all()
    pd.testing.assert_frame_equal(predictions, own.predictions(halves, rows))
    assert (drops == own.slide(halves, rows)[0]).all()


def test_a_model_may_return_the_same_array_each_time(benchmark):
    kept = np.zeros((9, 2))

    def reuses(images):
        kept[:] = halves(images)
        return kept

    assert (benchmark.slide(reuses, slice(9))[0] == benchmark.slide(halves, slice(9))[0]).all()


@pytest.mark.parametrize("rows", [[], slice(0, 0), np.zeros(84, bool)])
def test_no_face_chosen(benchmark, rows):
    for ask in (benchmark.predictions, benchmark.slide):
        with pytest.raises(ValueError, match="rows choose no face of the benchmark; choose at least one"):
            ask(halves, rows)
