"""How is an alert shown? The domain's alert, what hangs on it, and the group it belongs to."""

import asyncio
from datetime import datetime
from heapq import merge
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast

import strawberry
from strawberry.scalars import JSON

from domain.alerts import attachments, groups, model
from domain.alerts.events import RecordedEvent
from domain.alerts.lifecycle import allowed_statuses
from domain.escalations import model as escalations
from domain.identity import model as identity
from domain.integrations import model as integrations
from domain.rules import model as alert_rules
from domain.silences import model as silences
from graphql_api.alerts.decisions import Decision, decision_of
from graphql_api.alerts.enums import AlertStatus, ResolvedBy
from graphql_api.alerts.events import AlertEvent
from graphql_api.alerts.loaders import (
    load_alerts,
    load_attachments,
    load_decisions,
    load_groups,
    load_silences,
)
from graphql_api.alerts.timeline import timeline_of
from graphql_api.connection import After, Before, Connection, First, Last
from graphql_api.context import Info
from graphql_api.enums import Severity
from graphql_api.escalations.loaders import load_escalations, load_memberships, load_notifications
from graphql_api.escalations.notification_types import Notification
from graphql_api.escalations.types import Escalation
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_teams, load_users
from graphql_api.identity.types import Team, User
from graphql_api.integrations.loaders import load_integrations
from graphql_api.integrations.types import Integration
from graphql_api.routing.loaders import load_routings
from graphql_api.rules.loaders import load_alert_rules
from graphql_api.rules.types import AlertRule
from graphql_api.silences.types import Silence
from persistence.group_memberships import GroupMembership

if TYPE_CHECKING:
    from graphql_api.escalations.groups import GroupEscalation
    from graphql_api.groups.types import AlertGroup

_Alert: TypeAlias = strawberry.Parent[model.Alert]
_File: TypeAlias = strawberry.Parent[attachments.Attachment]


async def _uploaded_by(root: _File, info: Info) -> identity.User | None:
    return await info.context.loader(load_users).load(root.uploaded_by)


def _sha256(root: _File) -> str:
    return root.sha256.hex()


def _url(root: _File, info: Info) -> str:
    return f"{info.context.settings.effective_public_url}/attachments/{root.alert_id}/{root.id}"


@exposes(attachments.Attachment, description="A file on an alert.")
class Attachment:
    """See domain.alerts.attachments.Attachment."""

    id: strawberry.ID = strawberry.field(description="The attachment's id.")
    file_name: str = strawberry.field(description="The file's name.")
    content_type: str = strawberry.field(description="The file's type, by its bytes.")
    size_bytes: int = strawberry.field(description="The file's size.")
    sha256 = strawberry.field(resolver=_sha256, description="The SHA-256 of the file, in hexadecimal.")
    url = strawberry.field(resolver=_url, description="Where it is downloaded, with the same bearer token.")
    uploaded_by = strawberry.field(resolver=_uploaded_by, graphql_type=User | None, description="Who attached it.")
    created_at: datetime = strawberry.field(description="When it was attached.")


@strawberry.type(description="Why nobody is woken for an alert that stands.")
class Suppression:
    """The silences, alert rules and other alerts that hold an alert."""

    holders: strawberry.Private[tuple[silences.Silence, ...]]
    by_rules: strawberry.Private[tuple[alert_rules.AlertRule, ...]]
    parents: strawberry.Private[tuple[model.Alert, ...]]

    @strawberry.field(
        description="The alerts that you may see by which it is inhibited; its decisions say by which rule.",
        graphql_type=list[Annotated["Alert", strawberry.lazy("graphql_api.alerts.types")]],
    )
    def inhibited_by(self) -> list[model.Alert]:
        """As they are now."""
        return list(self.parents)

    @strawberry.field(description="The silences that hold it.", graphql_type=list[Silence])
    def silences(self) -> list[silences.Silence]:
        """As they are now."""
        return list(self.holders)

    @strawberry.field(
        description="The alert rules that hold it; `effects.suppress` of each says why.", graphql_type=list[AlertRule]
    )
    def rules(self) -> list[alert_rules.AlertRule]:
        """As they are now."""
        return list(self.by_rules)


