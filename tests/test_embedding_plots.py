import matplotlib.pyplot as plt
import pandas as pd
import pytest

from fer_lib import embedding_maps, embedding_plots, plots, tables
from fer_lib.embedding_scores import RANGES
from fer_lib.experiments import Experiment

POINTS = pd.DataFrame(
    {
        "emotion": ["anger", "anger", "surprise"],
        "subject": ["S1", "S2", "S1"],
        "tested": [True, False, True],
        "x": [0.0, 1.0, 2.0],
        "y": [0.0, 1.0, 4.0],
    }
)


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def test_a_colour_stands_for_an_emotion_or_for_a_subject():
    anger, surprise = plots.EMOTION_COLOURS["anger"], plots.EMOTION_COLOURS["surprise"]
    assert embedding_plots.colours_of(POINTS, "emotion").tolist() == [anger, anger, surprise]
    first, second, again = embedding_plots.colours_of(POINTS, "subject")
    assert first == again != second
    people = pd.DataFrame({"subject": [f"S{i:02d}" for i in range(12)]})
    assert len(set(embedding_plots.colours_of(people, "subject"))) == 12


def test_training_frames_lie_pale_below_test_frames(ax):
    train, test = embedding_plots.embedding_map(ax, POINTS, "emotion").collections
    assert train.get_offsets().tolist() == [[1, 1]] and train.get_alpha() < 1
    assert test.get_offsets().tolist() == [[0, 0], [2, 4]] and test.get_alpha() is None


def test_arms_stand_side_by_side_by_loss(monkeypatch):
    rows = [
        Experiment("joint", "ckplus", loss="joint"),
        Experiment("triplet", "ckplus"),
        Experiment("softmax", "ckplus", loss="softmax"),
        Experiment("resnet18", "ckplus", loss="softmax", backbone="resnet18"),
        Experiment("mined", "ckplus", mining="batch-hard"),
        Experiment("people", "ckplus", "subject"),
    ]
    monkeypatch.setattr(tables, "measured", lambda dataset: rows)
    monkeypatch.setattr(embedding_maps, "first_member", lambda row: POINTS)
    assert [row.experiment for row in embedding_plots.arms("ckplus", "random")] == ["softmax", "triplet", "joint"]
    assert embedding_plots.drawn_frames(rows).endswith("training pale.")
    slow = Experiment("slow", "ckplus", stn_lr_factor=0.1)
    assert embedding_plots.short_label(slow) == "triplet (STN rate × 0.1)"


def test_scores_stand_in_a_panel_each():
    about = {"experiment": "a", "protocol": "random", "label": "STN + A", "divided": "emotion"}
    table = pd.DataFrame({"score": list(RANGES)}).assign(**about, mean=0.5, ci_low=0.4, ci_high=0.6, n=2)
    members = pd.concat([table.assign(value=0.45), table.assign(value=0.55)])
    figure = embedding_plots.scores_figure(table, members)
    assert [ax.get_xlabel() for ax in figure.axes] == list(RANGES)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["A"]
    mean, dots = figure.axes[0].lines[:2]
    assert mean.get_xdata().tolist() == [0.5] and dots.get_xdata().tolist() == [0.45, 0.55]
    plt.close(figure)
