"""How are ids made? UUIDv7 (RFC 9562): time-ordered, so B-trees grow at one edge, and made here, never by the store."""

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils.compat as uuid_utils


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid_utils.uuid7()


def id_time(value: UUID) -> datetime:
    """The UTC time (millisecond resolution) a UUIDv7 was made; it finds the partition a row lives in."""
    return datetime.fromtimestamp((value.int >> 80) / 1000, tz=UTC)
