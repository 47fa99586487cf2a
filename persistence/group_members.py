"""Which open alerts does the escalation of a group stand for? Counted by what they ask for, written down one by one.

Counting happens in the database: a group of a storm has thousands, and a look at it reads a handful of lines.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import AlertStatus, Severity
from domain.escalations.engine import Subject
from domain.escalations.groups import Members
from persistence.tables import OPEN

Crowd: TypeAlias = tuple[UUID, UUID | None]
_UUIDS = pg.ARRAY(pg.UUID(as_uuid=True))
_ALIKE = """
       a.group_id, a.team_id, a.status, a.severity, a.suppressed_by <> '{}' AS is_suppressed,
       coalesce(a.snoozed_until > :now, false) AS is_snoozed, a.flapping_since IS NOT NULL AS is_flapping,
       coalesce(a.paused_until > :now, false) AS is_held"""
_COUNTED = """
       count(*) AS alerts, (array_agg(a.id ORDER BY a.id))[1] AS first_id,
       (array_agg(a.episode ORDER BY a.id))[1] AS first_episode, max(a.snoozed_until) AS snoozed_until,
       min(a.flapping_since) AS flapping_since, max(a.paused_until) AS paused_until"""
# Of an alert `a`: whether people are left alone with it just now, and whether it asks for somebody.
_LEFT_ALONE = """(a.suppressed_by <> '{}' OR a.flapping_since IS NOT NULL OR coalesce(a.snoozed_until > :now, false)
     OR coalesce(a.paused_until > :now, false))"""
CALLING = f"(a.status = 'active' AND NOT {_LEFT_ALONE})"
_OF_TEAM = "a.group_id = e.group_id AND a.team_id IS NOT DISTINCT FROM e.team_id"
# Read once by the groups, then joined: the planner would look all open alerts through for each escalation.
_OPEN = f"""
WITH a AS MATERIALIZED (
  SELECT id, episode, group_id, team_id, status, severity, suppressed_by, snoozed_until, flapping_since, paused_until
    FROM alerts
   WHERE group_id = ANY(ARRAY(SELECT DISTINCT group_id FROM escalations WHERE id = ANY(:ids))) AND {OPEN})"""  # noqa: S608 - constants
# A probe of the key for each alert, whatever the planner thinks of a table that has just grown by thousands.
_KNOWN = """LEFT JOIN LATERAL (
    SELECT m.alert_id, m.is_quiet FROM escalation_members m
     WHERE m.escalation_id = e.id AND m.alert_id = a.id AND m.episode = a.episode AND m.left_at IS NULL LIMIT 1
  ) AS m ON true"""
_CROWDS = sa.text(
    f"SELECT {_ALIKE}, {_COUNTED} FROM alerts a WHERE a.group_id = ANY(:ids) AND a.{OPEN}"  # noqa: S608 - constants
    " GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY first_id"
).bindparams(sa.bindparam("ids", type_=_UUIDS), sa.bindparam("now", type_=sa.DateTime(timezone=True)))
_MEMBERS = sa.text(
    f"""{_OPEN}
SELECT e.id AS escalation_id, m.alert_id IS NULL AS is_new, coalesce(m.is_quiet, false) AS is_quiet, {_ALIKE},
       {_COUNTED}
  FROM escalations e
  JOIN a ON {_OF_TEAM}
  {_KNOWN}
 WHERE e.id = ANY(:ids)
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 ORDER BY first_id"""  # noqa: S608 - constants
).bindparams(sa.bindparam("ids", type_=_UUIDS), sa.bindparam("now", type_=sa.DateTime(timezone=True)))
_JOIN = sa.text(
    f"""{_OPEN}
INSERT INTO escalation_members (escalation_id, alert_id, episode, joined_at, is_quiet, reason)
SELECT e.id, a.id, a.episode, :now, quiet.it,
       CASE WHEN a.id = e.alert_id THEN j.began WHEN quiet.it THEN j.silent ELSE j.otherwise END
  FROM unnest(:ids, :quiets, CAST(:began AS text[]), CAST(:silent AS text[]), CAST(:otherwise AS text[]))
       AS j(id, is_quiet, began, silent, otherwise)
  JOIN escalations e ON e.id = j.id
  JOIN a ON {_OF_TEAM}
  {_KNOWN}
  CROSS JOIN LATERAL (SELECT j.is_quiet AND a.status = 'active' AND a.severity <= e.severity AS it) AS quiet
 WHERE m.alert_id IS NULL
   -- No step is left that tells of it: it stays new until it calls for somebody.
   AND NOT (e.state = 'exhausted' AND NOT j.is_quiet AND a.status = 'active' AND {_LEFT_ALONE})
