"""What helps under occlusion: arms that differ in one thing, compared on the same covered faces."""

import pandas as pd

from fer_lib.comparisons import COMPARISON, DECIDED, TWO_KINDS, paired_frames
from fer_lib.experiments import SOFTMAX, Experiment
from fer_lib.findings import followed
from fer_lib.findings.claims import NOT_COLLAPSED, Claim, pairs
from fer_lib.findings.robustness import KINDS, gain, right
from fer_lib.occlusion_benchmark import FILLS, SUITE, TARGETED
from fer_lib.occlusion_scores import SCORES, equally, of_kind
from fer_lib.splits import LEAST_EXPOSED
from fer_lib.words.naming import label
from fer_lib.words.wording import readable_comparisons

QUESTIONS = (
    Claim("training with occlusion", {"occlusion": "rectangle"}, {"occlusion": "none"}),
    Claim("training with mixed occlusion", {"occlusion": "mixed"}, {"occlusion": "none"}),
    Claim("heavy occlusion instead of mixed", {"occlusion": "heavy"}, {"occlusion": "mixed"}),
    Claim(
        "the STN",
        {"input_path": "stn", "head_layers": 1},
        {"input_path": "plain", "stn_lr_factor": 1.0},
    ),
    Claim("a slow STN", {"stn_lr_factor": 0.1, "input_path": "stn"}, {"stn_lr_factor": 1.0}),
    Claim("the triplet loss", {"loss": "triplet"}, SOFTMAX),
    Claim(
        "the triplet loss with a slow STN",
        {"loss": "triplet", "stn_lr_factor": 0.1},
        SOFTMAX | {"stn_lr_factor": 1.0},
    ),
    Claim("the joint loss", {"loss": "joint"}, SOFTMAX),
)
"""What may help under occlusion, and what the arm without it has instead."""


BY_FILL = {f"unseen, {fill}": equally([one for one in SCORES["unseen"] if one.fill == fill]) for fill in FILLS}
BY_FILL["unseen, not black"] = equally([one for one in SCORES["unseen"] if one.fill in set(FILLS) - {"black"}])
"""The unseen kinds of occlusion, by what fills the covered pixels."""


def compared(dataset: str, only: tuple[str, ...] = ()) -> pd.DataFrame:
    """Paired answers: one row per question, pair of arms and score (`clean`, `unseen`, also by fill,
    and each kind but the targeted, which asks no two networks the same; or some `only`).

    Columns question, protocol, with, score and those of `comparisons.COMPARISON`, over the frames that both were asked.
    Where there are two kinds of outcome, the next rows leave out the collapsed runs: question ends in `NOT_COLLAPSED`.
    """
    groups = {"clean": SCORES["clean"], "black rectangle": SCORES["black rectangle"], "unseen": SCORES["unseen"]}
    groups |= BY_FILL
    groups |= {kind: of_kind(kind) for kind in KINDS if kind != TARGETED[0].kind}
    groups = {name: groups[name] for name in only or groups}
    rows = []
    for question in QUESTIONS:
        for better, worse in pairs(dataset, question):
            about = {"question": question.words, "protocol": better.protocol, "with": label(better)}
            found = [about | {"score": name} | gain(better, worse, group) for name, group in groups.items()]
            if any(row["verdict"] == TWO_KINDS for row in found):
                about["question"] += NOT_COLLAPSED
                found += [
                    about | {"score": name} | gain(better, worse, group, without_collapsed=True)
                    for name, group in groups.items()
                ]
            rows += [row for row in found if row["n"]]
    return pd.DataFrame(rows, columns=["question", "protocol", "with", "score", *COMPARISON])


DRAWN = {"clean": "clear", "black rectangle": "paper's\nrectangle", "unseen": "unseen"} | {
    kind: kind.replace(" and ", " and\n") for kind in KINDS if kind != TARGETED[0].kind
}
"""The scores in the figure of what helps -> the heads of its columns; the others are in its data."""


def fills_in_short(dataset: str) -> str:
    """What the same training gains under unseen kinds in the fill that it shows and in others; empty if not trained."""
    both = _with_and_without(dataset)
    if not both:
        return ""
    seen, others, face = (_of_fill(*both, fill) for fill in ("black", "not black", "face"))
    return (
        f"Under unseen kinds occlusion in training ({both[0].loss}) gains {seen} where they are black, as in training, "
        f"{others} over the other fills, and {face} where another face covers."
    )


def _of_fill(first: Experiment, second: Experiment, fill: str) -> str:
    found = gain(first, second, BY_FILL[f"unseen, {fill}"])
    unsure = "" if found["verdict"] in DECIDED else f" ({found['verdict']})"
    return f"{100 * found['difference']:+.1f}{unsure}"


def _with_and_without(dataset: str) -> tuple[Experiment, Experiment] | None:
    """Two networks under `subject` that differ in occlusion in training, the followed ones if they do, or None."""
    own = [both for both in pairs(dataset, QUESTIONS[0]) if both[0].protocol == "subject"]
    return min(own, key=lambda both: label(both[0]) not in followed.labels(), default=None)


def where_training_with_occlusion_helps(dataset: str) -> dict[str, pd.DataFrame]:
    """Label -> what its training with the black rectangle gains (share), kinds down and fills across, over the levels.

    Every pair of networks under the least exposed protocol that has one, but those with two kinds of outcome.
    """
    found = pairs(dataset, QUESTIONS[0])
    for protocol in LEAST_EXPOSED:
        own = [both for both in found if both[0].protocol == protocol]
        own = [both for both in own if gain(*both, SCORES["clean"])["verdict"] != TWO_KINDS]
        if own:
            return {label(better): _by_kind_and_fill(better, worse) for better, worse in own}
    return {}


def _by_kind_and_fill(better: Experiment, worse: Experiment) -> pd.DataFrame:
    kinds = dict.fromkeys(one.kind for one in SUITE if one not in TARGETED and one.fill in FILLS)
    rows = {}
    for kind in kinds:
        for fill in FILLS:
            weights = equally([one for one in SUITE if (one.kind, one.fill) == (kind, fill)])
            both = paired_frames(better.protocol, right(better, weights), right(worse, weights))
            rows.setdefault(kind, {})[fill] = (both["first"] - both["second"]).mean()
    return pd.DataFrame(rows).T.rename_axis("kind")


def wide(answers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`compared`, a row per question and network, a column per score of `DRAWN`: gain, and whether it has a verdict.

    Without comparisons with two kinds of outcome, whose mean mixes them.
    """
    own = answers[answers["score"].isin(DRAWN) & (answers["verdict"] != TWO_KINDS)]
    lines = own["question"] + "\n(" + own["with"].map(followed.short)
    if own["protocol"].nunique() > 1:
        lines += ", " + own["protocol"]
    shown = own.assign(line=lines + ")", decided=own["verdict"].isin(DECIDED))
    tables = (shown.pivot(index="line", columns="score", values=name) for name in ("difference", "decided"))
    order = {"index": shown["line"].unique(), "columns": [name for name in DRAWN if name in set(own["score"])]}
    return tuple(table.reindex(**order).rename(columns=DRAWN) for table in tables)


def readable(answers: pd.DataFrame) -> pd.DataFrame:
    """`compared` in points."""
    shown = readable_comparisons(answers, "question", "protocol", "with", "score")
    return shown.rename(columns={"question": "does it help?"})
