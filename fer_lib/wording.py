"""How results are put to a reader: rounded, in percent, with what they were measured over, and in sentences."""

import pandas as pd

from fer_lib import results
from fer_lib.experiments import read_experiments
from fer_lib.tables import label

WIDE = 0.1
"""An interval wider than this says nothing of a printed number."""

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
    for row in table.itertuples():
        sentence = f"**{row.label}**, protocol {row.protocol}: {percent(row.mean)} % "
        sentence += f"[{interval(row.ci_low, row.ci_high)}], n = {row.n}"
        if row.printed > 0:
            sentence += f"; the paper prints {percent(row.printed)} %, {_judged(row)}"
        if row.lost:
            sentence += f". In {row.lost} of {row.n} members the transformer left the face"
        if 0 < row.lost < row.n:
            sentence += f"; the others reach {percent(row.kept_mean)} %"
        sentences.append(f"- {sentence}.")
    return "## The answer so far\n\n" + "\n".join(sentences)


def _judged(row) -> str:
    if not row.ci_high - row.ci_low < WIDE:
        return "which an interval as wide as this cannot judge"
    return "within this interval" if row.ci_low <= row.printed <= row.ci_high else "outside this interval"


def not_run(dataset: str) -> str:
    """Which members of `experiments.csv` have no result yet, in a sentence."""
    missing = []
    for row in (row for row in read_experiments() if row.dataset == dataset):
        run = results.read_run(row)
        done = len(results.finished(row)) if run and not results.conflicts(row, run) else 0
        if done < len(row.members):
            missing.append(f"{label(row)}, {row.protocol} ({len(row.members) - done} of {len(row.members)} members)")
    return f"Not run yet: {'; '.join(missing)}." if missing else "Everything that `experiments.csv` lists was run."


def percent(share: float) -> str:
    """0.98765 -> 98.77."""
    return f"{100 * share:.2f}" if pd.notna(share) else "–"


def interval(low: float, high: float, sign: str = "") -> str:
    """0.9, 1 -> 90.00 to 100.00; with sign "+" both ends carry theirs."""
    return f"{100 * low:{sign}.2f} to {100 * high:{sign}.2f}" if pd.notna(low) else "–"
