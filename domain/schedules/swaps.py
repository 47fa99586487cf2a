"""How does somebody give a shift away, or swap it? One asks, the other accepts, and both overrides are made together.

What is swapped may be a part of a shift. It is looked at twice, when asked and when accepted: who was on call when it
was asked may not be any more. Whoever asks gives their own time away; a manager of the team may ask for others.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from domain.desk import Desk
from domain.errors import Forbidden, InvalidInput, NotFound, SwapConflict
from domain.escalations.model import NotificationKind
from domain.identity.team_roles import may_manage
from domain.ids import new_id
from domain.schedules.actions import locked_schedule, require_operator
from domain.schedules.clock import check_year
from domain.schedules.drafts import MAX_OVERRIDE, MAX_REASON, check_total, size_of_plan
from domain.schedules.final import final_schedule
from domain.schedules.model import Override, Schedule, Span, Versions
from domain.schedules.ports import Schedules
from domain.text import checked_optional_text

LIFETIME = timedelta(days=7)
NO_SUCH = "no such swap"
MAX_OPEN = 200
# Of an offer to everybody those who take turns are told, as far as that is a number of people who would look at it.
MAX_ASKED = 50


class SwapState(StrEnum):
    """Where a swap is. One that was not answered in time is EXPIRED, by the clock alone."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftSwap:
    """`user_id` gives `given` away to `colleague_id`, or to whoever takes it; `returned` is what they take for it."""

    id: UUID
    schedule_id: UUID
    user_id: UUID
    given: Span
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    colleague_id: UUID | None = None
    returned: Span | None = None
    reason: str = ""
    state: SwapState = SwapState.ASKED
    settled_by: UUID | None = None
    settled_at: datetime | None = None
    override_id: UUID | None = None
    return_override_id: UUID | None = None

    def state_at(self, now: datetime) -> SwapState:
        """What it is at the moment."""
        is_late = self.state is SwapState.ASKED and now >= self.expires_at
        return SwapState.EXPIRED if is_late else self.state


class Swaps(Schedules, Protocol):
    """The store of schedules and of swaps, within one transaction."""

    async def add_swap(self, swap: ShiftSwap) -> None:
        """Write a new swap."""
        ...

    async def locked_swap(self, swap_id: UUID) -> ShiftSwap | None:
        """The swap, locked until the transaction ends."""
        ...

    async def save_swap(self, swap: ShiftSwap) -> None:
        """Write what became of it."""
        ...

    async def open_swaps(self, schedule_id: UUID, *, now: datetime) -> int:
        """How many of the schedule wait for an answer."""
        ...

    async def tell(self, swap: ShiftSwap, kind: NotificationKind, people: AbstractSet[UUID]) -> None:
        """Let those of them know who may see the schedule, by their own methods and outside of their quiet hours."""
        ...

    async def tell_if_asked(self, swap: ShiftSwap, kind: NotificationKind, people: AbstractSet[UUID]) -> None:
        """The same, of those to whom the question has gone out."""
        ...

    async def plan(self, schedule_id: UUID, span: Span) -> tuple[Versions, Sequence[Override]]:
        """What decides who is on call over the span."""
        ...


SwapDesk: TypeAlias = Desk[Swaps]


async def request_swap(swap: ShiftSwap, *, desk: SwapDesk) -> ShiftSwap:
    """Ask for it; nothing changes until it is accepted."""
    schedule = await locked_schedule(swap.schedule_id, desk, "scheduleId")
    require_operator(schedule, desk.viewer)
    if swap.user_id != desk.viewer.user_id and not _manages(schedule, desk):
        raise Forbidden("you may give away your own shifts alone; a manager of the team those of others")
    checked = _checked(swap, desk.now)
    people = {swap.user_id} | ({swap.colleague_id} if swap.colleague_id else set())
    missing = set(await desk.stores.missing_people(people))
    if missing:
        raise InvalidInput("no such active person", ("userId" if swap.user_id in missing else "colleagueId",))
    if await desk.stores.open_swaps(schedule.id, now=desk.now) >= MAX_OPEN:
        raise InvalidInput(f"a schedule has at most {MAX_OPEN} swaps that wait for an answer", ("scheduleId",))
    await _check_on_call(checked, desk)
    await desk.stores.add_swap(checked)
    await desk.stores.tell(checked, NotificationKind.SWAP_ASKED, people_asked(checked, schedule))
    await desk.audit(target_id=schedule.id, after=shown_swap(checked))
    return checked


