"""The picture of the README and of the overview, from numbers that one can check in the head."""

import re
from dataclasses import replace
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from fer_lib import paths, report
from fer_lib.experiments import Experiment
from fer_lib.figures import plots, summary
from fer_lib.findings import tables
from fer_lib.words import naming

STRONG = {"protocol": "subject", "loss": "softmax", "recipe": "strong", "occlusion": "mixed"}
PAPER = Experiment("paper", "ckplus", protocol="subject", loss="softmax", folds=10)
BARE = Experiment("bare", "ckplus", protocol="subject", loss="softmax", occlusion="none")
FINE = Experiment("fine", "ckplus", **STRONG, pretrained=naming.USUAL_START)
HEAVY = replace(FINE, experiment="heavy", occlusion="heavy")
SCRATCH = Experiment("scratch", "ckplus", **STRONG, epochs=50)


COVERED = summary.occluded_references.COVERED
TO = "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"


def of_references(mean):
    """`occluded_references.scores`: each reference reaches as much in every score."""
    asked = product(summary.occluded_references.METHODS, summary.occluded_references.ASKED)
    return pd.DataFrame(asked, columns=["method", "score"]).assign(mean=mean, ci_low=0.4, ci_high=0.6, n=10)


@pytest.fixture
def answers(monkeypatch):
    """Three references and four trained methods; on unseen subjects 0.9 and, occluded, 0.6 each, of references 0.5."""
    monkeypatch.setattr(summary.occluded_references, "scores", lambda dataset: of_references(0.5))
    trained = [HEAVY, FINE, PAPER, BARE, SCRATCH]
    monkeypatch.setattr(tables, "measured", lambda dataset: trained)
    monkeypatch.setattr(summary.results, "finished", lambda row: row.members[:1])
    monkeypatch.setattr(summary.results, "read", lambda row, table: pd.DataFrame({"fold": range(row.folds)}))
    monkeypatch.setattr(tables, "accuracy_table", lambda dataset: None)
    ends = {"mean": 0.9, "ci_low": 0.85, "ci_high": 0.95, "n": 1}
    names = [*summary.references.METHODS, *map(naming.label, trained)]
    rungs = [{"method": name, "protocol": "subject", **ends} for name in names]
    rungs += [
        {"method": name, "protocol": protocol, **ends} for name in names[:4] for protocol in ("sequence", "random")
    ]
    rungs += [{"method": naming.label(PAPER), "protocol": "random", **ends, "mean": 0.99}]
    monkeypatch.setattr(summary.audit, "ladder", lambda dataset, trained: pd.DataFrame(rungs))
    asked = [(row.protocol, naming.label(row), score) for row in trained for score in ("clean", "unseen")]
    scores = pd.DataFrame(asked, columns=["protocol", "label", "score"])
    scores = scores.assign(mean=0.6, ci_low=np.nan, ci_high=np.nan, members=1)
    monkeypatch.setattr(summary.robustness, "robustness_table", lambda dataset: scores)
    return summary.table("ckplus")


def test_methods_go_from_no_network_to_the_fine_tuned_one(answers):
    own, scratch, fine = (
        "the paper's network with softmax",
        "strong recipe, from scratch",
        "strong recipe, from FER2013's weights",
    )
    named = [
        "1-NN on pixels",
        "HOG + linear SVM",
        COVERED,
        f"{own}\n(1 of 10 runs)",
        scratch,
        fine,
        f"{fine}, heavy occlusion",
    ]
    assert list(dict.fromkeys(answers["method"])) == named, "without occlusion in training is another question"
    assert answers[answers["method"] == named[3]][["asked", "mean"]].values.tolist() == [
        ["random", 0.99], ["subject", 0.9], ["occluded", 0.6],
    ]  # fmt: skip


def test_who_was_not_tested_on_all_folds_is_not_compared(monkeypatch):
    monkeypatch.setattr(tables, "measured", lambda dataset: [PAPER, SCRATCH])
    monkeypatch.setattr(summary.results, "finished", lambda row: row.members)
    monkeypatch.setattr(summary.results, "read", lambda row, table: pd.DataFrame({"fold": [0]}))
    scores = pd.DataFrame({"method": [naming.label(PAPER)] * 3, "protocol": ["random", "subject", "occluded"], "n": 1})
    scores = scores.assign(mean=0.9, ci_low=0.8, ci_high=1.0)
    monkeypatch.setattr(summary.audit, "ladder", lambda dataset, trained: scores[:2])
    asked = scores[2:].rename(columns={"method": "label", "n": "members"}).assign(protocol="subject", score="unseen")
    monkeypatch.setattr(summary.robustness, "robustness_table", lambda dataset: asked)
    monkeypatch.setattr(tables, "accuracy_table", lambda dataset: None)
    monkeypatch.setattr(summary.occluded_references, "scores", lambda dataset: of_references(0.5)[:0])
    assert summary.table("ckplus")["asked"].tolist() == ["random"], "of ten folds only one was tested"


def test_printed_stands_beside_the_papers_protocol_only(answers):
    assert answers["printed"].dropna().tolist() == pytest.approx([0.9896])
    assert answers.loc[answers["printed"].notna(), "asked"].tolist() == ["random"]


