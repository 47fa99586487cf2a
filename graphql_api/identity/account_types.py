"""How are invitations shown, and how are people looked for?"""

from datetime import datetime

import strawberry

from domain.identity import model
from domain.identity.admissions import Admission
from graphql_api.context import Info
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_teams, load_users
from graphql_api.identity.types import Team, User


async def _team(root: strawberry.Parent[Admission], info: Info) -> model.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


async def _invited_by(root: strawberry.Parent[Admission], info: Info) -> model.User | None:
    return None if root.invited_by is None else await info.context.loader(load_users).load(root.invited_by)


@exposes(Admission, description="A person who was asked in and has not come yet.", name="Invitation")
class Invitation:
    """See domain.identity.admissions.Admission."""

    id: strawberry.ID = strawberry.field(description="The invitation's id.")
    email: str = strawberry.field(description="Where the invitation went.")
    first_name: str = strawberry.field(description="Given name; may be empty.")
    last_name: str = strawberry.field(description="Family name; may be empty.")
    role: model.Role = strawberry.field(description="What the person may do once they are in.")
    issued_at: datetime = strawberry.field(description="When it was mailed last.")
    expires_at: datetime = strawberry.field(description="When its link stops working.")
    team = strawberry.field(
        resolver=_team, graphql_type=Team | None, description="The team the person comes into; null for none."
    )
    invited_by = strawberry.field(
        resolver=_invited_by, graphql_type=User | None, description="Who asked the person in."
    )


@strawberry.input(description="Which people are looked for; all that is given must hold.")
class UserFilter:
    """See persistence.reads.people.PeopleFilter."""

    search: str | None = strawberry.field(
        description="A whole address, or parts of the name: each word must begin a part of it.", default=None
    )
    role: model.Role | None = strawberry.field(description="Only people with this role.", default=None)
    is_active: bool | None = strawberry.field(
        description="Only people who may sign in, or only those who may not.", default=None
    )
    team_id: strawberry.ID | None = strawberry.field(
        description="Only members of this team; a team you may not see has none.", default=None
    )
