"""A page opens offline, is the same wherever it is made, and is never made from a notebook that failed."""

import io
import re
import sys
from html import unescape
from urllib.parse import unquote

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from fer_lib import paths, report
from fer_lib.figures import plots

LOADS = re.compile(
    r"""<script|@import|url\((?!#)|<link[^>]*href="(?!data:)|\bsrc(?:set|doc)?="(?!data:)""", re.IGNORECASE
)
"""Whatever makes a browser fetch something; a plain link is not among it."""


def offered(html: str) -> dict[str, pd.DataFrame]:
    """The data that a page or a figure offers: file name -> table."""
    links = re.findall(r'<a class="download" download="(.*?)" href="data:text/csv;charset=utf-8,(.*?)">', html)
    assert len(links) == html.count('class="download"') == len(dict(links))
    return {name: pd.read_csv(io.StringIO(unquote(unescape(csv)))) for name, csv in links}


def code(source: str, *outputs, tags=(), count: int | None = 1):
    return new_code_cell(source, outputs=list(outputs), execution_count=count, metadata={"tags": list(tags)})


def shown(html: str):
    return new_output("display_data", {"text/html": html, "text/plain": "a stand-in"})


def printed(text: str, name: str = "stdout"):
    return new_output("stream", name=name, text=text)


def write(path, *cells, **metadata):
    nbformat.write(new_notebook(cells=list(cells), metadata=metadata), path)
    return path


def rendered(folder, *cells, name="02_table", dataset="ckplus", **metadata) -> str:
    executed = write(folder / "executed.ipynb", *cells, **metadata)
    report.render(executed, folder / f"{name}.html", dataset)
    return (folder / f"{name}.html").read_text(encoding="utf-8")


def drawn():
    with plt.rc_context(plots.STYLE):
        figure, ax = plt.subplots()
        ax.plot([1, 2, 3])
        ax.grid(visible=True)
    return figure


def story():
    """One of everything that a notebook of the study shows."""
    frame = pd.DataFrame({"method": ["softmax", "triplet"], "accuracy": [0.5, 0.75]})
    return [
        new_markdown_cell(
            "# Which loss?\n\nSee [the paper](https://doi.org/10.1117/12.2634030).\n\n|a|b|\n|-|-|\n|1|2|"
        ),
        code("epochs = 3  # int", tags=["parameters"]),
        code("report.figure(...)", shown(report.figure(drawn(), "Loss.", "A line.").data)),
        code("report.table(...)", shown(report.table(frame, "Accuracy.").data), count=2),
        code("frame.style", shown(frame.style.to_html()), count=3),
        code("print()", printed("one\ntwo\n"), printed("careful\n", "stderr"), count=4),
    ]


def test_a_page_loads_nothing(tmp_path):
    page = rendered(tmp_path, *story())
    assert LOADS.findall(page) == []
    assert "default-src 'unsafe-inline' 'unsafe-eval' data: blob:" in page
    assert '<a href="https://doi.org/10.1117/12.2634030">the paper</a>' in page


@pytest.mark.parametrize(
    "tag", ['<img src="https://a.b/c.png">', "<style>@import 'x.css'</style>", "<script>1</script>"]
)
def test_the_search_for_loads_would_find_them(tmp_path, tag):
    assert LOADS.search(rendered(tmp_path, new_markdown_cell(tag)))


def test_without_content_a_page_is_small(tmp_path):
    assert 2_000 < len(rendered(tmp_path).encode()) < 25_000


def test_two_runs_give_the_same_bytes(tmp_path):
    one = rendered(tmp_path, *story())
    again = story()
    for number, cell in enumerate(again):
        cell.metadata["papermill"] = {"start_time": f"2022-01-0{number + 1}", "duration": number}
        if cell.cell_type == "code":
            cell.execution_count += 7
    again[-1].outputs[:1] = [printed("one\n"), printed("two\n")]
    two = rendered(
        tmp_path, *again, papermill={"input_path": "x"}, language_info={"name": "python", "version": "3.13.0"}
    )
    assert two == one
    assert re.findall(r'<table id="(.*?)"', one) == ["T_1", "T_2"]


def test_a_percent_sign_stays_with_its_number_but_in_code(tmp_path):
    figure = report.figure(drawn(), "Within 95 % of it.", "A line.").data
    page = rendered(tmp_path, new_markdown_cell("Of all 5 % are."), code("rest = 5 % 3", shown(figure)))
    assert "all 5\N{NO-BREAK SPACE}% are" in page and "Within 95\N{NO-BREAK SPACE}% of" in page
    assert re.search(r">5</span> *<span[^>]*>%<|5 %", page.partition("<pre")[2]), "the code stays as it was"