async def _assigned_to(root: _Alert, info: Info) -> identity.User | None:
    return None if root.assigned_to is None else await info.context.loader(load_users).load(root.assigned_to)


async def _team(root: _Alert, info: Info) -> identity.Team | None:
    return None if root.team_id is None else await info.context.loader(load_teams).load(root.team_id)


async def _group(root: _Alert, info: Info) -> groups.AlertGroup | None:
    return None if root.group_id is None else await info.context.loader(load_groups).load(root.group_id)


async def _integration(root: _Alert, info: Info) -> integrations.Integration | None:
    return await info.context.loader(load_integrations).load(root.integration_id)


async def _suppression(root: _Alert, info: Info) -> Suppression | None:
    if not root.suppressed_by:
        return None
    found = await info.context.loader(load_silences).load_many(root.suppressed_by)
    by_rules = await info.context.loader(load_alert_rules).load_many(root.suppressed_by)
    parents = await info.context.loader(load_alerts).load_many(root.suppressed_by)
    return Suppression(
        holders=tuple(silence for silence in found if silence is not None),
        by_rules=tuple(rule for rule in by_rules if rule is not None),
        parents=tuple(alert for alert in parents if alert is not None),
    )


async def _attachments(root: _Alert, info: Info) -> list[attachments.Attachment]:
    return await info.context.loader(load_attachments).load(root.id)


async def _decisions(root: _Alert, info: Info) -> list[Any]:
    """What the events carry, and what was decided about people since: in the order of time."""
    recorded, rules, told = await asyncio.gather(
        info.context.loader(load_decisions).load(root.id),
        info.context.loader(load_routings).load(root.id),
        info.context.loader(load_notifications).load(root.id),
    )
    about_alert: list[tuple[datetime, Any]] = [(one.decided_at, decision_of(one)) for one in recorded]
    about_people: list[tuple[datetime, Any]] = [
        *((one.decided_at, one) for one in rules),
        *((one.created_at, one) for one in told),
    ]
    about_people.sort(key=_when)
    return [decision for _, decision in merge(about_alert, about_people, key=_when)]


def _when(found: tuple[datetime, Any]) -> datetime:
    return found[0]


def _is_flapping(root: _Alert) -> bool:
    return root.flapping_since is not None


def _allowed_statuses(root: _Alert) -> list[AlertStatus]:
    return list(allowed_statuses(root.status))


