"""What was decided to spare people? Silences, inhibition, groups, flapping, pauses."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry

from domain.alerts import groups, model
from domain.alerts.decisions import DecisionKind
from domain.correlation.model import GroupRule as GroupRuleModel
from domain.inhibition import model as inhibition
from domain.silences import model as silences
from graphql_api.alerts.decisions.explanation import Explanation, Makers
from graphql_api.alerts.loaders import load_alerts, load_groups, load_silences
from graphql_api.context import Info
from graphql_api.groups.enums import GroupedBy
from graphql_api.groups.loaders import load_group_rules
from graphql_api.inhibition.loaders import load_inhibition_rules
from graphql_api.inhibition.types import InhibitionRule
from graphql_api.silences.types import Silence

if TYPE_CHECKING:
    from graphql_api.alerts.types import Alert
    from graphql_api.groups.types import AlertGroup, GroupRule


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


def _of_silence(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> SilenceDecision:
    rest = {name: value for name, value in told.items() if name != "reason"}
    return SilenceDecision(silence_id=UUID(inputs["silenceId"]), sentence=told["reason"], **rest)


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


def _of_inhibition(inputs: Mapping[str, Any], told: Mapping[str, Any]) -> InhibitionDecision:
    parent_id, rule_id = UUID(inputs["parentId"]), UUID(inputs["ruleId"])
    return InhibitionDecision(parent_id=parent_id, rule_id=rule_id, rule_version=inputs["ruleVersion"], **told)


MAKERS: Makers = {
    DecisionKind.SILENCE: _of_silence,
    DecisionKind.FLAPPING: _of_flapping,
    DecisionKind.PAUSE: _of_pause,
    DecisionKind.GROUP: _of_group,
    DecisionKind.INHIBITION: _of_inhibition,
}
