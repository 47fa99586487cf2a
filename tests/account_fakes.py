"""Where do the use cases of accounts live in a unit test? In dictionaries, with the promises of the real stores."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from domain.access.throttle import AttemptKind
from domain.alerts.events import SYSTEM, Actor, ActorKind
from domain.audit.model import AuditEntry
from domain.identity.account_desk import AccountDesk, AccountRules, LinkLives
from domain.identity.account_ports import AccountUnit
from domain.identity.admissions import AccountRequest, Admission
from domain.identity.answering import answer
from domain.identity.letters import Letters
from domain.identity.model import Membership, Role, Team, User
from domain.identity.one_time import OneTimeToken, Purpose
from domain.identity.passwords import PasswordRules, Strength
from domain.ids import new_id
from domain.mail.model import Mail

NOW = datetime(2026, 11, 26, 6, 0, tzinfo=UTC)
GOOD = "violet anchor nine meadow"
BASE = "https://tocsin.example"


@dataclass
class Held:
    """All that is kept; a unit works on a copy until it commits."""

    users: dict[UUID, User] = field(default_factory=dict)
    digests: dict[bytes, UUID] = field(default_factory=dict)
    teams: dict[UUID, Team] = field(default_factory=dict)
    members: list[Membership] = field(default_factory=list)
    tokens: dict[tuple[UUID, Purpose], OneTimeToken] = field(default_factory=dict)
    admissions: dict[bytes, Admission] = field(default_factory=dict)
    requests: list[AccountRequest] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    ended: list[tuple[UUID, UUID | None]] = field(default_factory=list)
    begun: list[UUID] = field(default_factory=list)


class FakeUnit:
    """One transaction over `Held`, and every repository of it."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._work = held

    async def __aenter__(self) -> Self:
        # What is held never changes, only what holds it.
        self._work = Held(**{name: copy(kept) for name, kept in vars(self._held).items()})
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._work = self._held

    async def commit(self) -> None:
        self._held.__dict__.update(self._work.__dict__)

    @property
    def users(self) -> "FakeUsers":
        return FakeUsers(self._work)

    @property
    def sessions(self) -> "FakeSessions":
        return FakeSessions(self._work)

    @property
    def challenges(self) -> "FakeChallenges":
        return FakeChallenges(self._work)

    @property
    def one_time_tokens(self) -> "FakeTokens":
        return FakeTokens(self._work)

    @property
    def admissions(self) -> "FakeAdmissions":
        return FakeAdmissions(self._work)

    @property
    def account_requests(self) -> "FakeRequests":
        return FakeRequests(self._work)

    @property
    def mail(self) -> "FakeList":
        return FakeList(self._work.mails)

    @property
    def audit(self) -> "FakeList":
        return FakeList(self._work.audit)


@dataclass
class FakeList:
    """Takes mails, or audit entries."""

    kept: list[Any]

    async def append(self, *more: Any) -> None:  # noqa: ANN401 - whatever the list holds
        self.kept += more


@dataclass
class FakeUsers:
    held: Held

    async def by_email(self, email_digest: bytes, *older: bytes) -> User | None:
        found = next((self.held.digests[one] for one in (email_digest, *older) if one in self.held.digests), None)
        return None if found is None else self.held.users[found]

    async def by_id(self, user_id: UUID) -> User | None:
        return self.held.users.get(user_id)

    async def locked(self, user_id: UUID) -> User | None:
        return self.held.users.get(user_id)

    async def add(self, user: User, *, email_digest: bytes, older_digests: Sequence[bytes] = ()) -> bool:
        if await self.by_email(email_digest, *older_digests):
            return False
        self.held.users[user.id] = user
        self.held.digests[email_digest] = user.id
        return True

    async def save(self, user: User, *, email_digest: bytes | None = None) -> bool:
        if email_digest is not None:
            if self.held.digests.get(email_digest, user.id) != user.id:
                return False
            self.held.digests = {key: owner for key, owner in self.held.digests.items() if owner != user.id}
            self.held.digests[email_digest] = user.id
        self.held.users[user.id] = user
        return True

    async def lock_administrators(self) -> None:
        """One transaction at a time is all there is here."""

    async def other_administrator(self, user_id: UUID) -> bool:
        return any(
            user.role is Role.ADMIN and user.is_active and user.id != user_id for user in self.held.users.values()
        )

    async def team_by_id(self, team_id: UUID) -> Team | None:
        return self.held.teams.get(team_id)

    async def is_member(self, team_id: UUID, user_id: UUID) -> bool:
        return any((one.team_id, one.user_id) == (team_id, user_id) for one in self.held.members)

    async def put_member(self, membership: Membership, *, by: Actor = SYSTEM) -> None:
        self.held.members.append(membership)


@dataclass
class FakeSessions:
    held: Held

    async def revoke_all(self, user_id: UUID, *, now: datetime, keep: UUID | None = None) -> list[UUID]:
        self.held.ended.append((user_id, keep))
        return []


@dataclass
class FakeChallenges:
    held: Held

    async def forget_person(self, user_id: UUID) -> None:
        self.held.begun = [one for one in self.held.begun if one != user_id]


