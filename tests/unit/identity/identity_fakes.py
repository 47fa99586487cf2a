"""A store of identity in memory, for the desks: what is not committed did not happen, as in a database.

What these fakes promise is what tests/integration/identity/factors proves of the real store.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeAlias
from uuid import UUID

from domain.audit.model import AuditEntry
from domain.errors import InvalidCredentials
from domain.identity.challenges import Challenge
from domain.identity.factors import Factors, Passkey, Totp
from domain.identity.guessing import Guesses
from domain.identity.model import User
from domain.identity.proofs import Method
from domain.identity.proving import WRONG_PASSKEY
from domain.identity.sessions import Session
from domain.mail.model import Mail

Json: TypeAlias = Any


@dataclass
class Clock:
    """Time as the test says."""

    at: datetime = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def wait(self, **much: float) -> None:
        self.at += timedelta(**much)


@dataclass
class Rows:
    """All there is."""

    users: dict[UUID, User] = field(default_factory=dict)
    digests: dict[bytes, UUID] = field(default_factory=dict)
    sessions: dict[UUID, Session] = field(default_factory=dict)
    apps: dict[UUID, Totp] = field(default_factory=dict)
    waiting: dict[UUID, Totp] = field(default_factory=dict)
    codes: dict[UUID, set[bytes]] = field(default_factory=dict)
    guesses: dict[UUID, Guesses] = field(default_factory=dict)
    passkeys: dict[UUID, Passkey] = field(default_factory=dict)
    challenges: dict[UUID, Challenge] = field(default_factory=dict)
    log: list[AuditEntry] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)


class Store:
    """Gives units of work."""

    def __init__(self) -> None:
        self.rows = Rows()

    def __call__(self) -> "Unit":
        return Unit(self)


class Unit:
    """One transaction: works on a copy, which takes the place of the rows on commit. It is every repository itself."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.users = self.sessions = self.factors = self.audit = self.mail = self
        self.passkeys, self.challenges = _Passkeys(self), _Challenges(self)
        self.rows = Rows()

    async def __aenter__(self) -> Self:
        self.rows = copy.deepcopy(self._store.rows)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def commit(self) -> None:
        self._store.rows = copy.deepcopy(self.rows)

    async def append(self, *what: AuditEntry | Mail) -> None:
        for one in what:
            if isinstance(one, Mail):
                self.rows.mails.append(one)
            else:
                self.rows.log.append(one)

    async def by_email(self, *digests: bytes) -> User | None:
        found = next((self.rows.digests[digest] for digest in digests if digest in self.rows.digests), None)
        return None if found is None else self.rows.users[found]

    async def by_id(self, user_id: UUID) -> User | None:
        return self.rows.users.get(user_id)

    async def locked(self, user_id: UUID) -> User | None:
        return await self.by_id(user_id)

    async def signed_in(self, user: User) -> None:
        self.rows.users[user.id] = user

    async def renew_digest(self, user_id: UUID, email_digest: bytes) -> None:
        self.rows.digests[email_digest] = user_id

    async def add(self, session: Session) -> None:
        self.rows.sessions[session.id] = session

    async def revoke_all(self, user_id: UUID, *, now: datetime, keep: UUID | None = None) -> list[UUID]:
        ended = [one.id for one in self.rows.sessions.values() if one.user_id == user_id and one.id != keep]
        for session_id in ended:
            self.rows.sessions[session_id] = replace(self.rows.sessions[session_id], revoked_at=now)
        return ended

    async def lock(self, user_id: UUID) -> None:
        return None

    async def of(self, user_id: UUID) -> Factors:
        return Factors(
            has_totp=user_id in self.rows.apps,
            passkeys=sum(one.user_id == user_id for one in self.rows.passkeys.values()),
            recovery_codes_left=len(self.rows.codes.get(user_id, ())),
        )

    async def totp(self, user_id: UUID) -> Totp | None:
        return self.rows.apps.get(user_id)

    async def pending_totp(self, user_id: UUID) -> Totp | None:
        return self.rows.waiting.get(user_id)

    async def begin_totp(self, totp: Totp) -> None:
        self.rows.waiting[totp.user_id] = totp

    async def confirm_totp(self, totp: Totp) -> None:
        self.rows.apps[totp.user_id] = totp
        del self.rows.waiting[totp.user_id]

    async def use_step(self, totp_id: UUID, step: int) -> bool:
        (app,) = [one for one in self.rows.apps.values() if one.id == totp_id]
        if app.last_step is not None and app.last_step >= step:
            return False
        self.rows.apps[app.user_id] = replace(app, last_step=step)
        return True

    async def remove_totp(self, user_id: UUID) -> None:
        self.rows.apps.pop(user_id, None)
        self.rows.waiting.pop(user_id, None)

    async def put_recovery_codes(self, user_id: UUID, digests: Sequence[bytes], now: datetime) -> None:
        self.rows.codes[user_id] = set(digests)

    async def use_recovery_code(self, user_id: UUID, digests: Sequence[bytes], now: datetime) -> bool:
        held = self.rows.codes.get(user_id, set())
        used = held & set(digests)
        held -= used
        return bool(used)

    async def remove_recovery_codes(self, user_id: UUID) -> None:
        self.rows.codes.pop(user_id, None)

    async def guesses(self, user_id: UUID) -> Guesses:
        return self.rows.guesses.get(user_id, Guesses())

    async def save_guesses(self, user_id: UUID, guesses: Guesses) -> None:
        self.rows.guesses[user_id] = guesses

    async def proved(self, session_id: UUID, methods: Sequence[Method], now: datetime) -> None:
        session = self.rows.sessions[session_id]
        self.rows.sessions[session_id] = replace(
            session, proved_at=now, proved_by=tuple(sorted({*session.proved_by, *methods}))
        )


