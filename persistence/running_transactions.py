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
        self._held_up = 0
        self._seconds = 0.0
        self._began = 0.0

    @property
    def is_held_up(self) -> bool:
        """Whether one of those that run takes long."""
        return self._held_up > 0

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
        is_held_up = False

        def hold_up() -> None:
            nonlocal is_held_up
            is_held_up = True
            self._held_up += 1
            self._on_change()

        timer = loop.call_later(HELD_UP_SECONDS, hold_up)
        try:
            yield
        finally:
            timer.cancel()
            self.number -= 1
            self._held_up -= is_held_up
            if not self.number:
                self._seconds += loop.time() - self._began
            self._on_change()
