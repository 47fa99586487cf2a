"""How does a person sign in, stay signed in and sign out?

One refusal for every wrong credential, and the same work for an address that is not on file: neither the answer nor
its time tells who has an account. The password is checked outside any transaction: that takes a tenth of a second.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.alerts.events import ActorKind
from domain.audit.model import AuditEntry, AuditOutcome
from domain.errors import InvalidCredentials, TooManyAttempts
from domain.identity.addresses import address_digest
from domain.identity.model import User
from domain.identity.ports import IdentityUnits, LoginThrottle, PasswordHasher
from domain.identity.sessions import Refresh, RefreshTokens, Session, SessionPolicy, digest, judge, rotated
from domain.ids import new_id
from domain.ports import Clock

MAX_PASSWORD = 1024
MAX_USER_AGENT = 400
WRONG = "the address, the password or the code is not right"
ENDED = "the session has ended: sign in again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request comes from, for the session and the audit log."""

    ip_address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A living session and the refresh token that keeps it so."""

    user: User
    session: Session
    refresh_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInDesk:
    """What signing in needs; made once a process."""

    units: IdentityUnits
    hasher: PasswordHasher
    throttle: LoginThrottle
    tokens: RefreshTokens
    policy: SessionPolicy
    clock: Clock
    address_key: bytes

    async def sign_in(self, *, email: str, password: str, origin: Origin) -> SignedIn:
        """A new session for the right address and password."""
        address = address_digest(email, self.address_key)
        wait = await self.throttle.attempt(address, origin.ip_address)
        if wait:
            message = f"too many failed attempts; try again in {wait} s"
            raise TooManyAttempts(message, retry_after_seconds=wait)
        async with self.units() as unit:
            user = await unit.users.by_email(address)
        known_hash = user.password_hash if user is not None else None
        is_right = len(password) <= MAX_PASSWORD and await self.hasher.verify(known_hash, password)
        if user is None or not is_right or not user.is_active:
            await self._record_failure("login", user.id if user else None, origin)
            raise InvalidCredentials(WRONG)
        await self.throttle.succeeded(address, origin.ip_address)
        if known_hash is not None and self.hasher.is_outdated(known_hash):
            user = replace(user, password_hash=await self.hasher.hash(password))
        return await self._open_session(user, origin)

    async def _open_session(self, user: User, origin: Origin) -> SignedIn:
        now = self.clock.now()
        session_id = new_id()
        token = self.tokens.token(session_id, 0)
        session = Session(
            id=session_id,
            user_id=user.id,
            refresh_digest=digest(token),
            created_at=now,
            last_used_at=now,
            expires_at=now + self.policy.absolute,
            idle_expires_at=self.policy.idle_expiry(now, now + self.policy.absolute),
            user_agent=(origin.user_agent or "")[:MAX_USER_AGENT] or None,
            ip_address=origin.ip_address,
        )
        user = replace(user, last_login=now)
        async with self.units() as unit:
            await unit.sessions.add(session)
            await unit.users.signed_in(user)
            await unit.audit.append(_entry("login", now, origin, user_id=user.id, session_id=session_id))
            await unit.commit()
        return SignedIn(user=user, session=session, refresh_token=token)

    async def refresh(self, *, token: str, origin: Origin) -> SignedIn:
        """The next token of the session; a token used twice ends it."""
        read = self.tokens.read(token)
        if read is None:
            raise InvalidCredentials(ENDED)
        session_id, generation = read
        now = self.clock.now()
        successor = self.tokens.token(session_id, generation + 1)
        async with self.units() as unit:
            session = await unit.sessions.locked(session_id)
            user = await unit.users.by_id(session.user_id) if session else None
            if session is None or user is None or not user.is_active:
                raise InvalidCredentials(ENDED)
            verdict = judge(session, token, now=now)
            if verdict is Refresh.ENDED:
                raise InvalidCredentials(ENDED)
            if verdict is Refresh.REUSED:
                await unit.sessions.save(replace(session, revoked_at=now))
                entry = _entry("refreshSession", now, origin, user_id=user.id, session_id=session_id)
                reason = {"reason": "a used refresh token was presented again; the session was revoked"}
                await unit.audit.append(replace(entry, outcome=AuditOutcome.REFUSED, after=reason))
                await unit.commit()
                raise InvalidCredentials(ENDED)
            if verdict is Refresh.ROTATE:
                session = rotated(session, successor, now=now, policy=self.policy)
                await unit.sessions.save(session)
                await unit.audit.append(_entry("refreshSession", now, origin, user_id=user.id, session_id=session_id))
            await unit.commit()
        return SignedIn(user=user, session=session, refresh_token=successor)

    async def sign_out(self, *, user_id: UUID, session_id: UUID, origin: Origin) -> None:
        """End the session; a second time changes nothing."""
        now = self.clock.now()
        async with self.units() as unit:
            session = await unit.sessions.locked(session_id)
            if session is None or session.revoked_at is not None:
                return
            await unit.sessions.save(replace(session, revoked_at=now))
            await unit.audit.append(_entry("logout", now, origin, user_id=user_id, session_id=session_id))
            await unit.commit()

    async def _record_failure(self, action: str, user_id: UUID | None, origin: Origin) -> None:
        entry = _entry(action, self.clock.now(), origin, user_id=user_id, session_id=None)
        async with self.units() as unit:
            await unit.audit.append(replace(entry, outcome=AuditOutcome.FAILED))
            await unit.commit()


def _entry(action: str, now: datetime, origin: Origin, *, user_id: UUID | None, session_id: UUID | None) -> AuditEntry:
    return AuditEntry(
        id=new_id(),
        occurred_at=now,
        actor_kind=ActorKind.USER if user_id else ActorKind.SYSTEM,
        actor_id=user_id,
        session_id=session_id,
        ip_address=origin.ip_address,
        action=action,
        target_kind="session" if session_id else None,
        target_id=session_id,
        request_id=origin.request_id,
    )
