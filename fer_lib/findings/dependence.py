"""How far the frames of a random test set are independent: errors of one subject's frames come together."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from fer_lib import paths, results
from fer_lib.findings.tables import collapsed, measured
from fer_lib.measures.references import METHODS
from fer_lib.stats import cluster_ratio
from fer_lib.words.naming import label, part
from fer_lib.words.rounding import in_cell, percent


def design_effect(values, splits, clusters) -> tuple[float, float, float]:
    """Variance of the sum of the values with frames clustered over that with independent frames; NaN if none varies.

    Splits with a single cluster do not count.
    values, splits, clusters: one per frame; a value is 1 for an error, or the difference of two methods' errors. Each
    split's variance is that of the sums over its clusters of the values less their mean, with clusters drawn with
    replacement; both variances are summed over the splits. The interval is `stats.cluster_ratio`, which resamples
    clusters with all their frames of all splits.
    """
    table = pd.DataFrame({"value": np.asarray(values, float), "split": list(splits), "cluster": list(clusters)})
    own = table.groupby("split")["value"]
    parts = table.assign(off=table["value"] - own.transform("mean"), independent=own.transform("var", ddof=0))
    parts = parts.groupby(["split", "cluster"])[["off", "independent"]].sum().reset_index()
    parts["clusters"] = parts.groupby("split")["cluster"].transform("size")
    parts = parts[parts["clusters"] > 1]
    if not parts["independent"].any():
        return np.nan, np.nan, np.nan
    between = parts["off"] ** 2 * parts["clusters"] / (parts["clusters"] - 1)
    return cluster_ratio(between, parts["cluster"], parts["independent"])


def paired_errors(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The frames of the runs that two networks share: seed, subject, off.

    off: 1 where only the first one errs, -1 where only the second one does. first, second: `predictions.csv.gz`.
    """
    key = ["seed", "fold", "frame_id", "subject", "label"]
    both = first.merge(second, on=key, suffixes=("_first", "_second"))
    wrong = [(both[f"prediction_{one}"] != both["label"]).astype(int) for one in ("first", "second")]
    return both[["seed", "subject"]].assign(off=wrong[0] - wrong[1])


def design_effects(dataset: str) -> pd.DataFrame:
    """`design_effect` by subject under the random split, a row per method.

    Columns method, splits, errors, effect, ci_low, ci_high.

    Methods: the references that look at the face, and the networks of Table 2 of which no run has collapsed; those
    without an error are left out.
    """
    rows = [_of(name, own) for name, own in _tested(dataset)]
    columns = ["method", "splits", "errors", "effect", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns).dropna(subset="effect", ignore_index=True)


def _tested(dataset: str) -> Iterable[tuple[str, pd.DataFrame]]:
    """Name and predictions under the random split of each method."""
    if (paths.RESULTS / dataset / "reference_predictions.csv.gz").exists():
        stored = results.of_data_set(dataset, "reference_predictions.csv.gz").query("protocol == 'random'")
        yield from ((name, own) for name, own in stored.groupby("method") if name in METHODS[1:])
    for arm in measured(dataset):
        if (arm.protocol, part(arm)) == ("random", "Table 2") and not collapsed(arm):
            yield label(arm), results.read(arm, "predictions.csv.gz")


def _of(name: str, predictions: pd.DataFrame) -> tuple[str, int, int, float, float, float]:
    wrong = predictions["label"] != predictions["prediction"]
    effect = design_effect(wrong, predictions["seed"], predictions["subject"])
    return name, predictions["seed"].nunique(), int(wrong.sum()), *effect


def in_words(leaks: pd.DataFrame, effects: pd.DataFrame) -> str:
    """What frames of a random test set share, in sentences. leaks: `leakage.ladder`, effects: `design_effects`."""
    row = leaks.set_index("protocol").loc["random"]
    return (
        f"The {row['test frames']:.0f} frames of a random test set are not independent. A tested sequence contributes "
        f"{row['frames a sequence']:.1f} frames and a tested subject {row['frames a subject']:.1f} (expected over all "
        f"random splits).{_clustered(effects)} Wilson's intervals are therefore probably too narrow, and "
        "the exact p values probably too small.\n\nThe test frames also depend on the training set: "
        f"{percent(row['sequence seen'])} % of them have a frame of the same sequence there. All these numbers apply "
        "to near-duplicates of training frames, not to unseen faces."
    )


def _clustered(effects: pd.DataFrame) -> str:
    if effects.empty:
        return ""
    said = [
        f"{row.method} {in_cell(row.effect, row.ci_low, row.ci_high, '.1f')} (n = {row.splits} splits)"
        for row in effects.itertuples()
    ]
    return (
        " Clustered by subject, the variance of the number of errors is that of independent frames times a design "
        f"effect, with its 95 % interval over subjects: {'; '.join(said)}."
    )


def in_short(effects: pd.DataFrame) -> str:
    """That the errors cluster, and what follows, in a sentence; empty without `design_effects`."""
    if effects.empty or effects["effect"].max() <= 1:
        return ""
    ends = dict.fromkeys(f"{x:.1f}" for x in (effects["effect"].min(), effects["effect"].max()))
    return (
        "The frames are not independent: in our runs and references the variance of the number of errors, clustered by "
        f"subject, is {' to '.join(ends)} times that of independent frames ({(effects['ci_low'] > 1).sum()} of "
        f"{len(effects)} intervals over subjects lie above 1). The interval is therefore probably too narrow, the p "
        "value too small, and the number of frames below too low."
    )
