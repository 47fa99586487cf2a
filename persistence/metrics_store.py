"""How does the log become a time series? Counts and durations a minute, by service, source, severity and team.

Each measure is a sum, so minutes add up to hours and days, and a mean is a sum divided by its count: mean time to
acknowledge = acknowledge_seconds / acknowledged. Durations run from the opening of the episode (the last reopening). An
episode is acknowledged once: when its acknowledgement timed out, a second one is not a second, slower reaction. A mark
as false positive that a person takes back counts as minus one; one that is gone because the source began another
episode (its event says when that `started_at`) was no less false for that.
"""

from domain.alerts.cursor import Cursor
from persistence.direct import DirectConnection
from persistence.event_log import RECORDED_AT_MARGIN

# Everything up to the run's end is finished, so the range holds the same events whenever it is read.
_ADD = """
INSERT INTO alert_metrics AS kept (bucket, service_name, source, severity, team_id, opened, repeated, acknowledged,
                                   resolved, reopened, false_positives, acknowledge_seconds, resolve_seconds,
                                   detect_seconds)
SELECT date_bin('1 minute', e.occurred_at, TIMESTAMPTZ '2000-01-01 00:00:00Z'),
       coalesce(a.service_name, ''), coalesce(a.source, ''), e.severity,
       coalesce(a.team_id, '00000000-0000-0000-0000-000000000000'),
       count(*) FILTER (WHERE e.kind = 'opened'),
       coalesce(sum((e.data->>'count')::bigint) FILTER (WHERE e.kind = 'repeated'), 0),
       count(*) FILTER (WHERE e.kind = 'acknowledged' AND NOT age.is_again),
       count(*) FILTER (WHERE e.kind = 'resolved'),
       count(*) FILTER (WHERE e.kind = 'reopened'),
       coalesce(sum(CASE e.data->'changes'->'is_false_positive'->>1 WHEN 'true' THEN 1 WHEN 'false' THEN -1 END)
                FILTER (WHERE e.kind NOT IN ('opened', 'repeated')
                          AND NOT (e.kind = 'reopened' AND e.data ? 'started_at')), 0),
       coalesce(sum(age.seconds) FILTER (WHERE e.kind = 'acknowledged' AND NOT age.is_again), 0),
       coalesce(sum(age.seconds) FILTER (WHERE e.kind = 'resolved'), 0),
       coalesce(sum(greatest(0, extract(epoch FROM e.occurred_at - (e.data->>'started_at')::timestamptz)))
                FILTER (WHERE e.kind IN ('opened', 'reopened')), 0)
  FROM alert_events e
  LEFT JOIN alerts a ON a.id = e.alert_id
  LEFT JOIN LATERAL (
       SELECT greatest(0, extract(epoch FROM e.occurred_at - coalesce(opening.at, a.created_at))) AS seconds,
              EXISTS (SELECT FROM alert_events p
                       WHERE p.alert_id = e.alert_id AND p.kind = 'acknowledged' AND (p.xid, p.seq) < (e.xid, e.seq)
                         AND (opening.xid IS NULL OR (p.xid, p.seq) > (opening.xid, opening.seq))
                         AND p.recorded_at >= a.created_at - INTERVAL '1 day') AS is_again
         FROM (VALUES (1)) AS one LEFT JOIN LATERAL (
              SELECT o.xid, o.seq, o.occurred_at AS at FROM alert_events o
               WHERE o.alert_id = e.alert_id AND o.kind = 'reopened' AND (o.xid, o.seq) < (e.xid, e.seq)
                 AND o.recorded_at >= a.created_at - INTERVAL '1 day'
               ORDER BY o.xid DESC, o.seq DESC LIMIT 1) AS opening ON true
        WHERE e.kind IN ('acknowledged', 'resolved')
       OFFSET 0  -- else the kind is looked at last, after the opening of every event's episode was searched for
       ) AS age ON true
 WHERE (e.xid, e.seq) > ($1::xid8, $2::bigint) AND (e.xid, e.seq) <= ($3::xid8, $4::bigint) AND e.recorded_at >= $5
   AND (e.kind IN ('opened', 'repeated', 'acknowledged', 'resolved', 'reopened')
        OR e.data->'changes' ? 'is_false_positive')
 GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (bucket, service_name, source, severity, team_id) DO UPDATE
   SET opened = kept.opened + excluded.opened, repeated = kept.repeated + excluded.repeated,
       acknowledged = kept.acknowledged + excluded.acknowledged, resolved = kept.resolved + excluded.resolved,
       reopened = kept.reopened + excluded.reopened,
       false_positives = kept.false_positives + excluded.false_positives,
       acknowledge_seconds = kept.acknowledge_seconds + excluded.acknowledge_seconds,
       resolve_seconds = kept.resolve_seconds + excluded.resolve_seconds,
       detect_seconds = kept.detect_seconds + excluded.detect_seconds
"""


async def add_run(connection: DirectConnection, *, before: Cursor, end: Cursor) -> None:
    """Add the events after `before` up to and including `end`, within the connection's transaction."""
    first, last = before.position, end.position
    await connection.execute(_ADD, first.xid, first.seq, last.xid, last.seq, before.recorded_at - RECORDED_AT_MARGIN)
