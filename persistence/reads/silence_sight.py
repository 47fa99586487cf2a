"""Which silences does a viewer see, and where may they make one? One condition, and the looks that precede a change."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.silences.model import Silence
from persistence.reads.visibility import is_team_in_sight, visible
from persistence.silences import SILENCE_COLUMNS, silence_of
from persistence.tables import integrations, silences


def seen(
    sight: Sight, team_id: sa.ColumnElement[object], integration_id: sa.ColumnElement[object]
) -> sa.ColumnElement[bool]:
    """The condition that a silence or a maintenance window is within sight: its team, and its integration."""
    if sight.everything:
        return sa.true()
    of_mine = sa.select(integrations.c.id).where(visible(sight, integrations.c.default_team_id))
    return sa.and_(visible(sight, team_id), sa.or_(integration_id.is_(None), integration_id.in_(of_mine)))


def silences_seen(sight: Sight) -> sa.ColumnElement[bool]:
    """The condition that a silence is within sight."""
    return seen(sight, silences.c.team_id, silences.c.integration_id)


class SilencePlaces:
    """Implements domain.silences.by_people.Places, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)

    async def integration_in_sight(self, integration_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such an integration, not archived and within sight."""
        there = (
            integrations.c.id == integration_id,
            integrations.c.archived_at.is_(None),
            visible(sight, integrations.c.default_team_id),
        )
        return bool(await self._connection.scalar(sa.select(sa.exists().where(*there))))

    async def silence_in_sight(self, silence_id: UUID, *, sight: Sight) -> Silence | None:
        """The silence; None for one out of sight."""
        statement = sa.select(*SILENCE_COLUMNS).where(silences.c.id == silence_id, silences_seen(sight))
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else silence_of(row)
