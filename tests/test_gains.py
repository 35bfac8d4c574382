"""What each part gains, from answers and comparisons that one can check in the head."""

import shutil
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from few_results import add
from scipy.stats import ttest_1samp

from fer_lib import experiments, results
from fer_lib.comparisons import ONE_TRAINING, TWO_KINDS
from fer_lib.experiments import Experiment, Member
from fer_lib.figures import gains_plots, plots
from fer_lib.findings import claims, gains, tables
from fer_lib.findings.claims import NOT_COLLAPSED
from fer_lib.occlusion_benchmark import CLEAN, SUITE, WINDOWS, window_name
from fer_lib.words import naming

DIFFERS = {
    "ResNet cut to 10 layers instead of 18": {"backbone"},
    "spatial transformer (STN)": {"input_path"},
    "triplet loss instead of softmax": {"loss"},
    "triplet loss instead of softmax (slow STN)": {"loss"},
    "occlusion in training (softmax)": {"occlusion"},
    "occlusion in training (triplet, slow STN)": {"occlusion"},
    "STN at a tenth of its rate": {"stn_lr_factor"},
    "triplet loss beside softmax (slow STN)": {"loss"},
    "strong recipe": {"recipe", "occlusion", "stn_lr_factor", "epochs", "batch_size"},
    "spatial transformer (strong recipe, slow STN)": {"input_path", "stn_lr_factor"},
    "triplet loss instead of softmax (strong recipe)": {"loss"},
    "triplets balanced by emotion (strong recipe)": {"mining"},
    "mixed occlusion in training (strong recipe)": {"occlusion"},
    "strong recipe in 100 epochs instead of 50": {"epochs"},
    "start from FER2013's weights": {"pretrained", "epochs", "lr"},
    "FER2013's weights of 150 epochs instead of 20": {"pretrained"},
    "heavy occlusion, 60 epochs (not mixed, 20)": {"occlusion", "epochs"},
}
ABLATED = {
    "no STN": {"input_path", "stn_lr_factor"},
    "no STN (softmax, full STN rate)": {"input_path"},
    "warped and input face (dual path)": {"input_path"},
    "two-layer localisation head": {"head_layers"},
    "cross-entropy beside triplet (joint)": {"loss"},
    "batch-hard mining": {"mining"},
    "semi-hard mining": {"mining"},
    "embeddings on the unit sphere": {"normalise"},
    "boosted trees instead of k-NN": {"classifier"},
    "logistic regression instead of k-NN": {"classifier"},
}
WITH = Experiment("subject-resnet10-softmax", "ckplus", protocol="subject", folds=2, loss="softmax")
WITHOUT = replace(WITH, experiment="subject-resnet10-softmax-no-occlusion", occlusion="none")


def test_networks_differ_in_the_part_alone():
    parts = gains.OF_THE_PAPER | gains.BEYOND | gains.IN_STRONG | gains.ABLATIONS
    differing = DIFFERS | ABLATED
    assert parts.keys() == differing.keys()
    for part, names in parts.items():
        having, lacking = (experiments.find("ckplus", f"subject-{name}").method for name in names)
        differs = {field for field in having if having[field] != lacking[field]}
        assert differs - {"experiment"} == differing[part], part


