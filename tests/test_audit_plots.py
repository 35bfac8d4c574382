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


def test_a_power_curve_shows_the_wanted_chance(ax):
    audit_plots.power_curve(ax, np.array([1, 2]), np.array([0.1, 0.9]), "1 point", plots.CYCLE[0], wanted=0.7)
    assert ax.lines[1].get_ydata() == [0.7, 0.7] and ax.get_legend_handles_labels()[1] == ["1 point"]


def test_the_limit_of_a_power_curve_has_its_colour(ax):
    audit_plots.power_limit(ax, 0.4, plots.CYCLE[1])
    assert ax.lines[0].get_ydata() == [0.4, 0.4] and ax.lines[0].get_color() == plots.CYCLE[1]
