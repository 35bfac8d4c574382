"""What the page says of stored maps, on numbers that one can work out by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from few_results import add

from fer_lib import paths, results
from fer_lib.attribution import CONTROLS, GRID, METHODS
from fer_lib.experiments import Experiment, Member
from fer_lib.figures import attention_plots, plots
from fer_lib.findings import attention, robustness
from fer_lib.words import attention_wording

ARM = Experiment("arm", protocol="subject", folds=3, loss="softmax", epochs=1)
STAYS = [0, 0, 0, 0]
GOES = [0, 1, 1, 1]
"""Predicted classes without 5, 10, 25 and 50 % of the face, which as it is is predicted to be 0."""


def deletions(frames):
    orders = [(name, first, STAYS) for name in METHODS for first in ("most", "least")]
    orders += [(name, "most", STAYS) for name in CONTROLS]
    orders[0] = (METHODS[0], "most", GOES)
    levels = [dict(zip(attention.LEVELS[1:], classes, strict=True)) for *_, classes in orders]
    return pd.concat(
        frames.assign(prediction=0, map=name, first=first, **level)
        for (name, first, _), level in zip(orders, levels, strict=True)
    )


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Two members that see, and one, of fold 2, that has collapsed and keeps every prediction."""
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    for module in ("tables", "robustness"):
        monkeypatch.setattr(f"fer_lib.findings.{module}.measured", lambda dataset: [ARM])
    for fold, subjects in enumerate((["p", "q"], ["r", "s"], ["t", "u"])):
        frames = pd.DataFrame({"frame_id": list("ab"), "subject": subjects, "label": [0, 0]})
        regions = [
            frames.assign(prediction=[0, 0], map=METHODS[0], region="mouth", inside=[0.3, 0.9], area=0.3),
            frames.assign(prediction=[0, 1], map=METHODS[0], region="expression", inside=[0.4, 0.0], area=0.2),
        ]
        patches = {f"{i}": [0.5 if i == fold else 0.0] for i in range(GRID**2)}
        tables = {
            "predictions.csv.gz": frames.assign(p_anger=1.0, p_fear=0.0),
            "attribution.csv.gz": pd.DataFrame(
                {"map": METHODS[0], "emotion": "anger", "frames": [1 + 2 * fold], **patches}
            ),
            "deletion.csv.gz": deletions(frames) if fold < 2 else deletions(frames).assign(**{"5%": 0, "10%": 0}),
            "regions.csv.gz": pd.concat(regions),
        }
        add(ARM, Member(0, fold), tables, outside=0.95 if fold == 2 else 0.1)


def test_areas_are_trapezoids_and_a_lost_member_is_left_out(stored):
    table = attention.deleted(ARM)
    assert set(table["subject"]) == set("pqrs")
    area = table.groupby(["map", "first"])["area"].mean()
    # Kept to 5 %, gone at 10 %: (0.05 + 0.05 / 2) of 0.5.
    assert area[METHODS[0], "most"] == pytest.approx(0.075 / 0.5)
    assert (area.drop((METHODS[0], "most")) == 1).all()


def test_a_map_is_better_than_chance_by_what_it_takes_away(stored):
    found = attention.faithfulness("synthetic").set_index("map")
    assert found.loc[METHODS[0], ["better", "better_low", "better_high"]].tolist() == pytest.approx([0.85] * 3)
    assert found.loc[METHODS[1], "better"] == 0 and (found["n"] == 4).all()
    assert (found["verdict"] == "not resolvable").all(), "two trainings that tie do not tell what a third would do"
    verdicts = ["supported", "contradicted", "not resolvable"]
    judged = found.reset_index().assign(verdict=verdicts, beyond_verdict=verdicts[::-1])
    shown = attention_wording.readable(judged)
    assert shown[METHODS[0]].tolist() == ["yes: +85.0 [+85.0\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}+85.0]"]
    assert shown.loc[0, METHODS[1]].startswith("worse: +0.0") and shown["n"].tolist() == [4]
    assert attention_wording.faithful(judged) == (
        "**Which map is faithful?** Of 1 networks with a verdict, *integrated gradients* beats a random order "
        "in 1 and contrast in 0; "
        "*Grad-CAM* beats a random order in 0 and contrast in 0; "
        "*sliding square* beats a random order in 0 and contrast in 1."
    )
    assert attention.best_map(judged) == METHODS[0]


def test_fewer_than_three_members_have_no_interval_and_no_verdict(stored, monkeypatch):
    alone = replace(ARM, protocol="random", folds=1)
    monkeypatch.setattr(attention, "arms", lambda dataset: [alone])
    found = attention.faithfulness("synthetic").set_index("map")
    assert found["better"].tolist() == pytest.approx([0.85, 0, 0]) and found["better_low"].isna().all()
    assert found["verdict"].eq("too few runs").all() and found["n"].eq(2).all()
    assert attention_wording.faithful(found.reset_index()) == "No network has enough runs for a verdict."
    places = attention.regions(alone)
    assert places["ratio"].tolist() == pytest.approx([2, 2]) and places["ci_low"].isna().all()
    assert attention_wording.over("random") == "over runs, from three runs on"
    assert attention_wording.over("subject") == "bootstrap over subjects"


