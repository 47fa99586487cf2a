"""How is a routing rule shown?"""

from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from domain.escalations import model as escalations
from domain.identity import model as identity
from domain.routing import model
from domain.routing.model import RoutedEvent
from domain.rules.building_back import builder_of
from domain.rules.condition import ConditionInvalid
from graphql_api.context import Info
from graphql_api.escalations.loaders import load_policies
from graphql_api.escalations.types import EscalationPolicy, EscalationTarget
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_teams, load_users
from graphql_api.identity.types import Team, User
from graphql_api.rules.builder_types import AlertCondition, Shown, shown
from persistence.conditions import compile_condition
from persistence.routing import versions_of_routing_rule

_Rule: TypeAlias = strawberry.Parent[model.RoutingRule]
MAX_VERSIONS = 50
POLICY_ENDED = "the escalation policy that it names has ended: another of the team is set to work instead"

expose_enum(
    RoutedEvent,
    description="What happened to an alert that a routing rule may tell of.",
    values={
        RoutedEvent.OPENED: "It opened, and calls for somebody: it is not silenced, snoozed, flapping or paused.",
        RoutedEvent.WORSENED: "Its severity was raised, whether or not somebody has answered.",
        RoutedEvent.ACKNOWLEDGED: "Somebody has answered.",
        RoutedEvent.RESOLVED: "It ended. Who was told that it opened hears of it in any case.",
        RoutedEvent.REOPENED: "It opened again, and calls for somebody.",
    },
)


async def _team(root: _Rule, info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


async def _policy(root: _Rule, info: Info) -> escalations.Policy | None:
    return None if root.policy_id is None else await info.context.loader(load_policies).load(root.policy_id)


async def _problem(root: _Rule, info: Info) -> str | None:
    policy = await _policy(root, info)
    return POLICY_ENDED if policy is not None and policy.archived_at is not None else None


def _events(root: _Rule) -> list[RoutedEvent]:
    return [event for event in RoutedEvent if event in root.events]


def _builder(root: _Rule) -> Shown | None:
    try:
        built = builder_of(compile_condition(root.condition).tree.root)
    except ConditionInvalid:  # one that an older version took
        return None
    return None if built is None else shown(built)


@strawberry.type(description="A routing rule as it was at one version.")
class RoutingRuleVersion:
    """See persistence.tables.routing_rule_versions."""

    changed_by_id: strawberry.Private[UUID | None]
    version: int = strawberry.field(description="Which version.")
    changed_at: datetime = strawberry.field(description="From when on it counted.")
    rule: JSON = strawberry.field(description="Its name, condition, events, targets and the rest.")

    @strawberry.field(description="Who made it; null when it can no longer be told.", graphql_type=User | None)
    async def changed_by(self, info: Info) -> identity.User | None:
        """By loader."""
        who = self.changed_by_id
        return None if who is None else await info.context.loader(load_users).load(who)


async def _versions(root: _Rule, info: Info) -> list[RoutingRuleVersion]:
    async with info.context.read() as connection:
        found = await versions_of_routing_rule(connection, root.id, limit=MAX_VERSIONS)
    return [_version_of(row) for row in found]


def _version_of(row: dict[str, Any]) -> RoutingRuleVersion:
    return RoutingRuleVersion(
        version=row["version"], changed_at=row["changed_at"], changed_by_id=row["changed_by"], rule=JSON(row["rule"])
    )


@exposes(model.RoutingRule, description="Tells people and channels of what happens to such alerts.")
class RoutingRule:
    """See domain.routing.model.RoutingRule."""

    id: strawberry.ID = strawberry.field(description="The rule's id.")
    name: str = strawberry.field(description="The name people read; unique within the team.")
    description: str = strawberry.field(description="What it is for; may be empty.")
    team = strawberry.field(
        resolver=_team,
        graphql_type=Team | None,
        description="The team whose alerts it takes; null for alerts of no team and of every team that is not private.",
    )
    condition: str = strawberry.field(description="Which alerts, in CEL; see docs/rules.md.")
    builder = strawberry.field(
        resolver=_builder,
        graphql_type=AlertCondition | None,
        description="The condition as comparisons; null where it says what no builder can say.",
    )
    events = strawberry.field(resolver=_events, description="What it tells of.")
    targets: list[EscalationTarget] = strawberry.field(description="Whom it tells.")
    policy = strawberry.field(
        resolver=_policy,
        graphql_type=EscalationPolicy | None,
        description="The escalation policy it sets to work when the alert opens; null for none.",
    )
    problem = strawberry.field(
        resolver=_problem,
        graphql_type=str | None,
        description="What is wrong with it as things are: that the policy it names has ended. Null when nothing is.",
    )
    is_enabled: bool = strawberry.field(description="Whether it is asked.")
    stops: bool = strawberry.field(description="Whether no later rule of the same owner is asked once it holds.")
    position: int = strawberry.field(description="Its place among the rules of its owner.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last edited.")
    archived_at: datetime | None = strawberry.field(description="When it was ended; null while it is there.")
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")
    versions = strawberry.field(
        resolver=_versions,
        graphql_type=list[RoutingRuleVersion],
        description=f"What it was, the newest first: at most {MAX_VERSIONS}.",
    )
