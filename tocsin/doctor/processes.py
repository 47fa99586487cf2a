"""Is a relay at work, is a scheduler, and do the log's consumers keep up? The database knows."""

import asyncpg

from tocsin.doctor.report import Check, State

# A busy system is a second behind at most; a minute is a consumer that is stuck.
LATE_SECONDS = 60.0
_HOLDER = "SELECT holder FROM leases WHERE name = $1 AND expires_at > clock_timestamp()"
# How old the oldest event is that a consumer has not had yet. The bound on time keeps it to the newest partitions.
_LAG = """
SELECT place.consumer,
       extract(epoch FROM clock_timestamp() - (
         SELECT min(event.recorded_at) FROM alert_events AS event
          WHERE event.recorded_at >= place.recorded_at AND (event.xid, event.seq) > (place.xid, place.seq)
       ))::float8 AS seconds
  FROM relay_cursors AS place
 ORDER BY place.consumer
"""

_AWAY = """
SELECT coalesce('channel ' || channels.name, circuit.key) AS name, circuit.reason,
       circuit.opened_at AT TIME ZONE 'UTC' AS opened_at
  FROM provider_circuits AS circuit LEFT JOIN channels ON channels.id = circuit.channel_id
 WHERE circuit.state <> 'closed' ORDER BY 1 LIMIT 20
"""


async def check_relay(connection: asyncpg.Connection) -> Check:
    """The relay, and how far its consumers are behind."""
    holder = await connection.fetchval(_HOLDER, "relay")
    if holder is None:
        return Check(
            name="Relay",
            state=State.DEGRADED,
            detail="none is active",
            consequence="live events are read from the log by each API process; metrics and search stand still",
            remedy="start `tocsin relay`; it catches up from where it was",
        )
    late = {
        row["consumer"]: row["seconds"]
        for row in await connection.fetch(_LAG)
        if row["seconds"] is not None and row["seconds"] > LATE_SECONDS
    }
    if late:
        words = ", ".join(f"{consumer} by {seconds:.0f} s" for consumer, seconds in late.items())
        return Check(
            name="Relay",
            state=State.DEGRADED,
            detail=f"active ({holder}), but behind: {words}",
            consequence="what these consumers feed is old",
            remedy="look for `consumer waits` and `consumer failed` in the relay's log",
        )
    return Check(name="Relay", state=State.OK, detail=f"active ({holder}), consumers keep up")


async def check_scheduler(connection: asyncpg.Connection) -> Check:
    """The scheduler."""
    holder = await connection.fetchval(_HOLDER, "scheduler")
    if holder is None:
        return Check(
            name="Scheduler",
            state=State.DEGRADED,
            detail="none is active",
            consequence="snoozed alerts do not wake, alerts do not expire, no partition is made for coming months",
            remedy="start `tocsin scheduler`",
        )
    return Check(name="Scheduler", state=State.OK, detail=f"active ({holder})")


async def check_providers(connection: asyncpg.Connection) -> Check:
    """Who carries messages and is asked no more for a while."""
    rows = await connection.fetch(_AWAY)
    if not rows:
        return Check(name="Providers", state=State.OK, detail="none is away")
    words = ", ".join(f"{row['name']} since {row['opened_at']:%Y-%m-%d %H:%M} UTC ({row['reason']})" for row in rows)
    return Check(
        name="Providers",
        state=State.DEGRADED,
        detail=f"asked no more for a while: {words}",
        consequence="what goes by them waits; people are told by another contact method where they have one",
        remedy="look at the provider's status and at its key; one message is tried after each rest",
    )