def test_every_answer_is_drawn_where_it_is(answers):
    with plt.rc_context(plots.STYLE):
        fig = summary.picture(answers)
    lines = {line.get_label(): line for line in fig.axes[0].lines}
    occluded, printed = lines[summary.ASKED["occluded"][0]], lines["printed"]
    assert occluded.get_ydata().tolist() == pytest.approx([y + 0.24 for y in range(7)])
    assert occluded.get_xdata().tolist() == pytest.approx([0.5] * 3 + [0.6] * 3 + [np.nan], nan_ok=True)
    hollow = [line for line in fig.axes[0].lines if line.get_markerfacecolor() == "none" and line is not printed]
    drawn = [point for line in hollow for point in line.get_xydata().tolist() if point[0] == point[0]]
    assert drawn == [pytest.approx([0.6, 6.24])], "heavy occlusion imitates some of what was asked"
    assert [x for x in printed.get_xdata() if x == x] == pytest.approx([0.9896])
    assert [text.get_text() for text in fig.axes[0].texts].count("60.0") == 4
    plt.close(fig)


def test_the_picture_stands_alone(answers):
    said = summary.in_words(answers)
    assert "softmax (1 of 10 runs): 99.00 % (random split" in said and said.count(";") == 6
    of_the_pages = (paths.ROOT / "fer_lib" / "report_template" / "style.css").read_text()
    assert all(colour in of_the_pages for colour in re.findall("#[0-9a-f]{6}", report.CARD))
    fig, ax = plt.subplots()
    ax.set_title("<")
    svg = report.picture(fig, 'a "picture" of < and &')
    assert svg == svg.strip() + "\n" and svg.count("<style>") == 1 and "prefers-color-scheme: dark" in svg
    assert not plt.fignum_exists(fig.number)
    assert 'aria-label="a &quot;picture&quot; of &lt; and &amp;"' in svg


def test_without_unseen_subjects_there_is_a_picture_all_the_same(monkeypatch):
    monkeypatch.setattr(tables, "measured", lambda dataset: [])
    monkeypatch.setattr(tables, "accuracy_table", lambda dataset: None)
    rungs = pd.DataFrame({"method": [summary.references.METHODS[1]], "protocol": "random", "mean": 0.9})
    monkeypatch.setattr(summary.audit, "ladder", lambda dataset, trained: rungs.assign(ci_low=0.8, ci_high=1.0, n=1))
    scores = pd.DataFrame(columns=["label", "members", "protocol", "score", "mean", "ci_low", "ci_high"])
    monkeypatch.setattr(summary.robustness, "robustness_table", lambda dataset: scores)
    assert summary.table("own")[["asked", "mean", "imitated"]].values.tolist() == [["random", 0.9, False]]


def test_what_there_is_to_beat(monkeypatch):
    monkeypatch.setattr(summary, "shown", lambda dataset: {"ours\n(1 of 10 runs)": PAPER, "partly asked": SCRATCH})
    monkeypatch.setattr(summary, "on_all_folds", lambda row, table: row == PAPER)
    monkeypatch.setattr(summary.results, "finished", lambda row: row.members[:2])
    alone = pd.DataFrame({"method": ["1-NN on pixels"] * 2, "protocol": ["random", "subject"], "mean": [0.9, 0.5]})
    monkeypatch.setattr(summary.results, "of_data_set", lambda dataset, name: alone.assign(ci_low=0.4, ci_high=0.95))
    monkeypatch.setattr(summary.robustness, "score", lambda arm, weights: (len(weights) / 100, np.nan, np.nan))
    monkeypatch.setattr(summary.occluded_references, "scores", lambda dataset: of_references(0.5)[3:])
    monkeypatch.setattr(summary.recipe_results, "by_sequence", lambda arm: (0.8, 0.7, 0.9))
    together = pd.DataFrame({"asked": ["initialisation 0", "ensemble"], "by": "frame", "mean": [0.8, 0.85]})
    monkeypatch.setattr(summary.initialisations, "reached", lambda arm: together.assign(ci_low=0.75, ci_high=0.9))
    table = summary.to_beat("ckplus")
    assert table.drop(1).iloc[:3].values.tolist() == [
        ["1-NN on pixels", f"50.00 [40.00{TO}95.00]", "–", "–", "–", "–"],
        [COVERED, f"50.00 [40.00{TO}60.00]", "–", "–", f"50.00 [40.00{TO}60.00]", "–"],
        ["ours", "1.00", f"80.00 [70.00{TO}90.00]", f"85.00 [75.00{TO}90.00]", "53.00", "2 of 10"],
    ]
    assert table["method"].iloc[4].startswith("Emotion-FAN") and table["by sequence"].iloc[4] == "99.69"
    assert len(summary.to_beat("own")) == 4, "what is published is of CK+"


def test_two_networks_of_one_name_are_told_apart(monkeypatch):
    longer = replace(SCRATCH, experiment="slower", lr=0.0005)
    monkeypatch.setattr(tables, "measured", lambda dataset: [SCRATCH, longer])
    monkeypatch.setattr(summary.results, "finished", lambda row: row.members)
    strong = "STN + ResNet-10 + softmax (strong recipe, STN rate × 1.0, batch 8"
    assert list(summary.shown("ckplus")) == [f"{strong})", f"{strong}, lr 0.0005)"]
    monkeypatch.setattr(tables, "measured", lambda dataset: [SCRATCH, replace(SCRATCH, experiment="long", epochs=100)])
    assert list(summary.shown("ckplus")) == ["strong recipe, from scratch", "strong recipe, from scratch, 100 epochs"]