@dataclass
class FakeTokens:
    held: Held

    async def issued(self, user_id: UUID, purpose: Purpose) -> OneTimeToken | None:
        return self.held.tokens.get((user_id, purpose))

    async def put(self, token: OneTimeToken) -> None:
        self.held.tokens[token.user_id, token.purpose] = token

    async def find(self, digest: bytes, *, now: datetime) -> OneTimeToken | None:
        return next((one for one in self.held.tokens.values() if one.digest == digest and one.expires_at > now), None)

    async def use(self, digest: bytes, *, now: datetime) -> OneTimeToken | None:
        found = await self.find(digest, now=now)
        return None if found is None else self.held.tokens.pop((found.user_id, found.purpose))

    async def void(self, user_id: UUID) -> None:
        self.held.tokens = {key: one for key, one in self.held.tokens.items() if one.user_id != user_id}


@dataclass
class FakeAdmissions:
    held: Held

    async def by_address(self, email_digests: Sequence[bytes]) -> Admission | None:
        return next((self.held.admissions[one] for one in email_digests if one in self.held.admissions), None)

    async def put(self, admission: Admission) -> None:
        self.held.admissions[admission.email_digest] = admission

    async def find(self, digest: bytes, *, now: datetime) -> Admission | None:
        waiting = self.held.admissions.values()
        return next((one for one in waiting if one.digest == digest and one.expires_at > now), None)

    async def use(self, digest: bytes, *, now: datetime) -> Admission | None:
        found = await self.find(digest, now=now)
        return None if found is None else self.held.admissions.pop(found.email_digest)

    async def remove(self, admission_id: UUID) -> Admission | None:
        found = next((one for one in self.held.admissions.values() if one.id == admission_id), None)
        return None if found is None else self.held.admissions.pop(found.email_digest)


@dataclass
class FakeRequests:
    held: Held

    async def add(self, request: AccountRequest) -> None:
        self.held.requests.append(request)


class FakeHasher:
    """The hash of a password is the password, marked. Notes what it was asked."""

    def __init__(self) -> None:
        self.hashed = 0

    async def hash(self, password: str) -> str:
        self.hashed += 1
        return f"#{password}"

    async def verify(self, password_hash: str | None, password: str) -> bool:
        return password_hash == f"#{password}"

    def is_outdated(self, password_hash: str) -> bool:
        return False


class FakeJudge:
    """Whatever tells of the person is easy to guess, and `password1234` for everybody."""

    async def judge(self, password: str, *, about: Sequence[str]) -> Strength:
        if password == "password1234" or any(word.lower() in password.lower() for word in about):
            return Strength(1, "it is known", ("take another",))
        return Strength(4)


class FakeThrottle:
    """Lets everybody through, and notes who came; or holds everybody up."""

    def __init__(self) -> None:
        self.attempts: list[bytes] = []
        self.wait = 0

    async def attempt(self, email_digest: bytes, ip_address: str | None) -> int:
        self.attempts.append(email_digest)
        return self.wait

    async def succeeded(self, email_digest: bytes, ip_address: str | None) -> None:
        self.attempts = [one for one in self.attempts if one != email_digest]


@dataclass
class Clock:
    """Stands still until it is moved."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


class Office:
    """A desk over dictionaries, and what a test asks of it."""

    def __init__(self) -> None:
        self.held, self.clock = Held(), Clock()
        self.throttles = {kind: FakeThrottle() for kind in AttemptKind}
        self.hasher = FakeHasher()
        self.desk = AccountDesk(
            units=self.unit,
            passwords=PasswordRules(judge=FakeJudge(), hasher=self.hasher, least=3),
            throttles=self.throttles.__getitem__,  # type: ignore[arg-type] # the real port takes a device as well
            clock=self.clock,
            rules=AccountRules(
                address_keys=(b"new" * 11, b"old" * 11),
                lives=LinkLives(verification=timedelta(days=1), reset=timedelta(hours=1), invitation=timedelta(days=7)),
                letters=Letters(BASE),
            ),
            is_open=True,
        )

    def unit(self) -> AccountUnit:
        return FakeUnit(self.held)

    def entry(self, action: str = "test") -> AuditEntry:
        return AuditEntry(
            id=new_id(), occurred_at=self.clock.now(), actor_kind=ActorKind.SYSTEM, action=action, ip_address="10.0.0.1"
        )

    async def user(self, email: str = "ada@example.com", **more: Any) -> User:  # noqa: ANN401 - fields of a person
        values = {"role": Role.VIEWER, "password_hash": f"#{GOOD}", **more}
        user = User(id=new_id(), email=email, created_at=NOW, **values)
        async with self.unit() as unit:
            assert await unit.users.add(user, email_digest=self.desk.rules.digests(email)[0])
            await unit.commit()
        return user

    async def answer_all(self) -> None:
        """Do what a worker does."""
        requests, self.held.requests = self.held.requests, []
        for request in requests:
            async with self.unit() as unit:
                await answer(request, unit=unit, rules=self.desk.rules, now=self.clock.now())
                await unit.commit()

    def token(self, number: int = -1) -> str:
        """The token in a mail."""
        return self.held.mails[number].text.split("#token=")[1].split()[0]

    def later(self, **duration: float) -> None:
        self.clock.time += timedelta(**duration)

    def now(self, user: User) -> User:
        """The person as kept."""
        return self.held.users[user.id]

    def closed(self) -> AccountDesk:
        """The desk of a server that is not open to registration."""
        return replace(self.desk, is_open=False)
