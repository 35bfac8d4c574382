"""The squares of sequences stand where the table puts them."""

import pandas as pd

from fer_lib.figures import sequence_plots


def test_a_block_per_emotion_filled_row_by_row(ax):
    """Nine sequences are six to a row: six and one of anger, then two of fear."""
    readings = ["never"] + ["always"] * 6 + ["never"] * 2
    sequences = pd.DataFrame({"emotion": ["anger"] * 7 + ["fear"] * 2, "reading": readings})
    sequence_plots.squares(ax, sequences, ("always", "sometimes", "never"))
    always, never = ax.collections
    middles = [path.vertices[:4].mean(axis=0).round(6).tolist() for path in always.get_paths()]
    assert middles == [[1, 0], [2, 0], [3, 0], [4, 0], [5, 0], [0, 1]]
    below = 2 + sequence_plots.GAP
    assert [path.vertices[:4].mean(axis=0).round(6).tolist() for path in never.get_paths()] == [
        [0, 0], [0, below], [1, below],
    ]  # fmt: skip
    assert ax.get_legend_handles_labels()[1] == ["always (6)", "never (3)"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["anger (7)", "fear (2)"]
    assert ax.get_yticks().tolist() == [0.5, below] and ax.get_ylim()[0] > ax.get_ylim()[1], "the first is on top"
