"""How is what a group makes given to its members? By a task beside the run: what was made meanwhile goes together.

Nearly all that a result costs is the write to each socket, and to write five at once costs hardly more than to write
one. Nothing is held back until others come: what was made while the last was given is given next.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from graphql_api.live.member import Payload
from persistence.tasks import end_tasks

# Results that go together at most, and how many bytes: what a transport buffers before it says that it is full.
MOST_TOGETHER, MOST_BYTES = 32, 64 * 1024
# How long a run goes on without a break.
AT_A_TIME_SECONDS = 0.002


class Giver:
    """What was made and not given yet, in order."""

    def __init__(
        self,
        give: Callable[[list[Payload]], Awaitable[None]],
        fail: Callable[[Exception], None],
        *,
        most: int = MOST_TOGETHER,
    ) -> None:
        self._give, self._fail, self._most = give, fail, most
        self.made: deque[Payload] = deque()
        self._room = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._began = 0.0

    async def put(self, payload: Payload) -> None:
        """Give this after what was made before; waits while that is much."""
        while len(self.made) >= self._most:
            self._room.clear()
            await self._room.wait()
        self.made.append(payload)
        now = asyncio.get_running_loop().time()
        if self._task is None:
            self._task, self._began = asyncio.create_task(self._run(), name="live giver"), now
        # What comes in one piece is made in one piece. But a long line must not keep all others from running.
        if now - self._began > AT_A_TIME_SECONDS:
            self._began = now
            await asyncio.sleep(0)

    async def all_given(self) -> None:
        """Wait until nothing is left."""
        while self._task is not None:
            await asyncio.wait({self._task})

    async def end(self) -> None:
        """Give nothing more."""
        self.made.clear()
        if self._task is not None:
            await end_tasks([self._task])

    async def _run(self) -> None:
        try:
            while self.made:
                await self._give(self._next())
                self._room.set()
        except Exception as error:  # noqa: BLE001 - the members say so to their clients
            self._fail(error)
        finally:
            self._task = None

    def _next(self) -> list[Payload]:
        """At least one. The last word goes alone: it is for others than what came before."""
        together = [self.made.popleft()]
        size = len(together[0].body)
        while self.made and len(together) < self._most and not (together[-1].is_last or self.made[0].is_last):
            size += len(self.made[0].body)
            if size > MOST_BYTES:
                break
            together.append(self.made.popleft())
        return together
