"""The plots of the audit draw the numbers they are given."""

import numpy as np
import pandas as pd
import pytest

from fer_lib.figures import audit_plots, plots


def test_a_ladder_passes_over_what_was_not_run_and_is_named_at_its_ends(ax):
    rungs = pd.DataFrame({"method": ["whole"] * 3 + ["gap"] * 2 + ["one", "late"]})
    rungs["mean"] = [0.9, 0.8, 0.7, 0.9, 0.7, 0.6, 0.5]
    rungs["protocol"] = ["random", "sequence", "subject", "random", "subject", "random", "sequence"]
    protocols = ["random", "sequence", "subject"]
    leaks = pd.DataFrame({"protocol": protocols, "sequence seen": [0.966, 0, 0], "subject seen": [0.998, 0.896, 0]})
    rungs = rungs.assign(ci_low=np.nan, ci_high=np.nan)
    audit_plots.name_rungs(audit_plots.protocol_ladder(ax, rungs))
    audit_plots.name_exposures(ax, leaks)
    ticks = [tick.get_text() for tick in ax.get_xticklabels()]
    assert ticks == ["random\n97% / 100%", "sequence\n0% / 90%", "subject\n0% / 0%"]
    (over,) = (line for line in ax.lines if line.get_linestyle() == ":")
    assert over.get_ydata().tolist() == [0.9, 0.7]
    places = {text.get_text(): (text.get_ha(), text.xyann[1]) for text in ax.texts}
    assert [places[name][0] for name in ("whole", "gap", "one", "late")] == ["left", "left", "right", "right"]
    assert places["one"][1] == 0.6 and places["late"][1] == 0.5
    assert abs(places["whole"][1] - places["gap"][1]) == pytest.approx(0.04)


def test_names_keep_apart_and_below_the_top():
    assert audit_plots._apart([0.2, 0.91, 0.91, 0.98]).tolist() == pytest.approx([0.2, 0.91, 0.95, 0.99])
    assert audit_plots._apart([0.98, 0.99]).tolist() == pytest.approx([0.96, 1])
    assert audit_plots._apart([]).tolist() == []


def test_power_curves_show_the_wanted_chance_and_the_limit_in_the_curves_colour():
    curves = {"of": ["seeds"] * 2 + ["frames"] * 2, "points": 1, "n": [2, 9, 100, 900], "power": 0.5, "limit": 0.4}
    with plots.plt.rc_context(plots.STYLE):
        left, right = audit_plots.power_curves(pd.DataFrame(curves)).axes
    curve, limit, wanted = left.lines
    assert limit.get_ydata() == [0.4, 0.4] and limit.get_color() == curve.get_color()
    assert wanted.get_ydata() == [0.8, 0.8] and left.get_legend_handles_labels()[1] == ["1 points"]
    assert [line.get_xdata()[0] for line in right.lines if line.get_color() == plots.INK] == [181]


def test_found_differences_are_filled(ax):
    table = pd.DataFrame({"group": ["a", "a", "b"], "difference": [0.1, -0.2, 0.3], "found": [False, True, False]})
    audit_plots.found_differences(ax, table)
    filled = [line for line in ax.lines if line.get_markerfacecolor() != "none" and line.get_marker() == "o"]
    assert [x for line in filled for x in line.get_xdata()] == [-0.2]
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "none"]
    assert sorted(x for line in hollow for x in line.get_xdata()) == [0.1, 0.3]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"] and ax.get_ylim() == (1.5, -0.5)
