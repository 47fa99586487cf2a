"""What is a wall-clock time in UTC? Also on the two days of the year when the clock jumps.

As RFC 5545 (3.3.5) has it: a time the clock skips is read with the offset before the jump (02:30 becomes 03:30), and of
a time the clock shows twice the first is meant. That is `fold=0` of PEP 495.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.errors import InvalidInput

# Beyond them a shift, or a day in another zone, may lie outside of what a date can say.
EARLIEST, LATEST = 1970, 2099


def check_year(moment: datetime, *path: str) -> None:
    """InvalidInput for a time so far away that nobody can mean it."""
    if not EARLIEST <= moment.year <= LATEST:
        message = f"must be in the years {EARLIEST} to {LATEST}"
        raise InvalidInput(message, path)


def zone(name: str, *path: str) -> ZoneInfo:
    """The IANA time zone; InvalidInput for a name that is none."""
    try:
        # A key with a path in it is refused by ZoneInfo itself; an empty one would be a folder.
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = "not a time zone of the IANA database: write it like `Europe/Berlin` or `UTC`"
        raise InvalidInput(message, path) from None


def to_utc(wall: datetime, where: ZoneInfo) -> datetime:
    """The moment a clock in the zone shows `wall`, a time without a zone."""
    return wall.replace(tzinfo=where, fold=0).astimezone(UTC)


def to_wall(moment: datetime, where: ZoneInfo) -> datetime:
    """What a clock in the zone shows at the moment; without a zone."""
    return moment.astimezone(where).replace(tzinfo=None, fold=0)
