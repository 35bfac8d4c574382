"""The sequences that the strong recipe never reads in sentences and in a rounded table, from `hard_sequences`."""

import pandas as pd

from fer_lib.findings.hard_sequences import NOBODY, always_wrong, concentration
from fer_lib.findings.recipe_results import AIMS
from fer_lib.words.rounding import percent


def in_words(trainings: dict[str, pd.DataFrame]) -> str:
    """Where the errors lie, in paragraphs.

    trainings: how long each took -> its `by_sequence`; the others are compared with the first.
    """
    name, first = next(iter(trainings.items()))
    found = concentration(first)
    if not found["errors"]:
        return f"In {name} none of {found['answers']:,} answers is wrong."
    paragraphs = [
        f"In {name} {found['errors']:,} of {found['answers']:,} answers are wrong. Half of these errors lie on "
        f"{found['half']} of {found['sequences']:,} sequences; {found['errors_on_always']:,} "
        f"({100 * found['share_on_always']:.0f} %) lie on {found['always']} of which no answer is right, in no frame "
        "and from no initialisation. "
        f"{found['subjects_without_error']} of {found['subjects']} subjects have no error, "
        f"{found['subjects_without_right']} no right answer, with {found['sequences_of_these']} sequences in all."
        + "".join(_beside(longer, own, first) for longer, own in list(trainings.items())[1:]),
        _nobody(first),
        _set_aside(trainings) if found["always"] else "",
    ]
    return "\n\n".join(filter(None, paragraphs))


def _beside(name: str, sequences: pd.DataFrame, first: pd.DataFrame) -> str:
    found = concentration(sequences)
    shared = len(set(always_wrong(sequences)["sequence"]) & set(always_wrong(first)["sequence"]))
    return (
        f" In {name} {found['errors_on_always']:,} of {found['errors']:,} errors lie on {found['always']} sequences of "
        f"which no answer is right, {shared} of them the same."
    )


def _nobody(sequences: pd.DataFrame) -> str:
    """What is said of the sequences that every network gets wrong; empty if there are none."""
    unread = sequences[sequences["reading"] == NOBODY]
    if unread.empty:
        return ""
    said = "; ".join(
        f"{row.sequence}, labelled {row.emotion}: {row.said} in {round(row.share * row.answers) + row.agree} of "
        f"{row.answers + row.others} answers"
        for row in unread.itertuples()
    )
    return (
        f"Wrong in every answer of every network of the strong recipe, in all its settings, are {len(unread)}: {said}. "
        "No network was trained on the person that it is asked about, but all were trained on much the same others. "
        "Where they agree on another answer, the face, its label, or what these others show may be the reason: "
        "the answers do not tell which."
    )


def _set_aside(trainings: dict[str, pd.DataFrame]) -> str:
    """What is right on the sequences that are not always wrong, and that it is no result; empty if there are none."""
    shares = {name: concentration(own)["set_aside"] for name, own in trainings.items()}
    said = " and ".join(f"{percent(share)} % in {name}" for name, share in shares.items() if pd.notna(share))
    if not said:
        return ""
    return (
        f"Of the answers on all other sequences {said} are right. This describes where the errors lie and is no "
        "result: the test itself picks the sequences that are set aside, so the share can only rise. The aim of "
        f"{100 * AIMS['clean accuracy'][2]:g} % is for all sequences, and is answered above."
    )


def readable(sequences: pd.DataFrame) -> pd.DataFrame:
    """`always_wrong` for the eye: how many answers are the commonest one, and what the other networks say."""
    rows = list(always_wrong(sequences).itertuples())
    return pd.DataFrame(
        {
            "person": [row.subject for row in rows],
            "sequence": [row.sequence for row in rows],
            "labelled": [row.emotion for row in rows],
            "said instead": [f"{row.said}, {round(row.share * row.answers)} of {row.answers}" for row in rows],
            "other networks say this too": [_part(row.agree, row.others) for row in rows],
            "other networks say the label": [_part(row.right, row.others) for row in rows],
        }
    )


def _part(count: int, of: int) -> str:
    return f"{count} of {of}" if of else "–"
