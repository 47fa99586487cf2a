"""How does a team say when its alerts can wait?"""

import strawberry

from domain.contacts import team_rest
from graphql_api.audit_writer import desk_of
from graphql_api.contacts.mutations.set_quiet_hours import QuietHoursInput, quiet_hours_of
from graphql_api.contacts.team_rest import TeamQuietHours
from graphql_api.context import Info
from graphql_api.errors import NotFound, StaleVersion, mutation, payload
from graphql_api.scalars import uuid_of
from persistence.quiet_hours import TeamRestRepository


@strawberry.input(description="The quiet hours of a team, in place of those of before.")
class SetTeamQuietHoursInput:
    """See domain.contacts.team_rest."""

    team_id: strawberry.ID = strawberry.field(description="The team.")
    quiet_hours: QuietHoursInput | None = strawberry.field(description="When nothing shall come; null for never.")
    expected_version: int | None = strawberry.field(
        description="The version you read; the edit is refused when it has another by now.", default=None
    )


@strawberry.type(description="What can wait comes when the quiet hours end, together.")
class SetTeamQuietHoursSuccess:
    """What counts now."""

    team_quiet_hours: TeamQuietHours = strawberry.field(description="The team's quiet hours.")


@mutation(
    payload("SetTeamQuietHours", SetTeamQuietHoursSuccess, NotFound, StaleVersion),
    description="Say when what tells people of a team's alerts can wait. It counts beside their own quiet hours, for "
    "what is queued from now on; channels are told at once.",
)
async def set_team_quiet_hours(info: Info, data: SetTeamQuietHoursInput) -> SetTeamQuietHoursSuccess:
    """Write them under the team's lock."""
    context = info.context
    team_id = uuid_of(data.team_id, "team", "teamId")
    async with context.uow() as uow:
        stores = TeamRestRepository(uow.connection)
        rest = await team_rest.set_team_quiet_hours(
            team_id,
            quiet_hours_of(data.quiet_hours),
            expected_version=data.expected_version,
            desk=desk_of(context, uow, stores, action="setTeamQuietHours", target_kind="team"),
        )
        await uow.commit()
    return SetTeamQuietHoursSuccess(team_quiet_hours=rest)  # type: ignore[arg-type] # the domain object is it
