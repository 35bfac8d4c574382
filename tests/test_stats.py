import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, sem, t

from fer_lib import results, stats
from fer_lib.experiments import find
from fer_lib.stats import cluster_interval, cluster_ratio, mean_interval, pooled, wilson


def test_mean_interval_by_hand():
    # Mean 0.5, standard error 0.1 / sqrt(3), t(0.975, 2) = 4.3027.
    mean, low, high = mean_interval([0.4, 0.5, 0.6])
    assert mean == pytest.approx(0.5)
    assert (low, high) == pytest.approx((0.5 - 4.3027 * 0.1 / 3**0.5, 0.5 + 4.3027 * 0.1 / 3**0.5), abs=1e-5)


def test_mean_interval_is_cut_and_undefined_for_one():
    assert mean_interval([0.99, 1.0, 0.98])[2] == 1
    assert np.isnan(mean_interval([0.9])[1:]).all()


def test_wilson_of_the_papers_counts():
    assert np.round([100 * end for end in wilson(1, 181)], 2).tolist() == [96.94, 99.90]
    assert np.round([100 * end for end in wilson(6, 181)], 2).tolist() == [92.96, 98.47]


def test_subject_interval_resamples_subjects():
    # Two always right, two always wrong: of four people, the same one may be drawn each time.
    frames = pd.DataFrame({"subject": np.repeat(list("abcd"), 38), "label": 1, "prediction": [1] * 76 + [0] * 76})
    frames["frame_id"] = range(152)
    assert cluster_interval(frames) == (0.5, 0.0, 1.0)
    assert np.isnan(cluster_interval(frames[:114])[1:]).all(), "three people are too few"
    many = frames.assign(subject=[f"s{i}" for i in range(152)])
    _, low, high = cluster_interval(many)
    assert (low, high) == pytest.approx((0.42, 0.58), abs=0.02)  # 0.5 -+ 1.96 * sqrt(0.25 / 152)


def test_a_subject_is_drawn_with_all_its_frames():
    # Whoever is drawn is right on half of its frames, however many these are.
    subjects = np.repeat(list("abc"), [2, 20, 200])
    frames = pd.DataFrame({"frame_id": range(222), "subject": subjects, "label": 1, "prediction": np.arange(222) % 2})
    mean, low, high = cluster_interval(frames)
    assert mean == 0.5 and np.isnan([low, high]).all(), "no subject differs"


def test_subjects_who_do_not_differ_say_nothing_of_others():
    frames = pd.DataFrame({"frame_id": [0, 1, 2], "subject": ["a", "a", "b"], "label": 1, "prediction": [1, 1, 1]})
    for predicted, share in ((1, 1), (0, 0)):
        mean, low, high = cluster_interval(frames.assign(prediction=predicted))
        assert mean == share and np.isnan([low, high]).all()
    assert np.isnan(cluster_interval(frames.assign(prediction=[1, 0, 1]))[1:]).all(), "two say nothing of a third"


@pytest.mark.parametrize("subjects", [10, 118])
def test_intervals_over_few_subjects_are_as_wide_as_students(subjects):
    values = norm.ppf((np.arange(subjects) + 0.5) / subjects)  # symmetric about 0
    _, low, high = cluster_ratio(values, np.arange(subjects))
    student = t.interval(0.95, subjects - 1, loc=0, scale=sem(values))
    assert (low, high) == pytest.approx(student, rel=0.05)


def test_a_frame_counts_once_however_many_initialisations_answer_it():
    """The first frame is answered by two initialisations, rightly by one: (1/2 + 1 + 0 + 0) / 4."""
    answers = pd.DataFrame({"frame_id": list("aabcd"), "subject": list("ppqrs"), "label": 1})
    mean, *ends = cluster_interval(answers.assign(prediction=[1, 0, 1, 0, 0]))
    assert mean == pytest.approx(0.375) and ends == [0, 1]


def test_what_is_pooled_depends_on_the_protocol():
    frames = pd.DataFrame({"seed": [0, 0, 0, 1], "fold": 0, "frame_id": list("abca"), "subject": list("ppqp")})
    values, of = [1, 0, 1, 1], [1, 1, 2, 2]
    for protocol in ("subject", "usage"):
        found = pooled(protocol, frames, values)[0]
        assert found == pytest.approx(2 / 3), "over the frames, of which a was answered twice"
        assert pooled(protocol, frames, values, of)[0] == pytest.approx((1 + 0 + 1) / ((1 + 2) / 2 + 1 + 2))
    assert pooled("random", frames, values)[0] == pytest.approx((2 / 3 + 1) / 2), "over two members"
    assert pooled("random", frames, values, of)[0] == pytest.approx((2 / 4 + 1 / 2) / 2)
    assert pooled("random", frames, [3, 0, 3, 3], [1] * 4)[2] == pytest.approx(2.5 + 0.5 * 12.706, abs=0.01), "a ratio"


def intervals_over_drawn(experiment, subjects, times):
    """Accuracy of a stored experiment, and its intervals over so many of its subjects, drawn so many times."""
    stored = results.read(find("ckplus", experiment), "predictions.csv.gz")
    right = (stored["label"] == stored["prediction"]).groupby(stored["subject"]).agg(["sum", "size"]).to_numpy()
    rng = np.random.default_rng(0)
    drawn = [right[rng.integers(len(right), size=subjects)].T for _ in range(times)]
    ends = [cluster_ratio(correct, np.arange(subjects), frames)[1:] for correct, frames in drawn]
    return right[:, 0].sum() / right[:, 1].sum(), ends


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("subjects", "most"), [(118, 0.04), (28, 0.075)])
def test_an_interval_near_100_percent_seldom_lies_above_the_truth(subjects, most, monkeypatch):
    """Subjects are drawn from those of a stored experiment, on whom it is right on 95.4 % of the frames."""
    monkeypatch.setattr(stats, "RESAMPLES", 1000)
    truth, ends = intervals_over_drawn("subject-resnet10-transfer", subjects, 1000)
    above, below = np.mean([truth < low for low, _ in ends]), np.mean([truth > high for _, high in ends])
    assert 0.01 < above < most and 0.01 < below < 0.04


def test_how_often_an_interval_over_few_subjects_covers_the_truth(monkeypatch):
    """Subjects are drawn from those of a stored experiment, on whom it is right on 88.2 % of the frames."""
    monkeypatch.setattr(stats, "RESAMPLES", 1000)
    truth, ends = intervals_over_drawn("subject-resnet10-softmax", 8, 1000)
    with_ends = [(low, high) for low, high in ends if not np.isnan(low)]
    assert 0.7 < len(with_ends) / len(ends) < 1, "where nobody errs there are none"
    assert np.mean([low <= truth <= high for low, high in with_ends]) == pytest.approx(0.91, abs=0.03)


def test_a_resample_without_anything_to_divide_by_leaves_no_ends():
    # One of four subjects is never right on clear faces: in one of 256 resamples nobody is.
    assert cluster_ratio([2, 1, 1, 1], list("abcd"), [2, 2, 1, 0])[0] == 1
    assert np.isnan(cluster_ratio([2, 1, 1, 1], list("abcd"), [2, 2, 1, 0])[1:]).all()
    assert np.isnan(cluster_ratio([2, 1, 1, 0], list("abcd"), [2, 2, 1, 0])[1:]).all()
