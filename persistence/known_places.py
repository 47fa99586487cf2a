"""Has somebody signed in from here before? Their sessions of the last months say so."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.access.places import NOWHERE, place_of
from persistence.sessions import addresses_used

REMEMBERED = timedelta(days=90)
# Each is opened with its person's key, so they are read here and not compared in SQL.
MOST = 200


async def has_signed_in_from(connection: AsyncConnection, email_digest: bytes, place: str, *, now: datetime) -> bool:
    """Whether the person with this address has had a session from this place (domain/access/places.py)."""
    if place == NOWHERE:
        return False
    used = await addresses_used(connection, email_digest, since=now - REMEMBERED, limit=MOST)
    return place in {place_of(address) for address in used}