def test_every_ablation_of_the_study_is_compared():
    listed = [row for row in experiments.read_experiments() if row.dataset == "ckplus"]
    named = {f"{row.protocol}-{changed}" for row in listed for changed, _ in gains.ABLATIONS.values()}
    assert {row.experiment for row in listed if naming.part(row) == "ablation"} <= named


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Two folds of two people and four faces; with the part all are right but one of the second fold's, occluded;
    without it one clear face of the first fold is wrong, two of the second, and all that are occluded."""
    monkeypatch.setattr(results.paths, "RESULTS", tmp_path)
    monkeypatch.setattr(tables, "read_experiments", lambda: [WITH, WITHOUT])
    for arm, wrong_clear, wrong_occluded in ((WITH, (0, 0), (0, 1)), (WITHOUT, (1, 2), (4, 4))):
        for fold in range(2):
            subjects = [f"S{fold}{one}" for one in "aabb"]
            frames = pd.DataFrame({"frame_id": list("abcd"), "subject": subjects, "label": 1})
            said = {str(one): np.arange(4) >= wrong_occluded[fold] for one in SUITE}
            said |= {window_name(*place): 1 for place in WINDOWS}
            said = pd.DataFrame(said, index=range(4)).assign(**{str(CLEAN): np.arange(4) >= wrong_clear[fold]})
            add(arm, Member(0, fold), {"occluded_predictions.csv.gz": pd.concat([frames, said.astype(int)], axis=1)})


def test_a_part_gains_what_its_network_is_right_on_more(stored):
    found = gains.table("ckplus")
    assert found[["protocol", "whose", "part", "asked"]].to_numpy().tolist() == [
        ["subject", "paper", "occlusion in training (softmax)", asked]
        for asked in ("clean", "black rectangle", "unseen")
    ]
    assert found["difference"].tolist() == pytest.approx([0.375, 0.875, 0.875]) and found["n"].tolist() == [4] * 3
    clear, *occluded = found["p"]
    assert occluded == pytest.approx([ttest_1samp([1, 0.75], 0).pvalue] * 2), "over folds larger than over subjects"
    assert found["p_holm"].tolist() == pytest.approx([max(clear, 3 * occluded[0]), *[3 * occluded[0]] * 2])
    assert found["printed"].isna().all(), "the paper prints no number for it"
    assert gains.in_full(found).startswith("on clear faces, occlusion in training (softmax): +37.50 points [")


def test_a_part_with_a_collapsed_run_stands_there_again_without_it(stored):
    history = results.read(WITHOUT, "history.csv").assign(epoch=WITHOUT.epochs)
    history.loc[history["fold"] == 1, "grid_outside"] = 1.0
    results.write_csv(results.folder(WITHOUT) / "history.csv", history)
    found = gains.table("ckplus")
    again = "occlusion in training (softmax), collapsed runs left out"
    assert found["part"].tolist() == ["occlusion in training (softmax)"] * 3 + [again] * 3
    assert (
        found["pairs"].tolist()
        == ["subjects in 2 folds (2 and 2 runs)"] * 3 + ["subjects in 1 fold (1 and 1 runs)"] * 3
    )
    assert set(found["verdict"]) == {TWO_KINDS, ONE_TRAINING}
    assert gains.in_words(found) == (
        "No verdict on: occlusion in training (softmax). n = 4 subjects in 2 folds where no other is named."
    )


def test_the_least_exposed_protocol_is_told_alone(stored, monkeypatch):
    random = [replace(arm, experiment=arm.experiment.replace("subject", "random"), protocol="random", folds=1)
              for arm in (WITH, WITHOUT)]  # fmt: skip
    for arm, other in zip((WITH, WITHOUT), random, strict=True):
        shutil.copytree(results.folder(arm), results.folder(other))
        results.write_run(other, results.read_run(arm) | other.method)
    for listed, protocol in (([*random, WITH, WITHOUT], "subject"), (random, "random")):
        monkeypatch.setattr(tables, "read_experiments", lambda listed=listed: listed)
        assert gains.table("ckplus")["protocol"].unique() == [protocol]


def test_where_nothing_was_compared(stored, monkeypatch):
    monkeypatch.setattr(tables, "read_experiments", lambda: [WITH])
    found = gains.table("ckplus")
    assert found.empty and gains.in_words(found) == ""


def rows() -> pd.DataFrame:
    """The paper's loss, contradicted occluded, and a recipe of two kinds of outcome beyond it."""
    about = {"whose": ["paper", "paper", "beyond"], "part": ["loss", "loss", "recipe"]}
    found = pd.DataFrame({**about, "asked": ["clean", "unseen", "clean"], "difference": [0.01, -0.03, 0.05]})
    ends = {"ci_low": [-0.01, -0.04, np.nan], "ci_high": [0.03, -0.02, np.nan]}
    apart = {"trained_low": [-0.02, -0.05, np.nan], "trained_high": [0.04, -0.01, np.nan]}
    verdicts = ["not resolvable", "contradicted", "two kinds of outcome"]
    return found.assign(
        **ends,
        **apart,
        p=[0.4, 0.02, np.nan],
        p_holm=[0.4, 0.04, np.nan],
        verdict=verdicts,
        printed=[0.02, np.nan, np.nan],
        n=[4, 3, 4],
        pairs="subjects in 2 folds (2 and 4 runs)",
    )


