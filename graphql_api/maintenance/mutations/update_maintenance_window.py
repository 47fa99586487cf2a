"""How is a maintenance window changed? What is to come is made anew; what runs ends, or goes on as it says now."""

from datetime import timedelta

import strawberry

from domain.audit.writing import WriteAudit
from domain.maintenance.actions import Planned, WindowChange, update_window
from domain.silences.by_people import UNSET, Asking
from domain.silences.drafts import check_holds_some
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, NotFound, SilenceTooBroad, StaleVersion, mutation, payload
from graphql_api.maintenance.inputs import (
    DURATION,
    EXCEPTIONS,
    RECURRENCE,
    STARTS_AT,
    TIME_ZONE,
    change,
    guard,
    looked_at,
)
from graphql_api.maintenance.loaders import written
from graphql_api.maintenance.types import MaintenanceWindow
from graphql_api.scalars import LocalDateTime, uuid_of
from graphql_api.silences.inputs import (
    CONDITION,
    CONFIRM_BROAD,
    MATCHERS,
    SilenceMatcherInput,
    condition_of,
    matchers_of,
)
from persistence.silence_work import SilenceUnitOfWork


@strawberry.input(description="What is to change of a maintenance window; what is left out stays.")
class UpdateMaintenanceWindowInput:
    """See domain.maintenance.actions.WindowChange."""

    id: strawberry.ID = strawberry.field(description="The window.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )
    name: str | None = strawberry.field(description="The name people read.", default=None)
    comment: str | None = strawberry.field(description="Why.", default=None)
    time_zone: str | None = strawberry.field(description=TIME_ZONE, default=None)
    starts_at: LocalDateTime | None = strawberry.field(description=STARTS_AT, default=None)
    duration: timedelta | None = strawberry.field(description=DURATION, default=None)
    recurrence: strawberry.Maybe[str | None] = strawberry.field(
        description=f"{RECURRENCE} Null: it occurs once.", default=None
    )
    exceptions: list[LocalDateTime] | None = strawberry.field(description=f"All of them. {EXCEPTIONS}", default=None)
    matchers: list[SilenceMatcherInput] | None = strawberry.field(description=MATCHERS, default=None)
    condition: strawberry.Maybe[str | None] = strawberry.field(
        description=f"{CONDITION} Null takes it away.", default=None
    )
    is_paused: bool | None = strawberry.field(
        description="True: it does not occur, and the occurrence that runs ends. False: it occurs again.", default=None
    )
    confirm_broad: bool = strawberry.field(description=CONFIRM_BROAD, default=False)


@strawberry.type(description="The window is as you want it.")
class UpdateMaintenanceWindowSuccess:
    """The window after the edit."""

    window: MaintenanceWindow = strawberry.field(description="The window.")


@mutation(
    payload(
        "UpdateMaintenanceWindow",
        UpdateMaintenanceWindowSuccess,
        NotFound,
        AlreadyExists,
        SilenceTooBroad,
        StaleVersion,
    ),
    description="Change, pause or resume a maintenance window. Occurrences to come are made anew; the one that runs "
    "ends where it no longer fits, and becomes longer or shorter where only its end moves.",
)
async def update_maintenance_window(info: Info, data: UpdateMaintenanceWindowInput) -> UpdateMaintenanceWindowSuccess:
    """Edit under the silences lock."""
    context = info.context
    window_id = uuid_of(data.id, "maintenance window", "id")
    matchers = None if data.matchers is None else matchers_of(data.matchers)
    holds_otherwise = data.matchers is not None or data.condition is not None
    before = await written(context, window_id) if holds_otherwise else None
    kept = None if before is None else before.condition
    edit = WindowChange(
        name=data.name,
        comment=data.comment,
        time_zone=data.time_zone,
        starts_at=data.starts_at,
        duration=data.duration,
        recurrence=UNSET if data.recurrence is None else data.recurrence.value,
        exceptions=None if data.exceptions is None else tuple(data.exceptions),
        matchers=matchers,
        condition=UNSET if data.condition is None else condition_of(data.condition.value, kept=kept),
        is_paused=data.is_paused,
    )
    if before is not None:
        wanted = edit.applied_to(before, now=context.now())
        check_holds_some(wanted.matchers, wanted.condition)
        guard(context, wanted, await looked_at(context, wanted), is_confirmed=data.confirm_broad)

    async def make(work: SilenceUnitOfWork, request: Asking, write: WriteAudit) -> Planned:
        return await update_window(
            request, work, window_id, change=edit, expected_version=data.expected_version, audit=write
        )

    await change(context, "updateMaintenanceWindow", make)
    context.renew()
    return UpdateMaintenanceWindowSuccess(window=await written(context, window_id))  # type: ignore[arg-type] # it is
