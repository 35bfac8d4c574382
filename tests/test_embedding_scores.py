from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind
from sklearn.metrics import silhouette_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from fer_lib import stats
from fer_lib.experiments import Experiment
from fer_lib.findings import embedding_scores, tables
from fer_lib.findings.embedding_scores import RANGES, scores
from fer_lib.words import embedding_wording

NO_TRIPLETS = pd.DataFrame(columns=["protocol", "label"])


def on_a_line(*places):
    return np.array(places, dtype=float)[:, None]


@pytest.fixture
def cloud():
    rng = np.random.default_rng(0)
    classes = np.repeat([0, 1, 2], [20, 15, 5])
    return rng.normal(size=(40, 7)) + classes[:, None] * 0.7, classes


def test_two_pairs_far_apart():
    found = scores(on_a_line(0, 1, 10, 11), np.array(list("aabb")))
    assert (found["MAP@R"], found["precision@1"]) == (1, 1)
    # Within: 1 and 1. Between: 10, 11, 9, 10.
    assert found["within / between"] == pytest.approx(1 / 10)
    # Own neighbour at 1; the other pair at 10.5 on average from the outer, at 9.5 from the inner points.
    assert found["silhouette"] == pytest.approx((9.5 / 10.5 + 8.5 / 9.5) / 2)
    assert np.isnan(found["5-NN accuracy"])


def test_map_at_r_counts_only_hits_up_to_r():
    # R = 2. From 0 the others are b, a, a: (0 + 1/2) / 2. From 2: b, a, a again. From 5: a, b, a: (1 + 0) / 2.
    found = scores(on_a_line(0, 1, 2, 5), np.array(list("abaa")))
    assert found["MAP@R"] == pytest.approx((1 / 4 + 1 / 4 + 1 / 2) / 3)
    assert found["precision@1"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(("classes", "expected"), [("aab", 1 / 2), ("aabb", 1 / 3), ("aaa", 1), ("abc", np.nan)])
def test_a_random_order_finds_what_there_is(classes, expected):
    assert embedding_scores.in_random_order(np.array(list(classes))) == pytest.approx(expected, nan_ok=True)


def test_random_points_are_in_random_order():
    rng, classes = np.random.default_rng(0), np.repeat([0, 1, 2, 3], [2, 3, 5, 8])
    drawn = [scores(rng.normal(size=(18, 30)), classes)["MAP@R"] for _ in range(400)]
    assert embedding_scores.in_random_order(classes) == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / 20)


def test_the_division_by_identity_is_beside_a_random_order():
    table = pd.DataFrame({"protocol": ["random", "subject", "subject"], "mean": [0.9, 0.1, 0.3], "at_random": 0.2})
    table = table.assign(divided="identity", score="MAP@R")
    assert embedding_wording.by_identity(table).startswith(
        "By identity, MAP@R under subject is 0.10 to 0.30; a random order would give 0.20, and 1 of 2 networks is above"
    )
    assert embedding_wording.by_identity(table.assign(mean=np.nan)) == ""


def test_the_five_nearest_vote():
    # Three a against two b around each a; the one b among the a is outvoted, and so are no others.
    found = scores(on_a_line(0, 1, 2, 3, 2.4, 100, 101, 102, 103, 104, 105), np.array(list("aaaabbbbbbb")))
    assert found["5-NN accuracy"] == pytest.approx(10 / 11)


def test_as_scikit_learn(cloud):
    points, classes = cloud
    found = scores(points, classes)
    assert found["silhouette"] == pytest.approx(silhouette_score(points, classes))
    voted = cross_val_predict(KNeighborsClassifier(5), points, classes, cv=LeaveOneOut())
    assert found["5-NN accuracy"] == np.mean(voted == classes)


@pytest.mark.parametrize("lone", [False, True])
def test_as_pytorch_metric_learning(cloud, lone):
    torch = pytest.importorskip("torch")
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import CustomKNN

    points, classes = cloud
    if lone:
        classes = np.append(classes[:-1], 7)
    wanted = ("mean_average_precision_at_r", "precision_at_1")
    calculator = AccuracyCalculator(include=wanted, knn_func=CustomKNN(LpDistance(normalize_embeddings=False)))
    oracle = calculator.get_accuracy(torch.from_numpy(points), torch.from_numpy(classes))
    found = scores(points, classes)
    assert found["MAP@R"] == pytest.approx(oracle[wanted[0]])
    assert found["precision@1"] == pytest.approx(oracle[wanted[1]])


