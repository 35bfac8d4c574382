"""An executed notebook becomes one HTML page that opens offline; figures and tables that fit it, with their data.

    python -m fer_lib.report EXECUTED.ipynb OUT.html [--dataset NAME]

The template is in `report_template/`. The same results give the same bytes: what differs between two runs or two
machines (times, cell ids, random table ids, places on disk) does not reach the page.
"""

import argparse
import base64
import io
import re
import sys
import zlib
from html import escape
from itertools import count
from pathlib import Path
from urllib.parse import quote

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
from IPython.display import HTML
from matplotlib.figure import Figure
from pandas.api.types import is_integer_dtype, is_numeric_dtype
from pandas.io.formats.style import Styler

from fer_lib import paths
from fer_lib.figures import plots

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
"""File name without .html -> its name in the navigation, in reading order."""

STUDY_ONLY = ("11_transfer",)
"""Pages that only the study itself has, for they compare its two data sets: the pages of others link to them there."""

BANNERS = {
    "synthetic": "<strong>Practice run on synthetic faces:</strong> shows that the study runs, says nothing about real "
    "faces.",
    "own": "<strong>Your own faces:</strong> the study's methods on the images in <code>data/own/</code>.",
}
"""What stands above the pages of data sets other than the study's own, which lie one folder below its pages."""

HIDDEN = "hide"
"""A cell with this tag leaves nothing on the page."""

DATA_NAME = "data.csv"
"""What a link to data calls its file, until `render` names it after the page and its place there."""

SVG_LIMIT = 300_000
"""Bytes above which a figure is embedded as pixels instead."""

PAGE_COLOURS = {
    plots.INK: "currentColor",
    plots.MUTED: f"var(--muted, {plots.MUTED})",
    plots.RULE: f"var(--rule, {plots.RULE})",
}

CARD = (
    f"svg {{ background: #fff; color: {plots.INK} }} @media (prefers-color-scheme: dark) "
    "{ svg { background: #16181d; color: #dfe2e7; --muted: #9aa1ac; --rule: #343941 } }"
)
"""The style of a figure that stands alone; the colours are those of `report_template/style.css`."""

EXPORT = {
    # Widgets and scripts need a live kernel or the network: their plain text stands in.
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
    # Whether two prints arrive as one stream output or as two is a matter of timing.
    "CoalesceStreamsPreprocessor": {"enabled": True},
}


