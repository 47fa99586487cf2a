"""What do messages to persons say, as the API shows it?"""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.contacts import templates
from domain.identity import model as identity
from graphql_api.channels.person_enums import Medium, Saying
from graphql_api.context import Info
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_teams
from graphql_api.identity.types import Team
from graphql_api.scalars import uuid_or_none
from persistence.person_templates import person_templates_of
from persistence.reads.visibility import is_team_in_sight

TeamId = Annotated[
    strawberry.ID | None,
    strawberry.argument(description="Of which team; those for everybody whose team has none of its own if left out."),
]


async def _team(root: strawberry.Parent[templates.PersonTemplate], info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


@exposes(templates.PersonTemplate, description="What one kind of message to persons says by one medium.")
class PersonMessageTemplate:
    """See domain.contacts.templates.PersonTemplate."""

    id: strawberry.ID = strawberry.field(description="The template's id.")
    team = strawberry.field(
        resolver=_team, graphql_type=Team | None, description="Of whose alerts; null for all without one of their own."
    )
    medium: Medium = strawberry.field(description="By what it is sent.")
    kind: Saying = strawberry.field(description="Of which messages.")
    subject: str | None = strawberry.field(description="A mail's subject; null for the built-in one.")
    source: str = strawberry.field(description="The template of the text (docs/channels.md).")
    failures: int = strawberry.field(description="Messages that left in the built-in form, since it failed.")
    problem: str | None = strawberry.field(description="Why it failed last; null since it was saved.")
    problem_at: datetime | None = strawberry.field(description="When it failed last.")
    updated_at: datetime = strawberry.field(description="When it was last edited.")
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")


@strawberry.type
class PersonTemplateQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="What messages to persons say about alerts of a team, or of all whose team has no template of its "
        "own, by medium and kind. None for a team you may not see.",
        graphql_type=list[PersonMessageTemplate],
    )
    async def person_message_templates(self, info: Info, *, team_id: TeamId = None) -> list[templates.PersonTemplate]:
        """There are few: no paging."""
        wanted = None if team_id is None else uuid_or_none(team_id)
        if team_id is not None and wanted is None:
            return []
        sight = info.context.require_viewer().sight
        async with info.context.read() as connection:
            if wanted is not None and not await is_team_in_sight(connection, wanted, sight=sight):
                return []
            return await person_templates_of(connection, wanted)
