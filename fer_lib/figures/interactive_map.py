"""A 2-D map to explore: who is each point, what was it taken for, what does the face look like. One HTML figure.

The template is `report_template/map.html`: inline SVG and a small script, which ask nothing of the network. The same
results give the same bytes; faces are in it only where they are asked for and may be shown.
"""

import base64
import io
import json
from html import escape
from pathlib import Path
from string import Template

import numpy as np
import pandas as pd
from IPython.display import HTML
from PIL import Image

from fer_lib import faces, report
from fer_lib.faces import Faces
from fer_lib.figures.plots import EMOTION_COLOURS

TEMPLATE = Path(report.__file__).parent / "report_template" / "map.html"
WIDTH, HEIGHT, EDGE = 720, 600, 18
COLUMNS = 32
"""Faces in a row of the sprite."""

NOTICES = {"ckplus": "(c) Jeffrey Cohn"}
"""What must stand beside a face that is shown."""


def interactive_map(
    points: pd.DataFrame, classes: list[str], name: str, caption: str, shown: Faces | None = None
) -> HTML:
    """The map as one figure for a notebook's output.

    points: `embedding_maps.located`. classes: the names of all emotions, by label. name: marks the figure in the page;
    letters, digits, '.', '_', '-'. shown: the data set, whose faces may stand beside their points where `may_be_shown`
    allows; without it, none does.
    """
    sprite, place = _sprite(points, shown)
    data = {
        "classes": classes,
        "frames": [
            [row.label, row.prediction, int(row.tested), row.subject, row.frame_id, place.get(row.frame_id, -1)]
            for row in points.itertuples()
        ],
        "sprite": sprite,
        "notice": NOTICES.get(shown.name, "") if shown else "",
    }
    kinds = ["all", "right", "wrong"] + ([] if points["tested"].all() else ["training"])
    return HTML(
        Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
            id=escape(f"map-{name}"),
            width=WIDTH,
            height=HEIGHT,
            alt=f"A map of {len(points)} frames. Arrow keys go from frame to frame.",
            emotions="".join(map(_emotion, classes)),
            kinds="".join(_kind(kind, name) for kind in kinds),
            circles="\n".join(_circles(points)),
            # Inside a script only "<" could end it.
            data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
            caption=escape(caption),
            file=report.DATA_NAME,
        )
    )


def faces_for(dataset: str, wanted: bool) -> Faces | None:
    """The data set whose faces the map shows: the synthetic one always, another where it is wanted and there."""
    if dataset != "synthetic" and not wanted:
        return None
    try:
        return faces.load(dataset)
    except faces.DataError:
        return None


def about_faces(dataset: str, shown: Faces | None) -> str:
    """Which faces the map shows, in a sentence."""
    if shown is None or not shown.may_be_shown.any():
        return "No face is shown."
    if dataset == "synthetic":
        return "The faces are synthetic."
    notice = f", {NOTICES[dataset]}" if dataset in NOTICES else ""
    return f"Only the faces of subjects who permit it are shown{notice}."


def _sprite(points: pd.DataFrame, shown: Faces | None) -> tuple[dict | None, dict[str, int]]:
    """The faces of the map as one WebP image, and where in it each frame is."""
    if shown is None:
        return None, {}
    wanted = shown.may_be_shown & shown.frames["frame_id"].isin(points["frame_id"]).to_numpy()
    if not wanted.any():
        return None, {}
    images = shown.images[wanted]
    columns, rows = min(COLUMNS, len(images)), -(-len(images) // COLUMNS)
    size = images.shape[1]
    sheet = np.zeros((rows * size, columns * size), np.uint8)
    for i, image in enumerate(images):
        y, x = i // columns * size, i % columns * size
        sheet[y : y + size, x : x + size] = image
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, "WEBP", quality=70, method=6)
    address = f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
    place = {frame: i for i, frame in enumerate(shown.frames.loc[wanted, "frame_id"])}
    return {"image": address, "columns": columns, "rows": rows}, place


def _circles(points: pd.DataFrame) -> list[str]:
    """A circle per point, in their order, training frames as rings and wrong test frames outlined."""
    x, y = points["x"].to_numpy(float), points["y"].to_numpy(float)
    widest = max(np.ptp(x) / (WIDTH - 2 * EDGE), np.ptp(y) / (HEIGHT - 2 * EDGE))
    scale = 1 / widest if widest > 0 else 1
    x = WIDTH / 2 + scale * (x - (x.min() + x.max()) / 2)
    y = HEIGHT / 2 - scale * (y - (y.min() + y.max()) / 2)
    circles = []
    for row, across, down in zip(points.itertuples(), x, y, strict=True):
        colour = EMOTION_COLOURS[row.emotion]
        look = f'class="train" stroke="{colour}"' if not row.tested else f'fill="{colour}"'
        if row.tested and row.label != row.prediction:
            look += ' class="wrong"'
        circles.append(f'<circle cx="{across:.1f}" cy="{down:.1f}" r="5" {look}></circle>')
    return circles


def _emotion(name: str) -> str:
    dot = f'<i style="background: {EMOTION_COLOURS[name]}"></i>'
    return f'<label><input type="checkbox" value="{name}" checked>{dot}{name}</label>'


def _kind(kind: str, name: str) -> str:
    checked = " checked" if kind == "all" else ""
    return f'<label><input type="radio" name="{escape(name)}-kind" value="{kind}"{checked}>{kind}</label>'
