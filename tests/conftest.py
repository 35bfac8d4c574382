import os

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from few_faces import use_few_faces

from fer_lib import faces, paths
from fer_lib.figures import plots

if "PYTEST_XDIST_WORKER" in os.environ:
    # As many threads as processes would wait for one another; kernels and other programs inherit it.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

LONGEST = ("test_study", "test_stored_pages", "test_run", "test_side_by_side")


def pytest_collection_modifyitems(items):
    """The files that take longest first: started last, they would keep one process busy after all others."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(LONGEST)))


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache folder for one test."""
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    return paths.CACHE


@pytest.fixture
def few(tmp_path, monkeypatch):
    """A folder of the test's own for results; the synthetic faces are `few_faces`."""
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    monkeypatch.setattr(faces, "load", faces.load)  # so that it is put back
    use_few_faces()
    return tmp_path


@pytest.fixture
def ax():
    """Axes to draw on, in the style of the pages."""
    with plt.rc_context(plots.STYLE):
        fig, ax = plt.subplots()
        yield ax
        plt.close(fig)


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """(*experiments) -> these are all that the study lists; their results lie in a folder of the test's own."""
    monkeypatch.setattr(paths, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(paths, "EXPERIMENTS", tmp_path / "experiments.csv")

    def write(*experiments):
        rows = [{**row.method, "seeds": row.seeds, "folds": row.folds} for row in experiments]
        pd.DataFrame(rows).to_csv(paths.EXPERIMENTS, index=False)

    return write
