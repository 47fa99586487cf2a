"""How do streams learn that somebody was erased? By a notice of the database, in every process at once.

What was made for others a moment ago is kept some seconds for who comes back (memo.py), with the names it was made
with. An erased person's name must not be told again, so all of that is forgotten.
"""

import asyncio
from collections.abc import Callable

from persistence.erasing import ERASED_CHANNEL
from persistence.listen import Listener

# A result whose name was read just before the erasure is kept just after it: it is forgotten by the second time.
AGAIN_SECONDS = 2.0


class Erasures:
    """Forgets what was made, whenever a person was erased, and whenever that may have been missed."""

    def __init__(self, dsn: str, forget: Callable[[], None]) -> None:
        self._forget = forget
        self._listener = Listener(dsn, ERASED_CHANNEL, self._erased)
        self._again: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Listen for ever."""
        try:
            await self._listener.run()
        finally:
            if self._again is not None:
                self._again.cancel()

    def _erased(self) -> None:
        self._forget()
        if self._again is not None:
            self._again.cancel()
        self._again = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._forget)
