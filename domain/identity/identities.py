"""What is an account at another provider, and what do the use cases of federation need of the world?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.identity.ports import IdentityUnit

MAX_SUBJECT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A person's account at a provider."""

    id: UUID
    user_id: UUID
    provider: str
    subject: str
    created_at: datetime
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """What a provider says of whoever signed in there."""

    provider: str
    subject: str
    email: str | None = None
    is_email_verified: bool = False
    first_name: str = ""
    last_name: str = ""
    has_second_factor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """A single-use code by which a program takes over a sign-in that a browser finished for it."""

    digest: bytes
    user_id: UUID
    challenge: bytes
    has_second_factor: bool
    expires_at: datetime


class Identities(Protocol):
    """Accounts at providers, and the hand-overs of sign-ins."""

    async def by_subject(self, provider: str, subject: str) -> Identity | None:
        """The account of this subject."""
        ...

    async def of_user(self, user_id: UUID, *, lock: bool = False) -> Sequence[Identity]:
        """A person's accounts. `lock` holds up a second change of them until the transaction ends."""
        ...

    async def add(self, identity: Identity) -> bool:
        """Write a new account; False when it is linked already."""
        ...

    async def used(self, identity_id: UUID, *, now: datetime) -> None:
        """Note that it was used."""
        ...

    async def remove(self, identity_id: UUID) -> None:
        """Unlink it."""
        ...

    async def is_address_proved(self, user_id: UUID) -> bool:
        """Whether the person proved here that the address is theirs."""
        ...

    async def address_is_proved(self, user_id: UUID, *, now: datetime) -> None:
        """Note that a provider proved it."""
        ...

    async def spend_flow(self, flow_id: UUID, *, expires_at: datetime, now: datetime) -> bool:
        """Whether a sign-in at a provider comes back for the first time."""
        ...

    async def hand_over(self, code: HandOver, *, now: datetime) -> None:
        """Keep a code."""
        ...

    async def take_over(self, digest: bytes, *, now: datetime) -> HandOver | None:
        """The hand-over of a code, once."""
        ...


class FederationUnit(IdentityUnit, Protocol):
    """One transaction, with what providers need."""

    @property
    def identities(self) -> Identities:
        """Accounts at providers."""
        ...
