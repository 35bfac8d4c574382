"""The pages of the report: their names and links, and each rendered from its executed notebook as one HTML file.

    python -m fer_lib.pages EXECUTED.ipynb OUT.html [--dataset NAME]

The template is in `report_template/`. The same results give the same bytes: anything that varies between runs or
machines (times, cell ids, random table ids, paths) is removed.
"""

import argparse
import re
import sys
from itertools import count
from pathlib import Path

import nbformat

from fer_lib import paths
from fer_lib.report import DATA_NAME

SITE = "FER robust to occlusion: a reproduction"

PAGES = {
    "index": "Overview",
    "00_data": "Data",
    "02_table": "Table 2",
    "03_occlusion": "Occlusion",
    "04_embeddings": "Embeddings",
    "05_attention": "What the network sees",
    "06_audit": "Audit",
    "07_speed": "Speed",
    "08_fer2013": "FER2013",
    "09_recipe": "A stronger recipe",
    "10_fer2013_networks": "FER2013: networks",
    "11_transfer": "Transfer",
}
"""File name without .html -> title in the navigation, in reading order."""

STUDY_ONLY = ("11_transfer",)
"""Pages that exist only for the study itself, since they compare its data sets; other data sets' pages link there."""

BANNERS = {
    "synthetic": "<strong>Practice run on synthetic faces:</strong> shows that the study runs, says nothing about real "
    "faces.",
    "own": "<strong>Your own faces:</strong> the study's methods on the images in <code>data/own/</code>.",
}
"""Banners on the pages of data sets that are not the study's own and lie one folder below its pages."""

HIDDEN = "hide"
"""Cells with this tag are left out of the page."""

EXPORT = {
    # Widgets and scripts need a live kernel or the network, so the page shows their plain text.
    "NbConvertBase": {
        "display_data_priority": [
            "text/html",
            "text/markdown",
            "image/svg+xml",
            "image/png",
            "image/jpeg",
            "text/plain",
        ]
    },
    # Timing decides whether two prints arrive as one stream output or two.
    "CoalesceStreamsPreprocessor": {"enabled": True},
}


def render(executed: Path, html: Path, dataset: str = "ckplus") -> None:
    """Write an executed notebook as one self-contained HTML page that works offline.

    executed: a notebook run by papermill or nbclient. html: the page; its name selects its entry in the navigation.
    dataset: the data set that the page is about; it may have one of `BANNERS`.
    Raises FileNotFoundError if there is no notebook, ValueError if it cannot be read, did not run to its end or has a
    failed cell; an existing page then stays unchanged.
    """
    from nbconvert import HTMLExporter  # slow to import, and notebooks need only `figure` and `table`

    notebook = _finished(executed)
    notebook.cells = [cell for cell in notebook.cells if HIDDEN not in cell.metadata.get("tags", [])]
    notebook.metadata.clear()
    exporter = HTMLExporter(
        template_name="report_template", extra_template_basedirs=[str(Path(__file__).parent)], config=EXPORT
    )
    about = {
        "site": SITE,
        "pages": {name: (address(name, dataset), title) for name, title in PAGES.items()},
        "page": html.stem,
        "title": PAGES.get(html.stem, html.stem),
        "banner": BANNERS.get(dataset, ""),
    }
    page, _ = exporter.from_notebook_node(notebook, resources=about)
    with paths.replacing(html) as unfinished:
        page = _unbroken(_with_names(_same_everywhere(page), html.stem))
        unfinished.write_text(page, encoding="utf-8", newline="\n")


def address(page: str, dataset: str) -> str:
    """Relative link to one of `PAGES` from another page of the data set."""
    return f"{'../' if dataset in BANNERS and page in STUDY_ONLY else ''}{page}.html"


def _finished(executed: Path) -> nbformat.NotebookNode:
    """Read a notebook and check that it ran to its end."""
    if not executed.is_file():
        raise FileNotFoundError(f"no executed notebook {executed}: execute it first")
    try:
        notebook = nbformat.read(executed, as_version=4)
    except ValueError as error:
        raise ValueError(f"{executed} is an incomplete notebook: execute it again") from error
    code = [(i, cell) for i, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code"]
    for i, cell in code:
        for output in cell.outputs:
            if output.output_type == "error":
                reason = (output.evalue.splitlines() or [""])[0]
                raise ValueError(
                    f"{executed} failed in cell {i} with {output.ename}: {reason}; fix it and execute it again"
                )
    for i, cell in code:
        if cell.source.strip() and cell.execution_count is None:
            raise ValueError(f"{executed} stopped before cell {i}: execute it again to its end")
    return notebook


def _same_everywhere(page: str) -> str:
    """Remove from a page what varies between machines and runs."""
    page = re.sub(r"(?<=[\s>(\"'])[^\s<>]*/ipykernel_\d+/\d+\.py", "cell", page)
    page = re.sub(r" at 0x[0-9a-f]{6,}", "", page)
    for place, name in ((paths.RESULTS, "results"), (paths.DATA, "data"), (paths.ROOT, ".")):
        page = re.sub(rf"(?<![\w.-]){re.escape(str(place))}(?![\w-])", name, page)
    for number, styled in enumerate(dict.fromkeys(re.findall(r'<table id="(T_\w+)"', page)), 1):
        page = re.sub(rf"\b{styled}(?=[_\s\"])", f"T_{number}", page)
    return page


def _with_names(page: str, name: str) -> str:
    """Name the page's downloads after it and number them, so that the files show where they are from."""
    numbers = count(1)
    return re.sub(f'download="{re.escape(DATA_NAME)}"', lambda _: f'download="{name}-{next(numbers)}.csv"', page)


def _unbroken(page: str) -> str:
    """Keep a number and its percent sign on one line, except in code, which readers copy."""
    return re.sub(
        r"<pre\b.*?</pre>|(?<=\d) %",
        lambda found: "\N{NO-BREAK SPACE}%" if found[0] == " %" else found[0],
        page,
        flags=re.DOTALL,
    )


def main() -> None:
    """Command line entry point; prints errors as one line instead of a traceback."""
    parser = argparse.ArgumentParser(prog="python -m fer_lib.pages", description=render.__doc__.splitlines()[0])
    parser.add_argument("executed", type=Path, help="the executed notebook")
    parser.add_argument("html", type=Path, help="the page to write")
    parser.add_argument("--dataset", default="ckplus", help="the data set that the page is about")
    try:
        render(**vars(parser.parse_args()))
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
