"""When would a maintenance window occur, and what would it hold? By the same rules and checks, and kept nowhere."""

import strawberry

from domain.maintenance.occurrences import next_occurrences
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.maintenance.drafts import MaintenanceWindowInput
from graphql_api.maintenance.inputs import checked, looked_at, shown_preview
from graphql_api.maintenance.types import MaintenanceOccurrence
from graphql_api.silences.previews import SilencePreview


@strawberry.input(description="A maintenance window as it might be.")
class PreviewMaintenanceWindowInput:
    """See domain.maintenance.actions.WindowDraft."""

    window: MaintenanceWindowInput = strawberry.field(description="The window.")


@strawberry.type(description="When the window would occur and what it would hold; nothing was saved.")
class PreviewMaintenanceWindowSuccess:
    """Times, counts and a sample."""

    next_occurrences: list[MaintenanceOccurrence] = strawberry.field(description="The next five times it would occur.")
    preview: SilencePreview = strawberry.field(description="What it would hold if it stood now.")


@mutation(
    payload("PreviewMaintenanceWindow", PreviewMaintenanceWindowSuccess, NotFound),
    description="Show when a maintenance window would occur and what it would hold, before it is made.",
)
async def preview_maintenance_window(
    info: Info, data: PreviewMaintenanceWindowInput
) -> PreviewMaintenanceWindowSuccess:
    """Check, work out and look."""
    context = info.context
    window = await checked(context, data.window.as_domain())
    found = await looked_at(context, window)
    return PreviewMaintenanceWindowSuccess(
        next_occurrences=next_occurrences(window, now=context.now()),  # type: ignore[arg-type] # the domain objects are the GraphQL objects
        preview=shown_preview(context, window, found),
    )
