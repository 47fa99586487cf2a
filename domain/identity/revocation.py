"""How does a person end their sessions, and an administrator somebody else's? At once, and on the audit log.

Every request looks its session up, so none is answered after; sockets follow within two seconds.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.audit.model import AuditEntry
from domain.errors import NotFound
from domain.identity.model import Role, Viewer
from domain.identity.ports import IdentityUnit
from domain.identity.sessions import Session

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Who ends sessions, and when."""

    viewer: Viewer
    now: datetime

    async def one(self, session_id: UUID, *, unit: IdentityUnit, entry: AuditEntry) -> Session:
        """End a session of one's own, or anybody's for an administrator. One that ended already stays as it is."""
        session = await unit.sessions.locked(session_id)
        is_own = session is not None and session.user_id == self.viewer.user_id
        if session is None or not (is_own or self.viewer.role is Role.ADMIN):
            raise NotFound("no such session", ("id",))
        if session.revoked_at is None:
            session = replace(session, revoked_at=self.now)
            await unit.sessions.save(session)
            await unit.audit.append(replace(entry, after={"userId": str(session.user_id)}))
        return session

    async def others(self, *, unit: IdentityUnit, entry: AuditEntry) -> int:
        """End all of one's own but the one that asks."""
        return await self._all(self.viewer.user_id, keep=self.viewer.session_id, unit=unit, entry=entry)

    async def all_of(self, user_id: UUID, *, unit: IdentityUnit, entry: AuditEntry) -> int:
        """End all of a person's; how many there were. Who may is the caller's to check."""
        if await unit.users.by_id(user_id) is None:
            raise NotFound("no such person", ("userId",))
        return await self._all(user_id, keep=None, unit=unit, entry=entry)

    async def _all(self, user_id: UUID, *, keep: UUID | None, unit: IdentityUnit, entry: AuditEntry) -> int:
        ended = await unit.sessions.revoke_all(user_id, now=self.now, keep=keep)
        if ended:
            shown = {"sessions": len(ended), "sessionIds": [str(session_id) for session_id in ended[:MOST_SHOWN]]}
            await unit.audit.append(replace(entry, after=shown))
        return len(ended)
