"""Who does the work that only one process may do? The holder of a lease, until it stops renewing it.

A holder that was paused may believe in a lease it lost. So every taking-over gives the lease a greater token, whatever
the holder writes carries its token, and the write of an older token finds no row to change. Times are the database's.
"""

from dataclasses import dataclass
from datetime import timedelta

import asyncpg

# The first taking is token 1. A renewal needs only the token: while nobody took over, an expired lease is still ours.
_ACQUIRE = """
INSERT INTO leases AS lease (name, token, holder, expires_at)
VALUES ($1, 1, $2, clock_timestamp() + $3::interval)
ON CONFLICT (name) DO UPDATE
   SET token = lease.token + 1, holder = excluded.holder, expires_at = excluded.expires_at
 WHERE lease.expires_at < clock_timestamp()
RETURNING token
"""
_RENEW = (
    "UPDATE leases SET expires_at = clock_timestamp() + $3::interval WHERE name = $1 AND token = $2 RETURNING token"
)
_RELEASE = "UPDATE leases SET expires_at = '-infinity' WHERE name = $1 AND token = $2"


class LeaseLost(Exception):
    """Another process has taken over; whatever was being written is not."""

    def __init__(self, name: str, token: int) -> None:
        super().__init__(f"lease {name!r} with token {token} was taken over")


@dataclass(frozen=True, slots=True)
class Lease:
    """A right to work, fenced by its token."""

    name: str
    token: int


class Leases:
    """The leases, in PostgreSQL."""

    def __init__(self, pool: asyncpg.Pool, *, ttl: timedelta) -> None:
        self._pool = pool
        self.ttl = ttl

    async def acquire(self, name: str, *, holder: str) -> Lease | None:
        """Take the lease if nobody holds it; `holder` is for people who look at the table."""
        token = await self._pool.fetchval(_ACQUIRE, name, holder, self.ttl)
        return None if token is None else Lease(name, token)

    async def renew(self, lease: Lease) -> None:
        """Hold it for another `ttl`. Raises LeaseLost when another process has it."""
        if await self._pool.fetchval(_RENEW, lease.name, lease.token, self.ttl) is None:
            raise LeaseLost(lease.name, lease.token)

    async def release(self, lease: Lease) -> None:
        """Let the next one in at once. Nothing happens when it was lost already."""
        await self._pool.execute(_RELEASE, lease.name, lease.token)
