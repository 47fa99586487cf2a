"""What do Slack's answers mean, how does a message look, and who signed a call? slack_sdk says so too (N1, N4)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from slack_sdk.models.blocks import Block
from slack_sdk.signature import Clock, SignatureVerifier

from domain.alerts.model import AlertStatus, Severity
from domain.channels.slack_card import card, digest_of
from domain.contacts.delivery import TextRefused, TextRetry
from domain.escalations.following import Part, standing
from domain.escalations.message import Told
from domain.escalations.model import NotificationKind
from domain.mail.delivery import Refused, Retry, Sent
from graphql_api.contacts.slack_http import is_signed, signature
from jobs.channels.slack_api import Fault, NotPosted, Posted, judge
from jobs.channels.slack_bot import outcome_of
from jobs.text_senders import slack_outcome

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
MESSAGE = UUID(int=7)
SECRET, BODY = "8f742231b10e8888abcd99yyyzzz85a5", b"payload=%7B%22type%22%3A%22block_actions%22%7D"


def part(number: int = 1, **more: Any) -> Part:  # noqa: ANN401 - of any field
    told = Told(
        kind=more.pop("kind", NotificationKind.PAGE),
        alert_id=UUID(int=number),
        title=more.pop("title", "Payments down"),
        severity=Severity.CRITICAL,
        service_name="shop",
        source="prometheus",
        description=more.pop("description", "It is down."),
        started_at=NOW,
        labels=(),
        why="step 1",
    )
    return Part(told=told, **{"episode": 1, "status": AlertStatus.ACTIVE, **more})


def actions(blocks: list[dict[str, Any]]) -> list[list[str]]:
    return [[one["action_id"] for one in block["elements"]] for block in blocks if block["type"] == "actions"]


def test_the_signature_is_slacks() -> None:
    """The vendor's own verifier takes ours, and we take its. ASVS 5 V4.1.5."""

    class Then(Clock):
        def now(self) -> float:
            return NOW.timestamp()

    verifier = SignatureVerifier(SECRET, clock=Then())
    timestamp = str(int(NOW.timestamp()))
    made = verifier.generate_signature(timestamp=timestamp, body=BODY)
    assert made == signature(SECRET, timestamp, BODY)
    headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": made}
    assert verifier.is_valid_request(BODY, headers)
    assert is_signed(SECRET, headers, BODY, now=NOW)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-slack-signature", ""),
        ("x-slack-signature", "v0="),
        ("x-slack-signature", "v0=" + "0" * 64),
        ("x-slack-signature", "é"),
        ("x-slack-request-timestamp", ""),
        ("x-slack-request-timestamp", "-1"),
        ("x-slack-request-timestamp", "1e9"),
        ("x-slack-request-timestamp", "٣"),
        ("x-slack-request-timestamp", "9" * 400),
    ],
)
def test_a_call_that_is_not_slacks_is_refused(name: str, value: str) -> None:
    """A spoofed call, whatever is in its headers. API2:2023, ASVS 5 V4.1.5."""
    timestamp = str(int(NOW.timestamp()))
    headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature(SECRET, timestamp, BODY)}
    assert is_signed(SECRET, headers, BODY, now=NOW)
    assert not is_signed(SECRET, {**headers, name: value}, BODY, now=NOW)
    assert not is_signed(SECRET, headers, BODY + b"&", now=NOW)


