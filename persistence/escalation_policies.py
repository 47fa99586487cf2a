"""Where are escalation policies kept? A row each, its steps as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.alerts.visibility import Sight
from domain.escalations.model import Policy, Target, TargetKind
from persistence.among import among
from persistence.escalation_steps import steps_json, steps_of
from persistence.of_teams import OfTeamsRepository, listed
from persistence.reads.visibility import visible
from persistence.tables import channels, escalation_policies, schedules, teams, users


class EscalationPolicyRepository(OfTeamsRepository[Policy]):
    """Escalation policies, inside one transaction. Implements domain.escalations.policies.Policies."""

    table = escalation_policies
    unique = "uq_escalation_policies"

    def _thing_of(self, row: Mapping[Any, Any]) -> Policy:
        return _policy_of(row)

    def _values(self, policy: Policy) -> dict[str, Any]:
        return _values(policy)

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


def _policy_of(row: Mapping[Any, Any]) -> Policy:
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
    statement = listed(escalation_policies, sight=sight, ids=ids, team_id=team_id, with_archived=with_archived)
    return [_policy_of(row) for row in (await connection.execute(statement)).mappings()]


async def teams_of_policies(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, UUID | None]:
    """Whose alerts each of the policies takes, archived ones too: they go on with what they began."""
    table = escalation_policies
    rows = await connection.execute(sa.select(table.c.id, table.c.team_id).where(among(table.c.id, ids)))
    return {row.id: row.team_id for row in rows}
