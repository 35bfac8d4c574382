"""Experiments in words: their labels, where they belong, and what the paper prints for them."""

from dataclasses import replace

import pandas as pd

from fer_lib import paths
from fer_lib.experiments import Experiment
from fer_lib.faces import OF_FER2013

SETTINGS = {
    "head_layers": "head layers",
    "stn_lr_factor": "STN rate ×",
    "mining": "mining",
    "margin": "margin",
    "normalise": "normalised",
    "classifier": "classifier",
    "occlusion": "occlusion",
    "pretrained": "from",
    "target": "target",
    "epochs": "epochs",
    "batch_size": "batch",
    "lr": "lr",
}
"""What the paper sets once for all its arms, in words."""

USUAL = {
    "paper": Experiment("paper"),
    "strong": Experiment(
        "strong", recipe="strong", occlusion="mixed", stn_lr_factor=0.1, epochs=50, batch_size=16, lr=0.001
    ),
}
"""For each recipe the settings that its arms share, which go without saying."""

USUAL_ON_FER2013 = {
    "paper": replace(USUAL["paper"], stn_lr_factor=0.1, epochs=10, batch_size=64),
    "strong": replace(USUAL["strong"], epochs=150, batch_size=128),
}
"""The same on FER2013's images, of which there are 35 times as many as of CK+."""

USUAL_FOR_PRACTICE = {"paper": replace(USUAL["paper"], epochs=8), "strong": replace(USUAL["strong"], epochs=4)}
"""The same on synthetic faces, whose networks take minutes."""

FINE_TUNED = {"epochs": 20, "lr": 0.0005}
"""What fine-tuning has instead, which goes without saying too."""

USUAL_START, LONG_START = "usage-resnet10-strong-short", "usage-resnet10-strong"
COVERED_START = "usage-resnet10-heavy-short"
"""The rows of FER2013 whose weights fine-tuning starts from: 20 epochs, 150, and 20 with more of the faces covered."""
STARTS = {USUAL_START: "FER2013", LONG_START: "FER2013's 150 epochs", COVERED_START: "FER2013 under heavy occlusion"}

AS_THE_CODE = {"head_layers": 2, "classifier": "boosted-trees"}
"""What the first author's public code has for triplet, and the paper's text has not."""


def differences(experiment: Experiment) -> list[str]:
    """In which settings the experiment differs from its recipe's usual ones, in words; none for the paper's own."""
    if (as_the_text := _as_the_text(experiment)) != experiment:
        return ["as the author's code", *differences(as_the_text)]
    usual = _usual(experiment.dataset)[experiment.recipe]
    if experiment.pretrained != "none":
        usual = replace(usual, **FINE_TUNED)
    differs = ["strong recipe"] if experiment.recipe == "strong" else []
    for name, words in SETTINGS.items():
        value = getattr(experiment, name)
        shown = STARTS.get(value, value)
        has_no_rate = name == "stn_lr_factor" and experiment.input_path == "plain"
        if value != getattr(usual, name) and not has_no_rate:
            differs.append(words if value is True else f"no {words}" if value == "none" else f"{words} {shown}")
    return differs


def _usual(dataset: str) -> dict[str, Experiment]:
    if dataset in OF_FER2013:
        return USUAL_ON_FER2013
    return USUAL_FOR_PRACTICE if dataset == "synthetic" else USUAL


def label(experiment: Experiment) -> str:
    """The experiment in words: STN + ResNet-10 + triplet, and what differs from the paper's setting."""
    parts = {"stn": ["STN"], "dual": ["STN and input"], "plain": []}[experiment.input_path]
    parts += [experiment.backbone.replace("-", " ").replace("resnet", "ResNet-"), experiment.loss]
    differs = ", ".join(differences(experiment))
    return " + ".join(parts) + (f" ({differs})" if differs else "")


def printed(experiment: Experiment) -> float:
    """The paper's accuracy for this arm, a share; NaN unless the experiment has its data, split and settings.

    The settings are those of its text, or for triplet those of its first author's public code.
    """
    same_data = (experiment.dataset, experiment.protocol, experiment.input_path) == ("ckplus", "random", "stn")
    if not same_data or differences(_as_the_text(experiment)):
        return float("nan")
    return published(experiment.backbone, experiment.loss)


def published(backbone: str, loss: str) -> float:
    """The accuracy that the paper gives this network and loss on CK+, a share; NaN if it gives none."""
    table = pd.read_csv(paths.NOTEBOOKS / "published.csv").set_index(["backbone", "loss"])["accuracy"]
    return table.get((backbone, loss), float("nan")) / 100


def part(experiment: Experiment) -> str:
    """Where an experiment belongs: Table 2, its arms trained without occlusion, ablations, strong recipe, transfer.

    A slower transformer stays in Table 2, for at the printed rate it can collapse; so do a shorter training, and
    triplet as the first author's code has it.
    """
    experiment = _as_the_text(experiment)
    if experiment.pretrained != "none":
        return "transfer"
    if experiment.recipe == "strong":
        return "strong recipe"
    paper = USUAL["paper"]
    method = ("input_path", "head_layers", "mining", "margin", "normalise", "classifier")
    if experiment.loss == "joint" or any(getattr(experiment, name) != getattr(paper, name) for name in method):
        return "ablation"
    return {"rectangle": "Table 2", "none": "no occlusion"}.get(experiment.occlusion, "ablation")


def _as_the_text(experiment: Experiment) -> Experiment:
    """Triplet as the first author's code has it with the settings of the paper's text; everything else as it is."""
    as_the_code = all(getattr(experiment, name) == value for name, value in AS_THE_CODE.items())
    usual = {name: getattr(USUAL["paper"], name) for name in AS_THE_CODE}
    return replace(experiment, **usual) if as_the_code and experiment.loss == "triplet" else experiment
