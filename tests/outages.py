"""How does a test have what is read fail for a while? One function stands for another, and refuses the first calls."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class FailingAtFirst(Generic[T]):
    """An async function that meets an outage as often as said, then does what it should."""

    def __init__(self, read: Callable[..., Awaitable[T]], *, times: int = 2) -> None:
        self._read, self._times = read, times
        self.tries = 0

    async def __call__(self, *given: object, **more: object) -> T:
        """As the function it stands for."""
        self.tries += 1
        if self.tries <= self._times:
            raise ConnectionRefusedError
        return await self._read(*given, **more)
