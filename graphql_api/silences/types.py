"""How is a silence shown, and what it would hold?"""

from datetime import datetime
from typing import Any, TypeAlias, cast

import strawberry

from domain.identity import model as identity
from domain.integrations import model as integrations
from domain.maintenance import model as maintenance
from domain.silences import breadth, model
from domain.silences.matchers import LabelMatcher as Matcher
from domain.silences.model import SilenceKind, SilenceState
from graphql_api.alerts.actors import Actor, actor_of
from graphql_api.context import Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams
from graphql_api.identity.types import Team
from graphql_api.integrations.loaders import load_integrations
from graphql_api.integrations.types import Integration
from graphql_api.label_matcher import LabelMatcher
from graphql_api.maintenance.loaders import load_windows
from graphql_api.maintenance.types import MaintenanceWindow
from graphql_api.silences.loaders import load_held

_Silence: TypeAlias = strawberry.Parent[model.Silence]

expose_enum(
    SilenceState,
    description="Where a silence is in its life.",
    values={
        SilenceState.PENDING: "It has yet to begin.",
        SilenceState.ACTIVE: "It holds alerts.",
        SilenceState.EXPIRED: "It is over.",
    },
)
expose_enum(
    SilenceKind,
    description="How a silence came to be.",
    values={
        SilenceKind.ONE_OFF: "Somebody made it, or a client of `/api/v2`.",
        SilenceKind.MAINTENANCE: "It is one occurrence of a maintenance window.",
    },
)


def _matchers(root: _Silence) -> list[Matcher]:
    return [cast("Matcher", matcher) for matcher in root.matchers]


def _text(root: _Silence) -> str:
    return ",".join(map(str, root.matchers))


def _condition(root: _Silence) -> str | None:
    return None if root.condition is None else root.condition.text


def _state(root: _Silence, info: Info) -> SilenceState:
    return root.shown_state(info.context.now())


async def _author(root: _Silence, info: Info) -> Any:  # noqa: ANN401 - a domain object, which is a member of the union
    return None if root.actor is None else await actor_of(root.actor, info)


async def _integration(root: _Silence, info: Info) -> integrations.Integration | None:
    return (
        None if root.integration_id is None else await info.context.loader(load_integrations).load(root.integration_id)
    )


async def _team(root: _Silence, info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


async def _window(root: _Silence, info: Info) -> maintenance.MaintenanceWindow | None:
    return None if root.window_id is None else await info.context.loader(load_windows).load(root.window_id)


async def _held(root: _Silence, info: Info) -> int:
    return await info.context.loader(load_held).load(root.id)


@exposes(
    model.Silence, description="Conditions and a time range; alerts that fit are kept and marked, and nobody is woken."
)
class Silence:
    """See domain.silences.model.Silence."""

    id: strawberry.ID = strawberry.field(description="The silence's id.")
    kind: SilenceKind = strawberry.field(description="How it came to be.")
    state: SilenceState = strawberry.field(resolver=_state, description="Where it is in its life.")
    matchers = strawberry.field(
        resolver=_matchers, graphql_type=list[LabelMatcher], description="All of them hold for the alerts it holds."
    )
    matcher_text = strawberry.field(
        resolver=_text, graphql_type=str, description="The matchers as `amtool` takes them; empty where there are none."
    )
    condition = strawberry.field(
        resolver=_condition,
        graphql_type=str | None,
        description="The CEL condition that holds besides the matchers; null for none.",
    )
    starts_at: datetime = strawberry.field(description="When it begins.")
    ends_at: datetime = strawberry.field(description="When it ends.")
    created_by: str = strawberry.field(
        description="Who made it, as a client of `/api/v2` said; empty for one that was made here: see `author`."
    )
    author = strawberry.field(
        resolver=_author,
        graphql_type=Actor | None,
        description="Who made it here; null for one that a client of `/api/v2` made.",
    )
    comment: str = strawberry.field(description="Why.")
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
        description="Without a team: whether it holds the alerts of private teams too. Only one that an administrator "
        "made does, or one of an integration's own key.",
    )
    maintenance_window = strawberry.field(
        resolver=_window,
        graphql_type=MaintenanceWindow | None,
        description="The maintenance window it is one occurrence of; null for a silence of its own.",
    )
    held_alerts = strawberry.field(
        resolver=_held, graphql_type=int, description="How many open alerts it holds, of those you may see."
    )
    updated_at: datetime = strawberry.field(description="When it was made, or last changed.")
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")


@exposes(breadth.Hits, name="SilenceHits", description="How many alerts a silence would hold.")
class SilenceHits:
    """See domain.silences.breadth.Hits."""

    matched: int = strawberry.field(description="How many it would hold.")
    total: int = strawberry.field(description="How many there are, of those you may see.")
    share: float = strawberry.field(description="The part of them it would hold, from 0 to 1.")
