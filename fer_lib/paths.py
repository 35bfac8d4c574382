"""Where things are: found from this file, each place overridable by an environment variable; how files get there."""

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
    """A path beside `path` to write to, which then takes its place: a file is there whole or as it was.

    The folder is made if it is not there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
