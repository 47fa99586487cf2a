"""What does the domain need of the world? Ports that adapters fulfil; tests fulfil them with fakes."""

from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol, Self


class Clock(Protocol):
    """The only source of "now"."""

    def now(self) -> datetime:
        """The current time, timezone-aware UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current time, timezone-aware UTC."""
        return datetime.now(tz=UTC)


class Transaction(Protocol):
    """What a use case does at once or not at all. Which stores it sees is for the unit of work of its noun to say."""

    async def __aenter__(self) -> Self:
        """Begin."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Roll back whatever is not committed."""
        ...

    async def commit(self) -> None:
        """Make it durable."""
        ...
