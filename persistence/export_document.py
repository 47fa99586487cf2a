"""In which form is an export of a person's data? One JSON object, made as a stream of its sections."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.model import User
from persistence.export_sections import SECTIONS

FORMAT = "tocsin-personal-data/1"


async def export_document(engine: AsyncEngine, user: User, *, now: datetime) -> AsyncIterator[bytes]:
    """The pieces of the document."""
    head = {"format": FORMAT, "createdAt": now, "profile": _profile(user)}
    yield _json(head)[:-1]
    for name, rows in SECTIONS.items():
        yield b',"' + name.encode() + b'":['
        is_first = True
        async for row in rows(engine, user.id):
            yield _json(row) if is_first else b"," + _json(row)
            is_first = False
        yield b"]"
    yield b"}\n"


def _profile(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "email": user.email,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "role": user.role.value,
        "primaryTeamId": user.team_id,
        "createdAt": user.created_at,
        "lastLogin": user.last_login,
        "isActive": user.is_active,
    }


def _json(value: object) -> bytes:
    return orjson.dumps(value, default=_plain)


def _plain(value: object) -> object:
    """What orjson does not know: rows of the database, and addresses on the network."""
    return dict(value) if isinstance(value, Mapping) else str(value)
