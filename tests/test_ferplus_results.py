"""By hand: of eight PrivateTest images six have a label, which two networks of two members each are asked for."""

import numpy as np
import pandas as pd
import pytest
from test_fer2013_results import IDS, store

from fer_lib.datasets.ferplus import CLASSES
from fer_lib.experiments import Experiment
from fer_lib.findings import fer2013_results, ferplus_results, quality
from fer_lib.words.naming import label

SETTINGS = {"dataset": "ferplus", "protocol": "usage", "seeds": 2, "loss": "softmax", "epochs": 3, "batch_size": 64}
HARD, SOFT = Experiment("hard", **SETTINGS), Experiment("soft", **SETTINGS, target="votes")
HAPPINESS, CONTEMPT = CLASSES.index("happiness"), CLASSES.index("contempt")
TRUTH = np.array([HAPPINESS] * 4 + [CONTEMPT] * 2)


def images():
    """Two images of Training come first; the last two of PrivateTest get no label."""
    majority = ["neutral", "no face", *["happiness"] * 4, "contempt", "contempt", "unknown", "neutral/fear"]
    counts = ["9 1", "10", "10", "10", "6 4", "6 4", "7 3", "7 3", "8 2", "5 5"]
    usage = ["Training"] * 2 + ["PrivateTest"] * 8
    ids = ["a", "b", *IDS]
    return pd.DataFrame(
        {"frame_id": ids, "usage": usage, "majority": majority, "counts": counts, "label_votes": 5, "label": "fear"}
    )


@pytest.fixture
def study(listed):
    listed(HARD, SOFT)


@pytest.fixture
def trained(study):
    """On the label: right on the happy faces alone. On the votes: the second member finds a contempt too."""
    for seed, found in enumerate(([HAPPINESS] * 6, [HAPPINESS] * 5 + [CONTEMPT])):
        store(HARD, seed, [HAPPINESS] * 6, truth=TRUTH, classes=CLASSES)
        store(SOFT, seed, found, truth=TRUTH, classes=CLASSES)


def test_what_the_reading_of_the_votes_leaves():
    table = ferplus_results.kept(images()).set_index("usage")
    assert table.columns.tolist() == ["images", "labelled", "no majority", "unknown", "no face"]
    assert table.loc["Training"].tolist() == [2, 1, 0, 0, 1]
    assert table.loc["PublicTest"].tolist() == [0] * 5
    assert table.loc["PrivateTest"].tolist() == [8, 6, 1, 1, 0]
    assert ferplus_results.tested(images())["frame_id"].tolist() == IDS[:6]
    assert (ferplus_results.published(images())["n"] == 6).all()


def test_the_stored_votes_leave_what_the_authors_code_leaves():
    table = ferplus_results.kept(quality.read("images")).set_index("usage")["labelled"]
    assert table.to_dict() == {"Training": 25060, "PublicTest": 3199, "PrivateTest": 3153}


def test_before_anything_is_trained(study):
    table, gained = ferplus_results.scores(), ferplus_results.claimed()
    assert table.empty and gained.empty
    assert ferplus_results.answer(table, gained, images()).startswith(
        "No network is trained on these labels yet; `make"
    )
    assert not fer2013_results.beside_printed(table, ferplus_results.published(images()))["ours"].any()


def test_scores_and_the_gain_by_the_votes(trained):
    table = ferplus_results.scores().set_index("label")
    assert table["mean"].tolist() == [8 / 12, 9 / 12]
    assert "target votes" in label(SOFT) and "target" not in label(HARD)
    (gain,) = ferplus_results.claimed().to_dict("records")
    assert (gain["better"], gain["worse"], gain["n"]) == (label(SOFT), label(HARD), 6)
    assert gain["difference"] == pytest.approx(1 / 12)
    said = ferplus_results.answer(ferplus_results.scores(), ferplus_results.claimed(), images())
    assert f"**{label(SOFT)}** with 4.91 million weights reaches 75.00 % [" in said
    assert '"the votes as target beat their majority": not resolvable (+8.33 points).' in said
    # Of the votes on the six: 10, 10, 6, 6, 7 and 7 of 10.
    assert "A randomly drawn voter agrees with the label on 76.67 % of these images." in said


def test_a_network_alone_has_no_gain(study):
    store(SOFT, 0, TRUTH, truth=TRUTH, classes=CLASSES)
    said = ferplus_results.answer(ferplus_results.scores(), ferplus_results.claimed(), images())
    assert "No two networks that differ only in the target are trained yet." in said
    assert "So far 1 of the 4 runs in `experiments.csv` are done;" in said


def test_recalls_by_class(trained):
    table = fer2013_results.recalls(fer2013_results.arms("ferplus")).set_index(["method", "emotion"])
    assert table.loc[(label(SOFT), "contempt"), ["recall", "n"]].tolist() == [1 / 4, 2]
    assert table.loc[(label(HARD), "contempt"), "recall"] == 0
