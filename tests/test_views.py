from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from few_results import add

from fer_lib import paths
from fer_lib.experiments import Experiment, Member
from fer_lib.findings import views
from fer_lib.training import THETA
from fer_lib.words.naming import label

EXPERIMENT = Experiment("looks", seeds=1)


def test_views_that_one_can_work_out(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    thetas = {
        ("a", "none"): (1, 0, 0, 0, 1, 0),
        ("a", "rectangle"): (1, 0, 0.25, 0, 1, 0),
        ("b", "none"): (0.5, 0, 0, 0, 0.5, -0.5),
        ("b", "rectangle"): (0.5, 0, 0, 0, 0.5, -0.5),
        ("c", "none"): (0, -2, 0, 2, 0, 0),
        ("c", "rectangle"): (0, -2, 0, 2, 0, 0),
    }
    frames = pd.DataFrame(
        [(*name, *theta) for name, theta in thetas.items()], columns=["frame_id", "occlusion", *THETA]
    ).assign(subject="p")
    embeddings = pd.DataFrame({"frame_id": list("abc"), "tested": True})
    add(EXPERIMENT, Member(0, 0), {"views.csv.gz": frames, "embeddings.csv.gz": embeddings})

    table = views.responses(EXPERIMENT).set_index("frame_id")
    assert table["zoom"].tolist() == pytest.approx([1, 2, 0.5])
    assert table["moved"].tolist() == pytest.approx([6, 0, 0])


def test_responses_that_one_can_work_out(tmp_path, monkeypatch):
    """A rectangle to the right of the centre drives the first view 6 px to the left and does not move the second."""
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    monkeypatch.setattr(
        views, "paper_boxes", lambda count: np.array([[16, 32, 16, 16], [16, 32, 16, 16], [0, 0, 0, 0]])
    )
    monkeypatch.setattr("fer_lib.findings.tables.measured", lambda dataset: [EXPERIMENT])
    untouched, left = (1, 0, 0, 0, 1, 0), (1, 0, -0.25, 0, 1, 0)
    thetas = [("a", "none", *untouched), ("b", "none", *left), ("a", "rectangle", *left), ("b", "rectangle", *left)]
    table = pd.DataFrame(thetas, columns=["frame_id", "occlusion", *THETA]).assign(subject="p")
    tables = {
        "views.csv.gz": table,
        "embeddings.csv.gz": pd.DataFrame({"frame_id": ["b", "a", "c"], "tested": [True, True, False]}),
        "predictions.csv.gz": pd.DataFrame({"frame_id": ["a", "b"], "label": [3, 5]}),
    }
    add(EXPERIMENT, Member(0, 0), tables)
    found = views.responses(EXPERIMENT).set_index("frame_id")
    assert found["touched"].tolist() == [0, 6] and found["differs"].tolist() == [3, 3]
    assert found["moved"].tolist() == found["away"].tolist() == [6, 0]
    assert {emotion: theta[:, 0, 2].tolist() for emotion, theta in views.by_emotion(EXPERIMENT).items()} == {
        3: [0],
        5: [-0.25],
    }
    means = views.mean_views(EXPERIMENT, list("abcdef"))
    assert means[["emotion", "frames", "x"]].values.tolist() == [["d", 1, 0], ["f", 1, -0.25]]
    found = views.lengths("synthetic")
    assert found[["quantity", "mean"]].values.tolist() == [["touched", 3], ["differs", 3], ["moved", 3], ["away", 3]]
    assert found[["members", "collapsed", "fixed", "zoom"]].iloc[0].tolist() == [1, 0, 0, 1]
    shown = views.readable_lengths(found)
    assert shown["from the whole image"].tolist() == ["3.00"], "of one member no range"
    assert shown["same view for every face"].tolist() == ["0 of 1"]
    other = found.assign(method="other", collapsed=1, mean=-0.001, lowest=-0.5)
    both = views.readable_lengths(pd.concat([found, other]))
    assert both[["method", "collapsed", "under the rectangle"]].values.tolist() == [
        [label(EXPERIMENT), 0, "3.00"],
        ["other", 1, "0.00 [-0.50\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}3.00]"],
    ]
    assert views.most_changing([EXPERIMENT]) == [EXPERIMENT]
    kind = "1 runs trained with the paper's occlusion and STN rate"
    assert "the STN changes the face: median" in (said := views.in_short("synthetic"))
    assert said.endswith(f"the centre away from it: 3.0 pixels, 3.0 and 3.0 in {kind}. Collapsed runs are left out.")
    monkeypatch.setattr(views, "ALIKE", 4)
    assert views.by_member(EXPERIMENT)["fixed"].all()

    add(EXPERIMENT, Member(0, 0), tables, outside=0.95)
    shown = views.readable_lengths(views.lengths("synthetic"))
    assert shown[["collapsed", "under the rectangle"]].values.tolist() == [[1, "–"]]
    assert views.most_changing([EXPERIMENT]) == []
    assert views.in_short("synthetic") == ""


def test_views_are_told_by_what_the_stns_were_trained_with(monkeypatch):
    """Two STNs with the paper's occlusion and rate, one with a slower STN, one without occlusion, one strong."""
    touched = {
        EXPERIMENT: [1.0, 2.0],
        replace(EXPERIMENT, experiment="slow", stn_lr_factor=0.1): [0.5],
        replace(EXPERIMENT, experiment="bare", occlusion="none"): [0.7],
        replace(EXPERIMENT, experiment="strong", recipe="strong", occlusion="mixed"): [4.0],
    }
    monkeypatch.setattr(views, "looking", lambda dataset: list(touched))
    lengths = {"moved": 0.04, "away": -0.01}
    monkeypatch.setattr(views, "by_member", lambda arm: pd.DataFrame({"touched": touched[arm], **lengths}))
    assert views.in_short("ckplus") == (
        "When trained with the paper's occlusion and STN rate, the STN hardly changes the face and hardly looks away "
        "from occlusion: median distance of its view's corners from those of the 48-pixel image, then how far the "
        "paper's rectangle moves them, and the centre away from it: "
        "1.5 pixels, 0.0 and 0.0 in 2 runs trained with the paper's occlusion and STN rate; 0.6 pixels, 0.0 and 0.0 in "
        "2 runs trained by the paper's recipe without occlusion or with a slower STN; 4.0 pixels, 0.0 and 0.0 in 1 "
        "runs trained by the strong recipe with a slower STN. Collapsed runs are left out."
    )
    touched[EXPERIMENT], lengths["away"] = [5.0, 6.0], np.nan
    said = views.in_short("ckplus")
    assert "STN rate, the STN changes the face: median" in said and "5.5 pixels, 0.0 and – in 2 runs" in said
    monkeypatch.setattr(views, "looking", lambda dataset: [])
    assert views.in_short("ckplus") == "" and views.by_kind("ckplus") == {}
