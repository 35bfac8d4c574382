"""Selection of the networks that the overview and line plots show: the paper's softmax and triplet arms."""

from dataclasses import replace

import pandas as pd

from fer_lib.experiments import Experiment
from fer_lib.findings import robustness
from fer_lib.splits import LEAST_EXPOSED
from fer_lib.words import naming

COMMON = "STN + ResNet-10 + "
"""Common prefix of the followed arms' labels, omitted in sentences and figures."""

PROPOSED = naming.label(Experiment("proposed", "ckplus"))
"""Label of the network that the paper proposes, whose transformer can collapse."""

STRONG = replace(naming.USUAL["strong"], dataset="ckplus", loss="softmax")
"""The strong recipe with its usual settings."""

FEW = 7
"""Maximum number of distinguishable lines in a figure."""

SIDE_BY_SIDE = 4
"""Maximum number of heat maps in a figure."""


def labels(occlusion: str = "rectangle") -> list[str]:
    """Labels of the followed arms: softmax, and triplet with a slower transformer, which keeps the face."""
    settings = ({"loss": "softmax"}, {"loss": "triplet", "stn_lr_factor": 0.1})
    return [naming.label(Experiment("followed", "ckplus", occlusion=occlusion, **given)) for given in settings]


def few(arms: list[Experiment]) -> list[Experiment]:
    """The arms to show in a figure, the followed first; all, if there are at most `FEW`.

    Followed are the paper's arms with occlusion in training, the strong recipe with its usual settings, the paper's
    arms without occlusion, and the recipe from FER2013's usual weights.
    """
    tuned = replace(STRONG, pretrained=naming.USUAL_START, **naming.FINE_TUNED)
    followed = [*labels(), naming.label(STRONG), *labels(occlusion="none"), naming.label(tuned)]
    shown = [arm for name in followed for arm in arms if naming.label(arm) == name]
    return shown if len(arms) > FEW and shown else [*shown, *(arm for arm in arms if arm not in shown)]


def short(label: str) -> str:
    """The label without the common prefix and without parentheses, for use inside parentheses."""
    return label.removeprefix(COMMON).replace(" (", ", ").rstrip(")")


def least_exposed(table: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """The least exposed protocol and its rows: those of the followed arms, with and without occlusion, if any."""
    protocol = next(name for name in LEAST_EXPOSED if name in set(table["protocol"]))
    own = table[table["protocol"] == protocol]
    chosen = own[own["label"].isin([*labels(), *labels(occlusion="none")])]
    return protocol, own if chosen.empty else chosen


def under_occlusion(dataset: str) -> tuple[str, pd.DataFrame]:
    """The least exposed protocol, and its followed arms' accuracy on clear and occluded faces.

    Without arms tested on fewer subjects than others, which are not comparable.
    """
    protocol, table = least_exposed(robustness.robustness_table(dataset))
    scores = table["score"].isin(["clean", "black rectangle", "unseen"])
    return protocol, table[scores & (table["subjects"] == table["subjects"].max())]
