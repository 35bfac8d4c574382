"""The sequences that the strong recipe always misclassifies, in sentences and in a rounded table."""

import pandas as pd

from fer_lib.findings.hard_sequences import always_wrong, concentration


def in_words(trainings: dict[str, pd.DataFrame]) -> str:
    """Where the errors lie, in sentences.

    trainings: how long each took -> its `by_sequence`; the others are compared with the first.
    """
    name, first = next(iter(trainings.items()))
    found = concentration(first)
    if not found["errors"]:
        return f"In {name}, none of {found['answers']:,} predictions is wrong."
    return (
        f"In {name}, {found['errors']:,} of {found['answers']:,} predictions are wrong. Half of these errors fall on "
        f"{found['half']} of {found['sequences']:,} sequences. Of all errors, {found['errors_on_always']:,} "
        f"({100 * found['share_on_always']:.0f} %) fall on {_sequences(found['always'])} misclassified in every frame "
        f"and by every initialisation. Of {found['subjects']} subjects, {found['subjects_without_error']} have no "
        f"error and {found['subjects_without_right']} no correct prediction "
        f"({_sequences(found['sequences_of_these'])})."
        + "".join(_beside(longer, own, first) for longer, own in list(trainings.items())[1:])
    )


def _sequences(count: int) -> str:
    return f"{count} sequence{'s' * (count != 1)}"


def _beside(name: str, sequences: pd.DataFrame, first: pd.DataFrame) -> str:
    found = concentration(sequences)
    shared = len(set(always_wrong(sequences)["sequence"]) & set(always_wrong(first)["sequence"]))
    return (
        f" In {name}, {found['errors_on_always']:,} of {found['errors']:,} errors fall on "
        f"{_sequences(found['always'])} always misclassified, {shared} of them the same."
    )


def readable(sequences: pd.DataFrame) -> pd.DataFrame:
    """`always_wrong` for the eye: how many predictions are the commonest one, and what the other networks predict."""
    rows = list(always_wrong(sequences).itertuples())
    return pd.DataFrame(
        {
            "subject": [row.subject for row in rows],
            "sequence": [row.sequence for row in rows],
            "label": [row.emotion for row in rows],
            "predicted instead": [f"{row.said}, {round(row.share * row.answers)} of {row.answers}" for row in rows],
            "other networks agree": [_part(row.agree, row.others) for row in rows],
            "other networks correct": [_part(row.right, row.others) for row in rows],
        }
    )


def _part(count: int, of: int) -> str:
    return f"{count} of {of}" if of else "–"
