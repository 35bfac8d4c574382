import os
import subprocess
import sys

from fer_lib.paths import ROOT


def test_a_place_that_is_given_counts_from_the_repository(tmp_path):
    """Not from where a notebook runs; and a bare word would be replaced wherever it stands on a page."""
    given = {**os.environ, "FER_DATA": "faces", "FER_RESULTS": str(tmp_path / "results")}
    command = [sys.executable, "-c", "from fer_lib import paths; print(paths.DATA, paths.RESULTS)"]
    said = subprocess.run(command, env=given, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.split() == [str(ROOT / "faces"), str(tmp_path / "results")]
