"""Is a member given everything in order, whatever its transport does, and nothing after it was stopped?"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.alerts.cursor import Cursor
from domain.alerts.events import LogPosition
from graphql_api.live.member import Member, Payload, Stop, begun
from tests.waiting import until

EPOCH = UUID(int=7)


def place(number: int) -> Cursor:
    return Cursor(epoch=EPOCH, position=LogPosition(number, 0), recorded_at=datetime(2026, 1, 1, tzinfo=UTC))


def payload(number: int, *, is_last: bool = False) -> Payload:
    return Payload(str(number).encode(), None if is_last else place(number), is_last=is_last)


class Transport:
    """Takes while it is open; otherwise who sends waits."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, result: object) -> None:
        await self.open.wait()
        assert isinstance(result, Payload)
        self.sent.append(result.body.decode())


async def test_one_that_is_ready_is_done_at_once_and_without_a_task() -> None:
    transport = Transport()
    member = Member(transport.send, place(0))
    tasks = asyncio.all_tasks()
    assert member.put(payload(1), most=1)
    assert member.put(payload(2), most=1)
    assert transport.sent == ["1", "2"]
    assert member.told == place(2)
    assert asyncio.all_tasks() == tasks


@pytest.mark.parametrize("is_open", [True, False])
async def test_several_are_sent_in_one_piece_or_else_one_after_the_other(is_open: bool) -> None:
    transport = Transport()
    pieces: list[list[str]] = []

    def at_once(payloads: Sequence[Payload]) -> bool:
        if is_open:
            pieces.append([one.body.decode() for one in payloads])
        return is_open

    member = Member(transport.send, place(0), at_once=at_once)
    assert member.put_all([payload(1), payload(2)], most=1)
    assert member.put_all([payload(2), payload(3)], most=1)  # it has the first
    assert pieces == ([["1", "2"], ["3"]] if is_open else [])
    assert transport.sent == ([] if is_open else ["1", "2", "3"])
    assert (member.seen, member.told) == (place(3), place(3))


async def test_of_several_that_find_no_room_it_takes_what_it_may_in_order() -> None:
    transport = Transport()
    member = Member(transport.send, place(0), at_once=lambda _payloads: False)
    transport.open.clear()
    assert not member.put_all([payload(number) for number in (1, 2, 3, 4)], most=2)
    assert (member.seen, member.waiting) == (place(3), 2)
    transport.open.set()
    await until(lambda: transport.sent == ["1", "2", "3"])
    member.end(Stop.ENDED)
    assert member.put_all([payload(4), payload(5)], most=2)
    assert transport.sent == ["1", "2", "3"]
    await member.close()


async def test_what_it_has_is_not_given_again() -> None:
    transport = Transport()
    member = Member(transport.send, place(3))
    for number in (2, 3, 4, 4, 5):
        assert member.put(payload(number), most=1)
    assert transport.sent == ["4", "5"]


async def test_one_that_waits_gets_the_rest_in_order_and_says_when_it_is_ready() -> None:
    transport = Transport()
    member = Member(transport.send, place(0))
    transport.open.clear()
    for number in (1, 2, 3):
        assert member.put(payload(number), most=2)
    assert not member.put(payload(4), most=2)
    assert (member.seen, member.told) == (place(3), place(0))
    ready: list[int] = []
    member.on_ready = lambda: ready.append(member.waiting)
    transport.open.set()
    await until(lambda: bool(ready))
    assert (transport.sent, ready, member.told) == (["1", "2", "3"], [0], place(3))
    assert member.put(payload(4), most=2)
    assert transport.sent[-1] == "4"


@pytest.mark.parametrize("stop", [Stop.MOVED, Stop.ENDED, Stop.SLOW])
async def test_one_that_is_stopped_is_given_nothing_more_and_knows_what_it_was_told(stop: Stop) -> None:
    transport = Transport()
    member = Member(transport.send, place(0))
    member.put(payload(1), most=9)
    transport.open.clear()
    member.put(payload(2), most=9)
    member.put(payload(3), most=9)
    member.end(stop)
    await member.finished
    await member.close()
    transport.open.set()
    await asyncio.sleep(0)
    member.put(payload(4), most=9)
    assert transport.sent == ["1"]
    assert (member.told, member.stop) == (place(1), stop)


async def test_when_the_group_has_finished_what_waits_is_still_sent() -> None:
    transport = Transport()
    member = Member(transport.send, place(0))
    transport.open.clear()
    member.put(payload(1), most=9)
    member.put(payload(2), most=9)
    member.end(Stop.FINISHED)
    assert not member.finished.done()
    transport.open.set()
    await member.finished
    assert transport.sent == ["1", "2"]


async def test_the_last_word_ends_it() -> None:
    transport = Transport()
    member = Member(transport.send, place(0))
    transport.open.clear()
    member.put(payload(1), most=9)
    member.put(payload(2, is_last=True), most=9)
    member.end(Stop.FINISHED)
    transport.open.set()
    await member.finished
    assert (transport.sent, member.stop) == (["1", "2"], Stop.DONE)


@pytest.mark.parametrize("is_open", [True, False])
async def test_who_went_away_is_an_error_for_who_waits_for_the_end(is_open: bool) -> None:
    transport = Transport()

    async def gone(_result: object) -> None:
        await transport.open.wait()
        raise ConnectionResetError

    member = Member(gone, place(0))
    if not is_open:
        transport.open.clear()
    member.put(payload(1), most=9)
    transport.open.set()
    with pytest.raises(ConnectionResetError):
        await member.finished
    assert member.put(payload(2), most=9)  # and is nobody's trouble
    await member.close()


async def test_one_that_leaves_while_it_waits_leaves_nothing_running() -> None:
    transport = Transport()
    member = Member(transport.send, place(0))
    transport.open.clear()
    member.put(payload(1), most=9)
    waiting = asyncio.create_task(_of(member.finished))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    await member.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert member.put(payload(2), most=9)
    assert transport.sent == []


async def _of(future: asyncio.Future[None]) -> None:
    await future


async def test_a_coroutine_begun_by_hand_ends_as_if_it_had_been_awaited() -> None:
    gate: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    seen: list[object] = []

    async def work() -> None:
        try:
            seen.append(await gate)
            await asyncio.sleep(0)
            seen.append("after")
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    async def at_once() -> None:
        seen.append("at once")

    assert begun(at_once()) is None
    rest = begun(work())
    assert rest is not None
    task = asyncio.ensure_future(_awaited(rest))
    gate.set_result("answer")
    await task
    assert seen == ["at once", "answer", "after"]

    gate = asyncio.get_running_loop().create_future()
    rest = begun(work())
    assert rest is not None
    task = asyncio.ensure_future(_awaited(rest))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen[-1] == "cancelled"


async def _awaited(rest: object) -> None:
    await rest  # type: ignore[misc]
