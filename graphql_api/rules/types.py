"""How is an alert rule shown?"""

from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from domain.identity import model as identity
from domain.rules import model
from domain.rules.building_back import builder_of
from domain.rules.condition import ConditionInvalid
from domain.rules.model import Priority, RuleMode
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_teams, load_users
from graphql_api.identity.types import Team, User
from graphql_api.rules import enums as _enums  # noqa: F401 - makes the enums
from graphql_api.rules.builder_types import AlertCondition, Shown, shown
from graphql_api.rules.inputs import STOPS
from graphql_api.rules.loaders import load_activity
from persistence.conditions import compile_condition
from persistence.rules import versions_of

_Rule: TypeAlias = strawberry.Parent[model.AlertRule]
_Effects: TypeAlias = strawberry.Parent[model.Effects]
MAX_VERSIONS = 50


async def _team(root: _Effects, info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


def _labels(root: _Effects) -> JSON:
    return JSON(dict(root.labels))


@exposes(model.Effects, name="AlertRuleEffects", description="What a rule does to an alert; null leaves it as it is.")
class AlertRuleEffects:
    """See domain.rules.model.Effects."""

    severity: Severity | None = strawberry.field(description="The severity it sets.")
    team = strawberry.field(
        resolver=_team,
        graphql_type=Team | None,
        description="The team that gets an alert which opens; null when it sets none, or you may not see it.",
    )
    priority: Priority | None = strawberry.field(description="The priority it sets, as the label `priority`.")
    labels = strawberry.field(resolver=_labels, graphql_type=JSON, description="The labels it sets, by their names.")
    suppress: str | None = strawberry.field(
        description="Why nobody is to be woken: the alert is kept, and marked with it."
    )
    dedup_by: list[str] = strawberry.field(
        description="What makes the deduplication key instead of the source's: title, service, source, labels.<name>."
    )
    group_by: list[str] = strawberry.field(description="What makes the key of the group it joins: the same words.")
    reopen_window: timedelta | None = strawberry.field(
        description="How long after its end the alert can open again, instead of the server's own time."
    )
    auto_resolve_after: timedelta | None = strawberry.field(
        description="How long after its last signal the alert ends by itself."
    )


@exposes(
    model.RuleActivity, name="AlertRuleActivity", description="What a rule did so far; counted some seconds behind."
)
class AlertRuleActivity:
    """See domain.rules.model.RuleActivity."""

    matches: int = strawberry.field(description="For how many signals its condition held.")
    failures: int = strawberry.field(description="For how many it could not be worked out: they were passed over.")
    last_matched_at: datetime | None = strawberry.field(description="When it last held.")
    last_failed_at: datetime | None = strawberry.field(description="When it last could not be worked out.")
    last_failure: str | None = strawberry.field(description="Why it could not.")


@strawberry.type(description="A rule as it was at one version.")
class AlertRuleVersion:
    """See persistence.tables.alert_rule_versions."""

    changed_by_id: strawberry.Private[UUID | None]
    version: int = strawberry.field(description="Which version.")
    changed_at: datetime = strawberry.field(description="From when on it counted.")
    rule: JSON = strawberry.field(
        description="Its name, condition, mode, effects and the rest, as the audit log has it."
    )

    @strawberry.field(description="Who made it; null when it can no longer be told.", graphql_type=User | None)
    async def changed_by(self, info: Info) -> identity.User | None:
        """By loader."""
        who = self.changed_by_id
        return None if who is None else await info.context.loader(load_users).load(who)


def _builder(root: _Rule) -> Shown | None:
    try:
        built = builder_of(compile_condition(root.condition).tree.root)
    except ConditionInvalid:
        return None
    return None if built is None else shown(built)


def _needs_state(root: _Rule) -> bool:
    try:
        return compile_condition(root.condition).needs_state
    except ConditionInvalid:
        return False


async def _of_team(root: _Rule, info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


async def _created_by(root: _Rule, info: Info) -> identity.User | None:
    return None if root.created_by is None else await info.context.loader(load_users).load(root.created_by)


async def _activity(root: _Rule, info: Info) -> model.RuleActivity:
    return await info.context.loader(load_activity).load(root.id)


async def _as_seen(rule: dict[str, Any], info: Info) -> dict[str, Any]:
    """A version without the team it gave alerts to, where the viewer may not see that."""
    effects: dict[str, Any] = rule.get("effects") or {}
    team_id = effects.get("teamId")
    if team_id is None or await info.context.loader(load_teams).load(UUID(team_id)) is not None:
        return rule
    return {**rule, "effects": {**effects, "teamId": None}}


async def _versions(root: _Rule, info: Info) -> list[AlertRuleVersion]:
    async with info.context.read() as connection:
        found = await versions_of(connection, root.id, limit=MAX_VERSIONS)
    return [
        AlertRuleVersion(
            version=row["version"],
            changed_at=row["changed_at"],
            changed_by_id=row["changed_by"],
            rule=JSON(await _as_seen(row["rule"], info)),
        )
        for row in found
    ]


@exposes(model.AlertRule, description="A condition, and what is to become of the alerts it holds for.")
class AlertRule:
    """See domain.rules.model.AlertRule."""

    id: strawberry.ID = strawberry.field(description="The rule's id.")
    name: str = strawberry.field(
        description="The name people read; unique among the rules of its team, or of no team, that are not archived."
    )
    team = strawberry.field(
        resolver=_of_team,
        graphql_type=Team | None,
        description="The team whose rule it is: it is asked about this team's alerts alone, after the rules of no "
        "team. Null for a rule that is asked about everybody's.",
    )
    description: str = strawberry.field(description="What it is for; may be empty.")
    condition: str = strawberry.field(description="The condition, in CEL: see docs/rules.md.")
    builder = strawberry.field(
        resolver=_builder,
        graphql_type=AlertCondition | None,
        description="The condition as comparisons; null where it says what no builder can say.",
    )
    asks_alert = strawberry.field(
        resolver=_needs_state,
        description="Whether the condition looks at the alert itself (team, status, occurrences), so that it is asked "
        "when the signal has met its alert.",
    )
    mode: RuleMode = strawberry.field(description="What it does when the condition holds.")
    position: int = strawberry.field(
        description="Its place in the order of its team, or of no team, from 1; see `reorderAlertRules`."
    )
    stops: bool = strawberry.field(description=STOPS)
    service_filter: str | None = strawberry.field(
        description="Only alerts of these services: a name, in which * stands for any text; null for all."
    )
    effects: AlertRuleEffects = strawberry.field(description="What it does.")
    activity = strawberry.field(resolver=_activity, graphql_type=AlertRuleActivity, description="What it did so far.")
    versions = strawberry.field(
        resolver=_versions,
        graphql_type=list[AlertRuleVersion],
        description="What it was, the newest version first; at most 50.",
    )
    created_by = strawberry.field(
        resolver=_created_by, graphql_type=User | None, description="Who made it; null for a service account."
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last edited.")
    archived_at: datetime | None = strawberry.field(
        description="When it was ended, by itself or with its team; null while it is there."
    )
    version: int = strawberry.field(description="Grows with each edit; give it as `expectedVersion`.")
