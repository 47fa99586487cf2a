"""Where are teams, their members and their hand-overs kept? Rows of `teams`, `memberships` and `team_handovers`."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.events import Actor, ActorKind
from domain.alerts.visibility import Sight
from domain.identity.model import Membership, Role, Team
from domain.identity.team_roles import TO_MANAGE
from domain.teams.handover import Handover
from domain.teams.ports import TeamUse
from persistence.locks import TEAMS_LOCK
from persistence.reads.teams import team_of
from persistence.reads.visibility import visible
from persistence.tables import OPEN, alerts, integrations, memberships, team_handovers, teams, users

_HANDOVER = tuple(team_handovers.c)
# Whose they are is looked at last: a team may have a million resolved alerts, and its few open ones are found among all
# that are open.
_OPEN = (
    sa.select(alerts.c.id, alerts.c.team_id, alerts.c.created_at).where(sa.text("alerts." + OPEN)).offset(0).subquery()
)
_MANAGING = [role.value for role in Role if role.includes(TO_MANAGE)]


class TeamRepository:
    """Teams, inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self) -> None:
        """Let nobody else change teams until the transaction ends; before its first write, see locks.py."""
        await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TEAMS_LOCK)))

    async def locked(self, ids: Sequence[UUID], *, sight: Sight) -> dict[UUID, Team]:
        """The teams of these ids, locked as all teams are; those that are archived or out of sight are missing."""
        await self.lock()
        statement = sa.select(*teams.c).where(
            teams.c.id.in_(list(ids)), teams.c.archived_at.is_(None), visible(sight, teams.c.id)
        )
        rows = (await self._connection.execute(statement)).mappings()
        return {team.id: team for team in map(team_of, rows)}

    async def add(self, team: Team) -> bool:
        """Write a new team; False when its name or slug is taken."""
        statement = insert(teams).values(_values(team)).on_conflict_do_nothing()
        return (await self._connection.execute(statement)).rowcount == 1

    async def save(self, team: Team) -> bool:
        """Write what a change made of it; False when its new name or slug is taken, and the transaction is lost."""
        try:
            await self._connection.execute(sa.update(teams).where(teams.c.id == team.id).values(_values(team)))
        except IntegrityError:
            return False
        return True

    # -- members ---------------------------------------------------------------------------------------------------

    async def membership(self, team_id: UUID, user_id: UUID) -> Membership | None:
        """A person's place in a team."""
        rows = await self._connection.execute(sa.select(memberships).where(*_of(team_id, user_id)))
        row = rows.mappings().one_or_none()
        return None if row is None else Membership(**{**row, "role": Role(row["role"])})

    async def remove_member(self, team_id: UUID, user_id: UUID) -> None:
        """Take a person out; a team that was the primary one makes room for the oldest other."""
        await self._connection.execute(sa.delete(memberships).where(*_of(team_id, user_id)))
        oldest = (
            sa.select(memberships.c.team_id)
            .where(memberships.c.user_id == user_id)
            .order_by(memberships.c.created_at, memberships.c.team_id)
            .limit(1)
            .scalar_subquery()
        )
        await self._connection.execute(
            sa.update(users).where(users.c.id == user_id, users.c.team_id == team_id).values(team_id=oldest)
        )

    async def has_manager(self, team_id: UUID) -> bool:
        """Whether a member who may sign in may manage the team, by the role there or everywhere."""
        may = sa.or_(memberships.c.role.in_(_MANAGING), users.c.role.in_(_MANAGING))
        member = sa.and_(memberships.c.team_id == team_id, memberships.c.user_id == users.c.id)
        return bool(await self._connection.scalar(sa.select(sa.exists().where(member, users.c.is_active, may))))

    # -- what hangs on a team --------------------------------------------------------------------------------------

    async def use_of(self, team_id: UUID) -> TeamUse:
        """What still hangs on it."""
        open_alerts = sa.select(sa.func.count()).select_from(_OPEN).where(_OPEN.c.team_id == team_id)
        living = sa.select(sa.func.count()).select_from(integrations).where(*_integrations_of(team_id))
        return TeamUse(
            open_alerts=await self._connection.scalar(open_alerts) or 0,
            integrations=await self._connection.scalar(living) or 0,
        )

    async def give_integrations(self, team_id: UUID, *, to: UUID) -> int:
        """Make another team the default of the integrations of a team; how many they were."""
        given = sa.update(integrations).where(*_integrations_of(team_id))
        given = given.values(default_team_id=to, version=integrations.c.version + 1)
        return (await self._connection.execute(given)).rowcount

    # -- hand-overs ------------------------------------------------------------------------------------------------

    async def start_handover(self, handover: Handover) -> bool:
        """Write a hand-over that has begun; False while another of the team is under way."""
        values = {name: getattr(handover, name) for name in _COMMON}
        values |= {"actor_kind": handover.actor.kind.value, "actor_id": handover.actor.id}
        statement = insert(team_handovers).values(values).on_conflict_do_nothing()
        return (await self._connection.execute(statement)).rowcount == 1

    async def alerts_to_move(self, handover: Handover, *, limit: int) -> list[UUID]:
        """Some of the alerts that are still the old team's, the oldest first."""
        return list(await self._connection.scalars(alerts_of(handover).limit(limit)))

    async def count_moved(self, handover_id: UUID, number: int) -> None:
        """Add to the number of alerts that have moved."""
        await self._connection.execute(
            sa.update(team_handovers)
            .where(team_handovers.c.id == handover_id)
            .values(moved_alerts=team_handovers.c.moved_alerts + number)
        )

    async def finish_handover(self, handover_id: UUID, *, now: datetime) -> bool:
        """Note its end; False when that was done before."""
        unfinished = sa.and_(team_handovers.c.id == handover_id, team_handovers.c.finished_at.is_(None))
        ended = sa.update(team_handovers).where(unfinished).values(finished_at=now)
        return (await self._connection.execute(ended)).rowcount == 1