def test_mean_maps_weigh_members_by_their_frames(stored):
    mean = attention.mean_maps(ARM)[METHODS[0]]["anger"]
    assert mean.shape == (GRID, GRID) and mean[0, :3].tolist() == [0.5 * 1 / 4, 0.5 * 3 / 4, 0]
    assert attention.mean_maps(ARM)["Grad-CAM"] == {}


def test_times_chance_of_what_is_rightly_classified(stored):
    found = attention.regions(ARM).set_index("region")
    assert found.loc["mouth", ["ratio", "inside", "area", "frames"]].tolist() == pytest.approx([2, 0.6, 0.3, 4])
    expression = found.loc["expression"]
    assert (expression["ratio"], expression["frames"]) == (pytest.approx(2), 2) and np.isnan(expression["ci_low"])
    assert attention.regions(ARM, by_emotion=True)["emotion"].unique().tolist() == ["anger"]
    places = attention.places("synthetic")
    assert attention_wording.told(places) == ["expression"]
    assert attention_wording.told(places.query("region == 'mouth'")) == ["mouth"]


def test_answer(stored):
    table, places = attention.faithfulness("synthetic"), attention.places("synthetic")
    first, second = attention_wording.answer("synthetic", table, places)
    assert first.replace("\N{NO-BREAK SPACE}", " ") == (
        "On correctly classified faces, the area changed by its action units (20 % of the image) holds 40 % of the "
        "positive relevance (*integrated gradients*, range over 1 networks)."
    )
    assert second == attention_wording.faithful(table)
    clear = places.assign(occlusion="none", inside=0.9)
    mouths = pd.concat([places, clear]).query("region == 'mouth'")
    first, _ = attention_wording.answer("synthetic", table, mouths)
    assert "the mouth region (30 % of the image) holds 60 to 90 % of the" in first.replace("\N{NO-BREAK SPACE}", " ")


def test_frames_without_relevance_are_counted(stored):
    said = "Frames left out because a map has no positive relevance: "
    assert attention_wording.left_out([ARM]) == f"{said}at most 0.0\xa0% in each network."
    frames = results.read(ARM, "regions.csv.gz")
    frames.loc[frames["subject"] == "p", "inside"] = np.nan
    results.write_csv(results.folder(ARM) / "regions.csv.gz", frames)
    # Of the two kept runs four frames are correct; what subject p shows has no relevance left.
    assert attention_wording.left_out([ARM]) == (
        f"{said}25\xa0% by integrated gradients (n = 1 with softmax); at most 0.0\xa0% in the others."
    )


def test_the_first_of_each_kind_of_training():
    arms = [replace(ARM, experiment=kind + name, occlusion=kind) for kind in ("mixed", "none") for name in "ab"]
    assert [arm.experiment for arm in attention.by_training(arms)] == ["nonea", "mixeda"]


def test_who_was_not_asked(stored, tmp_path):
    assert robustness.not_asked("synthetic", "deletion.csv.gz").empty
    (results.folder(ARM) / "deletion.csv.gz").unlink()
    assert robustness.not_asked("synthetic", "deletion.csv.gz")["members"].tolist() == ["3 of 3"]
    assert attention.arms("synthetic") == []
    (text,) = attention_wording.answer("synthetic", attention.faithfulness("synthetic"), attention.places("synthetic"))
    assert text.startswith("No network on synthetic has attribution maps yet")


def test_the_pictures_hold_what_they_are_given(stored):
    faces = {"anger": np.full((48, 48), 100.0), "fear": np.full((48, 48), 100.0)}
    with plots.plt.rc_context(plots.STYLE):
        grid = attention_plots.relevance_grid({"one": attention.mean_maps(ARM)[METHODS[0]]}, faces)
        lines = attention_plots.deletions(attention.curve_table([ARM])).axes[0].get_lines()
        trained = attention_plots.by_training(attention.places("synthetic").query("map == @METHODS[0]"))
        chance = attention_plots.times_chance(attention.regions(ARM, by_emotion=True), ["anger", "fear"])
    assert [ax.get_title("center") for ax in grid.axes] == ["anger"]
    drawn = {line.get_label(): line.get_ydata().tolist() for line in lines}
    assert drawn["integrated gradients, most relevant first"] == [1, 1, 0, 0, 0] and drawn["random"] == [1] * 5
    assert len(chance.axes) == 2
    assert [ax.get_title("left") for ax in trained.axes] == ["trained with the paper's rectangle"]
    dots = [line.get_xdata().tolist() for line in trained.axes[0].get_lines() if line.get_label() == "expression"]
    assert dots == [[pytest.approx(2)]]


def test_data_behind_the_pictures(stored):
    patches = attention.patches(attention.mean_maps(ARM))
    assert patches.shape == (1, 2 + GRID**2) and patches["map"].item() == METHODS[0]
    # Fold 0 has one frame and fold 1 three; fold 2 has collapsed.
    assert patches.loc[0, ["0 0", "0 1", "0 2"]].tolist() == [0.125, 0.375, 0]
    curves = attention.curve_table([ARM])
    own = curves[(curves["map"] == METHODS[0]) & (curves["first"] == "most")]
    assert own[["severity", "mean"]].values.tolist() == [[0, 1], [0.05, 1], [0.1, 0], [0.25, 0], [0.5, 0]]
