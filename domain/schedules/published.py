"""Which shifts does a calendar show, and by which name does a programme know each again?

A programme replaces what it has by UID: a shift must keep its UID from one reading to the next, however far the moment
has moved on. So the time that is shown moves by whole months, and a shift is named by where it truly begins; only one
that began before all that is looked at is named by its person alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from domain.schedules.drafts import MAX_SHIFTS, size_of_plan
from domain.schedules.final import final_schedule
from domain.schedules.model import Override, Schedule, Shift, Span, Versions

# How far a shift's beginning is looked for before the time that is shown.
BEFORE = timedelta(days=40)
MONTHS_AHEAD = 6
MAX_EVENTS = 3_000
AT_LEAST = timedelta(days=32)
# Names of shifts are made within this one.
_NAMESPACE = UUID("9d0b8a70-5f0e-5c61-9f54-0f4f6b1f9d13")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedShift:
    """One entry of a calendar. `changed_at` is when it last could have changed."""

    uid: str
    schedule: Schedule
    shift: Shift
    reason: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Window:
    """What a calendar shows, and the time around it that is looked at. Both move once a month."""

    shown: Span
    looked_at: Span
    this_month: datetime


def window_at(now: datetime) -> Window:
    """From the beginning of last month to six months ahead."""
    this = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = (this - timedelta(days=1)).replace(day=1)
    months = this.year * 12 + this.month - 1 + MONTHS_AHEAD
    shown = Span(last, this.replace(year=months // 12, month=months % 12 + 1))
    return Window(shown, Span(last - BEFORE, shown.ends_at), this)


def published(
    schedule: Schedule, plan: tuple[Versions, Sequence[Override]], window: Window, *, only: UUID | None = None
) -> list[PublishedShift]:
    """The shifts of the schedule within the window, of one person where `only` is given."""
    versions, overrides = plan
    made_by = {override.id: override for override in overrides}
    looked_at = _bounded(versions, window)
    found = []
    for shift in final_schedule(versions, overrides, looked_at).shifts:
        if shift.ends_at <= window.shown.starts_at or (only is not None and shift.user_id != only):
            continue
        override = None if shift.override_id is None else made_by[shift.override_id]
        found.append(
            PublishedShift(
                uid=_uid(schedule, shift, is_cut=shift.starts_at <= looked_at.starts_at),
                schedule=schedule,
                shift=shift,
                reason="" if override is None else override.reason,
                changed_at=schedule.updated_at if override is None else max(schedule.updated_at, override.created_at),
            )
        )
    return found


def together(found: Iterable[PublishedShift]) -> list[PublishedShift]:
    """Of several schedules in order of time, at most as many as a calendar takes."""
    ordered = sorted(found, key=lambda one: (one.shift.starts_at, one.uid))
    return ordered[:MAX_EVENTS]


def _bounded(versions: Versions, window: Window) -> Span:
    """Less time around this month where shifts are so short that they would be too many; this month in any case."""
    whole, here = window.looked_at, window.this_month
    share = min(1.0, MAX_SHIFTS / max(1.0, size_of_plan(versions, whole)))
    ahead = max(share * (whole.ends_at - here), AT_LEAST)
    return Span(here - share * (here - whole.starts_at), min(here + ahead, whole.ends_at))


def _uid(schedule: Schedule, shift: Shift, *, is_cut: bool) -> str:
    begins = "before" if is_cut else shift.starts_at.astimezone(UTC).isoformat()
    reason = shift.override_id or shift.layer_id
    return f"{uuid5(_NAMESPACE, f'{schedule.id} {reason} {shift.user_id} {begins}')}@tocsin"
