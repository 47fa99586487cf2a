"""How is what hangs on alerts read for a whole page at once? One statement for all that one tick asks for."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.attachments import Attachment
from domain.alerts.events import LogPosition, RecordedEvent
from domain.alerts.explanation import RecordedDecision
from domain.alerts.groups import AlertGroup
from domain.alerts.model import Alert
from domain.silences.model import Silence
from graphql_api.context import Context
from persistence.reads.alerts import AlertKey, alerts_by_ids, alerts_with_privacy, members_of_groups
from persistence.reads.attachments import attachments_of
from persistence.reads.groups import groups_by_ids
from persistence.reads.silences import silences_by_ids
from persistence.reads.timeline import changes_after, count_events, events_by_ids, read_decisions, read_timelines
from persistence.tables import log_epoch

Changed = tuple[LogPosition, Mapping[str, Any]]
Page = TypeVar("Page", bound=Hashable)
Value = TypeVar("Value")


async def load_alerts(context: Context, ids: list[UUID]) -> list[Alert | None]:
    """Alerts by id; None for one the viewer may not see, as for one that is not."""
    async with context.read() as connection:
        found = await alerts_by_ids(connection, ids, sight=context.require_viewer().sight)
    return [found.get(alert_id) for alert_id in ids]


async def load_for_any_sight(context: Context, ids: list[UUID]) -> list[tuple[Alert, bool] | None]:
    """Alerts by id and whether their team is private, for a memo that asks each viewer's sight."""
    async with context.read() as connection:
        found = await alerts_with_privacy(connection, ids)
    return [found.get(alert_id) for alert_id in ids]


async def load_changes_after(context: Context, events: Sequence[RecordedEvent]) -> Mapping[UUID, list[Changed]]:
    """What later events changed of these events' alerts, from the first of them on: to see an alert as it was then."""
    first = min(events, key=lambda event: event.position)
    async with context.read() as connection:
        return await changes_after(
            connection, list({event.alert_id for event in events}), first.position, since=first.recorded_at
        )


async def load_groups(context: Context, ids: list[UUID]) -> list[AlertGroup | None]:
    """Groups by id; None for one without a member the viewer may see."""
    async with context.read() as connection:
        found = await groups_by_ids(connection, ids, sight=context.require_viewer().sight)
    return [found.get(group_id) for group_id in ids]


async def load_attachments(context: Context, alert_ids: list[UUID]) -> list[list[Attachment]]:
    """The files of each alert."""
    async with context.read() as connection:
        found = await attachments_of(connection, alert_ids)
    return [found[alert_id] for alert_id in alert_ids]


async def load_silences(context: Context, ids: list[UUID]) -> list[Silence | None]:
    """Silences by id; None for one the viewer may not see."""
    async with context.read() as connection:
        found = await silences_by_ids(connection, ids, sight=context.require_viewer().sight)
    return [found.get(silence_id) for silence_id in ids]


async def load_decisions(context: Context, alert_ids: list[UUID]) -> list[list[RecordedDecision]]:
    """The decisions on each alert."""
    async with context.read() as connection:
        found = await read_decisions(connection, alert_ids)
    return [found[alert_id] for alert_id in alert_ids]


async def load_event_counts(context: Context, alert_ids: list[UUID]) -> list[int]:
    """How long each alert's timeline is."""
    async with context.read() as connection:
        found = await count_events(connection, alert_ids)
    return [found[alert_id] for alert_id in alert_ids]


async def load_events(context: Context, keys: list[tuple[UUID, UUID]]) -> list[RecordedEvent]:
    """Events by (alert id, event id)."""
    async with context.read() as connection:
        found = await events_by_ids(connection, keys)
    return [found[event_id] for _, event_id in keys]


async def load_log_epoch(context: Context, keys: list[None]) -> list[UUID]:
    """The epoch of the log, which cursors carry."""
    async with context.read() as connection:
        epoch: UUID = (await connection.scalars(sa.select(log_epoch.c.epoch))).one()
    return [epoch for _ in keys]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelinePage:
    """Which part of a timeline is asked for."""

    limit: int
    after: LogPosition | None = None
    before: LogPosition | None = None
    backward: bool = False


async def load_timelines(context: Context, keys: list[tuple[UUID, TimelinePage]]) -> list[list[RecordedEvent]]:
    """Pages of timelines: one statement for each page that differs, whatever the number of alerts."""

    async def read(
        connection: AsyncConnection, ids: Sequence[UUID], page: TimelinePage
    ) -> Mapping[UUID, list[RecordedEvent]]:
        return await read_timelines(
            connection, ids, limit=page.limit, after=page.after, before=page.before, backward=page.backward
        )

    return await _by_page(context, keys, read)


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersPage:
    """Which part of a group's members is asked for."""

    limit: int
    after: AlertKey | None = None
    before: AlertKey | None = None
    backward: bool = False


async def load_members(context: Context, keys: list[tuple[UUID, MembersPage]]) -> list[list[Alert]]:
    """Pages of the members of groups, within the viewer's sight."""
    sight = context.require_viewer().sight

    async def read(connection: AsyncConnection, ids: Sequence[UUID], page: MembersPage) -> Mapping[UUID, list[Alert]]:
        return await members_of_groups(
            connection,
            ids,
            sight=sight,
            limit=page.limit,
            after=page.after,
            before=page.before,
            backward=page.backward,
        )

    return await _by_page(context, keys, read)


async def _by_page(
    context: Context,
    keys: list[tuple[UUID, Page]],
    read: Callable[[AsyncConnection, Sequence[UUID], Page], Awaitable[Mapping[UUID, list[Value]]]],
) -> list[list[Value]]:
    pages: dict[Page, list[UUID]] = {}
    for owner_id, page in keys:
        pages.setdefault(page, []).append(owner_id)
    async with context.read() as connection:
        found = {page: await read(connection, ids, page) for page, ids in pages.items()}
    return [found[page][owner_id] for owner_id, page in keys]
