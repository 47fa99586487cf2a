"""Are the posts what each provider documents, whatever a tool put into the texts, and is each alert carried once?"""

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.alerts.model import Severity
from domain.channels.actions import checked_values
from domain.channels.model import FIELDS, ChannelKind
from domain.errors import InvalidInput
from domain.escalations.message import Told
from domain.escalations.model import NotificationKind
from domain.ids import new_id
from domain.mail.delivery import Refused, Retry, Sent
from jobs.channels.contract import Item
from jobs.channels.pagerduty import URL, pagerduty
from jobs.channels.sending import SENDERS, judge
from jobs.channels.slack import slack
from jobs.channels.teams import teams
from jobs.channels.webhook import webhook
from jobs.outbound import Answer

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
TOLD = Told(
    kind=NotificationKind.PAGE,
    alert_id=new_id(),
    title="Disk <full> & hot",
    severity=Severity.HIGH,
    service_name="checkout",
    source="prometheus",
    description="97 %",
    started_at=NOW,
    labels=(("instance", "a"),),
    why="step 1",
)
VALUES = {
    ChannelKind.SLACK: {"url": "https://hooks.slack.test/services/T/B/x"},
    ChannelKind.TEAMS: {"url": "https://teams.test/workflows/1"},
    ChannelKind.PAGERDUTY: {"routingKey": "R" * 32},
    ChannelKind.WEBHOOK: {"url": "https://hook.test/in", "secret": "a-secret-of-sixteen"},
}


def item(**more: Any) -> Item:  # noqa: ANN401 - of any field
    return Item(id=new_id(), told=replace(TOLD, **more), created_at=NOW)


def body_of(request: Any) -> dict[str, Any]:  # noqa: ANN401 - a request of any kind
    parsed: dict[str, Any] = orjson.loads(request.body)
    return parsed


def test_slack_gets_one_message_with_its_three_characters_escaped() -> None:
    (request,) = slack(VALUES[ChannelKind.SLACK], [item(), item(kind=NotificationKind.RESOLVED)], now=NOW)
    body = body_of(request)
    assert body["text"] == "[HIGH] Disk &lt;full&gt; &amp; hot (checkout) and 1 more"
    first, second = (block["text"]["text"] for block in body["blocks"])
    assert first.startswith(":large_orange_circle: *HIGH: Disk &lt;full&gt; &amp; hot*")
    assert second.startswith(":white_check_mark: *RESOLVED: ")


def test_teams_gets_one_adaptive_card() -> None:
    (request,) = teams(VALUES[ChannelKind.TEAMS], [item()], now=NOW)
    (attachment,) = body_of(request)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["body"][1] == {
        "type": "TextBlock",
        "text": "HIGH: Disk <full> & hot",
        "wrap": True,
        "weight": "bolder",
        "color": "warning",
    }


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        (NotificationKind.PAGE, "trigger"),
        (NotificationKind.ACKNOWLEDGED, "acknowledge"),
        (NotificationKind.RESOLVED, "resolve"),
    ],
)
def test_pagerduty_is_kept_in_step_by_the_alerts_id(kind: NotificationKind, action: str) -> None:
    (request,) = pagerduty(VALUES[ChannelKind.PAGERDUTY], [item(kind=kind)], now=NOW)
    body = body_of(request)
    assert request.url == URL
    assert (body["event_action"], body["dedup_key"]) == (action, f"tocsin:{TOLD.alert_id}")
    assert ("payload" in body) == (action == "trigger")
    if action == "trigger":
        assert body["payload"]["severity"] == "error"
        assert body["payload"]["summary"] == TOLD.title


def test_a_webhook_is_signed_over_time_and_body() -> None:
    one = item()
    (request,) = webhook(VALUES[ChannelKind.WEBHOOK], [one], now=NOW)
    at, _, digest = request.headers["x-tocsin-signature"].partition(",v1=")
    expected = hmac.new(b"a-secret-of-sixteen", at[2:].encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert (at, digest) == (f"t={int(NOW.timestamp())}", expected)
    assert request.headers["x-tocsin-delivery"] == str(one.id)
    assert body_of(request)["alert"]["title"] == TOLD.title


@given(st.sampled_from(sorted(SENDERS)), st.lists(st.text(max_size=3_000), min_size=1, max_size=60))
def test_every_alert_is_carried_once_and_no_message_is_too_large(kind: ChannelKind, titles: list[str]) -> None:
    items = [item(title=title, description=title, service_name=title[:200]) for title in titles]
    requests = SENDERS[kind](VALUES[kind], items, now=NOW)
    assert sorted(one for request in requests for one in request.carries) == sorted(one.id for one in items)
    for request in requests:
        assert orjson.loads(request.body)
    if kind is ChannelKind.SLACK:
        blocks = body_of(requests[0])["blocks"]
        assert len(blocks) <= 50
        assert all(len(block["text"]["text"]) <= 3_000 for block in blocks)


@pytest.mark.parametrize(
    ("status", "kind", "wait"),
    [
        (200, Sent, None),
        (202, Sent, None),
        (400, Refused, None),
        (404, Refused, None),
        (410, Refused, None),
        (302, Refused, None),
        (408, Retry, 0),
        (429, Retry, 30),
        (500, Retry, 0),
        (503, Retry, 0),
    ],
)
def test_an_answer_says_whether_to_try_again(status: int, kind: type, wait: int | None) -> None:
    answer = Answer(status, "why not", retry_after=30.0 if status == 429 else None)
    outcome, waited = judge(answer)
    assert isinstance(outcome, kind)
    assert waited == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize(
    ("kind", "values", "name"),
    [
        (ChannelKind.SLACK, {}, "url"),
        (ChannelKind.SLACK, {"url": "http://hooks.slack.test/x"}, "url"),
        (ChannelKind.SLACK, {"url": "https://user:pass@hooks.slack.test/x"}, "url"),
        (ChannelKind.SLACK, {"url": "https://"}, "url"),
        (ChannelKind.SLACK, {"url": "https://a.test/x y"}, "url"),
        (ChannelKind.SLACK, {"url": "https://a.test/x\r\nhost: b"}, "url"),
        (ChannelKind.SLACK, {"url": "https://a.test:99999/"}, "url"),
        (ChannelKind.PAGERDUTY, {"routingKey": "short"}, "routingKey"),
        (ChannelKind.WEBHOOK, {"url": "https://a.test/", "secret": "short"}, "secret"),
        (ChannelKind.WEBHOOK, {"url": "https://a.test/", "secret": "x" * 16, "more": "y"}, "more"),
    ],
)
def test_a_value_that_is_wrong_is_named(kind: ChannelKind, values: dict[str, str], name: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        checked_values(kind, values)
    assert list(refusal.value.path) == ["values", name]


def test_an_address_that_is_wrong_is_told_what_would_be_right() -> None:
    with pytest.raises(InvalidInput, match="begins with https://"):
        checked_values(ChannelKind.WEBHOOK, {"url": "http://a.test/", "secret": "x" * 16})


def test_good_values_of_every_kind_are_taken() -> None:
    # The bot asks the database what it has told before: jobs/channels/slack_bot.py.
    assert set(FIELDS) == set(ChannelKind) == {*SENDERS, ChannelKind.SLACK_BOT}
    for kind, values in VALUES.items():
        assert checked_values(kind, values) == values
