"""What does the domain need of the world? Ports that adapters fulfil; tests fulfil them with fakes."""

from datetime import UTC, datetime
from typing import Protocol


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
