"""How is a silence ended before its time?"""

import strawberry

from domain.silences import by_people, sweeping
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.silences.asking import asking, silence_work, silencing_of
from graphql_api.silences.loaders import written
from graphql_api.silences.types import Silence


@strawberry.input(description="Which silence is to end.")
class ExpireSilenceInput:
    """By id."""

    id: strawberry.ID = strawberry.field(
        description="The silence. Of a maintenance window, this occurrence alone ends."
    )
    expected_version: int | None = strawberry.field(
        description="The version you read; refused when it has another by now.", default=None
    )


@strawberry.type(description="The silence is over; what it held and still stands wakes people again.")
class ExpireSilenceSuccess:
    """The ended silence."""

    silence: Silence = strawberry.field(description="The silence.")


@mutation(
    payload("ExpireSilence", ExpireSilenceSuccess, NotFound, StaleVersion),
    description="End a silence now. One that is over stays as it is.",
)
async def expire_silence(info: Info, data: ExpireSilenceInput) -> ExpireSilenceSuccess:
    """End it under the silences lock."""
    context = info.context
    silence_id = uuid_of(data.id, "silence", "id")
    async with silence_work(context) as work:
        request = asking(context, work)
        after = await by_people.expire(request, work, silence_id, expected_version=data.expected_version)
        await work.commit()
    await sweeping.finish(silencing_of(context).open, after, now=context.now())
    return ExpireSilenceSuccess(silence=await written(context, silence_id))  # type: ignore[arg-type] # it is