async def _timeline(
    root: _Alert, info: Info, *, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Connection[RecordedEvent]:
    return await timeline_of(info.context, root.id, first=first, after=after, last=last, before=before)


async def _escalations(root: _Alert, info: Info) -> list[escalations.Escalation]:
    return await info.context.loader(load_escalations).load(root.id)


async def _group_escalations(root: _Alert, info: Info) -> list[GroupMembership]:
    return await info.context.loader(load_memberships).load(root.id)


async def _notifications(root: _Alert, info: Info) -> list[escalations.Notification]:
    return await info.context.loader(load_notifications).load(root.id)


@exposes(model.Alert, description="One problem, however often its source repeats it.")
class Alert:
    """See domain.alerts.model.Alert."""

    id: strawberry.ID = strawberry.field(description="The alert's id.")
    title: str = strawberry.field(description="What is wrong, in one line.")
    description: str | None = strawberry.field(description="More about it.")
    severity: Severity = strawberry.field(description="How bad it is.")
    status: AlertStatus = strawberry.field(description="Where it is in its life.")
    allowed_statuses = strawberry.field(resolver=_allowed_statuses, description="The statuses it may be taken to next.")
    source: str = strawberry.field(description="What it comes from: a monitoring tool, a host, a person.")
    service_name: str | None = strawberry.field(description="The service it is about.")
    labels: JSON = strawberry.field(description="Labels: an object of text values.")
    metadata: JSON = strawberry.field(description="What else the source sent, as it sent it.")
    dedup_key: str = strawberry.field(description="What makes two signals of one integration the same problem.")
    dedup_recipe: str = strawberry.field(description="How the dedup key was made.")
    occurrences: int = strawberry.field(description="How often its source has said it.")
    episode: int = strawberry.field(description="How often it was opened: 1, and one more with each reopening.")
    created_at: datetime = strawberry.field(description="When Tocsin opened it.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    started_at: datetime = strawberry.field(description="When the problem began, by the source's clock.")
    last_seen_at: datetime = strawberry.field(description="When its source last spoke of it.")
    acknowledged_at: datetime | None = strawberry.field(description="When it was acknowledged in this episode.")
    investigating_at: datetime | None = strawberry.field(description="When somebody began to look for the cause.")
    resolved_at: datetime | None = strawberry.field(description="When it ended; null while it is open.")
    resolved_by: ResolvedBy | None = strawberry.field(description="Who ended it; null while it is open.")
    resolution: str | None = strawberry.field(description="Why it ended.")
    is_false_positive: bool = strawberry.field(description="Whether somebody said that there was no problem.")
    snoozed_until: datetime | None = strawberry.field(
        description="Until when it is left in peace; null when it is not."
    )
    is_flapping = strawberry.field(
        resolver=_is_flapping,
        graphql_type=bool,
        description="Whether it turns between open and resolved so often that nobody is told of each turn.",
    )
    flapping_since: datetime | None = strawberry.field(description="Since when it flaps; null when it does not.")
    flapping_until: datetime | None = strawberry.field(
        description="When it counts as settled unless it turns again; null when it does not flap."
    )
    flapping_turns: int = strawberry.field(
        description="How often it turned: those that made it flap, and all since; 0 when it does not flap."
    )
    paused_until: datetime | None = strawberry.field(
        description="Until when nobody is woken, for it mostly ends by itself; null when it is not held. The decision "
        "`PauseDecision` says why."
    )
    expires_at: datetime | None = strawberry.field(
        description="When it resolves by itself unless its source repeats it."
    )
    version: int = strawberry.field(description="Grows with each change; give it as `expectedVersion`.")
    assigned_to = strawberry.field(
        resolver=_assigned_to, graphql_type=User | None, description="Whose it is; null for nobody's."
    )
    team = strawberry.field(
        resolver=_team, graphql_type=Team | None, description="The team responsible; null for none."
    )
    group = strawberry.field(
        resolver=_group,
        graphql_type=Annotated["AlertGroup", strawberry.lazy("graphql_api.groups.types")] | None,
        description="The group of alerts it belongs to; null for none.",
    )
    group_reason: str | None = strawberry.field(description="Why it is in its group; null for none.")
    integration = strawberry.field(
        resolver=_integration,
        graphql_type=Integration | None,
        description="The integration that took it; null for alerts made by hand.",
    )
    suppression = strawberry.field(
        resolver=_suppression,
        graphql_type=Suppression | None,
        description="Why nobody is woken for it; null when nothing holds it.",
    )
    timeline = strawberry.field(
        resolver=_timeline, graphql_type=Connection[AlertEvent], description="All that happened to it, oldest first."
    )
    decisions = strawberry.field(
        resolver=_decisions,
        graphql_type=list[Decision],
        description="What was decided about it and why, oldest first: from its first 20 and its newest 200 events.",
    )
    attachments = strawberry.field(
        resolver=_attachments, graphql_type=list[Attachment], description="The files on it, oldest first."
    )
    escalations = strawberry.field(
        resolver=_escalations,
        graphql_type=list[Escalation],
        description="The escalation policies at work on it, also those of earlier episodes; the newest first.",
    )
    group_escalations = strawberry.field(
        resolver=_group_escalations,
        graphql_type=list[Annotated["GroupEscalation", strawberry.lazy("graphql_api.escalations.groups")]],
        description="The escalations of its group that stand, or stood, for it, with the reason; the newest first.",
    )
    notifications = strawberry.field(
        resolver=_notifications,
        graphql_type=list[Notification],
        description="Who was told of it, why, and what became of the message; the oldest first.",
    )


def shown(alert: model.Alert) -> Alert:
    """The alert as a field of a success type: the domain object is the GraphQL object."""
    return cast("Alert", alert)
