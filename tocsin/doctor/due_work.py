"""Does due work go well, is anything set aside that it fails on, and is anything overdue? The database knows."""

import asyncpg

from domain.schedules.followed import STALE_AFTER
from tocsin.doctor.report import Check, State

# A worker that fails tries again each second; work that is asked for each hour shows until the next.
_FAILING = """
SELECT work, failures, problem FROM due_marks
 WHERE failures > 0 AND failed_at > clock_timestamp() - interval '5 minutes' ORDER BY work
"""
_ASIDE = """
SELECT work, count(*) AS count, max(problem) AS problem FROM set_aside
 WHERE next_at > clock_timestamp() GROUP BY work ORDER BY work
"""
_LATE = """
SELECT count(*) FROM escalations WHERE state = 'running' AND next_at < clock_timestamp() - interval '1 minute'
"""
# Those that somebody has to look after.
_UNREAD = """
SELECT count(*) FROM followed_calendars
 WHERE ended_at IS NULL AND coalesce(read_at, created_at) < clock_timestamp() - $1::interval
"""
WHAT = {"page": "escalations", "tell": "people to be told"}


async def check_due_work(connection: asyncpg.Connection) -> Check:
    """Work that fails, what was set aside, and steps that are overdue."""
    found = [
        f"{row['work']} failed {row['failures']} times in a row ({row['problem']})"
        for row in await connection.fetch(_FAILING)
    ]
    found += [
        f"{row['count']} {WHAT.get(row['work'], row['work'])} set aside ({row['problem']})"
        for row in await connection.fetch(_ASIDE)
    ]
    if late := await connection.fetchval(_LATE):
        found.append(f"{late} steps of escalations are overdue")
    if unread := await connection.fetchval(_UNREAD, STALE_AFTER):
        found.append(f"{unread} followed calendars could not be read for a day")
    if not found:
        return Check(name="Due work", state=State.OK, detail="goes well, nothing is set aside or overdue")
    return Check(
        name="Due work",
        state=State.DEGRADED,
        detail="; ".join(found),
        consequence="somebody may not be told; everything else goes on, and all of it is tried again",
        remedy="look for `due work failed` and `set aside` in the logs of worker, scheduler and relay",
    )
