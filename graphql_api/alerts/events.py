"""How is an event shown: what happened, when, by whom, and what was before and after it?"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from domain.alerts import model
from domain.alerts.cursor import Cursor, encode_cursor
from domain.alerts.decisions import DecisionKind
from domain.alerts.events import RecordedEvent
from domain.alerts.explanation import RecordedDecision
from domain.errors import NotFound
from graphql_api.alerts.actors import Actor, actor_of
from graphql_api.alerts.decisions import Decision, decision_of
from graphql_api.alerts.decisions.explanation import Explanation
from graphql_api.alerts.enums import AlertEventKind, AlertStatus, Via
from graphql_api.alerts.loaders import load_alerts, load_log_epoch
from graphql_api.context import Info, Unknown
from graphql_api.enums import Severity
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_teams

if TYPE_CHECKING:
    from graphql_api.alerts.types import Alert

# Fields whose values are words of an enum: lower case in the log, upper case in the API.
_ENUM_FIELDS = frozenset({"severity", "status"})
_Event: TypeAlias = strawberry.Parent[RecordedEvent]


@strawberry.type(description="One field of an alert, before and after an event.")
class FieldChange:
    """See domain.alerts.change."""

    field: str = strawberry.field(description="The field's name, as the alert has it.")
    before: JSON | None = strawberry.field(description="Its value before.")
    after: JSON | None = strawberry.field(description="Its value after.")


@strawberry.type(description="The file an event is about, as it was then; it may be removed by now.")
class EventAttachment:
    """See domain.alerts.actions.attach."""

    id: strawberry.ID = strawberry.field(description="The attachment's id.")
    file_name: str = strawberry.field(description="The file's name.")
    content_type: str = strawberry.field(description="The file's type.")
    size_bytes: int = strawberry.field(description="The file's size.")


def _cursor(root: _Event, info: Info) -> Any:  # noqa: ANN401 - a text, or what becomes one
    # In a stream the epoch is known: no field has to wait for it.
    epoch = info.context.loader(load_log_epoch).known(None)
    return _cursor_later(root, info) if isinstance(epoch, Unknown) else _cursor_in(epoch, root)


async def _cursor_later(root: RecordedEvent, info: Info) -> str:
    return _cursor_in(await info.context.loader(load_log_epoch).load(None), root)


def _cursor_in(epoch: UUID, root: RecordedEvent) -> str:
    return encode_cursor(Cursor(epoch=epoch, position=root.position, recorded_at=root.recorded_at))


def _alert(root: _Event, info: Info) -> Any:  # noqa: ANN401 - an alert, or what becomes one
    alert = info.context.loader(load_alerts).known(root.event.alert_id)
    return _alert_later(root, info) if alert is None or isinstance(alert, Unknown) else alert


async def _alert_later(root: RecordedEvent, info: Info) -> model.Alert:
    alert = await info.context.loader(load_alerts).load(root.event.alert_id)
    if alert is None:
        raise NotFound(message="no such alert")
    return alert


async def _actor(root: _Event, info: Info) -> Any:  # noqa: ANN401 - a domain object, which is a member of the union
    return await actor_of(root.event.actor, info)


async def _changes(root: _Event, info: Info) -> list[FieldChange]:
    changes: dict[str, list[Any]] = root.event.data.get("changes", {})
    if "team_id" in changes:
        changes = {**changes, "team_id": [await _seen_team(one, info) for one in changes["team_id"]]}
    return [
        FieldChange(field=_camel(name), before=_shown(name, before), after=_shown(name, after))
        for name, (before, after) in changes.items()
    ]


async def _seen_team(team_id: str | None, info: Info) -> str | None:
    """The team's id; None for one that the viewer may not see, as for none."""
    seen = None if team_id is None else await info.context.loader(load_teams).load(UUID(team_id))
    return None if seen is None else team_id


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _shown(name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    return value.upper() if name in _ENUM_FIELDS and isinstance(value, str) else value


def _comment(root: _Event) -> str | None:
    return root.event.data.get("comment")


def _reason(root: _Event) -> str | None:
    return root.event.data.get("reason")


def _via(root: _Event) -> Via | None:
    via = root.event.data.get("via")
    return None if via is None else Via(via)


def _count(root: _Event) -> int:
    count: int = root.event.data.get("count", 1)
    return count


def _attachment(root: _Event) -> EventAttachment | None:
    told = root.event.data.get("attachment")
    if told is None:
        return None
    return EventAttachment(
        id=told["id"], file_name=told["fileName"], content_type=told["contentType"], size_bytes=told["sizeBytes"]
    )


def _decisions(root: _Event) -> list[Explanation]:
    event = root.event
    return [
        decision_of(
            RecordedDecision(
                kind=DecisionKind(entry["kind"]),
                reason=entry["reason"],
                inputs=entry["inputs"],
                event_id=event.id,
                decided_at=event.occurred_at,
            )
        )
        for entry in event.data.get("decisions", ())
    ]


@exposes(RecordedEvent, description="One entry of an alert's timeline, and of the stream of all events.")
class AlertEvent:
    """See domain.alerts.events.AlertEvent."""

    id: strawberry.ID = strawberry.field(description="The event's id; a stream may deliver it twice, with the same id.")
    cursor: str = strawberry.field(resolver=_cursor, description="The event's place in the log: give it as `after`.")
    kind: AlertEventKind = strawberry.field(description="What happened.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    alert_id: strawberry.ID = strawberry.field(description="The alert it happened to.")
    alert: Annotated["Alert", strawberry.lazy("graphql_api.alerts.types")] = strawberry.field(
        resolver=_alert,
        description="The alert it happened to, as it is now.",
    )
    actor: Actor | None = strawberry.field(
        resolver=_actor, description="Who did it; null when it can no longer be told."
    )
    version: int = strawberry.field(description="The alert's version after it.")
    severity: Severity = strawberry.field(description="The alert's severity after it.")
    status: AlertStatus = strawberry.field(description="The alert's status after it.")
    changes = strawberry.field(resolver=_changes, description="Every field it changed, before and after.")
    comment = strawberry.field(resolver=_comment, description="The note, where somebody wrote one.")
    reason = strawberry.field(resolver=_reason, description="Why, where somebody or something said so.")
    via = strawberry.field(
        resolver=_via,
        graphql_type=Via | None,
        description="From where somebody did it who was not in Tocsin: acknowledged from Slack by its `actor`.",
    )
    count = strawberry.field(resolver=_count, description="How many repeats a REPEATED event stands for; 1 otherwise.")
    attachment = strawberry.field(resolver=_attachment, description="The file it is about, where it is about one.")
    decisions = strawberry.field(
        resolver=_decisions, graphql_type=list[Decision], description="What was decided with it, and why."
    )
