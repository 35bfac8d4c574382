"""A page opens offline, is the same wherever it is made, and is never made from a notebook that failed."""

import re
import sys

import nbformat
import numpy as np
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_report import drawn, offered

from fer_lib import pages, paths, report

LOADS = re.compile(
    r"""<script|@import|url\((?!#)|<link[^>]*href="(?!data:)|\bsrc(?:set|doc)?="(?!data:)""", re.IGNORECASE
)
"""Whatever makes a browser fetch something; a plain link is not among it."""


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
    pages.render(executed, folder / f"{name}.html", dataset)
    return (folder / f"{name}.html").read_text(encoding="utf-8")


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
    assert re.search(r"<title>(.*?)</title>", page)[1] == f"Table 2 · {pages.SITE}"
    for name in pages.PAGES:
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
        pages.render(tmp_path / "none.ipynb", tmp_path / "index.html")
    half = tmp_path / "half.ipynb"
    half.write_text('{"cells": [')
    with pytest.raises(ValueError, match=r"half\.ipynb is an incomplete notebook: execute it again"):
        pages.render(half, tmp_path / "index.html")


def test_the_command_line(tmp_path, monkeypatch):
    executed = write(tmp_path / "executed.ipynb", new_markdown_cell("Hello."))
    monkeypatch.setattr(
        sys, "argv", ["pages", str(executed), str(tmp_path / "new" / "index.html"), "--dataset", "synthetic"]
    )
    pages.main()
    assert "Practice run" in (tmp_path / "new" / "index.html").read_text(encoding="utf-8")


def test_the_command_line_fails_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["pages", "none.ipynb", str(tmp_path / "index.html")])
    with pytest.raises(SystemExit, match=r"^no executed notebook none\.ipynb: execute it first$"):
        pages.main()


def test_data_are_named_after_page_and_place(tmp_path):
    frame = pd.DataFrame({"x": [1]})
    outputs = [shown(report.table(frame, "").data), shown(report.figure(drawn(), "", "", frame).data)]
    page = rendered(tmp_path, code("show", *outputs, *outputs))
    assert list(offered(page)) == [f"02_table-{number}.csv" for number in (1, 2, 3, 4)]


STORED = paths.ROOT / "results" / "reports"


@pytest.mark.parametrize("page", pages.PAGES)
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
