"""Who hears that a policy reaches nobody? The managers of its team, or else the administrators: somebody must.

They are told once, when the first whole round reached nobody, and asked to answer as anybody who is paged. The policy
goes on meanwhile: whoever goes on call is called within a minute (domain/escalations/engine.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.groups import GroupEventKind
from domain.alerts.model import Severity
from domain.escalations.model import Escalation
from domain.identity.model import Role
from persistence.among import among
from persistence.drill_subjects import drill_subjects
from persistence.escalation_pages import page_of, queue_pages
from persistence.escalation_policies import teams_of_policies
from persistence.group_events import append_group_events
from persistence.group_following import group_event
from persistence.reaching import Recipient
from persistence.tables import memberships, users

_log = structlog.get_logger(__name__)
AS_MANAGER = "no step of the policy reaches anybody just now: you are told as a manager of its team"
AS_ADMIN = "no step of the policy reaches anybody just now, nor has its team a manager: an administrator is told"
IN_VAIN = "no step of the policy reaches anybody: those who manage it are told, and it is tried again every minute"
_MANAGING = [Role.ADMIN.value, Role.MANAGER.value]


async def tell_that_nobody_is_reached(
    connection: AsyncConnection, began: Sequence[Escalation], severities: Mapping[UUID, Severity], *, now: datetime
) -> None:
    """Page those who can put somebody on call; on the record of the alert, or of the group."""
    if not began:
        return
    teams = await _teams(connection, began)
    managers = await _managers(connection, {team_id for team_id in teams.values() if team_id is not None})
    admins: list[UUID] | None = None
    pages = []
    for one in began:
        _log.error("a policy reaches nobody", escalation=str(one.id), policy=str(one.policy_id))
        team_id = teams[one.id]
        people, why = (managers.get(team_id, []) if team_id is not None else []), AS_MANAGER
        if not people:
            admins = await _admins(connection) if admins is None else admins
            people, why = admins, AS_ADMIN
        pages += [page_of(one, Recipient(person), why=why, now=now) for person in people]
    await queue_pages(connection, pages, {one.id: one for one in began}, severities, now=now)
    of_groups = [one for one in began if one.group_id is not None]
    events = [group_event(one, GroupEventKind.PAGED_AGAIN, IN_VAIN, now=now) for one in of_groups]
    await append_group_events(connection, events)


async def _teams(connection: AsyncConnection, began: Sequence[Escalation]) -> dict[UUID, UUID | None]:
    """By escalation, whose it is: the group's team, the policy's, or that of a drill."""
    of_policies = await teams_of_policies(connection, {one.policy_id for one in began})
    without = [one.alert_id for one in began if not one.is_standing and one.policy_id not in of_policies]
    drills = await drill_subjects(connection, without)
    found: dict[UUID, UUID | None] = {}
    for one in began:
        drill = drills.get(one.alert_id)
        of_drill = None if drill is None else drill.team_id
        found[one.id] = one.team_id if one.is_standing else of_policies.get(one.policy_id, of_drill)
    return found


async def managers_of(connection: AsyncConnection, team_id: UUID | None) -> list[UUID]:
    """Who manages a team, or else everything."""
    managers = [] if team_id is None else (await _managers(connection, [team_id])).get(team_id, [])
    return managers or await _admins(connection)


async def _managers(connection: AsyncConnection, team_ids: Iterable[UUID]) -> dict[UUID, list[UUID]]:
    statement = (
        sa.select(memberships.c.team_id, memberships.c.user_id)
        .join(users, users.c.id == memberships.c.user_id)
        .where(among(memberships.c.team_id, team_ids), memberships.c.role.in_(_MANAGING), users.c.is_active)
        .order_by(memberships.c.created_at, memberships.c.user_id)
    )
    found: dict[UUID, list[UUID]] = {}
    for row in await connection.execute(statement):
        found.setdefault(row.team_id, []).append(row.user_id)
    return found


async def _admins(connection: AsyncConnection) -> list[UUID]:
    statement = sa.select(users.c.id).where(users.c.role == Role.ADMIN.value, users.c.is_active).order_by(users.c.id)
    return list(await connection.scalars(statement))
