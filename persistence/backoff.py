"""How long to wait before trying again? Longer each time up to a bound, and never in step with the others."""

import asyncio
import random


class Backoff:
    """Waits that double from `first` to `longest` seconds; `reset` after a success."""

    def __init__(self, *, first: float = 0.1, longest: float = 5.0) -> None:
        self._first, self._longest = first, longest
        self._next = first

    def reset(self) -> None:
        """The last try succeeded: begin small again."""
        self._next = self._first

    def next_delay(self) -> float:
        """The seconds to wait now. Up to a quarter is chance, so that restarted processes do not call all at once."""
        delay, self._next = self._next, min(self._next * 2, self._longest)
        return delay * random.uniform(0.75, 1.0)  # noqa: S311  # spread, not a secret

    async def wait(self) -> None:
        """Sleep for the next delay."""
        await asyncio.sleep(self.next_delay())
