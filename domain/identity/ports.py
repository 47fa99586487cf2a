"""What do the use cases of identity need of the world? Stores within one transaction, a password hasher, a throttle."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.alerts.events import SYSTEM, Actor
from domain.audit.model import AuditTrail
from domain.identity.factor_ports import ChallengeStore, FactorStore, PasskeyStore
from domain.identity.model import Membership, Team, User
from domain.identity.sessions import Session
from domain.mail.ports import MailBox
from domain.ports import Transaction


class People(Protocol):
    """People and teams."""

    async def by_email(self, email_digest: bytes, *older: bytes) -> User | None:
        """The person with this address; `older` are its digests under former keys."""
        ...

    async def by_id(self, user_id: UUID) -> User | None:
        """The person with this id."""
        ...

    async def locked(self, user_id: UUID) -> User | None:
        """The person with this id, locked until the transaction ends."""
        ...

    async def add(self, user: User, *, email_digest: bytes, older_digests: Sequence[bytes] = ()) -> bool:
        """Write a new person; False when the address is taken, be it under a former key."""
        ...

    async def renew_digest(self, user_id: UUID, email_digest: bytes) -> None:
        """Write the digest of the address under the current key, where it was under a former one."""
        ...

    async def signed_in(self, user: User) -> None:
        """Note `last_login`, and the password hash where it was made anew."""
        ...

    async def team_by_id(self, team_id: UUID) -> Team | None:
        """The team with this id, unless it is archived."""
        ...

    async def put_member(self, membership: Membership, *, by: Actor = SYSTEM) -> None:
        """Make a person a member of a team, or change the role there."""
        ...


class Sessions(Protocol):
    """Sign-ins."""

    async def add(self, session: Session) -> None:
        """Write a new session."""
        ...

    async def locked(self, session_id: UUID) -> Session | None:
        """The session, locked until the transaction ends: of two refreshes at once the second sees the first."""
        ...

    async def save(self, session: Session) -> None:
        """Write what a use or a revocation changed."""
        ...

    async def revoke_all(self, user_id: UUID, *, now: datetime, keep: UUID | None = None) -> list[UUID]:
        """End all of a person's sessions but `keep`; the ids of those that ended now."""
        ...


class IdentityUnit(Transaction, Protocol):
    """One transaction: commit, or leave it and nothing happened."""

    @property
    def users(self) -> People:
        """People and teams."""
        ...

    @property
    def sessions(self) -> Sessions:
        """Sign-ins."""
        ...

    @property
    def factors(self) -> FactorStore:
        """Second factors, and what sessions proved."""
        ...

    @property
    def passkeys(self) -> PasskeyStore:
        """Public keys of people's devices."""
        ...

    @property
    def challenges(self) -> ChallengeStore:
        """Proofs that have begun."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """Where entries go."""
        ...

    @property
    def mail(self) -> MailBox:
        """Mail that leaves after the commit."""
        ...


IdentityUnits = Callable[[], IdentityUnit]


class PasswordHasher(Protocol):
    """Slow on purpose, and never on the event loop."""

    async def hash(self, password: str) -> str:
        """The hash to store."""
        ...

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right. None takes as long as a real hash and is never right."""
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        ...


class LoginThrottle(Protocol):
    """Slows down whoever guesses."""

    async def attempt(self, email_digest: bytes, ip_address: str | None, *, device: str | None = None) -> int:
        """Count an attempt. 0, or the seconds to wait before the next is looked at.

        `device` is the token of a device the person signed in with before: strangers' guesses do not hold it up.
        """
        ...

    async def succeeded(self, email_digest: bytes, ip_address: str | None, *, device: str | None = None) -> None:
        """Forget the failures of this address from here."""
        ...
