import pytest

from fer_lib import paths


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache folder for one test."""
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    return paths.CACHE
