import numpy as np
import pytest

from fer_lib import paths
from fer_lib.datasets.cache import cached, content_key


def builder():
    """A build function and the list that grows by one entry whenever it is called."""
    calls = []

    def build():
        calls.append("built")
        return {"a": np.arange(3), "names_of_frames": np.array(["x", "yy"])}

    return build, calls


def test_builds_once(own_cache):
    build, calls = builder()
    cached("k", build)
    again = cached("k", build)
    assert len(calls) == 1
    assert {name: array.tolist() for name, array in again.items()} == {"a": [0, 1, 2], "names_of_frames": ["x", "yy"]}
    assert [file.name for file in own_cache.iterdir()] == ["k.npz"]


def without_an_array(file):
    with np.load(file) as stored:
        np.savez(file, **{name: stored[name] for name in stored.files if name != "a"})


def as_npy(file):
    with file.open("wb") as stream:
        np.save(stream, np.arange(3))


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"no zip"),
        lambda file: file.write_bytes(file.read_bytes()[:-40]),
        lambda file: file.write_bytes(file.read_bytes().replace(np.arange(3).tobytes(), np.arange(3, 6).tobytes())),
        lambda file: np.savez(file, names=np.array([{}], dtype=object)),
        as_npy,
        without_an_array,
    ],
    ids=["empty", "no zip", "cut short", "other bytes", "pickled", "npy", "an array missing"],
)
def test_a_damaged_file_is_built_again(own_cache, damage):
    build, calls = builder()
    cached("k", build)
    damage(own_cache / "k.npz")
    assert cached("k", build)["a"].tolist() == [0, 1, 2]
    assert len(calls) == 2
    cached("k", build)
    assert len(calls) == 2


def test_a_folder_that_cannot_be_made_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(paths, "CACHE", tmp_path / "file" / "cache")
    build, calls = builder()
    assert cached("k", build)["a"].tolist() == cached("k", build)["a"].tolist() == [0, 1, 2]
    assert len(calls) == 2


def test_a_name_that_cannot_be_written_leaves_nothing_behind(own_cache):
    (own_cache / "k.npz").mkdir(parents=True)
    assert cached("k", builder()[0])["a"].tolist() == [0, 1, 2]
    assert [file.name for file in own_cache.iterdir()] == ["k.npz"]


def test_a_file_whose_writing_fails_stays_as_it_was(tmp_path):
    file = tmp_path / "new" / "file"
    with paths.replacing(file) as partial:
        partial.write_text("whole")
        assert not file.exists()
    with pytest.raises(OSError, match="full"), paths.replacing(file) as partial:
        partial.write_text("ha")
        raise OSError("full")
    assert [(one.name, one.read_text()) for one in file.parent.iterdir()] == [("file", "whole")]


def test_key_follows_name_folder_and_content(tmp_path):
    for name in ("happy/1", "happy/2", "sad/1"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("same")
    key = content_key("d1", tmp_path, ["happy/1", "happy/2"])
    assert key == content_key("d1", tmp_path, ["happy/2", "happy/1"])
    others = [("d2", ["happy/1", "happy/2"]), ("d1", ["happy/1"]), ("d1", ["sad/1", "happy/2"])]
    assert key not in [content_key(label, tmp_path, names) for label, names in others]
    (tmp_path / "happy/1").write_text("other")
    assert content_key("d1", tmp_path, ["happy/1", "happy/2"]) != key
