"""By hand: the sequences of `test_hard_sequences`, and what others say of them."""

from test_hard_sequences import COUNTED

from fer_lib.findings.hard_sequences import ALL_RIGHT, ALL_WRONG, NOBODY, SOME_WRONG
from fer_lib.words import sequence_wording

SEQUENCES = COUNTED.assign(
    emotion=["anger", "anger", "fear", "fear", "fear"],
    said=["fear", "anger", "anger", "anger", "fear"],
    share=[1, 1, 2 / 3, 1, 1],
    agree=[5, 6, 2, 3, 6],
    right=[0, 6, 4, 3, 6],
    others=6,
    reading=[NOBODY, ALL_RIGHT, SOME_WRONG, ALL_WRONG, ALL_RIGHT],
)


def test_where_the_errors_lie():
    longer = SEQUENCES.assign(errors=[3, 0, 0, 1, 0], reading=[NOBODY, ALL_RIGHT, ALL_RIGHT, SOME_WRONG, ALL_RIGHT])
    assert sequence_wording.in_words({"50 epochs": SEQUENCES, "100 epochs": longer}) == (
        "In 50 epochs, 8 of 15 predictions are wrong. Half of these errors fall on 2 of 5 sequences. Of all errors, "
        "6 (75 %) fall on 2 sequences misclassified in every frame and by every initialisation. Of 4 subjects, "
        "1 have no error and 1 no correct prediction (1 sequence). In 100 epochs, 3 of 4 errors fall on 1 sequence "
        "always misclassified, 1 of them the same."
    )


def test_no_sequence_is_always_wrong():
    text = sequence_wording.in_words({"4 epochs": SEQUENCES.assign(errors=[1, 0, 2, 1, 0], reading=SOME_WRONG)})
    assert "Of all errors, 0 (0 %) fall on 0 sequences misclassified" in text
    none = sequence_wording.in_words({"4 epochs": SEQUENCES.assign(errors=0)})
    assert none == "In 4 epochs, none of 15 predictions is wrong."


def test_every_sequence_is_always_wrong():
    text = sequence_wording.in_words({"4 epochs": SEQUENCES.assign(errors=3, reading=ALL_WRONG)})
    assert text.endswith("Of 4 subjects, 0 have no error and 4 no correct prediction (5 sequences).")


def test_what_is_said_instead():
    assert sequence_wording.readable(SEQUENCES).values.tolist() == [
        ["A", "A_1", "anger", "fear, 3 of 3", "5 of 6", "0 of 6"],
        ["C", "C_1", "fear", "anger, 3 of 3", "3 of 6", "3 of 6"],
    ]
    alone = sequence_wording.readable(SEQUENCES.assign(others=0))
    assert alone["other networks correct"].tolist() == ["–", "–"]
    assert sequence_wording.readable(SEQUENCES.assign(errors=0)).empty
