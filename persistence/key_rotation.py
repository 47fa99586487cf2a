"""How does everything that is sealed move to a new key? A batch of rows at a time, beside running processes.

A value names its key, so what is left to do is what a statement finds: stopped anywhere, the work goes on from there. A
row that somebody writes meanwhile is left to them: they seal with the new key. Digests of addresses move as well; a
digest names no key, so each is computed and compared.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.identity.addresses import address_digest
from persistence.person_keys import vault_of
from persistence.sealed_columns import INSTALLATION, SealedColumn
from persistence.sealing import ID_BYTES, CannotUnseal, sealer_of
from persistence.tables import users
from persistence.users import select_people, user_of

BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """How many values of a column are under which key. `is_known` is False for a key nobody here has."""

    column: str
    key_id: str
    count: int
    is_current: bool
    is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a rotation is in one column. `unreadable` values were left as they are."""

    column: str
    moved: int
    unreadable: int


Tell = Callable[[Progress], None]


async def key_uses(engine: AsyncEngine) -> list[KeyUse]:
    """Every sealed column with the keys its values are under."""
    found: list[KeyUse] = []
    async with engine.connect() as connection:
        sealer = sealer_of(connection)
        for sealed in INSTALLATION:
            key_id = sa.func.substring(sealed.column, 1, ID_BYTES)
            statement = sa.select(key_id, sa.func.count()).where(sealed.column.is_not(None)).group_by(key_id)
            for id_, count in (await connection.execute(statement)).all():
                found.append(
                    KeyUse(
                        column=sealed.name,
                        key_id=bytes(id_).hex(),
                        count=count,
                        is_current=id_ == sealer.current,
                        is_known=id_ in sealer.known,
                    )
                )
    return found


async def rotate(engine: AsyncEngine, *, address_key: bytes, tell: Tell = lambda _: None) -> Counter[str]:
    """Move every value to the current key; how many were moved, and how many could not be opened."""
    total: Counter[str] = Counter()
    for sealed in INSTALLATION:
        total += await _rotate_column(engine, sealed, tell)
    return total + await _rotate_digests(engine, address_key, tell)


async def _rotate_column(engine: AsyncEngine, sealed: SealedColumn, tell: Tell) -> Counter[str]:
    """Pass over the column until a pass moves nothing: of two values bound to one row, a batch may end between them."""
    moved = unreadable = 0
    last: UUID | None = None
    moved_before = -1
    while True:
        async with engine.begin() as connection:
            rows = await _left(connection, sealed, after=last)
            done, bad = await _move(connection, sealed, rows)
        if rows:
            moved, unreadable, last = moved + done, unreadable + bad, rows[-1].row
            tell(Progress(column=sealed.name, moved=moved, unreadable=unreadable))
        elif moved == max(moved_before, 0):
            return Counter(moved=moved, unreadable=unreadable)
        else:
            moved_before, unreadable, last = moved, 0, None


async def _left(connection: AsyncConnection, sealed: SealedColumn, *, after: UUID | None) -> Sequence[Any]:
    """The next rows under another key than the current one."""
    current = sealer_of(connection).current
    statement = (
        sa.select(sealed.row.label("row"), sealed.column.label("value"))
        .where(sealed.column.is_not(None), sa.func.substring(sealed.column, 1, ID_BYTES) != current)
        .order_by(sealed.row)
        .limit(BATCH)
    )
    if after is not None:
        statement = statement.where(sealed.row > after)
    rows: Sequence[Any] = (await connection.execute(statement)).all()
    return rows


async def _move(connection: AsyncConnection, sealed: SealedColumn, rows: Sequence[Any]) -> tuple[int, int]:
    sealer = sealer_of(connection)
    moved = unreadable = 0
    for row in rows:
        try:
            plain = sealer.unseal_bytes(row.value, column=sealed.name, row=row.row)
        except CannotUnseal:
            unreadable += 1
            continue
        again = sealer.seal_bytes(plain, column=sealed.name, row=row.row)
        # Only where it is still what was read: a value written meanwhile is newer, and under the new key.
        statement = sa.update(sealed.table).where(sealed.row == row.row, sealed.column == row.value)
        moved += (await connection.execute(statement.values({sealed.column.name: again}))).rowcount
    return moved, unreadable


async def _rotate_digests(engine: AsyncEngine, address_key: bytes, tell: Tell) -> Counter[str]:
    """Write the digests of addresses under the current key, where they are under a former one.

    Whose key does not open is counted already, as a value of `person_keys`.
    """
    moved = 0
    last: UUID | None = None
    while True:
        statement = select_people().where(users.c.email_digest.is_not(None)).order_by(users.c.id).limit(BATCH)
        if last is not None:
            statement = statement.where(users.c.id > last)
        async with engine.begin() as connection:
            vault = vault_of(connection)
            rows = (await connection.execute(statement.add_columns(users.c.email_digest))).mappings().all()
            for row in rows:
                try:
                    digest = address_digest(user_of(row, vault).email, address_key)
                except CannotUnseal:
                    continue
                if digest != (known := row[users.c.email_digest]):
                    # Who changed the address meanwhile has the digest of the new one.
                    change = sa.update(users).where(users.c.id == row[users.c.id], users.c.email_digest == known)
                    moved += (await connection.execute(change.values(email_digest=digest))).rowcount
        if not rows:
            return Counter(moved=moved)
        last = rows[-1][users.c.id]
        tell(Progress(column="users.email_digest", moved=moved, unreadable=0))
