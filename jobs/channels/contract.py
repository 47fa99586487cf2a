"""How is a kind of channel sent by? Most write posts for what is to be told; who can do more is given all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.escalations.message import Told
from jobs.channels.selecting import Select
from jobs.channels.slack_api import SlackApp
from jobs.outbound import Outbound
from persistence.channel_notifications import Claimed


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
    # The same in its plainest form, for a provider that refuses the first as wrong or too long.
    plain: bytes | None = None


class Write(Protocol):
    """Writes the posts of one kind."""

    def __call__(self, values: Mapping[str, str], items: Sequence[Item], *, now: datetime) -> list[Request]:
        """The posts for these items; each item is carried by exactly one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What is there to send with, in one round."""

    engine: AsyncEngine
    outbound: Outbound
    app: SlackApp | None
    select: Select | None


class Send(Protocol):
    """Sends all that was claimed for one channel of the kind, and writes down what became of it."""

    async def __call__(self, round_: Round, claimed: Claimed, *, now: datetime) -> int:
        """How many requests were taken."""
        ...


JSON = {"content-type": "application/json"}
