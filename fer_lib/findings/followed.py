"""The networks that the overview and the figures of lines follow: the paper's softmax and triplet, among all others."""

from dataclasses import replace

import pandas as pd

from fer_lib.experiments import Experiment
from fer_lib.findings import robustness
from fer_lib.splits import LEAST_EXPOSED
from fer_lib.words import naming

COMMON = "STN + ResNet-10 + "
"""What all followed arms share; left out of the names within a sentence or a figure."""

FEW = 7
"""Lines that a figure can hold and a reader can tell apart."""

SIDE_BY_SIDE = 4
"""Heat maps that a figure can hold."""


def labels(occlusion: str = "rectangle") -> list[str]:
    """The labels of the followed arms: softmax, and triplet with a transformer that keeps the face."""
    settings = ({"loss": "softmax"}, {"loss": "triplet", "stn_lr_factor": 0.1})
    return [naming.label(Experiment("followed", "ckplus", occlusion=occlusion, **given)) for given in settings]


def few(arms: list[Experiment]) -> list[Experiment]:
    """The arms that a figure of lines shows; all, if they are few.

    Else the followed arms, with and without occlusion in training, and the strong recipe, from scratch and from
    FER2013's usual weights.
    """
    followed = {*labels(), *labels(occlusion="none")}
    shown = [
        arm
        for arm in arms
        if naming.label(arm) in followed or (arm.recipe == "strong" and arm.pretrained in ("none", naming.USUAL_START))
    ]
    return shown if len(arms) > FEW and shown else arms


def drawn(arms: list[Experiment]) -> dict[str, list[Experiment]]:
    """Of `robustness.by_protocol` the `few` of those that can have an interval.

    After the least exposed protocol only those with two such arms, for one alone is compared with nothing.
    """
    found = {}
    for protocol, own in robustness.by_protocol(arms).items():
        asked = [arm for arm in own if robustness.enough(arm, robustness.right(arm, robustness.SCORES["clean"]))]
        found |= {protocol: few(asked)} if len(asked) > bool(found) else {}
    return found


def beside(arms: list[Experiment]) -> list[Experiment]:
    """The arms that are held beside each other emotion by emotion, under the least exposed protocol.

    The followed arms, the strong recipe, and the followed arms without occlusion in training; if there are none, the
    first `SIDE_BY_SIDE`.
    """
    own = next(iter(robustness.by_protocol(arms).values()))
    strong = naming.label(replace(naming.USUAL["strong"], dataset="ckplus", loss="softmax"))
    by_label = {naming.label(arm): arm for arm in own}
    chosen = [by_label[name] for name in (*labels(), strong, *labels(occlusion="none")) if name in by_label]
    return chosen or own[:SIDE_BY_SIDE]


def short(label: str) -> str:
    """The label without what is common, and without parentheses, so that it may stand in some."""
    return label.removeprefix(COMMON).replace(" (", ", ").rstrip(")")


def least_exposed(table: pd.DataFrame, every: bool = False) -> tuple[str, pd.DataFrame]:
    """The least exposed protocol, and its rows: of the followed arms, with and without occlusion, if there are any."""
    protocol = next(name for name in LEAST_EXPOSED if name in set(table["protocol"]))
    own = table[table["protocol"] == protocol]
    chosen = own[own["label"].isin([*labels(), *labels(occlusion="none")])]
    return protocol, own if every or chosen.empty else chosen


def under_occlusion(dataset: str) -> tuple[str, pd.DataFrame]:
    """The least exposed protocol, and its followed arms' accuracy on clear and on covered faces.

    Without those that were asked about other subjects than most: they do not compare.
    """
    protocol, table = least_exposed(robustness.robustness_table(dataset))
    scores = table["score"].isin(["clean", "black rectangle", "unseen"])
    return protocol, table[scores & (table["subjects"] == table["subjects"].max())]