ON CONFLICT (escalation_id, alert_id, episode) DO UPDATE
   SET joined_at = excluded.joined_at, left_at = NULL, is_quiet = excluded.is_quiet, reason = excluded.reason
RETURNING escalation_id, alert_id"""  # noqa: S608 - constants
).bindparams(
    sa.bindparam("ids", type_=_UUIDS),
    sa.bindparam("quiets", type_=pg.ARRAY(sa.Boolean)),
    sa.bindparam("began", type_=pg.ARRAY(sa.Text)),
    sa.bindparam("silent", type_=pg.ARRAY(sa.Text)),
    sa.bindparam("otherwise", type_=pg.ARRAY(sa.Text)),
    sa.bindparam("now", type_=sa.DateTime(timezone=True)),
)
_LEAVE = sa.text("""
UPDATE escalation_members m SET left_at = :now
  FROM escalations e, alerts a
 WHERE m.alert_id = ANY(:ids) AND m.left_at IS NULL AND e.id = m.escalation_id AND e.is_standing
   AND a.id = m.alert_id AND a.episode = m.episode
   AND (a.group_id IS DISTINCT FROM e.group_id OR a.team_id IS DISTINCT FROM e.team_id)
RETURNING m.escalation_id, m.alert_id, a.group_id, a.team_id, a.status <> 'resolved' AS is_open
""").bindparams(sa.bindparam("ids", type_=_UUIDS), sa.bindparam("now", type_=sa.DateTime(timezone=True)))
# Whom somebody answered themselves is silent no longer: taken back, the answer counts as any other.
_ANSWERED = sa.text("""
UPDATE escalation_members m SET is_quiet = false FROM alerts a
 WHERE m.alert_id = ANY(:ids) AND m.is_quiet AND a.id = m.alert_id AND a.status IN ('acknowledged', 'investigating')
""").bindparams(sa.bindparam("ids", type_=_UUIDS))
# What runs tells of all that call: once told of, they are silent no longer.
_CALLED = sa.text(
    f"""
UPDATE escalation_members m SET is_quiet = false FROM alerts a
 WHERE m.escalation_id = ANY(:ids) AND m.is_quiet AND m.left_at IS NULL AND a.id = m.alert_id AND a.episode = m.episode
   AND {CALLING}"""  # noqa: S608 - constants
).bindparams(sa.bindparam("ids", type_=_UUIDS), sa.bindparam("now", type_=sa.DateTime(timezone=True)))
# Every step fired, and what is silenced or snoozed now was told of by them: calling again it is new.
_FORGET = sa.text(
    f"""
