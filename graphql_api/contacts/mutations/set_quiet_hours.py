"""How does a person say when they want to sleep?"""

import strawberry

from domain.contacts import planning, wishing
from graphql_api.contacts.desk import contact_desk
from graphql_api.contacts.preferences import NotificationPreferences
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import LocalTime
from persistence.contacts import ContactRepository


@strawberry.input(description="When nothing shall come that can wait.")
class QuietHoursInput:
    """See domain.contacts.planning.QuietHours."""

    starts: LocalTime = strawberry.field(description="When they begin, each day, by the clock of the zone: `22:00`.")
    ends: LocalTime = strawberry.field(description="When they end; before the beginning for the next day.")
    zone: str = strawberry.field(description="Your IANA time zone, such as `Europe/Berlin`.")
    floor: Severity = strawberry.field(
        description="Alerts of this severity and worse come all the same.", default=Severity.HIGH
    )


def quiet_hours_of(given: QuietHoursInput | None) -> planning.QuietHours | None:
    """The domain's."""
    if given is None:
        return None
    return planning.QuietHours(
        starts=given.starts.replace(tzinfo=None),
        ends=given.ends.replace(tzinfo=None),
        zone=given.zone,
        floor=given.floor,
    )


@strawberry.input(description="Your quiet hours, in place of those of before.")
class SetQuietHoursInput:
    """See domain.contacts.wishing."""

    quiet_hours: QuietHoursInput | None = strawberry.field(description="When nothing shall come; null for never.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )


@strawberry.type(description="What can wait comes when the quiet hours end, together.")
class SetQuietHoursSuccess:
    """What is wanted now."""

    preferences: NotificationPreferences = strawberry.field(description="Your preferences.")


@mutation(
    payload("SetQuietHours", SetQuietHoursSuccess, NotFound, StaleVersion),
    description="Say when nothing shall come that can wait. What is held, and until when, is on its notification.",
)
async def set_quiet_hours(info: Info, data: SetQuietHoursInput) -> SetQuietHoursSuccess:
    """Write them under the person's lock."""
    context, quiet = info.context, quiet_hours_of(data.quiet_hours)
    async with context.uow() as uow:
        preferences = await wishing.set_quiet_hours(
            quiet,
            expected_version=data.expected_version,
            desk=contact_desk(context, uow, "setQuietHours"),
            store=ContactRepository(uow.connection),
        )
        await uow.commit()
    return SetQuietHoursSuccess(preferences=preferences)  # type: ignore[arg-type] # the domain object is it
