"""Colours can be told apart by everyone on both pages, and each plot draws the numbers it is given."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from fer_lib.faces import EMOTIONS
from fer_lib.figures import plots

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
LIGHT, DARK = "#ffffff", "#16181d"

# Machado, Oliveira & Fernandes (2009), severity 1: what a dichromat's eye makes of linear RGB.
EYES = {
    "normal": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
TO_CONES = [[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]]
TO_OKLAB = [[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]]


def linear(colour: str) -> np.ndarray:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio, 1 to 21."""
    low, high = sorted(linear(colour) @ LUMINANCE for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def oklab(colour: str, eye: str) -> np.ndarray:
    seen = np.clip(np.array(EYES[eye]) @ linear(colour), 0, 1)
    return np.array(TO_OKLAB) @ np.cbrt(np.array(TO_CONES) @ seen)


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_every_emotion_has_a_colour():
    assert tuple(plots.EMOTION_COLOURS) == (*EMOTIONS, "neutral")


@pytest.mark.parametrize("page", [LIGHT, DARK])
@pytest.mark.parametrize("colour", [*plots.EMOTION_COLOURS.values(), *plots.CYCLE])
def test_colours_stand_out_on_both_pages(colour, page):
    assert contrast(colour, page) >= 3


@pytest.mark.parametrize("eye", EYES)
def test_emotions_stay_apart_to_every_eye(eye):
    """Black to white is 1 in OKLab; about 0.02 is just noticeable."""
    seen = {name: oklab(colour, eye) for name, colour in plots.EMOTION_COLOURS.items()}
    nearest = min(np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(seen, 2))
    assert nearest > 0.09


def test_face_grid_lays_faces_row_by_row(ax):
    faces = np.stack([np.full((48, 48), value, np.uint8) for value in (10, 20, 30)])
    assert plots.face_grid(ax, faces, columns=2) is ax
    mosaic = ax.images[0].get_array()
    assert mosaic.shape == (48 + 3 + 48, 48 + 3 + 48)
    assert (mosaic[0, 0], mosaic[0, -1], mosaic[-1, 0]) == (10, 20, 30)
    assert np.isnan(np.ma.filled(mosaic, np.nan)[[49, 0, -1], [0, 49, -1]]).all()


def test_face_grid_puts_a_title_above_each_face(ax):
    plots.face_grid(ax, np.zeros((3, 48, 48), np.uint8), ["a", "b", "c"])
    assert [text.get_text() for text in ax.texts] == ["a", "b", "c"]
    assert ax.images[0].get_array().shape == (9 + 48, 3 * 48 + 2 * 3)


def test_panels_are_three_to_a_row():
    fig, axes = plots.panels(4, height=2)
    assert len(axes) == 4 and len(fig.axes) == 6
    assert [ax.axison for ax in fig.axes] == [True] * 4 + [False] * 2
    plt.close(fig)
    fig, axes = plots.panels(1, height=2)
    assert len(axes) == len(fig.axes) == 1
    plt.close(fig)


def test_learning_curve_draws_mean_and_range_of_the_members(ax):
    curves = pd.DataFrame({"quantity": ["loss", "loss", "other"], "epoch": [1, 2, 1], "mean": [3, 1.5, 9]})
    curves = curves.assign(min=[2, 1, 9], max=[4, 2, 9], collapsed=False)
    assert plots.learning_curve(ax, curves, "loss", "triplet") is ax
    assert ax.lines[0].get_xydata().tolist() == [[1, 3], [2, 1.5]]
    corners = {tuple(corner) for corner in ax.collections[0].get_paths()[0].vertices}
    assert corners == {(1, 2), (1, 4), (2, 1), (2, 2)}
    assert ax.get_legend_handles_labels()[1] == ["triplet"]
    plots.learning_curve(ax, curves.assign(collapsed=True), "loss", "triplet")
    assert [line.get_linestyle() for line in ax.lines] == ["-", ":"] and len(ax.get_legend_handles_labels()[1]) == 1


def test_a_second_learning_curve_keeps_the_grid(ax):
    curves = pd.DataFrame(
        {"quantity": "loss", "epoch": [1, 2], "mean": [2.0, 1.0], "min": 0.0, "max": 3.0, "collapsed": False}
    )
    for k in range(2):
        plots.learning_curve(ax, curves, "loss", str(k), k)
    assert all(line.get_visible() for line in ax.get_ygridlines())
    assert [line.get_color() for line in ax.lines] == list(plots.CYCLE[:2])


def test_confusion_shows_the_percentage_of_the_row_and_the_count(ax):
    names = ["anger", "fear", "surprise"]
    assert plots.confusion(ax, pd.DataFrame([[3, 1, 0], [0, 5, 0], [0, 0, 0]], names, names)) is ax
    assert [text.get_text() for text in ax.texts] == ["75.0\n3", "25.0\n1", "", "", "100.0\n5", *[""] * 4]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["anger (4)", "fear (5)", "surprise (0)"]
    assert ax.get_ylim() == (3, 0)
    assert ax.collections[0].get_array().ravel().tolist() == [0.75, 0.25, 0, 0, 1, 0, 0, 0, 0]


def test_where_the_colours_are_used_up_marks_and_lines_differ():
    looks = [plots.look(k) for k in range(3 * len(plots.CYCLE))]
    assert len({tuple(one.values()) for one in looks}) == len(looks)
    assert looks[0]["color"] == looks[len(plots.CYCLE)]["color"] and looks[0]["marker"] != looks[-1]["marker"]
    assert plots.look(3 * len(plots.CYCLE)) == looks[0]