class _Passkeys:
    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    async def add(self, passkey: Passkey) -> bool:
        if any(one.credential_id == passkey.credential_id for one in self._unit.rows.passkeys.values()):
            return False
        self._unit.rows.passkeys[passkey.id] = passkey
        return True

    async def of(self, user_id: UUID) -> list[Passkey]:
        return [one for one in self._unit.rows.passkeys.values() if one.user_id == user_id]

    async def by_credential(self, credential_id: bytes) -> Passkey | None:
        found = (one for one in self._unit.rows.passkeys.values() if one.credential_id == credential_id)
        return next(found, None)

    async def used(self, passkey_id: UUID, *, sign_count: int, now: datetime) -> bool:
        passkey = self._unit.rows.passkeys[passkey_id]
        if passkey.sign_count >= sign_count > 0 or passkey.sign_count > sign_count:
            return False
        self._unit.rows.passkeys[passkey_id] = replace(passkey, sign_count=sign_count, last_used_at=now)
        return True

    async def remove(self, passkey_id: UUID, *, user_id: UUID) -> bool:
        return self._unit.rows.passkeys.pop(passkey_id, None) is not None

    async def remove_all(self, user_id: UUID) -> None:
        for one in await self.of(user_id):
            del self._unit.rows.passkeys[one.id]


class _Challenges:
    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    async def add(self, challenge: Challenge) -> None:
        self._unit.rows.challenges[challenge.id] = challenge

    async def attempt(self, challenge_id: UUID) -> Challenge | None:
        found = self._unit.rows.challenges.get(challenge_id)
        if found is None:
            return None
        self._unit.rows.challenges[challenge_id] = replace(found, attempts=found.attempts + 1)
        return self._unit.rows.challenges[challenge_id]

    async def take(self, challenge_id: UUID) -> Challenge | None:
        return self._unit.rows.challenges.pop(challenge_id, None)


class Hasher:
    """A hash that hides nothing; it counts how often it was asked."""

    def __init__(self) -> None:
        self.verified = 0

    async def hash(self, password: str) -> str:
        return f"hash of {password}"

    async def verify(self, password_hash: str | None, password: str) -> bool:
        self.verified += 1
        return password_hash == f"hash of {password}"

    def is_outdated(self, password_hash: str) -> bool:
        return False


class Throttle:
    """Lets everybody through, and remembers who was forgiven."""

    def __init__(self) -> None:
        self.attempts = 0
        self.forgiven: list[bytes] = []

    async def attempt(self, email_digest: bytes, ip_address: str | None, *, device: str | None = None) -> int:
        self.attempts += 1
        return 0

    async def succeeded(self, email_digest: bytes, ip_address: str | None, *, device: str | None = None) -> None:
        self.forgiven.append(email_digest)


class PlainSealer:
    """Seals by writing the place in front."""

    def seal(self, secret: str, *, column: str, row: UUID) -> bytes:
        return f"{column}.{row}:{secret}".encode()

    def unseal(self, sealed: bytes, *, column: str, row: UUID) -> str:
        place, _, secret = sealed.decode().partition(":")
        assert place == f"{column}.{row}"
        return secret


class SimpleCeremonies:
    """WebAuthn without cryptography: an answer is `{id, nonce, count}`, right when the nonce is."""

    def registration_options(self, **given: Json) -> dict[str, Any]:
        return {"nonce": given["nonce"]}

    def proof_options(self, **given: Json) -> dict[str, Any]:
        return {"nonce": given["nonce"], "allowed": len(given["allowed"]), "alone": given["alone"]}

    def credential_id(self, credential: Json) -> bytes:
        found: bytes = credential["id"]
        return found

    def sign_count(self, credential: Json, *, nonce: bytes, passkey: Passkey, alone: bool) -> int:
        if credential["nonce"] != nonce:
            raise InvalidCredentials(WRONG_PASSKEY)
        count: int = credential["count"]
        return count
