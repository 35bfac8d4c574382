from dataclasses import fields

import papermill
import pytest

from fer_lib import paths
from fer_lib.evaluation import classifier
from fer_lib.experiments import CHOICES, Experiment, find, read_experiments
from fer_lib.network import INPUT_PATHS
from fer_lib.resnet import BLOCKS
from fer_lib.triplet import MINERS

FIELDS = [field.name for field in fields(Experiment)]


def test_columns_are_the_notebooks_parameters():
    """papermill only warns of a parameter that a notebook does not have."""
    inspected = papermill.inspect_notebook(str(paths.NOTEBOOKS / "01_train.ipynb"))
    assert set(inspected) == set(FIELDS)
    assert paths.EXPERIMENTS.read_text().splitlines()[0].split(",") == FIELDS
    types = {field.name: field.type.__name__ for field in fields(Experiment)}
    assert {name: parameter["inferred_type_name"] for name, parameter in inspected.items()} == types


def test_what_may_be_chosen_is_what_there_is():
    there = {"backbone": BLOCKS, "input_path": INPUT_PATHS, "mining": MINERS}
    assert {name: set(CHOICES[name]) for name in there} == {name: set(known) for name, known in there.items()}
    assert all(classifier(name, seed=0) for name in CHOICES["classifier"])


def test_every_row_is_an_experiment():
    rows = read_experiments()
    assert {row.dataset for row in rows} >= {"ckplus", "synthetic"}
    paper = find("ckplus", "random-resnet10-triplet")
    assert (paper.epochs, paper.batch_size, paper.lr, paper.occlusion, paper.margin) == (
        100,
        8,
        0.001,
        "rectangle",
        1.0,
    )


def test_unknown_experiment_is_refused():
    with pytest.raises(ValueError, match=r"no experiment 'vit' of ck .*; known: data sets ckplus, fer2013, .*own"):
        find("ck", "vit")
    with pytest.raises(ValueError, match=r"no experiment 'vit' of ckplus .*random-resnet10-triplet"):
        find("ckplus", "vit")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epoch": 3}, "unknown parameter 'epoch'; did you mean 'epochs'"),
        ({"zoom": 3}, "unknown parameter 'zoom'; known: experiment, dataset"),
        ({"lr": "high"}, "lr is 'high'; it must be of type float"),
        ({"normalise": "true"}, "normalise is 'true'; it must be of type bool"),
        ({"occlusion": "black"}, "occlusion is 'black'; known: none, rectangle, mixed, heavy"),
        ({"seeds": True}, "seeds is True; it must be of type int"),
        ({"loss": "hinge"}, "loss is 'hinge'; known: softmax, triplet, joint"),
        ({"dataset": "affectnet"}, "dataset is 'affectnet'"),
        ({"epochs": 0}, "epochs is 0; it must be greater than 0 and finite"),
        ({"margin": float("inf")}, "margin is inf; it must be greater than 0 and finite"),
        ({"stn_lr_factor": float("nan")}, "stn_lr_factor is nan; it must be 0 .a frozen transformer. or greater, and"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"stn_lr_factor": -1}, "stn_lr_factor is -1.0"),
        ({"stn_lr_factor": float("nan")}, "stn_lr_factor is nan"),
        ({"seeds": None}, "seeds is None; it must be of type int"),
        ({"epochs": [3]}, "it must be of type int"),
        ({"folds": 2}, "folds is 2; protocol 'random' has 1"),
        ({"dataset": "fer2013", "protocol": "subject"}, "cannot split fer2013"),
        (
            {"dataset": "fer2013", "protocol": "usage", "pretrained": "x"},
            "pretrained is 'x'; it names weights",
        ),
        ({"dataset": "ferplus", "protocol": "subject"}, "cannot split ferplus; for fer2013 and ferplus take"),
        ({"dataset": "ferplus", "pretrained": "x"}, "weights of fer2013: on ferplus take 'none'"),
        ({"target": "soft"}, "target is 'soft'; known: label, votes"),
        (
            {"target": "votes", "dataset": "fer2013", "loss": "softmax"},
            "fer2013 with loss 'softmax' is trained on labels",
        ),
        ({"target": "votes", "dataset": "ferplus", "loss": "joint"}, "take dataset 'ferplus' and loss 'softmax'"),
        ({"dataset": "ckplus", "protocol": "usage"}, "cannot split ckplus"),
        ({"input_path": "plain", "head_layers": 2}, "head_layers and stn_lr_factor must stay 1"),
        ({"input_path": "plain", "stn_lr_factor": 0.1}, "there is no transformer"),
        ({"loss": "softmax", "margin": 0.5}, "nothing is mined"),
        ({"loss": "joint", "classifier": "logistic"}, "the network itself classifies"),
        ({"loss": "softmax", "mining": "batch-hard"}, "nothing is mined"),
        ({"experiment": "../elsewhere"}, "it names a folder"),
    ],
)
def test_wrong_parameters_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Experiment.from_namespace({"experiment": "x", **given})


