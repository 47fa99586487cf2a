"""How do people and teams come to be? By an administrator's or a manager's hand, checked, and on the audit log."""

import re
from dataclasses import dataclass
from uuid import UUID

from domain.alerts.visibility import Sight
from domain.audit.model import AuditEntry
from domain.errors import AlreadyExists, InvalidInput, NotFound
from domain.identity.addresses import address_digest, checked_address
from domain.identity.model import MAX_PERSON_NAME, MAX_TEAM_NAME, Membership, Role, Team, User
from domain.identity.ports import IdentityUnit, PasswordHasher
from domain.identity.sign_in import MAX_PASSWORD
from domain.ids import new_id
from domain.ports import Clock

MIN_PASSWORD = 10
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """A person to be made."""

    email: str
    password: str
    role: Role
    first_name: str = ""
    last_name: str = ""
    team_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTeam:
    """A team to be made. Without a slug one is made of the name."""

    name: str
    slug: str | None = None
    is_private: bool = False


def checked_password(password: str, *path: str) -> str:
    """The password; InvalidInput when it is too short or absurdly long. Length is what makes a password strong."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        message = f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters"
        raise InvalidInput(message, path)
    return password


def checked_name(name: str, most: int, *path: str, may_be_empty: bool = False) -> str:
    """A name for people: trimmed, one line, neither empty nor endless."""
    name = name.strip()
    if len(name) > most or _CONTROL.search(name) or not (name or may_be_empty):
        message = f"a name has {0 if may_be_empty else 1} to {most} characters on one line"
        raise InvalidInput(message, path)
    return name


async def make_user(new: NewUser, *, hasher: PasswordHasher, clock: Clock) -> User:
    """The person, checked, with the password hashed. Slow: call it before the transaction."""
    email = checked_address(new.email, "email")
    first = checked_name(new.first_name, MAX_PERSON_NAME, "firstName", may_be_empty=True)
    last = checked_name(new.last_name, MAX_PERSON_NAME, "lastName", may_be_empty=True)
    password = checked_password(new.password, "password")
    return User(
        id=new_id(),
        email=email,
        role=new.role,
        created_at=clock.now(),
        password_hash=await hasher.hash(password),
        first_name=first,
        last_name=last,
        team_id=new.team_id,
    )


async def add_user(user: User, *, unit: IdentityUnit, address_key: bytes, entry: AuditEntry) -> None:
    """Write the person; a primary team makes them a member of it."""
    if user.team_id is not None and await unit.users.team_by_id(user.team_id) is None:
        message = "no such team"
        raise NotFound(message, ("teamId",))
    if not await unit.users.add(user, email_digest=address_digest(user.email, address_key)):
        message = "another person has this address"
        raise AlreadyExists(message, ("email",))
    if user.team_id is not None:
        await unit.users.put_member(
            Membership(team_id=user.team_id, user_id=user.id, role=user.role, created_at=user.created_at)
        )
    await unit.audit.append(entry)


def make_team(new: NewTeam, *, clock: Clock) -> Team:
    """The team, checked."""
    name = checked_name(new.name, MAX_TEAM_NAME, "name")
    slug = _NOT_SLUG.sub("-", name.lower()).strip("-") if new.slug is None else new.slug
    if not _SLUG.fullmatch(slug) or len(slug) > MAX_TEAM_NAME:
        message = "a slug has lower-case letters, digits and single hyphens between them; give one"
        raise InvalidInput(message, ("slug",))
    return Team(id=new_id(), name=name, slug=slug, is_private=new.is_private, created_at=clock.now())


async def add_team(team: Team, *, founder: Membership | None = None, unit: IdentityUnit, entry: AuditEntry) -> None:
    """Write the team, with its first member if it needs one: somebody must see a private team to let others in."""
    if not await unit.users.add_team(team):
        message = "this name or slug is taken"
        raise AlreadyExists(message, ("name",))
    if founder is not None:
        await unit.users.put_member(founder)
    await unit.audit.append(entry)


async def add_member(membership: Membership, *, sight: Sight, unit: IdentityUnit, entry: AuditEntry) -> None:
    """Make a person a member of a team, or change the role there.

    `sight` is that of who does it: a private team's door opens from the inside, or a manager could let himself in.
    """
    team = await unit.users.team_by_id(membership.team_id)
    if team is None or not sight.sees(team.id, {team.id} if team.is_private else set()):
        message = "no such team"
        raise NotFound(message, ("teamId",))
    if await unit.users.by_id(membership.user_id) is None:
        message = "no such person"
        raise NotFound(message, ("userId",))
    await unit.users.put_member(membership)
    await unit.audit.append(entry)
