"""How does a process know what teams own? In memory, at the version that the running transaction has read.

The version is one more column of a statement that ingest runs anyway, so knowing costs no round trip, and a change
counts from the first batch that begins after its COMMIT: there is nothing to renew, and no notice that could be lost.
See docs/decisions/026.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.silences.matchers import LabelMatcher, matchers_from_json
from domain.teams.ownership import NOTHING_OWNED, Claim, Ownership, OwnershipLine
from persistence.tables import team_ownerships

# One statement, so that the version is that of the lines beside it.
_READ = """
SELECT (SELECT version FROM team_ownership_version) AS version,
       (SELECT coalesce(json_agg(json_build_object(
               'id', o.id, 'teamId', o.team_id, 'team', t.name, 'isPrivate', t.is_private, 'service', o.service_name,
               'matchers', o.matchers::text, 'rank', o.rank)), '[]')::text
          FROM team_ownerships o JOIN teams t ON t.id = o.team_id WHERE t.archived_at IS NULL) AS lines,
       (SELECT coalesce(json_agg(json_build_array(id, handed_over_to)), '[]')::text
          FROM teams WHERE archived_at IS NOT NULL) AS archived,
       ARRAY(SELECT id FROM teams WHERE is_private) AS private,
       (SELECT coalesce(json_agg(json_build_array(id, pause_seconds)), '[]')::text
          FROM teams WHERE pause_seconds IS NOT NULL) AS pauses
"""
# Compiled patterns outlive a change of other lines.
_KNOWN_MATCHERS = 10_000


class KnownOwnership:
    """What teams own, as this process read it last. Shared by all who write over connections of their own."""

    def __init__(self) -> None:
        self.current = NOTHING_OWNED

    async def at(self, connection: asyncpg.Connection, *, version: int) -> Ownership:
        """The ownership of the version that the connection's transaction has read, or of a later one."""
        if version != self.current.version:
            row = await connection.fetchrow(_READ)
            if row is None:  # pragma: no cover - a SELECT without FROM has a row
                return NOTHING_OWNED
            self.current = _ownership_of(dict(row))
        return self.current


async def read_ownership(connection: AsyncConnection) -> Ownership:
    """What teams own now: for a preview."""
    row = (await connection.execute(sa.text(_READ))).one()
    return _ownership_of(row._mapping)  # noqa: SLF001 - its documented name


def _ownership_of(row: Mapping[Any, Any]) -> Ownership:
    return Ownership(
        version=row["version"],
        claims=[_claim_of(line) for line in orjson.loads(row["lines"])],
        heirs={UUID(team): None if heir is None else UUID(heir) for team, heir in orjson.loads(row["archived"])},
        private_teams=frozenset(row["private"]),
        pauses={UUID(team): seconds for team, seconds in orjson.loads(row["pauses"])},
    )


def _claim_of(values: dict[str, Any]) -> Claim:
    line = OwnershipLine(
        id=UUID(values["id"]),
        team_id=UUID(values["teamId"]),
        service_name=values["service"],
        matchers=() if values["matchers"] is None else _matchers_of(values["matchers"]),
        rank=values["rank"],
    )
    return Claim(line, values["team"], values["isPrivate"])


@lru_cache(maxsize=_KNOWN_MATCHERS)
def _matchers_of(text: str) -> tuple[LabelMatcher, ...]:
    return matchers_from_json(orjson.loads(text))


class OwnershipLines:
    """The lines of teams, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_team(self, team_id: UUID) -> list[OwnershipLine]:
        """The team's lines, in the order they count."""
        return (await lines_of_teams(self._connection, [team_id]))[team_id]

    async def replace(self, team_id: UUID, lines: Sequence[OwnershipLine], *, now: object) -> None:
        """Have these lines for the team, and no others; one that was there already stays the row it was."""
        kept = [line.id for line in lines]
        mine = team_ownerships.c.team_id == team_id
        await self._connection.execute(sa.delete(team_ownerships).where(mine, team_ownerships.c.id.not_in(kept)))
        there = set(await self._connection.scalars(sa.select(team_ownerships.c.id).where(mine)))
        new = [line for line in lines if line.id not in there]
        if new:
            await self._connection.execute(sa.insert(team_ownerships), [_row_of(line, now) for line in new])

    async def move(self, team_id: UUID, *, to: UUID) -> int:
        """Give all lines of a team to another, less those it has already; how many they were."""
        theirs = team_ownerships.alias("theirs")
        same = sa.exists().where(
            theirs.c.team_id == to,
            theirs.c.service_name.is_not_distinct_from(team_ownerships.c.service_name),
            theirs.c.matchers.is_not_distinct_from(team_ownerships.c.matchers),
        )
        await self._connection.execute(sa.delete(team_ownerships).where(team_ownerships.c.team_id == team_id, same))
        moved = sa.update(team_ownerships).where(team_ownerships.c.team_id == team_id).values(team_id=to)
        return (await self._connection.execute(moved)).rowcount


def _row_of(line: OwnershipLine, now: object) -> dict[str, Any]:
    return {
        "id": line.id,
        "team_id": line.team_id,
        "service_name": line.service_name,
        "matchers": sa.null() if line.service_name is not None else [matcher.as_json() for matcher in line.matchers],
        "rank": line.rank,
        "created_at": now,
    }


async def lines_of_teams(connection: AsyncConnection, team_ids: Sequence[UUID]) -> dict[UUID, list[OwnershipLine]]:
    """The lines of each team, in the order they count among each other."""
    table = team_ownerships
    rows = await connection.execute(
        sa.select(table)
        .where(table.c.team_id.in_(list(team_ids)))
        .order_by(table.c.service_name.is_(None), table.c.rank, table.c.id)
    )
    found: dict[UUID, list[OwnershipLine]] = {team_id: [] for team_id in team_ids}
    for row in rows.mappings():
        matchers = () if row["matchers"] is None else matchers_from_json(row["matchers"])
        found[row["team_id"]].append(
            OwnershipLine(
                id=row["id"],
                team_id=row["team_id"],
                service_name=row["service_name"],
                matchers=matchers,
                rank=row["rank"],
            )
        )
    return found