def test_whole_numbers_are_floats_too():
    assert Experiment("x", margin=2).method == Experiment("x", margin=2.0).method


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",softmax,", ",sofmax,", "loss is 'sofmax'"),
        (",softmax,", ",,", "loss is empty"),
        (",100,8,", ",,8,", "epochs is empty"),
        (",random,10,", ",random,three,", "seeds is 'three'; it must be of type int"),
        (",False,", ",no,", "normalise is 'no'; it must be of type bool"),
        (",rectangle,", ",None,", "occlusion is 'None'; known: none, rectangle"),
        (",0.001", ",0.001x", "lr is '0.001x'; it must be of type float"),
    ],
)
def test_what_is_wrong_is_named_with_its_row(tmp_path, monkeypatch, old, new, message):
    head, *rows = paths.EXPERIMENTS.read_text().splitlines()
    at = next(i for i, row in enumerate(rows) if i > 0 and old in row and row.split(",")[1] == "ckplus")
    name = rows[at].split(",")[0]
    rows[at] = rows[at].replace(old, new, 1)
    (tmp_path / "wrong.csv").write_text("\n".join([head, *rows]))
    monkeypatch.setattr(paths, "EXPERIMENTS", tmp_path / "wrong.csv")
    with pytest.raises(ValueError, match=f"wrong.csv, experiment '{name}' of ckplus: {message}"):
        read_experiments()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no table of experiments .No columns"),
        (b"\xff\xfe\x00", "is no table of experiments ."),
        (b"dataset,epochs\nckplus,100\n", "is no table of experiments: it has no column 'experiment'"),
        (b"experiment,dataset\na,ckplus,1,2\n", "is no table of experiments: a row has more cells than the header"),
        (b"experiment,dataset\na,ckplus\nb,ckplus,1,2\n", "is no table of experiments .Error tokenizing"),
    ],
)
def test_a_file_that_is_no_table_is_named(tmp_path, monkeypatch, content, message):
    monkeypatch.setattr(paths, "EXPERIMENTS", tmp_path / "wrong.csv")
    paths.EXPERIMENTS.write_bytes(content)
    with pytest.raises(ValueError, match=f"wrong.csv {message}"):
        read_experiments()


def test_a_table_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "EXPERIMENTS", tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError, match=r"cannot read .*none.csv .*; restore it, or set FER_EXPERIMENTS to"):
        read_experiments()


def test_a_name_stands_once(tmp_path, monkeypatch):
    table = paths.EXPERIMENTS.read_text().splitlines()
    (tmp_path / "twice.csv").write_text("\n".join([table[0], table[1], table[1]]))
    monkeypatch.setattr(paths, "EXPERIMENTS", tmp_path / "twice.csv")
    with pytest.raises(ValueError, match="more than once"):
        read_experiments()
    other = table[1].replace(table[1].split(",")[0], "other", 1)
    (tmp_path / "twice.csv").write_text("\n".join([table[0], table[1], other]))
    with pytest.raises(ValueError, match="'other' of ckplus are the same experiment under two names"):
        read_experiments()
