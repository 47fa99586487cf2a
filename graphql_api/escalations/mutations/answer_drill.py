"""How does somebody say that a drill reached them?"""

import strawberry

from domain.escalations import drills
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.escalations.drill_types import Drill, drill_desk, shown
from graphql_api.scalars import uuid_of


@strawberry.input(description="Which drill.")
class AnswerDrillInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The drill.")


@strawberry.type(description="The drill is over: somebody was reached.")
class AnswerDrillSuccess:
    """The drill as it is now."""

    drill: Drill = strawberry.field(description="The drill.")


@mutation(
    payload("AnswerDrill", AnswerDrillSuccess, NotFound),
    description="Answer a drill, as an alert is acknowledged. For who was told, and for operators.",
)
async def answer_drill(info: Info, data: AnswerDrillInput) -> AnswerDrillSuccess:
    """Write its end; those who were told hear of it."""
    context = info.context
    drill_id = uuid_of(data.id, "drill", "id")
    async with context.uow() as uow:
        after = await drills.answer_drill(drill_id, desk=drill_desk(context, uow, "answerDrill"))
        await uow.commit()
    return AnswerDrillSuccess(drill=shown(after))
