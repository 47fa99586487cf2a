"""What do the use cases of accounts need of the world? Stores within one transaction, and mail that leaves after it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.alerts.events import SYSTEM, Actor
from domain.audit.model import AuditTrail
from domain.identity.admissions import AccountRequest, Admission
from domain.identity.model import Membership, Team, User
from domain.identity.one_time import OneTimeToken, Purpose
from domain.mail.ports import MailBox
from domain.ports import Transaction


class Accounts(Protocol):
    """People whose accounts change."""

    async def by_email(self, email_digest: bytes, *older: bytes) -> User | None:
        """The person with this address; `older` are its digests under former keys."""
        ...

    async def by_id(self, user_id: UUID) -> User | None:
        """The person with this id."""
        ...

    async def locked(self, user_id: UUID) -> User | None:
        """The same, locked until the transaction ends."""
        ...

    async def add(self, user: User, *, email_digest: bytes, older_digests: Sequence[bytes] = ()) -> bool:
        """Write a new person; False when the address is taken."""
        ...

    async def save(self, user: User, *, email_digest: bytes | None = None) -> bool:
        """Write what changed of a locked person, as the next version; with a digest when the address is another.

        False when the address is taken.
        """
        ...

    async def lock_administrators(self) -> None:
        """Wait for whoever else takes an administrator away, until the transaction ends."""
        ...

    async def other_administrator(self, user_id: UUID) -> bool:
        """Whether anybody else is an administrator and may sign in."""
        ...

    async def team_by_id(self, team_id: UUID) -> Team | None:
        """The team with this id, unless it is archived."""
        ...

    async def is_member(self, team_id: UUID, user_id: UUID) -> bool:
        """Whether the person is a member of the team."""
        ...

    async def put_member(self, membership: Membership, *, by: Actor = SYSTEM) -> None:
        """Make a person a member of a team, or change the role there."""
        ...


class OneTimeTokens(Protocol):
    """Links to people's mailboxes."""

    async def issued(self, user_id: UUID, purpose: Purpose) -> OneTimeToken | None:
        """The person's link for this purpose, be it too old."""
        ...

    async def put(self, token: OneTimeToken) -> None:
        """Keep it, in the place of an older one."""
        ...

    async def find(self, digest: bytes, *, now: datetime) -> OneTimeToken | None:
        """The link with this digest that still works."""
        ...

    async def use(self, digest: bytes, *, now: datetime) -> OneTimeToken | None:
        """The same, and it works no more: of two at once one gets it."""
        ...

    async def void(self, user_id: UUID) -> None:
        """End all links of a person."""
        ...


class Admissions(Protocol):
    """People at the door."""

    async def by_address(self, email_digests: Sequence[bytes]) -> Admission | None:
        """The one with this address, be it too old; locked until the transaction ends."""
        ...

    async def put(self, admission: Admission) -> None:
        """Keep it, in the place of an older one of the address."""
        ...

    async def find(self, digest: bytes, *, now: datetime) -> Admission | None:
        """The one whose link has this digest and still works."""
        ...

    async def use(self, digest: bytes, *, now: datetime) -> Admission | None:
        """The same, and it is gone: of two at once one gets it."""
        ...

    async def remove(self, admission_id: UUID) -> Admission | None:
        """Take it back; what it was."""
        ...


class AccountRequests(Protocol):
    """What strangers asked for."""

    async def add(self, request: AccountRequest) -> None:
        """Keep it until it is answered."""
        ...


class PeoplesSessions(Protocol):
    """Sign-ins, seen from the account."""

    async def revoke_all(self, user_id: UUID, *, now: datetime, keep: UUID | None = None) -> list[UUID]:
        """End all of a person's sessions but `keep`; the ids of those that ended now."""
        ...


class BegunProofs(Protocol):
    """Sign-ins that wait for a second factor."""

    async def forget_person(self, user_id: UUID) -> None:
        """End all that a person has begun."""
        ...


class AccountUnit(Transaction, Protocol):
    """One transaction: commit, or leave it and nothing happened."""

    @property
    def users(self) -> Accounts:
        """People."""
        ...

    @property
    def sessions(self) -> PeoplesSessions:
        """Sign-ins."""
        ...

    @property
    def challenges(self) -> BegunProofs:
        """Sign-ins that are half-way."""
        ...

    @property
    def one_time_tokens(self) -> OneTimeTokens:
        """Links to mailboxes."""
        ...

    @property
    def admissions(self) -> Admissions:
        """People at the door."""
        ...

    @property
    def account_requests(self) -> AccountRequests:
        """What strangers asked for."""
        ...

    @property
    def mail(self) -> MailBox:
        """Mail that leaves after the commit."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """Where entries go."""
        ...


AccountUnits = Callable[[], AccountUnit]
