"""How results are put to a reader: captions that say what was repeated, tables for the eye, and sentences."""

from collections import Counter

import pandas as pd

from fer_lib.comparisons import TWO_KINDS, holm
from fer_lib.experiments import read_experiments
from fer_lib.findings.claims import NOT_COLLAPSED
from fer_lib.findings.followed import PROPOSED, labels
from fer_lib.findings.tables import LOOKS, measured, unfinished
from fer_lib.results import read_run
from fer_lib.stats import wilson
from fer_lib.words.rounding import (
    gained,
    in_folds,
    in_points,
    interval,
    intervals,
    p_value,
    paired,
    percent,
    points,
)

OVER_MEMBERS = (
    "mean and plain Student's t interval over runs, each with its own split and initialisation: "
    "it describes new splits of these same frames, not other subjects."
)
POOLED = "pooled over the test frames; subjects resampled."
SPLITS = {
    "random": "Random split of frames, as in the paper: frames of one sequence fall on both sides.",
    "sequence": "Random split of whole sequences: no frame has a twin in training, but most test subjects are in it.",
    "subject": "Subject-independent, ten folds: no subject is on both sides.",
    "inner": "Five pairs of the ten folds of subjects: no subject is on both sides.",
    "usage": "FER2013's own split: Training trains, PublicTest selects, PrivateTest reports.",
}
"""What a split by each protocol means."""

OVER = {
    "random": OVER_MEMBERS,
    "sequence": OVER_MEMBERS,
    "subject": POOLED,
    "usage": "pooled over the test images; images resampled.",
}
PROTOCOLS = {name: f"{SPLITS[name]} Ours: {over}" for name, over in OVER.items()}
"""What a split by each protocol means, and what the interval is over; inner folds choose, and stand in no table."""

