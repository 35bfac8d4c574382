"""By hand: eight PrivateTest images, ten votes each, and two members that are right where told."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from few_results import add

from fer_lib import results
from fer_lib.datasets.fer2013 import CLASSES
from fer_lib.experiments import Experiment, Member
from fer_lib.findings import fer2013_results, quality
from fer_lib.occlusion_benchmark import CLEAN, SUITE
from fer_lib.words.naming import label

SETTINGS = {"dataset": "fer2013", "protocol": "usage", "seeds": 2, "loss": "softmax", "epochs": 3, "batch_size": 64}
PAPER = Experiment("paper", **SETTINGS)
BARE = Experiment("bare", **SETTINGS, occlusion="none")
IDS = [f"{i:05d}" for i in range(8)]
FEAR, HAPPINESS = CLASSES.index("fear"), CLASSES.index("happiness")
TRUTH = np.array([FEAR] * 4 + [HAPPINESS] * 4)


def images():
    """Half of the labels are confirmed by the votes; of the others most say neutral, or nothing alone has most."""
    majority = ["fear", "fear", "neutral", "neutral/fear", "happiness", "happiness", "neutral", "neutral"]
    columns = {"usage": "PrivateTest", "label": np.array(CLASSES)[TRUTH], "majority": majority}
    return pd.DataFrame({"frame_id": IDS, **columns})


def store(experiment, seed, predicted, sure=0.9, truth=TRUTH, classes=CLASSES, public=0.75):
    """predicted: the class of each image; its probability is `sure`, the rest is for the others.

    public: accuracy on PublicTest in the last epoch.
    """
    results.open_folder(experiment, "abc", "cpu")
    frames = pd.DataFrame({"frame_id": IDS[: len(truth)], "subject": "", "label": truth})
    predicted = np.array(predicted)
    table = frames.assign(prediction=predicted)
    for k, name in enumerate(classes):
        table[f"p_{name}"] = np.where(predicted == k, sure, (1 - sure) / (len(classes) - 1))
    answers = pd.DataFrame({str(one): predicted for one in (CLEAN, *SUITE)})
    right = float((predicted == truth).mean())
    epochs = [experiment.epochs - 2, experiment.epochs - 1, experiment.epochs]
    history = {"epoch": epochs, "selection_accuracy": [0.5, 0.75, public], "test_accuracy": [0.1, 0.2, right]}
    tables = {
        "predictions.csv.gz": table,
        "occluded_predictions.csv.gz": pd.concat([frames, answers], axis=1),
        "history.csv": pd.DataFrame(history).assign(train_accuracy=0.3, grid_outside=0.0, loss=0.75 + seed / 4),
        "metrics.csv": pd.DataFrame({"accuracy": [right], "macro_f1": [right], "mirrored_accuracy": [1.0]}),
        "occlusion.csv": pd.DataFrame({"kind": ["rectangle"], "fill": ["black"], "n": 4, "accuracy": [0.25]}),
    }
    add(experiment, Member(seed, 0), tables)


def store_two():
    """The first member is right on six of the images, the second, surer, on four; the other arm on none."""
    neutral = CLASSES.index("neutral")
    store(PAPER, 0, [FEAR, FEAR, neutral, neutral, *[HAPPINESS] * 4], sure=0.8)
    store(PAPER, 1, [FEAR] * 4 + [neutral] * 4)
    store(BARE, 0, [neutral] * 8)
    store(BARE, 1, [neutral] * 8)


@pytest.fixture
def stored(listed):
    listed(PAPER, BARE)
    store_two()


def test_scores(stored):
    table = fer2013_results.scores().set_index("experiment").loc["paper"]
    assert table["mean"] == pytest.approx((6 + 4) / 16)
    assert table["ci_low"] < table["mean"] < table["ci_high"], "eight images are resampled"
    assert (table["chosen"], table["at_chosen"]) == (2, 0.2), "of two epochs that are as good on PublicTest the first"
    assert table["mirrored"] == 1 and np.isnan(table["ten_crops"]), "stored before there were crops"
    assert table["ensemble"] == 4 / 8, "where they disagree the surer member wins"
    assert table["ensemble_low"] < table["ensemble"] < table["ensemble_high"]
    assert table["calibration_error"] == pytest.approx((0.8 - 0.75) / 2 + (0.9 - 0.5) / 2)


def test_one_member_is_no_ensemble(stored):
    alone = Experiment("alone", **{**SETTINGS, "seeds": 1})
    store(alone, 0, TRUTH)
    assert np.isnan(fer2013_results.ensemble(alone)).all()


def reliability(experiment):
    return fer2013_results.reliability(results.read(experiment, "predictions.csv.gz"))


def test_reliability_keeps_every_frame(stored):
    bins = reliability(PAPER)
    assert bins["frames"].tolist() == [8, 8]
    assert bins["accuracy"].tolist() == [0.75, 0.5]
    assert bins["confidence"].tolist() == pytest.approx([0.8, 0.9])


def test_certainty_has_a_bin(stored):
    sure = Experiment("sure", **SETTINGS)
    store(sure, 0, TRUTH, sure=1.0)
    assert reliability(sure)["frames"].tolist() == [8]
    assert fer2013_results.calibration_error(sure) == 0


def test_calibration_errors_of_different_runs_do_not_cancel(stored):
    # One run is right on all images, the other on half of them, both with a confidence of 0.75.
    both = Experiment("both", **SETTINGS)
    store(both, 0, TRUTH, sure=0.75)
    store(both, 1, [FEAR] * 8, sure=0.75)
    assert reliability(both)["accuracy"].tolist() == [0.75], "the figure pools the runs"
    assert fer2013_results.calibration_error(both) == pytest.approx(0.25)


def test_recall_beside_what_voters_confirm(stored):
    table = fer2013_results.by_class(images(), fer2013_results.arms()).set_index(["method", "emotion"])
    fear, happiness = (table.loc[(label(PAPER), name)] for name in ("fear", "happiness"))
    assert (fear["recall"], fear["confirmed"]) == (6 / 8, 2 / 4)
    assert (happiness["recall"], happiness["confirmed"]) == (4 / 8, 2 / 4)
    assert np.isnan(happiness["low"]), "each image is right once"
    never = table.loc[(label(BARE), "fear")]
    assert never["recall"] == 0 and np.isnan(never["low"]), "what is never found says nothing of other images"
    assert (table["n"] == 4).all()


def test_whom_voters_side_with(stored):
    table = fer2013_results.sided_with(images()).set_index("method")
    # Wrong: 2 and 3 (neutral for fear), then 4 to 7 (neutral for happiness). Voters: neutral, tied; happiness twice,
    # neutral twice.
    paper = table.loc[label(PAPER)]
    assert paper["wrong"] == 6
    assert (paper["network"], paper["label"]) == pytest.approx((3 / 6, 2 / 6))
    assert paper[["network", "label", "neither"]].sum() == pytest.approx(1)
    assert paper["more"] == pytest.approx(1 / 6) and paper["more_low"] < 0 < paper["more_high"] and paper["images"] == 6


def test_beside_printed_numbers(stored):
    printed = quality.published()
    table = fer2013_results.beside_printed(fer2013_results.scores(), printed)
    assert table["ours"].sum() == 2 and len(table) == 2 + len(printed)
    assert table["share"].is_monotonic_decreasing


def test_publictest_chooses_the_best(stored, listed):
    assert fer2013_results.best(fer2013_results.scores())["label"] == label(PAPER), "of equals the first"
    chosen = Experiment("chosen", **SETTINGS | {"seeds": 1}, backbone="resnet18")
    listed(PAPER, BARE, chosen)
    store(chosen, 0, [FEAR] * 8, public=0.8)
    table = fer2013_results.scores().set_index("label")
    assert (table.loc[label(chosen), "selection"], table.loc[label(chosen), "mean"]) == (0.8, 0.5)
    assert fer2013_results.best(table.reset_index())["label"] == label(chosen), "though it is not on PrivateTest"
    assert list(fer2013_results.followed(table.reset_index())) == [label(chosen)], "the others are not trained"


def test_figures_follow_few_networks(listed):
    settings = {"experiment": "softmax", "seeds": 1}
    softmax = replace(fer2013_results.SOFTMAX, **settings)
    bare = replace(fer2013_results.NO_OCCLUSION, **settings | {"experiment": "bare"})
    listed(bare, softmax)
    store(softmax, 0, TRUTH)
    store(bare, 0, TRUTH, public=0.9)
    names = list(fer2013_results.followed(fer2013_results.scores(), fer2013_results.PLAIN))
    assert names == ["STN + ResNet-10 + softmax", "STN + ResNet-10 + softmax (no occlusion)"]


def test_parts_count_all_members(stored):
    # Images 0 and 4 have an exact twin in Training; a pair within PrivateTest gives nothing away.
    trained = pd.DataFrame({"frame_id": ["x", "y"], "usage": "Training", "label": "fear", "majority": "fear"})
    all_images = pd.concat([images(), trained], ignore_index=True)
    pairs = pd.DataFrame(
        {"first": [0, 4, 1], "second": [8, 9, 2], "similarity": 1.0, "mirrored": False, "identical": True}
    )
    parts = fer2013_results.on_parts(all_images, pairs).set_index(["method", "part"])
    own = parts.loc[label(PAPER)]
    assert own["n"].to_dict() == {
        "all": 8, quality.TWIN_PARTS[1]: 6, quality.NO_TWIN: 6, quality.TWIN: 2,
        **dict.fromkeys(quality.VOTE_PARTS, 4),
    }  # fmt: skip
    assert own.loc["all", "share"] == 10 / 16
    assert own.loc[quality.TWIN, "share"] == 3 / 4, "both members on the first, one on the other"
    assert own.loc[quality.NO_TWIN, "share"] == 7 / 12
    gaps = fer2013_results.twin_gaps(all_images, pairs).set_index("method").loc[label(PAPER)]
    assert gaps["gap"] == pytest.approx(3 / 4 - 7 / 12)
    # Fear: 1 less (1 + 0.5 + 0.5) / 3; happiness: 0.5 less 0.5; as many images of both.
    assert gaps["same_mix"] == pytest.approx((1 - 2 / 3) / 2)
    assert np.isnan(gaps["same_low"]), "of each class a single image has a twin"


def test_a_gap_at_the_same_mix_of_classes():
    # Easy faces: 1 everywhere. Hard ones: 0.5 first, 0.25 elsewhere. The first are mostly easy.
    classes = pd.Series(["easy"] * 6 + ["hard"] * 6)
    first = np.array([True] * 4 + [False] * 2 + [True] * 2 + [False] * 4)
    values = pd.Series([1.0] * 6 + [1, 0] + [1, 0, 0, 0])
    gap, low, high = fer2013_results.gap_at_same_mix(values, first, classes)
    assert gap == 0.125, "half of 0.25; without the classes it is 5/6 - 3/6"
    half = 1.96 * np.sqrt((0.5 / 2 + 0.25 / 4) / 4)
    assert (low, high) == pytest.approx((gap - half, gap + half), abs=1e-4)
    assert fer2013_results.gap_at_same_mix(values, first, 0 * values)[0] == pytest.approx(5 / 6 - 3 / 6)
    lacking = fer2013_results.gap_at_same_mix(values, first | (classes == "hard").to_numpy(), classes)
    assert lacking[0] == 0, "no hard face is elsewhere"
    assert np.isnan(fer2013_results.gap_at_same_mix(values, np.zeros(12, bool), classes)).all()


def test_a_loss_near_its_margin_judges_nothing(listed):
    triplet = Experiment("triplet", **SETTINGS | {"loss": "triplet"})
    enough = Experiment("enough", **SETTINGS | {"loss": "triplet"}, margin=2.0)
    listed(PAPER, triplet, enough)
    for arm in (PAPER, triplet, enough):
        for seed in (0, 2):
            store(arm, seed, TRUTH)
    # The losses are 0.75 and 1.25.
    assert fer2013_results.loss_of_margin(triplet).tolist() == [0.75, 1.25]
    assert fer2013_results.loss_of_margin(enough).mean() == 0.5
    assert fer2013_results.loss_of_margin(PAPER).isna().all()
    worse = {"worse": label(PAPER), "verdict": "contradicted"}
    table = pd.DataFrame([{"better": label(arm), **worse} for arm in (triplet, enough)])
    assert fer2013_results.judged(table)["verdict"].tolist() == [fer2013_results.UNTRAINED, "contradicted"]
    answers = table.drop(columns="worse").rename(columns={"better": "with"})
    assert fer2013_results.judged(answers)["verdict"].tolist() == [fer2013_results.UNTRAINED, "contradicted"]


def test_curves_are_means_over_members(stored):
    curves = fer2013_results.curves().set_index(["method", "part", "epoch"])["accuracy"]
    assert curves[(label(PAPER), "PrivateTest", 3)] == pytest.approx((0.75 + 0.5) / 2)
    assert curves[(label(PAPER), "PublicTest", 1)] == 0.5


def test_what_was_trained_on_another_split_is_not_told_here(listed):
    elsewhere = replace(PAPER, experiment="elsewhere", protocol="random")
    listed(PAPER, elsewhere)
    store(elsewhere, 0, TRUTH)
    assert not fer2013_results.is_trained()
    store(PAPER, 0, TRUTH)
    assert fer2013_results.is_trained()
