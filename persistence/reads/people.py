"""How are people found? By role, team and activity in SQL; by an address's digest; by name after reading.

Names and addresses are sealed at rest, so the store cannot look into them. An address is found by its keyed digest; a
name is compared here, row by row, in the order of the list and within a bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import InvalidInput
from domain.identity.model import Role, User
from persistence.tables import memberships, users
from persistence.users import count_users, page_of_users

MAX_SEARCH = 254
BATCH = 500
MOST_READ = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFilter:
    """Who is looked for. `digests` are those of a whole address, `words` begin parts of the name."""

    digests: Sequence[bytes] = ()
    words: tuple[str, ...] = ()
    role: Role | None = None
    is_active: bool | None = None
    team_id: UUID | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """What the store can judge."""
        found: list[sa.ColumnElement[bool]] = []
        if self.digests:
            found.append(users.c.email_digest.in_(self.digests))
        if self.role is not None:
            found.append(users.c.role == self.role.value)
        if self.is_active is not None:
            found.append(users.c.is_active == self.is_active)
        if self.team_id is not None:
            members = sa.select(memberships.c.user_id).where(memberships.c.team_id == self.team_id)
            found.append(users.c.id.in_(members))
        return found

    def names(self, user: User) -> bool:
        """Whether each word begins a part of the person's name."""
        parts = f"{user.first_name} {user.last_name}".casefold().replace("-", " ").split()
        return all(any(part.startswith(word) for part in parts) for word in self.words)


def words_of(search: str) -> tuple[str, ...]:
    """The words of a search."""
    if len(search) > MAX_SEARCH:
        message = f"a search has at most {MAX_SEARCH} characters"
        raise InvalidInput(message, ("filter", "search"))
    return tuple(search.casefold().replace("-", " ").split())


async def page_of_people(
    connection: AsyncConnection,
    wanted: PeopleFilter,
    *,
    limit: int,
    after: UUID | None,
    before: UUID | None,
    backward: bool,
) -> list[User]:
    """Up to `limit + 1` people from the first created on, in reverse when `backward`."""
    where = wanted.conditions()
    if not wanted.words:
        return await page_of_users(connection, limit=limit, after=after, before=before, backward=backward, where=where)
    found: list[User] = []
    for _ in range(MOST_READ // BATCH):
        read = await page_of_users(
            connection, limit=BATCH - 1, after=after, before=before, backward=backward, where=where
        )
        found += filter(wanted.names, read)
        if len(found) > limit or len(read) < BATCH:
            return found[: limit + 1]
        after, before = (after, read[-1].id) if backward else (read[-1].id, before)
    message = f"a search by name looks at {MOST_READ} people at most: give a role or a team as well, or a whole address"
    raise InvalidInput(message, ("filter", "search"))


async def count_people(connection: AsyncConnection, wanted: PeopleFilter) -> int | None:
    """How many there are; None where each would have to be read to know."""
    return None if wanted.words else await count_users(connection, where=wanted.conditions())
