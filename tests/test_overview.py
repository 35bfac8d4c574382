"""The overview: what is open, and where to read on."""

import pandas as pd

from fer_lib import paths, results
from fer_lib.experiments import Experiment, Member
from fer_lib.figures import overview

SOFTMAX = Experiment("softmax", "ckplus", loss="softmax", seeds=3)
OTHER = Experiment("other", "ckplus", protocol="subject", folds=10)


def test_what_is_open_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    monkeypatch.setattr(overview, "read_experiments", lambda: [SOFTMAX, OTHER])
    results.open_folder(SOFTMAX, "abc", "cpu")
    tables = {name: pd.DataFrame({"accuracy": [1.0]}) for name in results.TABLES}
    results.add_member(SOFTMAX, Member(0, 0), tables, {})
    said = "1 of 13 runs are trained: 1 of 3 under random, 0 of 10 under subject."
    assert overview.still_open("ckplus") == said


def test_every_page_is_linked_with_its_question():
    links = overview.read_on("ckplus").splitlines()
    assert links[1:3] == [
        "- [Table 2](02_table.html): Does the method reach the numbers it prints?",
        "- [Occlusion](03_occlusion.html): Is it robust to occlusion?",
    ]
    assert len(links) == len(overview.PAGES) - 1
