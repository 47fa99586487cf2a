"""How is a maintenance window shown? With what it holds, and when it occurs next."""

from datetime import datetime, timedelta
from typing import Any, TypeAlias

import strawberry

from domain.identity import model as identity
from domain.integrations import model as integrations
from domain.maintenance import model
from domain.maintenance.occurrences import next_occurrences
from domain.silences.matchers import LabelMatcher as Matcher
from graphql_api.alerts.actors import Actor, actor_of
from graphql_api.context import Info
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_teams
from graphql_api.identity.types import Team
from graphql_api.integrations.loaders import load_integrations
from graphql_api.integrations.types import Integration
from graphql_api.label_matcher import LabelMatcher
from graphql_api.scalars import LocalDateTime

_Window: TypeAlias = strawberry.Parent[model.MaintenanceWindow]


@exposes(model.Occurrence, name="MaintenanceOccurrence", description="One time a maintenance window occurs.")
class MaintenanceOccurrence:
    """See domain.maintenance.model.Occurrence."""

    starts_at: datetime = strawberry.field(description="When it begins.")
    ends_at: datetime = strawberry.field(description="When it ends.")


def _matchers(root: _Window) -> list[Matcher]:
    return list(root.matchers)


def _condition(root: _Window) -> str | None:
    return None if root.condition is None else root.condition.text


def _next(root: _Window, info: Info) -> list[model.Occurrence]:
    return next_occurrences(root, now=info.context.now())


def _starts_at(root: _Window) -> LocalDateTime:
    return LocalDateTime(root.starts_at)


def _exceptions(root: _Window) -> list[LocalDateTime]:
    return [LocalDateTime(one) for one in root.exceptions]


async def _author(root: _Window, info: Info) -> Any:  # noqa: ANN401 - a domain object, which is a member of the union
    return await actor_of(root.actor, info)


async def _team(root: _Window, info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


async def _integration(root: _Window, info: Info) -> integrations.Integration | None:
    return (
        None if root.integration_id is None else await info.context.loader(load_integrations).load(root.integration_id)
    )


@exposes(
    model.MaintenanceWindow,
    description="A time set aside for work, once or again and again. Each time it occurs is a silence, made ahead.",
)
class MaintenanceWindow:
    """See domain.maintenance.model.MaintenanceWindow."""

    id: strawberry.ID = strawberry.field(description="The window's id.")
    name: str = strawberry.field(description="The name people read.")
    comment: str = strawberry.field(description="Why.")
    matchers = strawberry.field(
        resolver=_matchers, graphql_type=list[LabelMatcher], description="All of them hold for the alerts it holds."
    )
    condition = strawberry.field(
        resolver=_condition,
        graphql_type=str | None,
        description="The CEL condition that holds besides the matchers; null for none.",
    )
    integration = strawberry.field(
        resolver=_integration,
        graphql_type=Integration | None,
        description="Whose alerts alone it holds; null for those of every integration.",
    )
    team = strawberry.field(
        resolver=_team, graphql_type=Team | None, description="Which team's alerts alone it holds; null for all teams'."
    )
    holds_private_teams: bool = strawberry.field(
        resolver=lambda root: root.holds_private,
        description="Without a team: whether it holds the alerts of private teams too, as an administrator made it.",
    )
    time_zone: str = strawberry.field(description="The IANA time zone whose clock it goes by.")
    starts_at = strawberry.field(
        resolver=_starts_at, graphql_type=LocalDateTime, description="Its first start, on the clock of its zone."
    )
    duration: timedelta = strawberry.field(description="How long it lasts, as time that passes.")
    recurrence: str | None = strawberry.field(description="When it occurs again, an RFC 5545 RRULE; null for never.")
    exceptions = strawberry.field(
        resolver=_exceptions,
        graphql_type=list[LocalDateTime],
        description="Starts that do not happen, on the clock of its zone.",
    )
    next_occurrences = strawberry.field(
        resolver=_next,
        graphql_type=list[MaintenanceOccurrence],
        description="The next five times it occurs, the one that runs first; empty while it is paused.",
    )
    author = strawberry.field(resolver=_author, graphql_type=Actor | None, description="Who made it.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last edited.")
    paused_at: datetime | None = strawberry.field(description="Since when it is paused; null while it occurs.")
    archived_at: datetime | None = strawberry.field(description="When it was ended; null while it is there.")
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")
