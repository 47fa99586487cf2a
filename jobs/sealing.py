"""Who seals the audit log? One process at a time, under a lease; a seal leaves the database as soon as it is made."""

import asyncio
import os
import socket
from datetime import timedelta

import asyncpg
import structlog

from domain.audit.heads import BadHead
from domain.audit.sealing import Seal
from domain.ports import Clock
from persistence.audit_heads import Heads, places_of
from persistence.audit_keys import AuditKey, is_signed
from persistence.audit_seals import EraNotBegun, heads_after, last_seal, newest_number_until, seal_next
from persistence.direct import DirectConnection
from persistence.leases import Lease, LeaseLost, Leases
from tocsin.settings import MissingSettingError, Settings

_log = structlog.get_logger(__name__)
LEASE = "audit sealer"
# Longer than the longest round: a holder that lost it can do no harm, the lock of a seal is held in its transaction.
LEASE_TTL = timedelta(seconds=30)
STANDBY_SECONDS = 5.0
# Seals of one round: a backlog is worked off in a few rounds, and the lease is renewed between them.
MOST_SEALS = 20
DATABASE_TROUBLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class AuditSealing:
    """The active sealer or one that stands by."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, *, clock: Clock) -> None:
        self._settings, self._pool, self._clock = settings, pool, clock
        self._leases = Leases(pool, ttl=LEASE_TTL)
        self._places = places_of(settings)
        self._holder = f"{socket.gethostname()}:{os.getpid()}"

    async def run(self) -> None:
        """Stand by, take over, seal; for ever."""
        lease: Lease | None = None
        pause = STANDBY_SECONDS
        while True:
            try:
                if lease is None:
                    lease = await self._leases.acquire(LEASE, holder=self._holder)
                else:
                    await self._leases.renew(lease)
                if lease is not None:
                    sealed = await self.round()
                    pause = 0 if len(sealed) == MOST_SEALS else self._pause()
            except LeaseLost:
                lease = None
            except DATABASE_TROUBLE as error:
                _log.warning("the audit log's sealer waits for the database", error=repr(error))
            except (EraNotBegun, MissingSettingError) as error:
                _log.error("the audit log is not sealed", reason=str(error))
            except Exception:  # noqa: BLE001 - a fault of ours must not end the sealing
                # The rows wait, and the next round tries again.
                _log.exception("the audit log is not sealed")
            await asyncio.sleep(pause if lease else STANDBY_SECONDS)

    def _pause(self) -> float:
        # Well within the lease, so that a stand-by does not take over from one that only waits.
        return min(self._settings.audit_seal_interval.total_seconds(), LEASE_TTL.total_seconds() / 3)

    async def round(self) -> list[Seal]:
        """Seal what is to be sealed, at most MOST_SEALS of them, and let every head out that is not outside."""
        key = AuditKey.of(self._settings)
        sealed: list[Seal] = []
        async with self._pool.acquire() as connection:
            last = await last_seal(connection)
            self._look_at(last)
            if self._is_due(last):
                while len(sealed) < MOST_SEALS:
                    seal = await seal_next(connection, key=key, now=self._clock.now())
                    if seal is None:
                        break
                    sealed.append(seal)
        for place in self._places:
            await self._let_out(place)
        if sealed:
            _log.info("audit log sealed", seals=len(sealed), newest=sealed[-1].number)
        return sealed

    def _is_due(self, last: Seal | None) -> bool:
        if last is None:
            return True
        since = self._clock.now() - last.sealed_at
        # Below zero: a clock was wrong. Who waits for it to come true leaves entries unsealed for as long.
        return since >= self._settings.audit_seal_interval or since < timedelta(0)

    @staticmethod
    def _look_at(last: Seal | None) -> None:
        """Say it aloud when the seal that the next one follows is not genuine; what comes is sealed all the same."""
        if last is not None and not is_signed(last.key, last.signature, last.content):
            _log.error("the newest seal of the audit log is not signed by its key", seal=last.number)

    async def _let_out(self, place: Heads) -> None:
        try:
            outside = await place.newest()
            async with self._pool.acquire() as connection:
                last = await last_seal(connection)
                if outside is not None and (last is None or _is_behind(last, outside)):
                    _log.error("a head outside is of a seal the database does not have", place=place.name)
                    return
                async for seal in heads_after(connection, await _number_outside(connection, outside, last)):
                    await place.add(seal)
        except BadHead:
            _log.error("the last line is no head of a seal; heads are not written", place=place.name)
        except OSError as error:
            _log.warning("heads of the audit log cannot be written", place=place.name, error=str(error))


def _is_behind(last: Seal, outside: Seal) -> bool:
    """Whether the database was cut, or put back without a new era."""
    return last.last.era <= outside.last.era and last.number < outside.number


async def _number_outside(connection: DirectConnection, outside: Seal | None, last: Seal | None) -> int:
    """The number after which heads are missing outside. After a restore all seals of the new era are."""
    if outside is None or last is None:
        return 0
    if last.last.era == outside.last.era:
        return outside.number
    return await newest_number_until(connection, outside.last.era)
