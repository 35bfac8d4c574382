import numpy as np
import pytest

from fer_lib import paths
from fer_lib.cache import cached, content_key


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")


class Builder:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return {"a": np.arange(3), "names": np.array(["x", "yy"])}


def test_builds_once():
    build = Builder()
    first, second = cached("k", build), cached("k", build)
    assert build.calls == 1
    np.testing.assert_array_equal(first["a"], second["a"])
    assert second["names"].tolist() == ["x", "yy"]
    assert [file.name for file in paths.CACHE.iterdir()] == ["k.npz"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip"])
def test_broken_cache_is_rebuilt(content):
    build = Builder()
    cached("k", build)
    whole = (paths.CACHE / "k.npz").read_bytes()
    (paths.CACHE / "k.npz").write_bytes(content)
    assert cached("k", build)["a"].tolist() == [0, 1, 2]
    (paths.CACHE / "k.npz").write_bytes(whole[: len(whole) // 2])
    assert cached("k", build)["a"].tolist() == [0, 1, 2]
    assert build.calls == 3


def test_unwritable_cache_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(paths, "CACHE", tmp_path / "file" / "cache")
    assert cached("k", Builder())["a"].tolist() == [0, 1, 2]


def test_key_follows_content_and_name(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("same")
    two.write_text("same")
    key = content_key("d1", [one])
    assert key.startswith("d1-")
    assert content_key("d1", [two]) != key
    one.write_text("other")
    assert content_key("d1", [one]) != key
