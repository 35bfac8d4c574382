"""Progress of a long training: one line with an ETA in the terminal, in JupyterLab, and in a file to look into."""

import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
from tqdm import tqdm


class Progress:
    """Counts steps and shows `label: 31 %, 12 of 40 epochs, 05:10 left` at most once a second.

    The line goes to the terminal that the run was started from, also from inside a kernel; to the running notebook,
    as one output that is replaced each time; and to `file`.
    """

    def __init__(self, label: str, total: int, done: int, file: Path):
        self.label, self.total, self.done, self.file = label, total, done, file
        self.start, self.start_done, self.shown = time.monotonic(), done, 0.0
        self.terminal = _terminal()
        self.output = None
        if "ipykernel" in sys.modules:
            from IPython.display import display

            self.output = display({"text/plain": ""}, raw=True, display_id=True)

    def step(self) -> None:
        """One more step is done."""
        self.done += 1
        if time.monotonic() - self.shown >= 1:
            self._show()

    def finish(self) -> None:
        """The last line stays; the file goes."""
        self._show()
        self._say("\n")
        if self.terminal:
            self.terminal.close()
        if self.output:
            self.output.update(
                {"text/plain": f"{self.label}: {self.done} of {self.total} epochs are trained"}, raw=True
            )
        self.file.unlink(missing_ok=True)

    def _show(self) -> None:
        self.shown = time.monotonic()
        elapsed = self.shown - self.start
        left = elapsed / max(1, self.done - self.start_done) * (self.total - self.done)
        line = (
            f"{self.label}: {self.done / self.total:.0%}, {self.done} of {self.total} epochs, "
            f"{tqdm.format_interval(elapsed)} passed, {tqdm.format_interval(left)} left"
        )
        with suppress(OSError):
            self.file.write_text(line + "\n")
        self._say(f"\r{line}\033[K")
        if self.output:
            self.output.update({"text/plain": line}, raw=True)

    def _say(self, text: str) -> None:
        try:
            if self.terminal:
                print(text, end="", file=self.terminal, flush=True)
        except OSError:  # somebody has closed it, and the training goes on
            self.terminal = None


def _terminal():
    """The terminal of this process or of the nearest parent that has one: a kernel itself has none."""
    here = psutil.Process()
    for process in (here, *here.parents()):
        if terminal := process.terminal():
            with suppress(OSError):
                return open(terminal, "w")
    return None