@pytest.mark.parametrize("seconds", [-301, 301])
def test_an_old_call_and_one_of_the_future_are_refused(seconds: int) -> None:
    """A recorded call sent again later. API2:2023, ASVS 5 V4.1.5."""
    timestamp = str(int(NOW.timestamp()))
    headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature(SECRET, timestamp, BODY)}
    assert not is_signed(SECRET, headers, BODY, now=NOW + timedelta(seconds=seconds))
    assert is_signed(SECRET, headers, BODY, now=NOW + timedelta(seconds=seconds - seconds // 301))


@pytest.mark.parametrize(
    ("status", "body", "retry_after", "said"),
    [
        (200, b'{"ok":true,"channel":"C1","ts":"1.2"}', None, Posted("C1", "1.2")),
        (200, b'{"ok":true}', None, NotPosted("an answer that is none of Slack's", Fault.PLACE)),
        (429, b"", "30", NotPosted("429 ratelimited", Fault.PASSING, timedelta(seconds=30))),
        (429, b"", "99999", NotPosted("429 ratelimited", Fault.PASSING, timedelta(hours=1))),
        (
            200,
            b'{"ok":false,"error":"ratelimited"}',
            None,
            NotPosted("429 ratelimited", Fault.PASSING, timedelta(seconds=5)),
        ),
        (200, b'{"ok":false,"error":"invalid_auth"}', None, NotPosted("invalid_auth", Fault.APP)),
        (200, b'{"ok":false,"error":"is_archived"}', None, NotPosted("is_archived", Fault.PLACE)),
        (200, b'{"ok":false,"error":"msg_too_long"}', None, NotPosted("msg_too_long", Fault.MESSAGE)),
        (200, b'{"ok":false,"error":"fatal_error"}', None, NotPosted("fatal_error", Fault.PASSING)),
        (200, b'{"ok":false,"error":"a_new_word"}', None, NotPosted("a_new_word", Fault.PASSING)),
        (503, b"<html>", None, NotPosted("status 503", Fault.PASSING)),
        (200, b"[1]", None, NotPosted("status 200", Fault.PASSING)),
    ],
    ids=[
        "posted",
        "no place",
        "wait",
        "a long wait",
        "a wait in words",
        "token",
        "archived",
        "long",
        "passing",
        "new",
        "page",
        "list",
    ],
)
def test_what_an_answer_means(status: int, body: bytes, retry_after: str | None, said: object) -> None:
    assert judge(status, body, retry_after) == said


@pytest.mark.parametrize(
    ("fault", "of_channel", "of_person", "gives_up"),
    [
        (Fault.PASSING, Retry, TextRetry, False),
        (Fault.APP, Retry, TextRetry, False),
        (Fault.PLACE, Refused, TextRefused, True),
        (Fault.MESSAGE, Refused, TextRefused, False),
    ],
)
def test_what_a_refusal_does(fault: Fault, of_channel: type, of_person: type, *, gives_up: bool) -> None:
    outcome, _ = outcome_of(NotPosted("no", fault))
    assert isinstance(outcome, of_channel)
    told = slack_outcome(NotPosted("no", fault))
    assert isinstance(told, of_person)
    assert getattr(told, "is_number", False) is gives_up
    assert isinstance(outcome_of(Posted("C1", "1.2"))[0], Sent)


@pytest.mark.parametrize(
    ("more", "buttons", "line"),
    [
        ({}, [["acknowledge", "resolve", "snooze"]], ""),
        ({"status": AlertStatus.ACKNOWLEDGED, "by": "Ann"}, [["resolve", "snooze"]], "Acknowledged by Ann"),
        ({"status": AlertStatus.INVESTIGATING}, [["resolve", "snooze"]], "Being investigated"),
        ({"status": AlertStatus.RESOLVED, "by": "its source"}, [], "Resolved by its source"),
        ({"is_over": True}, [], "This is over; the alert has gone on since."),
        (
            {"snoozed_until": NOW + timedelta(hours=1)},
            [["acknowledge", "resolve"]],
            "Snoozed until 2026-11-26 04:00 UTC",
        ),
        ({"snoozed_until": NOW}, [["acknowledge", "resolve", "snooze"]], ""),
        ({"kind": NotificationKind.TEST}, [], ""),
    ],
    ids=["active", "acknowledged", "investigating", "resolved", "over", "snoozed", "woken", "test"],
)
def test_buttons_are_there_for_as_long_as_they_do_something(
    more: dict[str, Any], buttons: list[list[str]], line: str
) -> None:
    shown = part(**more)
    assert actions(card(MESSAGE, [shown], now=NOW)) == buttons
    assert standing(shown, now=NOW) == line


def test_a_card_keeps_to_slacks_limits() -> None:
    """What the vendor's own models would refuse is none of ours, with the longest there is in it."""
    parts = [part(number, title="<&>" * 700, description="&" * 5_000) for number in range(1, 101)]
    blocks = card(MESSAGE, parts, now=NOW, tells_why=True)
    assert len(blocks) <= 50
    for block in blocks:
        parsed = Block.parse(block)
        assert parsed is not None
        parsed.validate_json()
        assert parsed.to_dict() == block
    assert all(len(block["text"]["text"]) <= 3_000 for block in blocks if block["type"] == "section")
    names = [block["block_id"] for block in blocks if "block_id" in block]
    assert len(names) == len(set(names))
    assert actions(blocks)[-1] == ["acknowledge"]
    assert blocks[-1]["elements"][0]["value"] == f"all:{MESSAGE}"


def test_the_digest_tells_a_message_that_would_look_otherwise() -> None:
    one = digest_of(card(MESSAGE, [part()], now=NOW))
    assert one == digest_of(card(MESSAGE, [part()], now=NOW + timedelta(hours=1)))
    assert one != digest_of(card(MESSAGE, [part(status=AlertStatus.ACKNOWLEDGED)], now=NOW))
