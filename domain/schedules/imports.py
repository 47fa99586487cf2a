"""What does somebody's calendar make of a schedule? Overrides: they are on call then, or they are away then.

Of who is away only the shifts matter that they would have: those go to whoever covers for them. What it comes to is
shown before it counts, and counts only as it was shown: a schedule that changed meanwhile is looked at anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from uuid import UUID

from domain.errors import InvalidInput
from domain.ids import new_id
from domain.schedules.actions import ScheduleDesk, require_operator, shown_override
from domain.schedules.drafts import MAX_OVERRIDE, check_total, checked_override, size_of_plan
from domain.schedules.final import final_schedule
from domain.schedules.model import Override, Schedule, Span, Versions
from domain.schedules.restrictions import joined

MAX_OVERRIDES = 200
HORIZON = timedelta(days=366)


class CalendarMeaning(StrEnum):
    """What the times of a calendar say of its person."""

    ON_CALL = "on_call"
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarTime:
    """One occurrence of an event. `name` says which, for people."""

    span: Span
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarImport:
    """Whose calendar it is, and what it says. `cover_id` is who is on call while they are away."""

    schedule_id: UUID
    user_id: UUID
    meaning: CalendarMeaning
    times: tuple[CalendarTime, ...]
    cover_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedOverride:
    """An override that would be made."""

    user_id: UUID
    starts_at: datetime
    ends_at: datetime
    reason: str


def import_span(now: datetime) -> Span:
    """What of a calendar matters: from now on, for a year."""
    return Span(now, now + HORIZON)


def proposed(
    asked: CalendarImport, plan: tuple[Versions, Sequence[Override]], *, now: datetime
) -> list[ProposedOverride]:
    """The overrides it comes to, in order; InvalidInput when they are too many."""
    ahead = [one for one in asked.times if one.span.ends_at > now and one.span.starts_at < now + HORIZON]
    spans = joined([one.span for one in ahead])
    if asked.meaning is CalendarMeaning.ON_CALL:
        found = [(asked.user_id, span) for span in spans]
    else:
        cover_id = checked_cover(asked.user_id, asked.cover_id)
        found = [(cover_id, span) for span in shifts_within(spans, asked.user_id, plan)]
    if len(found) > MAX_OVERRIDES:
        raise InvalidInput(f"that would be {len(found)} overrides; at most {MAX_OVERRIDES} at a time", ("calendar",))
    names = {span: name_of(span, ahead) for _, span in found}
    for _, span in found:
        if span.ends_at - span.starts_at > MAX_OVERRIDE:
            raise InvalidInput(f"{names[span]}: an override lasts at most {MAX_OVERRIDE.days} days", ("calendar",))
    return [
        ProposedOverride(user_id=user_id, starts_at=span.starts_at, ends_at=span.ends_at, reason=names[span])
        for user_id, span in found
    ]


def checked_cover(user_id: UUID, cover_id: UUID | None) -> UUID:
    """Who covers while the person is away; InvalidInput for nobody, and for themselves."""
    if cover_id is None:
        raise InvalidInput("say who covers while they are away", ("coverId",))
    if cover_id == user_id:
        raise InvalidInput("nobody covers for themselves", ("coverId",))
    return cover_id


def fingerprint(proposals: Sequence[ProposedOverride]) -> str:
    """What whoever saw them gives back, to say that it is these they mean."""
    lines = [
        f"{one.user_id} {one.starts_at.astimezone(UTC).isoformat()} {one.ends_at.astimezone(UTC).isoformat()}"
        for one in proposals
    ]
    return sha256("\n".join(lines).encode()).hexdigest()[:32]


def plan_span(asked: CalendarImport, *, now: datetime) -> Span:
    """What must be known of the schedule: as far as the calendar goes, and from before now where an event runs."""
    ahead = [one.span for one in asked.times if one.span.ends_at > now and one.span.starts_at < now + HORIZON]
    if not ahead:
        return Span(now, now + timedelta(minutes=1))
    return Span(min(one.starts_at for one in ahead), max(one.ends_at for one in ahead))


async def import_calendar(
    asked: CalendarImport, schedule: Schedule, proposals: Sequence[ProposedOverride], *, desk: ScheduleDesk
) -> list[Override]:
    """Make them all; the schedule is locked."""
    require_operator(schedule, desk.viewer)
    people = {one.user_id for one in proposals}
    if people and await desk.stores.missing_people(people):
        raise InvalidInput("no such active person", ("coverId" if asked.cover_id else "userId",))
    if not proposals:
        raise InvalidInput("nothing in this calendar changes who is on call", ("calendar",))
    made = []
    for one in proposals:
        override = Override(
            id=new_id(),
            schedule_id=schedule.id,
            user_id=one.user_id,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            created_at=desk.now,
            created_by=desk.viewer.person_id,
            reason=one.reason,
        )
        checked = checked_override(override, now=desk.now)
        await desk.stores.add_override(checked)
        await desk.audit(target_id=schedule.id, after=shown_override(checked))
        made.append(checked)
    return made


def shifts_within(spans: Sequence[Span], user_id: UUID, plan: tuple[Versions, Sequence[Override]]) -> list[Span]:
    """The parts of the spans, in order, in which the person is on call by the plan."""
    if not spans:
        return []
    versions, overrides = plan
    whole = Span(spans[0].starts_at, max(span.ends_at for span in spans))
    check_total(size_of_plan(versions, whole))
    shifts = [shift for shift in final_schedule(versions, overrides, whole).shifts if shift.user_id == user_id]
    parts = [
        part
        for span in spans
        for shift in shifts
        if (part := Span(shift.starts_at, shift.ends_at).within(span)) is not None
    ]
    return joined(parts)


def name_of(span: Span, times: Sequence[CalendarTime]) -> str:
    """Why, for people: the event it comes from."""
    named = next((one.name for one in times if one.name and one.span.within(span) is not None), "")
    return f"calendar: {named}"[:200] if named else "from a calendar"
