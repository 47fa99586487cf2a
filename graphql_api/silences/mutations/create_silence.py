"""How does a silence come to be?"""

from datetime import datetime
from uuid import UUID

import strawberry

from domain.silences import by_people, sweeping
from domain.silences.breadth import require_narrow, too_broad
from domain.silences.drafts import SilenceDraft
from graphql_api.context import Info
from graphql_api.errors import IdempotencyConflict, NotFound, SilenceTooBroad, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.silences.asking import asking, previewed, silence_work, silencing_of
from graphql_api.silences.inputs import (
    CONDITION,
    CONFIRM_BROAD,
    MATCHERS,
    SilenceMatcherInput,
    broad_share,
    condition_of,
    matchers_of,
    places_of,
)
from graphql_api.silences.loaders import written
from graphql_api.silences.previews import SilencePreview
from graphql_api.silences.types import Silence


@strawberry.input(description="A silence to be made.")
class CreateSilenceInput:
    """See domain.silences.drafts.SilenceDraft."""

    comment: str = strawberry.field(description="Why: it is what people read who wonder why nobody was woken.")
    ends_at: datetime = strawberry.field(description="When it ends.")
    starts_at: datetime | None = strawberry.field(
        description="When it begins; now if left out, or if it lies in the past.", default=None
    )
    matchers: list[SilenceMatcherInput] = strawberry.field(description=MATCHERS, default_factory=list)
    condition: str | None = strawberry.field(description=CONDITION, default=None)
    integration_id: strawberry.ID | None = strawberry.field(
        description="Only alerts of this integration; of all if left out.", default=None
    )
    team_id: strawberry.ID | None = strawberry.field(
        description="Only alerts of this team, of which you must be an operator. Without one it holds the alerts of no "
        "team and of public teams; those of private teams only when an administrator makes it.",
        default=None,
    )
    confirm_broad: bool = strawberry.field(description=CONFIRM_BROAD, default=False)
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The silence holds what fits, from its start on.")
class CreateSilenceSuccess:
    """The new silence."""

    silence: Silence = strawberry.field(description="The new silence.")
    preview: SilencePreview = strawberry.field(description="What it holds of the alerts that are there.")


@mutation(
    payload("CreateSilence", CreateSilenceSuccess, NotFound, SilenceTooBroad, IdempotencyConflict),
    description="Make a silence: alerts it holds are kept and marked, and nobody is woken. See what it would hold "
    "with `previewSilence` first.",
)
async def create_silence(info: Info, data: CreateSilenceInput) -> CreateSilenceSuccess:
    """Look at what it would hold, then write silence, marks and audit entry in one transaction."""
    context = info.context
    draft = by_people.checked(
        SilenceDraft(
            matchers=matchers_of(data.matchers),
            condition=condition_of(data.condition),
            starts_at=data.starts_at or context.now(),
            ends_at=data.ends_at,
            created_by="",
            comment=data.comment,
        ),
        context.settings.silence_max_duration,
    )
    integration_id, team_id = places_of(data.integration_id, data.team_id)
    preview = await previewed(context, draft, integration_id=integration_id, team_id=team_id)
    share = broad_share(context)
    require_narrow(draft.matchers, draft.condition, preview, share=share, is_confirmed=data.confirm_broad)
    async with silence_work(context) as work:
        made = []

        async def create() -> dict[str, object]:
            request = asking(context, work)
            silence = await by_people.create(request, work, draft, integration_id=integration_id, team_id=team_id)
            made.append(silence)
            return {"silenceId": str(silence.id)}

        known, _ = await create_once(context, work, mutation="createSilence", data=data, create=create)
        await work.commit()
    for silence in made:
        await sweeping.finish(silencing_of(context).open, silence, now=context.now())
    found = await written(context, UUID(known["silenceId"]))
    why = too_broad(draft.matchers, draft.condition, preview, share=share)
    return CreateSilenceSuccess(
        silence=found,  # type: ignore[arg-type] # the domain object is the GraphQL object
        preview=SilencePreview(preview=preview, why_broad=why),
    )
