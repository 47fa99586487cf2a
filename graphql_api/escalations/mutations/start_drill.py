"""How is the way to a person tried?"""

from uuid import UUID

import strawberry

from domain.escalations import drills
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.errors import IdempotencyConflict, NotFound, mutation, payload
from graphql_api.escalations.drill_types import Drill, drill_desk, drill_seen, shown
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.scalars import uuid_of


@strawberry.input(description="What is to be tried: a policy, or a schedule alone.")
class StartDrillInput:
    """See domain.escalations.drills.DrillDraft."""

    policy_id: strawberry.ID | None = strawberry.field(description="The escalation policy.", default=None)
    schedule_id: strawberry.ID | None = strawberry.field(
        description="The schedule: whoever is on call is told at once.", default=None
    )
    severity: Severity | None = strawberry.field(
        description="The severity to pretend, which quiet hours and personal rules go by; the worst that the policy "
        "takes if left out.",
        default=None,
    )
    note: str = strawberry.field(description="What those who are told read of it, at most 500 characters.", default="")
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="Its steps fire as an alert's would.")
class StartDrillSuccess:
    """The new drill."""

    drill: Drill = strawberry.field(description="The drill.")


@mutation(
    payload("StartDrill", StartDrillSuccess, NotFound, IdempotencyConflict),
    description="Try the whole way to a person: real steps and messages, each marked DRILL, until somebody answers. It "
    "is no alert: no list, count or report holds it.",
)
async def start_drill(info: Info, data: StartDrillInput) -> StartDrillSuccess:
    """Write the drill and its escalation."""
    context = info.context
    draft = drills.DrillDraft(
        policy_id=None if data.policy_id is None else uuid_of(data.policy_id, "escalation policy", "policyId"),
        schedule_id=None if data.schedule_id is None else uuid_of(data.schedule_id, "schedule", "scheduleId"),
        severity=data.severity,
        note=data.note,
    )
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await drills.start_drill(draft, desk=drill_desk(context, uow, "startDrill"))
            return {"drillId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="startDrill", data=data, create=create)
        await uow.commit()
    return StartDrillSuccess(drill=shown(await drill_seen(context, UUID(made["drillId"]))))
