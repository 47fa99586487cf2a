"""How is a drill shown? With its receipts: who was reached by what, when, and who answered."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain.escalations import drills, model
from domain.identity import model as identity
from domain.schedules import model as schedules
from graphql_api.alerts.enums import Via
from graphql_api.audit_writer import desk_of
from graphql_api.context import Context, Info
from graphql_api.enums import Severity
from graphql_api.escalations.loaders import load_escalations, load_notifications, load_policies
from graphql_api.escalations.notification_types import Notification
from graphql_api.escalations.types import Escalation, EscalationPolicy
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User
from graphql_api.scalars import uuid_or_none
from graphql_api.schedules.loaders import load_schedules
from graphql_api.schedules.types import Schedule
from persistence.drills import DrillRepository, drills_by_ids, list_drills
from persistence.unit_of_work import UnitOfWork

MOST = 100

expose_enum(
    drills.DrillState,
    description="Where a drill is.",
    values={
        drills.DrillState.RUNNING: "Its steps fire until somebody answers.",
        drills.DrillState.ANSWERED: "Somebody answered.",
        drills.DrillState.ENDED: "It was ended, or a day passed, and nobody had answered.",
    },
)


async def _policy(root: strawberry.Parent[drills.Drill], info: Info) -> model.Policy | None:
    return None if root.policy_id is None else await info.context.loader(load_policies).load(root.policy_id)


async def _schedule(root: strawberry.Parent[drills.Drill], info: Info) -> schedules.Schedule | None:
    return None if root.schedule_id is None else await info.context.loader(load_schedules).load(root.schedule_id)


async def _started_by(root: strawberry.Parent[drills.Drill], info: Info) -> identity.User | None:
    return await info.context.loader(load_users).load(root.started_by)


async def _answered_by(root: strawberry.Parent[drills.Drill], info: Info) -> identity.User | None:
    return None if root.answered_by is None else await info.context.loader(load_users).load(root.answered_by)


async def _escalation(root: strawberry.Parent[drills.Drill], info: Info) -> model.Escalation | None:
    found = await info.context.loader(load_escalations).load(root.id)
    return found[0] if found else None


async def _receipts(root: strawberry.Parent[drills.Drill], info: Info) -> list[model.Notification]:
    return await info.context.loader(load_notifications).load(root.id)


@exposes(drills.Drill, description="A trial of the whole way to a person: the real steps, people and channels.")
class Drill:
    """See domain.escalations.drills.Drill."""

    id: strawberry.ID = strawberry.field(description="The drill's id.")
    policy = strawberry.field(
        resolver=_policy, graphql_type=EscalationPolicy | None, description="The policy it tries; null for none."
    )
    schedule = strawberry.field(
        resolver=_schedule, graphql_type=Schedule | None, description="The schedule it tries alone; null for none."
    )
    severity: Severity = strawberry.field(description="The severity it pretends.")
    note: str = strawberry.field(description="What was said of it; may be empty.")
    state: drills.DrillState = strawberry.field(description="Where it is.")
    started_by = strawberry.field(resolver=_started_by, graphql_type=User | None, description="Who started it.")
    started_at: datetime = strawberry.field(description="When it was started.")
    expires_at: datetime = strawberry.field(description="When it ends by itself.")
    ended_at: datetime | None = strawberry.field(description="When it was answered or ended; null while it runs.")
    answered_by = strawberry.field(
        resolver=_answered_by, graphql_type=User | None, description="Who answered; null while nobody did."
    )
    answered_via: Via | None = strawberry.field(
        description="By what it was answered; null while it was not, and where it was in Tocsin itself."
    )
    time_to_answer: timedelta | None = strawberry.field(
        description="How long it took until somebody answered; null while nobody did."
    )
    escalation = strawberry.field(
        resolver=_escalation, graphql_type=Escalation | None, description="How far its steps have come."
    )
    receipts = strawberry.field(
        resolver=_receipts,
        graphql_type=list[Notification],
        description="Who was told by what, when, and what became of each message.",
    )


Id = Annotated[strawberry.ID, strawberry.argument(description="The drill's id.")]
OfTeam = Annotated[strawberry.ID | None, strawberry.argument(description="Only those of this team.")]


@strawberry.type
class DrillQueries:
    """Mixed into Query."""

    @strawberry.field(description="One drill; null for none you may see.", graphql_type=Drill | None)
    async def drill(self, info: Info, *, id: Id) -> drills.Drill | None:  # noqa: A002 - the API's name
        """By id."""
        drill_id = uuid_or_none(id)
        return None if drill_id is None else await drill_seen(info.context, drill_id)

    @strawberry.field(description=f"The newest {MOST} drills you may see.", graphql_type=list[Drill])
    async def drills(self, info: Info, *, team_id: OfTeam = None) -> list[drills.Drill]:
        """Few are made: no paging."""
        team = None if team_id is None else uuid_or_none(team_id)
        if team_id is not None and team is None:
            return []
        async with info.context.read() as connection:
            return await list_drills(connection, sight=info.context.require_viewer().sight, team_id=team, most=MOST)


async def drill_seen(context: Context, drill_id: UUID) -> drills.Drill | None:
    """The drill, if the viewer may see it."""
    async with context.read() as connection:
        (found,) = await drills_by_ids(connection, [drill_id], sight=context.require_viewer().sight)
    return found


def drill_desk(context: Context, uow: UnitOfWork, action: str) -> drills.DrillDesk:
    """What an action on drills needs of this request."""
    stores = DrillRepository(uow.connection, now=context.now())
    return desk_of(context, uow, stores, action=action, target_kind="drill")


def shown(drill: drills.Drill | None) -> Any:  # noqa: ANN401 - the domain object is the GraphQL object
    """For the field of a payload."""
    return drill
