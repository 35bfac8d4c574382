"""Experiments: their validated parameters, and the table `experiments.csv` of those in the study."""

import difflib
import math
import re
from dataclasses import asdict, dataclass, fields

import pandas as pd

from fer_lib import paths
from fer_lib.faces import DATASETS, OF_FER2013
from fer_lib.splits import PROTOCOLS, fold_count

CHOICES = {
    "dataset": DATASETS,
    "protocol": PROTOCOLS,
    "backbone": ("resnet10", "resnet18", "resnet10-unpooled"),
    "input_path": ("stn", "dual", "plain"),
    "head_layers": (1, 2),
    "loss": ("softmax", "triplet", "joint"),
    "mining": ("random", "balanced", "batch-all", "semi-hard", "batch-hard"),
    "classifier": ("knn", "boosted-trees", "logistic"),
    "occlusion": ("none", "rectangle", "mixed", "heavy"),
    "recipe": ("paper", "strong"),
    "target": ("label", "votes"),
}


SOFTMAX = {"loss": "softmax", "mining": "random", "normalise": False}
"""Training with cross-entropy alone, where the triplet settings must keep their defaults."""


@dataclass(frozen=True)
class Member:
    """One training run of an experiment; its numbers do not depend on what else is trained."""

    seed: int
    fold: int

    def __str__(self) -> str:
        return f"seed{self.seed}-fold{self.fold}"


@dataclass(frozen=True)
class Experiment:
    """The parameters of one experiment, documented in notebook 01_train; the defaults are the paper's proposed method.

    Raises ValueError for a value of the wrong type or out of range, or an inconsistent combination.
    """

    experiment: str
    dataset: str = "synthetic"
    protocol: str = "random"
    seeds: int = 1
    folds: int = 1
    backbone: str = "resnet10"
    input_path: str = "stn"
    head_layers: int = 1
    stn_lr_factor: float = 1.0
    loss: str = "triplet"
    mining: str = "random"
    margin: float = 1.0
    normalise: bool = False
    classifier: str = "knn"
    occlusion: str = "rectangle"
    recipe: str = "paper"
    pretrained: str = "none"
    target: str = "label"
    epochs: int = 100
    batch_size: int = 8
    lr: float = 0.001

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is int and field.type is float:
                object.__setattr__(self, field.name, float(value))
            elif type(value) is not field.type:
                raise ValueError(f"{field.name} is {value!r}; it must be of type {field.type.__name__}")
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; known: {', '.join(map(str, known))}")
        for name in ("seeds", "folds", "epochs", "batch_size", "lr", "margin"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be greater than 0 and finite")
        if not 0 <= self.stn_lr_factor < math.inf:
            raise ValueError(
                f"stn_lr_factor is {self.stn_lr_factor}; it must be 0 (a frozen transformer) or greater, and finite"
            )
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.experiment):
            raise ValueError(f"experiment is {self.experiment!r}; it names a folder: letters, digits, '.', '_', '-'")
        if self.folds > fold_count(self.protocol):
            raise ValueError(f"folds is {self.folds}; protocol {self.protocol!r} has {fold_count(self.protocol)}")
        if (self.dataset in OF_FER2013) != (self.protocol == "usage") and self.protocol != "random":
            raise ValueError(
                f"protocol {self.protocol!r} cannot split {self.dataset}; for fer2013 and ferplus take usage or random"
            )
        if self.pretrained != "none" and self.dataset in OF_FER2013:
            raise ValueError(
                f"pretrained is {self.pretrained!r}; it names weights of fer2013: on {self.dataset} take 'none'"
            )
        if self.target == "votes" and (self.dataset, self.loss) != ("ferplus", "softmax"):
            raise ValueError(
                f"target is 'votes', but {self.dataset} with loss {self.loss!r} is trained on labels: take dataset "
                "'ferplus' and loss 'softmax', or target 'label'"
            )
        if self.input_path == "plain" and (self.head_layers == 2 or self.stn_lr_factor != 1):
            raise ValueError(
                "input_path is 'plain', so head_layers and stn_lr_factor must stay 1: there is no transformer"
            )
        if not self.has_triplets and (self.normalise or (self.mining, self.margin) != ("random", 1)):
            raise ValueError(
                f"loss is {self.loss!r}, so mining, margin and normalise must keep their defaults: nothing is mined"
            )
        if self.loss != "triplet" and self.classifier != "knn":
            raise ValueError(f"loss is {self.loss!r}, so classifier must stay 'knn': the network itself classifies")

    @property
    def members(self) -> list[Member]:
        """Every (seed, fold) of the experiment, seeds outermost."""
        return [Member(seed, fold) for seed in range(self.seeds) for fold in range(self.folds)]

    @property
    def has_triplets(self) -> bool:
        """Whether triplets are drawn and part of the loss."""
        return self.loss in ("triplet", "joint")

    @property
    def frames_per_anchor(self) -> int:
        """Frames per anchor in a training step: 3 with triplets (anchor, positive, negative), else 1."""
        return 3 if self.has_triplets else 1

    @property
    def method(self) -> dict:
        """The parameters that a member's numbers depend on: all except the number of seeds and folds."""
        return {name: value for name, value in asdict(self).items() if name not in ("seeds", "folds")}

    def is_like(self, other: "Experiment", **instead) -> bool:
        """Whether the other experiment, whatever its name, has this one's method with the values `instead` replaced."""
        return self.method | instead | {"experiment": other.experiment} == other.method

    @classmethod
    def from_namespace(cls, namespace: dict) -> "Experiment":
        """The experiment described by a notebook's variables.

        papermill only warns about parameters that the notebook lacks, so misspelt names raise ValueError here.
        """
        known = [field.name for field in fields(cls)]
        given = {
            name: value
            for name, value in namespace.items()
            if name in known or (type(value) in (int, float, str, bool) and not name.startswith("_"))
        }
        for name in given.keys() - known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
            raise ValueError(f"unknown parameter {name!r}{hint}")
        return cls(**given)


