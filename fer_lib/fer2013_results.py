"""What the networks trained on FER2013 score, beside what its images and labels allow; from `results/` alone.

Under protocol `usage` all members are asked about the same PrivateTest images, so intervals resample images. A function
that takes a data set serves `ferplus` too.
"""

import numpy as np
import pandas as pd

from fer_lib import naming, quality, results, tables, votes
from fer_lib.experiments import Experiment, read_experiments
from fer_lib.stats import cluster_gain, cluster_ratio
from fer_lib.wording import gained, in_cell, interval, percent, points, with_ends

DATASET = "fer2013"

AIMS = {"mean": (0.737, "alone"), "ensemble": (0.75, "together")}
"""Column of `scores` -> what was aimed for before the first long training: what the best network prints that saw no
other data, and more than that for some together."""

LONG = 150
"""Epochs of that training."""

BINS = 15
"""Bins of confidence in the calibration error (Guo et al. 2017)."""


def is_trained(dataset: str = DATASET) -> bool:
    """Whether any member of its rows of `experiments.csv` is finished."""
    return any(tables.has_results(row) for row in read_experiments() if row.dataset == dataset)


def arms(dataset: str = DATASET) -> dict[str, Experiment]:
    """Label -> the measured experiments under `usage`. Raises ValueError if there is none."""
    return {naming.label(row): row for row in tables.measured(dataset) if row.protocol == "usage"}


def predictions(experiment: Experiment) -> tuple[pd.DataFrame, np.ndarray]:
    """`predictions.csv.gz`, and the probabilities (N, classes)."""
    table = results.read(experiment, "predictions.csv.gz")
    return table, table[[name for name in table.columns if name.startswith("p_")]].to_numpy()


def reliability(experiment: Experiment) -> pd.DataFrame:
    """How often the members are right at each confidence, a row a bin that is used: frames, confidence, accuracy."""
    table, probabilities = predictions(experiment)
    confidence = probabilities.max(axis=1)
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    right = table["prediction"] == table["label"]
    grouped = pd.DataFrame({"confidence": confidence, "accuracy": right}).groupby(place)
    return grouped.mean().assign(frames=grouped.size()).reset_index(drop=True)


def calibration_error(experiment: Experiment) -> float:
    """Expected calibration error: the mean distance of confidence from accuracy over `reliability`, by frames."""
    bins = reliability(experiment)
    return float(np.average((bins["confidence"] - bins["accuracy"]).abs(), weights=bins["frames"]))


def chosen_epochs(experiment: Experiment) -> pd.DataFrame:
    """For each member the epoch that is best on PublicTest, the first of equals, with its history's row."""
    history = results.read(experiment, "history.csv")
    best = history.groupby(["seed", "fold"])["selection_accuracy"].idxmax()
    return history.loc[best].reset_index(drop=True)


def ensemble(experiment: Experiment) -> tuple[float, float, float]:
    """Accuracy of the members' mean probabilities with its ends, images resampled; NaN with a single member."""
    table, _ = predictions(experiment)
    if table.groupby(["seed", "fold"]).ngroups < 2:
        return np.nan, np.nan, np.nan
    together = tables.voted(table, ["frame_id"])
    right = together["prediction"] == together["label"]
    return cluster_ratio(right, together["frame_id"])


def scores(dataset: str = DATASET) -> pd.DataFrame:
    """`tables.accuracy_table` and, a column each: epochs, chosen (mean epoch by PublicTest), at_chosen, mirrored,
    ensemble with ensemble_low and ensemble_high, calibration_error, lowest and highest (of the members)."""
    table = tables.accuracy_table(dataset).query("protocol == 'usage'").reset_index(drop=True)
    rows = []
    for experiment in arms(dataset).values():
        chosen = chosen_epochs(experiment)
        rows.append(
            {
                "epochs": experiment.epochs,
                "chosen": chosen["epoch"].mean(),
                "at_chosen": chosen["test_accuracy"].mean(),
                "mirrored": results.read(experiment, "metrics.csv")["mirrored_accuracy"].mean(),
                **dict(zip(("ensemble", "ensemble_low", "ensemble_high"), ensemble(experiment), strict=True)),
                "calibration_error": calibration_error(experiment),
                **results.read(experiment, "metrics.csv")["accuracy"].agg(lowest="min", highest="max"),
            }
        )
    return table.join(pd.DataFrame(rows))