@pytest.mark.parametrize(
    ("places", "classes"),
    [((0, 1, 2, 3, 4, 5, 6), "aaaaaaa"), ((0, 1, 2), "abc"), ((1, 1, 1, 1), "aabb"), ((0,), "a")],
    ids=["one class", "nobody twice", "one place", "one frame"],
)
def test_undefined_is_nan(places, classes):
    assert all(np.isnan(value) for value in scores(on_a_line(*places), np.array(list(classes))).values())


def test_cosine_distances_ask_for_the_direction_alone():
    # One class along x, one along y, at any length: by direction divided perfectly, by distance not.
    points, classes = np.array([[1, 0], [9, 0], [0, 1], [0, 9]], float), np.array(list("aabb"))
    assert scores(points, classes, "cosine")["silhouette"] == pytest.approx(1)
    assert scores(points, classes)["silhouette"] < 0.2
    assert np.isnan(scores(np.ones((4, 2)), classes, "cosine")["MAP@R"]), "one place"
    assert np.isnan(scores(np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float), classes, "cosine")["MAP@R"])


def test_a_single_frame_is_no_query():
    paired = np.array(list("aabb"))
    alone = scores(on_a_line(0, 1, 10, 11, 1000), np.append(paired, "c"))
    without = scores(on_a_line(0, 1, 10, 11), paired)
    for score in ("MAP@R", "precision@1", "silhouette"):
        assert alone[score] == without[score]


def test_an_interval_stays_in_the_range_of_its_score():
    # Mean -0.3, standard error 0.1, t(0.975, 1) = 12.7.
    assert stats.mean_interval([-0.4, -0.2], (-1, 1))[1:] == pytest.approx((-1, 0.970620), abs=1e-5)
    members = pd.DataFrame({"experiment": "x", "protocol": "random", "part": "Table 2", "label": "X"}, index=range(3))
    members = members.assign(divided="identity", score="silhouette", value=[-0.3, -0.2, np.nan], seed=[0, 1, 2], fold=0)
    members["random_order"] = [0.1, 0.3, np.nan]
    row = embedding_scores.score_table(members).iloc[0]
    assert (row["mean"], row["n"], row["trainings"]) == (pytest.approx(-0.25), 2, 2)
    assert row["at_random"] == pytest.approx(0.2)
    folds = members.assign(protocol="subject", seed=[0, 1, 0], fold=[4, 4, 5], value=-0.2)
    assert embedding_scores.score_table(folds)[["n", "trainings"]].values.tolist() == [[3, 2]]
    assert -1 <= row["ci_low"] < row["mean"] < row["ci_high"] <= 1
    nothing = embedding_scores.score_table(members.assign(value=np.nan)).iloc[0]
    assert np.isnan(nothing["mean"]) and nothing["n"] == 0


def compared(ends, **about):
    """`comparisons` of one pair of arms, ends: its intervals by score and distance, all others around 0."""
    rows = []
    for score, distance in product(RANGES, embedding_scores.DISTANCES):
        name = score if distance == "Euclidean" else f"{score} by {distance} distance"
        low, high = ends.get(name, (-0.1, 0.1))
        rows.append((score, distance, (low + high) / 2, low, high))
    table = pd.DataFrame(rows, columns=["score", "distance", "difference", "ci_low", "ci_high"])
    about = {
        "protocol": "random",
        "label": "triplet",
        "less": "softmax (slow)",
        "p": 0.01,
        "n": 3,
        "over": "3 pairs of runs",
        **about,
    }
    return table.assign(**about)


