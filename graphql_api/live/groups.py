"""How do thousands follow at the price of one? A document is run once an event for all who may share it.

Subscribers of one shape and the same permissions are a group. Each first runs the document by itself, from its own
cursor up to where the group was when it joined; from there on it takes what the group's one run makes: the same bytes
for all. What waits for a member is bounded, so one that does not take costs the others nothing.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cached_property
from typing import TYPE_CHECKING

import orjson
import structlog
from strawberry import Schema
from strawberry.types.execution import ExecutionResult
from strawberry.utils.aio import aclosing

from domain.alerts.cursor import Cursor, StreamReset, StreamResetReason
from domain.ids import new_id
from graphql_api.context import Context
from graphql_api.graphql_request import GraphQLRequest
from graphql_api.limits import Documents
from graphql_api.live.alert_memo import AlertMemo
from graphql_api.live.course import Course
from graphql_api.live.sharing import Permissions, Shape, shape_of
from persistence.tasks import end_tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from graphql_api.live.hub import Hub
    from graphql_api.live.sessions import Watched

_log = structlog.get_logger(__name__)
# Results that wait for one member. They are the same bytes for all, so a member costs a reference each.
MOST_WAITING = 1000


class Payload:
    """One result as JSON, made once. `at` is its event's place; None for the last of a stream."""

    def __init__(self, body: bytes, at: Cursor | None) -> None:
        self.body, self.at = body, at

    @cached_property
    def text(self) -> str:
        """The same as text, for WebSockets."""
        return self.body.decode()


class Stop(Enum):
    """Why a member takes no more from its group. DONE: it has all that there is to say."""

    DONE = auto()
    FINISHED = auto()
    MOVED = auto()
    ENDED = auto()
    SLOW = auto()


class Member:
    """One subscriber of a group. `joined_at` is where the group was then: all that comes later waits here."""

    __slots__ = ("_most", "_waiter", "_waiting", "joined_at", "stop")

    def __init__(self, joined_at: Cursor, most: int) -> None:
        self.joined_at = joined_at
        self.stop: Stop | None = None
        self._most = most
        self._waiting: deque[Payload] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def put(self, payload: Payload) -> None:
        """Add a result; one too many stops the member, and the log has what it held."""
        if self.stop is not None:
            return
        if len(self._waiting) >= self._most:
            self.end(Stop.SLOW)
        else:
            self._waiting.append(payload)
            self._wake()

    def end(self, stop: Stop) -> None:
        """Take no more. What waits still counts when the group finished, and not for any other reason."""
        if self.stop is None:
            self.stop = stop
            if stop is not Stop.FINISHED:
                self._waiting.clear()
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def take(self) -> Payload | None:
        """The next result; None when there will be none, and `stop` says why."""
        while not self._waiting:
            if self.stop is not None:
                return None
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._waiting.popleft()


@dataclass(frozen=True, slots=True)
class Key:
    """What the members of a group have in common."""

    shape: Shape
    permissions: Permissions


