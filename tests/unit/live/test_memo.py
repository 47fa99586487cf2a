"""Is what was made kept for seconds, within its bounds, and no longer than it may be told?"""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from domain.alerts.events import SYSTEM, AlertEvent, AlertEventKind, LogPosition, RecordedEvent
from domain.alerts.model import AlertStatus, Severity
from graphql_api.live import memo as memos
from graphql_api.live.member import Payload
from graphql_api.live.memo import UNKNOWN, Budget, Memo
from tests.waiting import until

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def recorded(number: int, alert_id: UUID | None = None) -> RecordedEvent:
    event = AlertEvent(
        id=uuid4(),
        alert_id=alert_id or uuid4(),
        kind=AlertEventKind.OPENED,
        occurred_at=NOW,
        actor=SYSTEM,
        version=1,
        severity=Severity.HIGH,
        status=AlertStatus.ACTIVE,
    )
    return RecordedEvent(event=event, position=LogPosition(number, 0), recorded_at=NOW)


def kept(memo: Memo, numbers: range) -> list[int]:
    return [number for number in numbers if memo.find(LogPosition(number, 0)) is not UNKNOWN]


async def test_a_result_and_that_there_was_none_are_both_known() -> None:
    memo = Memo(Budget())
    made = Payload(b"{}", None)
    memo.keep(recorded(1), made)
    memo.keep(recorded(2), None)
    assert memo.find(LogPosition(1, 0)) is made
    assert memo.find(LogPosition(2, 0)) is None
    assert memo.find(LogPosition(3, 0)) is UNKNOWN
    memo.clear()


async def test_the_oldest_go_when_a_group_or_all_groups_hold_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memos, "MOST_BYTES", 10 * (memos.OVERHEAD + 100))
    monkeypatch.setattr(memos, "MOST_BYTES_IN_ALL", 12 * (memos.OVERHEAD + 100))
    budget = Budget()
    one, other = Memo(budget), Memo(budget)
    for number in range(20):
        one.keep(recorded(number), Payload(b"x" * 100, None))
    assert kept(one, range(20)) == list(range(10, 20))
    for number in range(5):
        other.keep(recorded(number), Payload(b"x" * 100, None))
    assert kept(other, range(5)) == [3, 4]
    assert budget.used == 12 * (memos.OVERHEAD + 100)
    one.clear()
    other.clear()
    assert budget.used == 0


async def test_what_is_old_is_neither_told_nor_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memos, "KEPT_SECONDS", 0.05)
    budget = Budget()
    memo = Memo(budget)
    memo.keep(recorded(1), Payload(b"x", None))
    monkeypatch.setattr(memos, "KEPT_SECONDS", 600.0)
    memo.keep(recorded(2), Payload(b"x", None))
    await until(lambda: kept(memo, range(3)) == [2])
    await until(lambda: budget.used == memos.OVERHEAD + 1)
    memo.clear()
    assert budget.used == 0


async def test_an_alert_that_left_is_forgotten_with_all_that_was_said_of_it() -> None:
    memo, gone = Memo(Budget()), uuid4()
    for number in range(6):
        memo.keep(recorded(number, gone if number % 2 else None), Payload(b"x", None))
    memo.forget(gone)
    assert kept(memo, range(6)) == [0, 2, 4]
    memo.clear()


@pytest.mark.parametrize("how", ["all", "one"])
async def test_what_was_being_made_when_others_were_forgotten_is_not_kept(how: str) -> None:
    memo, event = Memo(Budget()), recorded(1)
    began = memo.times_forgotten
    if how == "all":
        memo.clear()
    else:
        memo.forget(event.alert_id)
    memo.keep(event, Payload(b"x", None), since=began)
    assert memo.find(event.position) is UNKNOWN
    memo.keep(event, Payload(b"x", None), since=memo.times_forgotten)
    assert memo.find(event.position) is not UNKNOWN
    memo.clear()
