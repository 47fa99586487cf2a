"""How is shown what a team owns, and how far it is handed over?"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from domain.identity import model
from domain.teams import handover, ownership
from graphql_api.context import Info
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_teams

if TYPE_CHECKING:
    from graphql_api.identity.types import Team

_Line = strawberry.Parent[ownership.OwnershipLine]


def _matchers(root: _Line) -> str | None:
    return None if root.service_name is not None else ",".join(map(str, root.matchers))


@exposes(ownership.OwnershipLine, description="One thing a team owns: a service, or all alerts with certain labels.")
class TeamOwnership:
    """See domain.teams.ownership.OwnershipLine."""

    id: strawberry.ID = strawberry.field(description="The line's id.")
    service: str | None = strawberry.field(
        resolver=lambda root: root.service_name, description="The service's exact name; null for matchers."
    )
    matchers: str | None = strawberry.field(
        resolver=_matchers, description="The conditions on labels, as silences have them; null for a service."
    )
    rank: int = strawberry.field(
        description="Of several lines that fit an alert the smallest rank counts; a service goes before matchers."
    )


async def _to(root: strawberry.Parent[handover.Handover], info: Info) -> model.Team | None:
    return await info.context.loader(load_teams).load(root.to_team_id)


@exposes(handover.Handover, description="How far a team is handed over to another.")
class TeamHandover:
    """See domain.teams.handover.Handover."""

    id: strawberry.ID = strawberry.field(description="The hand-over's id.")
    to_team = strawberry.field(
        resolver=_to,
        graphql_type=Annotated["Team", strawberry.lazy("graphql_api.identity.types")] | None,
        description="Who takes over; null for a team you may not see.",
    )
    started_at: datetime = strawberry.field(description="When it began.")
    includes_resolved: bool = strawberry.field(description="Whether resolved alerts go as well.")
    archives: bool = strawberry.field(description="Whether the team is archived when its last alert has gone.")
    moved_alerts: int = strawberry.field(description="How many alerts have gone so far.")
    finished_at: datetime | None = strawberry.field(description="When the last one had gone; null while it goes on.")
