"""How do the words an erased person left on timelines go, when that was asked for? Alert by alert, with a note of it.

The log only grows; a function of the database takes words out of the events of an erased person, and can do nothing
else (migrations/versions/0012). Each alert gets an event that says so, by which followers and the search learn of it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts import edits
from domain.alerts.events import SYSTEM
from domain.alerts.visibility import EVERYTHING
from persistence.erasing import ERASED_CHANNEL
from persistence.stream import empty_stream
from persistence.tables import users
from persistence.unit_of_work import UnitOfWork
from tocsin.settings import Settings

BATCH = 100
PEOPLE = 20
_ALERTS = sa.text("""
SELECT DISTINCT alert_id FROM (
  SELECT alert_id FROM alert_events
   WHERE actor_kind = 'user' AND actor_id = :person AND data ?| ARRAY['comment', 'reason'] LIMIT 1000) AS worded
 LIMIT :batch
""").bindparams(sa.bindparam("person", type_=sa.Uuid()))
_ASKED = (sa.bindparam("person", type_=sa.Uuid()), sa.bindparam("alerts", type_=pg.ARRAY(sa.Uuid())))
_REASONS = sa.text("""
SELECT alert_id, data ->> 'reason' AS reason FROM alert_events
 WHERE alert_id = ANY(:alerts) AND actor_kind = 'user' AND actor_id = :person AND kind = 'resolved' AND data ? 'reason'
""").bindparams(*_ASKED)
_REDACT = sa.text("SELECT redact_words(:person, :alerts)").bindparams(*_ASKED)


async def redact_words(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Take the words out that are to go; how many events were changed."""
    asked = sa.select(users.c.id).where(users.c.erases_comments, users.c.erased_at.is_not(None)).limit(PEOPLE)
    async with engine.connect() as connection:
        people = list(await connection.scalars(asked))
    return sum([await _redact_person(engine, settings, user_id, now=now) for user_id in people])


async def _redact_person(engine: AsyncEngine, settings: Settings, user_id: UUID, *, now: datetime) -> int:
    redacted = 0
    while True:
        async with engine.connect() as connection:
            ids = list(await connection.scalars(_ALERTS, {"person": user_id, "batch": BATCH}))
        if not ids:
            break
        redacted += await _redact_alerts(engine, user_id, ids, now=now)
    # Until this is done the person stays on the list.
    if settings.redis_url is not None:
        await empty_stream(settings.redis_url)
    async with engine.begin() as connection:
        await connection.execute(sa.update(users).where(users.c.id == user_id).values(erases_comments=False))
    return redacted


async def _redact_alerts(engine: AsyncEngine, user_id: UUID, ids: Sequence[UUID], *, now: datetime) -> int:
    asked = {"person": user_id, "alerts": list(ids)}
    async with UnitOfWork(engine) as work:
        found = await work.alerts.get_for_change(ids, sight=EVERYTHING)
        reasons = {(row.alert_id, row.reason) for row in await work.connection.execute(_REASONS, asked)}
        redacted = await work.connection.scalar(_REDACT, asked)
        changes = [
            edits.redact(alert, actor=SYSTEM, now=now, forgets_resolution=(alert.id, alert.resolution) in reasons)
            for alert in found.values()
        ]
        await work.alerts.save(changes)
        await work.connection.execute(sa.select(sa.func.pg_notify(ERASED_CHANNEL, "")))
        await work.commit()
    return int(redacted or 0)
