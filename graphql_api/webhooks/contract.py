"""What does a parser take and give? The seam between a source's format and the ingest path."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from domain.alerts.signal import RejectedItem, Signal
from domain.integrations.model import Integration


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One authenticated post: its bytes, its headers (names in lower case) and the integration it belongs to.

    `received_at` (UTC) is when it arrived. A parser has no clock; it needs "now" where the format speaks of time that
    has passed: an `endsAt` that is over, a signature that is too old.
    """

    body: bytes
    headers: Mapping[str, str]
    integration: Integration
    received_at: datetime


@dataclass(eq=False)
class PayloadError(Exception):
    """The whole body cannot be read: 400 not the format at all, 401 bad signature, 415 wrong type, 422 wrong shape.

    `path` names the offending field, outermost first. The body is kept on the receipt all the same.
    """

    status: int
    message: str
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.message


# One post, one transaction: more alerts than this would hold its locks for seconds.
MAX_ITEMS = 10_000


def check_count(count: int) -> None:
    """PayloadError 413 for more alerts than one post may hold, before a moment is spent on reading them."""
    if count > MAX_ITEMS:
        raise PayloadError(413, f"a post may hold {MAX_ITEMS} alerts, this one holds {count}; send fewer at a time")


# Items in the order of the payload; one bad item never sinks the others.
Parsed: TypeAlias = list[Signal | RejectedItem]
Parser: TypeAlias = Callable[[Post], Parsed]