def test_the_division_is_judged_by_the_intervals():
    ends = {
        "MAP@R": (0.05, 0.15),
        "silhouette": (-0.3, -0.1),
        "within / between": (-0.3, -0.1),
        "within / between by cosine distance": (0.1, 0.3),
    }
    table = compared(ends, label="triplet (slow)", protocol="subject")
    assert (
        "triplet (slow) against softmax: clearer in 2 of 5 scores, less clear in 1 of 5 scores by Euclidean distance, "
        "which triplet loss optimises, less clear in 1 of 5 scores by cosine distance, clearer or less clear in none "
        "of 5 scores by centred cosine distance."
    ) in embedding_wording.in_brief(table, NO_TRIPLETS), "within / between is lower where classes are divided"
    asked = {"protocol": "subject", "label": ["triplet (slow)", "other"], "mean": 0.05, "n": 10}
    asked = pd.DataFrame(asked).assign(difference=0.01, ci_low=np.nan, ci_high=np.nan)
    assert embedding_wording.in_brief(table, asked).endswith(
        "centred cosine distance; in 5.00 % of the triplets of test frames the negative is nearer than the positive, "
        "+1.00 points against softmax (n = 10 folds)."
    )
    without = table.assign(ci_low=np.nan, ci_high=np.nan)
    assert "none of 5 scores by Euclidean distance" in embedding_wording.in_brief(without, NO_TRIPLETS)
    assert embedding_wording.in_brief(table.assign(less="triplet (slow)"), NO_TRIPLETS) == ""


def test_members_without_a_score_are_counted():
    members = pd.DataFrame({"label": "X", "protocol": "subject", "seed": 0, "fold": [4, 5, 6]})
    members["value"] = [0.1, np.nan, np.nan]
    assert embedding_scores.caption(members).endswith("have no score (2).")


def test_a_row_per_arm_and_a_column_per_score():
    about = {
        "protocol": "random",
        "label": "triplet",
        "n": 3,
        "trainings": 3,
        "mean": 0.5,
        "ci_low": 0.4,
        "ci_high": 0.6,
    }
    table = pd.DataFrame({"score": list(RANGES)}).assign(**about)
    table.loc[1, ["mean", "ci_low", "ci_high"]] = np.nan
    single = table.assign(label="softmax", n=1, ci_low=np.nan)
    shown = embedding_wording.readable(pd.concat([table, single]))
    assert shown.columns.tolist() == ["protocol", "method", "n", *RANGES]
    assert shown.iloc[0].tolist()[1:5] == ["triplet", "3\xa0runs", "0.500 [0.400\xa0to\xa00.600]", "–"]
    assert shown.iloc[1].tolist()[1:4] == ["softmax", "1\xa0run", "0.500"]
    folds = embedding_wording.readable(table.assign(protocol="subject", n=20, trainings=10))
    assert folds["n"].tolist() == ["20\xa0runs in\xa010\xa0folds"]


def test_only_arms_that_differ_in_the_loss_alone_are_paired(monkeypatch):
    softmax = Experiment("softmax", "ckplus", loss="softmax")
    slow = Experiment("slow", "ckplus", stn_lr_factor=0.1)
    arms = [softmax, Experiment("triplet", "ckplus"), slow, replace(slow, experiment="joint", loss="joint")]
    monkeypatch.setattr(tables, "measured", lambda dataset: arms)
    names = np.repeat([arm.experiment for arm in arms], 2)
    members = pd.DataFrame({"experiment": names, "value": [0.5, 0.6, 0.8, 0.8, 0.0, 0.0, 0.5, 0.7]})
    members = members.assign(seed=[0, 1] * 4, fold=0, divided="emotion")
    found = embedding_scores.differences(pd.concat([members.assign(score=name) for name in RANGES]), "ckplus")
    assert found.groupby(["label", "less"], sort=False)["difference"].first().to_dict() == {
        ("STN + ResNet-10 + triplet", "softmax"): pytest.approx(0.25),
        ("STN + ResNet-10 + joint (STN rate × 0.1)", "triplet (STN rate × 0.1)"): pytest.approx(0.6),
    }
    assert len(found) == 2 * len(RANGES) and (found["n"] == 2).all() and (found["over"] == "2 pairs of runs").all()


