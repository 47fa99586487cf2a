"""How does a schedule come to be, change and end, and how does somebody take over a shift?

A schedule of a team is its managers' to change; one of no team is for managers alone. To cover a shift is everybody's
who may act on alerts: at three in the morning nobody should have to ask a manager first.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from domain.desk import Desk
from domain.errors import AlreadyExists, Forbidden, InvalidInput, NotFound
from domain.identity.model import Role, Viewer
from domain.identity.team_roles import role_within
from domain.ids import new_id
from domain.schedules.drafts import Draft, checked_draft, checked_override
from domain.schedules.model import Layer, Override, Schedule
from domain.schedules.ports import Schedules
from domain.versions import require_version

NO_SUCH = "no such schedule"
TAKEN = "the team has another schedule of this name"


ScheduleDesk: TypeAlias = Desk[Schedules]


async def create_schedule(draft: Draft, *, team_id: UUID | None, desk: ScheduleDesk) -> Schedule:
    """A new schedule; it counts from now on."""
    draft = checked_draft(draft)
    await desk.require_team(team_id)
    await _check_people(draft, desk)
    schedule = Schedule(
        id=new_id(),
        team_id=team_id,
        created_at=desk.now,
        updated_at=desk.now,
        name=draft.name,
        description=draft.description,
        time_zone=draft.time_zone,
        layers=draft.layers,
    )
    if not await desk.stores.add(schedule, created_by=desk.viewer.person_id):
        raise AlreadyExists(TAKEN, ("name",))
    await desk.audit(target_id=schedule.id, after=shown(schedule))
    return schedule


async def update_schedule(
    schedule_id: UUID, change: "Change", *, expected_version: int | None, desk: ScheduleDesk
) -> Schedule:
    """The schedule after an edit. Other layers or another zone count from now on; the past stays."""
    before = await managed_schedule(schedule_id, desk)
    require_version("schedule", actual=before.version, expected=expected_version)
    draft = checked_draft(change.applied_to(before))
    await _check_people(draft, desk)
    edited = replace(
        before,
        name=draft.name,
        description=draft.description,
        time_zone=draft.time_zone,
        layers=draft.layers,
    )
    if edited == before:
        return before
    after = replace(edited, version=before.version + 1, updated_at=desk.now)
    plans_differ = (after.layers, after.time_zone) != (before.layers, before.time_zone)
    since = desk.now if plans_differ else None
    if not await desk.stores.save(after, changed_by=desk.viewer.person_id, layers_since=since):
        raise AlreadyExists(TAKEN, ("name",))
    await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What of a schedule is to be otherwise; None leaves a field as it is."""

    name: str | None = None
    description: str | None = None
    time_zone: str | None = None
    layers: tuple[Layer, ...] | None = None

    def applied_to(self, schedule: Schedule) -> Draft:
        """The schedule as it would be."""
        return Draft(
            name=schedule.name if self.name is None else self.name,
            description=schedule.description if self.description is None else self.description,
            time_zone=schedule.time_zone if self.time_zone is None else self.time_zone,
            layers=schedule.layers if self.layers is None else self.layers,
        )


async def archive_schedule(schedule_id: UUID, *, desk: ScheduleDesk) -> Schedule:
    """End a schedule: nobody is on call by it any more; what was stays readable."""
    before = await managed_schedule(schedule_id, desk)
    after = replace(before, archived_at=desk.now, updated_at=desk.now, version=before.version + 1)
    await desk.stores.save(after, changed_by=desk.viewer.person_id, layers_since=None)
    await desk.audit(target_id=after.id, before=shown(before), after=shown(after))
    return after


async def create_override(override: Override, *, desk: ScheduleDesk) -> Override:
    """Put somebody on call for a time, over every layer."""
    schedule = await locked_schedule(override.schedule_id, desk, "scheduleId")
    require_operator(schedule, desk.viewer)
    if await desk.stores.missing_people({override.user_id}):
        raise InvalidInput("no such active person", ("userId",))
    made = checked_override(replace(override, created_at=desk.now, created_by=desk.viewer.person_id), now=desk.now)
    await desk.stores.add_override(made)
    await desk.audit(target_id=schedule.id, after=shown_override(made))
    return made


