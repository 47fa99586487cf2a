"""Was this told a moment ago? Who is locked out may go on asking, and must not fill the log by it."""

from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
# Those that are remembered; the oldest make room.
MOST = 10_000


class Lately:
    """What was told within the last minute, in this process."""

    def __init__(self, *, within: timedelta = MINUTE, most: int = MOST) -> None:
        self._within, self._most = within, most
        self._told: dict[tuple[str, ...], datetime] = {}

    def is_new(self, key: tuple[str, ...], now: datetime) -> bool:
        """Whether it was not; from now on it was."""
        known = self._told.get(key)
        if known is not None and now - known < self._within:
            return False
        self._told.pop(key, None)
        self._told[key] = now
        if len(self._told) > self._most:
            del self._told[next(iter(self._told))]
        return True