def test_networks_without_two_common_runs_are_compared_unpaired(monkeypatch):
    arms = [Experiment("softmax", "ckplus", loss="softmax"), Experiment("triplet", "ckplus")]
    monkeypatch.setattr(tables, "measured", lambda dataset: arms)
    members = pd.DataFrame({"experiment": ["softmax"] * 2 + ["triplet"] * 4, "seed": [0, 1, 1, 2, 3, 4], "fold": 0})
    members = members.assign(value=[0.5, 0.6, 0.8, np.nan, 0.9, 0.7], divided="emotion")
    found = embedding_scores.differences(pd.concat([members.assign(score=name) for name in RANGES]), "ckplus")
    (row,) = found[found["score"] == "MAP@R"].itertuples()
    assert (row.difference, row.n, row.over) == (pytest.approx(0.25), 2, "3 and 2 runs, unpaired")
    oracle = ttest_ind([0.8, 0.9, 0.7], [0.5, 0.6], equal_var=False).confidence_interval()
    assert row.ci_low < oracle.low < oracle.high < row.ci_high, "widened, for the splits are of the same frames"


def test_only_compared_arms_are_scored_again_by_cosine(monkeypatch):
    softmax, triplet = Experiment("softmax", "ckplus", loss="softmax"), Experiment("triplet", "ckplus")
    arms = [softmax, Experiment("other", "ckplus", loss="softmax", backbone="resnet18"), triplet]
    monkeypatch.setattr(tables, "measured", lambda dataset: arms)
    again = []

    def all_member_scores(dataset, distance="Euclidean", arms=arms):
        again.extend([distance, *(arm.experiment for arm in arms)])
        names = np.repeat([arm.experiment for arm in arms], len(RANGES))
        found = pd.DataFrame({"experiment": names, "score": [*RANGES] * len(arms), "value": 0.5})
        return found.assign(seed=0, fold=0, divided="emotion")

    monkeypatch.setattr(embedding_scores, "all_member_scores", all_member_scores)
    found = embedding_scores.comparisons(all_member_scores("ckplus"), "ckplus")
    assert again[4:] == ["cosine", "triplet", "softmax", "centred cosine", "triplet", "softmax"]
    assert found["distance"].tolist() == np.repeat(list(embedding_scores.DISTANCES), len(RANGES)).tolist()


def test_centred_cosines_do_not_ask_where_the_origin_is(monkeypatch):
    points = np.array([[1, 0], [9, 0], [-1, 0.1], [-9, 0.1]]) + 100
    table = pd.DataFrame({"e0": points[:, 0], "e1": points[:, 1], "label": [0, 0, 1, 1], "subject": list("abab")})
    table["frame_id"] = list("wxyz")
    monkeypatch.setattr(embedding_scores.results, "read", lambda *_: table.assign(tested=True, seed=0, fold=0))
    found = {
        name: embedding_scores.member_scores(Experiment("x"), name).set_index(["divided", "score"])["value"]
        for name in embedding_scores.DISTANCES
    }
    assert found["centred cosine"]["emotion", "precision@1"] == 1
    assert found["cosine"]["emotion", "precision@1"] == found["Euclidean"]["emotion", "precision@1"] == 0.5


def test_of_a_single_pair_of_members_nothing_is_said_in_short():
    one = compared({}, n=1).assign(ci_low=np.nan, ci_high=np.nan)
    several = {"protocol": "subject", "n": 10}
    joint = compared({"MAP@R": (0.05, 0.15)}, label="joint", **several)
    found = pd.concat([compared({"MAP@R": (0.05, 0.15)}, **several), joint, one])
    assert embedding_wording.in_brief(found, NO_TRIPLETS) == (
        "Division of the classes on unseen subjects, triplet against softmax: clearer in 1 of 5 scores by Euclidean "
        "distance, which triplet loss optimises, clearer or less clear in none of 5 scores by cosine distance, clearer "
        "or less clear in none of 5 scores by centred cosine distance."
    )
    as_printed = compared({"MAP@R": (-0.2, -0.1)}, label=embedding_wording.PROPOSED, over="6 and 3 runs, unpaired")
    both = pd.concat([found, as_printed])
    assert embedding_wording.in_brief(both, NO_TRIPLETS).endswith(
        "by centred cosine distance. Under the paper's split and at its STN rate triplet is less clear in 1 of 5 "
        "scores by Euclidean distance (n = 6 and 3 runs, unpaired; collapsed runs have no score)."
    )
    assert embedding_wording.in_brief(one, NO_TRIPLETS) == ""
    triplet = Experiment("slow", "ckplus", stn_lr_factor=0.1)
    assert embedding_scores.short_label(triplet) == "triplet (STN rate × 0.1)"
