"""How is a change of an alert rule shown to who follows rules?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeAlias, Union

import strawberry

from domain.alerts.cursor import Cursor, encode_cursor
from domain.errors import NotFound
from domain.rules import model
from domain.rules.events import AlertRuleEventKind, RecordedAlertRuleEvent
from graphql_api.alerts.actors import Actor, actor_of
from graphql_api.alerts.events import FieldChange
from graphql_api.context import Info
from graphql_api.exposes import exposes
from graphql_api.live.stream_reset import StreamReset
from graphql_api.rules.loaders import load_alert_rules
from graphql_api.rules.types import AlertRule


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAlertRuleEvent:
    """An event with its place."""

    recorded: RecordedAlertRuleEvent
    place: Cursor


_Event: TypeAlias = strawberry.Parent[ShownAlertRuleEvent]


def _id(root: _Event) -> strawberry.ID:
    return strawberry.ID(str(root.recorded.event.id))


def _cursor(root: _Event) -> str:
    return encode_cursor(root.place)


def _kind(root: _Event) -> AlertRuleEventKind:
    return root.recorded.event.kind


def _occurred_at(root: _Event) -> datetime:
    return root.recorded.event.occurred_at


async def _rule(root: _Event, info: Info) -> model.AlertRule:
    found = await info.context.loader(load_alert_rules).load(root.recorded.event.rule_id)
    if found is None:
        raise NotFound(message="no such alert rule")
    return found


async def _actor(root: _Event, info: Info) -> Any:  # noqa: ANN401 - a domain object, which is a member of the union
    return await actor_of(root.recorded.event.actor, info)


def _changes(root: _Event) -> list[FieldChange]:
    changes: dict[str, list[Any]] = root.recorded.event.data.get("changes", {})
    return [FieldChange(field=name, before=before, after=after) for name, (before, after) in changes.items()]


def _why(root: _Event) -> str | None:
    reason: str | None = root.recorded.event.data.get("reason")
    return reason


@exposes(ShownAlertRuleEvent, name="AlertRuleEvent", description="A change of an alert rule.")
class AlertRuleEvent:
    """See domain.rules.events.AlertRuleEvent."""

    id = strawberry.field(resolver=_id, description="The event's id: drop one you have seen.")
    cursor = strawberry.field(resolver=_cursor, description="The event's place in the log: give it as `after`.")
    kind = strawberry.field(resolver=_kind, description="What happened.")
    occurred_at = strawberry.field(resolver=_occurred_at, description="When it happened.")
    rule = strawberry.field(resolver=_rule, graphql_type=AlertRule, description="The rule, as it is now.")
    actor = strawberry.field(
        resolver=_actor, graphql_type=Actor | None, description="Who did it; null when it can no longer be told."
    )
    changes = strawberry.field(resolver=_changes, description="The fields it changed, before and after.")
    # Not `reason`: a reset's is of another type, and one selection could not have both.
    why = strawberry.field(
        resolver=_why,
        graphql_type=str | None,
        description="Why it happened, where it was not asked for of this rule itself: its team ended. Null otherwise.",
    )


AlertRuleStreamMessage: TypeAlias = Annotated[
    Union[AlertRuleEvent, StreamReset],  # noqa: UP007 - strawberry names a union by its annotation
    strawberry.union(
        "AlertRuleStreamMessage",
        description="What the stream of alert rules brings: an event, or the word that the stream cannot go on.",
    ),
]
