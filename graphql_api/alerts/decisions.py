"""Why did Tocsin do that? Each kind of decision as a type of its own, with the inputs it was made from."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union
from uuid import UUID

import strawberry

from domain.alerts import groups, model
from domain.alerts.decisions import DecisionKind
from domain.alerts.explanation import RecordedDecision
from domain.correlation.model import GroupRule as GroupRuleModel
from domain.heartbeats import model as heartbeats
from domain.identity import model as identity
from domain.inhibition import model as inhibition
from domain.rules import model as rules
from domain.silences import model as silences
from domain.thresholds import model as thresholds
from graphql_api.alerts.enums import FoldOutcome
from graphql_api.alerts.loaders import load_alerts, load_groups, load_silences
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.groups.enums import GroupedBy
from graphql_api.groups.loaders import load_group_rules
from graphql_api.heartbeats.loaders import load_heartbeats
from graphql_api.heartbeats.types import Heartbeat
from graphql_api.identity.loaders import load_teams
from graphql_api.identity.types import Team
from graphql_api.inhibition.loaders import load_inhibition_rules
from graphql_api.inhibition.types import InhibitionRule
from graphql_api.rules.loaders import load_alert_rules
from graphql_api.rules.types import AlertRule
from graphql_api.silences.types import Silence
from graphql_api.thresholds.loaders import load_rules
from graphql_api.thresholds.types import ThresholdRule

if TYPE_CHECKING:
    from graphql_api.alerts.types import Alert
    from graphql_api.groups.types import AlertGroup, GroupRule


@strawberry.interface(description="What every decision has.")
class Explanation:
    """See domain.alerts.explanation.RecordedDecision."""

    reason: str = strawberry.field(description="The sentence a person reads.")
    decided_at: datetime = strawberry.field(description="When it was decided.")
    event_id: strawberry.ID = strawberry.field(description="The event on the timeline that it caused.")


@strawberry.type(description="Which recipe made the dedup key; `reason` is the recipe.")
class DedupKeyDecision(Explanation):
    """See domain.alerts.decisions.dedup_decision."""

    key: str = strawberry.field(description="The key.")


@strawberry.type(description="How the source's word became a severity.")
class SeverityDecision(Explanation):
    """See domain.alerts.decisions.severity_decision."""

    severity: Severity = strawberry.field(description="The severity it became.")
    word: str | None = strawberry.field(description="The source's word; null when it gave none.")


@strawberry.type(description="Why the alert belongs to a team.")
class TeamDecision(Explanation):
    """See domain.alerts.decisions.team_decision."""

    team_id: strawberry.Private[UUID]
    matched: strawberry.Private[str | None] = None
    ownership_version: int | None = strawberry.field(
        description="The version of all that teams own at which it was decided; null when no ownership decided.",
        default=None,
    )

    @strawberry.field(description="The team; null when you may not see it.", graphql_type=Team | None)
    async def team(self, info: Info) -> identity.Team | None:
        """By loader."""
        return await info.context.loader(load_teams).load(self.team_id)

    @strawberry.field(
        description="What of the team's ownership fitted the alert; null when none did, or you may not see the team."
    )
    async def rule(self, info: Info) -> str | None:
        """What a hidden team owns is hidden too, also after its alert went to another."""
        return self.matched if await info.context.loader(load_teams).load(self.team_id) is not None else None


@strawberry.type(description="Why a signal opened the alert, or opened it again.")
class FoldDecision(Explanation):
    """See domain.alerts.decisions.fold_decision."""

    outcome: FoldOutcome = strawberry.field(description="What the signal did.")


@strawberry.type(description="The source's time was too far ahead, so the time of arrival counts.")
class SourceTimeDecision(Explanation):
    """See domain.alerts.decisions.source_time_decision."""

    claimed: datetime = strawberry.field(description="The source's time.")
    used: datetime = strawberry.field(description="The time that counts.")


@strawberry.type(description="A silence holds the alert: it is kept and marked, and nobody is woken.")
class SilenceDecision(Explanation):
    """See domain.alerts.decisions.silence_decision."""

    silence_id: strawberry.Private[UUID]
    sentence: strawberry.Private[str]

    @strawberry.field(  # type: ignore[misc] # instead of the interface's own
        description="The sentence a person reads; without its words for a silence you may not see."
    )
    async def reason(self, info: Info) -> str:
        """It holds the silence's comment, which is a private team's own, also after the alert went to another."""
        seen = await info.context.loader(load_silences).load(self.silence_id)
        return "silenced by a silence that you may not see" if seen is None else self.sentence

    @strawberry.field(description="The silence.", graphql_type=Silence | None)
    async def silence(self, info: Info) -> silences.Silence | None:
        """By loader."""
        return await info.context.loader(load_silences).load(self.silence_id)


@strawberry.type(description="One thing an alert rule changed, or would have changed.")
class AlertRuleChange:
    """See domain.rules.applying.match_decision."""

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
    changes: list[AlertRuleChange] = strawberry.field(description="What it changed, or would have changed.")
    failure: str | None = strawberry.field(
        description="Why its condition could not be worked out, so that it was passed over; null when it held."
    )

    @strawberry.field(description="The rule, as it is now.", graphql_type=AlertRule | None)
    async def rule(self, info: Info) -> rules.AlertRule | None:
        """By loader."""
        return await info.context.loader(load_alert_rules).load(self.rule_id)


@strawberry.type(description="The alert is marked as flapping, or no longer.")
class FlappingDecision(Explanation):
    """See domain.alerts.decisions.flapping_decision."""

    turns: int = strawberry.field(description="How often it turned.")
    window: timedelta | None = strawberry.field(
        description="The time the turns are counted in; null when the mark moved, or ended by time alone."
    )
    start: int | None = strawberry.field(description="The turns that begin the mark; null when none were compared.")
    stop: int | None = strawberry.field(description="The turns at which it ends; null when none were compared.")


@strawberry.type(description="Nobody is woken for a while, for the problem mostly ends by itself.")
class PauseDecision(Explanation):
    """See domain.alerts.decisions.pause_decision."""

    until: datetime = strawberry.field(description="When the pause ends.")
    length: timedelta = strawberry.field(description="How long the pause is.")
    recovered: int = strawberry.field(description="How many of the episodes looked at ended by themselves within that.")
    episodes: int = strawberry.field(description="How many of the newest episodes were looked at.")


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


@strawberry.type(description="Why the alert is in a group.")
class GroupDecision(Explanation):
    """See domain.alerts.decisions.group_decision."""

    group_id: strawberry.Private[UUID]
    grouped_by: GroupedBy = strawberry.field(description="What put it there.")
    opened: bool = strawberry.field(description="Whether the group was made for it.")
    rule_version: int | None = strawberry.field(
        description="The version of the group rule that decided; null when none did.", default=None
    )
    rule_id: strawberry.Private[UUID | None] = None

    @strawberry.field(
        description="The group; null when you may not see it.",
        graphql_type=Annotated["AlertGroup", strawberry.lazy("graphql_api.groups.types")] | None,
    )
    async def group(self, info: Info) -> groups.AlertGroup | None:
        """By loader."""
        return await info.context.loader(load_groups).load(self.group_id)

    @strawberry.field(
        description="The group rule that decided; null when none did.",
        graphql_type=Annotated["GroupRule", strawberry.lazy("graphql_api.groups.types")] | None,
    )
    async def rule(self, info: Info) -> GroupRuleModel | None:
        """By loader."""
        return None if self.rule_id is None else await info.context.loader(load_group_rules).load(self.rule_id)


@strawberry.type(description="Another alert that stands holds this one: it is kept and marked, and nobody is woken.")
class InhibitionDecision(Explanation):
    """See domain.alerts.decisions.inhibition_decision."""

    parent_id: strawberry.Private[UUID]
    rule_id: strawberry.Private[UUID]
    rule_version: int = strawberry.field(description="The version of the inhibition rule that decided.")

    @strawberry.field(
        description="The alert that holds it; null when you may not see it.",
        graphql_type=Annotated["Alert", strawberry.lazy("graphql_api.alerts.types")] | None,
    )
    async def parent(self, info: Info) -> model.Alert | None:
        """By loader."""
        return await info.context.loader(load_alerts).load(self.parent_id)

    @strawberry.field(description="The inhibition rule that decided.", graphql_type=InhibitionRule | None)
    async def rule(self, info: Info) -> inhibition.InhibitionRule | None:
        """By loader."""
        return await info.context.loader(load_inhibition_rules).load(self.rule_id)


@strawberry.type(description="Something about the payload that a person should know.")
class WarningDecision(Explanation):
    """See domain.alerts.decisions.warning_decision."""


Decision: TypeAlias = Annotated[
    Union[  # noqa: UP007 - strawberry names a union by its annotation
        DedupKeyDecision,
        SeverityDecision,
        TeamDecision,
        FoldDecision,
        SourceTimeDecision,
        SilenceDecision,
        AlertRuleDecision,
        GroupDecision,
        InhibitionDecision,
        FlappingDecision,
        PauseDecision,
        ThresholdDecision,
        HeartbeatDecision,
        WarningDecision,
    ],
    strawberry.union("Decision", description="One decision on an alert: what, why, and from which inputs."),
]


def _of_team(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> TeamDecision:
    version = inputs.get("ownershipVersion")
    return TeamDecision(team_id=UUID(inputs["teamId"]), matched=inputs.get("rule"), ownership_version=version, **told)


def _of_silence(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> SilenceDecision:
    rest = {name: value for name, value in told.items() if name != "reason"}
    return SilenceDecision(silence_id=UUID(inputs["silenceId"]), sentence=told["reason"], **rest)


def _of_group(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> GroupDecision:
    rule_id = inputs.get("ruleId")
    return GroupDecision(
        group_id=UUID(inputs["groupId"]),
        grouped_by=GroupedBy(inputs["groupedBy"]),
        opened=inputs["opened"],
        rule_id=None if rule_id is None else UUID(rule_id),
        rule_version=inputs.get("ruleVersion"),
        **told,
    )


def _of_rule(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> AlertRuleDecision:
    return AlertRuleDecision(
        rule_id=UUID(inputs["ruleId"]),
        rule_version=inputs["version"],
        is_monitored=inputs["isMonitored"],
        changes=[change for name, value in inputs["changes"].items() for change in _changes_of(name, value)],
        failure=inputs.get("failure"),
        **told,
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


def _of_inhibition(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> InhibitionDecision:
    parent_id, rule_id = UUID(inputs["parentId"]), UUID(inputs["ruleId"])
    return InhibitionDecision(parent_id=parent_id, rule_id=rule_id, rule_version=inputs["ruleVersion"], **told)


def _of_time(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> SourceTimeDecision:
    claimed, used = (datetime.fromisoformat(inputs[name]) for name in ("claimed", "used"))
    return SourceTimeDecision(claimed=claimed, used=used, **told)


def _of_severity(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> SeverityDecision:
    return SeverityDecision(severity=Severity(inputs["severity"]), word=inputs["word"], **told)


def _of_flapping(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> FlappingDecision:
    seconds = inputs.get("windowSeconds")
    window = None if seconds is None else timedelta(seconds=seconds)
    return FlappingDecision(
        turns=inputs["turns"], window=window, start=inputs.get("start"), stop=inputs.get("stop"), **told
    )


def _of_pause(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> PauseDecision:
    return PauseDecision(
        until=datetime.fromisoformat(inputs["until"]),
        length=timedelta(seconds=inputs["seconds"]),
        recovered=inputs["recovered"],
        episodes=inputs["episodes"],
        **told,
    )


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


_MAKERS: Mapping[DecisionKind, Callable[[Mapping[str, Any], Mapping[str, Any]], Explanation]] = {
    DecisionKind.DEDUP_KEY: lambda inputs, told: DedupKeyDecision(key=inputs["key"], **told),
    DecisionKind.SEVERITY: _of_severity,
    DecisionKind.TEAM: _of_team,
    DecisionKind.FOLD: lambda inputs, told: FoldDecision(outcome=FoldOutcome(inputs["outcome"]), **told),
    DecisionKind.SOURCE_TIME: _of_time,
    DecisionKind.SILENCE: _of_silence,
    DecisionKind.RULE: _of_rule,
    DecisionKind.FLAPPING: _of_flapping,
    DecisionKind.PAUSE: _of_pause,
    DecisionKind.THRESHOLD: _of_threshold,
    DecisionKind.HEARTBEAT: _of_heartbeat,
    DecisionKind.GROUP: _of_group,
    DecisionKind.INHIBITION: _of_inhibition,
    DecisionKind.WARNING: lambda _inputs, told: WarningDecision(**told),
}


def decision_of(recorded: RecordedDecision) -> Explanation:
    """The GraphQL object for a decision."""
    told = {
        "reason": recorded.reason,
        "decided_at": recorded.decided_at,
        "event_id": strawberry.ID(str(recorded.event_id)),
    }
    return _MAKERS[recorded.kind](recorded.inputs, told)
