"""Does a cursor survive as text, is a forged one refused, and are the reasons for a reset the right ones?"""

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.cursor import (
    MAX_NUMBER,
    Cursor,
    LogState,
    StreamResetReason,
    decode_cursor,
    encode_cursor,
    log_start,
    why_reset,
)
from domain.alerts.events import LogPosition
from domain.errors import InvalidInput

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EPOCH = UUID("5b1f6c1e-0000-4000-8000-0000000000aa")
WINDOW = timedelta(days=7)
numbers = st.integers(min_value=0, max_value=MAX_NUMBER)
times = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis wants them naive


def log_state(*, next_xid: int = 1000) -> LogState:
    head = Cursor(epoch=EPOCH, position=LogPosition(next_xid - 1, MAX_NUMBER), recorded_at=NOW)
    return LogState(head=head, next_xid=next_xid, now=NOW)


@given(epoch=st.uuids(), xid=numbers, seq=numbers, recorded_at=times)
def test_a_cursor_survives_as_text(epoch: UUID, xid: int, seq: int, recorded_at: datetime) -> None:
    cursor = Cursor(epoch=epoch, position=LogPosition(xid, seq), recorded_at=recorded_at)
    assert decode_cursor(encode_cursor(cursor)) == cursor


@given(st.text())
def test_no_text_is_more_than_a_refusal(text: str) -> None:
    try:
        cursor = decode_cursor(text)
    except InvalidInput:
        return
    assert encode_cursor(cursor) == text.rstrip("=")


@given(st.binary(min_size=41, max_size=41))
def test_forged_bytes_are_refused_or_within_bounds(packed: bytes) -> None:
    text = base64.urlsafe_b64encode(packed).decode()
    try:
        cursor = decode_cursor(text)
    except InvalidInput:
        return
    assert 0 <= cursor.position.xid <= MAX_NUMBER
    assert cursor.recorded_at - timedelta(days=1) < cursor.recorded_at  # the reader's lower bound does not overflow


@pytest.mark.parametrize("text", ["", "x", "ä", "A" * 10_000, "\ud800", "AAAA", encode_cursor(log_start(EPOCH))[:-4]])
def test_malformed_cursors_name_the_field(text: str) -> None:
    with pytest.raises(InvalidInput, match="not a cursor") as refusal:
        decode_cursor(text, path=("input", "after"))
    assert refusal.value.path == ("input", "after")


def test_another_version_is_refused() -> None:
    packed = base64.urlsafe_b64decode(encode_cursor(log_start(EPOCH)) + "=")
    other = base64.urlsafe_b64encode(b"\x02" + packed[1:]).decode()
    with pytest.raises(InvalidInput):
        decode_cursor(other)


def test_a_place_in_this_log_resumes() -> None:
    cursor = Cursor(epoch=EPOCH, position=LogPosition(999, 5), recorded_at=NOW - timedelta(days=6))
    assert why_reset(cursor, log_state(), window=WINDOW) is None


def test_the_head_of_an_idle_log_resumes() -> None:
    state = log_state()
    assert why_reset(state.head, state, window=WINDOW) is None


def test_another_epoch_resets() -> None:
    cursor = Cursor(epoch=uuid4(), position=LogPosition(5, 5), recorded_at=NOW)
    assert why_reset(cursor, log_state(), window=WINDOW) is StreamResetReason.LOG_RESTORED


def test_a_place_beyond_the_newest_transaction_resets() -> None:
    cursor = Cursor(epoch=EPOCH, position=LogPosition(1000, 1), recorded_at=NOW)
    assert why_reset(cursor, log_state(), window=WINDOW) is StreamResetReason.LOG_RESTORED


def test_a_place_older_than_the_window_resets() -> None:
    cursor = Cursor(epoch=EPOCH, position=LogPosition(5, 5), recorded_at=NOW - timedelta(days=7, seconds=1))
    assert why_reset(cursor, log_state(), window=WINDOW) is StreamResetReason.CURSOR_EXPIRED
