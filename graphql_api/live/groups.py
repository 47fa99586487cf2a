"""How do thousands follow at the price of one? A document is run once an event for all who may share it.

Subscribers of one shape and the same permissions are a group, which has one run and one JSON for all its members. Who
comes from an earlier place catches up together with the others who do: see stragglers.py. What waits for a member is
bounded, so one that does not take costs the others nothing: see member.py.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson
import structlog

from domain.alerts.cursor import Cursor, StreamReset, StreamResetReason
from domain.alerts.events import RecordedEvent
from domain.alerts.passing import team_left
from domain.ids import new_id
from graphql_api.context import Context
from graphql_api.graphql_request import GraphQLRequest
from graphql_api.live.course import Course, Item
from graphql_api.live.giving import MOST_TOGETHER, Giver
from graphql_api.live.member import Member, Payload, Stop
from graphql_api.live.memo import Memo
from graphql_api.live.sharing import Follows, Permissions, Shape
from graphql_api.live.stragglers import AT_ONCE, Stragglers, Tail
from graphql_api.live.upcoming import Upcoming
from graphql_api.live.windows import Cut
from persistence.tasks import end_tasks

if TYPE_CHECKING:
    from graphql_api.live.following import Live
    from graphql_api.live.hub import Hub
    from graphql_api.live.sessions import Watched

_log = structlog.get_logger(__name__)
Give = Callable[[Payload], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Key:
    """What the members of a group have in common."""

    shape: Shape
    permissions: Permissions


class Group:
    """The one run for all its members. `members` are those that are where it is."""

    def __init__(self, live: "Live", key: Key, asked: GraphQLRequest, context: Context) -> None:
        hub: Hub = context.state.hub  # type: ignore[assignment] # whoever makes a group has looked
        self.key, self.hub = key, hub
        self.members: dict[Member, None] = {}
        self.tails: set[Tail] = set()
        # Held while a result is given, and while stragglers become members.
        self.giving = asyncio.Lock()
        self.memo = Memo(live.memory)
        hub.sight_listeners |= {self.memo.clear, live.alerts.clear}
        self._live, self._state = live, context.state
        self._asked = replace(asked, variables=orjson.loads(key.shape.variables))
        self._place = hub.place
        self._all: set[Member] = set()
        self._stragglers = Stragglers(self)
        # What the members see now, where each result is the whole.
        self._newest: Payload | None = None
        self._last: Payload | None = None
        # The last word is that who was where the run is has to begin anew.
        self._is_overtaken = False
        self._task: asyncio.Task[None] | None = None
        most = MOST_TOGETHER if key.shape.follows is Follows.EVENTS else 1
        self._giver = Giver(self._give, self.fail, most=most)
        # Seconds of making and giving that the run did not rest for yet.
        self._worked = 0.0

    @property
    def cuts(self) -> bool:
        """Whether a result holds several events, so that it fits only who has all that comes before them."""
        return self.key.shape.follows is Follows.BATCHES

    # -- members ---------------------------------------------------------------------------------------------------

    async def take_in(self, member: Member, watched: "Watched") -> Stop:
        """Give to the member until it stops; a session that ends or may see something else takes it out at once."""

        def look() -> None:
            if watched.ended.is_set():
                member.end(Stop.ENDED)
            elif Permissions.of(watched.viewer) != self.key.permissions:
                member.end(Stop.MOVED)

        self._all.add(member)
        watched.listeners.add(look)
        try:
            look()
            self.place_member(member)
            await member.finished
        finally:
            watched.listeners.discard(look)
            await self._leave(member)
        return member.stop or Stop.FINISHED

    def place_member(self, member: Member) -> None:
        """Where it belongs: with those who are where the group is, or with those who catch up."""
        if member.stop is not None or member not in self._all:
            return
        if self._last is not None:
            member.put(self._last, most=self._live.most_waiting)
        elif member.seen is None or member.seen.position >= self._place.position:
            self.members[member] = None
            if self._newest is not None:
                member.put(self._newest, most=self._live.most_waiting)
        else:
            self._stragglers.add(member)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="live group")

    async def _leave(self, member: Member) -> None:
        """One member less; without any the run ends."""
        self._all.discard(member)
        self.members.pop(member, None)
        self._stragglers.discard(member)
        if not self._all:
            self._live.forget(self)
            if self._task is not None:
                await end_tasks([self._task])
            await self._giver.end()
            await self._stragglers.end()
            self.hub.sight_listeners.discard(self.memo.clear)
            self.memo.clear()
        await member.close()

    def fail(self, error: Exception) -> None:
        """A run has failed; who takes part in it says so to their clients."""
        _log.error("a group of live streams failed", exc_info=error)
        self._finish()

    def _finish(self) -> None:
        self._live.forget(self)
        for member in self._all:
            member.end(Stop.FINISHED)

    # -- what they are given ---------------------------------------------------------------------------------------

    def new_tail(self) -> Tail:
        """What is made from here on, for who comes after."""
        tail = Tail(self._place)
        self.tails.add(tail)
        return tail

    async def run_over(
        self, events: AsyncGenerator[Item | Cut, None], give: Give, *, place: Cursor | None, upcoming: Upcoming
    ) -> None:
        """Run the document over events; what they make is given, and kept for who comes later."""
        course = Course(is_shared=True, place=place, alerts=self._live.alerts, upcoming=upcoming)
        async with aclosing(self._noted(events, course)) as course.feed:
            await self._execute(course, give)

    async def _execute(self, course: Course, give: Give) -> None:
        context = Context(
            state=self._state, viewer=self.key.permissions.anybody(), request_id=str(new_id()), course=course
        )

        async def tell(body: bytes) -> None:
            course.settle()
            await self._hand_on(body, course, give)

        course.tell = tell
        async with aclosing(self._live.executed(self._asked, context)) as results:
            async for result in results:
                await self._hand_on(self._live.encoded(result), course, give)

    async def _hand_on(self, body: bytes, course: Course, give: Give) -> None:
        payload = self._payload(body, course)
        # Of its own work: what the giving takes is added by who gives.
        if course.began is not None:
            payload.made_in = asyncio.get_running_loop().time() - course.began
            course.began = None
        await give(payload)

    async def give_way(self, worked: float) -> None:
        """While a storm is taken in, what is told of it takes a part of the process's time alone."""
        if self._live.pace is not None and worked:
            await self._live.pace.give_way(worked)

    def _payload(self, body: bytes, course: Course) -> Payload:
        is_last = course.settled is None and self.key.shape.follows is not Follows.COUNTS
        payload = Payload(body, course.settled, begins=course.begins if self.cuts else None, is_last=is_last)
        if course.noting is not None and not is_last:
            self.memo.keep(course.noting, payload, since=course.noting_since)
            course.noting = None
        return payload

    async def _noted(
        self, events: AsyncGenerator[Item | Cut, None], course: Course
    ) -> AsyncGenerator[Item | Cut, None]:
        """The events; of one that made nothing, that is noted when the next is asked for."""
        silent = 0
        async with aclosing(events):
            async for item in events:
                # What goes in lists says itself when its making began: the next event may come meanwhile.
                if isinstance(item, RecordedEvent) and not self.cuts:
                    course.began = asyncio.get_running_loop().time()
                    course.noting, course.noting_since = item, self.memo.times_forgotten
                yield item
                if course.noting is not None:
                    self.memo.keep(course.noting, None, since=course.noting_since)
                    course.noting = None
                    silent += 1
                    if silent % AT_ONCE == 0:
                        # They may need no wait at all, and nothing is given that would make one.
                        await asyncio.sleep(0)

    async def _run(self) -> None:
        try:
            if self.key.shape.follows is Follows.COUNTS:
                await self._execute(Course(is_shared=True), self._giver.put)
            else:
                upcoming = Upcoming(made=self._giver.made)
                await self.run_over(self._new_events(upcoming), self._put, place=self._place, upcoming=upcoming)
            await self._giver.all_given()
        except Exception as error:  # noqa: BLE001 - its members say so to their clients
            await self._giver.all_given()
            self.fail(error)
        finally:
            self._finish()

    async def _new_events(self, upcoming: Upcoming) -> AsyncGenerator[Item | Cut, None]:
        async with aclosing(self.hub.follow_on(self._place, upcoming=upcoming)) as events:
            async for item in events:
                if isinstance(item, RecordedEvent) and team_left(item.event) is not None:
                    self.memo.forget(item.event.alert_id)
                    self._live.alerts.clear()
                self._is_overtaken = isinstance(item, StreamReset) and item.reason is StreamResetReason.OVERTAKEN
                yield item

    async def _put(self, payload: Payload) -> None:
        """Let it be given, and give way: nothing is made meanwhile that nobody may see any more when it is given."""
        await self._giver.put(payload)
        worked, self._worked = self._worked, 0.0
        await self.give_way(worked)

    async def _give(self, payloads: list[Payload]) -> None:
        """Who joins from here on has it from the log, or is where it is. The last word comes alone."""
        began, (*_, last) = asyncio.get_running_loop().time(), payloads
        if last.at is not None:
            self._place = last.at
        async with self.giving:
            if last.is_last:
                await self._begin_the_end(last)
            elif last.at is None:
                self._newest = last
            for tail in self.tails:
                for payload in payloads:
                    tail.put(payload)
            for number, member in enumerate(list(self._all if last.is_last else self.members), 1):
                if last.cuts(member.seen):
                    self.members.pop(member, None)
                    self._stragglers.add(member)
                elif not member.put_all(payloads, most=self._live.most_waiting):
                    member.end(Stop.SLOW)
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0)
        self._worked += asyncio.get_running_loop().time() - began + sum(payload.made_in for payload in payloads)

    async def _begin_the_end(self, last: Payload) -> None:
        """It is for all; but overtaken is only who was there. Who catches up goes on in the next group."""
        self._last = last
        # At once: who comes back now, while others still take it, must not hear it again.
        self._live.forget(self)
        if self._is_overtaken:
            for member in [member for member in self._all if member not in self.members]:
                member.end(Stop.MOVED)
        await self._stragglers.end()
