"""Who has no key yet? People from before each had one, or put in by hand: each gets a key, and their rows are sealed.

A batch is one transaction that locks its people, makes their keys and seals every column of the registry. It can be
stopped anywhere and run again, and by several at once: who is locked by another is passed over.
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from persistence.direct import DirectConnection
from persistence.person_keys import PersonKey, vault_of
from persistence.sealed_columns import PERSONAL, SealedColumn
from persistence.tables import person_keys, users

_log = structlog.get_logger(__name__)
BATCH = 200
LOCK_TIMEOUT = "5s"
_WITHOUT_KEY = sa.and_(
    users.c.erased_at.is_(None), ~sa.exists().where(person_keys.c.user_id == users.c.id).correlate(users)
)


async def key_to_write(connection: AsyncConnection, user_id: UUID) -> PersonKey | None:
    """The key to seal a person's data with, until the transaction ends; None for who is erased or not there.

    Holds the person's row: an erasure waits for this transaction, and what comes after it finds nobody. The row comes
    before the key, here and in an erasure, so the two never wait for each other.
    """
    person = sa.select(users.c.erased_at).where(users.c.id == user_id).with_for_update(key_share=True)
    row = (await connection.execute(person)).one_or_none()
    if row is None or row.erased_at is not None:
        return None
    key = await key_to_read(connection, user_id)
    if key is not None:
        return key
    return (await _seal_batch(connection, only=user_id)).get(user_id)


async def key_to_read(connection: AsyncConnection, user_id: UUID) -> PersonKey | None:
    """The person's key as it is now, holding nothing; None for who has none."""
    wrapped = await connection.scalar(sa.select(person_keys.c.wrapped).where(person_keys.c.user_id == user_id))
    return None if wrapped is None else vault_of(connection).key(user_id, wrapped)


async def seal_people(engine: AsyncEngine) -> int:
    """Give everybody a key who has none; how many got one."""
    sealed = 0
    while True:
        async with engine.begin() as connection:
            made = await _seal_batch(connection)
        sealed += len(made)
        if not made:
            break
    if sealed:
        _log.info("personal data was sealed", people=sealed)
    return sealed


async def anybody_unsealed(connection: AsyncConnection) -> bool:
    """Whether there is anybody without a key."""
    return bool(await connection.scalar(sa.select(sa.exists().where(_WITHOUT_KEY))))


async def _seal_batch(connection: AsyncConnection, *, only: UUID | None = None) -> dict[UUID, PersonKey]:
    wanted = sa.select(users.c.id).where(_WITHOUT_KEY)
    if only is not None:
        wanted = wanted.where(users.c.id == only).with_for_update()
    else:
        wanted = wanted.order_by(users.c.id).limit(BATCH).with_for_update(skip_locked=True)
    locked = list(await connection.scalars(wanted))
    if not locked:
        return {}
    # Looked at again, now that nobody else can: the lock may have been waited for.
    people = await connection.scalars(sa.select(users.c.id).where(users.c.id.in_(locked), _WITHOUT_KEY))
    vault = vault_of(connection)
    made = {user_id: vault.make(user_id) for user_id in people}
    if not made:
        return {}
    rows = [{"user_id": user_id, "wrapped": wrapped} for user_id, (_, wrapped) in made.items()]
    await connection.execute(sa.insert(person_keys), rows)
    keys = {user_id: key for user_id, (key, _) in made.items()}
    for sealed in PERSONAL:
        await _seal_column(connection, sealed, keys)
    return keys


async def _seal_column(connection: AsyncConnection, sealed: SealedColumn, keys: dict[UUID, PersonKey]) -> None:
    assert sealed.person is not None  # noqa: S101  # for the type checker: PERSONAL has no other
    found = await connection.execute(
        sa.select(sealed.row.label("row"), sealed.person.label("person"), sealed.column.label("plain")).where(
            sealed.person.in_(list(keys)), sealed.column.is_not(None)
        )
    )
    values: list[dict[str, Any]] = [
        {"row_": row.row, "sealed": keys[row.person].seal(row.plain.decode(), column=sealed.name, row=row.row)}
        for row in found
    ]
    if values:
        statement = sa.update(sealed.table).where(sealed.row == sa.bindparam("row_", type_=sealed.row.type))
        await connection.execute(
            statement.values({sealed.column.name: sa.bindparam("sealed", type_=sa.LargeBinary)}), values
        )


async def forget_plain_rows(owner: DirectConnection) -> None:
    """Write the tables anew, so that no page keeps a row of before its sealing. They are small; it takes a moment."""
    await owner.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
    for table in sorted({sealed.table.name for sealed in PERSONAL}):
        await owner.execute(f"VACUUM (FULL) {table}")
