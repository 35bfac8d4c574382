"""Figures and tables in a notebook's output, captioned, and with their data.

The same results give the same bytes.
"""

import base64
import io
import re
import zlib
from html import escape
from urllib.parse import quote

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import HTML
from matplotlib.figure import Figure
from pandas.api.types import is_integer_dtype, is_numeric_dtype
from pandas.io.formats.style import Styler

from fer_lib.figures import plots

DATA_NAME = "data.csv"
"""File name in a download link, until `pages.render` numbers it and names it after the page."""

SVG_LIMIT = 300_000
"""Size in bytes above which a figure is embedded as pixels instead of SVG."""

FOLDED = 20
"""Rows above which a table is folded, so that one can look over the page."""

PAGE_COLOURS = {
    plots.INK: "currentColor",
    plots.MUTED: f"var(--muted, {plots.MUTED})",
    plots.RULE: f"var(--rule, {plots.RULE})",
}

CARD = (
    f"svg {{ background: #fff; color: {plots.INK} }} @media (prefers-color-scheme: dark) "
    "{ svg { background: #16181d; color: #dfe2e7; --muted: #9aa1ac; --rule: #343941 } }"
)
"""Style of a stand-alone figure, with the colours of `report_template/style.css`."""


def download(data: pd.DataFrame | None) -> str:
    """A download link that contains the data as CSV, so that a page works on its own; empty if there are no rows.

    Numbers have ten digits: more than are significant, few enough to be the same on every machine. NaN is written as
    nan. The index is included unless it only counts the rows.
    """
    if data is None or data.empty:
        return ""
    form = {"na_rep": "nan", "float_format": "%.10g", "lineterminator": "\n"}
    csv = quote(data.infer_objects().to_csv(index=not _only_counts(data.index), **form), safe=",:+()")
    return f' <a class="download" download="{DATA_NAME}" href="data:text/csv;charset=utf-8,{csv}">data (CSV)</a>'


def _only_counts(index: pd.Index) -> bool:
    """Whether an index only numbers the rows, all of them or a selection."""
    return index.nlevels == 1 and index.name is None and is_integer_dtype(index)


def figure(fig: Figure, caption: str, alt: str, data: pd.DataFrame | None = None) -> HTML:
    """A captioned figure for a notebook's output; closes `fig`. The same figure gives the same text.

    fig: drawn with `plots.STYLE`, whose ink, muted and rule colours adapt to light and dark mode. alt: a description
    for readers who cannot see the figure. data: the plotted numbers, one row per mark, offered as CSV; a test requires
    them on every stored page. The figure is inline SVG, or lossless WebP if the SVG exceeds `SVG_LIMIT`, which the
    page shows on a light card in dark mode.
    """
    with plt.rc_context(plots.STYLE):
        picture = _svg(fig, escape(alt))
        if len(picture) > SVG_LIMIT:
            picture = _pixels(fig, escape(alt))
    plt.close(fig)
    return HTML(f"<figure>{picture}<figcaption>{escape(caption)}{download(data)}</figcaption></figure>")


def picture(fig: Figure, alt: str) -> str:
    """A figure as the text of a stand-alone SVG file that adapts to light and dark mode; closes `fig`."""
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
    # Nothing refers to the group ids, which would repeat in every figure of a page.
    svg = re.sub(r'<g id="[a-zA-Z]\w*_\d+">', "<g>", svg)
    # matplotlib names clips after the last bits of coordinates, which vary between runs: use a hash of the shape.
    for name, shape in re.findall(r'<clipPath id="(p[0-9a-f]{10})">(.*?)</clipPath>', svg, re.DOTALL):
        svg = svg.replace(name, f"clip-{zlib.crc32(shape.encode()):08x}")
    for colour, own in PAGE_COLOURS.items():
        svg = svg.replace(colour, own)
    return svg.replace("<svg", f'<svg role="img" aria-label="{alt}"', 1)


def _pixels(fig: Figure, alt: str) -> str:
    file = io.BytesIO()
    # Lossless WebP takes a third of the bytes of PNG for a page of faces.
    fig.savefig(file, format="webp", bbox_inches="tight", pil_kwargs={"lossless": True})
    data = base64.b64encode(file.getvalue()).decode()
    width = round(fig.get_figwidth() * 96)
    return f'<img src="data:image/webp;base64,{data}" width="{width}" alt="{alt}">'


def table(frame: pd.DataFrame, caption: str, wrap: bool = False, data: pd.DataFrame | None = None) -> HTML:
    """A captioned table for a notebook's output, with numbers right-aligned and text left-aligned.

    It has two decimals, a dash for NaN, and no index that only counts the rows. A column counts as text if it has
    strings that do not all start like a number. A table of more than `FOLDED` rows is folded. wrap: break cells and
    headings at spaces, so that a wide table fits the page. data: what the page offers as CSV if the frame is rounded
    for display (default: the frame itself).
    """
    offered, index = download(frame if data is None else data), frame.index
    if index.nlevels == 1:
        # Put the index name into the header row; pandas would add a second header row for it.
        frame = frame.rename_axis(index=None, columns=index.name)
    styler = Styler(frame, precision=2, na_rep="\N{EN DASH}", escape="html", cell_ids=False)
    if _only_counts(index):
        styler.hide(axis="index")
    if wrap:
        broken = [{"selector": cell, "props": "white-space: normal"} for cell in ("td", "th")]
        styler.set_table_styles(broken, overwrite=False)
    for i, (_, column) in enumerate(frame.items()):
        words = column.dropna().astype(str)
        if not is_numeric_dtype(column) and not words.str.match(r"\W*\d|\W$").all():
            room = f"min-width: {min(words.str.len().max(), 20)}ch; max-width: 30em; white-space: normal"
            left = {"selector": f".col{i}", "props": f"text-align: left; {room}"}
            styler.set_table_styles([left], overwrite=False)
    rows = f'<div class="scroll">{styler.to_html()}</div>'
    if len(frame) > FOLDED:
        rows = f"<details><summary>table, {len(frame)} rows</summary>{rows}</details>"
    return HTML(f'<figure class="table"><figcaption>{escape(caption)}{offered}</figcaption>{rows}</figure>')
