"""Where are escalation policies kept? A row each, its steps as JSON."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.alerts.visibility import Sight
from domain.escalations.model import Policy, Target, TargetKind
from persistence.among import among
from persistence.escalation_steps import steps_json, steps_of
from persistence.reads.visibility import is_team_in_sight, visible
from persistence.tables import channels, escalation_policies, schedules, teams, users
from persistence.unless_taken import write_unless_taken


class EscalationPolicyRepository:
    """Escalation policies, inside one transaction. Implements domain.escalations.policies.Policies."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, policy: Policy) -> bool:
        """Write a new policy; False when the team has one of this name."""
        values = {**_values(policy), "id": policy.id, "team_id": policy.team_id, "created_at": policy.created_at}
        return await self._written(sa.insert(escalation_policies).values(values))

    async def locked(self, policy_id: UUID, *, sight: Sight) -> Policy | None:
        """The policy, locked until the transaction ends; None for one out of sight or archived."""
        statement = (
            sa.select(escalation_policies)
            .where(
                escalation_policies.c.id == policy_id,
                escalation_policies.c.archived_at.is_(None),
                visible(sight, escalation_policies.c.team_id),
            )
            .with_for_update()
        )
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _policy_of(row)

    async def save(self, policy: Policy) -> bool:
        """Write an edit; False when the team has another of this name."""
        table = escalation_policies
        return await self._written(sa.update(table).where(table.c.id == policy.id).values(_values(policy)))

    async def _written(self, statement: sa.Executable) -> bool:
        return await write_unless_taken(self._connection, statement, unique="uq_escalation_policies")

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)

    async def missing_targets(self, targets: Sequence[Target], *, sight: Sight) -> set[Target]:
        """Those that are not there: no active person, no team or schedule within sight."""
        ids = {kind: {target.id for target in targets if target.kind is kind} for kind in TargetKind}
        there = {
            TargetKind.USER: await self._there(users, ids[TargetKind.USER], users.c.is_active),
            TargetKind.TEAM: await self._there(teams, ids[TargetKind.TEAM], visible(sight, teams.c.id)),
            TargetKind.SCHEDULE: await self._there(
                schedules, ids[TargetKind.SCHEDULE], visible(sight, schedules.c.team_id)
            ),
            TargetKind.CHANNEL: await self._there(
                channels, ids[TargetKind.CHANNEL], visible(sight, channels.c.team_id)
            ),
        }
        return {target for target in targets if target.id not in there[target.kind]}

    async def _there(self, table: sa.Table, ids: Iterable[UUID], condition: sa.ColumnElement[bool]) -> set[UUID]:
        wanted = list(ids)
        if not wanted:
            return set()
        statement = sa.select(table.c.id).where(table.c.id.in_(wanted), condition)
        if "archived_at" in table.c:
            statement = statement.where(table.c.archived_at.is_(None))
        return set(await self._connection.scalars(statement))


def _values(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "description": policy.description,
        "severities": sorted(severity.value for severity in policy.severities),
        "steps": steps_json(policy.steps),
        "repeats": policy.repeats,
        "ack_timeout": policy.ack_timeout,
        "is_by_rule": policy.is_by_rule,
        "updated_at": policy.updated_at,
        "archived_at": policy.archived_at,
        "version": policy.version,
    }


def _policy_of(row: sa.RowMapping) -> Policy:
    values: dict[str, Any] = dict(row)
    severities = frozenset(Severity(severity) for severity in values["severities"])
    return Policy(**{**values, "steps": steps_of(values["steps"]), "severities": severities})


async def active_policies(connection: AsyncConnection) -> list[Policy]:
    """Every policy that takes alerts."""
    table = escalation_policies
    rows = await connection.execute(sa.select(table).where(table.c.archived_at.is_(None)).order_by(table.c.id))
    return [_policy_of(row) for row in rows.mappings()]


async def list_policies(
    connection: AsyncConnection,
    *,
    sight: Sight,
    ids: Sequence[UUID] | None = None,
    team_id: UUID | None = None,
    with_archived: bool = False,
) -> list[Policy]:
    """Policies within sight by name; of one team, or of these ids, where they are given."""
    table = escalation_policies
    statement = sa.select(table).where(visible(sight, table.c.team_id)).order_by(table.c.name, table.c.id)
    if ids is not None:
        statement = statement.where(table.c.id.in_(list(ids)))
    if team_id is not None:
        statement = statement.where(table.c.team_id == team_id)
    if not with_archived:
        statement = statement.where(table.c.archived_at.is_(None))
    return [_policy_of(row) for row in (await connection.execute(statement)).mappings()]


async def teams_of_policies(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, UUID | None]:
    """Whose alerts each of the policies takes, archived ones too: they go on with what they began."""
    table = escalation_policies
    rows = await connection.execute(sa.select(table.c.id, table.c.team_id).where(among(table.c.id, ids)))
    return {row.id: row.team_id for row in rows}
