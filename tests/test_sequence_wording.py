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
    first, nobody, aside = sequence_wording.in_words({"50 epochs": SEQUENCES, "100 epochs": longer}).split("\n\n")
    assert first == (
        "In 50 epochs 8 of 15 answers are wrong. Half of these errors lie on 2 of 5 sequences; 6 (75 %) lie on 2 of "
        "which no answer is right, in no frame and from no initialisation. 1 of 4 subjects have no error, 1 no right "
        "answer, with 1 sequences in all. In 100 epochs 3 of 4 errors lie on 1 sequences of which no "
        "answer is right, 1 of them the same."
    )
    assert nobody.startswith("Wrong in every answer of every network of the strong recipe, in all its settings, are 1:")
    assert "A_1, labelled anger: fear in 8 of 9 answers. No network" in nobody
    assert aside.startswith("Of the answers on all other sequences 77.78 % in 50 epochs and 91.67 % in 100 epochs are")
    assert "is no result" in aside and "The aim of 96 % is for all sequences" in aside


def test_no_sequence_is_always_wrong():
    text = sequence_wording.in_words({"4 epochs": SEQUENCES.assign(errors=[1, 0, 2, 1, 0], reading=SOME_WRONG)})
    assert "0 (0 %) lie on 0 of which" in text and "aim" not in text and "every network" not in text
    none = sequence_wording.in_words({"4 epochs": SEQUENCES.assign(errors=0)})
    assert none == "In 4 epochs none of 15 answers is wrong."


def test_nothing_is_left_to_set_aside():
    text = sequence_wording.in_words({"4 epochs": SEQUENCES.assign(errors=3, reading=ALL_WRONG)})
    assert text.endswith("0 of 4 subjects have no error, 4 no right answer, with 5 sequences in all.")


def test_what_is_said_instead():
    assert sequence_wording.readable(SEQUENCES).values.tolist() == [
        ["A", "A_1", "anger", "fear, 3 of 3", "5 of 6", "0 of 6"],
        ["C", "C_1", "fear", "anger, 3 of 3", "3 of 6", "3 of 6"],
    ]
    alone = sequence_wording.readable(SEQUENCES.assign(others=0))
    assert alone["other networks say the label"].tolist() == ["–", "–"]
    assert sequence_wording.readable(SEQUENCES.assign(errors=0)).empty
