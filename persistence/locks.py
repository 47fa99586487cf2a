"""Which advisory locks are there, and in which order are they taken? Always global first, then keys by number.

A writer takes them in its transaction's first statement, before any write gives it a transaction id. So of two writers
of one alert the later one has the greater xid, and the log's order is the order of the changes (see event_log.py).
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.dedup import lock_id
from domain.correlation.way import group_lock_id

# Shared by everyone who changes alerts; exclusive for who creates, changes or ends a silence. Without it a silence and
# an alert that arrive together could each miss the other.
SILENCES_LOCK = 7_311_018_252
# Held by who changes teams: they take turns, so the log of teams is in the order of the changes, and no two wait for
# each other. It comes after the silences lock, where that is needed, and before the first write.
TEAMS_LOCK = 7_311_018_254
# Held by who changes alert rules, for the same reason.
ALERT_RULES_LOCK = 7_311_018_271
# Held by who changes routing rules.
ROUTING_RULES_LOCK = 7_311_018_281
# Held by who folds counts, from the first sum by team on (migration 0038 takes it in its triggers).
TEAM_COUNTS_LOCK = 7_311_018_291
# Held by whoever migrates the database: two at once take turns instead of failing half-way.
MIGRATION_LOCK = 7_311_018_251
LOCK_POLL_SECONDS = 0.1
# Held by whoever makes the first administrator or integration: of two first starts one makes them.
BOOTSTRAP_LOCK = 7_311_018_253
# Held by whoever takes an administrator away (by role, by deactivation, by erasure): one always stays.
ADMINISTRATORS_LOCK = 7_311_018_256
# Held by whoever may leave alerts to nobody: the second of two sees what the first did. Taken before all others.
GAPS_LOCK = 7_311_018_272
# Held while a seal of the audit log is made: seals follow one another.
AUDIT_SEAL_LOCK = 7_311_018_261


def sorted_lock_ids(keys: Iterable[tuple[UUID, str]], group_keys: Iterable[str] = ()) -> list[int]:
    """The lock numbers of (integration id, dedup key) pairs and of group keys, sorted: one order for every writer."""
    numbers = {lock_id(integration_id, key) for integration_id, key in keys}
    return sorted(numbers.union(map(group_lock_id, group_keys)))


def begin_statement(keys: Iterable[tuple[UUID, str]], group_keys: Sequence[str], *, shared: Sequence[str] = ()) -> str:
    """BEGIN and every lock of a batch that arrives, in one round trip and before any write; of `shared` not alone.

    By the simple protocol, which takes several statements at once; only numbers of our own making go into the text.
    """
    begin = f"BEGIN; SELECT pg_advisory_xact_lock_shared({SILENCES_LOCK});"
    if not shared:
        numbers = ",".join(map(str, sorted_lock_ids(keys, group_keys)))
        return f"{begin}SELECT count(pg_advisory_xact_lock(n)::text) FROM unnest('{{{numbers}}}'::bigint[]) AS n"  # noqa: S608
    # What is to be locked both ways is locked alone. One order for both, so that nobody waits in a circle.
    alone = set(sorted_lock_ids(keys, set(group_keys).difference(shared)))
    ordered = sorted(alone.union(map(group_lock_id, shared)))
    numbers, flags = ",".join(map(str, ordered)), ",".join("t" if number in alone else "f" for number in ordered)
    return (
        f"{begin}SELECT count((CASE WHEN alone THEN pg_advisory_xact_lock(n) ELSE pg_advisory_xact_lock_shared(n) END)"  # noqa: S608
        f"::text) FROM unnest('{{{numbers}}}'::bigint[], '{{{flags}}}'::boolean[]) AS wanted(n, alone)"
    )


def lock_statement(lock_ids: Sequence[int], *, silences: str = "shared") -> str:
    """One SELECT that takes the silences lock (`shared` or `exclusive`) and then the keys' locks in order."""
    globally = "pg_advisory_xact_lock_shared" if silences == "shared" else "pg_advisory_xact_lock"
    calls = [f"{globally}({SILENCES_LOCK})", *(f"pg_advisory_xact_lock({int(number)})" for number in lock_ids)]
    # A VALUES list of a thousand rows is evaluated in order; a target list is too, but is capped at 1664 columns.
    taken = ",".join(f"(({call})::text)" for call in calls)
    return f"SELECT count(*) FROM (VALUES {taken}) AS taken(lock)"  # noqa: S608 - integers of our own making


async def take_locks(
    connection: AsyncConnection, keys: Iterable[tuple[UUID, str]], *, silences: str = "shared"
) -> None:
    """Take the locks of these keys; the first statement of the connection's transaction."""
    await connection.execute(sa.text(lock_statement(sorted_lock_ids(keys), silences=silences)))
