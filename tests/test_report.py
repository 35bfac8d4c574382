"""Figures and tables are described, the same every time, and offer their data."""

import io
import re
from html import unescape
from urllib.parse import unquote

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from fer_lib import report
from fer_lib.figures import plots


def offered(html: str) -> dict[str, pd.DataFrame]:
    """The data that a page or a figure offers: file name -> table."""
    links = re.findall(r'<a class="download" download="(.*?)" href="data:text/csv;charset=utf-8,(.*?)">', html)
    assert len(links) == html.count('class="download"') == len(dict(links))
    return {name: pd.read_csv(io.StringIO(unquote(unescape(csv)))) for name, csv in links}


def drawn():
    with plt.rc_context(plots.STYLE):
        figure, ax = plt.subplots()
        ax.plot([1, 2, 3])
        ax.grid(visible=True)
    return figure


def test_a_figure_is_deterministic_described_and_closed():
    plt.close("all")
    one, two = (report.figure(drawn(), 'Loss < 1 & "falling"', 'A "line"').data for _ in range(2))
    assert one == two
    assert "<figcaption>Loss &lt; 1 &amp; &quot;falling&quot;</figcaption>" in one
    assert re.match(r'<figure><svg role="img" aria-label="A &quot;line&quot;"', one)
    assert plt.get_fignums() == []


def test_a_figure_takes_the_colours_of_the_page():
    svg = report.figure(drawn(), "", "").data
    assert "fill: currentColor" in svg
    assert f"stroke: var(--rule, {plots.RULE})" in svg
    assert plots.INK not in svg
    assert 'id="axes_1"' not in svg
    assert "<text" not in svg
    assert "<metadata" not in svg


def test_a_large_figure_becomes_pixels():
    figure = drawn()
    figure.axes[0].scatter(*np.random.default_rng(0).random((2, 5000)), c=np.arange(5000))
    data = report.figure(figure, "Many.", "5000 dots").data
    assert re.match(
        r'<figure><img src="data:image/webp;base64,[\w+/=]+" width="614" alt="5000 dots"><figcaption>', data
    )


def test_a_table_aligns_text_left_and_dashes_nan():
    frame = pd.DataFrame({"method": ["a<b", "c"], "ours": ["97.2 [95, 99]", None], "p": [0.123, np.nan]})
    data = report.table(frame, "Ours & theirs").data
    assert data.startswith('<figure class="table"><figcaption>Ours &amp; theirs <a class="download"')
    assert re.findall(r"(\.col\d) \{\s*text-align: left", data) == [".col0"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", data) == [
        "a&lt;b",
        "97.2 [95, 99]",
        "0.12",
        "c",
        "\N{EN DASH}",
        "\N{EN DASH}",
    ]
    assert "row_heading" not in data
    chosen = report.table(pd.DataFrame({"x": [1, 2, 3]})[[False, True, True]], "").data
    assert "row_heading" not in chosen, "rows that were chosen keep their numbers, which tell a reader nothing"


def test_a_long_table_is_folded():
    frame = pd.DataFrame({"x": range(report.FOLDED + 1)})
    assert "<details><summary>table, 21 rows</summary><div" in report.table(frame, "").data
    assert "<details>" not in report.table(frame[:-1], "").data


def test_a_table_keeps_a_named_index():
    frame = pd.DataFrame({"accuracy": [0.98764]}, index=pd.Index(["triplet"], name="loss"))
    plain = report.table(frame, "").data
    assert re.search(r"<th[^>]*row_heading[^>]*>triplet</th>", plain)
    assert re.search(r"<tr>\s*<th[^>]*>loss</th>\s*<th[^>]*>accuracy</th>\s*</tr>", plain)
    assert ">0.99</td>" in plain


def test_a_figure_and_a_table_offer_their_data_as_they_are():
    data = pd.DataFrame({"arm": ['a "b", <c> & #%+;', "×\n"], "mean": [2 / 3, np.nan], "n": [3, 1]}, index=[4, 9])
    for html in (report.figure(drawn(), "", "", data).data, report.table(data.round(1), "", data=data).data):
        (found,) = offered(html).values()
        assert found.columns.tolist() == ["arm", "mean", "n"]
        assert found["arm"].tolist() == data["arm"].tolist() and found["n"].tolist() == [3, 1]
        assert found["mean"].tolist() == pytest.approx([2 / 3, np.nan], rel=1e-9, nan_ok=True)
    (itself,) = offered(report.table(data.set_index("arm"), "").data).values()
    assert itself.columns.tolist() == ["arm", "mean", "n"]
    assert offered(report.figure(drawn(), "", "").data) == offered(report.table(data[:0], "").data) == {}


def test_the_last_bit_of_a_number_does_not_reach_the_page():
    one, two = (report.table(pd.DataFrame({"x": [x, "a"]}).head(1), "").data for x in (0.3, 0.1 + 0.2))
    assert re.search(r"href=.*", one)[0] == re.search(r"href=.*", two)[0]


def test_a_clip_has_no_name_after_the_last_bits_of_its_place():
    drawn = []
    for noise in (0, 1e-13):
        fig = plt.figure()
        fig.add_axes([0.1 + noise, 0.1, 0.5, 0.5]).plot([0, 1])
        drawn.append(re.findall(r'clipPath id="(.*)"', report.picture(fig, "a line")))
    assert len(drawn[0]) == 1 and drawn[0] == drawn[1]
