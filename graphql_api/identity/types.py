"""How are people, teams and the server shown?"""

from datetime import datetime, timedelta
from typing import Annotated

import strawberry

from domain.identity import model
from domain.teams.handover import Handover
from domain.teams.ownership import OwnershipLine
from graphql_api.connection import Connection
from graphql_api.contacts.preferences import NotificationPreferences, preferences_of_person
from graphql_api.contacts.types import ContactMethod, methods_of_person
from graphql_api.context import Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.identity_types import Identity, identities_of_person
from graphql_api.identity.loaders import load_factors, load_members, load_teams
from graphql_api.identity.session_types import Session, sessions_of_person
from graphql_api.teams.loaders import load_handovers, load_ownership
from graphql_api.teams.types import TeamHandover, TeamOwnership

expose_enum(
    model.Role,
    description="What a person may do; each role may do all that the ones after it may.",
    values={
        model.Role.ADMIN: "Everything, people included.",
        model.Role.MANAGER: "Teams, integrations, silences and alerts.",
        model.Role.OPERATOR: "Works on alerts: acknowledges, assigns, resolves.",
        model.Role.VIEWER: "Reads.",
    },
)


async def _primary_team(root: strawberry.Parent[model.User], info: Info) -> model.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


async def _has_second_factor(root: strawberry.Parent[model.User], info: Info) -> bool | None:
    viewer = info.context.require_viewer()
    return (await info.context.loader(load_factors).load(root.id)).any if viewer.role is model.Role.ADMIN else None


async def _members(root: strawberry.Parent[model.Team], info: Info) -> "list[TeamMember]":
    rows = await info.context.loader(load_members).load(root.id)
    return [TeamMember(role=role, user=user) for role, user in rows]  # type: ignore[arg-type] # the domain object is it


async def _ownership(root: strawberry.Parent[model.Team], info: Info) -> list[OwnershipLine]:
    return await info.context.loader(load_ownership).load(root.id)


async def _handed_over_to(root: strawberry.Parent[model.Team], info: Info) -> model.Team | None:
    return None if root.handed_over_to is None else await info.context.loader(load_teams).load(root.handed_over_to)


async def _handover(root: strawberry.Parent[model.Team], info: Info) -> Handover | None:
    return await info.context.loader(load_handovers).load(root.id)


@exposes(model.User, description="A person who signs in.")
class User:
    """See domain.identity.model.User."""

    id: strawberry.ID = strawberry.field(description="The person's id.")
    email: str = strawberry.field(description="The address the person signs in with; empty for an erased person.")
    name: str = strawberry.field(
        description="The full name, never the address: “Unnamed person” with the end of the id where none is known, "
        "“Erased person” for one who was erased."
    )
    first_name: str = strawberry.field(description="Given name; may be empty.")
    last_name: str = strawberry.field(description="Family name; may be empty.")
    role: model.Role = strawberry.field(description="What the person may do.")
    is_active: bool = strawberry.field(description="Whether the person may sign in.")
    is_erased: bool = strawberry.field(description="Whether all that was known of the person was erased.")
    email_verified: bool = strawberry.field(description="Whether the person proved to read mail at the address.")
    version: int = strawberry.field(description="Counts the edits; give it as `expectedVersion`.")
    created_at: datetime = strawberry.field(description="When the person was let in.")
    last_login: datetime | None = strawberry.field(description="When the person last signed in.")
    team = strawberry.field(
        resolver=_primary_team,
        graphql_type=Annotated["Team", strawberry.lazy("graphql_api.identity.types")] | None,
        description="The primary team; null for none, or for one you may not see.",
    )
    has_second_factor = strawberry.field(
        resolver=_has_second_factor,
        graphql_type=bool | None,
        description="Whether the person has an authenticator app or a passkey; for administrators, null for others.",
    )
    sessions = strawberry.field(
        resolver=sessions_of_person,
        graphql_type=Connection[Session],
        description="The sessions that have not ended, the newest first. Yours; anybody's for an administrator.",
    )
    identities = strawberry.field(
        resolver=identities_of_person,
        graphql_type=list[Identity],
        description="The accounts at providers the person signs in by. Yours; anybody's for an administrator.",
    )
    contact_methods = strawberry.field(
        resolver=methods_of_person,
        graphql_type=list[ContactMethod],
        description="What the person is reached by, the account's address first. Yours; anybody's for an "
        "administrator; for managers, who decide who is paged, masked.",
    )
    notification_preferences = strawberry.field(
        resolver=preferences_of_person,
        graphql_type=NotificationPreferences,
        description="How the person wants to be told. Yours; anybody's for an administrator.",
    )


@strawberry.type(description="A person's place in a team.")
class TeamMember:
    """See domain.identity.model.Membership."""

    role: model.Role = strawberry.field(description="The role within the team.")
    user: User = strawberry.field(description="The person.")


def _pause(root: strawberry.Parent[model.Team]) -> timedelta | None:
    return None if root.pause_seconds is None else timedelta(seconds=root.pause_seconds)


@exposes(model.Team, description="People who share responsibility for alerts.")
class Team:
    """See domain.identity.model.Team."""

    id: strawberry.ID = strawberry.field(description="The team's id.")
    name: str = strawberry.field(description="The name people read.")
    slug: str = strawberry.field(description="The name for addresses.")
    description: str = strawberry.field(description="What the team is for; may be empty.")
    is_private: bool = strawberry.field(description="Whether only members and administrators see it and its alerts.")
    created_at: datetime = strawberry.field(description="When it was made.")
    archived_at: datetime | None = strawberry.field(description="When it ended; null while it lives.")
    version: int = strawberry.field(description="Grows with each change of it; give it as `expectedVersion`.")
    pause = strawberry.field(
        resolver=_pause,
        description="How long an alert of the team is held before anybody is woken, if its own past says that it ends "
        "by itself within that; zero for never, null as the server's setting says.",
    )
    members = strawberry.field(
        resolver=_members, graphql_type=list[TeamMember], description="Who is in it, by the time they joined."
    )
    ownership = strawberry.field(
        resolver=_ownership,
        graphql_type=list[TeamOwnership],
        description="The services and labels it owns, in the order they count: new alerts with them are given to it.",
    )
    handed_over_to = strawberry.field(
        resolver=_handed_over_to,
        graphql_type=Annotated["Team", strawberry.lazy("graphql_api.identity.types")] | None,
        description="The team that took over from it last; null for none, or one you may not see.",
    )
    handover = strawberry.field(
        resolver=_handover,
        graphql_type=TeamHandover | None,
        description="How far its last hand-over is; null when there was none.",
    )


@strawberry.type(description="One thing the server can or cannot do, as it is set up here.")
class Feature:
    """A switch a client may want to know of."""

    name: str = strawberry.field(description="The feature's name.")
    enabled: bool = strawberry.field(description="Whether it is there.")
    detail: str | None = strawberry.field(description="What that means here; null where there is nothing to add.")


@strawberry.type(description="What this server is.")
class ServerInfo:
    """Facts a client may want before it does anything."""

    version: str = strawberry.field(description="The server's version.")
    features: list[Feature] = strawberry.field(description="What this server can do, as it is set up.")
