"""How does a heartbeat come to be, change, rest and end? Checked, versioned, on the audit log without its key."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from domain.alerts.edits import checked_labels
from domain.alerts.model import MAX_SERVICE_NAME, Severity
from domain.alerts.visibility import Sight
from domain.desk import Desk
from domain.errors import AlreadyExists, InvalidInput, NotFound
from domain.heartbeats.model import SHOWN_CHARACTERS, Heartbeat, Watch, key_digest, new_secret
from domain.ids import new_id
from domain.room import Numbers, Room
from domain.text import checked_optional_text, checked_text
from domain.versions import require_version

NO_SUCH = "no such heartbeat"
TAKEN = "the team has another heartbeat of this name"
MAX_NAME = 100
MAX_DESCRIPTION = 2_000
MIN_INTERVAL, MAX_INTERVAL = timedelta(seconds=10), timedelta(days=366)
MAX_GRACE = timedelta(days=31)
ROOM = Room(what="heartbeats", how="end one", of_all=5_000, of_team=1_000)


class Heartbeats(Protocol):
    """The store of heartbeats, within one transaction."""

    async def add(self, heartbeat: Heartbeat) -> bool:
        """Write a new heartbeat; False when the team has one of this name."""
        ...

    async def locked(self, heartbeat_id: UUID, *, sight: Sight) -> Heartbeat | None:
        """The heartbeat, locked until the transaction ends; None for one out of sight or archived."""
        ...

    async def save(self, heartbeat: Heartbeat) -> bool:
        """Write an edit; False when the team has another of this name. What pings and alerts wrote stays."""
        ...

    async def numbers(self, team_id: UUID | None) -> Numbers:
        """How many there are that are not archived, of all and of the team, or of none."""
        ...

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        ...

    async def integration_in_sight(self, integration_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such an integration, not archived and within sight."""
        ...


