"""Accuracies are drawn where they are."""

import numpy as np
import pandas as pd

from fer_lib.figures import table_plots


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
