"""Where are channels kept? A row each; all values of one together, sealed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.channels.kinds import kind_named, names_of
from domain.channels.model import Channel
from persistence.of_teams import OfTeamsRepository, listed
from persistence.sealing import Sealer, sealer_of
from persistence.tables import channels

VALUES_COLUMN = "channels.sealed_values"
MAX_PROBLEM = 500


class ChannelRepository(OfTeamsRepository[Channel]):
    """Channels with their values, inside one transaction. Implements domain.channels.actions.Channels."""

    table = channels
    unique = "uq_channels"

    def _thing_of(self, row: Mapping[Any, Any]) -> Channel:
        return channel_of(row, sealer_of(self._connection))

    def _values(self, channel: Channel) -> dict[str, Any]:
        sealer = sealer_of(self._connection)
        text = orjson.dumps(dict(channel.values)).decode()
        return {
            "kind": channel.kind.name,
            "name": channel.name,
            "sealed_values": sealer.seal(text, column=VALUES_COLUMN, row=channel.id) if channel.values else None,
            "updated_at": channel.updated_at,
            "archived_at": channel.archived_at,
            "problem": channel.problem,
            "problem_at": channel.problem_at,
            "version": channel.version,
        }


def channel_of(row: Mapping[Any, Any], sealer: Sealer | None) -> Channel:
    """The object of a row; without a sealer its values stay closed."""
    values: Mapping[str, str] = {}
    if sealer is not None and row["sealed_values"] is not None:
        values = orjson.loads(sealer.unseal(row["sealed_values"], column=VALUES_COLUMN, row=row["id"]))
    return Channel(
        id=row["id"],
        name=row["name"],
        kind=kind_named(row["kind"]),
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
    """Channels within sight by name, their values opened; none of a kind that only a newer version knows."""
    statement = listed(channels, sight=sight, ids=ids, with_archived=with_archived).where(is_known())
    sealer = sealer_of(connection)
    return [channel_of(row, sealer) for row in (await connection.execute(statement)).mappings()]


def is_known() -> sa.ColumnElement[bool]:
    """Whether a row of `channels` is of a kind this version has."""
    return channels.c.kind.in_(names_of())


async def note_problem(connection: AsyncConnection, channel_id: UUID, problem: str | None, *, now: datetime) -> None:
    """Write down how the last message to the channel went; None: well."""
    changed = channels.c.problem.is_distinct_from(problem) if problem is None else sa.true()
    await connection.execute(
        sa.update(channels)
        .where(channels.c.id == channel_id, changed)
        .values(problem=problem and problem[:MAX_PROBLEM], problem_at=None if problem is None else now)
    )
