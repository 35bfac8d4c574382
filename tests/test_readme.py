"""The part of the README that is made from results; that it is up to date, test_study.py asks."""

import pandas as pd
import pytest

from fer_lib import readme


def test_a_text_without_marks_is_refused():
    with pytest.raises(ValueError, match="lacks the marks"):
        readme.with_results("# Title", "new")


def test_what_stands_between_the_marks_is_replaced():
    said = readme.with_results(f"before\n{readme.START}\nold\n{readme.END}\nafter", "new")
    assert said == f"before\n{readme.START}\nnew\n{readme.END}\nafter"


def test_a_table_as_markdown():
    table = pd.DataFrame({"method": ["x"], "n": [2]})
    assert readme.markdown(table).splitlines() == ["| method | n |", "| --- | --- |", "| x | 2 |"]
