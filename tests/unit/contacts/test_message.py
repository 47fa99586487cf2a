"""Does a text message fit, and is a reply to it understood? (N2)."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.alerts.model import Severity
from domain.contacts.message import ONE_PART, TWO_PARTS_OTHER, is_gsm, length, plain, reply_of, text_of
from domain.escalations.message import Told
from domain.escalations.model import NotificationKind


def told(title: str, *, kind: NotificationKind = NotificationKind.PAGE, service: str | None = "shop") -> Told:
    return Told(
        kind=kind,
        alert_id=UUID(int=1),
        title=title,
        severity=Severity.CRITICAL,
        service_name=service,
        source="test",
        description=None,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        labels=(),
        why="because",
    )


def test_a_page_says_how_bad_what_and_how_to_answer() -> None:
    assert text_of([told("Payments down")], reply_code="0417") == (
        "CRITICAL: Payments down (shop)\nReply A 0417 to acknowledge, R 0417 to resolve"
    )
    over = told("Payments down", kind=NotificationKind.RESOLVED)
    assert text_of([over], reply_code=None) == "RESOLVED: Payments down (shop)"
    assert text_of([over, told("Disk full")], reply_code="0417").startswith("CRITICAL: Disk full (shop) +1 more\n")


def test_what_looks_alike_stays_one_part() -> None:
    title = "\u201cDisk\u201d \u2013 95 % of /var, naïve café\u2019s… ≥ limit"
    assert plain(title) == '"Disk" - 95 % of /var, naive café\'s... >= limit'
    assert is_gsm(text_of([told(title)], reply_code="0417"))


def test_another_script_stays_as_it_is() -> None:
    text = text_of([told("支払いが停止しました")], reply_code="0417")
    assert "支払いが停止しました" in text
    assert length(text) <= TWO_PARTS_OTHER


def test_places_are_counted_as_the_network_does() -> None:
    assert length("abc€") == 5
    assert length("ж€") == 2
    assert length("😀") == 2


@settings(deadline=None)
@given(
    title=st.text(min_size=1, max_size=400),
    service=st.none() | st.text(max_size=100),
    many=st.integers(1, 500),
)
def test_it_fits_whatever_the_title_and_the_answer_is_whole(title: str, service: str | None, many: int) -> None:
    text = text_of([told(title, service=service)] * many, reply_code="0417")
    assert length(text) <= (ONE_PART if is_gsm(text) else TWO_PARTS_OTHER)
    assert text.endswith("Reply A 0417 to acknowledge, R 0417 to resolve")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("A 4217", ("a", "4217")),
        ("a4217", None),
        (" r  0001. ", ("r", "0001")),
        ("Ack 4217", ("a", "4217")),
        ("RESOLVE: 4217!", ("r", "4217")),
        ("A 421", None),
        ("A 42170", None),
        ("B 4217", None),
        ("STOP", None),
        ("", None),
    ],
)
def test_a_reply_is_read(text: str, meant: tuple[str, str] | None) -> None:
    assert reply_of(text) == meant
