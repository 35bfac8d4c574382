"""Which sequences the strong recipe always misclassifies under `subject`, and which share of its errors is theirs.

Made from `results/` alone.
"""

import pandas as pd

from fer_lib import results
from fer_lib.experiments import Experiment
from fer_lib.findings.recipe_results import on_all_folds
from fer_lib.findings.tables import measured, with_sequences

READINGS = ALL_RIGHT, SOME_WRONG, ALL_WRONG, NOBODY = (
    "always correct",
    "sometimes misclassified",
    "always misclassified in this training",
    "always misclassified, also by every other network",
)
"""How a sequence is classified, from the easiest to the hardest."""


def others(experiment: Experiment) -> list[Experiment]:
    """Other trainings of the strong recipe, from scratch or fine-tuned, tested on all subjects under `subject`."""
    rows = [row for row in measured(experiment.dataset) if (row.recipe, row.protocol) == ("strong", "subject")]
    return [row for row in rows if row.experiment != experiment.experiment and on_all_folds(row)]


def by_sequence(experiment: Experiment) -> pd.DataFrame:
    """A row per tested sequence; of an emotion the most often wrong first, of these what others are least right on.

    Columns subject, sequence, emotion (as labelled), answers (one a frame and initialisation), errors, said and share
    (the commonest answer and how much of the answers it is), agree and right (how many answers of the `others`
    are this one, and the labelled one), others (how many these are), reading (`ALL_RIGHT` to `NOBODY`).
    """
    own, classes = with_sequences(experiment), dict(enumerate(results.class_names(experiment)))
    elsewhere = pd.concat([own.iloc[:0], *map(with_sequences, others(experiment))])
    rows = []
    for (sequence, subject, label), said in own.groupby(["sequence", "subject", "label"])["prediction"]:
        commonest = said.mode().iloc[0]
        asked = elsewhere.loc[elsewhere["sequence"] == sequence, "prediction"]
        rows.append(
            {
                "subject": subject,
                "sequence": sequence,
                "emotion": classes[label],
                "answers": len(said),
                "errors": int((said != label).sum()),
                "said": classes[commonest],
                "share": (said == commonest).mean(),
                "agree": int((asked == commonest).sum()),
                "right": int((asked == label).sum()),
                "others": len(asked),
            }
        )
    table = pd.DataFrame(rows)
    table["reading"] = [_reading(row) for row in table.itertuples()]
    hardest = table.assign(correct=1 - table["errors"] / table["answers"]).sort_values(["emotion", "correct", "right"])
    return hardest.drop(columns="correct").reset_index(drop=True)


def _reading(row) -> str:
    if row.errors < row.answers:
        return SOME_WRONG if row.errors else ALL_RIGHT
    return NOBODY if row.others and not row.right else ALL_WRONG


def always_wrong(sequences: pd.DataFrame) -> pd.DataFrame:
    """The rows of `by_sequence` that are misclassified in every frame and by every initialisation."""
    return sequences[sequences["errors"] == sequences["answers"]]


def concentration(sequences: pd.DataFrame) -> dict[str, float]:
    """How few sequences and subjects the errors of `by_sequence` lie on.

    sequences, always (wrong in every answer), answers, errors, errors_on_always, share_on_always (NaN without an
    error), half (the fewest sequences that hold half of the errors), subjects, subjects_without_error,
    subjects_without_right, sequences_of_these.
    """
    hard = always_wrong(sequences)
    answers, errors = (int(sequences[name].sum()) for name in ("answers", "errors"))
    on_always = int(hard["errors"].sum())
    held = sequences["errors"].sort_values(ascending=False).cumsum()
    subjects = sequences.groupby("subject").agg(
        answers=("answers", "sum"), errors=("errors", "sum"), sequences=("sequence", "size")
    )
    without_right = subjects[subjects["errors"] == subjects["answers"]]
    return {
        "sequences": len(sequences),
        "always": len(hard),
        "answers": answers,
        "errors": errors,
        "errors_on_always": on_always,
        "share_on_always": on_always / errors if errors else float("nan"),
        "half": int((held < errors / 2).sum()) + 1 if errors else 0,
        "subjects": len(subjects),
        "subjects_without_error": int((subjects["errors"] == 0).sum()),
        "subjects_without_right": len(without_right),
        "sequences_of_these": int(without_right["sequences"].sum()),
    }
