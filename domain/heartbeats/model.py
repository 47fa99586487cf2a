"""What is a heartbeat? Something that says "I am well" again and again; an alert is raised when it falls silent.

new     never heard of: it calls for nobody before its first ping
up      heard of within its interval
late    past its interval, within its grace
down    past both: an alert stands, until the next ping
paused  nobody listens
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from domain.alerts.model import Severity

PREFIX = "tch_"
SECRET_BYTES = 32
SHOWN_CHARACTERS = len(PREFIX) + 6
# A prefix and 32 bytes in base64url.
KEY_LENGTH = len(PREFIX) + 43
HEARTBEAT_SOURCE = "heartbeat"


class HeartbeatState(StrEnum):
    """How a heartbeat is."""

    NEW = "new"
    UP = "up"
    LATE = "late"
    DOWN = "down"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A signal that counts as a ping: of this integration, with each of these labels."""

    integration_id: UUID
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A heartbeat of a team, whose alert it raises; or of none.

    `due_at` is when it is overdue: its last ping, its interval and its grace later; None before the first ping.
    `down_at` is the time it was due when the alert that stands was raised. The key is kept as its digest; `key_prefix`
    is shown.
    """

    id: UUID
    team_id: UUID | None
    name: str
    description: str
    interval: timedelta
    grace: timedelta
    severity: Severity
    key_digest: bytes
    key_prefix: str
    created_at: datetime
    updated_at: datetime
    service_name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    watch: Watch | None = None
    created_by: UUID | None = None
    last_ping_at: datetime | None = None
    last_ping_from: str | None = None
    ping_count: int = 0
    due_at: datetime | None = None
    down_at: datetime | None = None
    alert_id: UUID | None = None
    paused_at: datetime | None = None
    archived_at: datetime | None = None
    version: int = 1

    def state_at(self, now: datetime) -> HeartbeatState:
        """How it is."""
        if self.paused_at is not None:
            return HeartbeatState.PAUSED
        if self.due_at is None:
            return HeartbeatState.NEW
        if self.due_at <= now:
            return HeartbeatState.DOWN
        return HeartbeatState.UP if now < self.due_at - self.grace else HeartbeatState.LATE


def new_secret() -> str:
    """A fresh key, `tch_` and 43 characters of base64url: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def key_digest(key: str) -> bytes:
    """What is stored of a key, and looked up."""
    return sha256(key.encode("utf-8", "surrogateescape")).digest()


def is_key(text: str) -> bool:
    """Whether it could be a key at all: what cannot be is not even looked up."""
    return len(text) == KEY_LENGTH and text.startswith(PREFIX) and text.isascii()
