"""What of the alerts is read for the index? What a document holds and no more, in one statement a piece of the log."""

from collections.abc import Iterable
from typing import Any

import asyncpg
import orjson

from domain.alerts.cursor import Cursor
from domain.alerts.model import Alert
from domain.values import maker
from persistence.event_log import RECORDED_AT_MARGIN

# What document_of and number_of ask of an alert.
NAMES = (
    "id",
    "title",
    "description",
    "service_name",
    "source",
    "labels",
    "dedup_key",
    "severity",
    "status",
    "team_id",
    "assigned_to",
    "integration_id",
    "group_id",
    "created_at",
    "updated_at",
    "resolved_at",
    "snoozed_until",
    "suppressed_by",
    "flapping_since",
    "is_false_positive",
    "version",
    "occurrences",
)
# However often something happened to an alert, it is read once. Each by its key: the OFFSET keeps the planner from
# reading them all.
_PIECE = f"""
SELECT a.* FROM (
  SELECT DISTINCT alert_id FROM alert_events
   WHERE (xid, seq) > ($1::xid8, $2::bigint) AND (xid, seq) <= ($3::xid8, $4::bigint) AND recorded_at >= $5) AS e,
  LATERAL (SELECT {", ".join(NAMES)} FROM alerts WHERE id = e.alert_id OFFSET 0) AS a
"""  # noqa: S608 - of names of columns alone
_make = maker(Alert, NAMES, is_part=True)


async def read_piece(pool: asyncpg.Pool, *, before: Cursor, end: Cursor) -> list[Alert]:
    """The alerts that something happened to after `before` up to and including `end`, as they are now.

    Each holds what a document does, its severity and status as plain text; to ask it for more is an AttributeError.
    """
    first, last = before.position, end.position
    rows = await pool.fetch(_PIECE, first.xid, first.seq, last.xid, last.seq, before.recorded_at - RECORDED_AT_MARGIN)
    return [_alert_of(row) for row in rows]


def _alert_of(row: Iterable[Any]) -> Alert:
    made: Any = _make(row)
    made.labels = orjson.loads(made.labels)
    alert: Alert = made
    return alert
