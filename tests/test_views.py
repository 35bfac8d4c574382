import pandas as pd
import pytest

from fer_lib import paths, results, views
from fer_lib.experiments import Experiment, Member
from fer_lib.training import THETA

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
    )
    results.open_folder(EXPERIMENT, "abc", "cpu")
    tables = {name: pd.DataFrame({"epoch": [1]}) for name in results.TABLES} | {"views.csv.gz": frames}
    results.add_member(EXPERIMENT, Member(0, 0), tables, {})

    table = views.described(EXPERIMENT).set_index(["frame_id", "occlusion"])
    assert table["zoom"].tolist() == pytest.approx([1, 1, 2, 2, 0.5, 0.5])
    assert table["rotation"].tolist() == pytest.approx([0, 0, 0, 0, 90, 90])
    assert table.loc[("a", "rectangle"), ["right", "down", "moved"]].tolist() == pytest.approx([6, 0, 6])
    assert table.loc[("b", "none"), ["right", "down", "moved"]].tolist() == pytest.approx([0, -12, 0])
    monkeypatch.setattr(views, "measured", lambda dataset: [EXPERIMENT])
    shown = views.readable(views.summary("synthetic"))
    assert shown.columns.tolist() == ["protocol", "method", "frames", *views.QUANTITIES]
    assert (
        shown["frames"].item() == 3 and shown["zoom"].item() == "1.17 [0.53\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}1.95]"
    )
    assert shown["moved"].item() == "2.00 [0.00\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}5.70]"
