"""How is a change of a team shown to who follows teams?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeAlias, Union
from uuid import UUID

import strawberry

from domain.alerts.cursor import Cursor, encode_cursor
from domain.errors import NotFound
from domain.identity import model
from domain.teams.events import RecordedTeamEvent, TeamEventKind
from graphql_api.alerts.actors import Actor, actor_of
from graphql_api.alerts.events import FieldChange
from graphql_api.context import Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams, load_users
from graphql_api.identity.types import Team, User
from graphql_api.live.stream_reset import StreamReset

expose_enum(
    TeamEventKind,
    description="What happened to a team.",
    values={
        TeamEventKind.CREATED: "It was made.",
        TeamEventKind.UPDATED: "Its name, slug, description or privacy changed.",
        TeamEventKind.MEMBER_ADDED: "A person became a member.",
        TeamEventKind.MEMBER_ROLE_CHANGED: "A member got another role within it.",
        TeamEventKind.MEMBER_REMOVED: "A person is no member any more.",
        TeamEventKind.OWNERSHIP_CHANGED: "It owns other services or labels than before.",
        TeamEventKind.HANDED_OVER: "Another team took over from it.",
        TeamEventKind.TAKEN_OVER: "It took over from another team.",
        TeamEventKind.ARCHIVED: "It ended.",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTeamEvent:
    """An event with its place."""

    recorded: RecordedTeamEvent
    place: Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class LostTeam:
    """The event that took a team from the viewer's sight, and its place."""

    recorded: RecordedTeamEvent
    place: Cursor


_Event: TypeAlias = strawberry.Parent[ShownTeamEvent]
_Lost: TypeAlias = strawberry.Parent[LostTeam]


def _id(root: _Event) -> strawberry.ID:
    return strawberry.ID(str(root.recorded.event.id))


def _cursor(root: _Event) -> str:
    return encode_cursor(root.place)


def _kind(root: _Event) -> TeamEventKind:
    return root.recorded.event.kind


def _occurred_at(root: _Event) -> datetime:
    return root.recorded.event.occurred_at


def _team_id(root: _Event) -> strawberry.ID:
    return strawberry.ID(str(root.recorded.event.team_id))


async def _team(root: _Event, info: Info) -> model.Team:
    team = await info.context.loader(load_teams).load(root.recorded.event.team_id)
    if team is None:
        raise NotFound(message="no such team")
    return team


async def _actor(root: _Event, info: Info) -> Any:  # noqa: ANN401 - a domain object, which is a member of the union
    return await actor_of(root.recorded.event.actor, info)


async def _member(root: _Event, info: Info) -> model.User | None:
    user_id = root.recorded.event.data.get("user_id")
    return None if user_id is None else await info.context.loader(load_users).load(UUID(user_id))


def _role(root: _Event) -> model.Role | None:
    role = root.recorded.event.data.get("role")
    return None if role is None else model.Role(role)


async def _other_team(root: _Event, info: Info) -> model.Team | None:
    other = root.recorded.event.data.get("other_team_id")
    return None if other is None else await info.context.loader(load_teams).load(UUID(other))


def _changes(root: _Event) -> list[FieldChange]:
    changes: dict[str, list[Any]] = root.recorded.event.data.get("changes", {})
    return [
        FieldChange(field=_API_NAMES.get(name, name), before=_word(name, before), after=_word(name, after))
        for name, (before, after) in changes.items()
    ]


_API_NAMES = {"is_private": "isPrivate"}


def _word(name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    return value.upper() if name == "role" else value


def _added(root: _Event) -> list[str]:
    return list(root.recorded.event.data.get("added", ()))


def _removed(root: _Event) -> list[str]:
    return list(root.recorded.event.data.get("removed", ()))


@exposes(ShownTeamEvent, description="One change of a team.")
class TeamEvent:
    """See domain.teams.events.TeamEvent."""

    id = strawberry.field(resolver=_id, description="The event's id; a stream may deliver it twice, with the same id.")
    cursor = strawberry.field(resolver=_cursor, description="The event's place in the log: give it as `after`.")
    kind = strawberry.field(resolver=_kind, description="What happened.")
    occurred_at = strawberry.field(resolver=_occurred_at, description="When it happened.")
    team_id = strawberry.field(resolver=_team_id, description="The team it happened to.")
    team = strawberry.field(resolver=_team, graphql_type=Team, description="The team it happened to, as it is now.")
    actor = strawberry.field(
        resolver=_actor, graphql_type=Actor | None, description="Who did it; null when it can no longer be told."
    )
    member = strawberry.field(
        resolver=_member, graphql_type=User | None, description="The person it is about, where it is about a member."
    )
    role = strawberry.field(
        resolver=_role,
        graphql_type=model.Role | None,
        description="The member's role within the team; the last one of who left.",
    )
    other_team = strawberry.field(
        resolver=_other_team,
        graphql_type=Team | None,
        description="The other team of a hand-over; null for one that you may not see.",
    )
    changes = strawberry.field(resolver=_changes, description="The fields it changed, before and after.")
    added = strawberry.field(resolver=_added, description="What the team came to own, a line each.")
    removed = strawberry.field(resolver=_removed, description="What the team owns no longer, a line each.")


def _lost_id(root: _Lost) -> strawberry.ID:
    return strawberry.ID(str(root.recorded.event.id))


def _lost_cursor(root: _Lost) -> str:
    return encode_cursor(root.place)


def _lost_team_id(root: _Lost) -> strawberry.ID:
    return strawberry.ID(str(root.recorded.event.team_id))


def _lost_at(root: _Lost) -> datetime:
    return root.recorded.event.occurred_at


@exposes(
    LostTeam, description="A team left your sight: it was made private, or you left it. Take it from what you show."
)
class TeamLeftView:
    """Its alerts went with it: lists read anew are without them."""

    id: strawberry.ID = strawberry.field(resolver=_lost_id, description="The event's id.")
    cursor: str = strawberry.field(resolver=_lost_cursor, description="The event's place: give it as `after`.")
    team_id: strawberry.ID = strawberry.field(resolver=_lost_team_id, description="The team.")
    occurred_at: datetime = strawberry.field(resolver=_lost_at, description="When it went.")


TeamStreamMessage: TypeAlias = Annotated[
    Union[TeamEvent, TeamLeftView, StreamReset],  # noqa: UP007 - strawberry names a union by its annotation
    strawberry.union(
        "TeamStreamMessage",
        description="What the stream of teams brings: an event; or the word that a team left your sight, or that the "
        "stream cannot go on.",
    ),
]