HeartbeatDesk: TypeAlias = Desk[Heartbeats]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatDraft:
    """What somebody may say of a heartbeat."""

    name: str
    interval: timedelta
    grace: timedelta
    severity: Severity
    description: str = ""
    service_name: str | None = None
    labels: dict[str, Any] = field(default_factory=dict)
    watch: Watch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatChange:
    """What of a heartbeat is to be otherwise; None leaves a field as it is. `unwatch` ends its watch."""

    name: str | None = None
    description: str | None = None
    interval: timedelta | None = None
    grace: timedelta | None = None
    severity: Severity | None = None
    service_name: str | None = None
    labels: dict[str, Any] | None = None
    watch: Watch | None = None
    unwatch: bool = False

    def applied_to(self, heartbeat: Heartbeat) -> HeartbeatDraft:
        """The heartbeat as it would be."""
        return HeartbeatDraft(
            name=heartbeat.name if self.name is None else self.name,
            description=heartbeat.description if self.description is None else self.description,
            interval=heartbeat.interval if self.interval is None else self.interval,
            grace=heartbeat.grace if self.grace is None else self.grace,
            severity=heartbeat.severity if self.severity is None else self.severity,
            service_name=heartbeat.service_name if self.service_name is None else self.service_name,
            labels=dict(heartbeat.labels) if self.labels is None else self.labels,
            watch=None if self.unwatch else (self.watch or heartbeat.watch),
        )


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that was just made. `secret` is shown once and kept nowhere."""

    heartbeat: Heartbeat
    secret: str


async def create_heartbeat(draft: HeartbeatDraft, *, team_id: UUID | None, desk: HeartbeatDesk) -> MadeKey:
    """A new heartbeat; it waits for its first ping."""
    draft = checked_draft(draft)
    await desk.require_team(team_id)
    await _check_watch(draft.watch, desk)
    ROOM.check(await desk.stores.numbers(team_id), team_id=team_id)
    secret = new_secret()
    heartbeat = Heartbeat(
        id=new_id(),
        team_id=team_id,
        **_fields(draft),
        key_digest=key_digest(secret),
        key_prefix=secret[:SHOWN_CHARACTERS],
        created_at=desk.now,
        updated_at=desk.now,
        created_by=desk.viewer.person_id,
    )
    if not await desk.stores.add(heartbeat):
        raise AlreadyExists(TAKEN, ("name",))
    await desk.audit(target_id=heartbeat.id, after=shown(heartbeat))
    return MadeKey(heartbeat, secret)


async def update_heartbeat(
    heartbeat_id: UUID, change: HeartbeatChange, *, expected_version: int | None, desk: HeartbeatDesk
) -> Heartbeat:
    """The heartbeat after an edit; another interval counts from its last ping."""
    before = await _mine(heartbeat_id, desk)
    require_version("heartbeat", actual=before.version, expected=expected_version)
    draft = checked_draft(change.applied_to(before))
    if draft.watch != before.watch:
        await _check_watch(draft.watch, desk)
    edited = replace(before, **_fields(draft))
    if edited == before:
        return before
    due_at = before.due_at
    if due_at is not None:
        due_at += (draft.interval + draft.grace) - (before.interval + before.grace)
    return await _saved(before, replace(edited, due_at=due_at), desk)


async def pause_heartbeat(heartbeat_id: UUID, *, desk: HeartbeatDesk) -> Heartbeat:
    """Listen no more until it is resumed; an alert that stands is resolved. Pings are still counted."""
    before = await _mine(heartbeat_id, desk)
    return before if before.paused_at is not None else await _saved(before, replace(before, paused_at=desk.now), desk)


async def resume_heartbeat(heartbeat_id: UUID, *, desk: HeartbeatDesk) -> Heartbeat:
    """Listen again: it has its interval and its grace from now, if it was ever heard of."""
    before = await _mine(heartbeat_id, desk)
    if before.paused_at is None:
        return before
    due_at = None if before.due_at is None else desk.now + before.interval + before.grace
    return await _saved(before, replace(before, paused_at=None, due_at=due_at), desk)


async def rotate_key(heartbeat_id: UUID, *, desk: HeartbeatDesk) -> MadeKey:
    """Another key in place of the one it has, which ends at once."""
    before, secret = await _mine(heartbeat_id, desk), new_secret()
    after = replace(before, key_digest=key_digest(secret), key_prefix=secret[:SHOWN_CHARACTERS])
    return MadeKey(await _saved(before, after, desk), secret)


async def archive_heartbeat(heartbeat_id: UUID, *, desk: HeartbeatDesk) -> Heartbeat:
    """End a heartbeat: its key works no more, and an alert that stands is resolved."""
    before = await _mine(heartbeat_id, desk)
    return await _saved(before, replace(before, archived_at=desk.now), desk)


def checked_draft(draft: HeartbeatDraft) -> HeartbeatDraft:
    """The draft with its texts tidied; InvalidInput names the first field that is wrong."""
    if not MIN_INTERVAL <= draft.interval <= MAX_INTERVAL:
        message = f"an interval is {int(MIN_INTERVAL.total_seconds())} seconds to {MAX_INTERVAL.days} days"
        raise InvalidInput(message, ("interval",))
    if not timedelta() <= draft.grace <= MAX_GRACE:
        message = f"a grace is none to {MAX_GRACE.days} days"
        raise InvalidInput(message, ("grace",))
    watch = draft.watch
    if watch is not None:
        if not watch.labels:
            message = "at least one label: any signal of the integration would count otherwise"
            raise InvalidInput(message, ("watch", "labels"))
        watch = replace(watch, labels=checked_labels(watch.labels))
    return replace(
        draft,
        name=checked_text(draft.name, path=("name",), limit=MAX_NAME),
        description=checked_optional_text(draft.description, path=("description",), limit=MAX_DESCRIPTION) or "",
        service_name=checked_optional_text(draft.service_name, path=("serviceName",), limit=MAX_SERVICE_NAME),
        labels=checked_labels(draft.labels),
        watch=watch,
    )


def shown(heartbeat: Heartbeat) -> dict[str, Any]:
    """What the audit log keeps of a heartbeat."""
    return {
        "name": heartbeat.name,
        "teamId": None if heartbeat.team_id is None else str(heartbeat.team_id),
        "intervalSeconds": heartbeat.interval.total_seconds(),
        "graceSeconds": heartbeat.grace.total_seconds(),
        "severity": heartbeat.severity.value,
        "serviceName": heartbeat.service_name,
        "keyPrefix": heartbeat.key_prefix,
        "watchedIntegrationId": None if heartbeat.watch is None else str(heartbeat.watch.integration_id),
        "isPaused": heartbeat.paused_at is not None,
        "isArchived": heartbeat.archived_at is not None,
        "version": heartbeat.version,
    }


def _fields(draft: HeartbeatDraft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in HeartbeatDraft.__dataclass_fields__}


async def _check_watch(watch: Watch | None, desk: HeartbeatDesk) -> None:
    if watch is not None and not await desk.stores.integration_in_sight(watch.integration_id, sight=desk.viewer.sight):
        raise InvalidInput("no such integration", ("watch", "integrationId"))


async def _saved(before: Heartbeat, edited: Heartbeat, desk: HeartbeatDesk) -> Heartbeat:
    after = replace(edited, updated_at=desk.now, version=before.version + 1)
    if not await desk.stores.save(after):
        raise AlreadyExists(TAKEN, ("name",))
    await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


async def _mine(heartbeat_id: UUID, desk: HeartbeatDesk) -> Heartbeat:
    found = await desk.stores.locked(heartbeat_id, sight=desk.viewer.sight)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    desk.require_manager(found.team_id)
    return found