UPDATE escalation_members m SET left_at = :now FROM alerts a
 WHERE m.escalation_id = ANY(:ids) AND m.left_at IS NULL AND a.id = m.alert_id AND a.episode = m.episode
   AND a.status = 'active' AND {_LEFT_ALONE}"""  # noqa: S608 - constants
).bindparams(sa.bindparam("ids", type_=_UUIDS), sa.bindparam("now", type_=sa.DateTime(timezone=True)))
_KNOW = sa.text("""
INSERT INTO escalation_members AS m (escalation_id, alert_id, episode, joined_at, is_quiet, reason)
SELECT :escalation_id, t.id, t.episode, :now, false, :reason FROM unnest(:ids, :episodes) AS t(id, episode)
ON CONFLICT (escalation_id, alert_id, episode) DO UPDATE
   SET joined_at = excluded.joined_at, left_at = NULL, is_quiet = false, reason = excluded.reason
 WHERE m.left_at IS NOT NULL""").bindparams(
    sa.bindparam("escalation_id", type_=sa.Uuid()),
    sa.bindparam("ids", type_=_UUIDS),
    sa.bindparam("episodes", type_=pg.ARRAY(sa.Integer)),
    sa.bindparam("now", type_=sa.DateTime(timezone=True)),
    sa.bindparam("reason", type_=sa.Text),
)
_BACK = sa.text(
    "UPDATE escalation_members SET left_at = NULL WHERE escalation_id = :escalation_id AND alert_id = ANY(:ids)"
).bindparams(sa.bindparam("ids", type_=_UUIDS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """What is said of the alerts that come under an escalation: of the one that began it, of the silent, of others."""

    escalation_id: UUID
    quiets: bool
    began: str
    silent: str
    otherwise: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """An alert that is no longer of the group, or of the team, that an escalation stands for."""

    escalation_id: UUID
    alert_id: UUID
    group_id: UUID | None
    team_id: UUID | None
    is_open: bool


async def crowds(
    connection: AsyncConnection, group_ids: Iterable[UUID], *, now: datetime
) -> dict[Crowd, list[Members]]:
    """The open alerts of the groups, by group and team."""
    found: dict[Crowd, list[Members]] = {}
    for row in await connection.execute(_CROWDS, {"ids": list(group_ids), "now": now}):
        found.setdefault((row.group_id, row.team_id), []).append(Members(subject=_subject(row), count=row.alerts))
    return found


async def members_of(
    connection: AsyncConnection, escalation_ids: Iterable[UUID], *, now: datetime
) -> dict[UUID, list[Members]]:
    """The open alerts each of the escalations stands for, those it does not know yet among them."""
    ids = list(escalation_ids)
    found: dict[UUID, list[Members]] = {one: [] for one in ids}
    if not ids:
        return found
    for row in await connection.execute(_MEMBERS, {"ids": ids, "now": now}):
        one = Members(subject=_subject(row), count=row.alerts, is_new=row.is_new, is_quiet=row.is_quiet)
        found[row.escalation_id].append(one)
    return found


def _subject(row: sa.Row[tuple[object, ...]]) -> Subject:
    """One that stands for all that are alike."""
    return Subject(
        id=row.first_id,
        episode=row.first_episode,
        status=AlertStatus(row.status),
        severity=Severity(row.severity),
        team_id=row.team_id,
        group_id=row.group_id,
        is_suppressed=row.is_suppressed,
        snoozed_until=row.snoozed_until if row.is_snoozed else None,
        flapping_since=row.flapping_since if row.is_flapping else None,
        paused_until=row.paused_until if row.is_held else None,
    )


async def join(connection: AsyncConnection, joining: Sequence[Joining], *, now: datetime) -> dict[UUID, list[UUID]]:
    """Write down the open alerts that the escalations do not know yet; which they are."""
    joined: dict[UUID, list[UUID]] = {}
    if not joining:
        return joined
    values = {
        "ids": [one.escalation_id for one in joining],
        "quiets": [one.quiets for one in joining],
        "began": [one.began for one in joining],
        "silent": [one.silent for one in joining],
        "otherwise": [one.otherwise for one in joining],
        "now": now,
    }
    for row in await connection.execute(_JOIN, values):
        joined.setdefault(row.escalation_id, []).append(row.alert_id)
    return joined


async def leave(connection: AsyncConnection, alert_ids: Sequence[UUID], *, now: datetime) -> list[Gone]:
    """Write down which of the alerts an escalation stands for no longer, and where they went."""
    rows = await connection.execute(_LEAVE, {"ids": list(alert_ids), "now": now})
    return [
        Gone(
            escalation_id=row.escalation_id,
            alert_id=row.alert_id,
            group_id=row.group_id,
            team_id=row.team_id,
            is_open=row.is_open,
        )
        for row in rows
    ]


async def take_back(connection: AsyncConnection, escalation_id: UUID, alert_ids: Sequence[UUID]) -> None:
    """They did not leave: the escalation went with them."""
    await connection.execute(_BACK, {"escalation_id": escalation_id, "ids": list(alert_ids)})


async def note_answers(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> None:
    """Let those of the alerts that somebody has answered be silent no longer."""
    await connection.execute(_ANSWERED, {"ids": list(alert_ids)})


async def note_called(connection: AsyncConnection, escalation_ids: Sequence[UUID], *, now: datetime) -> None:
    """Let those that call for somebody by escalations that run be silent no longer."""
    if escalation_ids:
        await connection.execute(_CALLED, {"ids": list(escalation_ids), "now": now})


async def forget(connection: AsyncConnection, escalation_ids: Sequence[UUID], *, now: datetime) -> None:
    """Let those that call for nobody just now be new to escalations at their end when they call again."""
    if escalation_ids:
        await connection.execute(_FORGET, {"ids": list(escalation_ids), "now": now})


async def know(connection: AsyncConnection, escalation_id: UUID, told: Sequence[Subject], *, now: datetime) -> None:
    """Write down alerts of the group that every step told of before they came into it: they are not new to anybody."""
    await connection.execute(
        _KNOW,
        {
            "escalation_id": escalation_id,
            "ids": [one.id for one in told],
            "episodes": [one.episode for one in told],
            "now": now,
            "reason": "every step told of it by itself before it came into the group",
        },
    )
