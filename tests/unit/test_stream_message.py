"""Do events survive the stream, in messages of bounded size that join without a gap?"""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.cursor import Cursor
from domain.alerts.events import Actor, ActorKind, AlertEvent, AlertEventKind, LogPosition, RecordedEvent
from domain.alerts.filter import AlertFilter
from domain.alerts.model import Alert, AlertStatus, Severity
from domain.alerts.passing import concerns
from domain.alerts.sieve import Known, Possible, may_concern, possible_of
from persistence.stream_message import MAX_MESSAGE_BYTES, StreamMessage, decode_message, decode_span, encode_run
from tests.unit.alerts.test_sieve import ALERTS, CHANGES, FILTERS, event_of

OF_ALERT = ("service_name", "source", "team_id", "integration_id")
NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
TEAM, INTEGRATION = uuid4(), uuid4()
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


def line(recorded: RecordedEvent, *, changes: str = "", alert: bool = True, **more: object) -> dict[str, Any]:
    """The row of an event."""
    event = recorded.event
    told = orjson.dumps(event.data).decode()
    known = {"service_name": "shop", "source": "grafana", "team_id": TEAM, "integration_id": INTEGRATION}
    return {
        "xid": recorded.position.xid,
        "seq": recorded.position.seq,
        "recorded_at": recorded.recorded_at,
        "id": event.id,
        "alert_id": event.alert_id,
        "kind": event.kind.value,
        "occurred_at": event.occurred_at,
        "actor_kind": event.actor.kind.value,
        "actor_id": event.actor.id,
        "version": event.version,
        "severity": event.severity.value,
        "status": event.status.value,
        "data": changes or told,
        **(known if alert else dict.fromkeys(known)),
        **more,
    }


def lines(events: list[RecordedEvent]) -> list[dict[str, Any]]:
    return [line(one) for one in events]


def decoded(texts: list[str]) -> list[StreamMessage]:
    messages = [decode_message(text) for text in texts]
    assert all(messages)
    return [message for message in messages if message]


def test_events_come_back_as_they_were() -> None:
    events = [event(1), event(2)]
    (message,) = decoded(list(encode_run(START, lines(events))))
    assert message.events == events
    assert (message.epoch, message.before) == (START.epoch, START.position)
    assert message.end == Cursor(epoch=START.epoch, position=events[-1].position, recorded_at=NOW)
    known = Known(service_name="shop", source="grafana", team_id=TEAM, integration_id=INTEGRATION)
    assert message.known == [known, known]


def test_a_span_tells_what_the_alerts_of_its_events_may_have_been() -> None:
    resolved = '{"changes": {"status": ["active", "resolved"], "severity": ["low", "high"]}}'
    rows = [
        line(event(1), service_name=None, team_id=None, changes="{}"),
        line(event(2), status="resolved", severity="high", changes=resolved),
    ]
    (text,) = encode_run(START, rows)
    span = decode_span(text)
    assert span is not None
    assert span.possible == Possible(
        severities=frozenset({Severity.CRITICAL, Severity.LOW, Severity.HIGH}),
        statuses=frozenset({AlertStatus.ACTIVE, AlertStatus.RESOLVED}),
        service_names=frozenset({"shop", None}),
        sources=frozenset({"grafana"}),
        team_ids=frozenset({TEAM, None}),
        integration_ids=frozenset({INTEGRATION}),
    )


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(line(event(2), alert=False), id="erased"),
        pytest.param(line(event(2), changes='{"changes": {"team_id": [null, null]}}'), id="moved"),
        pytest.param(line(event(2), changes='{"changes": {"service_name": ["a", "b"]}}'), id="renamed"),
    ],
)
def test_an_alert_that_moved_or_is_unknown_may_have_been_anything(row: dict[str, Any]) -> None:
    (text,) = encode_run(START, [line(event(1)), row])
    span = decode_span(text)
    assert span is not None
    assert span.possible.is_anything


def test_a_message_of_a_relay_that_does_not_tell_is_passed_over_by_nobody() -> None:
    (text,) = encode_run(START, [line(event(1))])
    told = orjson.loads(text)
    del told["possible"], told["known"]
    span, message = decode_span(orjson.dumps(told).decode()), decode_message(orjson.dumps(told).decode())
    assert span is not None
    assert span.possible.is_anything
    assert message is not None
    assert message.known is None


def test_a_long_run_is_cut_into_messages_that_join() -> None:
    events = [event(seq, size=10_000) for seq in range(1, 30)]
    texts = list(encode_run(START, lines(events)))
    messages = decoded(texts)
    assert len(messages) > 3
    assert max(map(len, texts)) < 2 * MAX_MESSAGE_BYTES
    assert [event for message in messages for event in message.events or []] == events
    places = [START.position, *(message.after for message in messages)]
    assert [message.before for message in messages] == places[:-1]


def test_an_event_too_large_to_carry_sends_its_reader_to_the_log() -> None:
    events = [event(1), event(2, size=3 * MAX_MESSAGE_BYTES), event(3)]
    first, second, third = decoded(list(encode_run(START, lines(events))))
    assert first.events == events[:1]
    assert second.events is None
    assert (second.before, second.after) == (events[0].position, events[1].position)
    assert third.events == events[2:]


def test_what_another_version_says_is_nothing_we_can_read() -> None:
    assert decode_message("") is None
    assert decode_message('{"kind": "new"}') is None


def test_no_events_make_no_message() -> None:
    assert list(encode_run(START, [])) == []


@given(FILTERS, st.lists(st.tuples(ALERTS, CHANGES), min_size=1, max_size=4))
def test_what_is_told_of_all_events_rules_out_none_of_them(
    wanted: AlertFilter, happened: list[tuple[Alert, dict[str, Any]]]
) -> None:
    """Neither of the message, by which a process leaves it closed, nor of one event within."""
    rows = []
    for seq, (alert, changes) in enumerate(happened, 1):
        recorded = RecordedEvent(event=event_of(alert, changes), position=LogPosition(3, 9 + seq), recorded_at=NOW)
        rows.append(line(recorded, **{name: getattr(alert, name) for name in OF_ALERT}))
    (text,) = encode_run(START, rows)
    (message,), span = decoded([text]), decode_span(text)
    assert span is not None
    assert message.events is not None
    assert message.known is not None
    for recorded, known, (alert, _) in zip(message.events, message.known, happened, strict=True):
        if concerns(wanted, recorded.event, alert):
            assert may_concern(wanted, span.possible)
            assert may_concern(wanted, possible_of(recorded.event, known))
