"""The study's tables, made from `results/` alone."""

from dataclasses import replace

import numpy as np
import pandas as pd

from fer_lib import paths, results
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.network import Network, parameter_count
from fer_lib.stats import mean_interval, paired_difference, subject_interval
from fer_lib.wording import interval, percent

LOST = 0.5
"""A member has lost the face if more than this share of its sampling grid lies outside the image in the last epoch."""

WIDE = 0.1
"""An interval wider than this says nothing of a printed number."""

CLAIMS = {
    "the cut ResNet beats ResNet-18": (
        0.0209,
        {"backbone": "resnet10", "loss": "softmax"},
        {"backbone": "resnet18"},
    ),
    "triplet loss beats softmax": (
        0.0048,
        {"backbone": "resnet10", "loss": "triplet"},
        {"loss": "softmax", "mining": "random", "normalise": False},
    ),
}
"""Section 4 of Kim et al. 2022: claim -> printed gain, what the better arm has, what the worse arm has instead."""


def label(experiment: Experiment) -> str:
    """The experiment in words: STN + ResNet-10 + triplet, and what differs from the paper's setting."""
    parts = {"stn": ["STN"], "dual": ["STN and input"], "plain": []}[experiment.input_path]
    parts += [experiment.backbone.replace("resnet", "ResNet-"), experiment.loss]
    paper = Experiment(experiment="paper")
    names = {"head_layers": "head layers", "stn_lr_factor": "STN rate ×", "mining": "mining", "margin": "margin"}
    names |= {"normalise": "normalised", "classifier": "classifier", "occlusion": "occlusion"}
    names |= {"epochs": "epochs", "batch_size": "batch", "lr": "lr"}
    differs = []
    for name, words in names.items():
        value = getattr(experiment, name)
        if value != getattr(paper, name):
            differs.append({True: words, False: f"no {words}"}[value] if type(value) is bool else f"{words} {value}")
    return " + ".join(parts) + (f" ({', '.join(differs)})" if differs else "")


def measured(dataset: str) -> list[Experiment]:
    """The rows of `experiments.csv` for `dataset` that have a finished member of this version of the method.

    Raises ValueError if there is none.
    """
    rows = [row for row in read_experiments() if row.dataset == dataset]
    rows = [row for row in rows if results.finished(row) and not results.conflicts(row, results.read_run(row))]
    if not rows:
        raise ValueError(f"no finished experiment of {dataset} in {paths.RESULTS / dataset}; train one with 01_train")
    return rows


def accuracy_table(dataset: str) -> pd.DataFrame:
    """One row per measured experiment, at full precision; accuracies and their like are shares.

    Under `subject` the mean is pooled over all tested frames and the interval resamples subjects; under the other
    protocols mean and interval are over members. `printed` is the paper's number for the arm; `lost` counts the
    members whose transformer has lost the face, `kept_mean` is the mean accuracy of the others.
    """
    published = pd.read_csv(paths.NOTEBOOKS / "published.csv").dropna(subset="backbone")
    printed = published.set_index(["backbone", "loss"])["accuracy"] / 100
    rows = []
    for experiment in measured(dataset):
        metrics = results.read(experiment, "metrics.csv")
        if experiment.protocol == "subject":
            mean, low, high = subject_interval(results.read(experiment, "predictions.csv.gz"))
        else:
            mean, low, high = mean_interval(metrics["accuracy"])
        lost = set(
            last_epoch(experiment).query("grid_outside > @LOST")[["seed", "fold"]].itertuples(index=False, name=None)
        )
        kept = [(row.seed, row.fold) not in lost for row in metrics.itertuples()]
        network = Network(experiment.backbone, experiment.input_path, experiment.head_layers)
        timing = pd.DataFrame(results.read_run(experiment)["members"]).T
        rows.append(
            {
                "experiment": experiment.experiment,
                "protocol": experiment.protocol,
                "label": label(experiment),
                "mean": mean,
                "ci_low": low,
                "ci_high": high,
                "n": len(metrics),
                "of": len(experiment.members),
                "macro_f1": metrics["macro_f1"].mean(),
                "occluded": occluded(experiment)["accuracy"].mean(),
                "lost": len(lost),
                "kept_mean": metrics.loc[kept, "accuracy"].mean(),
                "printed": printed.get((experiment.backbone, experiment.loss)),
                "parameters": parameter_count(network),
                "frames_per_second": timing["frames_per_second"].median(),
                "train_seconds": timing["train_seconds"].median(),
            }
        )
    return pd.DataFrame(rows)


