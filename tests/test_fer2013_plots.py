"""What the plots of FER2013's networks show, read back from their axes."""

import pandas as pd

from fer_lib.figures import fer2013_plots


def test_bins_of_few_answers_are_not_drawn(ax):
    bins = pd.DataFrame({"confidence": [0.2, 0.5, 0.9], "accuracy": [0.5, 0.4, 0.8], "frames": [29, 30, 500]})
    fer2013_plots.reliability(ax, {"one": bins, "two": bins})
    _, one, two = ax.get_lines()
    assert one.get_xdata().tolist() == two.get_xdata().tolist() == [0.5, 0.9]
    assert one.get_color() != two.get_color()


def test_a_line_per_emotion_the_most_confirmed_on_top(ax):
    rows = [
        (method, emotion, recall, recall - 0.1, recall + 0.1, confirmed)
        for method, recalls in (("plain", (0.3, 0.8)), ("strong", (0.5, 0.9)))
        for emotion, recall, confirmed in zip(("fear", "happiness"), recalls, (0.1, 0.9), strict=True)
    ]
    table = pd.DataFrame(rows, columns=["method", "emotion", "recall", "low", "high", "confirmed"])
    fer2013_plots.recall_and_votes(ax, table)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["happiness", "fear"]
    confirmed, plain, strong = ax.get_lines()
    assert confirmed.get_xdata().tolist() == [0.9, 0.1]
    assert (plain.get_xdata().tolist(), strong.get_xdata().tolist()) == ([0.8, 0.3], [0.9, 0.5])
    assert (plain.get_ydata() < strong.get_ydata()).all(), "one above the other, not on top of it"


def test_parts_differ_by_their_lines(ax):
    table = pd.DataFrame({"part": ["Training", "PublicTest", "PrivateTest"], "epoch": 1, "accuracy": 0.5})
    fer2013_plots.learning(ax, table)
    assert len({line.get_linestyle() for line in ax.get_lines()}) == 3
