"""Progress of a long training: one line with the remaining time, in the terminal, in JupyterLab and in a file."""

import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
from tqdm import tqdm


class Progress:
    """Counts epochs and shows `label: 30%, 12 of 40 epochs, 02:13 passed, 05:10 left` at most once a second.

    The line goes to the terminal that started the run, even from inside a kernel; to the running notebook, as one
    output that is updated in place; and to `file`.
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
        """Count one more epoch."""
        self.done += 1
        if time.monotonic() - self.shown >= 1:
            self._show()

    def finish(self) -> None:
        """Show the final state and delete the file."""
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
        except OSError:  # the terminal was closed; training continues
            self.terminal = None


def _terminal():
    """The terminal of this process or its nearest ancestor with one, since a kernel has none; None if there is none."""
    here = psutil.Process()
    for process in (here, *here.parents()):
        if terminal := process.terminal():
            with suppress(OSError):
                return open(terminal, "w")
    return None
