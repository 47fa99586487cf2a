"""How does a slow step show that it lives? On a terminal by a spinner and the elapsed time, elsewhere by lines."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

REMINDER_SECONDS = 5.0


class Progress:
    """Steps and lines on one stream. Safe to use from the main thread only; the ticking is a thread of its own."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._console = Console(file=stream, stderr=stream is None, highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        """One line, as it is."""
        self._console.print(text, markup=False)

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        """Show `label` while the block runs, and how long it took once it is done."""
        began = time.monotonic()
        if self._console.is_terminal:
            with Live(_Elapsed(label, began), console=self._console, refresh_per_second=8, transient=True):
                yield
        else:
            self.line(f"{label} …")
            with _reminders(label, began, self.line):
                yield
        self.line(f"{label}: done in {time.monotonic() - began:.1f} s")


class _Elapsed:
    """A spinner whose text is asked for anew at each refresh, so the seconds move."""

    def __init__(self, label: str, began: float) -> None:
        self._label = label
        self._began = began
        self._spinner = Spinner("dots")

    def __rich__(self) -> Spinner:
        self._spinner.update(text=Text(f"{self._label} ({time.monotonic() - self._began:.0f} s)"))
        return self._spinner


@contextmanager
def _reminders(label: str, began: float, line: Callable[[str], None]) -> Iterator[None]:
    done = threading.Event()

    def remind() -> None:
        while not done.wait(REMINDER_SECONDS):
            line(f"{label}: still at it after {time.monotonic() - began:.0f} s")

    thread = threading.Thread(target=remind, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
