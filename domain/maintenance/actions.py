"""How does a maintenance window come to be, change and end? Within one open unit of work, which the caller commits.

A window recurs long after who made it has gone home, so managers make it: everywhere, or in their team for that team's
alerts alone.
"""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.audit.writing import WriteAudit
from domain.errors import AlreadyExists, Forbidden, NotFound
from domain.identity.team_roles import require_manager
from domain.ids import new_id
from domain.maintenance.drafts import checked_window
from domain.maintenance.model import MaintenanceWindow
from domain.maintenance.planning import plan
from domain.maintenance.ports import MaintenanceWork
from domain.room import Room
from domain.silences.by_people import UNSET, Asking, Unset
from domain.silences.matchers import LabelMatcher
from domain.silences.model import AlertCondition, Silence
from domain.versions import require_version

NO_SUCH = "no such maintenance window"
TAKEN = "another maintenance window has this name"
ROOM = Room(what="maintenance windows", how="end one", of_all=500, of_team=100)
Planned = tuple[MaintenanceWindow, list[Silence]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowDraft:
    """What somebody asks for."""

    name: str
    comment: str
    time_zone: str
    starts_at: datetime
    duration: timedelta
    matchers: tuple[LabelMatcher, ...]
    condition: AlertCondition | None = None
    recurrence: str | None = None
    exceptions: tuple[datetime, ...] = ()
    integration_id: UUID | None = None
    team_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowChange:
    """What of a window is to be otherwise; None (and UNSET) leaves it as it is."""

    name: str | None = None
    comment: str | None = None
    time_zone: str | None = None
    starts_at: datetime | None = None
    duration: timedelta | None = None
    matchers: tuple[LabelMatcher, ...] | None = None
    condition: AlertCondition | Unset | None = field(default=UNSET)
    recurrence: str | Unset | None = field(default=UNSET)
    exceptions: tuple[datetime, ...] | None = None
    is_paused: bool | None = None

    def applied_to(self, window: MaintenanceWindow, *, now: datetime) -> MaintenanceWindow:
        """The window as it would be."""
        given = {
            one.name: getattr(self, one.name)
            for one in fields(self)
            if one.name not in {"is_paused", "condition", "recurrence"} and getattr(self, one.name) is not None
        }
        for name in ("condition", "recurrence"):
            if getattr(self, name) is not UNSET:
                given[name] = getattr(self, name)
        if self.is_paused is not None and self.is_paused is not (window.paused_at is not None):
            given["paused_at"] = now if self.is_paused else None
        return replace(window, **given)


async def drafted(asking: Asking, draft: WindowDraft) -> MaintenanceWindow:
    """The window of a draft, checked; refused for what is out of sight, and for who may not manage it."""
    viewer = asking.viewer
    if draft.team_id is not None and not await asking.places.team_in_sight(draft.team_id, sight=viewer.sight):
        raise NotFound("no such team", ("teamId",))
    _require_manager(asking, draft.team_id)
    if draft.integration_id is not None and not await asking.places.integration_in_sight(
        draft.integration_id, sight=viewer.sight
    ):
        raise NotFound("no such integration", ("integrationId",))
    values = {one.name: getattr(draft, one.name) for one in fields(draft)}
    window = MaintenanceWindow(
        id=new_id(),
        actor=viewer.actor,
        created_at=asking.now,
        updated_at=asking.now,
        holds_private=viewer.sight.everything,
        **values,
    )
    return checked_window(window, now=asking.now, max_duration=asking.max_duration)


async def create_window(asking: Asking, work: MaintenanceWork, draft: WindowDraft, *, audit: WriteAudit) -> Planned:
    """A new window, and its first occurrences."""
    window = await drafted(asking, draft)
    ROOM.check(await work.windows.numbers(window.team_id), team_id=window.team_id)
    # The row comes first: its occurrences point at it.
    if not await work.windows.add(window):
        raise AlreadyExists(TAKEN, ("name",))
    planned = await _planned(asking, work, window)
    await audit(target_id=window.id, after=shown(window))
    return planned


async def update_window(
    asking: Asking,
    work: MaintenanceWork,
    window_id: UUID,
    *,
    change: WindowChange,
    expected_version: int | None,
    audit: WriteAudit,
) -> Planned:
    """The window after an edit: occurrences to come are made anew, the one that runs ends or goes on as it says now."""
    before = await _mine(asking, work, window_id)
    require_version("maintenance window", actual=before.version, expected=expected_version)
    if before.team_id is None and before.holds_private and not asking.viewer.sight.everything:
        hidden = set(await work.silences.private_teams()) - asking.viewer.team_ids
        if hidden:
            message = "it holds alerts of private teams too: an administrator changes it"
            raise Forbidden(message, ("id",))
    edited = change.applied_to(before, now=asking.now)
    edited = checked_window(edited, now=asking.now, max_duration=asking.max_duration, before=before)
    if edited == before:
        return before, []
    after = replace(edited, updated_at=asking.now, version=before.version + 1)
    planned = await _planned(asking, work, after)
    await audit(target_id=after.id, before=shown(before), after=shown(after))
    return planned


async def archive_window(asking: Asking, work: MaintenanceWork, window_id: UUID, *, audit: WriteAudit) -> Planned:
    """End a window: it occurs no more, and the occurrence that runs ends. What was can still be read."""
    before = await _mine(asking, work, window_id)
    after = replace(before, archived_at=asking.now, updated_at=asking.now, version=before.version + 1)
    planned = await _planned(asking, work, after)
    await audit(target_id=after.id, before=shown(before), after=shown(after))
    return planned


async def _planned(asking: Asking, work: MaintenanceWork, window: MaintenanceWindow) -> Planned:
    planned, unfinished = await plan(work, window, actor=asking.viewer.actor, now=asking.now)
    if not await work.windows.save(planned):
        raise AlreadyExists(TAKEN, ("name",))
    return planned, unfinished


async def _mine(asking: Asking, work: MaintenanceWork, window_id: UUID) -> MaintenanceWindow:
    found = await work.windows.seen(window_id, sight=asking.viewer.sight)
    if found is None or found.archived_at is not None:
        raise NotFound(NO_SUCH, ("id",))
    _require_manager(asking, found.team_id)
    return found


def _require_manager(asking: Asking, team_id: UUID | None) -> None:
    viewer = asking.viewer
    require_manager(viewer.role, None if team_id is None else viewer.role_in(team_id))


def shown(window: MaintenanceWindow) -> dict[str, Any]:
    """What the audit log keeps of a window."""
    return {
        "name": window.name,
        "comment": window.comment,
        "matchers": [matcher.as_json() for matcher in window.matchers],
        "condition": None if window.condition is None else window.condition.text,
        "timeZone": window.time_zone,
        "startsAt": window.starts_at.isoformat(),
        "duration": str(window.duration),
        "recurrence": window.recurrence,
        "exceptions": [one.isoformat() for one in window.exceptions],
        "integrationId": None if window.integration_id is None else str(window.integration_id),
        "teamId": None if window.team_id is None else str(window.team_id),
        "holdsPrivate": window.holds_private,
        "isPaused": window.paused_at is not None,
        "isArchived": window.archived_at is not None,
        "version": window.version,
    }
