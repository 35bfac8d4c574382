import os
import pty

from fer_lib import progress
from fer_lib.progress import Progress


def test_counts_estimates_and_cleans_up(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress, "_terminal", lambda: None)
    shown = Progress("few", total=10, done=4, file=tmp_path / "progress.txt")
    now[0] += 30
    shown.step()  # one epoch in 30 s, so the five left take 150 s
    assert (tmp_path / "progress.txt").read_text() == "few: 50%, 5 of 10 epochs, 00:30 passed, 02:30 left\n"
    now[0] += 0.5
    shown.step()
    assert "5 of 10" in (tmp_path / "progress.txt").read_text()  # at most once a second
    shown.finish()
    assert not (tmp_path / "progress.txt").exists()


def test_writes_one_line_to_the_terminal(tmp_path, monkeypatch):
    ours, theirs = pty.openpty()
    monkeypatch.setattr(progress, "_terminal", lambda: os.fdopen(theirs, "w"))
    shown = Progress("few", total=1, done=0, file=tmp_path / "progress.txt")
    shown.step()
    shown.finish()
    said = os.read(ours, 1000).decode()
    assert "few: 100%, 1 of 1 epochs" in said
    assert said.count("\n") == 1


def test_goes_on_when_the_terminal_is_closed(tmp_path, monkeypatch):
    ours, theirs = pty.openpty()
    monkeypatch.setattr(progress, "_terminal", lambda: os.fdopen(theirs, "w"))
    shown = Progress("few", total=2, done=0, file=tmp_path / "progress.txt")
    os.close(ours)
    shown.step()
    assert shown.terminal is None and "1 of 2" in (tmp_path / "progress.txt").read_text()
    shown.finish()


def test_finds_the_terminal_of_a_parent(monkeypatch):
    ours, theirs = pty.openpty()

    class Process:
        def __init__(self, terminal=None, parents=()):
            self.terminal, self.parents = lambda: terminal, lambda: list(parents)

    kernel = Process(parents=[Process(), Process(os.ttyname(theirs)), Process("/dev/null")])
    monkeypatch.setattr(progress.psutil, "Process", lambda: kernel)
    with progress._terminal() as terminal:
        terminal.write("here")
    assert os.read(ours, 100) == b"here"
