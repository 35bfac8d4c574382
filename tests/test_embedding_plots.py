from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from fer_lib.experiments import Experiment
from fer_lib.figures import embedding_maps, embedding_plots, plots
from fer_lib.findings import tables
from fer_lib.findings.embedding_scores import DISTANCES, RANGES

POINTS = pd.DataFrame(
    {
        "emotion": ["anger", "anger", "surprise"],
        "subject": ["S1", "S2", "S1"],
        "tested": [True, False, True],
        "x": [0.0, 1.0, 2.0],
        "y": [0.0, 1.0, 4.0],
    }
)


def test_emotions_of_near_hues_have_other_marks(ax):
    by_hue = ["anger", "happiness", "disgust", "contempt", "sadness", "fear", "surprise"]
    for one, next_to_it in zip(by_hue, by_hue[1:] + by_hue[:1], strict=True):
        assert embedding_plots.MARKS[one] != embedding_plots.MARKS[next_to_it]


def test_training_frames_lie_pale_below_test_frames(ax):
    train, *test = embedding_plots.by_emotion(ax, POINTS).collections
    assert train.get_offsets().tolist() == [[1, 1]] and train.get_alpha() < 1
    assert [dots.get_offsets().tolist() for dots in test] == [[[0, 0]], [[2, 4]]]
    assert [dots.get_alpha() for dots in test] == [None, None]
    colours = [plots.EMOTION_COLOURS[name] for name in ("anger", "surprise")]
    assert [to_hex(dots.get_facecolor()[0]) for dots in test] == colours


def test_a_subject_has_a_mark_of_its_own_and_no_colour(ax):
    subjects = pd.DataFrame({"subject": [f"S{i:02d}" for i in range(12)], "tested": True, "x": range(12), "y": 0.0})
    drawn = embedding_plots.by_subject(ax, pd.concat([subjects, subjects.assign(x=20, tested=False)])).collections
    assert len(drawn) == len(set(embedding_plots.SUBJECT_MARKS)) == 12, "test frames alone"
    assert {to_hex(marks.get_edgecolor()[0]) for marks in drawn} == {plots.INK}
    assert ax.get_xlim()[1] > 20, "where the map of all frames has them"
    more = subjects.assign(subject=[f"T{i}" for i in range(12)])
    assert len(embedding_plots.by_subject(plt.figure().add_subplot(), pd.concat([subjects, more])).collections) == 12


@pytest.mark.parametrize("count", [1, 2])
def test_the_emotions_are_named_below_their_own_maps(monkeypatch, count):
    monkeypatch.setattr(embedding_maps, "located", lambda row: POINTS)
    monkeypatch.setattr(embedding_maps, "first_member", lambda row: POINTS.assign(seed=0, fold=4))
    monkeypatch.setattr(tables, "collapsed", lambda row: {(0, 4)} if row.stn_lr_factor == 1 else {(1, 4)})
    monkeypatch.setattr(embedding_plots.results, "class_names", lambda row: ["anger", "surprise"])
    arms = [Experiment("triplet", "ckplus"), Experiment("slow", "ckplus", stn_lr_factor=0.1)]
    figure = embedding_plots.arms_figure(arms[:count])
    upper, lower = figure.subfigs
    assert [text.get_text() for text in upper.legends[0].get_texts()] == ["anger", "surprise"] and not lower.legends
    titles = ["triplet, collapsed", "triplet\n(STN rate × 0.1)"]
    assert [ax.get_title(loc="left") or ax.get_title() for ax in upper.axes] == titles[:count]
    assert len(upper.axes) == len(lower.axes) == count
    assert upper.axes[0].get_ylabel() == "by emotion" and lower.axes[0].get_ylabel() == "by subject"


def test_arms_stand_side_by_side_by_loss(monkeypatch):
    rows = [
        Experiment("joint", "ckplus", loss="joint"),
        Experiment("triplet", "ckplus"),
        Experiment("softmax", "ckplus", loss="softmax"),
        Experiment("resnet18", "ckplus", loss="softmax", backbone="resnet18"),
        Experiment("mined", "ckplus", mining="batch-hard"),
        Experiment("subjects", "ckplus", "subject"),
    ]
    monkeypatch.setattr(tables, "measured", lambda dataset: rows)
    monkeypatch.setattr(embedding_maps, "first_member", lambda row: POINTS)
    assert [row.experiment for row in embedding_plots.arms("ckplus", "random")] == ["softmax", "triplet", "joint"]
    assert embedding_plots.drawn_frames(rows).endswith("training frames pale.")
    assert embedding_plots.subjects_drawn(rows) == "test frames only, one mark per subject."


def test_scores_stand_in_a_panel_each():
    about = {"experiment": "a", "protocol": "random", "label": "STN + A", "divided": "emotion"}
    table = pd.DataFrame({"score": list(RANGES)}).assign(**about, mean=0.5, ci_low=0.4, ci_high=0.6, n=2)
    table["at_random"] = [0.1, *[np.nan] * (len(RANGES) - 1)]
    members = pd.concat([table.assign(value=0.45), table.assign(value=0.55)])
    figure = embedding_plots.scores_figure(table, members)
    assert [ax.get_xlabel() for ax in figure.axes] == list(RANGES)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["A"]
    mean, at_random, dots = figure.axes[0].lines[:3]
    assert [line.get_xdata().tolist() for line in (mean, at_random, dots)] == [[0.5], [0.1], [0.45, 0.55]]
    plt.close(figure)


def test_the_clearer_division_is_to_the_right():
    about = {
        "protocol": "subject",
        "label": "STN + triplet (slow)",
        "less": "softmax (slow)",
        "n": 10,
        "over": "10 folds",
    }
    several = pd.DataFrame(product(RANGES, DISTANCES), columns=["score", "distance"]).assign(**about)
    several = several.assign(difference=0.1, ci_low=0.05, ci_high=0.15)
    two = several.assign(label="STN + joint (slow)", n=2, over="3 and 2 runs, unpaired", ci_low=-0.8, ci_high=0.9)
    figure = embedding_plots.differences_figure(pd.concat([several, two]))
    *first, last = figure.axes
    assert [ax.get_xlabel() for ax in figure.axes] == list(RANGES)
    assert all(ax.get_xlim() == pytest.approx((-0.162, 0.162)) for ax in first), "the interval of two pairs is cut"
    assert last.get_xlim() == pytest.approx((0.162, -0.162)), "the lower the clearer"
    assert [text.get_text() for text in first[0].get_yticklabels()] == [
        "triplet (slow)\nless softmax, subject, 10 folds",
        "joint (slow)\nless softmax, subject, 3 and 2 runs",
    ]
    dots = first[0].lines[: len(DISTANCES)]
    assert [line.get_label() for line in dots] == list(DISTANCES)
    assert dots[0].get_xdata().tolist() == [0.1, 0.1]
    assert [line.get_ydata()[0] for line in dots] == [-0.25, 0, 0.25]
    plt.close(figure)