class Group:
    """The one run for all its members."""

    def __init__(self, live: "Live", key: Key, asked: GraphQLRequest, context: Context) -> None:
        hub: Hub = context.state.hub  # type: ignore[assignment] # whoever makes a group has looked
        self.key = key
        self.members: set[Member] = set()
        self._live, self._asked = live, asked
        self._course = Course(feed=hub.follow_on(hub.place), place=hub.place, alerts=live.alerts)
        self._context = Context(
            state=context.state, viewer=key.permissions.anybody(), request_id=str(new_id()), course=self._course
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def place(self) -> Cursor:
        """All up to here was given to the members of then."""
        assert self._course.place is not None  # noqa: S101 - for the type checker: it has one from the start
        return self._course.place

    def join(self, most: int) -> Member:
        """A new member."""
        member = Member(self.place, most)
        self.members.add(member)
        return member

    def start(self) -> None:
        """Run, unless it does. Not before a member has run the document by itself: then it is known to be sound."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="live group")

    async def leave(self, member: Member) -> None:
        """One member less; without any the run ends."""
        self.members.discard(member)
        if not self.members:
            self._live.forget(self)
            if self._task is not None:
                await end_tasks([self._task])

    async def _run(self) -> None:
        try:
            async with aclosing(self._live.executed(self._asked, self._context)) as results:
                async for result in results:
                    self._give(result)
        except Exception as error:  # noqa: BLE001 - its members say so to their clients
            _log.error("a group of live streams failed", exc_info=error)
        finally:
            self._live.forget(self)
            for member in self.members:
                member.end(Stop.FINISHED)

    def _give(self, result: ExecutionResult) -> None:
        payload = Payload(self._live.encoded(result), self._course.settled)
        for member in self.members:
            member.put(payload)


class Live:
    """The subscriptions of this process, in groups."""

    def __init__(
        self,
        schema: Schema,
        documents: Documents,
        encoded: "Callable[[ExecutionResult], bytes]",
        *,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._schema, self._documents = schema, documents
        self.encoded = encoded
        self.alerts = AlertMemo()
        self._most_waiting = most_waiting
        self._groups: dict[Key, Group] = {}

    async def results(self, asked: GraphQLRequest, context: Context) -> AsyncGenerator[ExecutionResult | Payload, None]:
        """The results of a subscription: its own ones, and those it shares."""
        hub, sessions, viewer = context.state.hub, context.state.sessions, context.viewer
        shape = shape_of(asked, self._documents, self._schema._schema)  # noqa: SLF001 - no public way
        if shape is None or hub is None or sessions is None or viewer is None:
            context.course = Course()
            async with aclosing(self.executed(asked, context)) as own:
                async for result in own:
                    yield result
            return
        await hub.ready()
        with sessions.watching(viewer) as watched:
            async with aclosing(self._shared(asked, context, shape, watched)) as items:
                async for item in items:
                    yield item

    async def _shared(
        self, asked: GraphQLRequest, context: Context, shape: Shape, watched: "Watched"
    ) -> AsyncGenerator[ExecutionResult | Payload, None]:
        course = Course()
        stop: Stop | None = Stop.MOVED
        while stop is Stop.MOVED:
            context.viewer = watched.viewer
            group = self._group(Key(shape, Permissions.of(watched.viewer)), asked, context)
            member = group.join(self._most_waiting)
            try:
                course = context.course = Course(after=course.place, until=member.joined_at)
                with _looking(watched, group, member):
                    async with aclosing(self._as_member(group, member, asked, context)) as results:
                        async for result in results:
                            yield result
            finally:
                await group.leave(member)
            stop = member.stop
        if stop in (Stop.SLOW, Stop.ENDED):
            context.course = _last_word(stop, course)
            async with aclosing(self.executed(asked, context)) as own:
                async for last in own:
                    yield last
        elif stop is Stop.FINISHED:
            message = "the group's run has failed"
            raise RuntimeError(message)

    async def _as_member(
        self, group: Group, member: Member, asked: GraphQLRequest, context: Context
    ) -> AsyncGenerator[ExecutionResult | Payload, None]:
        """What comes before the member joined, by a run of its own; then what the group makes and it has not seen."""
        course, hub = context.course, context.state.hub
        assert course is not None and hub is not None  # noqa: S101, PT018 - for the type checker
        async with aclosing(self.executed(asked, context)) as own:
            async for result in own:
                yield result
        if not course.has_arrived:
            member.stop = Stop.DONE
            return
        # What its own run has loaded is not needed again, and there are thousands of members.
        context.renew()
        group.start()
        with hub.counting_one():
            while (payload := await member.take()) is not None:
                if payload.at is None:
                    member.stop = Stop.DONE
                elif course.place is not None and payload.at.position <= course.place.position:
                    continue
                else:
                    course.place = payload.at
                yield payload
                if member.stop is Stop.DONE:
                    return

    async def executed(self, asked: GraphQLRequest, context: Context) -> AsyncGenerator[ExecutionResult, None]:
        """The results of one run. An event that met an outage is executed again until the database is back."""
        course = context.course
        source = await self._schema.stream(
            asked.query,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
        )
        async with aclosing(source):
            async for result in source:
                if not isinstance(result, ExecutionResult):  # never: incremental delivery is off
                    continue
                if course is not None:
                    if course.at is not None and _met_outage(result):
                        course.again = True
                        continue
                    course.settle()
                yield result

    def _group(self, key: Key, asked: GraphQLRequest, context: Context) -> Group:
        known = self._groups.get(key)
        if known is None:
            common = replace(asked, variables=orjson.loads(key.shape.variables))
            known = self._groups[key] = Group(self, key, common, context)
        return known

    def forget(self, group: Group) -> None:
        """No more members for this group."""
        if self._groups.get(group.key) is group:
            del self._groups[group.key]


@contextmanager
def _looking(watched: "Watched", group: Group, member: Member) -> Iterator[None]:
    """While it lasts, a session that ends or may see something else takes the member out at once."""

    def look() -> None:
        if watched.ended.is_set():
            member.end(Stop.ENDED)
        elif Permissions.of(watched.viewer) != group.key.permissions:
            member.end(Stop.MOVED)

    watched.listeners.add(look)
    look()
    try:
        yield
    finally:
        watched.listeners.discard(look)


def _last_word(stop: Stop, course: Course) -> Course:
    if stop is Stop.SLOW and course.place is not None:
        return Course(reset=StreamReset(reason=StreamResetReason.SLOW_CONSUMER, resume_after=course.place))
    return Course(is_over=True)


def _met_outage(result: ExecutionResult) -> bool:
    return any((error.extensions or {}).get("code") == "OVERLOADED" for error in result.errors or ())
