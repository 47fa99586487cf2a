"""How is a group shown? By what its viewer may see of it; with the rule that made it and all that happened to it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, TypeAlias, cast
from uuid import UUID

import strawberry

from domain.alerts import groups, model
from domain.alerts.groups import RecordedGroupEvent
from domain.alerts.order import NEWEST_FIRST
from domain.correlation import model as correlation
from graphql_api.alerts.actors import Actor, actor_of
from graphql_api.alerts.enums import AlertStatus
from graphql_api.alerts.loaders import MembersPage, load_alerts, load_groups, load_members
from graphql_api.alerts.pages import alert_cursors, alert_key
from graphql_api.alerts.types import Alert
from graphql_api.connection import (
    After,
    Before,
    Connection,
    Cursors,
    First,
    Last,
    connection,
    page_request,
)
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.exposes import exposes
from graphql_api.groups.enums import GroupedBy, GroupEventKind, GroupField, GroupStrategy
from graphql_api.groups.loaders import (
    GroupTimelinePage,
    load_dependants,
    load_group_counts,
    load_group_rules,
    load_group_timelines,
    load_services,
)
from persistence.group_events import Place

_Rule: TypeAlias = strawberry.Parent[correlation.GroupRule]
_Part: TypeAlias = strawberry.Parent[correlation.Part]
_Service: TypeAlias = strawberry.Parent[correlation.Service]
_Group: TypeAlias = strawberry.Parent[groups.AlertGroup]
_Event: TypeAlias = strawberry.Parent[RecordedGroupEvent]
# Of an event about thousands of alerts, the first.
MOST_SHOWN = 100


def _text(matchers: Iterable[object]) -> str:
    return ",".join(map(str, matchers))


def _part_matchers(root: _Part) -> str:
    return _text(root.matchers)


@exposes(correlation.Part, name="GroupRulePart", description="One of the things that must be seen together.")
class GroupRulePart:
    """See domain.correlation.model.Part."""

    name: str = strawberry.field(description="The name people read.")
    matchers = strawberry.field(resolver=_part_matchers, description="Which alerts are it, as matchers on labels.")


def _matchers(root: _Rule) -> str:
    return _text(root.matchers)


@exposes(correlation.GroupRule, description="A rule that says which alerts are one problem.")
class GroupRule:
    """See domain.correlation.model.GroupRule."""

    id: strawberry.ID = strawberry.field(description="The rule's id.")
    name: str = strawberry.field(description="The name people read.")
    description: str = strawberry.field(description="What it is for.")
    strategy: GroupStrategy = strawberry.field(description="How it tells which alerts are one problem.")
    rank: int = strawberry.field(description="Of rules of one strategy the smallest goes first.")
    enabled: bool = strawberry.field(description="Whether it groups.")
    matchers = strawberry.field(
        resolver=_matchers, description="Which alerts it is for, as matchers on labels; empty for all."
    )
    condition: str | None = strawberry.field(description="Which of them, as CEL; null for all.")
    labels: list[str] = strawberry.field(description="The labels whose values its alerts have in common.")
    fields: list[GroupField] = strawberry.field(description="What else they have in common.")
    parts: list[GroupRulePart] = strawberry.field(description="What must be seen together.")
    window: timedelta = strawberry.field(
        description="How long a group waits for its next alert; for parts, within what time all must be seen."
    )
    max_age: timedelta = strawberry.field(description="How old a group may become and still take alerts.")
    threshold: int = strawberry.field(description="By how many percent two titles must be alike.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    archived_at: datetime | None = strawberry.field(description="When it ended; null while it counts.")
    version: int = strawberry.field(description="Grows with each change; give it as `expectedVersion`.")


async def _services(info: Info, ids: Iterable[UUID]) -> list[correlation.Service]:
    found = await info.context.loader(load_services).load_many(list(ids))
    return [one for one in found if one is not None and one.archived_at is None]


async def _depends_on(root: _Service, info: Info) -> list[correlation.Service]:
    return await _services(info, root.upstream_ids)


async def _dependants(root: _Service, info: Info) -> list[correlation.Service]:
    return await _services(info, await info.context.loader(load_dependants).load(root.id))


@exposes(correlation.Service, description="A service, as alerts call it, and what it needs to work.")
class Service:
    """See domain.correlation.model.Service."""

    id: strawberry.ID = strawberry.field(description="The service's id.")
    name: str = strawberry.field(description="What alerts call it in `serviceName`.")
    description: str = strawberry.field(description="What it is.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")
    archived_at: datetime | None = strawberry.field(description="When it ended; null while it counts.")
    version: int = strawberry.field(description="Grows with each change; give it as `expectedVersion`.")
    depends_on = strawberry.field(
        resolver=_depends_on,
        graphql_type=list[Annotated["Service", strawberry.lazy("graphql_api.groups.types")]],
        description="The services it needs.",
    )
    dependants = strawberry.field(
        resolver=_dependants,
        graphql_type=list[Annotated["Service", strawberry.lazy("graphql_api.groups.types")]],
        description="The services that need it.",
    )


def _event_id(root: _Event) -> strawberry.ID:
    return strawberry.ID(str(root.event.id))


def _event_kind(root: _Event) -> GroupEventKind:
    return root.event.kind


def _event_time(root: _Event) -> datetime:
    return root.event.occurred_at


async def _event_actor(root: _Event, info: Info) -> object:
    return await actor_of(root.event.actor, info)


def _event_reason(root: _Event) -> str | None:
    return root.event.data.get("reason")


async def _event_alerts(root: _Event, info: Info) -> list[model.Alert]:
    ids = [UUID(one) for one in root.event.data.get("alertIds", ())[:MOST_SHOWN]]
    found = await info.context.loader(load_alerts).load_many(ids)
    return [alert for alert in found if alert is not None]


async def _event_other(root: _Event, info: Info) -> groups.AlertGroup | None:
    other = root.event.data.get("otherId")
    return None if other is None else await info.context.loader(load_groups).load(UUID(other))


@exposes(RecordedGroupEvent, name="AlertGroupEvent", description="One entry of a group's timeline.")
class AlertGroupEvent:
    """See domain.alerts.groups.GroupEvent."""

    id = strawberry.field(resolver=_event_id, description="The event's id.")
    kind = strawberry.field(resolver=_event_kind, description="What happened.")
    occurred_at = strawberry.field(resolver=_event_time, description="When it happened.")
    actor = strawberry.field(
        resolver=_event_actor, graphql_type=Actor | None, description="Who did it; null when it can no longer be told."
    )
    reason = strawberry.field(resolver=_event_reason, description="Why, where somebody or something said so.")
    about = strawberry.field(
        resolver=_event_alerts,
        graphql_type=list[Alert],
        description="The alerts it is about that you may see, of more than a hundred the first.",
    )
    other_group = strawberry.field(
        resolver=_event_other,
        graphql_type=Annotated["AlertGroup", strawberry.lazy("graphql_api.groups.types")] | None,
        description="The other group of a merge or a split; null when there is none, or none that you may see.",
    )


_MEMBERS = alert_cursors(NEWEST_FIRST)
_TIMELINE: Cursors[Place] = Cursors("alertGroupTimeline", tuple[int, int])


async def _members(
    root: _Group, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Connection[model.Alert]:
    request = page_request(_MEMBERS, first=first, after=after, last=last, before=before)
    page = MembersPage(limit=request.limit + 1, after=request.after, before=request.before, backward=request.backward)
    rows = await info.context.loader(load_members).load((root.id, page))

    async def count() -> int:
        return (await info.context.loader(load_group_counts).load(root.id)).total

    return connection(rows, request, cursors=_MEMBERS, key=alert_key(NEWEST_FIRST), count=count)


async def _open_alerts(root: _Group, info: Info) -> int:
    return (await info.context.loader(load_group_counts).load(root.id)).open


async def _rule(root: _Group, info: Info) -> correlation.GroupRule | None:
    return None if root.rule_id is None else await info.context.loader(load_group_rules).load(root.rule_id)


async def _merged_into(root: _Group, info: Info) -> groups.AlertGroup | None:
    return None if root.merged_into is None else await info.context.loader(load_groups).load(root.merged_into)


async def _timeline(
    root: _Group, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Connection[RecordedGroupEvent]:
    request = page_request(_TIMELINE, first=first, after=after, last=last, before=before)
    page = GroupTimelinePage(
        limit=request.limit + 1, after=request.after, before=request.before, backward=request.backward
    )
    rows = await info.context.loader(load_group_timelines).load((root.id, page))
    return connection(rows, request, cursors=_TIMELINE, key=lambda one: (one.xid, one.seq))


@exposes(groups.AlertGroup, description="Alerts that belong to one problem. Each viewer sees the members they may see.")
class AlertGroup:
    """See domain.alerts.groups.AlertGroup."""

    id: strawberry.ID = strawberry.field(description="The group's id.")
    title: str = strawberry.field(description="What its alerts have in common, or what a person wrote.")
    status: AlertStatus = strawberry.field(
        description="The most urgent status of the members you may see: RESOLVED when all are."
    )
    severity: Severity = strawberry.field(
        description="The worst severity of the open members you may see; of all of them when none is open."
    )
    grouped_by: GroupedBy = strawberry.field(description="What made it.")
    rule = strawberry.field(
        resolver=_rule, graphql_type=GroupRule | None, description="The group rule that made it; null for no rule."
    )
    rule_version: int | None = strawberry.field(description="The rule's version at the time; null for no rule.")
    created_at: datetime = strawberry.field(description="When it was made.")
    updated_at: datetime = strawberry.field(description="When its title or its members were last changed by hand.")
    last_alert_at: datetime = strawberry.field(description="When its newest member that you may see opened.")
    resolved_at: datetime | None = strawberry.field(description="When its last member ended; null while one is open.")
    merged_into = strawberry.field(
        resolver=_merged_into,
        graphql_type=Annotated["AlertGroup", strawberry.lazy("graphql_api.groups.types")] | None,
        description="The group it was merged into, if you may see it; null for none.",
    )
    version: int = strawberry.field(
        description="Grows when it is changed by hand, not with its members; give it as `expectedVersion`."
    )
    open_alerts = strawberry.field(
        resolver=_open_alerts, graphql_type=int, description="How many of the members you may see are open."
    )
    alerts = strawberry.field(
        resolver=_members,
        graphql_type=Connection[Alert],
        description="Its members, the newest first; `groupReason` of each says why it is here.",
    )
    timeline = strawberry.field(
        resolver=_timeline,
        graphql_type=Connection[AlertGroupEvent],
        description="What happened to the group itself, oldest first.",
    )


def shown_group(group: groups.AlertGroup) -> AlertGroup:
    """The group as a field of a success type: the domain object is the GraphQL object."""
    return cast("AlertGroup", group)
