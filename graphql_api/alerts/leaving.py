"""What does a stream say of an alert that leaves the viewer's sight? That it did, and nothing that came with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import strawberry

from domain.alerts.cursor import Cursor, encode_cursor
from domain.alerts.events import RecordedEvent
from domain.alerts.passing import team_left
from graphql_api.context import Context
from graphql_api.exposes import exposes
from persistence.reads.visibility import teams_in_sight


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftView:
    """The event that took an alert from a team the viewer sees to one that they do not, and its place."""

    recorded: RecordedEvent
    place: Cursor


_Left: TypeAlias = strawberry.Parent[LeftView]


def _id(root: _Left) -> strawberry.ID:
    return strawberry.ID(str(root.recorded.event.id))


def _cursor(root: _Left) -> str:
    return encode_cursor(root.place)


def _alert_id(root: _Left) -> strawberry.ID:
    return strawberry.ID(str(root.recorded.event.alert_id))


def _occurred_at(root: _Left) -> datetime:
    return root.recorded.event.occurred_at


@exposes(LeftView, description="An alert went to a team whose alerts you may not see: take it from what you show.")
class AlertLeftView:
    """Given whatever the filter: whether the hidden alert fulfils it is not told."""

    id: strawberry.ID = strawberry.field(resolver=_id, description="The event's id.")
    cursor: str = strawberry.field(resolver=_cursor, description="The event's place in the log: give it as `after`.")
    alert_id: strawberry.ID = strawberry.field(
        resolver=_alert_id, description="The alert; one that your filter never showed you may be named as well."
    )
    occurred_at: datetime = strawberry.field(resolver=_occurred_at, description="When it went.")


async def left_view(context: Context, hidden: Sequence[RecordedEvent]) -> list[RecordedEvent]:
    """Those of the events, all of alerts the viewer does not see, that took the alert from a team the viewer sees."""
    moved = [(item, team_left(item.event)) for item in hidden]
    teams = {team.id for _, team in moved if team is not None and team.id is not None}
    seen = set()
    if teams:
        async with context.read() as connection:
            seen = await teams_in_sight(connection, teams, sight=context.require_viewer().sight)
    return [item for item, team in moved if team is not None and (team.id is None or team.id in seen)]
