"""How do requests that come by the hundred share the way to the database? Those that wait are one statement.

Each is answered by a statement that began after it came, so what ended before is seen as ended: what is shared is the
way, never an answer of the past.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key")
Found = TypeVar("Found")


class SharedLookup(ABC, Generic[Key, Found]):
    """Looks up keys, all that wait by one call of `look_up`."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Key, asyncio.Future[Found | None]]] = []
        self._asking: asyncio.Task[None] | None = None

    @abstractmethod
    async def look_up(self, keys: list[Key]) -> Mapping[Key, Found]:
        """One statement, now."""

    async def find(self, key: Key) -> Found | None:
        """What the key stands for; None when there is nothing."""
        answer: asyncio.Future[Found | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        return await answer

    async def _ask(self) -> None:
        """Ask for all who wait, until nobody does."""
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, []
                try:
                    found = await self.look_up(list({key for key, _ in asked}))
                except Exception as error:  # noqa: BLE001 - it is told to each who asked
                    for _, answer in asked:
                        if not answer.done():
                            answer.set_exception(error)
                else:
                    for key, answer in asked:
                        if not answer.done():  # a request that was given up no longer waits
                            answer.set_result(found.get(key))
        finally:
            self._asking = None
