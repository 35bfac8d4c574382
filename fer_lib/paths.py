"""Where things are: found from this file, each place overridable by an environment variable."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("FER_DATA", ROOT / "data"))
RESULTS = Path(os.environ.get("FER_RESULTS", ROOT / "results"))
CACHE = Path(os.environ.get("FER_CACHE", ROOT / "data" / ".cache"))
NOTEBOOKS = ROOT / "notebooks"
EXPERIMENTS = Path(os.environ.get("FER_EXPERIMENTS", NOTEBOOKS / "experiments.csv"))
