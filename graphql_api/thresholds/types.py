"""How is a threshold rule shown? With what it measures and raises, and where it is for each group that is not quiet."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from domain.alerts.model import Alert as DomainAlert
from domain.identity import model as identity
from domain.thresholds import model
from graphql_api.alerts.loaders import load_alerts
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_teams, load_users
from graphql_api.identity.types import Team, User
from graphql_api.thresholds.enums import Comparison, Dimension, Measure, Phase
from graphql_api.thresholds.loaders import load_states

if TYPE_CHECKING:
    from graphql_api.alerts.types import Alert

# The first that any group is in is where the rule is.
_WORST_FIRST = (Phase.FIRING, Phase.PENDING, Phase.RESOLVED, Phase.INACTIVE)


@dataclass(frozen=True, slots=True)
class Group:
    """One group of a rule, as it is shown. `team` is the team it stands for, where the rule groups by team."""

    rule: model.ThresholdRule
    value_text: str
    state: model.GroupState


async def _match_teams(root: strawberry.Parent[model.Match], info: Info) -> list[identity.Team]:
    found = await info.context.loader(load_teams).load_many(list(root.team_ids))
    return [team for team in found if team is not None]


@exposes(model.Match, name="ThresholdMatch", description="Which alerts a rule counts.")
class ThresholdMatch:
    """See domain.thresholds.model.Match."""

    services: list[str] = strawberry.field(description="Of these services; none means all.")
    teams = strawberry.field(
        resolver=_match_teams,
        graphql_type=list[Team],
        description="Of these teams, those you may see; none means all the rule may count.",
    )
    severities: list[Severity] = strawberry.field(description="Of these severities; none means all.")
    sources: list[str] = strawberry.field(description="Of these sources; none means all.")


def _for(root: strawberry.Parent[model.Condition]) -> timedelta:
    return root.hold


@exposes(model.Condition, name="ThresholdCondition", description="What must hold, and for how long.")
class ThresholdCondition:
    """See domain.thresholds.model.Condition."""

    measure: Measure = strawberry.field(description="What is measured.")
    window: timedelta = strawberry.field(description="Over how long.")
    comparison: Comparison = strawberry.field(description="On which side of the threshold it is wrong.")
    raise_at: float = strawberry.field(description="The value that raises.")
    clear_at: float = strawberry.field(description="The value that clears.")
    for_ = strawberry.field(resolver=_for, name="for", description="How long it must hold before the alert is raised.")
    match: ThresholdMatch = strawberry.field(description="Which alerts count.")
    group_by: Dimension | None = strawberry.field(description="What is measured by itself; null for all together.")


def _labels(root: strawberry.Parent[model.Raised]) -> JSON:
    return JSON(dict(root.labels))


@exposes(model.Raised, name="ThresholdAlert", description="The alert a rule raises.")
class ThresholdAlert:
    """See domain.thresholds.model.Raised."""

    title: str = strawberry.field(description="Its title, with names in braces for what happened.")
    severity: Severity = strawberry.field(description="Its severity.")
    description: str = strawberry.field(description="Its description; may be empty.")
    labels = strawberry.field(resolver=_labels, graphql_type=JSON, description="Its labels.")


async def _group_alert(root: strawberry.Parent[Group], info: Info) -> DomainAlert | None:
    alert_id = root.state.alert_id
    return None if alert_id is None else await info.context.loader(load_alerts).load(alert_id)


async def _group_team(root: strawberry.Parent[Group], info: Info) -> identity.Team | None:
    if root.rule.condition.group_by is not Dimension.TEAM or not root.value_text:
        return None
    return await info.context.loader(load_teams).load(UUID(root.value_text))


@exposes(Group, name="ThresholdGroup", description="Where a rule is for one value of what it groups by.")
class ThresholdGroup:
    """See domain.thresholds.model.GroupState."""

    @strawberry.field(description="The value: a service, a source, a severity or a team's id; empty for none.")
    def group(root: strawberry.Parent[Group]) -> str:  # noqa: N805 - strawberry's way
        """As the time series has it."""
        return root.value_text

    team = strawberry.field(
        resolver=_group_team,
        graphql_type=Team | None,
        description="The team, where the rule groups by team; null for none you may see.",
    )

    @strawberry.field(description="Where it is.")
    def phase(root: strawberry.Parent[Group]) -> Phase:  # noqa: N805
        """Of the state."""
        return root.state.phase

    @strawberry.field(description="Since when it is there.")
    def since(root: strawberry.Parent[Group]) -> datetime:  # noqa: N805
        """Of the state."""
        return root.state.since

    @strawberry.field(description="The value it had when it last mattered.")
    def value(root: strawberry.Parent[Group]) -> float:  # noqa: N805
        """Of the state."""
        return root.state.value

    alert = strawberry.field(
        resolver=_group_alert,
        graphql_type=Annotated["Alert", strawberry.lazy("graphql_api.alerts.types")] | None,
        description="The alert it last raised; null for none you may see.",
    )


async def _groups(root: strawberry.Parent[model.ThresholdRule], info: Info) -> list[Group]:
    states = await info.context.loader(load_states).load(root.id)
    return [Group(root, value, state) for value, state in states if state.phase is not Phase.INACTIVE]


async def _phase(root: strawberry.Parent[model.ThresholdRule], info: Info) -> Phase:
    phases = {state.phase for _, state in await info.context.loader(load_states).load(root.id)}
    return next((phase for phase in _WORST_FIRST if phase in phases), Phase.INACTIVE)


async def _team(root: strawberry.Parent[model.ThresholdRule], info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


async def _created_by(root: strawberry.Parent[model.ThresholdRule], info: Info) -> identity.User | None:
    return None if root.created_by is None else await info.context.loader(load_users).load(root.created_by)


@exposes(
    model.ThresholdRule,
    description="An alert raised from the time series of alerts: while a measure of them is beyond a threshold.",
)
class ThresholdRule:
    """See domain.thresholds.model.ThresholdRule."""

    id: strawberry.ID = strawberry.field(description="The rule's id.")
    name: str = strawberry.field(description="The name people read; unique within the team.")
    description: str = strawberry.field(description="What it is for; may be empty.")
    team = strawberry.field(
        resolver=_team,
        graphql_type=Team | None,
        description="The team it is of, whose alerts it raises; null for none you may see.",
    )
    is_enabled: bool = strawberry.field(description="Whether it is evaluated.")
    condition: ThresholdCondition = strawberry.field(description="What must hold.")

    @strawberry.field(description="The alert it raises.", graphql_type=ThresholdAlert)
    def alert(root: strawberry.Parent[model.ThresholdRule]) -> model.Raised:  # noqa: N805 - strawberry's way
        """What is raised."""
        return root.raised

    phase = strawberry.field(
        resolver=_phase, graphql_type=Phase, description="Where it is: as the group of it that is worst off."
    )
    groups = strawberry.field(
        resolver=_groups,
        graphql_type=list[ThresholdGroup],
        description="Its groups that are pending or firing, or were firing within the last day.",
    )
    evaluated_until: datetime | None = strawberry.field(
        description="The end of the last minute it looked at; null before the first. It waits until a minute is "
        "counted completely."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    created_by = strawberry.field(resolver=_created_by, graphql_type=User | None, description="Who made it.")
    updated_at: datetime = strawberry.field(description="When it was last edited.")
    archived_at: datetime | None = strawberry.field(
        description="When it was ended, by itself or with its team; null while it counts."
    )
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")
