"""How does one of many get what was made for all? At once where its transport takes it, else when it does, in order.

Who sends to a thousand sends at once what a transport takes at once, and else begins each send by hand. One whose
transport is ready is done with it before the next begins: no task is woken, nothing is queued. The rest of one that has
to wait goes into a task of its own, and what comes for it meanwhile waits in a bounded queue: so one that does not take
costs the others nothing.
"""

import asyncio
import types
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from enum import Enum, auto
from functools import cached_property, partial
from typing import Any, TypeAlias

from strawberry.types.execution import ExecutionResult

from domain.alerts.cursor import Cursor
from persistence.tasks import end_tasks

# Results that wait for one member. They are the same bytes for all, so a member costs a reference each.
MOST_WAITING = 1000


class Payload:
    """One result as JSON, made once.

    `at` is the place it reaches to, where it tells of events. `begins` is that of the first, where it holds several:
    it is not for who has some of them and not all. `is_last`: nothing comes after it. `made_in`: seconds it took.
    """

    def __init__(self, body: bytes, at: Cursor | None, *, begins: Cursor | None = None, is_last: bool = False) -> None:
        self.body, self.at, self.begins, self.is_last = body, at, begins, is_last
        self.made_in = 0.0

    @cached_property
    def closed(self) -> bytes:
        """The same as the end of a message that it is the payload of."""
        return self.body + b"}"

    def cuts(self, place: Cursor | None) -> bool:
        """Whether somebody at this place has some of its events, and not all."""
        if self.begins is None or self.at is None or place is None:
            return False
        return self.begins.position <= place.position < self.at.position


Send: TypeAlias = Callable[[ExecutionResult | Payload], Coroutine[Any, Any, None]]
# Sends all of it if it can without a wait; False when it cannot, and each has to be sent by `Send`.
SendAtOnce: TypeAlias = Callable[[Sequence[Payload]], bool]


class Stop(Enum):
    """Why a member takes no more from its group. DONE: it has all that there is to say."""

    DONE = auto()
    FINISHED = auto()
    MOVED = auto()
    ENDED = auto()
    SLOW = auto()


_AT_ONCE = frozenset({Stop.MOVED, Stop.ENDED, Stop.SLOW})


class Member:
    """One subscriber. All up to `told` was sent to it; all up to `seen` was sent or waits."""

    __slots__ = ("_at_once", "_blocked", "_send", "_waiting", "finished", "on_ready", "seen", "stop", "told")

    def __init__(self, send: Send, place: Cursor | None, *, at_once: SendAtOnce | None = None) -> None:
        self._send, self._at_once = send, at_once
        self._waiting: deque[Payload] | None = None  # made when it is needed: an empty one is most of a member
        self._blocked: asyncio.Task[None] | None = None
        self.told = self.seen = place
        self.stop: Stop | None = None
        # Done when `stop` is final; an error is what `send` raised.
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Called once, when all that waited was sent.
        self.on_ready: Callable[[], None] | None = None

    @property
    def waiting(self) -> int:
        """How many results wait for it."""
        return len(self._waiting or ())

    def put(self, payload: Payload, *, most: int) -> bool:
        """Send a result, or let it wait; False when as many wait as may, and this one is not among them."""
        if self.stop is not None or self._has(payload):
            return True
        if self._blocked is None:
            self.seen = payload.at or self.seen
            if self._at_once is not None and self._at_once((payload,)):
                self._was_sent(payload)
            else:
                self._begin(payload)
            return True
        if self._waiting is None:
            self._waiting = deque()
        if len(self._waiting) >= most:
            return False
        self.seen = payload.at or self.seen
        self._waiting.append(payload)
        return True

    def put_all(self, payloads: Sequence[Payload], *, most: int) -> bool:
        """The same for several; in one piece where they can be sent at once."""
        is_free = self.stop is None and self._blocked is None and not self._has(payloads[0])
        if is_free and self._at_once is not None and self._at_once(payloads):
            self.seen = payloads[-1].at or self.seen
            self._was_sent(payloads[-1])
            return True
        return all(self.put(payload, most=most) for payload in payloads)

    def _has(self, payload: Payload) -> bool:
        return payload.at is not None and self.seen is not None and payload.at.position <= self.seen.position

    def pass_to(self, place: Cursor) -> None:
        """All up to there was looked at for it; what was not put says nothing to it."""
        if self.seen is None or self.seen.position < place.position:
            self.seen = place
            if self._blocked is None:
                self.told = place

    def _begin(self, payload: Payload) -> None:
        try:
            rest = begun(self._send(payload))
        except Exception as error:  # noqa: BLE001 - it is told to who waits for the end
            self._fail(error)
            return
        if rest is None:
            self._was_sent(payload)
        else:
            self._blocked = asyncio.create_task(self._go_on(rest, payload), name="a slow subscriber")

    async def _go_on(self, rest: Awaitable[None], payload: Payload) -> None:
        """Send what could not be sent at once, and what has come for it since."""
        try:
            await rest
            self._was_sent(payload)
            while self._waiting:
                payload = self._waiting.popleft()
                await self._send(payload)
                self._was_sent(payload)
        except Exception as error:  # noqa: BLE001 - it is told to who waits for the end
            self._fail(error)
        finally:
            self._blocked = None
        self._waiting = None
        if self.stop is Stop.FINISHED:
            self._finish()
        ready, self.on_ready = self.on_ready, None
        if ready is not None and self.stop is None:
            ready()

    def _was_sent(self, payload: Payload) -> None:
        self.told = payload.at or self.told
        if payload.is_last:
            self.end(Stop.DONE)

    def end(self, stop: Stop) -> None:
        """Take no more. What waits still counts when the group finished, and not for any other reason."""
        if self.stop not in {None, Stop.FINISHED} or self.finished.done():
            return
        self.stop = stop
        if stop in _AT_ONCE:
            self._waiting = None
            if self._blocked is not None:
                # Not begun to be written, or it would not wait: so it was not told.
                self._blocked.cancel()
        if stop is not Stop.FINISHED or self._blocked is None:
            self._finish()

    def _finish(self) -> None:
        if not self.finished.done():
            self.finished.set_result(None)

    def _fail(self, error: Exception) -> None:
        self.stop = self.stop or Stop.DONE
        self._waiting = None
        if not self.finished.done():
            self.finished.set_exception(error)

    async def close(self) -> None:
        """Nothing is sent for it when this returns."""
        self.stop = self.stop or Stop.MOVED
        self._waiting = None
        if self._blocked is not None:
            await end_tasks([self._blocked])
        if self.finished.done() and not self.finished.cancelled():
            # Whoever was cancelled meanwhile does not ask any more.
            self.finished.exception()


def begun(work: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Run a coroutine up to where it waits for something. None when it is done; else what is left of it, to await."""
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return _rest(work, waits_for)


@types.coroutine
def _rest(work: Coroutine[Any, Any, None], waits_for: object) -> Generator[object, Any, None]:
    """Hand on what the coroutine waits for, and what it is answered with: as `await` does from the beginning."""
    while True:
        try:
            step = partial(work.send, (yield waits_for))
        except BaseException as error:  # noqa: BLE001 - a cancellation, too, is for the coroutine to see
            step = partial(work.throw, error)
        try:
            waits_for = step()
        except StopIteration:
            return