def alerts_of(handover: Handover) -> sa.Select[tuple[UUID]]:
    """The alerts a hand-over still has to move, the oldest first."""
    where: Any = alerts if handover.includes_resolved else _OPEN
    mine = sa.select(where.c.id).where(where.c.team_id == handover.team_id)
    return mine.order_by(where.c.created_at, where.c.id)


_COMMON = tuple(field.name for field in fields(Handover) if field.name != "actor")


def _values(team: Team) -> dict[str, Any]:
    return {field.name: getattr(team, field.name) for field in fields(Team)}


def _of(team_id: UUID, user_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return memberships.c.team_id == team_id, memberships.c.user_id == user_id


def _integrations_of(team_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return integrations.c.default_team_id == team_id, integrations.c.archived_at.is_(None)


def handover_of(row: sa.RowMapping) -> Handover:
    """The hand-over a row tells of."""
    return Handover(**{name: row[name] for name in _COMMON}, actor=Actor(ActorKind(row["actor_kind"]), row["actor_id"]))


async def running_handovers(connection: AsyncConnection) -> list[Handover]:
    """Those that are not finished, the oldest first."""
    table = team_handovers
    statement = sa.select(*_HANDOVER).where(table.c.finished_at.is_(None)).order_by(table.c.started_at, table.c.id)
    return [handover_of(row) for row in (await connection.execute(statement)).mappings()]


async def last_handovers(connection: AsyncConnection, team_ids: Sequence[UUID]) -> dict[UUID, Handover]:
    """The last hand-over of each team that was ever handed over."""
    table = team_handovers
    statement = (
        sa.select(*_HANDOVER)
        .where(table.c.team_id.in_(list(team_ids)))
        .ext(distinct_on(table.c.team_id))
        .order_by(table.c.team_id, table.c.started_at.desc(), table.c.id.desc())
    )
    return {row["team_id"]: handover_of(row) for row in (await connection.execute(statement)).mappings()}
