"""What would a silence hold? Looked at by the same rules and checks, and kept nowhere."""

import strawberry

from domain.silences.breadth import too_broad
from domain.silences.drafts import SilenceDraft, check_holds_some
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.silences.asking import previewed
from graphql_api.silences.inputs import (
    CONDITION,
    MATCHERS,
    SilenceMatcherInput,
    broad_share,
    condition_of,
    matchers_of,
    places_of,
)
from graphql_api.silences.previews import SilencePreview


@strawberry.input(description="A silence as it might be.")
class PreviewSilenceInput:
    """See domain.silences.drafts.SilenceDraft."""

    matchers: list[SilenceMatcherInput] = strawberry.field(description=MATCHERS, default_factory=list)
    condition: str | None = strawberry.field(description=CONDITION, default=None)
    integration_id: strawberry.ID | None = strawberry.field(
        description="Only alerts of this integration; of all if left out.", default=None
    )
    team_id: strawberry.ID | None = strawberry.field(
        description="Only alerts of this team; without one, as `createSilence` says.", default=None
    )


@strawberry.type(description="What the silence would hold; nothing was saved.")
class PreviewSilenceSuccess:
    """Counts and a sample."""

    preview: SilencePreview = strawberry.field(description="What it would hold.")


@mutation(
    payload("PreviewSilence", PreviewSilenceSuccess, NotFound),
    description="Show which alerts a silence would hold, before it is made.",
)
async def preview_silence(info: Info, data: PreviewSilenceInput) -> PreviewSilenceSuccess:
    """Check and look."""
    context = info.context
    now = context.now()
    draft = SilenceDraft(
        matchers=matchers_of(data.matchers),
        condition=condition_of(data.condition),
        starts_at=now,
        ends_at=now,
        created_by="",
        comment="",
    )
    check_holds_some(draft.matchers, draft.condition)
    integration_id, team_id = places_of(data.integration_id, data.team_id)
    found = await previewed(context, draft, integration_id=integration_id, team_id=team_id)
    why = too_broad(draft.matchers, draft.condition, found, share=broad_share(context))
    return PreviewSilenceSuccess(preview=SilencePreview(preview=found, why_broad=why))
