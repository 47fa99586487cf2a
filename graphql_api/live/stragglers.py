"""How do a thousand with a thousand cursors catch up with their group? Together, behind one reader of the log.

The reader begins at the earliest of their places and goes to where the group is; who is behind gets what lies after its
own place. What the group makes meanwhile waits in the reader's tail, and is given last: when the tail is empty, and
nothing is being given by the group, all are moved to it in one step. So nothing is missed and nothing comes twice.

Who is a hundred events behind does not wait for who is a million behind: after a second the reader goes to those it has
not come to yet, and comes back to the others later.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from functools import partial
from typing import TYPE_CHECKING

from domain.alerts.cursor import Cursor
from domain.alerts.events import RecordedEvent
from graphql_api.live.log_tail import PAGE, place_after
from graphql_api.live.member import Member, Payload
from graphql_api.live.memo import UNKNOWN
from graphql_api.live.patience import patiently
from graphql_api.live.upcoming import Upcoming
from graphql_api.live.windows import Cut
from persistence.tasks import end_tasks

if TYPE_CHECKING:
    from graphql_api.live.groups import Group

# One who takes more slowly than the others catch up leaves them, and comes again when it has taken what it has.
MOST_WAITING = 32
# Sends without a break: others want the loop as well.
AT_ONCE = 64
# What a group makes while its stragglers catch up; one more, and they read that from the log, too.
LONGEST_TAIL = 500
# So little is given while the group waits.
SHORT_TAIL = 8
# How long the reader stays with some while others wait.
TURN_SECONDS = 1.0


class Tail:
    """What the group made since `joined_at`."""

    def __init__(self, joined_at: Cursor) -> None:
        self.joined_at = joined_at
        self.payloads: deque[Payload] = deque()
        self.overflowed = False

    def put(self, payload: Payload) -> None:
        """Add a result."""
        if len(self.payloads) >= LONGEST_TAIL:
            self.overflowed = True
            self.payloads.clear()
        elif not self.overflowed:
            self.payloads.append(payload)


class Stragglers:
    """The members of a group that are behind it."""

    def __init__(self, group: "Group") -> None:
        self._group = group
        # The reader did not come to them yet; had its turn with them, and left; is with them or comes to them next.
        self._behind: dict[Member, None] = {}
        self._left: dict[Member, None] = {}
        self._walking: dict[Member, None] = {}
        # All up to here was given to those who walk; all up to there was read.
        self._place: Cursor | None = None
        self._read: Cursor | None = None
        self._turn_ends_at = 0.0
        # The reader came to where the tail begins: it was not stopped before.
        self._has_arrived = False
        self._task: asyncio.Task[None] | None = None

    def add(self, member: Member) -> None:
        """One more."""
        if self._place is not None and not _is_before(member, self._place):
            self._walking[member] = None
        else:
            self._behind[member] = None
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="live stragglers")

    def discard(self, member: Member) -> None:
        """One less."""
        for some in (self._behind, self._left, self._walking):
            some.pop(member, None)

    async def end(self) -> None:
        """Give nothing more."""
        if self._task is not None:
            await end_tasks([self._task])

    async def _run(self) -> None:
        is_for_behind = True
        try:
            while self._behind or self._left:
                # In turns, so that those who keep coming do not keep the others for ever from going on.
                await self._walk(_earliest((is_for_behind and self._behind) or self._left or self._behind))
                is_for_behind = not is_for_behind
        except Exception as error:  # noqa: BLE001 - the members say so to their clients
            self._group.fail(error)
        finally:
            self._task = None

    async def _walk(self, start: Cursor) -> None:
        """From a place to the group's, with all who are there or come in between; or until the turn is over."""
        self._place = self._read = start
        self._turn_ends_at = asyncio.get_running_loop().time() + TURN_SECONDS
        for some in (self._behind, self._left):
            for member in [member for member in some if not _is_before(member, start)]:
                del some[member]
                self._walking[member] = None
        try:
            while self._walking and not await self._came_to_an_end(self._group.new_tail()):
                pass
        except BaseException:
            self._place = None
            raise
        self._leave()

    def _leave(self) -> None:
        """Whoever still walks waits for another turn."""
        place, self._place = self._place, None
        walking, self._walking = self._walking, {}
        for member in walking:
            if place is None or not _is_before(member, place, or_there=True):
                self._behind[member] = None
            else:
                member.pass_to(place)
                self._left[member] = None

    async def _came_to_an_end(self, tail: Tail) -> bool:
        """Give what comes before the tail, then the tail, then hand over; False when it grew too long meanwhile."""
        group = self._group
        try:
            upcoming = Upcoming()
            events = self._events(tail.joined_at, upcoming)
            await group.run_over(events, self._give_new, place=self._place, upcoming=upcoming)
            # All that was read was executed by now, and given if it says anything.
            self._has_come_to(self._read)
            if not self._has_arrived:
                return True
            while len(tail.payloads) > SHORT_TAIL:
                await self._give(tail.payloads.popleft())
            async with group.giving:
                while tail.payloads:
                    await self._give(tail.payloads.popleft())
                if not tail.overflowed:
                    group.members |= self._walking
                    self._walking = {}
            return not tail.overflowed
        finally:
            group.tails.discard(tail)

    @property
    def _is_turn_over(self) -> bool:
        if asyncio.get_running_loop().time() < self._turn_ends_at:
            return False
        place = self._place
        return bool(self._behind or self._left) or any(
            place is not None and not _is_before(member, place, or_there=True) for member in self._walking
        )

    async def _events(self, until: Cursor, upcoming: Upcoming) -> AsyncGenerator[RecordedEvent | Cut, None]:
        """What is still to be made; what was made before is given in between, in its turn."""
        group, place = self._group, self._place
        self._has_arrived = False
        while place is not None and place.position < until.position:
            page = await patiently(partial(group.hub.reader.read_after, place, limit=PAGE))
            upcoming.begin_page(
                event
                for event in page
                if event.position <= until.position and group.memo.find(event.position) is UNKNOWN
            )
            for event in page:
                if event.position > until.position:
                    self._has_arrived = True
                    return
                if not self._walking or self._is_turn_over:
                    return
                if group.cuts and self._has_member_between(place, event):
                    yield Cut()
                known = group.memo.find(event.position)
                if known is UNKNOWN:
                    upcoming.given()
                    # Its result is given before the next event is asked for.
                    yield event
                elif known is not None:
                    await self._group.give_way(await self._give(known))
                place = self._read = place_after(event, place)
                if not group.cuts:
                    self._has_come_to(place)
            if len(page) < PAGE:
                break
        self._has_arrived = True

    def _has_member_between(self, place: Cursor, event: RecordedEvent) -> bool:
        """Whether a list must end here for somebody to begin with the next one."""
        return any(
            member.seen is not None and place.position <= member.seen.position < event.position
            for member in self._walking
        )

    def _has_come_to(self, place: Cursor | None) -> None:
        if self._place is not None and place is not None and place.position > self._place.position:
            self._place = place

    async def _give_new(self, payload: Payload) -> None:
        await self._group.give_way(payload.made_in + await self._give(payload))

    async def _give(self, payload: Payload) -> float:
        """How many seconds of work it was: not those in which others ran."""
        time, worked = asyncio.get_running_loop().time, 0.0
        began = time()
        # At once, before the first wait: who comes while it is given, from before it, must not join these.
        if payload.at is not None:
            self._has_come_to(payload.at)
        for number, member in enumerate(list(self._walking), 1):
            if payload.cuts(member.seen) or not member.put(payload, most=MOST_WAITING):
                self._set_back(member)
            if number % AT_ONCE == 0:
                worked += time() - began
                await asyncio.sleep(0)
                began = time()
        worked += time() - began
        await asyncio.sleep(0)
        return worked

    def _set_back(self, member: Member) -> None:
        """It goes with another walk, from its own place; one that is slow, when it has taken what waits for it."""
        if self._walking.pop(member, False) is False:
            return
        if member.waiting:
            member.on_ready = partial(self._group.place_member, member)
        else:
            self._behind[member] = None


def _is_before(member: Member, place: Cursor, *, or_there: bool = False) -> bool:
    if member.seen is None:
        return False
    return member.seen.position < place.position or (or_there and member.seen.position == place.position)


def _earliest(members: Iterable[Member]) -> Cursor:
    return min((member.seen for member in members if member.seen), key=lambda place: place.position)
