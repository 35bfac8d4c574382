"""What helps under occlusion: arms that differ in one thing, compared on the same covered faces."""

import pandas as pd

from fer_lib.experiments import SOFTMAX, Experiment
from fer_lib.findings import followed
from fer_lib.findings.claims import Claim, pairs
from fer_lib.findings.robustness import KINDS, SCORES, counted, equally, gain, right
from fer_lib.occlusion_benchmark import FILLS, SUITE, TARGETED
from fer_lib.splits import LEAST_EXPOSED
from fer_lib.stats import COMPARISON
from fer_lib.words.naming import label
from fer_lib.words.rounding import gained, interval, percent
from fer_lib.words.wording import readable_comparisons

QUESTIONS = (
    Claim("training with occlusion", {"occlusion": "rectangle"}, {"occlusion": "none"}),
    Claim("training with mixed occlusion", {"occlusion": "mixed"}, {"occlusion": "none"}),
    Claim("heavy occlusion instead of mixed", {"occlusion": "heavy"}, {"occlusion": "mixed"}),
    Claim(
        "the spatial transformer",
        {"input_path": "stn", "head_layers": 1},
        {"input_path": "plain", "stn_lr_factor": 1.0},
    ),
    Claim("a slower transformer", {"stn_lr_factor": 0.1, "input_path": "stn"}, {"stn_lr_factor": 1.0}),
    Claim("the triplet loss", {"loss": "triplet"}, SOFTMAX),
    Claim(
        "the triplet loss with a slower transformer",
        {"loss": "triplet", "stn_lr_factor": 0.1},
        SOFTMAX | {"stn_lr_factor": 1.0},
    ),
    Claim("the joint loss", {"loss": "joint"}, SOFTMAX),
)
"""What may help under occlusion, and what the arm without it has instead."""


def compared(dataset: str, only: tuple[str, ...] = ()) -> pd.DataFrame:
    """Paired answers: one row per question, pair of arms and score (`clean`, `unseen`, also by fill,
    and each kind but the targeted, which asks no two networks the same; or some `only`).

    Columns question, protocol, with, score and those of `stats.COMPARISON`, over the members of both that were asked.
    """
    groups = {"clean": SCORES["clean"], "black rectangle": SCORES["black rectangle"], "unseen": SCORES["unseen"]}
    groups |= {f"unseen, {fill}": equally([one for one in SCORES["unseen"] if one.fill == fill]) for fill in FILLS}
    groups["unseen, not black"] = equally([one for one in SCORES["unseen"] if one.fill in set(FILLS) - {"black"}])
    groups |= {kind: equally([one for one in SUITE if one.kind == kind]) for kind in KINDS if kind != TARGETED[0].kind}
    groups = {name: groups[name] for name in only or groups}
    rows = []
    for question in QUESTIONS:
        for better, worse in pairs(dataset, question):
            about = {"question": question.words, "protocol": better.protocol, "with": label(better)}
            found = {name: gain(better, worse, group) for name, group in groups.items()}
            rows += [{**about, "score": name, **row} for name, row in found.items() if row["n"]]
    return pd.DataFrame(rows, columns=["question", "protocol", "with", "score", *COMPARISON])


def without_kind(dataset: str, kind: str = "right") -> pd.DataFrame:
    """What training with occlusion gains under `subject` under the unseen kinds, with and without one of them.

    A row per network and score (`unseen`, `rest`): with, score and `stats.COMPARISON`.
    """
    unseen = SCORES["unseen"]
    groups = {"unseen": unseen, "rest": equally([one for one in unseen if one.kind != kind])}
    rows = [
        {"with": label(both[0]), "score": name, **gain(*both, group)}
        for both in pairs(dataset, QUESTIONS[0])
        if both[0].protocol == "subject"
        for name, group in groups.items()
    ]
    return pd.DataFrame(rows, columns=["with", "score", *COMPARISON])


FILLED = {"mean": "its mean grey", "face": "another face"}
"""Fills whose names say too little in a sentence."""


def by_fill(dataset: str) -> str:
    """What training with occlusion gains under unseen kinds of occlusion, by what covers the face, in a sentence.

    Of two networks under `subject` that differ in it, the followed ones if they do; empty where there are none.
    """
    own = [both for both in pairs(dataset, QUESTIONS[0]) if both[0].protocol == "subject"]
    if not own:
        return ""
    both = min(own, key=lambda both: label(both[0]) not in followed.labels())
    said = []
    for fill in FILLS:
        row = gain(*both, equally([one for one in SCORES["unseen"] if one.fill == fill]))
        unsure = "" if row["verdict"] == "supported" else f" ({row['verdict']})"
        said.append(f"{FILLED.get(fill, fill)} {100 * row['difference']:+.1f}{unsure}")
    return (
        f"What training with black rectangles gains {label(both[0])} under kinds of occlusion that it does not show "
        f"depends on what covers the face: {', '.join(said)} points."
    )