async def remove_override(override_id: UUID, *, desk: ScheduleDesk) -> Schedule:
    """Take an override back: one that runs ends now, one that is to come never counts."""
    override = await desk.stores.locked_override(override_id)
    found = None if override is None else await desk.stores.locked(override.schedule_id, sight=desk.viewer.sight)
    if override is None or found is None:
        raise NotFound("no such override", ("id",))
    require_operator(found, desk.viewer)
    if override.ends_at <= desk.now:
        raise InvalidInput("that is over: who was on call does not change", ("id",))
    if override.calendar_id is not None:
        message = "this comes from a calendar that the schedule follows: change it there, or cover it by an override"
        raise InvalidInput(message, ("id",))
    await end_override(override, stores=desk.stores, now=desk.now)
    await desk.audit(target_id=found.id, before=shown_override(override))
    return found


async def end_override(override: Override, *, stores: Schedules, now: datetime) -> None:
    """One that runs ends now; one that is to come never counts."""
    runs = override.starts_at < now
    await stores.end_override(override.id, ends_at=now if runs else None, removed_at=now)


def shown(schedule: Schedule) -> dict[str, Any]:
    """What the audit log keeps of a schedule."""
    return {
        "name": schedule.name,
        "teamId": None if schedule.team_id is None else str(schedule.team_id),
        "timeZone": schedule.time_zone,
        "version": schedule.version,
        "isArchived": schedule.archived_at is not None,
        "layers": [
            {
                "id": str(layer.id),
                "participants": [str(user_id) for user_id in layer.rotation.participants],
                "shift": f"{layer.rotation.shift_length} {layer.rotation.unit.value}",
                "startsAt": layer.rotation.starts_at.isoformat(),
                "restrictions": len(layer.restrictions),
            }
            for layer in schedule.layers
        ],
    }


def shown_override(override: Override) -> dict[str, Any]:
    """What the audit log keeps of an override."""
    return {
        "overrideId": str(override.id),
        "userId": str(override.user_id),
        "startsAt": override.starts_at.isoformat(),
        "endsAt": override.ends_at.isoformat(),
    }


async def locked_schedule(schedule_id: UUID, desk: Desk[Any], *path: str) -> Schedule:
    """The schedule, locked; NotFound for one that is not there or not seen, by the field that named it."""
    found: Schedule | None = await desk.stores.locked(schedule_id, sight=desk.viewer.sight)
    if found is None:
        raise NotFound(NO_SUCH, path or ("id",))
    return found


async def managed_schedule(schedule_id: UUID, desk: Desk[Any], *path: str) -> Schedule:
    """The same; Forbidden for one that the viewer does not manage."""
    found = await locked_schedule(schedule_id, desk, *path)
    desk.require_manager(found.team_id)
    return found


def require_operator(schedule: Schedule, viewer: Viewer) -> None:
    """Forbidden unless the viewer may act on alerts: everywhere, or in the schedule's team."""
    team_role = None if schedule.team_id is None else viewer.role_in(schedule.team_id)
    if not role_within(viewer.role, team_role).includes(Role.OPERATOR):
        raise Forbidden("this needs the role operator, everywhere or in this team")


async def _check_people(draft: Draft, desk: ScheduleDesk) -> None:
    people = {user_id for layer in draft.layers for user_id in layer.rotation.participants}
    missing = set(await desk.stores.missing_people(people)) if people else set()
    for number, layer in enumerate(draft.layers):
        for place, user_id in enumerate(layer.rotation.participants):
            if user_id in missing:
                path = ("layers", str(number), "participantIds", str(place))
                raise InvalidInput("no such active person", path)
