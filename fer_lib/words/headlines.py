"""The answer to each question of the readers in one sentence, from the same results as the sentences below it."""

import re

import pandas as pd

from fer_lib.comparisons import DECIDED, TWO_KINDS
from fer_lib.findings.claims import NOT_COLLAPSED
from fer_lib.stats import LEVEL
from fer_lib.words.naming import SETTINGS
from fer_lib.words.rounding import percent

VARIANT = re.compile(r" \((softmax|strong recipe|[^(]*slow STN)\)$")
"""What tells two comparisons of one part of the method apart, at the end of their names in `gains.table`."""


def works(reached: pd.DataFrame, over: pd.DataFrame) -> str:
    """Whether the paper's networks reach its numbers, and beat features that are not learned.

    reached: `answers.reached`; over: `answers.over_reference`. Either may be empty.
    """
    said = [f"under the paper's split {_reached(reached)}"] if len(reached) else []
    over = over[over["verdict"] != TWO_KINDS] if len(over) else over
    if len(over):
        low, high = percent(over["accuracy"].min()), percent(over["accuracy"].max())
        better = (over["verdict"] == "supported").sum()
        slow = ", some with a slow STN," if over["label"].str.contains(SETTINGS["stn_lr_factor"]).any() else ""
        said.append(
            f"on clear faces of unseen subjects its networks without a collapsed run{slow} reach "
            f"{low if low == high else f'{low} to {high}'} %, {better or 'none'} of them measurably better than "
            f"{over['reference'].iloc[0]} with {percent(over['alone'].iloc[0])} %, which learns no features"
        )
    return _sentence("; ".join(said))


def _reached(numbers: pd.DataFrame) -> str:
    said = []
    for row in numbers.itertuples():
        gone = f" ({row.collapsed} collapsed)" if row.collapsed else ""
        best = "" if row.runs else f", at best {percent(row.best)} %"
        said.append(f"{row.label} ({percent(row.printed)} %) in {row.runs or 'none'} of {row.n} runs{gone}{best}")
    return f"the printed numbers, in whole test frames, are reached by {'; by '.join(said)}"


def robust(name: str, scores: pd.Series, covered: pd.Series, parts: pd.DataFrame) -> str:
    """What occlusion takes from the network `name`, and which parts of the method help.

    scores, covered: its accuracy and the mean share of the face that is covered, by the names of `robustness.ASKED`;
    parts: `gains.table`; a verdict counts if Holm's correction leaves it standing.
    """
    seen, unseen = (100 * (scores["clean"] - scores[asked]) for asked in ("black rectangle", "unseen"))
    lost = (
        f"{name} loses {seen:.1f} points under the rectangle that training shows "
        f"({100 * covered['black rectangle']:.0f} % of the face, black) and {unseen:.1f} under other kinds "
        f"({100 * covered['unseen']:.0f} % of the face, not only black)."
    )
    occluded = parts[parts["asked"] != "clean"]
    unsure = occluded["verdict"].isin(DECIDED) & (occluded["p_holm"] >= 1 - LEVEL)
    occluded = occluded.assign(verdict=occluded["verdict"].mask(unsure, "not resolvable"))
    verdicts, in_strong = (_verdicts(occluded[occluded["whose"] == whose]) for whose in ("paper", "strong"))
    hurts = {part: found for part, found in verdicts.items() if "contradicted" in found}
    helps, also = map(_helpful, (verdicts, in_strong))
    undecided = [part for part in verdicts if part not in {*hurts, *helps}]
    said = [f"what measurably helps is {', '.join(helps) or 'no part of the method'}"] if verdicts else []
    said += [f"what hurts: {', '.join(_how_often(part, found) for part, found in hurts.items())}"] if hurts else []
    said += [f"no verdict on: {', '.join(undecided)}"] if undecided else []
    said += [f"in the strong recipe what measurably helps is {', '.join(also)}"] if also else []
    return " ".join([lost, _sentence("; ".join(said))]).strip()


def _verdicts(own: pd.DataFrame) -> dict[str, list[str]]:
    """Part, of whatever variant -> the verdicts of its comparisons."""
    names = own["part"].str.removesuffix(NOT_COLLAPSED).str.replace(VARIANT, "", regex=True)
    return {part: list(found) for part, found in own["verdict"].groupby(names, sort=False)}


def _helpful(verdicts: dict[str, list[str]]) -> list[str]:
    """The parts that help in some comparison and hurt in none."""
    return [part for part, found in verdicts.items() if "supported" in found and "contradicted" not in found]


def _how_often(part: str, verdicts: list[str]) -> str:
    """The part, and in how many of its comparisons it hurts; those with two kinds of outcome stand there again."""
    asked = [one for one in verdicts if one != TWO_KINDS]
    return f"{part} in {asked.count('contradicted')} of {len(asked)} comparisons"


def trusted(seen: float, ways: list[str], printed: int) -> str:
    """What speaks against the printed numbers: test frames that training almost contains, and how they were counted.

    seen: share of test frames from sequences in training; ways: those that give all of so many printed accuracies.
    """
    said = f"under the paper's split {100 * seen:.0f} % of the test frames are from sequences that training contains"
    counted = f"neither counting frames nor averaging over test batches gives all {printed} accuracies of its networks"
    return _sentence(said if ways else f"{said}; {counted}")


def beaten(scores: pd.DataFrame, sequences: float, published: float, heavy: list[str]) -> str:
    """What there is to beat on unseen subjects.

    scores: our accuracies, a column per network, by the names of `robustness.ASKED`; sequences: by sequence, that of
    the best on clear faces; published: the highest one in percent that is printed for ten folds of subjects, or NaN;
    heavy: the networks trained under heavy occlusion.
    """
    best, others = scores.max(axis=1), scores.loc["unseen"].drop(heavy)
    said = (
        f"the best of our {scores.shape[1]} networks tested on all subjects reaches {percent(best['clean'])} % of the "
        f"frames on clear faces ({percent(sequences)} % of the sequences); under unseen occlusion the best reaches "
        f"{percent(best['unseen'])} %"
    )
    if scores.loc["unseen"].idxmax() in heavy:
        said += ", but its training imitated some of these kinds"
        said += f" (the best of the others {percent(others.max())} %)" if len(others) else ""
    said += f"; published on such folds is {published:.2f} % of the sequences" if pd.notna(published) else ""
    return _sentence(said)


def _sentence(said: str) -> str:
    return f"{said[0].upper()}{said[1:]}." if said else ""
