"""What leaves first? The first page of a problem, by whomever it was decided (N5)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.escalations.model import Notification, NotificationKind
from domain.escalations.urgency import Urgency, urgency_of
from domain.ids import new_id

ONE = Notification(id=new_id(), kind=NotificationKind.PAGE, why="", created_at=datetime(2026, 11, 26, tzinfo=UTC))


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("page", {"position": 0}, Urgency.FIRST_PAGE),
        ("page", {"position": 1}, Urgency.CALL),
        ("page", {"routing_id": new_id()}, Urgency.FIRST_PAGE),
        ("worsened", {"routing_id": new_id()}, Urgency.CALL),
        ("test", {}, Urgency.CALL),
        ("resolved", {}, Urgency.NEWS),
        ("acknowledged", {}, Urgency.NEWS),
        ("flapping", {}, Urgency.NEWS),
    ],
    ids=["first step", "second step", "rule", "worsened", "test", "resolved", "acknowledged", "flapping"],
)
def test_each_has_its_place(kind: str, more: dict[str, Any], expected: Urgency) -> None:
    assert urgency_of([replace(ONE, kind=NotificationKind(kind), **more)]) is expected


def test_a_message_is_as_urgent_as_the_worst_it_carries() -> None:
    news = replace(ONE, kind=NotificationKind.RESOLVED)
    assert urgency_of([news, replace(ONE, position=0), news]) is Urgency.FIRST_PAGE
    assert urgency_of([]) is Urgency.NEWS
