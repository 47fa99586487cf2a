"""What is a kind of channel? A way to write requests for what is to be told, and to judge the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from domain.escalations.message import Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One notification and what it tells.

    `text` is what a template made of it, `alert` what a selection read of its alert; None for what is built in.
    `incident_key` is what an incident elsewhere is known by; None: by the alert.
    """

    id: UUID
    told: Told
    created_at: datetime
    text: str | None = None
    alert: Mapping[str, Any] | None = None
    incident_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One post, and the notifications it carries."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    carries: tuple[UUID, ...]


class Sender(Protocol):
    """Writes the posts of one kind."""

    def __call__(self, values: Mapping[str, str], items: Sequence[Item], *, now: datetime) -> list[Request]:
        """The posts for these items; each item is carried by exactly one."""
        ...


JSON = {"content-type": "application/json"}