def test_the_picture_tells_verdicts_apart():
    with plt.rc_context(plots.STYLE):
        fig = gains_plots.picture(rows())
    clear, unseen = fig.axes[0], fig.axes[2]
    dots = {
        tuple(line.get_xydata()[0]): line
        for line in clear.lines + unseen.lines
        if line.get_marker() in "ox" and len(line.get_xydata())
    }
    assert {place: dot.get_color() for place, dot in dots.items()} == {
        (0.01, 0): plots.MUTED, (-0.03, 0): plots.VERDICT_COLOURS["contradicted"], (0.05, 1): plots.MUTED,
    }  # fmt: skip
    assert [place for place, dot in dots.items() if dot.get_marker() == "x"] == [(0.05, 1)]
    drawn = [path.vertices[:, 0].tolist() for lines in clear.collections for path in lines.get_paths()]
    assert [-0.01, 0.03] in drawn and [-0.02, 0.04] in drawn
    (printed,) = [line for line in clear.lines if line.get_marker() == "D" and len(line.get_xydata())]
    assert printed.get_xydata()[0].tolist() == [0.02, 0]
    assert [text.get_text() for text in clear.texts] == ["+1.0", "+5.0"]
    plt.close(fig)


def test_the_caption_tells_of_the_rule_that_is_drawn():
    assert "Above the rule the paper's parts" in gains.caption(rows())
    assert "rule" not in gains.caption(rows()[:2])


def test_a_gain_far_below_the_intervals_lies_at_the_edge_of_the_axis():
    found = rows().assign(difference=[0.01, -0.03, -0.36])
    with plt.rc_context(plots.STYLE):
        fig = gains_plots.picture(found)
    low, high = fig.axes[0].get_xlim()
    assert low == pytest.approx(-0.02 - 0.04 * 0.06) and high == pytest.approx(0.04 + 0.04 * 0.06)
    (edge,) = [line for line in fig.axes[0].lines if line.get_marker() == "<"]
    assert edge.get_xydata()[0].tolist() == [low, 1]
    assert [text.get_text() for text in fig.axes[0].texts] == ["+1.0", "-36.0"]
    plt.close(fig)


def test_verdicts_on_the_papers_parts_are_said():
    usual, other = "n = 4 subjects in 2 folds where no other is named.", "n = 3 subjects in 2 folds"
    alike = rows().assign(n=4)
    assert gains.in_words(alike) == f"What hurts: loss -3.0 under unseen occlusion. {usual}"
    unsure = rows().assign(p_holm=0.08)
    limits = f"({other}; not after Holm's correction). {usual}"
    assert f"-3.0 under unseen occlusion {limits}" in gains.in_words(unsure)
    assert gains.in_words(rows()[:1]) == f"No verdict on: loss. {usual}"
    strong = alike[1:].assign(whose="strong", part=["loss (strong recipe)", "STN (strong recipe, slow STN)"])
    strong = strong.assign(verdict=["contradicted", "not resolvable"])
    limit = "(not after Holm's correction)"
    assert gains.in_words(pd.concat([alike, strong], ignore_index=True).assign(p_holm=0.06)) == (
        f"What hurts: loss -3.0 under unseen occlusion {limit}. In the strong recipe: what hurts: loss -3.0 under "
        f"unseen occlusion {limit}; no verdict on: STN. {usual}"
    )
    again = pd.concat([rows()[:1].assign(verdict=TWO_KINDS), alike[1:2].assign(part="loss" + NOT_COLLAPSED)])
    assert gains.in_words(again) == f"What hurts: loss{NOT_COLLAPSED} -3.0 under unseen occlusion. {usual}"


def test_what_is_printed_of_ckplus_is_not_beside_other_faces():
    assert claims.printed_gain(WITH, replace(WITH, backbone="resnet18")) == 0.0209
    other = replace(WITH, dataset="own")
    assert np.isnan(claims.printed_gain(other, replace(other, backbone="resnet18")))
    assert np.isnan(claims.printed_gain(replace(WITH, loss="joint"), WITH)), "the paper has no such loss"
    strong = replace(WITH, recipe="strong")
    assert np.isnan(claims.printed_gain(strong, replace(strong, backbone="resnet18"))), "nor such a training"
