"""How many transactions write what was posted, does one of them take long, and for how long was there any?"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# One that takes longer (a lock, a slow disk) holds up who waits behind it.
HELD_UP_SECONDS = 0.05


class RunningTransactions:
    """Those of one queue. `on_change` is called when one takes long, and when one ends."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self.number = 0
        self.is_held_up = False
        self._seconds = 0.0
        self._began = 0.0

    @property
    def seconds(self) -> float:
        """For how many seconds at least one ran, up to now. Who is asked twice knows what part of the time it was."""
        return self._seconds + (asyncio.get_running_loop().time() - self._began if self.number else 0.0)

    @contextmanager
    def one(self) -> Iterator[None]:
        """One more, for as long as the block runs."""
        loop = asyncio.get_running_loop()
        if not self.number:
            self._began = loop.time()
        self.number += 1
        timer = loop.call_later(HELD_UP_SECONDS, self._hold_up)
        try:
            yield
        finally:
            timer.cancel()
            self.number -= 1
            if not self.number:
                self._seconds += loop.time() - self._began
            self.is_held_up = False
            self._on_change()

    def _hold_up(self) -> None:
        self.is_held_up = True
        self._on_change()
