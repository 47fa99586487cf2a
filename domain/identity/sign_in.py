"""How does a person sign in, stay signed in and sign out?

One refusal for every wrong credential, and the same work for an address that is not on file: neither the answer nor
its time tells who has an account. The password is checked outside any transaction: that takes a tenth of a second.

Every way in ends at `admit`: somebody proved something, and gets a session, or the challenge to prove a second factor.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.alerts.events import ActorKind
from domain.audit.model import AuditEntry, AuditOutcome
from domain.errors import InvalidCredentials, TooManyAttempts
from domain.identity.addresses import address_digest, address_digests
from domain.identity.challenges import Challenge, Purpose, new_challenge
from domain.identity.factors import Factors
from domain.identity.model import User
from domain.identity.ports import IdentityUnit, IdentityUnits, LoginThrottle, PasswordHasher
from domain.identity.proofs import SECOND_FACTORS, Method
from domain.identity.proving import NOTHING, CopiedPasskey, Offered, Prover
from domain.identity.sessions import Refresh, RefreshTokens, Session, SessionPolicy, digest, judge, rotated
from domain.ids import new_id
from domain.ports import Clock

MAX_PASSWORD = 1024
MAX_USER_AGENT = 400
WRONG = "the address, the password or the code is not right"
ENDED = "the session has ended: sign in again"
COPIED = "the passkey's count of uses did not grow: a copy of it may be in other hands"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request comes from, for the session and the audit log."""

    ip_address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None
    # The token of a device the person signed in with before (domain/access/devices.py).
    device: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A living session and the refresh token that keeps it so."""

    user: User
    session: Session
    refresh_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenged:
    """What was proved is right, and not enough: the token and a second factor buy a session (second_step.py)."""

    token: str
    methods: tuple[Method, ...]
    expires_at: datetime
    # What a browser gives to a passkey; None for somebody who has none.
    passkey_options: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInDesk:
    """What signing in needs; made once a process."""

    units: IdentityUnits
    hasher: PasswordHasher
    throttle: LoginThrottle
    tokens: RefreshTokens
    policy: SessionPolicy
    clock: Clock
    prover: Prover
    address_key: bytes
    older_address_keys: tuple[bytes, ...] = ()

    @property
    def address_keys(self) -> tuple[bytes, ...]:
        """The keys an address is looked for under, the current one first."""
        return (self.address_key, *self.older_address_keys)

    async def sign_in(
        self, *, email: str, password: str, origin: Origin, offered: Offered = NOTHING
    ) -> SignedIn | Challenged:
        """A new session for the right address and password, and the second factor where the person has one."""
        address, *older = address_digests(email, self.address_keys)
        wait = await self.throttle.attempt(address, origin.ip_address, device=origin.device)
        if wait:
            message = f"too many failed attempts; try again in {wait} s"
            raise TooManyAttempts(message, retry_after_seconds=wait)
        async with self.units() as unit:
            user = await unit.users.by_email(address, *older)
        known_hash = user.password_hash if user is not None else None
        is_right = len(password) <= MAX_PASSWORD and await self.hasher.verify(known_hash, password)
        if user is None or not is_right or not user.is_active:
            await self.record_failure("login", user.id if user else None, origin)
            raise InvalidCredentials(WRONG)
        if older:
            async with self.units() as unit:
                await unit.users.renew_digest(user.id, address)
                await unit.commit()
        if known_hash is not None and self.hasher.is_outdated(known_hash):
            user = replace(user, password_hash=await self.hasher.hash(password))
        return await self.admit(user, proved=frozenset({Method.PASSWORD}), origin=origin, offered=offered)

    async def admit(
        self, user: User, *, proved: frozenset[Method], origin: Origin, offered: Offered = NOTHING
    ) -> SignedIn | Challenged:
        """Who proved what: a session for it, or the challenge to prove a second factor.

        Every way in ends here: a password, a passkey, a provider (`Method.FEDERATED`, and `FEDERATED_MFA` where the
        provider's `amr` says that it asked for two factors). The caller has looked that the person is active.
        """
        async with self.units() as unit:
            factors = await unit.factors.of(user.id)
            if not factors.any or not SECOND_FACTORS.isdisjoint(proved):
                signed_in = await self.opened(unit, user, proved=proved, origin=origin)
                await unit.commit()
                await self.forgive(user, origin)
                return signed_in
            if offered.is_nothing:
                challenged = await self._challenge(unit, user, proved=proved, factors=factors)
                await unit.commit()
                return challenged
        return await self.with_second_factor(user, proved=proved, offered=offered, origin=origin)

    async def _challenge(
        self, unit: IdentityUnit, user: User, *, proved: frozenset[Method], factors: Factors
    ) -> Challenged:
        challenge, token = new_challenge(
            Purpose.SECOND_FACTOR, now=self.clock.now(), user_id=user.id, proved=tuple(sorted(proved))
        )
        await unit.challenges.add(challenge)
        options = None
        if factors.passkeys:
            allowed = await unit.passkeys.of(user.id)
            options = self.prover.ceremonies.proof_options(nonce=challenge.nonce, allowed=allowed, alone=False)
        return Challenged(
            token=token, methods=factors.methods, expires_at=challenge.expires_at, passkey_options=options
        )

    async def with_second_factor(
        self,
        user: User,
        *,
        proved: frozenset[Method],
        offered: Offered,
        origin: Origin,
        challenge: Challenge | None = None,
    ) -> SignedIn:
        """A session for a right second factor, which is used up with it, and with the challenge it answers."""
        await self.prover.count_guess(user.id, offered)
        reason, nonce = None, None if challenge is None else challenge.nonce
        async with self.units() as unit:
            try:
                method = await self.prover.proves(unit, user, offered, nonce=nonce)
            except InvalidCredentials as refusal:
                method, reason = None, COPIED if isinstance(refusal, CopiedPasskey) else None
            is_first = challenge is None or await unit.challenges.take(challenge.id) is not None
            if method is not None and is_first:
                signed_in = await self.opened(unit, user, proved=proved | {method}, origin=origin)
                await unit.commit()
                await self.forgive(user, origin)
                return signed_in
        await self.record_failure("login", user.id, origin, reason=reason)
        raise InvalidCredentials(WRONG)

    async def opened(self, unit: IdentityUnit, user: User, *, proved: frozenset[Method], origin: Origin) -> SignedIn:
        """A session, written in `unit`; the caller commits. For those alone who proved all they must.

        The person is read once more, and locked: whoever was sent away meanwhile, or got another password than the one
        that was proved, gets no session, and no password of before is written over a new one.
        """
        now = self.clock.now()
        current = await unit.users.locked(user.id)
        is_by_password = Method.PASSWORD in proved
        if current is None or not current.is_active or (is_by_password and current.version != user.version):
            raise InvalidCredentials(WRONG)
        # A password that was just proved may have been hashed anew.
        user = replace(current, last_login=now, password_hash=(user if is_by_password else current).password_hash)
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
            proved_at=now,
            proved_by=tuple(sorted(proved)),
        )
        await unit.sessions.add(session)
        await unit.users.signed_in(user)
        entry = _entry("login", now, origin, user_id=user.id, session_id=session_id)
        await unit.audit.append(replace(entry, after={"provedBy": list(session.proved_by)}))
        return SignedIn(user=user, session=session, refresh_token=token)

    async def forgive(self, user: User, origin: Origin) -> None:
        """Forget the failures of this address from here: of who got in, not of who only has the password."""
        address = address_digest(user.email, self.address_key)
        await self.throttle.succeeded(address, origin.ip_address, device=origin.device)

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
            if verdict is Refresh.REPEAT:
                successor = self.tokens.stored(session_id, generation + 1, stored=session.refresh_digest)
            if verdict is Refresh.ROTATE:
                session = rotated(session, successor, now=now, policy=self.policy)
                # A list of sessions shows where each was used last.
                session = replace(session, ip_address=origin.ip_address or session.ip_address)
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

    async def record_failure(
        self, action: str, user_id: UUID | None, origin: Origin, *, reason: str | None = None
    ) -> None:
        """Note on the audit log that somebody failed to prove who they are."""
        entry = _entry(action, self.clock.now(), origin, user_id=user_id, session_id=None)
        after = None if reason is None else {"reason": reason}
        async with self.units() as unit:
            await unit.audit.append(replace(entry, outcome=AuditOutcome.FAILED, after=after))
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