def read_experiments() -> list[Experiment]:
    """The rows of `experiments.csv`.

    Raises OSError if the file cannot be read, ValueError if it is no table, and, naming the row, for a column that is
    not a parameter, an empty cell, an invalid value, a duplicate name, or two names for one experiment.
    """
    try:
        table = pd.read_csv(paths.EXPERIMENTS, dtype=str, keep_default_na=False)
    except OSError as error:
        remedy = "restore it, or set FER_EXPERIMENTS to another table of experiments"
        raise type(error)(f"cannot read {paths.EXPERIMENTS} ({error.strerror}); {remedy}") from error
    except ValueError as error:
        raise ValueError(f"{paths.EXPERIMENTS} is no table of experiments ({error})") from error
    if "experiment" not in table or not isinstance(table.index, pd.RangeIndex):
        what = "a row has more cells than the header" if "experiment" in table else "it has no column 'experiment'"
        raise ValueError(f"{paths.EXPERIMENTS} is no table of experiments: {what}")
    types = {field.name: field.type for field in fields(Experiment)}
    rows = []
    for cells in table.to_dict("records"):
        try:
            rows.append(Experiment.from_namespace({name: _value(name, cells[name], types.get(name)) for name in cells}))
        except ValueError as error:
            where = f"{paths.EXPERIMENTS}, experiment {cells['experiment']!r} of {cells.get('dataset')}"
            raise ValueError(f"{where}: {error}") from error
    names = [(row.dataset, row.experiment) for row in rows]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{paths.EXPERIMENTS}: experiment {name[1]!r} of {name[0]} is listed more than once")
    named = {}
    for row in rows:
        settings = tuple(value for name, value in row.method.items() if name != "experiment")
        if settings in named:
            both = f"{named[settings]!r} and {row.experiment!r} of {row.dataset}"
            raise ValueError(f"{paths.EXPERIMENTS}: {both} are the same experiment under two names")
        named[settings] = row.experiment
    return rows


def _value(name: str, text: str, kind: type | None) -> str | bool | int | float:
    """A cell's value; its text if that is of another kind, for `Experiment` to refuse. ValueError if it is empty."""
    if not text:
        raise ValueError(f"{name} is empty")
    try:
        return {"true": True, "false": False}[text.lower()] if kind is bool else (kind or str)(text)
    except (KeyError, ValueError):
        return text


def find(dataset: str, experiment: str) -> Experiment:
    """The row `experiment` of `dataset` in `experiments.csv`. Raises ValueError if there is none."""
    listed = read_experiments()
    rows = {row.experiment: row for row in listed if row.dataset == dataset}
    if experiment not in rows:
        known = ", ".join(rows) or f"data sets {', '.join(sorted({row.dataset for row in listed}))}"
        raise ValueError(f"no experiment {experiment!r} of {dataset} in {paths.EXPERIMENTS}; known: {known}")
    return rows[experiment]
