import base64
import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_lib import faces
from fer_lib.faces import DataError, Faces
from fer_lib.figures import interactive_map


def points_of(frames, labels):
    rng = np.random.default_rng(0)
    about = {"frame_id": frames["frame_id"], "subject": frames["subject"], "label": labels, "tested": True}
    about["emotion"] = np.array(faces.EMOTIONS)[labels]
    x, y = rng.normal(size=(2, len(labels))).round(4)
    return pd.DataFrame({**about, "prediction": labels, "x": x, "y": y})


def noise(count):
    """A data set that compresses worse than any face, and its map."""
    rng = np.random.default_rng(0)
    frames = pd.DataFrame({"frame_id": [f"S001_001_{i:08d}" for i in range(count)], "subject": "S001"})
    images, labels = rng.integers(0, 256, (count, 48, 48), dtype=np.uint8), rng.integers(0, 7, count)
    data = Faces("synthetic", images, labels, frames, faces.EMOTIONS)
    return data, points_of(frames, labels)


@pytest.fixture
def few():
    return noise(84)


def drawn(points, shown=None):
    return interactive_map.interactive_map(points, faces.EMOTIONS, "triplet", "A map.", shown).data


def data_in(html):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)[1])


def test_every_point_is_drawn_and_told_of(few):
    data, points = few
    points.loc[0, "prediction"] = (points.loc[0, "label"] + 1) % 7
    points.loc[1, ["tested", "prediction"]] = [False, -1]
    html = drawn(points)
    assert html.count("<circle cx=") == len(points)
    assert html.count('class="wrong"') == html.count('class="train"') == 1
    told = data_in(html)
    first = points.iloc[0]
    assert told["frames"][0] == [first["label"], first["prediction"], 1, first["subject"], first["frame_id"], -1]
    assert told["sprite"] is None
    assert 'value="training"' in html and 'value="training"' not in drawn(points_of(data.frames, data.labels))
    places = np.array(re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', html), dtype=float)
    assert (places > 0).all() and (places < [interactive_map.WIDTH, interactive_map.HEIGHT]).all()


def test_it_is_the_same_every_time_and_asks_nothing_of_the_network(few):
    data, points = few
    html = drawn(points, data)
    assert html == drawn(points, data)
    assert not re.search(r"https?:", html)
    assert not re.search(r"@import|<link|\bsrc=", html)
    ids = re.findall(r'\bid="(.*?)"', html)
    assert ids == ["map-triplet"]
    assert '<a class="download" download="data.csv">' in html


def test_981_faces_stay_under_three_megabytes():
    data, points = noise(981)
    assert len(drawn(points, data).encode()) < 3_000_000


def test_names_are_escaped(few):
    _, points = few
    points["subject"] = "</script><b>"
    html = interactive_map.interactive_map(points, faces.EMOTIONS, 'a"b', "less < more", None).data
    assert "</script><b>" not in html
    assert data_in(html)["frames"][0][3] == "</script><b>"
    assert 'id="map-a&quot;b"' in html and "less &lt; more" in html


def test_only_permitted_faces_are_in_the_sprite(few):
    data, _ = few
    grey = np.arange(len(data), dtype=np.uint8)[:, None, None] + np.zeros((1, 48, 48), np.uint8) + 100
    frames = data.frames.assign(subject="S010")
    frames.loc[[3, 50], "subject"] = "S052"
    real = Faces("ckplus", grey, data.labels, frames, data.classes)
    told = data_in(drawn(points_of(frames, data.labels), real))
    assert [i for i, frame in enumerate(told["frames"]) if frame[-1] >= 0] == [3, 50]
    image = Image.open(io.BytesIO(base64.b64decode(told["sprite"]["image"].split(",")[1]))).convert("L")
    assert image.size == (96, 48)
    assert np.asarray(image)[24, [24, 72]].tolist() == pytest.approx([103, 150], abs=3)
    assert told["notice"] == "(c) Jeffrey Cohn"
    hidden = Faces("fer2013", grey, data.labels, frames, data.classes)
    assert data_in(drawn(points_of(frames, data.labels), hidden))["sprite"] is None


def test_faces_are_optional(monkeypatch):
    def absent(name):
        raise DataError("no CK+ there")

    assert interactive_map.faces_for("ckplus", wanted=False) is None
    monkeypatch.setattr(faces, "load", absent)
    assert interactive_map.faces_for("ckplus", wanted=True) is None
    monkeypatch.setattr(faces, "load", lambda name: name)
    assert interactive_map.faces_for("ckplus", wanted=True) == "ckplus"
    assert interactive_map.faces_for("synthetic", wanted=False) == "synthetic"