def test_places_and_addresses_do_not_reach_the_page(tmp_path):
    warning = "/tmp/ipykernel_12/345.py:3: UserWarning: odd\n"
    page = rendered(
        tmp_path,
        code(f'results = "{paths.RESULTS}"', printed(f"read {paths.ROOT / 'README.md'}\n"), printed(warning, "stderr")),
        code("ax", new_output("execute_result", {"text/plain": "<Axes at 0x7f3aa0b1c2d0>"})),
    )
    assert str(paths.ROOT) not in page
    assert '<span class="s2">"results"</span>' in page
    assert "read ./README.md" in page
    assert '<pre class="stderr">cell:3: UserWarning: odd' in page
    assert "&lt;Axes&gt;" in page


def test_code_is_folded_and_coloured(tmp_path):
    page = rendered(tmp_path, code("for x in y: pass"), code(" ", count=None))
    (folded,) = re.findall(r"<details class=\"code\"><summary>code</summary>(.*?)</details>", page, re.DOTALL)
    assert '<span class="k">for</span>' in folded
    assert page.count("<details") == 1


def test_a_hidden_cell_leaves_nothing(tmp_path):
    page = rendered(tmp_path, code("secret", printed("whisper"), tags=["hide"]), code("open", printed("aloud")))
    assert "aloud" in page
    assert "secret" not in page
    assert "whisper" not in page


def test_markdown_and_tables_are_set(tmp_path):
    page = rendered(tmp_path, *story())
    assert re.search(r'<h1 id="Which-loss\?">Which loss\?', page)
    assert re.search(r'<div class="scroll"><table>\s*<thead>', page)
    assert page.count("<table") == page.count("</table>") == 3


