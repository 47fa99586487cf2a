"""How is a person erased? Asked for by typing the address, written on a ledger outside the database, then done.

The ledger comes before the commit: of an erasure that was promised nothing may be forgotten, not even when the database
is restored from a copy of before. The other way round, a crash between the two would let the person come back. What the
ledger holds and the database does not is done at the next start.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.audit.model import AuditEntry, AuditTrail
from domain.errors import InvalidInput, LastAdministrator, NotFound
from domain.identity.addresses import normalised
from domain.identity.model import Role, User
from domain.ports import Clock, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One line of the ledger: who, when, and whether the words they left on timelines go as well."""

    user_id: UUID
    erased_at: datetime
    comments: bool


class ErasureLedger(Protocol):
    """The erasures, outside the database. It only grows."""

    async def append(self, erasure: Erasure) -> None:
        """Write a line; it is durable when this returns. A person who is there already is no fault."""
        ...

    def entries(self) -> AsyncIterator[Erasure]:
        """All lines."""
        ...


class Erasing(Protocol):
    """What is kept of people, inside one transaction."""

    async def locked(self, user_id: UUID) -> User | None:
        """The person, held until the transaction ends, and with them every administrator; None for an erased one."""
        ...

    async def other_admins(self, user_id: UUID) -> int:
        """How many administrators there are beside this person."""
        ...

    async def erase(self, erasure: Erasure) -> list[str]:
        """Forget the person. The keys of files in the object store that are to go once this is committed."""
        ...


class ErasureUnit(Transaction, Protocol):
    """One transaction."""

    @property
    def erasing(self) -> Erasing:
        """What is kept of people."""
        ...

    @property
    def audit(self) -> AuditTrail:
        """Where entries go."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseRequest:
    """Whom to erase. The address is typed once more, so that nobody is erased by a wrong click."""

    user_id: UUID
    confirm_email: str
    comments: bool = False


async def erase_person(
    asked: EraseRequest,
    *,
    units: Callable[[], ErasureUnit],
    ledger: ErasureLedger,
    clock: Clock,
    entry: AuditEntry,
) -> list[str]:
    """Erase the person; the keys of files to remove now. Nothing of it can be taken back."""
    async with units() as unit:
        user = await unit.erasing.locked(asked.user_id)
        if user is None:
            message = "no such person"
            raise NotFound(message, ("userId",))
        if normalised(asked.confirm_email) != normalised(user.email):
            message = "type the address of the person who is to be erased"
            raise InvalidInput(message, ("confirmEmail",))
        if user.role is Role.ADMIN and user.is_active and not await unit.erasing.other_admins(user.id):
            message = "the last administrator cannot be erased: make another one first"
            raise LastAdministrator(message)
        erasure = Erasure(user_id=user.id, erased_at=clock.now(), comments=asked.comments)
        await ledger.append(erasure)
        files = await unit.erasing.erase(erasure)
        await unit.audit.append(entry)
        await unit.commit()
    return files
