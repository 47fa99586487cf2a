"""Do events survive the stream, in messages of bounded size that join without a gap?"""

from datetime import UTC, datetime
from uuid import uuid4

from domain.alerts.cursor import Cursor
from domain.alerts.events import Actor, ActorKind, AlertEvent, AlertEventKind, LogPosition, RecordedEvent
from domain.alerts.model import AlertStatus, Severity
from persistence.stream_message import MAX_MESSAGE_BYTES, StreamMessage, decode_message, encode_run

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
START = Cursor(epoch=uuid4(), position=LogPosition(3, 9), recorded_at=NOW)


def event(seq: int, *, size: int = 10) -> RecordedEvent:
    return RecordedEvent(
        event=AlertEvent(
            id=uuid4(),
            alert_id=uuid4(),
            kind=AlertEventKind.OPENED,
            occurred_at=NOW,
            actor=Actor(ActorKind.USER, uuid4()),
            version=seq,
            severity=Severity.CRITICAL,
            status=AlertStatus.ACTIVE,
            data={"changes": {"title": ["ä", None]}, "comment": "x" * size},
        ),
        position=LogPosition(2**53 + 1, seq),  # beyond what a double holds
        recorded_at=NOW,
    )


def decoded(texts: list[str]) -> list[StreamMessage]:
    messages = [decode_message(text) for text in texts]
    assert all(messages)
    return [message for message in messages if message]


def test_events_come_back_as_they_were() -> None:
    events = [event(1), event(2)]
    (message,) = decoded(list(encode_run(START, events)))
    assert message.events == events
    assert (message.epoch, message.before) == (START.epoch, START.position)
    assert message.end == Cursor(epoch=START.epoch, position=events[-1].position, recorded_at=NOW)


def test_a_long_run_is_cut_into_messages_that_join() -> None:
    events = [event(seq, size=10_000) for seq in range(1, 30)]
    texts = list(encode_run(START, events))
    messages = decoded(texts)
    assert len(messages) > 3
    assert max(map(len, texts)) < 2 * MAX_MESSAGE_BYTES
    assert [event for message in messages for event in message.events or []] == events
    places = [START.position, *(message.after for message in messages)]
    assert [message.before for message in messages] == places[:-1]


def test_an_event_too_large_to_carry_sends_its_reader_to_the_log() -> None:
    events = [event(1), event(2, size=3 * MAX_MESSAGE_BYTES), event(3)]
    first, second, third = decoded(list(encode_run(START, events)))
    assert first.events == events[:1]
    assert second.events is None
    assert (second.before, second.after) == (events[0].position, events[1].position)
    assert third.events == events[2:]


def test_what_another_version_says_is_nothing_we_can_read() -> None:
    assert decode_message("") is None
    assert decode_message('{"kind": "new"}') is None


def test_no_events_make_no_message() -> None:
    assert list(encode_run(START, [])) == []
