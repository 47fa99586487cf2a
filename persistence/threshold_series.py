"""What does a rule measure? The minutes of `alert_metrics` in its window, by group; and which minutes are complete.

The same statement serves a rule's look at a moment and the preview over a past. For one moment the database sums the
window into one point; for a run of moments it answers by the minute, and the domain slides the window over it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from domain.thresholds.model import RULE_SOURCE, Condition, Measure
from domain.thresholds.series import Point, Series, floor_minute, series_of
from persistence.direct import DirectConnection
from persistence.event_log import RECORDED_AT_MARGIN
from persistence.relay_cursors import METRICS_CONSUMER

# A post is on its way from its arrival, which says the minute it counts in, to the log for no longer than this.
SETTLE = timedelta(seconds=15)
# An event that waits for the metrics says of when it is; one that was replayed is of long ago and holds nothing up.
_FAR = timedelta(minutes=5)

# What a series is made of: the lines of its span; or, where many rules look at one moment, sums over the span that are
# made once for all rules of the same window. A line of the sums stands in the last minute of its span.
_OWN_LINES = f"""alert_metrics m
   WHERE m.bucket >= asked.since AND m.bucket < asked.until AND m.source <> '{RULE_SOURCE}'"""
_SHARED_LINES = "sums m WHERE m.since = asked.since AND m.until = asked.until"
_SUMS = f"""
sums AS MATERIALIZED (
  SELECT span.since, span.until, span.until - INTERVAL '1 minute' AS bucket, m.service_name, m.source, m.severity,
         m.team_id, sum(m.opened) AS opened, sum(m.reopened) AS reopened, sum(m.repeated) AS repeated
    FROM (SELECT DISTINCT since, until FROM asked) AS span
    JOIN alert_metrics m ON m.bucket >= span.since AND m.bucket < span.until AND m.source <> '{RULE_SOURCE}'
   GROUP BY 1, 2, 4, 5, 6, 7),"""  # noqa: S608 - a constant of this program


def _series(lines: str, before: str = "") -> str:
    """The statement. The team of each line is hidden from a rule that is not of it when it is private."""
    amount = "sum(m.opened + m.reopened + CASE WHEN asked.with_repeats THEN m.repeated ELSE 0 END)"
    return f"""
WITH asked AS (SELECT * FROM json_to_recordset($1::json) AS r(
  number int, since timestamptz, until timestamptz, as_one boolean, by_service boolean, with_repeats boolean,
  group_by text, team_id uuid, services text[], sources text[], severities text[], team_ids uuid[])),{before}
hidden AS (SELECT coalesce(array_agg(id), '{{}}'::uuid[]) AS ids FROM teams WHERE is_private)
SELECT asked.number, found.group_value, found.minute, found.service, found.amount
  FROM asked, hidden, LATERAL (
  SELECT CASE asked.group_by WHEN 'service' THEN m.service_name WHEN 'source' THEN m.source
              WHEN 'severity' THEN m.severity::text
              WHEN 'team' THEN coalesce(nullif(m.team_id, '00000000-0000-0000-0000-000000000000')::text, '')
              ELSE '' END AS group_value,
         CASE WHEN asked.as_one THEN asked.until - INTERVAL '1 minute' ELSE m.bucket END AS minute,
         CASE WHEN asked.by_service THEN m.service_name END AS service,
         {amount}::bigint AS amount
    FROM {lines}
     AND (m.team_id <> ALL (hidden.ids) OR m.team_id = asked.team_id)
     AND (asked.services IS NULL OR m.service_name = ANY (asked.services))
     AND (asked.sources IS NULL OR m.source = ANY (asked.sources))
     AND (asked.severities IS NULL OR m.severity::text = ANY (asked.severities))
     AND (asked.team_ids IS NULL OR m.team_id = ANY (asked.team_ids))
   GROUP BY 1, 2, 3
  HAVING {amount} > 0) AS found
 LIMIT $2
"""  # noqa: S608 - constants of this program


_OF_EACH, _OF_MANY = _series(_OWN_LINES), _series(_SHARED_LINES, _SUMS)
_WAITING = f"""
SELECT (SELECT min(least(ahead.recorded_at, greatest(ahead.occurred_at, ahead.recorded_at - $1::interval)))
          FROM (SELECT recorded_at, occurred_at FROM alert_events
                 WHERE (xid, seq) > (place.xid, place.seq) AND recorded_at >= place.recorded_at - $2::interval
                 ORDER BY xid, seq LIMIT 100) AS ahead) AS waiting
  FROM relay_cursors AS place WHERE place.consumer = '{METRICS_CONSUMER}'
"""  # noqa: S608 - a constant of this program


class TooMuch(Exception):
    """The answer would hold more points than were allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The series of one rule up to its last moment. `as_one` sums each group's window into one point."""

    condition: Condition
    team_id: UUID | None
    since: datetime
    until: datetime
    as_one: bool

    @classmethod
    def of(cls, condition: Condition, team_id: UUID | None, moments: Sequence[datetime]) -> "Asked":
        """What is needed to evaluate the moments."""
        return cls(
            condition=condition,
            team_id=team_id,
            since=moments[0] - condition.window,
            until=moments[-1],
            as_one=len(moments) == 1,
        )

    def as_row(self, number: int) -> dict[str, object]:
        """As a row of the statement's argument."""
        condition, match = self.condition, self.condition.match
        return {
            "number": number,
            "since": self.since,
            "until": self.until,
            "as_one": self.as_one,
            "by_service": condition.measure is Measure.SERVICES,
            "with_repeats": condition.measure is Measure.ABSENCE,
            "group_by": condition.group_by,
            "team_id": self.team_id,
            "services": match.services or None,
            "sources": match.sources or None,
            "severities": match.severities or None,
            "team_ids": match.team_ids or None,
        }


async def read_series(connection: DirectConnection, asked: Sequence[Asked], *, limit: int) -> list[Series]:
    """The series of each of the rules; TooMuch when there are more points than `limit`."""
    rows = [one.as_row(number) for number, one in enumerate(asked)]
    is_shared = len(asked) > 1 and all(one.as_one for one in asked)
    found = await connection.fetch(
        _OF_MANY if is_shared else _OF_EACH, orjson.dumps(rows, default=str).decode(), limit + 1
    )
    if len(found) > limit:
        raise TooMuch
    by_number: list[list[tuple[str, Point]]] = [[] for _ in asked]
    for number, group, minute, service, amount in found:
        by_number[number].append((group, Point(minute, amount, service)))
    return [series_of(points) for points in by_number]


async def complete_until(connection: DirectConnection, *, now: datetime) -> datetime | None:
    """The end of the last minute of which all is counted; None while nothing ever counted.

    That is the last whole minute before what still waits for the metrics consumer; without anything that waits, the
    last that is over long enough for every post of it to be in the log.
    """
    row = await connection.fetchrow(_WAITING, _FAR, RECORDED_AT_MARGIN)
    if row is None:
        return None
    settled = floor_minute(now - SETTLE)
    return settled if row["waiting"] is None else min(settled, floor_minute(row["waiting"]))