def beside_printed(table: pd.DataFrame, printed: pd.DataFrame) -> pd.DataFrame:
    """Those of `quality.published` and of `scores`, the highest first: method, share, low, high, ours."""
    ours = table.rename(columns={"label": "method", "mean": "share", "ci_low": "low", "ci_high": "high"})
    columns = ["method", "share", "low", "high", "ours"]
    both = pd.concat([printed[columns], ours.assign(ours=True)[columns]]) if len(ours) else printed[columns]
    return both.sort_values("share", ascending=False, ignore_index=True)


def curves() -> pd.DataFrame:
    """Accuracy in each epoch, mean over members, a row per method, part and epoch."""
    names = {"train_accuracy": "Training", "selection_accuracy": "PublicTest", "test_accuracy": "PrivateTest"}
    parts = []
    for name, experiment in arms().items():
        history = results.read(experiment, "history.csv").groupby("epoch")[list(names)].mean()
        long = history.rename(columns=names).melt(ignore_index=False, var_name="part", value_name="accuracy")
        parts.append(long.reset_index().assign(method=name))
    return pd.concat(parts, ignore_index=True)[["method", "part", "epoch", "accuracy"]]


def recalls(dataset: str = DATASET) -> pd.DataFrame:
    """For each method and class: recall, low, high (images resampled), and n, its PrivateTest images."""
    rows = []
    for name, experiment in arms(dataset).items():
        table, _ = predictions(experiment)
        classes = results.class_names(experiment)
        for k, own in table.groupby("label"):
            right = own["prediction"] == own["label"]
            ends = cluster_ratio(right, own["frame_id"])
            rows.append((name, classes[k], *ends, own["frame_id"].nunique()))
    return pd.DataFrame(rows, columns=["method", "emotion", "recall", "low", "high", "n"])


def by_class(images: pd.DataFrame) -> pd.DataFrame:
    """`recalls` and confirmed: of a class's PrivateTest labels, the share that is the votes' majority.

    images: `quality.read("images")`.
    """
    tested = images[images["usage"] == "PrivateTest"]
    confirmed = (votes.outcome(tested) == votes.OUTCOMES[0]).groupby(tested["label"]).mean()
    table = recalls()
    return table.assign(confirmed=table["emotion"].map(confirmed))


