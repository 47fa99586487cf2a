"""Has somebody signed in from here before? Their sessions of the last months say so."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.access.places import NOWHERE

REMEMBERED = timedelta(days=90)
_KNOWN = sa.text(
    "SELECT EXISTS (SELECT FROM sessions s JOIN users u ON u.id = s.user_id"
    " WHERE u.email_digest = :digest AND s.created_at > :since AND s.ip_address <<= CAST(:place AS inet))"
)


async def has_signed_in_from(connection: AsyncConnection, email_digest: bytes, place: str, *, now: datetime) -> bool:
    """Whether the person with this address has had a session from this place (domain/access/places.py)."""
    if place == NOWHERE:
        return False
    given = {"digest": email_digest, "since": now - REMEMBERED, "place": place}
    return bool(await connection.scalar(_KNOWN, given))
