"""May this provider be asked now? One row for each that failed of late, shared by all who send and kept over restarts.

A provider that is well has no row, and asking for it costs one look at an index. Of several senders one takes the trial
that ends a rest: the update that moves its time is what decides.
"""

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.channels.circuit import PROBE, Circuit, CircuitState, answered, failed
from persistence.among import among
from persistence.tables import provider_circuits

_log = structlog.get_logger(__name__)
_CLOSED, _HALF_OPEN = CircuitState.CLOSED.value, CircuitState.HALF_OPEN.value


def key_of_channel(channel_id: UUID) -> str:
    """The circuit of one channel: two of a kind may lead to servers of two owners."""
    return f"channel:{channel_id}"


class Leave(Enum):
    """Whether a provider may be asked: as much as there is, once to see how it is, or not at all."""

    ALL = auto()
    TRIAL = auto()
    NONE = auto()


async def leave_to_ask(engine: AsyncEngine, key: str, *, now: datetime) -> Leave:
    """What may be asked of the provider now. A trial is for who was given it alone."""
    table = provider_circuits
    async with engine.connect() as connection:
        state = await connection.scalar(sa.select(table.c.state).where(table.c.key == key))
    if state in {None, _CLOSED}:
        return Leave.ALL
    async with engine.begin() as connection:
        taken = await connection.scalar(_trial(now).where(table.c.key == key).returning(table.c.key))
    return Leave.NONE if taken is None else Leave.TRIAL


def _trial(now: datetime) -> sa.Update:
    table = provider_circuits
    return (
        sa.update(table)
        .where(table.c.state != _CLOSED, table.c.retry_at <= now)
        .values(state=_HALF_OPEN, retry_at=now + PROBE, updated_at=now)
    )


async def resting_channels(
    connection: AsyncConnection, has_work: sa.ColumnElement[bool], *, now: datetime
) -> set[UUID]:
    """The channels that are not to be asked now. For the others of those in trouble this is the trial."""
    table = provider_circuits
    of_channels = table.c.channel_id.is_not(None)
    # In the order of keys: two who claim at once do not wait for each other.
    due = sa.select(table.c.key).where(table.c.state != _CLOSED, table.c.retry_at <= now, of_channels, has_work)
    locked = due.order_by(table.c.key).with_for_update(skip_locked=True, of=table)
    tried = set(await connection.scalars(_trial(now).where(table.c.key.in_(locked)).returning(table.c.channel_id)))
    troubled = set(await connection.scalars(sa.select(table.c.channel_id).where(table.c.state != _CLOSED, of_channels)))
    return troubled - tried


async def note_answer(connection: AsyncConnection, key: str, *, now: datetime) -> None:
    """The provider answered: it is well. Nothing is written where nothing was wrong."""
    table = provider_circuits
    wrong = sa.or_(table.c.state != _CLOSED, table.c.failures > 0)
    if not await connection.scalar(sa.select(table.c.key).where(table.c.key == key, wrong)):
        return
    found = await _locked(connection, key)
    if found is not None:
        await _save(connection, found, answered(found, now=now))


async def note_failure(
    connection: AsyncConnection,
    key: str,
    reason: str,
    *,
    now: datetime,
    wait: timedelta = timedelta(0),
    channel_id: UUID | None = None,
) -> None:
    """The provider failed, and asked to wait so long."""
    fresh = {"key": key, "channel_id": channel_id, "state": _CLOSED, "updated_at": now}
    await connection.execute(insert(provider_circuits).values(fresh).on_conflict_do_nothing())
    found = await _locked(connection, key)
    if found is not None:
        await _save(connection, found, failed(found, reason, wait=wait, now=now))


async def _locked(connection: AsyncConnection, key: str) -> Circuit | None:
    statement = sa.select(provider_circuits).where(provider_circuits.c.key == key).with_for_update()
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else _circuit_of(row)


async def _save(connection: AsyncConnection, before: Circuit, after: Circuit) -> None:
    values = {**dataclasses.asdict(after), "state": after.state.value}
    await connection.execute(sa.update(provider_circuits).where(provider_circuits.c.key == after.key).values(values))
    if before.state is CircuitState.CLOSED and after.state is CircuitState.OPEN:
        _log.error("a provider is asked no more for a while", provider=after.key, reason=after.reason)
    elif before.state is not CircuitState.CLOSED and after.state is CircuitState.CLOSED:
        _log.info("a provider is well again", provider=after.key)


def _circuit_of(row: sa.RowMapping) -> Circuit:
    return Circuit(**{**row, "state": CircuitState(row["state"])})


async def circuits_of_channels(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, Circuit]:
    """The circuits of channels; one that never failed has none."""
    table = provider_circuits
    rows = (await connection.execute(sa.select(table).where(among(table.c.channel_id, ids)))).mappings()
    return {row["channel_id"]: _circuit_of(row) for row in rows}


async def troubled_circuits(connection: AsyncConnection) -> list[Circuit]:
    """All that are not closed."""
    statement = sa.select(provider_circuits).where(provider_circuits.c.state != _CLOSED)
    rows = (await connection.execute(statement.order_by(provider_circuits.c.key))).mappings()
    return [_circuit_of(row) for row in rows]