CAPTION = (
    "Accuracy in percent with its 95 % interval. Random and sequence: mean and Student's t interval over members, each "
    "with its own split and initialisation: the interval tells what a retraining changes, not what new people would. "
    "Subject: pooled over the tested frames, subjects resampled. n: members. Occluded: the same test frames "
    "under the paper's random black rectangle. Lost: members whose transformer left the face. The last epoch counts."
)


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`accuracy_table` rounded for the eye."""
    return pd.DataFrame(
        {
            "protocol": table["protocol"],
            "method": table["label"],
            "printed": [percent(x) for x in table["printed"]],
            "ours": [percent(x) for x in table["mean"]],
            "95 % interval": [interval(low, high) for low, high in zip(table["ci_low"], table["ci_high"], strict=True)],
            "n": [f"{n}" if n == of else f"{n} of {of}" for n, of in zip(table["n"], table["of"], strict=True)],
            "macro F1": [percent(x) for x in table["macro_f1"]],
            "occluded": [percent(x) for x in table["occluded"]],
            "lost": table["lost"],
        }
    )


def readable_cost(table: pd.DataFrame) -> pd.DataFrame:
    """What the arms of `accuracy_table` cost: weights, training frames per second and minutes per member (medians)."""
    return pd.DataFrame(
        {
            "protocol": table["protocol"],
            "method": table["label"],
            "million weights": [f"{x / 1e6:.2f}" for x in table["parameters"]],
            "training frames per second": [f"{x:.0f}" for x in table["frames_per_second"].astype(float)],
            "minutes a member": [f"{x / 60:.1f}" for x in table["train_seconds"].astype(float)],
        }
    )


def readable_claims(claims: pd.DataFrame) -> pd.DataFrame:
    """`claims_table` in points, rounded for the eye."""
    points = {
        name: [f"{100 * x:+.2f}" if pd.notna(x) else "–" for x in claims[name]] for name in ("printed", "difference")
    }
    ends = [interval(low, high, "+") for low, high in zip(claims["ci_low"], claims["ci_high"], strict=True)]
    p = [f"{x:.3f}" if pd.notna(x) else "–" for x in claims["p"]]
    shown = claims[["claim", "protocol", "better"]].rename(columns={"better": "with"})
    return shown.assign(**points, **{"95 % interval": ends}, n=claims["n"], p=p, verdict=claims["verdict"])


def answer(table: pd.DataFrame) -> str:
    """The study's answer so far, in sentences made from `accuracy_table`."""
    sentences = []
    for row in table[table["printed"].notna()].itertuples():
        where = "within this interval" if row.ci_low <= row.printed <= row.ci_high else "outside this interval"
        if not row.ci_high - row.ci_low < WIDE:
            where = "which an interval as wide as this cannot judge"
        lost = f" In {row.lost} of {row.n} members the transformer left the face" if row.lost else ""
        lost += f"; the others reach {percent(row.kept_mean)} %." if 0 < row.lost < row.n else "." if lost else ""
        sentences.append(
            f"**{row.label}**, protocol {row.protocol}: {percent(row.mean)} % "
            f"[{interval(row.ci_low, row.ci_high)}], n = {row.n}; the paper prints {percent(row.printed)} %, "
            f"{where}.{lost}"
        )
    return "## The answer so far\n\n" + "\n".join(f"- {sentence}" for sentence in sentences)


def not_run(dataset: str) -> str:
    """Which members of `experiments.csv` have no result yet, in a sentence."""
    missing = []
    for row in (row for row in read_experiments() if row.dataset == dataset):
        run = results.read_run(row)
        done = len(results.finished(row)) if run and not results.conflicts(row, run) else 0
        if done < len(row.members):
            missing.append(f"{label(row)}, {row.protocol} ({len(row.members) - done} of {len(row.members)} members)")
    return f"Not run yet: {'; '.join(missing)}." if missing else "Everything that `experiments.csv` lists was run."


def history(experiment: Experiment) -> pd.DataFrame:
    """`history.csv` with a column `member`."""
    table = results.read(experiment, "history.csv")
    return table.assign(
        member=[f"seed{seed}-fold{fold}" for seed, fold in zip(table["seed"], table["fold"], strict=True)]
    )


def occluded(experiment: Experiment) -> pd.DataFrame:
    """The rows of `occlusion.csv` under the paper's own occlusion, a black rectangle."""
    table = results.read(experiment, "occlusion.csv")
    return table[(table["kind"] == "rectangle") & (table["fill"] == "black")]


def last_epoch(experiment: Experiment) -> pd.DataFrame:
    """The rows of `history.csv` of each member's last epoch."""
    table = results.read(experiment, "history.csv")
    return table[table["epoch"] == experiment.epochs]


def confusion_counts(experiment: Experiment, classes: int) -> pd.DataFrame:
    """Test frames by true (rows) and predicted class (columns), summed over the members."""
    predictions = results.read(experiment, "predictions.csv.gz")
    counts = pd.crosstab(predictions["label"], predictions["prediction"])
    return counts.reindex(index=range(classes), columns=range(classes), fill_value=0)


def claims_table(dataset: str) -> pd.DataFrame:
    """The paper's claims beside the paired differences between arms that differ in nothing else.

    One row per claim, protocol and setting for which both arms are measured; `verdict` follows from the interval alone.
    """
    arms = measured(dataset)
    rows = []
    for claim, (printed, has, instead) in CLAIMS.items():
        for better in arms:
            if any(getattr(better, name) != value for name, value in has.items()):
                continue
            for worse in arms:
                if replace(better, experiment=worse.experiment, **instead).method == worse.method:
                    pair = {"claim": claim, "protocol": better.protocol, "better": label(better), "worse": label(worse)}
                    difference = paired_difference(accuracies(better), accuracies(worse))
                    said = verdict(difference["ci_low"], difference["ci_high"])
                    rows.append({**pair, "printed": printed, **difference, "verdict": said})
    columns = [
        "claim",
        "protocol",
        "better",
        "worse",
        "printed",
        "difference",
        "ci_low",
        "ci_high",
        "p",
        "n",
        "verdict",
    ]
    return pd.DataFrame(rows, columns=columns)


def member_accuracies(dataset: str) -> list[np.ndarray]:
    """Each member's accuracy, for every row of `accuracy_table`."""
    return [accuracies(experiment).to_numpy() for experiment in measured(dataset)]


def accuracies(experiment: Experiment) -> pd.Series:
    """Each member's accuracy after the last epoch, indexed by seed and fold."""
    return results.read(experiment, "metrics.csv").set_index(["seed", "fold"])["accuracy"]


def verdict(low: float, high: float) -> str:
    """What the interval of a claimed gain says of its direction."""
    if low > 0:
        return "supported"
    return "contradicted" if high < 0 else "not resolvable"