def where_training_with_occlusion_helps(dataset: str) -> dict[str, pd.DataFrame]:
    """Label -> what its training with the black rectangle gains (share), kinds down and fills across, over the levels.

    Every pair of networks under the least exposed protocol that has one; empty where there is none.
    """
    found = pairs(dataset, QUESTIONS[0])
    for protocol in LEAST_EXPOSED:
        own = [both for both in found if both[0].protocol == protocol]
        if own:
            return {label(better): _by_kind_and_fill(better, worse) for better, worse in own}
    return {}


def _by_kind_and_fill(better: Experiment, worse: Experiment) -> pd.DataFrame:
    kinds = dict.fromkeys(one.kind for one in SUITE if one not in TARGETED and one.fill in FILLS)
    rows = {}
    for kind in kinds:
        for fill in FILLS:
            weights = equally([one for one in SUITE if (one.kind, one.fill) == (kind, fill)])
            both = right(better, weights).merge(right(worse, weights), on=["seed", "fold", "frame_id"])
            rows.setdefault(kind, {})[fill] = (both["score_x"] - both["score_y"]).mean()
    return pd.DataFrame(rows).T.rename_axis("kind")


def wide(answers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`compared`, a row per question and network, a column per score: what is gained, and whether it has a verdict."""
    rows = answers.assign(
        asked=answers["question"] + "\n" + answers["with"] + ", " + answers["protocol"],
        decided=answers["verdict"].isin(["supported", "contradicted"]),
    )
    wanted = {"index": rows["asked"].unique(), "columns": rows["score"].unique()}
    gained, decided = (
        rows.pivot(index="asked", columns="score", values=name).reindex(**wanted) for name in ("difference", "decided")
    )
    return gained, decided.fillna(False).astype(bool)


def readable(answers: pd.DataFrame) -> pd.DataFrame:
    """`compared` in points."""
    shown = readable_comparisons(answers, "question", "protocol", "with", "score")
    return shown.rename(columns={"question": "does it help?"})


def answer(table: pd.DataFrame, answers: pd.DataFrame) -> str:
    """What helps under occlusion that no training showed; where nothing was compared, what each arm keeps under it."""
    if len(answers):
        return in_words(answers)
    lines = []
    for (protocol, name), own in table.groupby(["protocol", "label"], sort=False):
        values = own.set_index("score")
        kept = values.loc["kept"]
        clear, unseen = (percent(values.loc[score, "mean"]) for score in ("clean", "unseen"))
        ends = f" [{interval(kept['ci_low'], kept['ci_high'])}]" if pd.notna(kept["ci_low"]) else ""
        lines.append(
            f"- **{name}**, protocol {protocol}, {counted(kept)}: {clear} % on clear faces, {unseen} % under "
            f"unseen occlusion; it keeps {percent(kept['mean'])} %{ends}."
        )
    return "\n".join(lines)


def in_words(answers: pd.DataFrame) -> str:
    """`compared` under unseen occlusion, and on clear faces, in sentences."""
    lines = []
    for (question, protocol, name), own in answers.groupby(["question", "protocol", "with"], sort=False):
        by_score = own.set_index("score")
        found, clear = by_score.loc["unseen"], by_score.loc["clean"]
        fills = [f"{fill} {100 * by_score.loc[f'unseen, {fill}', 'difference']:+.1f}" for fill in FILLS]
        kinds = by_score["difference"].reindex(list(dict.fromkeys(one.kind for one in SCORES["unseen"])))
        least, most = kinds.idxmin(), kinds.idxmax()
        lines.append(
            f"- Does {question} help under unseen occlusion ({protocol}; {name})? {gained(found)}, "
            f"{found['n']} {found['pairs']}: {found['verdict']}. By what covers the face: {', '.join(fills)}; by kind "
            f"from {100 * kinds[least]:+.1f} ({least}) to {100 * kinds[most]:+.1f} ({most}). On clear faces "
            f"{gained(clear)}: {clear['verdict']}."
        )
    return "\n".join(lines)
