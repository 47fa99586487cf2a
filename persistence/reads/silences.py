"""Which silences are there, which hold an alert, and how many alerts does each hold?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.silences.model import Silence, SilenceKind, SilenceState
from persistence.reads.silence_sight import silences_seen
from persistence.reads.visibility import visible
from persistence.silences import SILENCE_COLUMNS, silence_of
from persistence.tables import OPEN, alerts, silences


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which silences are asked for. What is None does not count."""

    states: frozenset[SilenceState] | None = None
    kinds: frozenset[SilenceKind] | None = None
    integration_id: UUID | None = None
    team_id: UUID | None = None
    window_id: UUID | None = None
    maker_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Which page of them: up to `limit`, the newest first, or backwards from the oldest."""

    limit: int
    after: UUID | None = None
    before: UUID | None = None
    backward: bool = False


async def silences_by_ids(connection: AsyncConnection, ids: Sequence[UUID], *, sight: Sight) -> dict[UUID, Silence]:
    """The silences of these ids, over or not, that are within sight."""
    rows = await connection.execute(sa.select(*SILENCE_COLUMNS).where(silences.c.id.in_(ids), silences_seen(sight)))
    return {row["id"]: silence_of(row) for row in rows.mappings()}


async def read_silences(
    connection: AsyncConnection, wanted: Wanted, page: Slice, *, sight: Sight, now: datetime
) -> list[Silence]:
    """A page: the newest first. Ids grow with time."""
    statement = sa.select(*SILENCE_COLUMNS).where(*_conditions(wanted, sight, now))
    if page.after is not None:
        statement = statement.where(silences.c.id < page.after)
    if page.before is not None:
        statement = statement.where(silences.c.id > page.before)
    order = silences.c.id.asc() if page.backward else silences.c.id.desc()
    rows = await connection.execute(statement.order_by(order).limit(page.limit))
    return [silence_of(row) for row in rows.mappings()]


async def count_silences(connection: AsyncConnection, wanted: Wanted, *, sight: Sight, now: datetime) -> int:
    """How many there are."""
    statement = sa.select(sa.func.count()).select_from(silences).where(*_conditions(wanted, sight, now))
    return await connection.scalar(statement) or 0


async def count_held(connection: AsyncConnection, ids: Sequence[UUID], *, sight: Sight) -> dict[UUID, int]:
    """How many open alerts within sight carry the mark of each."""
    wanted = sa.cast(list(ids), pg.ARRAY(pg.UUID))
    marks = (
        sa.select(sa.func.unnest(alerts.c.suppressed_by).label("id"))
        .where(
            sa.text("alerts." + OPEN),
            sa.text("alerts.suppressed_by <> '{}'"),
            alerts.c.suppressed_by.overlap(wanted),
            visible(sight),
        )
        .subquery()
    )
    statement = sa.select(marks.c.id, sa.func.count().label("held")).where(marks.c.id.in_(ids)).group_by(marks.c.id)
    return {row.id: row.held for row in await connection.execute(statement)}


def _conditions(wanted: Wanted, sight: Sight, now: datetime) -> list[sa.ColumnElement[bool]]:
    found = [silences_seen(sight)]
    if wanted.states is not None:
        found.append(sa.or_(sa.false(), *(_is_in(state, now) for state in wanted.states)))
    if wanted.kinds is not None:
        is_kind = {SilenceKind.ONE_OFF: silences.c.window_id.is_(None)}
        is_kind[SilenceKind.MAINTENANCE] = silences.c.window_id.is_not(None)
        found.append(sa.or_(sa.false(), *(is_kind[kind] for kind in wanted.kinds)))
    if wanted.integration_id is not None:
        found.append(silences.c.integration_id == wanted.integration_id)
    if wanted.team_id is not None:
        found.append(silences.c.team_id == wanted.team_id)
    if wanted.window_id is not None:
        found.append(silences.c.window_id == wanted.window_id)
    if wanted.maker_id is not None:
        found.append(silences.c.actor_id == wanted.maker_id)
    return found


def _is_in(state: SilenceState, now: datetime) -> sa.ColumnElement[bool]:
    """As Silence.shown_state says it."""
    ended = sa.or_(silences.c.applied == SilenceState.EXPIRED.value, silences.c.ends_at <= now)
    if state is SilenceState.EXPIRED:
        return ended
    has_begun = silences.c.starts_at <= now
    return sa.and_(sa.not_(ended), has_begun if state is SilenceState.ACTIVE else sa.not_(has_begun))
