"""What can happen to a team? One event a happening, kept in a log of its own, for who follows teams."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from domain.alerts.cursor import Cursor
from domain.alerts.events import Actor, LogPosition
from domain.identity.model import Membership
from domain.ids import new_id


class TeamEventKind(StrEnum):
    """The kinds of entry in the log of teams."""

    CREATED = "created"
    UPDATED = "updated"
    MEMBER_ADDED = "member_added"
    MEMBER_ROLE_CHANGED = "member_role_changed"
    MEMBER_REMOVED = "member_removed"
    OWNERSHIP_CHANGED = "ownership_changed"
    HANDED_OVER = "handed_over"
    TAKEN_OVER = "taken_over"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamEvent:
    """One entry.

    `data` holds what the kind needs, as JSON: `changes` {field: [before, after]}, `user_id` and `role` of a member,
    `other_team_id` of a hand-over, the rules `added` to and `removed` from what the team owns.
    """

    id: UUID
    team_id: UUID
    kind: TeamEventKind
    occurred_at: datetime
    actor: Actor
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTeamEvent:
    """An event as the log holds it: with its place and the time it was written."""

    event: TeamEvent
    position: LogPosition
    recorded_at: datetime

    def place_after(self, before: Cursor) -> Cursor:
        """The place of a reader who has read it, and was at `before`."""
        return Cursor(epoch=before.epoch, position=self.position, recorded_at=self.recorded_at)


def took_from_sight(event: TeamEvent, user_id: UUID) -> bool:
    """Whether the event took the team from the sight of this person, who does not see it now.

    It was made private, or the person left it. Of a team that was hidden from them all along, nothing is told.
    """
    if event.kind is TeamEventKind.UPDATED:
        changed: dict[str, Any] = event.data.get("changes", {})
        return changed.get("is_private") == [False, True]
    return event.kind is TeamEventKind.MEMBER_REMOVED and event.data.get("user_id") == str(user_id)


def member_event(membership: Membership, before: str | None, *, by: Actor, at: datetime) -> TeamEvent:
    """A person became a member, or got another role than `before`."""
    role = membership.role.value
    data: dict[str, Any] = {"user_id": str(membership.user_id), "role": role}
    if before is not None:
        data["changes"] = {"role": [before, role]}
    kind = TeamEventKind.MEMBER_ADDED if before is None else TeamEventKind.MEMBER_ROLE_CHANGED
    return TeamEvent(id=new_id(), team_id=membership.team_id, kind=kind, occurred_at=at, actor=by, data=data)
