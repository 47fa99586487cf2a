"""How is a drill stopped?"""

import strawberry

from domain.escalations import drills
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.escalations.drill_types import Drill, drill_desk, shown
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which drill.")
class EndDrillInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The drill.")


@strawberry.type(description="No further step fires.")
class EndDrillSuccess:
    """The drill as it is now."""

    drill: Drill = strawberry.field(description="The drill.")


@mutation(
    payload("EndDrill", EndDrillSuccess, NotFound),
    description="End a drill before somebody answers.",
)
async def end_drill(info: Info, data: EndDrillInput) -> EndDrillSuccess:
    """Write its end; those who were told hear of it."""
    context = info.context
    drill_id = uuid_of(data.id, "drill", "id")
    async with context.uow() as uow:
        after = await drills.end_drill(drill_id, desk=drill_desk(context, uow, "endDrill"))
        await uow.commit()
    return EndDrillSuccess(drill=shown(after))
