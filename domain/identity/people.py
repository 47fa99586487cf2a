"""How do people come to be? By an administrator's hand, checked, and on the audit log. Teams: domain/teams/life.py."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from domain.alerts.events import Actor
from domain.audit.model import AuditEntry
from domain.errors import AlreadyExists, InvalidInput, NotFound
from domain.identity.addresses import address_digests, checked_address
from domain.identity.model import MAX_PERSON_NAME, Membership, Role, User
from domain.identity.passwords import PasswordRules, words_about
from domain.identity.ports import IdentityUnit
from domain.ids import new_id
from domain.ports import Clock

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A person to be made."""

    email: str
    password: str
    role: Role
    first_name: str = ""
    last_name: str = ""
    team_id: UUID | None = None


def checked_name(name: str, most: int, *path: str, may_be_empty: bool = False) -> str:
    """A name for people: trimmed, one line, neither empty nor endless."""
    name = name.strip()
    if len(name) > most or _CONTROL.search(name) or not (name or may_be_empty):
        message = f"a name has {0 if may_be_empty else 1} to {most} characters on one line"
        raise InvalidInput(message, path)
    return name


async def make_user(new: NewUser, *, passwords: PasswordRules, clock: Clock) -> User:
    """The person, checked, with the password judged and hashed. Slow: call it before the transaction."""
    email = checked_address(new.email, "email")
    first = checked_name(new.first_name, MAX_PERSON_NAME, "firstName", may_be_empty=True)
    last = checked_name(new.last_name, MAX_PERSON_NAME, "lastName", may_be_empty=True)
    return User(
        id=new_id(),
        email=email,
        role=new.role,
        created_at=clock.now(),
        password_hash=await passwords.hashed(new.password, about=words_about(email, first, last), path="password"),
        first_name=first,
        last_name=last,
        team_id=new.team_id,
    )


async def add_user(user: User, *, unit: IdentityUnit, address_keys: Sequence[bytes], entry: AuditEntry) -> None:
    """Write the person; a primary team makes them a member of it."""
    if user.team_id is not None and await unit.users.team_by_id(user.team_id) is None:
        message = "no such team"
        raise NotFound(message, ("teamId",))
    address, *older = address_digests(user.email, address_keys)
    if not await unit.users.add(user, email_digest=address, older_digests=older):
        message = "another person has this address"
        raise AlreadyExists(message, ("email",))
    if user.team_id is not None:
        membership = Membership(team_id=user.team_id, user_id=user.id, role=user.role, created_at=user.created_at)
        await unit.users.put_member(membership, by=Actor(entry.actor_kind, entry.actor_id))
    await unit.audit.append(entry)
