"""Who reads the calendars that schedules follow? A worker, each in its turn; what it comes to is written all or not.

The claim keeps two workers from asking one provider twice, and the schedule's lock keeps what is worked out true until
it is written. A calendar that cannot be read leaves its last good state.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.events import ActorKind
from domain.alerts.visibility import EVERYTHING
from domain.audit.model import AuditEntry
from domain.errors import InvalidInput
from domain.ids import new_id
from domain.schedules import followed
from domain.schedules.actions import end_override
from domain.schedules.clock import zone
from domain.schedules.drafts import check_total, size_of_plan
from domain.schedules.followed import FollowedCalendar, FollowProblem, UnusedEvent, UnusedReason
from domain.schedules.imports import CalendarMeaning, CalendarTime, import_span, name_of, shifts_within
from domain.schedules.model import Schedule, Span
from domain.schedules.restrictions import joined
from jobs.calendar_fetching import SECONDS, Fetched, NotFetched, fetch_calendar
from jobs.outbound import Outbound
from persistence.audit import AuditTrail
from persistence.calendar_follows import ADDRESS_COLUMN, Claimed, FollowRepository, claim_due
from persistence.lenient_calendar import Reading, read_followed
from persistence.schedules import plans_of, schedules_by_ids
from persistence.sealing import CannotUnseal, Sealer
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
AT_ONCE = 4
MAX_ROUNDS = 100
MAX_USED = 500
MAX_UNUSED = 50


async def read_calendars(engine: AsyncEngine, settings: Settings, now: datetime, *, seconds: float = SECONDS) -> int:
    """Read the calendars whose turn it is; how many."""
    outbound, count = Outbound(settings.outbound_networks), 0
    reader = _Reader(engine, Sealer.of(settings), outbound, now, seconds)
    try:
        for _ in range(MAX_ROUNDS):
            async with engine.begin() as connection:
                claimed = await claim_due(connection, now=now, most=AT_ONCE)
            if not claimed:
                break
            ended = await asyncio.gather(*(reader.read(one) for one in claimed), return_exceptions=True)
            count += len(claimed)
            # A fault of ours is told when the others are done; its calendar is tried again when its claim is over.
            for error in ended:
                if isinstance(error, BaseException):
                    raise error
    finally:
        await outbound.close()
    return count


@dataclass(frozen=True, slots=True)
class _Reader:
    engine: AsyncEngine
    sealer: Sealer
    outbound: Outbound
    now: datetime
    seconds: float

    async def read(self, one: Claimed) -> None:
        """Fetch it, read it, make the schedule say what it says; or write down why not."""
        try:
            schedule, fetched, reading = await self._found(one)
        except NotFetched as error:
            await self._failed(one, error)
            return
        async with self.engine.begin() as connection:
            writer = _Writer(connection, FollowRepository(connection), self.now)
            await writer.write(one, fetched, reading, read_for=schedule)

    async def _found(self, one: Claimed) -> tuple[Schedule, Fetched, Reading | None]:
        calendar = one.calendar
        async with self.engine.connect() as connection:
            (schedule,) = await schedules_by_ids(connection, [calendar.schedule_id], sight=EVERYTHING)
        assert schedule is not None, "everything is in sight"  # noqa: S101 - for the type checker
        try:
            address = self.sealer.unseal(one.sealed_address, column=ADDRESS_COLUMN, row=calendar.id)
        except CannotUnseal:
            message = "its address was sealed with a key that is not here: list it in TOCSIN_OLDER_SECRET_KEYS"
            raise NotFetched(FollowProblem.UNREACHABLE, message) from None
        marks: dict[str, str] = {}
        if calendar.asks_for_changes_only(schedule, self.now):
            known = {"if-none-match": calendar.etag, "if-modified-since": calendar.last_modified}
            marks = {name: value for name, value in known.items() if value is not None}
        fetched = await fetch_calendar(self.outbound, address, marks=marks, now=self.now, seconds=self.seconds)
        if fetched.text is None:
            return schedule, fetched, None
        where, span = zone(schedule.time_zone), import_span(self.now)
        try:
            reading = await asyncio.to_thread(read_followed, fetched.text, where=where, span=span)
        except InvalidInput as error:
            raise NotFetched(FollowProblem.NO_CALENDAR, error.message) from None
        return schedule, fetched, reading

    async def _failed(self, one: Claimed, error: NotFetched) -> None:
        async with self.engine.begin() as connection:
            store = FollowRepository(connection)
            calendar = await store.locked_followed(one.calendar.id, claim=one.claim)
            if calendar is not None:
                await _save_failure(store, calendar, error, now=self.now)


@dataclass(frozen=True, slots=True)
class _Writer:
    """What is written of one reading, in one transaction."""

    connection: AsyncConnection
    store: FollowRepository
    now: datetime

    async def write(self, one: Claimed, fetched: Fetched, reading: Reading | None, *, read_for: Schedule) -> None:
        calendar = await self.store.locked_followed(one.calendar.id, claim=one.claim)
        schedule = None if calendar is None else await self.store.locked(calendar.schedule_id, sight=EVERYTHING)
        if calendar is None or schedule is None:
            return  # it is not followed any more, or another read it since
        well = followed.went_well(calendar, now=self.now)
        if reading is None:
            await self.store.save_reading(well)
            return
        if schedule.time_zone != read_for.time_zone:
            # What was read is of another clock: it is read anew at once.
            await self.store.save_reading(replace(calendar, next_read_at=self.now))
            return
        try:
            changed = await self._reconcile(replace(well, schedule_version=schedule.version), reading)
        except NotFetched as error:
            await _save_failure(self.store, calendar, error, now=self.now)
            return
        await self.store.save_reading(
            replace(changed, etag=fetched.etag, last_modified=fetched.last_modified, whole_at=self.now)
        )

    async def _reconcile(self, calendar: FollowedCalendar, reading: Reading) -> FollowedCalendar:
        wanted, unused = await self._wanted(calendar, reading.times)
        people = {user_id for user_id, _, _ in wanted}
        if people and await self.store.missing_people(people):
            raise NotFetched(FollowProblem.PERSON_LEFT, "who would be on call by it is no active person any more")
        there = await self.store.overrides_of_calendar(calendar.id, after=self.now)
        change = followed.reconciled(calendar, wanted, there, now=self.now)
        for override in change.to_end:
            await end_override(override, stores=self.store, now=self.now)
        for override in change.to_add:
            await self.store.add_override(override)
        if change.to_add or change.to_end:
            calendar = replace(calendar, changed_at=self.now)
            await self._record(calendar, added=len(change.to_add), ended=len(change.to_end))
        every = (*reading.unused, *unused)
        return replace(calendar, used=len(wanted), unused_count=len(every), unused=every[:MAX_UNUSED])

    async def _wanted(
        self, calendar: FollowedCalendar, times: Sequence[CalendarTime]
    ) -> tuple[list[tuple[UUID, Span, str]], list[UnusedEvent]]:
        """Who is to be on call, when and why; and the times that come to nothing."""
        ahead = [one for one in times if one.span.ends_at > self.now]
        unused: list[UnusedEvent] = []
        spans = sorted({one.span for one in ahead}, key=lambda span: (span.starts_at, span.ends_at))
        who = calendar.user_id
        if calendar.meaning is CalendarMeaning.AWAY:
            assert calendar.cover_id is not None, "somebody covers"  # noqa: S101 - for the type checker
            away, who = joined(spans), calendar.cover_id
            spans = await self._shifts(calendar, away)
            unused += [
                UnusedEvent(reason=UnusedReason.NO_SHIFT, starts_at=one.span.starts_at)
                for one in ahead
                if not any(span.within(one.span) for span in spans)
            ]
        pieces = [piece for span in spans for piece in followed.in_pieces(span, now=self.now)]
        unused += [UnusedEvent(reason=UnusedReason.LATER, starts_at=one.starts_at) for one in pieces[MAX_USED:]]
        return [(who, one, name_of(one, ahead)) for one in pieces[:MAX_USED]], unused

    async def _shifts(self, calendar: FollowedCalendar, away: Sequence[Span]) -> list[Span]:
        """The shifts the person has then, by what lies beneath this calendar."""
        if not away:
            return []
        span = Span(away[0].starts_at, away[-1].ends_at)
        versions, overrides = (await plans_of(self.connection, [calendar.schedule_id], span))[calendar.schedule_id]
        beneath = [one for one in overrides if one.created_at < calendar.created_at]
        try:
            check_total(size_of_plan(versions, span))
        except InvalidInput as error:
            raise NotFetched(FollowProblem.TOO_LARGE, error.message) from None
        return shifts_within(away, calendar.user_id, (versions, beneath))

    async def _record(self, calendar: FollowedCalendar, *, added: int, ended: int) -> None:
        shown = {"calendarId": str(calendar.id), "added": added, "ended": ended}
        entry = AuditEntry(
            id=new_id(),
            occurred_at=self.now,
            actor_kind=ActorKind.SYSTEM,
            action="readFollowedCalendar",
            target_kind="schedule",
            target_id=calendar.schedule_id,
            after=shown,
        )
        await AuditTrail(self.connection).append(entry)


async def _save_failure(
    store: FollowRepository, calendar: FollowedCalendar, error: NotFetched, *, now: datetime
) -> None:
    after = followed.failed(calendar, error.problem, error.detail, now=now, retry_after=error.retry_after)
    await store.save_reading(after)
    if after.is_stale(now):
        _log.warning(
            "a followed calendar cannot be read",
            calendar=str(calendar.id),
            schedule=str(calendar.schedule_id),
            problem=error.problem.value,
            since=(after.read_at or after.created_at).isoformat(),
        )
