"""Accuracies are drawn where they are."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from fer_lib.figures import plots, table_plots


def test_interval_plot_draws_rows_from_the_top_in_percent(ax):
    table = pd.DataFrame(
        {
            "label": ["softmax", "triplet"],
            "mean": [0.5, 0.9],
            "ci_low": [0.4, 0.8],
            "ci_high": [0.6, 1.0],
            "printed": [np.nan, 0.99],
        }
    )
    assert table_plots.interval_plot(ax, table, [np.array([0.4, 0.6]), np.array([0.9])]) is ax
    assert [segment.tolist() for segment in ax.collections[0].get_segments()] == [
        [[0.4, 0], [0.6, 0]],
        [[0.8, 1], [1, 1]],
    ]
    first, second, dots, _, diamonds = ax.lines
    assert first.get_xdata().tolist() == [0.4, 0.6]
    assert second.get_xydata().tolist() == [[0.9, 1.22]]
    assert dots.get_xydata().tolist() == [[0.5, 0], [0.9, 1]]
    assert diamonds.get_xydata()[1].tolist() == [0.99, 1]
    assert diamonds.get_markerfacecolor() == "none"
    assert ax.get_ylim() == (1.5, -0.5)
    assert ax.xaxis.get_major_formatter()(0.5) == "50%"


def test_what_collapsed_is_named_at_the_edge():
    table = pd.DataFrame({"label": ["a", "b"], "mean": [0.5, 0.95], "ci_low": [np.nan, 0.9], "ci_high": [np.nan, 1]})
    table = table.assign(protocol="random", printed=np.nan)
    fig = table_plots.per_protocol(table, [np.array([0.9, 0.16, 0.44]), np.array([0.95])])
    (ax,) = fig.axes
    assert ax.get_xlim()[0] == pytest.approx(0.8)
    assert [text.get_text() for text in ax.texts] == ["◂ mean 50 %; runs 16, 44 %"]
    plt.close(fig)


def test_where_no_mean_has_an_interval_the_axis_shows_all():
    table = pd.DataFrame({"label": ["a"], "mean": [0.5], "ci_low": [np.nan], "ci_high": [np.nan]})
    fig = table_plots.per_protocol(table.assign(protocol="random", printed=np.nan), [np.array([0.5])])
    assert not fig.axes[0].texts
    plt.close(fig)


def test_gains_over_references_stand_in_a_panel_each():
    gained = pd.DataFrame({"reference": ["1-NN", "HOG"] * 2, "label": ["a", "a", "b", "b"], "protocol": "subject"})
    gained = gained.assign(difference=[0.3, 0.1, 0.2, -0.4], ci_low=[0.2, -0.1, 0.1, np.nan], ci_high=0.5)
    gained = gained.assign(trained_low=0.0, trained_high=0.6, verdict=["supported", "not resolvable"] * 2)
    fig = table_plots.over_references(gained)
    neighbour, gradients = fig.axes
    assert [ax.get_xlabel() for ax in fig.axes] == ["points over 1-NN", "points over HOG"]
    assert [text.get_text() for text in neighbour.get_yticklabels()] == ["a", "b"]
    assert neighbour.get_xlim() == pytest.approx((-0.03, 0.63)) and not neighbour.texts
    assert [text.get_text() for text in gradients.texts] == ["◂ -40"], "without an interval, below all others"
    assert neighbour.lines[0].get_color() == plots.VERDICT_COLOURS["supported"] != gradients.lines[0].get_color()
    plt.close(fig)
