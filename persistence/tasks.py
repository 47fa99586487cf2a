"""How does a task end for certain? It is cancelled again until it does.

Once is not enough where redis-py is used: it sends through `asyncio.wait_for`, which on Python 3.11 swallows a
cancellation that meets a send just done (python/cpython#81839); the task then goes on as if nothing had been said.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_SECONDS = 0.5


async def end_tasks(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel the tasks and return when all have ended. What they raise is theirs: it was logged, or is read there."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_SECONDS)
