"""Is each row read once for all who look, shown to none who may not see it, and there for who waits for it?"""

import asyncio
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest

from domain.alerts.events import LogPosition, RecordedEvent
from domain.alerts.visibility import EVERYTHING, Sight
from graphql_api.live import alert_memo
from graphql_api.live.alert_memo import AlertMemo, Changes, Row
from graphql_api.live.upcoming import Upcoming
from tests.alert_builder import an_alert
from tests.unit.live.test_memo import recorded

VAULT = uuid4()
OUTSIDE, INSIDE = Sight(), Sight(team_ids=frozenset({VAULT}))


class Reads:
    """The statements, each held until `go` is set; those named in `secret` belong to the vault, `absent` to nobody."""

    def __init__(self) -> None:
        self.statements: list[list[UUID]] = []
        self.go = asyncio.Event()
        self.go.set()
        self.secret: set[UUID] = set()
        self.absent: set[UUID] = set()
        self.failing: list[Exception] = []
        self.versions: dict[UUID, int] = {}

    async def __call__(self, ids: list[UUID]) -> Sequence[Row | None]:
        self.statements.append(ids)
        await self.go.wait()
        if self.failing:
            raise self.failing.pop()
        return [None if one in self.absent else self._row(one) for one in ids]

    def _row(self, one: UUID) -> Row:
        is_secret = one in self.secret
        version = self.versions.get(one, 1)
        return an_alert(id=one, team_id=VAULT if is_secret else None, version=version), is_secret


async def test_one_row_is_asked_what_each_sees_of_it() -> None:
    memo, reads, (open_, secret, absent) = AlertMemo(), Reads(), (recorded(number) for number in range(3))
    reads.secret, reads.absent = {secret.alert_id}, {absent.alert_id}
    events = [open_, secret, absent]
    for sight, seen in (
        (OUTSIDE, [True, False, False]),
        (INSIDE, [True, True, False]),
        (EVERYTHING, [True, True, False]),
    ):
        assert [alert is not None for alert in await memo.alerts(sight, events, reads)] == seen
    assert reads.statements == [[one.alert_id for one in events]]


async def test_the_next_events_are_read_with_the_first() -> None:
    memo, reads, events = AlertMemo(), Reads(), [recorded(number) for number in range(5)]
    upcoming = Upcoming()
    upcoming.begin_page(events[1:])
    for event in events:
        (alert,) = await memo.alerts(OUTSIDE, [event], reads, upcoming=upcoming)
        assert alert is not None
        assert alert.id == event.alert_id
    assert len(reads.statements) == 1


async def test_what_others_push_out_meanwhile_is_still_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_memo, "KEPT", 3)
    memo, reads, events = AlertMemo(), Reads(), [recorded(number) for number in range(9)]
    await memo.alerts(OUTSIDE, events[:2], reads)
    reads.go.clear()
    # Two are known, two are to be read; while that is waited for, others' reads push out all four.
    waiting = asyncio.create_task(memo.alerts(OUTSIDE, events[:4], reads))
    others = asyncio.create_task(memo.alerts(INSIDE, events[4:], reads))
    await asyncio.sleep(0)
    reads.go.set()
    assert [alert.id for alert in await waiting if alert] == [event.alert_id for event in events[:4]]
    assert [alert.id for alert in await others if alert] == [event.alert_id for event in events[4:]]


async def test_a_list_longer_than_what_is_kept_is_answered_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_memo, "KEPT", 3)
    memo, reads, events = AlertMemo(), Reads(), [recorded(number) for number in range(9)]
    for _ in range(2):
        found = await memo.alerts(OUTSIDE, events, reads)
        assert [alert.id for alert in found if alert] == [event.alert_id for event in events]


async def test_a_read_that_failed_is_nobodys_answer_twice() -> None:
    memo, reads, events = AlertMemo(), Reads(), [recorded(number) for number in range(2)]
    reads.failing = [TimeoutError()]
    with pytest.raises(TimeoutError):
        await memo.alerts(OUTSIDE, events, reads)
    assert all(await memo.alerts(OUTSIDE, events, reads))
    assert len(reads.statements) == 2


async def test_one_that_gives_up_takes_no_answer_from_the_others() -> None:
    memo, reads, events = AlertMemo(), Reads(), [recorded(1)]
    reads.go.clear()
    first, second = (asyncio.create_task(memo.alerts(OUTSIDE, events, reads)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    reads.go.set()
    assert all(await second)
    assert len(reads.statements) == 1


async def test_after_sight_changed_all_is_read_anew() -> None:
    memo, reads, events = AlertMemo(), Reads(), [recorded(1)]
    assert all(await memo.alerts(OUTSIDE, events, reads))
    reads.secret = {events[0].alert_id}
    memo.clear()
    assert await memo.alerts(OUTSIDE, events, reads) == [None]


class Later:
    """What changed since, each time for the events it was asked of."""

    def __init__(self) -> None:
        self.asked: list[list[UUID]] = []
        self.failing: list[Exception] = []

    async def __call__(self, events: Sequence[RecordedEvent]) -> Changes:
        self.asked.append([event.alert_id for event in events])
        if self.failing:
            raise self.failing.pop()
        return {event.alert_id: [(LogPosition(number, 0), {"n": number}) for number in range(9)] for event in events}


async def test_what_changed_since_is_read_once_for_all_groups_and_for_what_was_read_together() -> None:
    memo, reads, later, events = AlertMemo(), Reads(), Later(), [recorded(number) for number in range(5)]
    reads.versions = {events[1].alert_id: 7, events[3].alert_id: 2}
    upcoming = Upcoming()
    upcoming.begin_page(events[1:])
    await memo.alerts(EVERYTHING, events[:1], reads, upcoming=upcoming)
    assert later.asked == []
    for number in (1, 3, 1):
        since = await memo.changes_since(events[number], later)
        assert [told["n"] for told in since] == list(range(number + 1, 9))
    assert await memo.changes_since(events[0], later) == []
    assert later.asked == [[events[1].alert_id, events[3].alert_id]]


async def test_what_changed_since_is_asked_again_when_that_failed_and_when_nothing_is_kept() -> None:
    memo, reads, later, (event,) = AlertMemo(), Reads(), Later(), [recorded(1)]
    reads.versions = {event.alert_id: 2}
    await memo.alerts(EVERYTHING, [event], reads)
    later.failing.append(OSError("away"))
    with pytest.raises(OSError, match="away"):
        await memo.changes_since(event, later)
    assert len(await memo.changes_since(event, later)) == 7
    memo.clear()
    assert len(await memo.changes_since(event, later)) == 7
    assert len(later.asked) == 3
