"""Who does an API key act for? Read anew for each request, so that a revoked key is refused at once in every process.

As with sessions (persistence/sessions.py): requests that wait share one statement, and no answer is kept. When a key
was last used is noted in memory and written at most once a minute a key, beside the requests.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.access.grant import Grant
from domain.access.networks import checked_networks
from domain.access.scopes import Scope, with_included
from domain.identity.model import Role, Viewer, ViewerKind
from domain.ports import Clock
from persistence.sessions import TEAM_ROLES, team_roles_of
from persistence.shared_lookup import SharedLookup
from persistence.tables import api_keys, service_account_teams, service_accounts, users

_log = structlog.get_logger(__name__)
USED_INTERVAL = timedelta(minutes=1)
FLUSH_SECONDS = 5.0

_OF_ACCOUNT = (
    sa.select(sa.func.array_agg(service_account_teams.c.team_id))
    .where(service_account_teams.c.service_account_id == service_accounts.c.id)
    .scalar_subquery()
)
_VIEWERS = (
    sa.select(
        api_keys.c.id,
        api_keys.c.digest,
        api_keys.c.scopes,
        api_keys.c.document_hash,
        api_keys.c.networks,
        api_keys.c.last_used_at,
        api_keys.c.service_account_id,
        api_keys.c.user_id,
        sa.func.coalesce(service_accounts.c.role, users.c.role).label("role"),
        _OF_ACCOUNT.label("account_teams"),
        TEAM_ROLES.label("team_roles"),
    )
    .select_from(
        api_keys.outerjoin(service_accounts, service_accounts.c.id == api_keys.c.service_account_id).outerjoin(
            users, users.c.id == api_keys.c.user_id
        )
    )
    .where(
        api_keys.c.revoked_at.is_(None),
        api_keys.c.expires_at > sa.bindparam("now", type_=api_keys.c.expires_at.type),
        sa.or_(
            sa.and_(service_accounts.c.id.is_not(None), service_accounts.c.archived_at.is_(None)), users.c.is_active
        ),
    )
)
_BY_DIGEST = _VIEWERS.where(api_keys.c.digest == sa.any_(sa.bindparam("digests", type_=pg.ARRAY(sa.LargeBinary))))
_BY_ID = _VIEWERS.where(api_keys.c.id == sa.any_(sa.bindparam("ids", type_=pg.ARRAY(api_keys.c.id.type))))


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """A living key: whom it acts for, and when it was last used as far as the database knows."""

    viewer: Viewer
    last_used_at: datetime | None


async def viewers_of_keys(connection: AsyncConnection, key_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, Viewer]:
    """Whom each living key acts for, with today's role and teams; one that ended is missing."""
    rows = await connection.execute(_BY_ID, {"ids": list(key_ids), "now": now})
    return {row.id: _viewer_of(row) for row in rows}


def _viewer_of(row: Any) -> Viewer:  # noqa: ANN401 - a row of `_VIEWERS`
    is_account, role = row.service_account_id is not None, Role(row.role)
    # A service account has no role within a team: it acts there with the one it has.
    of_account = frozenset((team_id, role) for team_id in row.account_teams or ())
    team_roles = of_account if is_account else team_roles_of(row.team_roles)
    return Viewer(
        user_id=row.service_account_id if is_account else row.user_id,
        kind=ViewerKind.SERVICE_ACCOUNT if is_account else ViewerKind.PERSON,
        role=role,
        session_id=row.id,
        team_ids=frozenset(team_id for team_id, _ in team_roles),
        team_roles=team_roles,
        grant=Grant(
            key_id=row.id,
            scopes=with_included(Scope(scope) for scope in row.scopes),
            document_hash=row.document_hash,
            networks=checked_networks(row.networks),
        ),
    )


class KeyLookup(SharedLookup[bytes, KeyInUse]):
    """Living keys by the digest of what a request came with."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        super().__init__()
        self._engine, self._clock = engine, clock

    async def look_up(self, digests: list[bytes]) -> dict[bytes, KeyInUse]:
        """One statement, now."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(_BY_DIGEST, {"digests": digests, "now": self._clock.now()})
            return {bytes(row.digest): KeyInUse(_viewer_of(row), row.last_used_at) for row in rows}


class KeyUse:
    """When was each key last used? Noted at every request, written at most once a minute a key."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._written: dict[UUID, datetime] = {}
        self._waiting: dict[UUID, datetime] = {}
        self._digests: dict[UUID, bytes] = {}

    def renew(self, key_id: UUID, digest: bytes) -> None:
        """The key was found by a digest under a former secret; this is the one under the present.

        Only whoever has the key can make it, so this is the one moment at which it can be.
        """
        self._digests[key_id] = digest

    def note(self, key_id: UUID, *, now: datetime, known: datetime | None) -> None:
        """The key was used. `known` is what the database says: another process may have written it a moment ago."""
        last = max((time for time in (known, self._written.get(key_id)) if time is not None), default=None)
        if last is None or now - last >= USED_INTERVAL:
            self._written[key_id] = self._waiting[key_id] = now

    async def flush_for_ever(self) -> None:
        """Write what was noted, every few seconds."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what was noted. A database that is down costs the times of this interval, nothing else."""
        await self._flush_digests()
        if not self._waiting:
            return
        noted, self._waiting = self._waiting, {}
        statement = sa.text(
            "UPDATE api_keys SET last_used_at = seen.at"
            " FROM (SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS timestamptz[])) AS s(id, at)) AS seen"
            " WHERE api_keys.id = seen.id AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < seen.at)"
        )
        try:
            async with self._engine.begin() as connection:
                await connection.execute(statement, {"ids": list(noted), "times": list(noted.values())})
        except (OSError, TimeoutError, sa.exc.SQLAlchemyError) as error:
            _log.warning("the last use of keys could not be written", error=repr(error))
        # What is older than the interval is of no more use.
        latest = max(noted.values())
        self._written = {key: at for key, at in self._written.items() if latest - at < USED_INTERVAL}

    async def _flush_digests(self) -> None:
        """Of a key that was revoked meanwhile as well: that it is found lets nobody in."""
        if not self._digests:
            return
        noted, self._digests = self._digests, {}
        statement = sa.text(
            "UPDATE api_keys SET digest = made.digest"
            " FROM unnest(CAST(:ids AS uuid[]), CAST(:digests AS bytea[])) AS made(id, digest)"
            " WHERE api_keys.id = made.id AND api_keys.digest <> made.digest"
        )
        try:
            async with self._engine.begin() as connection:
                await connection.execute(statement, {"ids": list(noted), "digests": list(noted.values())})
        except (OSError, TimeoutError, sa.exc.SQLAlchemyError) as error:
            _log.warning("digests of keys could not be renewed", error=repr(error))
