"""How is a subscription followed to its end? In a group where it may share, else by a run of its own."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from strawberry import Schema
from strawberry.types.execution import ExecutionResult
from strawberry.utils.aio import aclosing

from domain.alerts.cursor import StreamReset, StreamResetReason
from graphql_api.context import Context
from graphql_api.graphql_request import GraphQLRequest
from graphql_api.limits import Documents
from graphql_api.live.alert_memo import AlertMemo
from graphql_api.live.course import Course
from graphql_api.live.groups import Group, Key
from graphql_api.live.member import MOST_WAITING, Member, Payload, Send, SendAtOnce, Stop
from graphql_api.live.memo import Budget
from graphql_api.live.pace import Pace
from graphql_api.live.sharing import Permissions, shape_of
from persistence.tasks import end_tasks


class Live:
    """The subscriptions of this process, in groups."""

    def __init__(
        self,
        schema: Schema,
        documents: Documents,
        encoded: Callable[[ExecutionResult], bytes],
        *,
        most_waiting: int = MOST_WAITING,
        pace: Pace | None = None,
    ) -> None:
        self.pace = pace
        self._schema, self._documents = schema, documents
        self.encoded = encoded
        self.alerts = AlertMemo()
        self.memory = Budget()
        self.most_waiting = most_waiting
        self._groups: dict[Key, Group] = {}

    async def follow(
        self, asked: GraphQLRequest, context: Context, send: Send, *, at_once: SendAtOnce | None = None
    ) -> None:
        """Send the results of a subscription, its own ones and those it shares, until there are no more."""
        hub, sessions, viewer = context.state.hub, context.state.sessions, context.viewer
        shape = shape_of(asked, self._documents, self._schema._schema)  # noqa: SLF001 - no public way
        if shape is None or hub is None or sessions is None or viewer is None:
            context.course = Course()
            await self._send_own(asked, context, send)
            return
        await hub.ready()
        with sessions.watching(viewer) as watched:
            context.course = course = Course(only_asks=True)
            await self._send_own(asked, context, send)
            if not course.has_answered:
                return
            # What was loaded is not needed again, and there are thousands who follow.
            context.renew()
            context.course = None
            place, stop = course.place, Stop.MOVED
            with hub.counting_one():
                while stop is Stop.MOVED:
                    member = Member(send, place, at_once=at_once)
                    key = Key(shape, Permissions.of(watched.viewer))
                    stop = await self._group(key, asked, context).take_in(member, watched)
                    place = member.told
            if stop is Stop.FINISHED:
                message = "the group's run has failed"
                raise RuntimeError(message)
            if stop is not Stop.DONE:
                context.viewer = watched.viewer
                context.course = Course(is_over=True)
                if stop is Stop.SLOW and place is not None:
                    reset = StreamReset(reason=StreamResetReason.SLOW_CONSUMER, resume_after=place)
                    context.course = Course(reset=reset)
                await self._send_own(asked, context, send)

    async def results(self, asked: GraphQLRequest, context: Context) -> AsyncGenerator[ExecutionResult | Payload, None]:
        """The same for a transport that asks for each: one waits for it at most, beside what waits in the group."""
        ready: asyncio.Queue[ExecutionResult | Payload | None] = asyncio.Queue(1)

        def end(_task: object) -> None:
            if ready.empty():
                ready.put_nowait(None)

        following = asyncio.create_task(self.follow(asked, context, ready.put), name="live follower")
        following.add_done_callback(end)
        try:
            while not (following.done() and ready.empty()):
                item = await ready.get()
                if item is None:
                    break
                yield item
            await following
        finally:
            await end_tasks([following])

    async def _send_own(self, asked: GraphQLRequest, context: Context, send: Send) -> None:
        async with aclosing(self.executed(asked, context)) as own:
            async for result in own:
                await send(result)

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
            known = self._groups[key] = Group(self, key, asked, context)
        return known

    def forget(self, group: Group) -> None:
        """No more members for this group."""
        if self._groups.get(group.key) is group:
            del self._groups[group.key]


def _met_outage(result: ExecutionResult) -> bool:
    return any((error.extensions or {}).get("code") == "OVERLOADED" for error in result.errors or ())
