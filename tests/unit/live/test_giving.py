"""Does what was made meanwhile go together, in order, within bounds, and the last word alone?"""

import asyncio

import pytest

from graphql_api.live import giving
from graphql_api.live.giving import MOST_BYTES, Giver
from graphql_api.live.member import Payload
from tests.unit.live.test_member import payload, place
from tests.waiting import until


class Group:
    """Is given to while it is open."""

    def __init__(self, *, most: int = 4) -> None:
        self.given: list[list[str]] = []
        self.failures: list[Exception] = []
        self.is_broken = False
        self.open = asyncio.Event()
        self.open.set()
        self.giver = Giver(self.give, self.failures.append, most=most)

    async def give(self, payloads: list[Payload]) -> None:
        self.given.append([one.body.decode() for one in payloads])
        if self.is_broken:
            raise ConnectionResetError
        await self.open.wait()


async def test_one_is_given_at_once_and_what_comes_meanwhile_goes_together() -> None:
    group = Group()
    group.open.clear()
    await group.giver.put(payload(1))
    await until(lambda: group.given == [["1"]])
    for number in (2, 3, 4):
        await group.giver.put(payload(number))
    group.open.set()
    await group.giver.all_given()
    assert group.given == [["1"], ["2", "3", "4"]]
    await group.giver.put(payload(5))
    await group.giver.all_given()
    assert group.given[2:] == [["5"]]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_comes_in_one_piece_goes_together_from_the_first_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving, "AT_A_TIME_SECONDS", 60)
    group = Group()
    for number in (1, 2, 3):
        await group.giver.put(payload(number))
    await group.giver.all_given()
    assert group.given == [["1", "2", "3"]]


async def test_who_makes_too_much_waits_and_never_are_more_given_together() -> None:
    group = Group(most=2)
    group.open.clear()
    making = asyncio.create_task(_made(group, 7))
    await until(lambda: bool(group.given))
    await asyncio.sleep(0.01)
    assert not making.done()
    group.open.set()
    await making
    await group.giver.all_given()
    assert [one for some in group.given for one in some] == list("1234567")
    assert max(map(len, group.given)) == 2


async def _made(group: Group, number: int) -> None:
    for one in range(1, number + 1):
        await group.giver.put(payload(one))


async def test_no_more_bytes_go_together_than_a_transport_takes() -> None:
    group = Group()
    group.open.clear()
    await group.giver.put(payload(0))
    await until(lambda: bool(group.given))
    for number in (1, 2, 3):
        await group.giver.put(Payload(bytes([48 + number]) * (MOST_BYTES // 2), place(number)))
    group.open.set()
    await group.giver.all_given()
    assert [[one[0] for one in some] for some in group.given] == [["0"], ["1", "2"], ["3"]]


async def test_the_last_word_goes_alone() -> None:
    group = Group()
    group.open.clear()
    await group.giver.put(payload(1))
    await until(lambda: bool(group.given))
    await group.giver.put(payload(2))
    await group.giver.put(payload(3, is_last=True))
    group.open.set()
    await group.giver.all_given()
    assert group.given == [["1"], ["2"], ["3"]]


async def test_after_the_end_nothing_is_given() -> None:
    group = Group()
    group.open.clear()
    await group.giver.put(payload(1))
    await until(lambda: bool(group.given))
    await group.giver.put(payload(2))
    await group.giver.end()
    group.open.set()
    await group.giver.all_given()
    assert group.given == [["1"]]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_failure_is_told() -> None:
    group = Group()
    group.is_broken = True
    await group.giver.put(payload(1))
    await group.giver.all_given()
    assert [type(error) for error in group.failures] == [ConnectionResetError]
