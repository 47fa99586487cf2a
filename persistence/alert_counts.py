"""How are the counts of alerts kept? Each change leaves lines in its own transaction; they are folded into sums later.

What is counted at any moment is sums plus lines, read in one statement: exact, whether or not anybody folds. Folding
only keeps the lines few. Nobody waits for anybody: lines are only added, where a sum would be fought over.
"""

from uuid import UUID

import asyncpg

from persistence.direct import DirectConnection

# Two passes over a backlog are better than one that holds its locks for long.
FOLD_LINES = 50_000
BUILD_ALERTS = 50_000
LOCK_WAIT = "2s"
EVERYTHING_COUNTED = UUID(int=0)

# Sorted, so that two that fold at once cannot wait for each other in a circle.
_FOLD = """
WITH lines AS MATERIALIZED (
  DELETE FROM alert_count_changes
   WHERE ctid = ANY (ARRAY(SELECT ctid FROM alert_count_changes LIMIT $1)) RETURNING *
), kinds AS (
  INSERT INTO alert_counts AS kept (service_name, team_id, source, severity, status, amount)
  SELECT service_name, team_id, source, severity, status, sum(amount) FROM lines
   GROUP BY 1, 2, 3, 4, 5 HAVING sum(amount) <> 0 ORDER BY 1, 2, 3, 4, 5
      ON CONFLICT (service_name, team_id, source, severity, status) DO UPDATE SET amount = kept.amount + excluded.amount
  RETURNING kept.ctid, kept.amount
), days AS (
  INSERT INTO alert_daily_counts AS kept (created_on, team_id, severity, status, amount)
  SELECT created_on, team_id, severity, status, sum(amount) FROM lines
   GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0 ORDER BY 1, 2, 3, 4
      ON CONFLICT (created_on, team_id, severity, status) DO UPDATE SET amount = kept.amount + excluded.amount
  RETURNING kept.ctid, kept.amount
)
SELECT (SELECT count(*) FROM lines) AS lines,
       ARRAY(SELECT ctid FROM kinds WHERE amount = 0)::text AS empty_kinds,
       ARRAY(SELECT ctid FROM days WHERE amount = 0)::text AS empty_days
"""
_NEXT = "SELECT id FROM alerts WHERE id <= $1 ORDER BY id DESC OFFSET $2 LIMIT 1"
_COUNT = """
INSERT INTO alert_count_changes (created_on, team_id, source, service_name, severity, status, amount)
SELECT (created_at AT TIME ZONE 'UTC')::date, coalesce(team_id, '00000000-0000-0000-0000-000000000000'), source,
       coalesce(service_name, ''), severity, status, count(*)
  FROM alerts WHERE id > $1 AND id <= $2 GROUP BY 1, 2, 3, 4, 5, 6
"""


async def fold_counts(connection: DirectConnection, *, limit: int = FOLD_LINES) -> int:
    """Fold up to `limit` lines into the sums; how many there were."""
    async with connection.transaction():
        row = await connection.fetchrow(_FOLD, limit)
        assert row is not None, "an aggregate always has a row"  # noqa: S101  # for the type checker
        # A sum of nothing goes: most days have no open alert any more. The rows are ours until the end of this.
        for table, empty in (("alert_counts", row["empty_kinds"]), ("alert_daily_counts", row["empty_days"])):
            if empty != "{}":
                await connection.execute(f"DELETE FROM {table} WHERE ctid = ANY ($1::text::tid[])", empty)  # noqa: S608
    lines: int = row["lines"]
    return lines


async def build_counts(owner: DirectConnection, *, step: int = BUILD_ALERTS) -> int:
    """Count the alerts that were there before anybody counted, the newest first; how many steps it took.

    A step keeps writers out for the some ten milliseconds it takes: a change of an alert must find it either counted
    or not. One that was stopped goes on where it was.
    """
    steps = 0
    while await _build_step(owner, step):
        steps += 1
        while await fold_counts(owner) == FOLD_LINES:
            pass
    return steps


async def _build_step(owner: DirectConnection, step: int) -> bool:
    while True:
        try:
            async with owner.transaction():
                counted = await owner.fetchval("SELECT counted_beyond FROM alert_counts_frontier")
                if counted == EVERYTHING_COUNTED:
                    return False
                await owner.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
                await owner.execute("LOCK TABLE alerts IN SHARE ROW EXCLUSIVE MODE")
                beyond = await owner.fetchval(_NEXT, counted, step) or EVERYTHING_COUNTED
                await owner.execute(_COUNT, beyond, counted)
                await owner.execute("UPDATE alert_counts_frontier SET counted_beyond = $1", beyond)
                return True
        except asyncpg.LockNotAvailableError:
            continue  # a long writer: step aside, for whoever waits behind us, and come again