def on_parts(images: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """`quality.scores` of each method's first member."""
    named = []
    for name, experiment in arms().items():
        table, _ = predictions(experiment)
        first = table[(table["seed"] == table["seed"].iloc[0]) & (table["fold"] == table["fold"].iloc[0])]
        classes = np.array(results.class_names(experiment))
        words = {column: classes[first[column]] for column in ("label", "prediction")}
        named.append(first[["frame_id"]].assign(method=name, training=quality.ALL, **words))
    return quality.scores(pd.concat(named), quality.subsets(images, pairs))


def sided_with(images: pd.DataFrame) -> pd.DataFrame:
    """When a method and the label disagree, whom most voters side with, a row per method, over all members.

    Columns method, wrong (answers), images (that these are about), shares of the answers: network, label, neither
    (other categories, or tied), and more: network less label, with more_low and more_high, images resampled.
    """
    majority = images.set_index("frame_id")["majority"]
    rows = []
    for name, experiment in arms().items():
        table, _ = predictions(experiment)
        classes = np.array(results.class_names(experiment))
        wrong = table[table["prediction"] != table["label"]]
        said = majority[wrong["frame_id"]].to_numpy()
        sides = {column: (said == classes[wrong[column]]).astype(float) for column in ("prediction", "label")}
        network, label = (float(side.mean()) for side in sides.values())
        more = cluster_gain(sides["prediction"] - sides["label"], wrong["frame_id"])
        counts = (len(wrong), wrong["frame_id"].nunique())
        ends = (more["difference"], more["ci_low"], more["ci_high"])
        rows.append((name, *counts, network, label, 1 - network - label, *ends))
    columns = ["method", "wrong", "images", "network", "label", "neither", "more", "more_low", "more_high"]
    return pd.DataFrame(rows, columns=columns)


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`scores` in percent; in a cell the line breaks before a bracket only."""
    rows = [
        {
            "method": row.label,
            "last epoch": in_cell(row.mean, row.ci_low, row.ci_high, ".2%"),
            "by PublicTest": f"{percent(row.at_chosen)} ({_together(f'epoch {row.chosen:.0f} of {row.epochs}')})",
            "mirrored too": percent(row.mirrored),
            "ensemble": in_cell(row.ensemble, row.ensemble_low, row.ensemble_high, ".2%"),
            "macro F1": percent(row.macro_f1),
            "calibration error": percent(row.calibration_error),
            "lost": row.lost,
            "n": f"{row.n}" if row.n == row.of else _together(f"{row.n} of {row.of}"),
        }
        for row in table.itertuples()
    ]
    return pd.DataFrame(rows)


def _together(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def readable_recalls(table: pd.DataFrame) -> pd.DataFrame:
    """`recalls` in percent, a row per class, the most frequent first, and a column per method."""
    said = [in_cell(row.recall, row.low, row.high, ".2%") for row in table.itertuples()]
    shown = table.assign(said=said).pivot(index="emotion", columns="method", values="said")[table["method"].unique()]
    images = table.groupby("emotion")["n"].first().sort_values(ascending=False, kind="stable")
    shown = shown.loc[images.index].reset_index().rename_axis(columns=None)
    return shown.assign(images=images.to_numpy())


def readable_parts(table: pd.DataFrame) -> pd.DataFrame:
    """`on_parts` in percent, without those that go by the votes."""
    shown = table[~table["part"].str.startswith("label")]
    ends = [interval(low, high) for low, high in zip(shown["low"], shown["high"], strict=True)]
    said = {"accuracy": shown["share"].map(percent), "95 % interval": ends}
    return shown[["method", "part", "n"]].assign(**said)


def readable_sides(table: pd.DataFrame) -> pd.DataFrame:
    """`sided_with` in percent."""
    shares = {f"voters see what the {name} says": table[name].map(percent) for name in ("network", "label")}
    more = [points(row.more, row.more_low, row.more_high) for row in table.itertuples()]
    shown = table[["method", "wrong", "images"]].assign(**shares, neither=table["neither"].map(percent))
    return shown.assign(**{"network less label": more})


def reached(table: pd.DataFrame) -> list[str]:
    """`scores` in sentences, one a method."""
    lines = []
    for row in table.itertuples():
        said = f"- **{row.label}**, {row.epochs} epochs: {percent(row.mean)} % of PrivateTest "
        said += f"[{interval(row.ci_low, row.ci_high)}] after the last epoch, n = {row.n}"
        said += f" ({percent(row.lowest)} to {percent(row.highest)})" * (row.n > 1)
        said += f"; {percent(row.at_chosen)} % at the epoch that PublicTest chooses"
        if row.n > 1:
            said += f"; asked together, their probabilities averaged, the {row.n} reach "
            said += with_ends((row.ensemble, row.ensemble_low, row.ensemble_high))
        lines.append(f"{said}.")
    return lines


def aimed(best: pd.Series) -> list[str]:
    """What was aimed for beside what the best row of `scores` reaches, as a line; none if it is not trained so long."""
    if best["epochs"] < LONG:
        return []
    said = [
        f"{percent(aim)} % {words}: {'reached' if best[column] >= aim else 'not reached'}"
        for column, (aim, words) in AIMS.items()
    ]
    return [f"- Aimed for were {'; '.join(said)}."]


def as_in_the_paper(table: pd.DataFrame) -> list[str]:
    """What the paper's own networks reach, and their members, in a line; none if none of them is trained."""
    own = [name for name, arm in arms().items() if naming.part(arm) == "Table 2"]
    said = [
        f"{row.label} {with_ends((row.mean, row.ci_low, row.ci_high))}, members {percent(row.lowest)} to "
        f"{percent(row.highest)}"
        for row in table[table["label"].isin(own)].itertuples()
    ]
    return [f"- The paper's networks: {'; '.join(said)}."] if said else []


def loss_beside_margin(arm: Experiment) -> str:
    """How near the triplet loss of an arm stays to what a network pays that puts all faces on one point, as a line."""
    loss = tables.last_epoch(arm)["loss"]
    return (
        f"- {naming.label(arm)}: in the last epoch the loss is still {loss.mean():.2f} ({loss.min():.2f} to "
        f"{loss.max():.2f}; n = {len(loss)}). A network that puts all faces on one point pays the margin, "
        f"{arm.margin:g}: where they are near, training has hardly begun, and says little of the loss."
    )


def answer(table: pd.DataFrame, ceilings: pd.DataFrame, sides: pd.DataFrame, claims: pd.DataFrame) -> str:
    """The page's findings in sentences; table: `scores`, ceilings: `votes.ceilings`, sides: `sided_with`."""
    reader = ceilings.set_index("model").loc[votes.DRAWN]
    best = table.loc[table["mean"].idxmax()]
    lines = [*reached(table[table["label"] == best["label"]]), *aimed(best), *as_in_the_paper(table)]
    lines += [loss_beside_margin(arm) for arm in arms().values() if arm.loss == "triplet"]
    lines += [f"-{missing}"] if (missing := _not_among(table)) else []
    lines += [
        f'- "{row.claim}" ({row.better}): {gained(row)}, {row.n:,} {row.pairs}: {row.verdict}.'
        for row in claims.itertuples()
    ]
    side = sides.set_index("method").loc[best["label"]]
    lines.append(
        f"- Who answers what most of ten voters say, a tie drawn, scores {percent(reader['share'])} %; a network can "
        f"exceed that, for it learns how this data set labels, and some of its images (twins, below). Where the best "
        f"of these networks is wrong by the label ({side['wrong']:,.0f} answers of {best['n']:.0f} trainings on "
        f"{side['images']:,.0f} images), most voters see what the network says in {percent(side['network'])} %, and "
        f"what the label says in {percent(side['label'])} %: {100 * side['more']:+.2f} points "
        f"[{interval(side['more_low'], side['more_high'], '+')}], images resampled."
    )
    return "\n".join(lines)


def in_short() -> str:
    """What is reached so far, in a sentence; empty if nothing is trained."""
    if not is_trained():
        return ""
    table = tables.accuracy_table(DATASET).query("protocol == 'usage'")
    best = table.loc[table["mean"].idxmax()]
    return (
        f"On FER2013 the highest of {len(table)} networks so far, {best['label']}, reaches {percent(best['mean'])} % "
        f"of PrivateTest [{interval(best['ci_low'], best['ci_high'])}], n = {best['n']}; the best published "
        f"that saw no other data prints {percent(AIMS['mean'][0])} %.{_not_among(table)}"
    )


def _not_among(table: pd.DataFrame) -> str:
    """That the proposed network is not in a table, if so."""
    proposed = naming.label(Experiment("proposed", DATASET, "usage", stn_lr_factor=0.1, epochs=10, batch_size=64))
    return "" if proposed in set(table["label"]) else f" The proposed one, {proposed}, is not trained yet."
