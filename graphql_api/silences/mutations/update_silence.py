"""How is a silence changed? In place where only what is to come changes; else it ends and a new one takes its place."""

from datetime import datetime

import strawberry

from domain.silences import by_people, sweeping
from domain.silences.breadth import require_narrow
from domain.silences.drafts import check_holds_some
from graphql_api.context import Info
from graphql_api.errors import NotFound, SilenceTooBroad, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of
from graphql_api.silences.asking import asking, previewed_anew, silence_work, silencing_of
from graphql_api.silences.inputs import (
    CONDITION,
    CONFIRM_BROAD,
    MATCHERS,
    SilenceMatcherInput,
    broad_share,
    condition_of,
    matchers_of,
)
from graphql_api.silences.loaders import written
from graphql_api.silences.types import Silence


@strawberry.input(description="What is to change of a silence; what is left out stays.")
class UpdateSilenceInput:
    """See domain.silences.by_people.Change."""

    id: strawberry.ID = strawberry.field(description="The silence.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )
    comment: str | None = strawberry.field(description="Why.", default=None)
    ends_at: datetime | None = strawberry.field(description="When it ends.", default=None)
    starts_at: datetime | None = strawberry.field(description="When it begins.", default=None)
    matchers: list[SilenceMatcherInput] | None = strawberry.field(description=MATCHERS, default=None)
    condition: strawberry.Maybe[str | None] = strawberry.field(
        description=f"{CONDITION} Null takes it away.", default=None
    )
    confirm_broad: bool = strawberry.field(description=CONFIRM_BROAD, default=False)


@strawberry.type(description="The silence is as you want it.")
class UpdateSilenceSuccess:
    """The silence after the edit."""

    silence: Silence = strawberry.field(description="The silence; another one, where it had to be made anew.")
    replaced: bool = strawberry.field(
        description="Whether the one you named ended, and this one, with an id of its own, took its place: so it is "
        "when an active one is to hold other alerts, or is to begin at another time."
    )


@mutation(
    payload("UpdateSilence", UpdateSilenceSuccess, NotFound, SilenceTooBroad, StaleVersion),
    description="Change a silence. Its end and its comment change in place; one that is to hold other alerts is ended, "
    "and a new one made.",
)
async def update_silence(info: Info, data: UpdateSilenceInput) -> UpdateSilenceSuccess:
    """Edit under the silences lock."""
    context = info.context
    silence_id = uuid_of(data.id, "silence", "id")
    matchers = None if data.matchers is None else matchers_of(data.matchers)
    holds_otherwise = data.matchers is not None or data.condition is not None
    before = await written(context, silence_id) if holds_otherwise else None
    kept = None if before is None else before.condition
    change = by_people.Change(
        matchers=matchers,
        condition=by_people.UNSET if data.condition is None else condition_of(data.condition.value, kept=kept),
        starts_at=data.starts_at,
        ends_at=data.ends_at,
        comment=data.comment,
    )
    if before is not None:
        draft = change.applied_to(before)
        check_holds_some(draft.matchers, draft.condition)
        found = await previewed_anew(context, before, draft)
        share = broad_share(context)
        require_narrow(draft.matchers, draft.condition, found, share=share, is_confirmed=data.confirm_broad)
    async with silence_work(context) as work:
        request = asking(context, work)
        after = await by_people.update(request, work, silence_id, change=change, expected_version=data.expected_version)
        await work.commit()
    after = await sweeping.finish(silencing_of(context).open, after, now=context.now())
    context.renew()
    return UpdateSilenceSuccess(silence=await written(context, after.id), replaced=after.id != silence_id)  # type: ignore[arg-type] # it is