def render(executed: Path, html: Path, dataset: str = "ckplus") -> None:
    """Write the executed notebook as one self-contained HTML page that asks nothing of the network.

    executed: a notebook as papermill or nbclient leaves it. html: the page; its name marks its place in the navigation.
    dataset: whose faces the page tells of; it may have one of `BANNERS`.
    Raises FileNotFoundError where there is no notebook, ValueError where it cannot be read, did not run to its end or
    has a failed cell; a page already there then stays as it is.
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
    """Where one of `PAGES` lies, seen from another page of a data set."""
    return f"{'../' if dataset in BANNERS and page in STUDY_ONLY else ''}{page}.html"


def _finished(executed: Path) -> nbformat.NotebookNode:
    """Read a notebook and make sure that all of it ran."""
    if not executed.is_file():
        raise FileNotFoundError(f"no executed notebook {executed}: execute it first")
    try:
        notebook = nbformat.read(executed, as_version=4)
    except ValueError as error:
        raise ValueError(f"{executed} is not a whole notebook: execute it again") from error
    code = [(i, cell) for i, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code"]
    for i, cell in code:
        for output in cell.outputs:
            if output.output_type == "error":
                reason = (output.evalue.splitlines() or [""])[0]
                raise ValueError(
                    f"{executed} failed in cell {i} with {output.ename}: {reason}; mend it and execute it again"
                )
    for i, cell in code:
        if cell.source.strip() and cell.execution_count is None:
            raise ValueError(f"{executed} stopped before cell {i}: execute it again, to its end")
    return notebook


def _same_everywhere(page: str) -> str:
    """Take out of a page what differs between machines and runs."""
    page = re.sub(r"(?<=[\s>(\"'])[^\s<>]*/ipykernel_\d+/\d+\.py", "cell", page)
    page = re.sub(r" at 0x[0-9a-f]{6,}", "", page)
    for place, name in ((paths.RESULTS, "results"), (paths.DATA, "data"), (paths.ROOT, ".")):
        page = re.sub(rf"(?<![\w.-]){re.escape(str(place))}(?![\w-])", name, page)
    for number, styled in enumerate(dict.fromkeys(re.findall(r'<table id="(T_\w+)"', page)), 1):
        page = re.sub(rf"\b{styled}(?=[_\s\"])", f"T_{number}", page)
    return page


def _with_names(page: str, name: str) -> str:
    """Number the files that the page offers, so that a folder of downloads tells where each is from."""
    numbers = count(1)
    return re.sub(f'download="{re.escape(DATA_NAME)}"', lambda _: f'download="{name}-{next(numbers)}.csv"', page)


def _unbroken(page: str) -> str:
    """Keep a number and its percent sign on one line, but in code, which readers copy."""
    return re.sub(
        r"<pre\b.*?</pre>|(?<=\d) %",
        lambda found: "\N{NO-BREAK SPACE}%" if found[0] == " %" else found[0],
        page,
        flags=re.DOTALL,
    )


def download(data: pd.DataFrame | None) -> str:
    """A link that holds the data as CSV, so that a page passed on alone still has them; nothing without a row.

    Numbers have ten digits: more than any of them means, and few enough to be the same on every machine. NaN is nan.
    The index goes along unless it only counts the rows.
    """
    if data is None or data.empty:
        return ""
    form = {"na_rep": "nan", "float_format": "%.10g", "lineterminator": "\n"}
    csv = quote(data.infer_objects().to_csv(index=not _only_counts(data.index), **form), safe=",:+()")
    return f' <a class="download" download="{DATA_NAME}" href="data:text/csv;charset=utf-8,{csv}">data (CSV)</a>'


def _only_counts(index: pd.Index) -> bool:
    """Whether an index does nothing but number the rows, all of them or those that were chosen."""
    return index.nlevels == 1 and index.name is None and is_integer_dtype(index)


def figure(fig: Figure, caption: str, alt: str, data: pd.DataFrame | None = None) -> HTML:
    """A captioned figure for a notebook's output, closed afterwards; the same figure gives the same text.

    fig: drawn under `plots.STYLE`, whose ink, muted and rule colours follow the page into light and dark. alt: what
    the figure shows, for who cannot see it. data: the numbers that it shows, a row a mark, which the page offers as
    CSV; a test asks this of every stored page. The picture is inline SVG, or lossless WebP where that exceeds
    `SVG_LIMIT`, which the page puts on a card in the dark.
    """
    with plt.rc_context(plots.STYLE):
        picture = _svg(fig, escape(alt))
        if len(picture) > SVG_LIMIT:
            picture = _pixels(fig, escape(alt))
    plt.close(fig)
    return HTML(f"<figure>{picture}<figcaption>{escape(caption)}{download(data)}</figcaption></figure>")


def picture(fig: Figure, alt: str) -> str:
    """A figure as an SVG file of its own, closed afterwards, on a card that is light or dark as its reader has it."""
    with plt.rc_context(plots.STYLE):
        svg = _svg(fig, escape(alt))
    plt.close(fig)
    return svg.replace("</svg>", f"<style>{CARD}</style></svg>")


def _svg(fig: Figure, alt: str) -> str:
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    fig.savefig(file, format="svg", bbox_inches="tight", metadata=nothing)
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    # Nothing refers to the groups' ids, and they would be the same in every figure of a page.
    svg = re.sub(r'<g id="[a-zA-Z]\w*_\d+">', "<g>", svg)
    # matplotlib names a clip after the last bits of its place, which differ from run to run: here after what is drawn.
    for name, shape in re.findall(r'<clipPath id="(p[0-9a-f]{10})">(.*?)</clipPath>', svg, re.DOTALL):
        svg = svg.replace(name, f"clip-{zlib.crc32(shape.encode()):08x}")
    for colour, own in PAGE_COLOURS.items():
        svg = svg.replace(colour, own)
    return svg.replace("<svg", f'<svg role="img" aria-label="{alt}"', 1)


def _pixels(fig: Figure, alt: str) -> str:
    file = io.BytesIO()
    # Lossless WebP holds a page of faces in a third of PNG's bytes.
    fig.savefig(file, format="webp", bbox_inches="tight", pil_kwargs={"lossless": True})
    data = base64.b64encode(file.getvalue()).decode()
    width = round(fig.get_figwidth() * 96)
    return f'<img src="data:image/webp;base64,{data}" width="{width}" alt="{alt}">'


def side_by_side(columns: list[tuple[str, HTML]]) -> HTML:
    """Figures beside each other where the window is wide, each with its title above it."""
    parts = [f"<h3>{escape(title)}</h3>{shown.data}" for title, shown in columns]
    return HTML(f'<div class="row">{"".join(f"<section>{part}</section>" for part in parts)}</div>')


def table(frame: pd.DataFrame | Styler, caption: str, wrap: bool = False, data: pd.DataFrame | None = None) -> HTML:
    """A captioned table for a notebook's output: numbers to the right, text to the left.

    A frame gets two decimals, a dash for NaN, and no index where that only counts the rows; a Styler keeps its own
    format. A column is text where it holds strings that do not all begin as a number does. wrap: break cells and
    headings at their spaces, which keeps a wide table on the page. data: what the page offers as CSV, where the frame
    is rounded for the eye; by default the frame itself.
    """
    styler = frame
    offered = download(data if data is not None else frame.data if isinstance(frame, Styler) else frame)
    if isinstance(frame, pd.DataFrame):
        index = frame.index
        if index.nlevels == 1:
            # The index's name goes beside the columns' names; pandas would spend a second header row on it.
            frame = frame.rename_axis(index=None, columns=frame.index.name)
        styler = Styler(frame, precision=2, na_rep="\N{EN DASH}", escape="html", cell_ids=False)
        if _only_counts(index):
            styler.hide(axis="index")
    if wrap:
        broken = [{"selector": cell, "props": "white-space: normal"} for cell in ("td", "th")]
        styler.set_table_styles(broken, overwrite=False)
    for i, (_, column) in enumerate(styler.data.items()):
        words = column.dropna().astype(str)
        if not is_numeric_dtype(column) and not words.str.match(r"\W*\d|\W$").all():
            room = f"min-width: {min(words.str.len().max(), 20)}ch; max-width: 30em; white-space: normal"
            left = {"selector": f".col{i}", "props": f"text-align: left; {room}"}
            styler.set_table_styles([left], overwrite=False)
    return HTML(
        f'<figure class="table"><figcaption>{escape(caption)}{offered}</figcaption>'
        f'<div class="scroll">{styler.to_html()}</div></figure>'
    )


def main() -> None:
    """The command line: one line of error instead of a traceback."""
    parser = argparse.ArgumentParser(prog="python -m fer_lib.report", description=render.__doc__.splitlines()[0])
    parser.add_argument("executed", type=Path, help="the executed notebook")
    parser.add_argument("html", type=Path, help="the page to write")
    parser.add_argument("--dataset", default="ckplus", help="whose faces the page tells of; some have a banner")
    try:
        render(**vars(parser.parse_args()))
    except (OSError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
