"""When is a body given up that does not come to an end? After a while, by one timer for all posts.

`asyncio.timeout` would do, but sets up and takes down a timer for each post, which costs as much as reading it.
"""

import asyncio
from types import TracebackType
from typing import Any

CHECK_SECONDS = 1.0


class Patience:
    """`async with patience:` around a read; TimeoutError when it takes longer than `seconds`, give or take a second."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: dict[asyncio.Task[Any], float] = {}
        self._given_up: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        if task is not None:
            self._until[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(min(CHECK_SECONDS, self._seconds), self._check, loop)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._until.pop(task, None)
        if task in self._given_up:
            self._given_up.discard(task)
            # Somebody else may have cancelled it too, in the same moment: then that is what happened.
            if task.uncancel() == 0 and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        late = [task for task, until in self._until.items() if until <= now]
        for task in late:
            del self._until[task]
            self._given_up.add(task)
            task.cancel()
        # No timer while there is nothing to wait for: the next post sets one.
        self._timer = loop.call_later(min(CHECK_SECONDS, self._seconds), self._check, loop) if self._until else None
