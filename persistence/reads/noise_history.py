"""What history do the suggestions look at? The episodes that somebody was told of, services, and keys that flapped.

All within a range and the viewer's sight, and bounded: the newest pages, the services with most alerts.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.alerts.visibility import Sight
from domain.analytics.noise import NoiseBy, Range
from domain.analytics.suggestions import SAMPLES, FlappingKey, PagedEpisode, ServiceHistory
from persistence.among import among
from persistence.reads.noise import read_noise, within
from persistence.reads.visibility import visible
from persistence.tables import alerts

MAX_EPISODES = 20_000
MAX_SERVICES = 100
MAX_KEYS = 100

# An episode is numbered from the alert's newest backwards: old parts of the log may be gone.
_EPISODES = sa.text("""
WITH told AS (
  SELECT alert_id, episode, array_agg(created_at ORDER BY created_at) AS told_at
    FROM notifications
   WHERE kind = 'page' AND created_at >= :since AND created_at < :until
     AND state IN ('mailed', 'sent', 'delivered', 'read')
   GROUP BY alert_id, episode
   ORDER BY max(created_at) DESC
   LIMIT :most
), moves AS (
  SELECT e.alert_id, e.kind, e.occurred_at, e.actor_kind,
         a.episode - count(*) FILTER (WHERE e.kind IN ('opened', 'reopened'))
           OVER (PARTITION BY e.alert_id ORDER BY e.xid DESC, e.seq DESC)
         + CASE WHEN e.kind IN ('opened', 'reopened') THEN 1 ELSE 0 END AS episode
    FROM (SELECT DISTINCT alert_id FROM told) t
    JOIN alerts a ON a.id = t.alert_id
    JOIN alert_events e ON e.alert_id = t.alert_id
     AND e.kind IN ('opened', 'reopened', 'resolved', 'acknowledged', 'investigating')
), episodes AS (
  SELECT alert_id, episode,
         min(occurred_at) FILTER (WHERE kind IN ('opened', 'reopened')) AS opened_at,
         max(occurred_at) FILTER (WHERE kind = 'resolved') AS ended_at,
         bool_or(kind = 'resolved' AND actor_kind IN ('integration', 'system')) AS ended_by_itself,
         bool_or(kind IN ('acknowledged', 'investigating')
                 OR (kind = 'resolved' AND actor_kind NOT IN ('integration', 'system'))) AS is_answered
    FROM moves GROUP BY alert_id, episode
)
SELECT told.alert_id, told.told_at, one.opened_at, one.ended_at, one.ended_by_itself, one.is_answered
  FROM told JOIN episodes one USING (alert_id, episode)
 WHERE one.opened_at IS NOT NULL
""").bindparams(
    sa.bindparam("since", type_=sa.DateTime(timezone=True)), sa.bindparam("until", type_=sa.DateTime(timezone=True))
)
_ALERT = ("id", "integration_id", "dedup_key", "title", "service_name", "severity")


async def paged_episodes(connection: AsyncConnection, asked: Range, *, sight: Sight) -> list[PagedEpisode]:
    """The episodes whose pages left within the range; those of the newest pages, if they are too many."""
    values = {"since": asked.since, "until": asked.until, "most": MAX_EPISODES}
    rows = (await connection.execute(_EPISODES, values)).all()
    known = await _alerts(connection, {row.alert_id for row in rows}, sight)
    return [_episode(row, known[row.alert_id]) for row in rows if row.alert_id in known]


async def _alerts(connection: AsyncConnection, ids: set[UUID], sight: Sight) -> dict[UUID, Any]:
    """Those of the alerts that the viewer may see."""
    columns = [alerts.c[name] for name in _ALERT]
    rows = await connection.execute(sa.select(*columns).where(among(alerts.c.id, ids), visible(sight)))
    return {row.id: row for row in rows}


def _episode(row: Any, alert: Any) -> PagedEpisode:  # noqa: ANN401 - rows
    return PagedEpisode(
        alert_id=row.alert_id,
        key=(alert.integration_id, alert.dedup_key),
        title=alert.title,
        service=alert.service_name,
        severity=Severity(alert.severity),
        pages=tuple(max(timedelta(0), told - row.opened_at) for told in row.told_at),
        lasted=None if row.ended_at is None else row.ended_at - row.opened_at,
        ended_by_itself=row.ended_at is not None and row.ended_by_itself,
        is_answered=row.is_answered,
    )


async def service_histories(connection: AsyncConnection, asked: Range, *, sight: Sight) -> list[ServiceHistory]:
    """The services with most alerts, each with its newest false positives."""
    report = await read_noise(connection, by=NoiseBy.SERVICE, asked=asked, sight=sight, limit=MAX_SERVICES)
    samples = await _false_positives(connection, asked, sight)
    return [
        ServiceHistory(service=row.key, figures=row.figures, false_positives=samples.get(row.key, ()))
        for row in report.rows
    ]


async def _false_positives(
    connection: AsyncConnection, asked: Range, sight: Sight
) -> dict[str | None, tuple[UUID, ...]]:
    newest = pg.aggregate_order_by(alerts.c.id, alerts.c.id.desc())
    statement = (
        sa.select(alerts.c.service_name, sa.func.array_agg(newest).label("ids"))
        .where(within(asked, sight), alerts.c.is_false_positive)
        .group_by(alerts.c.service_name)
    )
    return {row.service_name: tuple(row.ids[:SAMPLES]) for row in await connection.execute(statement)}


async def flapping_keys(connection: AsyncConnection, asked: Range, *, sight: Sight) -> list[FlappingKey]:
    """The keys whose alerts began to flap most often."""
    newest = pg.aggregate_order_by(alerts.c.id, alerts.c.id.desc())
    times = sa.func.sum(alerts.c.times_flapped)
    statement = (
        sa.select(
            alerts.c.integration_id,
            alerts.c.dedup_key,
            times.label("times"),
            sa.func.array_agg(newest).label("ids"),
            sa.func.max(alerts.c.title).label("title"),
            sa.func.max(alerts.c.service_name).label("service_name"),
        )
        .where(within(asked, sight), alerts.c.times_flapped > 0)
        .group_by(alerts.c.integration_id, alerts.c.dedup_key)
        .order_by(times.desc(), alerts.c.dedup_key)
        .limit(MAX_KEYS)
    )
    rows = (await connection.execute(statement)).all()
    return [
        FlappingKey(
            key=(row.integration_id, row.dedup_key),
            title=row.title,
            service=row.service_name,
            times=int(row.times),
            alerts=tuple(row.ids[:SAMPLES]),
        )
        for row in rows
    ]