COLUMNS = (
    "Accuracies in percent after the last epoch, with 95 % intervals. n: runs, each of one initialisation on one split "
    "or fold. Worst class: the lowest recall, all runs together. Macro F1: pooled over the folds of an initialisation. "
    "Occluded: the same test frames under the paper's random black rectangle. Collapsed: runs whose STN turned away "
    "from the face; where only some did, the mean has no interval. As the author's code: the two-layer head and the "
    "boosted trees of the first author's public code. Joint: cross-entropy plus triplet loss. Printed: for softmax "
    "with ResNet-10 it follows from the text, which gives its difference to triplet."
)
CLAIMED = (
    "Paired differences in points with 95 % intervals, the second over the folds. Supported: every interval lies above "
    "zero; contradicted: each lies below. p, two-sided, is that of the interval nearest to zero: below 0.05 where "
    "there is a verdict. In brackets p after Holm's correction for all rows; verdicts and intervals are not corrected "
    "for multiple comparisons. For occlusion the paper mentions a comparison and prints no number."
)
"""Caption of `readable_claims`."""
CAPTION = f"{COLUMNS} Random and sequence: {OVER_MEMBERS} Subject: {POOLED}"


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`accuracy_table` rounded for the eye."""
    return pd.DataFrame(
        {
            "protocol": table["protocol"],
            "method": table["label"],
            "printed": [percent(x) for x in table["printed"]],
            "ours": [percent(x) for x in table["mean"]],
            "95 % interval": intervals(table["ci_low"], table["ci_high"]),
            "n": [f"{n}" if n == of else f"{n} of {of}" for n, of in zip(table["n"], table["of"], strict=True)],
            "worst class": [
                f"{percent(row.worst_recall)} {row.worst_class}" if row.worst_recall < 1 else "–"
                for row in table.itertuples()
            ],
            "macro F1": [percent(x) for x in table["macro_f1"]],
            "occluded": [percent(x) for x in table["occluded"]],
            "collapsed": table["collapsed"],
        }
    )


def readable_cost(table: pd.DataFrame) -> pd.DataFrame:
    """What the arms of `accuracy_table` cost: weights, training frames per second and minutes per member (medians).

    By machine, for rows of different machines do not compare.
    """
    shown = pd.DataFrame(
        {
            "machine": table["device"],
            "protocol": table["protocol"],
            "method": table["label"],
            "million weights": [f"{x / 1e6:.2f}" for x in table["parameters"]],
            "training frames per second": [f"{x:.0f}" for x in table["frames_per_second"].astype(float)],
            "minutes a run": [f"{x / 60:.2g}" for x in table["train_seconds"].astype(float)],
        }
    )
    return shown.sort_values("machine", kind="stable")


def readable_claims(claims: pd.DataFrame) -> pd.DataFrame:
    """`claims_table` in points, rounded for the eye, without the columns of late epochs."""
    printed = [f"{100 * x:+.2f}" if pd.notna(x) else "–" for x in claims["printed"]]
    both = zip(claims["p"], holm(claims["p"]), strict=True)
    p = [f"{p_value(raw)} ({p_value(corrected)})" if pd.notna(raw) else "–" for raw, corrected in both]
    shown = readable_comparisons(claims, "claim", "protocol", "better").assign(p=p)
    shown.insert(4, "printed", printed)
    return shown.rename(columns={"better": "with", "gain": "ours", "p": "p (Holm)"})


def claims_in_words(claims: pd.DataFrame) -> str:
    """A line per claim of `claims_table`: under each protocol one or two pairs of networks that have an interval."""
    lines = []
    for claim, own in claims.groupby(claims["claim"].str.removesuffix(NOT_COLLAPSED), sort=False):
        printed = own["printed"].iloc[0]
        said = [_claimed(rows) for _, rows in own.groupby("protocol", sort=False)]
        told = f" (printed: {100 * printed:+.2f} points)" if pd.notna(printed) else ""
        lines.append(f"- **{claim[0].upper()}{claim[1:]}**{told}: {'; '.join(said)}.")
    return "\n".join(lines)


def _claimed(rows: pd.DataFrame) -> str:
    """A claim under one protocol: of the proposed network, and of the first that the pages follow."""
    protocol, rows = rows["protocol"].iloc[0], rows[rows["verdict"] != TWO_KINDS]
    if rows.empty:
        return f"protocol {protocol} {TWO_KINDS}"
    proposed = rows[rows["better"] == PROPOSED]
    chosen = pd.concat([proposed, rows[rows["better"].isin(labels())][:1]])
    said = []
    for row in (chosen if len(chosen) else rows[:1]).itertuples():
        left_out = NOT_COLLAPSED if row.claim.endswith(NOT_COLLAPSED) else ""
        said.append(f"{gained(row)}, {row.verdict} ({row.better}{left_out})")
    return f"protocol {protocol} {' and '.join(said)}"


def late_in_words(claims: pd.DataFrame) -> str:
    """Whether the last epochs logged give other verdicts than the last alone; claims: `claims_table`; may be empty."""
    own = claims.dropna(subset=["late", "ci_low"])
    if own.empty:
        return ""
    other = own[own["late_verdict"] != own["verdict"]]
    said = (
        f"The test accuracy of the last epoch alone is noisy. Its mean over the last {LOOKS} logged epochs gives the "
        f"same verdict in {len(own) - len(other)} of {len(own)} comparisons on clear faces that have an interval."
    )
    for row in other.itertuples():
        late = points(row.late, row.late_low, row.late_high)
        said += (
            f" It differs for {row.claim} ({row.better}, {row.protocol}): {late}, {row.late_verdict}; after the last "
            f"epoch {100 * row.difference:+.2f}, {row.verdict}."
        )
    if "subject" in set(own["protocol"]):
        said += (
            " On unseen subjects the mean has an interval over folds alone, since only the predictions of the last "
            "epoch are stored; the verdict on that epoch also needs the interval over subjects."
        )
    return said


def over_references_in_words(table: pd.DataFrame) -> str:
    """How many networks are better than each reference, and how many worse: a bullet per reference.

    table: `claims.against_references`.
    """
    lines = []
    for reference, own in table.groupby("reference", sort=False):
        said = []
        for protocol, rows in own.groupby("protocol", sort=False):
            counts = rows["verdict"].value_counts()
            worse = f", {counts['contradicted']} worse" if "contradicted" in counts else ""
            said.append(f"{counts.get('supported', 'none')} of {len(rows)} under {protocol}{worse}")
        lines.append(f"- Measurably better than {reference}: {'; '.join(said)}.")
    return "\n".join(lines)


def readable_comparisons(table: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Rows with the columns of `comparisons.COMPARISON`, in points. names: the columns that tell them apart."""
    gains, n = [in_points(row) for row in table.itertuples()], [paired(row) for row in table.itertuples()]
    p = [p_value(x) for x in table["p"]]
    return table[list(names)].assign(verdict=table["verdict"], gain=gains, p=p, n=n)


