"""Paths of the study, overridable by environment variables, and atomic replacement of files.

A relative path counts from the repository, for notebooks run in a folder of their own.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
DATA = ROOT / os.environ.get("FER_DATA", "data")
RESULTS = ROOT / os.environ.get("FER_RESULTS", "results")
CACHE = ROOT / os.environ.get("FER_CACHE", "data/.cache")
EXPERIMENTS = ROOT / os.environ.get("FER_EXPERIMENTS", "notebooks/experiments.csv")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`, which replaces `path` atomically at the end.

    After an error `path` stays as it was. Creates the folder if necessary.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
