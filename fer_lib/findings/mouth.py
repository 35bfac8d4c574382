"""Do networks trained with occlusion rely less on the mouth? Paired on frames that both networks classify correctly."""

import pandas as pd

from fer_lib.comparisons import COMPARISON, pooled_gain
from fer_lib.experiments import Experiment
from fer_lib.findings.attention import PLACED, TRAINED, arms, correct
from fer_lib.findings.claims import pairs
from fer_lib.findings.questions import QUESTIONS
from fer_lib.findings.robustness import enough
from fer_lib.words.naming import label
from fer_lib.words.wording import readable_comparisons

ABOUT = ["protocol", "occlusion", "label", "map", "correct", "frames"]


def compared(dataset: str) -> pd.DataFrame:
    """A row per map of `PLACED` and pair of networks of which only one was trained with occlusion.

    Pairs with runs enough for an interval (`robustness.enough`).

    Columns protocol, occlusion, label (the network trained with it), map, correct (frames that both classify
    correctly), frames (those of them on which both maps have positive relevance), and `COMPARISON` of the mouth's share
    of the positive relevance: without occlusion less with it, so a positive difference is less reliance on the mouth.
    """
    rows, with_maps = [], set(arms(dataset))
    with_occlusion = [question for question in QUESTIONS if question.worse == {"occlusion": "none"}]
    for covered, clear in (pair for question in with_occlusion for pair in pairs(dataset, question)):
        if not {covered, clear} <= with_maps:
            continue
        for name in PLACED:
            both = _shares(covered, name).merge(
                _shares(clear, name), on=["seed", "fold", "frame_id", "subject"], suffixes=("_covered", "_clear")
            )
            own = both.dropna(subset=["inside_covered", "inside_clear"])
            if len(own) and enough(covered, own):
                about = (covered.protocol, covered.occlusion, label(covered), name, len(both), len(own))
                less = (own["inside_clear"] - own["inside_covered"]).to_numpy()
                rows.append(dict(zip(ABOUT, about, strict=True)) | pooled_gain(covered.protocol, own, less))
    return pd.DataFrame(rows, columns=[*ABOUT, *COMPARISON])


def _shares(experiment: Experiment, name: str) -> pd.DataFrame:
    """The mouth's share of the positive relevance (inside) by one map, per correctly classified frame."""
    table = correct(experiment)
    own = table[(table["map"] == name) & (table["region"] == "mouth")]
    return own[["seed", "fold", "frame_id", "subject", "inside"]]


def in_words(table: pd.DataFrame) -> str:
    """The differences and verdicts of `compared` by map and occlusion in training; empty without a comparison."""
    if table.empty:
        return ""
    said = [
        f"by *{name}* {', '.join(_verdict(TRAINED[one], rows) for one, rows in own.groupby('occlusion', sort=False))}"
        for name, own in table.groupby("map", sort=False)
    ]
    return (
        "**Does occlusion in training lower the reliance on the mouth?** So many points of the positive relevance lie "
        f"less on it (supported in so many comparisons): {'; '.join(said)}."
    )


def _verdict(trained: str, own: pd.DataFrame) -> str:
    yes, no = ((own["verdict"] == verdict).sum() for verdict in ("supported", "contradicted"))
    ends = dict.fromkeys(f"{100 * x:.1f}" for x in (own["difference"].min(), own["difference"].max()))
    opposite = f", the opposite in {no}" if no else ""
    return f"{' to '.join(ends)} {trained} ({yes or 'none'} of {len(own)}{opposite})"


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """`compared` in points, with the frames that have a value."""
    frames = [f"{row.frames} of {row.correct}" for row in table.itertuples()]
    shown = readable_comparisons(table, "protocol", "label", "map").rename(
        columns={"label": "trained with occlusion", "gain": "less on the mouth"}
    )
    return shown.assign(frames=frames)