def readable_oracle(table: pd.DataFrame) -> pd.DataFrame:
    """What the best watched epoch would have added to the rows of `accuracy_table`, in points."""
    ends = intervals(table["oracle_low"], table["oracle_high"], "+")
    n = [in_folds(row.protocol, row.n, row.trainings) for row in table.itertuples()]
    gains = {"gain": [f"{100 * x:+.2f}" for x in table["oracle_gain"]], "95 % interval": ends, "n": n}
    shown = table[["protocol", "label", "mean"]].rename(columns={"label": "method", "mean": "last epoch"})
    return shown.assign(**{"last epoch": [percent(x) for x in table["mean"]]}, **gains)


def oracle_in_short(table: pd.DataFrame) -> str:
    """What the best watched epoch would have added over the rows of `accuracy_table`, in a sentence.

    Without collapsed runs, of which the best epoch is one before the collapse; empty without any other.
    """
    gains = 100 * table.loc[table["collapsed"] == 0, "oracle_gain"].dropna()
    if gains.empty:
        return ""
    return (
        f"Choosing the best logged epoch on the test frames would have added {gains.min():.2f} to {gains.max():.2f} "
        f"points (median {gains.median():.2f}, {len(gains)} networks without a collapsed run)."
    )


def collapsed_in_words(table: pd.DataFrame) -> str:
    """The rows of `accuracy_table` in which some members collapsed, a sentence each."""
    return " ".join(
        f"{row.label} ({row.protocol}): in {row.collapsed} of {row.n} runs the STN collapsed "
        f"(Wilson's interval {interval(*wilson(row.n - row.collapsed, row.n))} %); these "
        f"reach {percent(row.collapsed_mean)} %, the others {percent(row.kept_mean)} %."
        for row in table.query("0 < collapsed < n").itertuples()
    )


def not_run(dataset: str) -> str:
    """How much of `experiments.csv` has a result, in a sentence."""
    planned = sum(len(row.members) for row in read_experiments() if row.dataset == dataset)
    missing = unfinished(dataset)
    if missing.empty:
        return "All runs in `experiments.csv` are done."
    done = planned - missing["missing"].sum()
    return f"So far {done} of the {planned} runs in `experiments.csv` are done; `make {dataset}` trains the others."


def trained_on(dataset: str) -> str:
    """Which machines trained the members of a data set, and for how many experiments more than one, in sentences."""
    devices = []
    for row in measured(dataset):
        run = read_run(row)
        devices.append(Counter(timing.get("device", run["device"]) for timing in run["members"].values()))
    total = sum(devices, Counter())
    said = (
        f"The runs shown here were trained on {'; '.join(f'{name}: {count}' for name, count in total.most_common())}."
    )
    mixed = sum(len(counts) > 1 for counts in devices)
    if mixed:
        said += f" {mixed} of {len(devices)} networks have runs of more than one machine."
    unnamed = sorted(name for name in total if name.startswith("cpu ("))
    said += f" Of {', '.join(unnamed)} the processor's name was not recorded." if unnamed else ""
    return f"{said} Another machine counts as another initialisation."


def readable_unfinished(missing: pd.DataFrame) -> pd.DataFrame:
    """`unfinished` in words: one row per method, one column per protocol."""
    members = [f"{row.missing} of {row.of}" for row in missing.itertuples()]
    keys = {"index": ["part", "label"], "columns": "protocol", "values": "members"}
    by_protocol = missing.assign(members=members).pivot_table(**keys, aggfunc=", ".join)
    shown = by_protocol.reindex(missing[["part", "label"]].drop_duplicates()).fillna("–").reset_index()
    return shown.rename(columns={"label": "method"}).rename_axis(columns=None)
