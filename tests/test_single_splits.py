"""What single splits would have shown, of results whose every accuracy is known."""

from dataclasses import replace

import few_results
import pandas as pd
import pytest

from fer_lib.experiments import Experiment
from fer_lib.figures import audit_plots
from fer_lib.findings import single_splits

PRINTED = few_results.TRIPLET, few_results.RESNET18, few_results.SOFTMAX
NAMES = ["STN + ResNet-18 + softmax", "STN + ResNet-10 + softmax", "STN + ResNet-10 + triplet"]


@pytest.fixture
def stored(listed):
    slow = Experiment("slow", "ckplus", stn_lr_factor=0.1, seeds=3)
    networks = few_results.TRIPLET, slow, few_results.RESNET18, few_results.SOFTMAX
    listed(*networks)
    accuracies = [0.99, 0.15, 0.9], [1, 1, 1], [0.95, 0.96, 0.97], [0.98, 0.96]
    for network, own in zip(networks, accuracies, strict=True):
        few_results.store(network, own, [1 if accuracy < 0.5 else 0 for accuracy in own])


def test_runs_of_the_papers_networks_on_the_splits_of_all(stored):
    table = single_splits.runs("ckplus")
    assert list(dict.fromkeys(table["label"])) == NAMES, "by the printed number"
    assert table["seed"].tolist() == [0, 1] * 3
    assert table["accuracy"].tolist() == [0.95, 0.96, 0.98, 0.96, 0.99, 0.15]
    assert table["collapsed"].tolist() == [False] * 5 + [True]


def test_the_order_of_the_networks_is_counted(stored, listed):
    assert single_splits.in_words("ckplus") == (
        "One run of each network on the same split (collapsed: its STN turned its view off the face): "
        f"{NAMES[1]} is above {NAMES[0]} on 1 of 2 splits, level with it on "
        f"1; {NAMES[2]} is above {NAMES[1]} on 1 of 2 splits, collapsed on 1. The order that the paper prints appears "
        "on 1 of 2 splits."
    )
    clear = [replace(one, experiment=f"{one.experiment}-clear", occlusion="none") for one in PRINTED]
    listed(*PRINTED, *clear)
    for network, own in zip(clear, ([0.9, 0.9], [0.95, 0.96], [0.98, 0.96]), strict=True):
        few_results.store(network, own, [0, 0])
    assert single_splits.in_words("ckplus").endswith(
        "on 1 of 2 splits; without occlusion in training, on none of 2 splits."
    )
    assert len(single_splits.runs("ckplus", "none")) == 6
    listed(*PRINTED, *clear[1:])
    assert "without" not in single_splits.in_words("ckplus"), "two networks are not the order of three"


def test_one_network_has_no_order(listed):
    listed(few_results.SOFTMAX)
    few_results.store(few_results.SOFTMAX, [0.98], [0])
    table = single_splits.runs("ckplus")
    assert table.empty and single_splits.in_words("ckplus") == ""


def test_a_line_per_split_leaves_the_axes_where_a_run_collapsed(stored, ax):
    table = single_splits.runs("ckplus")
    audit_plots.single_splits(ax, table)
    low, high = ax.get_ylim()
    assert 0.9 < low < table.loc[~table["collapsed"], "accuracy"].min() and high > 0.9944
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    assert lines["printed in the paper"].tolist() == pytest.approx([0.9687, 0.9896, 0.9944])
    assert lines["one split, one run of each network"].tolist() == [0.95, 0.98, 0.99]
    second = ax.lines[1].get_ydata()
    assert 0.96 - 1 / 181 < second[0] == second[1] < 0.96
    assert [text.get_text() for text in ax.texts] == ["▾ 1 run collapsed"]
    assert len(pd.unique(table["seed"])) + 1 == len(ax.lines)
