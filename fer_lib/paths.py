"""Paths of the study, overridable by environment variables, and atomic replacement of files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("FER_DATA", ROOT / "data"))
RESULTS = Path(os.environ.get("FER_RESULTS", ROOT / "results"))
CACHE = Path(os.environ.get("FER_CACHE", ROOT / "data" / ".cache"))
NOTEBOOKS = ROOT / "notebooks"
EXPERIMENTS = Path(os.environ.get("FER_EXPERIMENTS", NOTEBOOKS / "experiments.csv"))


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