@pytest.mark.parametrize(
    "live", [{"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}, {"application/javascript": "alert(1)"}]
)
def test_what_needs_a_live_notebook_leaves_its_text(tmp_path, live):
    output = new_output("display_data", live | {"text/plain": "100 of 100"})
    assert "<pre>100 of 100</pre>" in rendered(tmp_path, code("bar", output))


def test_the_current_page_is_marked(tmp_path):
    page = rendered(tmp_path, name="02_table")
    assert re.findall(r'<a aria-current="page" href="(.*?)">(.*?)</a>', page) == [("02_table.html", "Table 2")]
    assert re.search(r"<title>(.*?)</title>", page)[1] == f"Table 2 · {report.SITE}"
    for name in report.PAGES:
        assert f'href="{name}.html"' in page
    assert "by the notebook 02_table." in page


def test_pages_of_ones_own_faces_say_so(tmp_path):
    page = rendered(tmp_path, dataset="own")
    assert "<strong>Your own faces:</strong>" in page and "Practice run" not in page
    assert 'href="../11_transfer.html"' in page and 'href="02_table.html"' in page


def test_only_a_practice_page_says_practice(tmp_path):
    real, practice = rendered(tmp_path), rendered(tmp_path, dataset="synthetic")
    assert "Practice run on synthetic faces" in practice
    assert 'href="../index.html"' in practice
    assert "results/reports/synthetic/" not in practice
    assert "Practice run on synthetic faces" not in real
    assert 'href="../index.html"' not in real
    assert "results/reports/synthetic/" in real
    assert 'href="synthetic/' not in real  # not stored: a link to it would lead nowhere in a fresh clone


FAILED = [
    pytest.param(
        code("1/0", new_output("error", ename="ZeroDivisionError", evalue="division by zero\nmore", traceback=[])),
        "executed.ipynb failed in cell 2 with ZeroDivisionError: division by zero; fix it",
        id="failed",
    ),
    pytest.param(code("x", count=None), "executed.ipynb stopped before cell 2: execute it again", id="unfinished"),
]


@pytest.mark.parametrize(("cell", "message"), FAILED)
def test_a_failed_notebook_leaves_the_good_page(tmp_path, cell, message):
    good = rendered(tmp_path, new_markdown_cell("good"))
    cell.metadata["tags"] = ["hide"]
    with pytest.raises(ValueError, match=message):
        rendered(tmp_path, new_markdown_cell("bad"), cell)
    assert (tmp_path / "02_table.html").read_text(encoding="utf-8") == good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["02_table.html", "executed.ipynb"]


def test_a_missing_or_broken_notebook_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no executed notebook .*none\.ipynb: execute it first"):
        report.render(tmp_path / "none.ipynb", tmp_path / "index.html")
    half = tmp_path / "half.ipynb"
    half.write_text('{"cells": [')
    with pytest.raises(ValueError, match=r"half\.ipynb is an incomplete notebook: execute it again"):
        report.render(half, tmp_path / "index.html")


def test_the_command_line(tmp_path, monkeypatch):
    executed = write(tmp_path / "executed.ipynb", new_markdown_cell("Hello."))
    monkeypatch.setattr(
        sys, "argv", ["report", str(executed), str(tmp_path / "new" / "index.html"), "--dataset", "synthetic"]
    )
    report.main()
    assert "Practice run" in (tmp_path / "new" / "index.html").read_text(encoding="utf-8")


def test_the_command_line_fails_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["report", "none.ipynb", str(tmp_path / "index.html")])
    with pytest.raises(SystemExit, match=r"^no executed notebook none\.ipynb: execute it first$"):
        report.main()


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


def test_a_table_keeps_a_named_index_and_a_styler_its_format():
    frame = pd.DataFrame({"accuracy": [0.98764]}, index=pd.Index(["triplet"], name="loss"))
    plain, styled = report.table(frame, "").data, report.table(frame.style.format(precision=4), "").data
    assert re.search(r"<th[^>]*row_heading[^>]*>triplet</th>", plain)
    assert re.search(r"<tr>\s*<th[^>]*>loss</th>\s*<th[^>]*>accuracy</th>\s*</tr>", plain)
    assert ">0.99</td>" in plain
    assert ">0.9876</td>" in styled


def test_a_figure_and_a_table_offer_their_data_as_they_are():
    data = pd.DataFrame({"arm": ['a "b", <c> & #%+;', "×\n"], "mean": [2 / 3, np.nan], "n": [3, 1]}, index=[4, 9])
    for html in (report.figure(drawn(), "", "", data).data, report.table(data.round(1), "", data=data).data):
        (found,) = offered(html).values()
        assert found.columns.tolist() == ["arm", "mean", "n"]
        assert found["arm"].tolist() == data["arm"].tolist() and found["n"].tolist() == [3, 1]
        assert found["mean"].tolist() == pytest.approx([2 / 3, np.nan], rel=1e-9, nan_ok=True)
    (itself,) = offered(report.table(data.set_index("arm").style.hide(), "").data).values()
    assert itself.columns.tolist() == ["arm", "mean", "n"]
    assert offered(report.figure(drawn(), "", "").data) == offered(report.table(data[:0], "").data) == {}


def test_the_last_bit_of_a_number_does_not_reach_the_page():
    one, two = (report.table(pd.DataFrame({"x": [x, "a"]}).head(1), "").data for x in (0.3, 0.1 + 0.2))
    assert re.search(r"href=.*", one)[0] == re.search(r"href=.*", two)[0]


def test_data_are_named_after_page_and_place(tmp_path):
    frame = pd.DataFrame({"x": [1]})
    outputs = [shown(report.table(frame, "").data), shown(report.figure(drawn(), "", "", frame).data)]
    page = rendered(tmp_path, code("show", *outputs, *outputs))
    assert list(offered(page)) == [f"02_table-{number}.csv" for number in (1, 2, 3, 4)]


STORED = paths.ROOT / "results" / "reports"


@pytest.mark.parametrize("page", report.PAGES)
def test_every_figure_of_a_stored_page_offers_its_data(page):
    figures = re.findall(r"<figure.*?</figure>", (STORED / f"{page}.html").read_text(encoding="utf-8"), re.DOTALL)
    assert figures
    for figure in figures:
        if figure.startswith('<figure class="embedding-map"'):
            assert 'class="download"' in figure  # its script fills the link: see test_browser.py
        elif "<td" in figure or not figure.startswith('<figure class="table"'):
            (data,) = offered(figure).values()
            numbers = data.select_dtypes("number")
            assert len(data) and not np.isinf(numbers).any(axis=None), figure[-500:]
            assert "<td" in figure or np.isfinite(numbers).any(axis=None), figure[-500:]


def test_figures_stand_side_by_side():
    html = report.side_by_side([("A < B", report.figure(drawn(), "", "")), ("C", report.table(pd.DataFrame(), ""))])
    assert html.data.startswith('<div class="row"><section><h3>A &lt; B</h3><figure>')
    assert html.data.count("<section>") == html.data.count("</section>") == 2


def test_a_clip_has_no_name_after_the_last_bits_of_its_place():
    drawn = []
    for noise in (0, 1e-13):
        fig = plt.figure()
        fig.add_axes([0.1 + noise, 0.1, 0.5, 0.5]).plot([0, 1])
        drawn.append(re.findall(r'clipPath id="(.*)"', report.picture(fig, "a line")))
    assert len(drawn[0]) == 1 and drawn[0] == drawn[1]
