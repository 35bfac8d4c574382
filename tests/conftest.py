import os

import matplotlib.pyplot as plt
import pytest

from fer_lib import paths
from fer_lib.figures import plots

if "PYTEST_XDIST_WORKER" in os.environ:
    # As many threads as processes would wait for one another; kernels and other programs inherit it.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache folder for one test."""
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    return paths.CACHE


@pytest.fixture
def ax():
    """Axes to draw on, in the style of the pages."""
    with plt.rc_context(plots.STYLE):
        fig, ax = plt.subplots()
        yield ax
        plt.close(fig)
