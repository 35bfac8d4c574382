"""What occlusion takes, as drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from fer_lib.figures import occlusion_plots, plots
from fer_lib.findings.robustness import ASKED


def test_gains_are_blue_and_losses_orange(ax):
    occlusion_plots.gained(ax, pd.DataFrame({"black": [0.5, -0.5], "mean": [0.0, 0.25]}, index=["eyes", "mouth"]))
    (image,) = ax.images
    shown = image.cmap(image.norm(np.asarray(image.get_array())))
    assert to_hex(shown[0, 0]) == plots.ACCENT and to_hex(shown[1, 0]) == plots.CYCLE[1]
    assert shown[0, 1, 3] < 0.01 < shown[1, 1, 3] < 0.6, "nothing gained is see-through"
    assert [text.get_text() for text in ax.texts] == ["+50", "0", "-50", "+25"]


def test_what_is_no_gain_is_hatched_and_nothing_is_never_minus_nothing(ax):
    occlusion_plots.gained(ax, pd.DataFrame({"eyes": [np.nan, -0.004], "mouth": [0.1, 0.004]}), most=0.3)
    assert [text.get_text() for text in ax.texts] == ["+10", "0", "0"]
    (hatched,) = ax.patches
    assert hatched.get_hatch() and hatched.get_xy() == (-0.5, -0.5)
    bar = occlusion_plots.scale(ax)
    assert bar.ax.get_ylabel() == "points gained" and (bar.vmin, bar.vmax) == (-0.3, 0.3)


def test_recall_is_written_in_percent_on_one_pale_scale(ax):
    table = pd.DataFrame({"emotion": ["fear", "fear", "anger", "anger"], "kind": ["none", "eyes"] * 2, "method": "a"})
    table["recall"] = [1, 0, 0.5, 0.126]
    occlusion_plots.recall(ax, table)
    assert [text.get_text() for text in ax.texts] == ["100", "0", "50", "13"]
    assert {text.get_color() for text in ax.texts} == {plots.INK}
    assert [name.get_text() for name in ax.get_yticklabels()] == ["fear", "anger"]
    shown = ax.collections[0]
    assert shown.get_clim() == (0, 100) and not ax.get_xlabel()
    assert shown.cmap(0.0)[3] == 0 and shown.cmap(1.0)[3] == 0.6, "the page's ink is read on it"
    assert occlusion_plots.recall(ax, table) is ax


def test_two_maps_of_recall_lie_beside_each_other():
    rows = [("fear", "none", method, 1.0) for method in "abc"]
    fig = occlusion_plots.recalls(pd.DataFrame(rows, columns=["emotion", "kind", "method", "recall"]))
    assert [ax.get_title(loc="left") or ax.get_title() for ax in fig.axes[:3]] == list("abc")
    assert [ax.axison for ax in fig.axes] == [True] * 3 + [False]
    plt.close(fig)


def test_paired_gains_in_a_forest():
    """Two scores: of all subjects with a verdict and a number, of folds 4 to 9 without."""
    ends = {"ci_low": 0.01, "ci_high": 0.03, "trained_low": 0.005, "trained_high": 0.035}
    rows = [{"subjects": "all", "score": "clean", "difference": 0.02, "verdict": "supported", **ends}]
    rows += [{**rows[0], "subjects": "folds 4 to 9", "difference": -0.01, "verdict": "not resolvable"}]
    rows += [{**rows[0], "score": "mouth", "difference": -0.02, "verdict": "contradicted"}]
    fig = occlusion_plots.forests({"a": pd.DataFrame(rows), "b": pd.DataFrame(rows)})
    ax = fig.axes[0]
    drawn = [(line.get_marker(), to_hex(line.get_color())) for line in ax.lines[:3]]
    assert drawn == [("o", plots.ACCENT), ("^", plots.MUTED), ("o", plots.CYCLE[1])]
    assert [text.get_text() for text in ax.texts] == ["+2.0", "-2.0"] and len(fig.axes) == 2
    assert [name.get_text() for name in ax.get_yticklabels()] == ["clean", "mouth"]
    plt.close(fig)


def test_networks_stand_in_a_panel_per_protocol_with_a_colour_per_score():
    table = pd.DataFrame({"score": [*ASKED, "kept"], "mean": [0.9, 0.8, 0.6, 0.66], "protocol": "random", "label": "a"})
    table = pd.concat([table, table.assign(label="b"), table.assign(protocol="subject")])
    fig = occlusion_plots.networks(table.assign(ci_low=table["mean"] - 0.1, ci_high=table["mean"] + 0.1))
    assert [ax.get_title(loc="left") or ax.get_title() for ax in fig.axes] == ["subject", "random"]
    assert [[text.get_text() for text in ax.get_yticklabels()] for ax in fig.axes] == [["a"], ["a", "b"]]
    assert [line.get_label() for line in fig.axes[1].lines] == [*ASKED], "kept is no accuracy"
    assert fig.axes[1].lines[2].get_xdata().tolist() == [0.6, 0.6]
    plt.close(fig)
