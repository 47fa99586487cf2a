"""Where are channels kept? A row each; all values of one together, sealed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.channels.model import Channel, ChannelKind
from persistence.reads.visibility import is_team_in_sight, visible
from persistence.sealing import Sealer, sealer_of
from persistence.tables import channels
from persistence.unless_taken import write_unless_taken

VALUES_COLUMN = "channels.sealed_values"
MAX_PROBLEM = 500


class ChannelRepository:
    """Channels, inside one transaction. Implements domain.channels.actions.Channels."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, channel: Channel) -> bool:
        """Write a new channel; False when the team has one of this name."""
        values = {**self._values(channel), "id": channel.id, "team_id": channel.team_id, "kind": channel.kind.value}
        return await self._written(sa.insert(channels).values(**values, created_at=channel.created_at))

    async def locked(self, channel_id: UUID, *, sight: Sight) -> Channel | None:
        """The channel with its values, locked; None for one out of sight or archived."""
        statement = (
            sa.select(channels)
            .where(channels.c.id == channel_id, channels.c.archived_at.is_(None), visible(sight, channels.c.team_id))
            .with_for_update()
        )
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else channel_of(row, sealer_of(self._connection))

    async def save(self, channel: Channel) -> bool:
        """Write an edit; False when the team has another of this name."""
        statement = sa.update(channels).where(channels.c.id == channel.id).values(self._values(channel))
        return await self._written(statement)

    def _values(self, channel: Channel) -> dict[str, Any]:
        sealer = sealer_of(self._connection)
        text = orjson.dumps(dict(channel.values)).decode()
        return {
            "name": channel.name,
            "sealed_values": sealer.seal(text, column=VALUES_COLUMN, row=channel.id) if channel.values else None,
            "updated_at": channel.updated_at,
            "archived_at": channel.archived_at,
            "problem": channel.problem,
            "problem_at": channel.problem_at,
            "version": channel.version,
        }

    async def _written(self, statement: sa.Executable) -> bool:
        return await write_unless_taken(self._connection, statement, unique="uq_channels")

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)


def channel_of(row: sa.RowMapping, sealer: Sealer | None) -> Channel:
    """The object of a row; without a sealer its values stay closed."""
    values: Mapping[str, str] = {}
    if sealer is not None and row["sealed_values"] is not None:
        values = orjson.loads(sealer.unseal(row["sealed_values"], column=VALUES_COLUMN, row=row["id"]))
    return Channel(
        id=row["id"],
        name=row["name"],
        kind=ChannelKind(row["kind"]),
        values=values,
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        team_id=row["team_id"],
        archived_at=row["archived_at"],
        problem=row["problem"],
        problem_at=row["problem_at"],
        template_failures=row["template_failures"],
        template_problem=row["template_problem"],
        template_problem_at=row["template_problem_at"],
        version=row["version"],
    )


async def list_channels(
    connection: AsyncConnection, *, sight: Sight, ids: Sequence[UUID] | None = None, with_archived: bool = False
) -> list[Channel]:
    """Channels within sight by name, their values opened."""
    statement = sa.select(channels).where(visible(sight, channels.c.team_id)).order_by(channels.c.name, channels.c.id)
    if ids is not None:
        statement = statement.where(channels.c.id.in_(list(ids)))
    if not with_archived:
        statement = statement.where(channels.c.archived_at.is_(None))
    sealer = sealer_of(connection)
    return [channel_of(row, sealer) for row in (await connection.execute(statement)).mappings()]


async def note_problem(connection: AsyncConnection, channel_id: UUID, problem: str | None, *, now: datetime) -> None:
    """Write down how the last message to the channel went; None: well."""
    changed = channels.c.problem.is_distinct_from(problem) if problem is None else sa.true()
    await connection.execute(
        sa.update(channels)
        .where(channels.c.id == channel_id, changed)
        .values(problem=problem and problem[:MAX_PROBLEM], problem_at=None if problem is None else now)
    )
