"""Which rule had a hand in it? Alert rules, threshold rules, heartbeats."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from domain.alerts.decisions import DecisionKind
from domain.heartbeats import model as heartbeats
from domain.rules import model as rules
from domain.thresholds import model as thresholds
from graphql_api.alerts.decisions.explanation import Explanation, Makers
from graphql_api.context import Info
from graphql_api.heartbeats.loaders import load_heartbeats
from graphql_api.heartbeats.types import Heartbeat
from graphql_api.identity.loaders import load_teams
from graphql_api.rules.loaders import load_alert_rules
from graphql_api.rules.types import AlertRule
from graphql_api.thresholds.loaders import load_rules
from graphql_api.thresholds.types import ThresholdRule


@strawberry.type(description="One thing an alert rule changed, or would have changed.")
class AlertRuleChange:
    """See domain.rules.telling.match_decision."""

    field: str = strawberry.field(
        description="What: severity, labels.<name>, teamId, suppress, dedupKey, groupKey, reopenWindowSeconds or "
        "autoResolveAfterSeconds."
    )
    before: str | None = strawberry.field(description="What it was; null where it was nothing, or is not told.")
    told: strawberry.Private[str]

    @strawberry.field(description="What it became, or would have become.")
    async def after(self, info: Info) -> str:
        """A team that is hidden is not named, also after its alert went to another."""
        if self.field == "teamId" and await info.context.loader(load_teams).load(UUID(self.told)) is None:
            return "a team that you may not see"
        return self.told


@strawberry.type(description="An alert rule held for the alert, or could not be worked out for it.")
class AlertRuleDecision(Explanation):
    """See domain.alerts.decisions.rule_decision."""

    rule_id: strawberry.Private[UUID]
    rule_version: int = strawberry.field(
        description="The rule's version then; `versions` of the rule says what it was."
    )
    is_monitored: bool = strawberry.field(description="Whether it changed nothing, for it was only monitored.")
    of_team_id: strawberry.Private[UUID | None]
    told: strawberry.Private[str]
    changed: strawberry.Private[list[AlertRuleChange]]
    failed: strawberry.Private[str | None]

    async def _is_hidden(self, info: Info) -> bool:
        """Whether it is the rule of a team that the viewer may not see: its alert went to another team since."""
        team_id = self.of_team_id
        return team_id is not None and await info.context.loader(load_teams).load(team_id) is None

    @strawberry.field(description="The sentence a person reads.")  # type: ignore[misc] # in place of the plain field
    async def reason(self, info: Info) -> str:
        """A rule's name is its team's own."""
        return "a rule of a team that you may not see" if await self._is_hidden(info) else self.told

    @strawberry.field(
        description="What it changed, or would have changed; nothing is told of the rule of a team you may not see."
    )
    async def changes(self, info: Info) -> list[AlertRuleChange]:
        """So is what it says of why nobody is woken."""
        return [] if await self._is_hidden(info) else self.changed

    @strawberry.field(
        description="Why its condition could not be worked out, so that it was passed over; null when it held, or may "
        "not be told."
    )
    async def failure(self, info: Info) -> str | None:
        """And what its condition looks at."""
        return None if await self._is_hidden(info) else self.failed

    @strawberry.field(description="The rule, as it is now; null for none you may see.", graphql_type=AlertRule | None)
    async def rule(self, info: Info) -> rules.AlertRule | None:
        """By loader."""
        return await info.context.loader(load_alert_rules).load(self.rule_id)


@strawberry.type(description="A threshold rule raised the alert.")
class ThresholdDecision(Explanation):
    """See domain.alerts.decisions.threshold_decision."""

    rule_id: strawberry.Private[UUID]
    rule_version: int = strawberry.field(description="The rule's version then.")
    group: str = strawberry.field(description="The value of what the rule groups by; empty for none.")
    value: float = strawberry.field(description="What was measured.")
    threshold: float = strawberry.field(description="The value that raises.")
    since: datetime = strawberry.field(description="Since when the condition held.")

    @strawberry.field(description="The rule; null for none you may see.", graphql_type=ThresholdRule | None)
    async def rule(self, info: Info) -> thresholds.ThresholdRule | None:
        """By loader."""
        return await info.context.loader(load_rules).load(self.rule_id)


@strawberry.type(description="A heartbeat was missed, which raised the alert.")
class HeartbeatDecision(Explanation):
    """See domain.alerts.decisions.heartbeat_decision."""

    heartbeat_id: strawberry.Private[UUID]
    due_at: datetime = strawberry.field(description="By when a ping was to come.")
    last_ping_at: datetime | None = strawberry.field(description="When the last one had come.")

    @strawberry.field(description="The heartbeat; null for none you may see.", graphql_type=Heartbeat | None)
    async def heartbeat(self, info: Info) -> heartbeats.Heartbeat | None:
        """By loader."""
        return await info.context.loader(load_heartbeats).load(self.heartbeat_id)


def _of_rule(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> AlertRuleDecision:
    of_team = inputs.get("ofTeamId")
    return AlertRuleDecision(
        of_team_id=None if of_team is None else UUID(of_team),
        told=told["reason"],
        rule_id=UUID(inputs["ruleId"]),
        rule_version=inputs["version"],
        is_monitored=inputs["isMonitored"],
        changed=[change for name, value in inputs["changes"].items() for change in _changes_of(name, value)],
        failed=inputs.get("failure"),
        **{name: value for name, value in told.items() if name != "reason"},
    )


def _changes_of(name: str, value: Any) -> list[AlertRuleChange]:  # noqa: ANN401 - any JSON value
    if name == "labels":
        return [
            AlertRuleChange(field=f"labels.{label}", before=before, told=after)
            for label, (before, after) in value.items()
        ]
    if name == "severity":
        before, after = value
        return [AlertRuleChange(field=name, before=before.upper(), told=after.upper())]
    return [AlertRuleChange(field=name, before=None, told=str(value))]


def _of_threshold(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> ThresholdDecision:
    return ThresholdDecision(
        rule_id=UUID(inputs["ruleId"]),
        rule_version=inputs["version"],
        since=datetime.fromisoformat(inputs["since"]),
        **{name: inputs[name] for name in ("group", "value", "threshold")},
        **told,
    )


def _of_heartbeat(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> HeartbeatDecision:
    last = inputs["lastPingAt"]
    return HeartbeatDecision(
        heartbeat_id=UUID(inputs["heartbeatId"]),
        due_at=datetime.fromisoformat(inputs["dueAt"]),
        last_ping_at=datetime.fromisoformat(last) if last else None,
        **told,
    )


MAKERS: Makers = {
    DecisionKind.RULE: _of_rule,
    DecisionKind.THRESHOLD: _of_threshold,
    DecisionKind.HEARTBEAT: _of_heartbeat,
}