async def accept_swap(swap_id: UUID, *, desk: SwapDesk) -> ShiftSwap:
    """Take the shift over, and give the other's in return: both overrides, or none."""
    schedule, before = await _asked(swap_id, desk)
    taker = before.colleague_id or desk.viewer.user_id
    if taker != desk.viewer.user_id and not _manages(schedule, desk):
        raise Forbidden("this is asked of somebody else")
    if taker == before.user_id:
        raise Forbidden("nobody takes over their own shift: withdraw the swap instead")
    require_operator(schedule, desk.viewer)
    if await desk.stores.missing_people({before.user_id, taker}):
        raise SwapConflict("one of the two may no longer sign in", ("id",))
    before = replace(before, given=Span(max(before.given.starts_at, desk.now), before.given.ends_at))
    if before.given.ends_at <= desk.now:
        raise SwapConflict("that shift is over", ("id",))
    if before.returned is not None and before.returned.starts_at < desk.now:
        raise SwapConflict("what was to be taken in return has begun: ask for another time", ("id",))
    with_taker = replace(before, colleague_id=taker)
    await _check_on_call(with_taker, desk)
    taken = _override(with_taker, taker, before.given, desk)
    await desk.stores.add_override(taken)
    back = None if before.returned is None else _override(with_taker, before.user_id, before.returned, desk)
    if back is not None:
        await desk.stores.add_override(back)
    return await _settled(
        replace(with_taker, override_id=taken.id, return_override_id=None if back is None else back.id),
        SwapState.ACCEPTED,
        desk,
    )


async def decline_swap(swap_id: UUID, *, desk: SwapDesk) -> ShiftSwap:
    """Say no. An offer to everybody is not declined by one of them."""
    schedule, before = await _asked(swap_id, desk)
    if before.colleague_id is None or (before.colleague_id != desk.viewer.user_id and not _manages(schedule, desk)):
        raise Forbidden("this is not asked of you")
    return await _settled(before, SwapState.DECLINED, desk)


async def withdraw_swap(swap_id: UUID, *, desk: SwapDesk) -> ShiftSwap:
    """Take the question back."""
    schedule, before = await _asked(swap_id, desk)
    if desk.viewer.user_id not in {before.user_id, before.created_by} and not _manages(schedule, desk):
        raise Forbidden("only whose shift it is, who asked, or a manager of the team takes it back")
    return await _settled(before, SwapState.WITHDRAWN, desk)


def people_asked(swap: ShiftSwap, schedule: Schedule) -> frozenset[UUID]:
    """Who is asked: the colleague by name; else those who take turns on the schedule. Nobody is asked by themselves."""
    if swap.colleague_id is not None:
        asked = [swap.colleague_id]
    else:
        turns = (one for layer in schedule.layers for one in layer.rotation.participants)
        asked = [one for one in dict.fromkeys(turns) if one != swap.user_id][:MAX_ASKED]
    return frozenset(asked) - {swap.created_by}


def people_concerned(swap: ShiftSwap) -> frozenset[UUID]:
    """Who hears what became of it, whatever they heard before; not whoever settled it."""
    of_it = {swap.user_id, swap.created_by}
    if swap.state is SwapState.ACCEPTED and swap.colleague_id is not None:
        of_it.add(swap.colleague_id)
    return frozenset(of_it) - {swap.settled_by}


def shown_swap(swap: ShiftSwap) -> dict[str, Any]:
    """What the audit log keeps of a swap."""
    return {
        "swapId": str(swap.id),
        "state": swap.state.value,
        "userId": str(swap.user_id),
        "colleagueId": None if swap.colleague_id is None else str(swap.colleague_id),
        "given": _shown_span(swap.given),
        "returned": None if swap.returned is None else _shown_span(swap.returned),
        "overrideIds": [str(one) for one in (swap.override_id, swap.return_override_id) if one is not None],
    }


def _shown_span(span: Span) -> list[str]:
    return [span.starts_at.isoformat(), span.ends_at.isoformat()]


