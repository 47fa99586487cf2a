"""How does a maintenance window come to be?"""

from uuid import UUID

import strawberry

from domain.maintenance.actions import create_window
from graphql_api.audit_writer import audit
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, NotFound, SilenceTooBroad, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.maintenance.drafts import MaintenanceWindowInput
from graphql_api.maintenance.inputs import checked, finish, guard, looked_at, shown_preview
from graphql_api.maintenance.loaders import written
from graphql_api.maintenance.types import MaintenanceWindow
from graphql_api.silences.asking import asking, silence_work
from graphql_api.silences.inputs import CONFIRM_BROAD
from graphql_api.silences.previews import SilencePreview


@strawberry.input(description="A maintenance window to be made.")
class CreateMaintenanceWindowInput:
    """See domain.maintenance.actions.WindowDraft."""

    window: MaintenanceWindowInput = strawberry.field(description="The window.")
    confirm_broad: bool = strawberry.field(description=CONFIRM_BROAD, default=False)
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The window occurs from now on.")
class CreateMaintenanceWindowSuccess:
    """The new window."""

    window: MaintenanceWindow = strawberry.field(description="The new window.")
    preview: SilencePreview = strawberry.field(description="What it would hold if it stood now.")


@mutation(
    payload(
        "CreateMaintenanceWindow",
        CreateMaintenanceWindowSuccess,
        NotFound,
        AlreadyExists,
        SilenceTooBroad,
        IdempotencyConflict,
    ),
    description="Make a maintenance window: each time it occurs, the alerts it holds are kept and marked, and nobody "
    "is woken.",
)
async def create_maintenance_window(info: Info, data: CreateMaintenanceWindowInput) -> CreateMaintenanceWindowSuccess:
    """Look at what it would hold, then write the window, its first occurrences and the audit entry together."""
    context = info.context
    draft = data.window.as_domain()
    # Before the silences lock is taken: all ingest would wait for the look.
    window = await checked(context, draft)
    found = await looked_at(context, window)
    guard(context, window, found, is_confirmed=data.confirm_broad)
    async with silence_work(context) as work:
        unfinished = []

        async def create() -> dict[str, object]:
            write = audit(context, work, "createMaintenanceWindow", "maintenance_window")
            made, begun = await create_window(asking(context, work), work, draft, audit=write)
            unfinished.extend(begun)
            return {"windowId": str(made.id)}

        known, _ = await create_once(context, work, mutation="createMaintenanceWindow", data=data, create=create)
        await work.commit()
    await finish(context, unfinished)
    return CreateMaintenanceWindowSuccess(
        window=await written(context, UUID(known["windowId"])),  # type: ignore[arg-type] # the domain object is it
        preview=shown_preview(context, window, found),
    )