def _checked(swap: ShiftSwap, now: datetime) -> ShiftSwap:
    given = Span(max(swap.given.starts_at, now), swap.given.ends_at)
    _check_span(given, ("endsAt",))
    if swap.returned is not None:
        if swap.colleague_id is None:
            raise InvalidInput("a shift in return is of one colleague: name them", ("colleagueId",))
        if swap.returned.starts_at < now:
            raise InvalidInput("what is taken in return is still to come", ("returnStartsAt",))
        _check_span(swap.returned, ("returnEndsAt",))
        if given.within(swap.returned) is not None:
            raise InvalidInput("the two times do not overlap", ("returnStartsAt",))
    if swap.colleague_id == swap.user_id:
        raise InvalidInput("nobody swaps with themselves", ("colleagueId",))
    if swap.expires_at <= now:
        raise InvalidInput("there must be time to answer", ("expiresAt",))
    reason = checked_optional_text(swap.reason, path=("reason",), limit=MAX_REASON) or ""
    # A shift that is over cannot be taken over.
    return replace(swap, given=given, expires_at=min(swap.expires_at, given.ends_at), reason=reason)


def _check_span(span: Span, path: tuple[str, ...]) -> None:
    check_year(span.ends_at, *path)
    if span.ends_at <= span.starts_at:
        raise InvalidInput("the end must be after the start, and after now", path)
    if span.ends_at - span.starts_at > MAX_OVERRIDE:
        raise InvalidInput(f"a swap is of at most {MAX_OVERRIDE.days} days", path)


async def _check_on_call(swap: ShiftSwap, desk: SwapDesk) -> None:
    """SwapConflict unless each of the two is on call for all of what they give."""
    asked = [(swap.given, swap.user_id, ("startsAt",))]
    if swap.returned is not None and swap.colleague_id is not None:
        asked.append((swap.returned, swap.colleague_id, ("returnStartsAt",)))
    for span, user_id, path in asked:
        versions, overrides = await desk.stores.plan(swap.schedule_id, span)
        check_total(size_of_plan(versions, span))
        final = final_schedule(versions, overrides, span)
        others = [Span(one.starts_at, one.ends_at) for one in final.shifts if one.user_id != user_id]
        missed = sorted([*others, *final.gaps], key=lambda one: one.starts_at)
        if missed:
            message = "they are not on call for all of that time"
            raise SwapConflict(message, path, user_id=user_id, times=missed)


def _override(swap: ShiftSwap, user_id: UUID, span: Span, desk: SwapDesk) -> Override:
    return Override(
        id=new_id(),
        schedule_id=swap.schedule_id,
        user_id=user_id,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        created_at=desk.now,
        created_by=desk.viewer.person_id,
        reason=swap.reason or "a swap of shifts",
    )


async def _asked(swap_id: UUID, desk: SwapDesk) -> tuple[Schedule, ShiftSwap]:
    """The swap and its schedule, locked: the schedule's other changes wait."""
    swap = await desk.stores.locked_swap(swap_id)
    schedule = None if swap is None else await desk.stores.locked(swap.schedule_id, sight=desk.viewer.sight)
    if swap is None or schedule is None:
        raise NotFound(NO_SUCH, ("id",))
    state = swap.state_at(desk.now)
    if state is not SwapState.ASKED:
        raise SwapConflict(f"the swap is {state.value} already", ("id",))
    return schedule, swap


async def _settled(swap: ShiftSwap, state: SwapState, desk: SwapDesk) -> ShiftSwap:
    after = replace(swap, state=state, settled_by=desk.viewer.person_id, settled_at=desk.now)
    await desk.stores.save_swap(after)
    concerned = people_concerned(after)
    await desk.stores.tell(after, NotificationKind.SWAP_SETTLED, concerned)
    if after.colleague_id is not None:
        others = {after.colleague_id} - concerned - {after.settled_by}
        await desk.stores.tell_if_asked(after, NotificationKind.SWAP_SETTLED, others)
    await desk.audit(target_id=after.schedule_id, after=shown_swap(after))
    return after


def expired(swap: ShiftSwap) -> ShiftSwap:
    """One that was not answered in time; nobody settled it."""
    return replace(swap, state=SwapState.EXPIRED, settled_at=swap.expires_at)


def _manages(schedule: Schedule, desk: SwapDesk) -> bool:
    team_role = None if schedule.team_id is None else desk.viewer.role_in(schedule.team_id)
    return may_manage(desk.viewer.role, team_role)
