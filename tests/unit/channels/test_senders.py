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
from domain.channels.kind import ChannelKind
from domain.channels.kinds import all_kinds
from domain.channels.kinds import pagerduty as pagerduty_kind
from domain.channels.kinds import slack as slack_kind
from domain.channels.kinds import slack_bot as slack_bot_kind
from domain.channels.kinds import teams as teams_kind
from domain.channels.kinds import webhook as webhook_kind
from domain.errors import InvalidInput
from domain.escalations.message import Told
from domain.escalations.model import NotificationKind
from domain.ids import new_id
from domain.mail.delivery import Refused, Retry, Sent
from jobs.channels.contract import Item, Write
from jobs.channels.pagerduty import PAUSE, URL, judge_pagerduty, pagerduty
from jobs.channels.posting import judge
from jobs.channels.senders import sender_of
from jobs.channels.slack import slack
from jobs.channels.teams import MAX_BODY, judge_teams, teams
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
SLACK, TEAMS, PAGERDUTY, WEBHOOK = slack_kind.KIND, teams_kind.KIND, pagerduty_kind.KIND, webhook_kind.KIND
WRITERS: dict[str, Write] = {"slack": slack, "teams": teams, "pagerduty": pagerduty, "webhook": webhook}
VALUES = {
    SLACK.name: {"url": "https://hooks.slack.test/services/T/B/x"},
    TEAMS.name: {"url": "https://teams.test/workflows/1"},
    PAGERDUTY.name: {"routingKey": "R" * 32},
    WEBHOOK.name: {"url": "https://hook.test/in", "secret": "a-secret-of-sixteen"},
}


FAILED = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error"


def item(**more: Any) -> Item:  # noqa: ANN401 - of any field
    return Item(id=new_id(), told=replace(TOLD, **more), created_at=NOW)


def body_of(request: Any) -> dict[str, Any]:  # noqa: ANN401 - a request of any kind
    parsed: dict[str, Any] = orjson.loads(request.body)
    return parsed


def test_slack_gets_one_message_with_its_three_characters_escaped() -> None:
    (request,) = slack(VALUES[SLACK.name], [item(), item(kind=NotificationKind.RESOLVED)], now=NOW)
    body = body_of(request)
    assert body["text"] == "[HIGH] Disk &lt;full&gt; &amp; hot (checkout) and 1 more"
    first, second = (block["text"]["text"] for block in body["blocks"])
    assert first.startswith(":large_orange_circle: *HIGH: Disk &lt;full&gt; &amp; hot*")
    assert second.startswith(":white_check_mark: *RESOLVED: ")


def test_teams_gets_one_adaptive_card() -> None:
    (request,) = teams(VALUES[TEAMS.name], [item()], now=NOW)
    (attachment,) = body_of(request)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert card["body"][0] == {
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
    (request,) = pagerduty(VALUES[PAGERDUTY.name], [item(kind=kind)], now=NOW)
    body = body_of(request)
    assert request.url == URL
    assert (body["event_action"], body["dedup_key"]) == (action, f"tocsin:{TOLD.alert_id}")
    assert ("payload" in body) == (action == "trigger")
    if action == "trigger":
        assert body["payload"]["severity"] == "error"
        assert body["payload"]["summary"] == TOLD.title


def test_a_webhook_is_signed_over_time_and_body() -> None:
    one = item()
    (request,) = webhook(VALUES[WEBHOOK.name], [one], now=NOW)
    at, _, digest = request.headers["x-tocsin-signature"].partition(",v1=")
    expected = hmac.new(b"a-secret-of-sixteen", at[2:].encode() + b"." + request.body, hashlib.sha256).hexdigest()
    assert (at, digest) == (f"t={int(NOW.timestamp())}", expected)
    assert request.headers["x-tocsin-delivery"] == str(one.id)
    assert body_of(request)["alert"]["title"] == TOLD.title


@given(st.sampled_from(sorted(WRITERS)), st.lists(st.text(max_size=3_000), min_size=1, max_size=60))
def test_every_alert_is_carried_once_and_no_message_is_too_large(kind: str, titles: list[str]) -> None:
    items = [
        item(title=title, description=title, why=title, service_name=title[:200], source=title) for title in titles
    ]
    requests = WRITERS[kind](VALUES[kind], items, now=NOW)
    assert sorted(one for request in requests for one in request.carries) == sorted(one.id for one in items)
    for request in requests:
        assert orjson.loads(request.body)
        assert request.plain is None or len(request.plain) < 4_000
    if kind == "slack":
        blocks = body_of(requests[0])["blocks"]
        assert len(blocks) <= 50
        assert all(len(block["text"]["text"]) <= 3_000 for block in blocks)
    if kind == "teams":
        assert len(requests[0].body) <= MAX_BODY
    if kind == "pagerduty":
        assert all(len(body_of(one)["payload"]["summary"]) <= 1_024 for one in requests)


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
        (SLACK, {}, "url"),
        (SLACK, {"url": "http://hooks.slack.test/x"}, "url"),
        (SLACK, {"url": "https://user:pass@hooks.slack.test/x"}, "url"),
        (SLACK, {"url": "https://"}, "url"),
        (SLACK, {"url": "https://a.test/x y"}, "url"),
        (SLACK, {"url": "https://a.test/x\r\nhost: b"}, "url"),
        (SLACK, {"url": "https://a.test:99999/"}, "url"),
        (PAGERDUTY, {"routingKey": "short"}, "routingKey"),
        (WEBHOOK, {"url": "https://a.test/", "secret": "short"}, "secret"),
        (WEBHOOK, {"url": "https://a.test/", "secret": "x" * 16, "more": "y"}, "more"),
    ],
)
def test_a_value_that_is_wrong_is_named(kind: ChannelKind, values: dict[str, str], name: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        checked_values(kind, values)
    assert list(refusal.value.path) == ["values", name]


def test_an_address_that_is_wrong_is_told_what_would_be_right() -> None:
    with pytest.raises(InvalidInput, match="begins with https://"):
        checked_values(WEBHOOK, {"url": "http://a.test/", "secret": "x" * 16})


def test_good_values_of_every_kind_are_taken() -> None:
    for kind in (SLACK, TEAMS, PAGERDUTY, WEBHOOK):
        assert checked_values(kind, VALUES[kind.name]) == VALUES[kind.name]
    assert checked_values(slack_bot_kind.KIND, {"conversation": "#alerts"}) == {"conversation": "#alerts"}


def test_every_kind_there_is_has_a_sender() -> None:
    for kind in all_kinds():
        assert callable(sender_of(kind)), f"jobs/channels/senders.py has no sender of {kind.name}"


def test_no_title_becomes_a_link_in_teams() -> None:
    """A forged link in a card. ASVS 5 V1.2.1."""
    told = "[Acknowledge](https://evil.test) */5 * * * *"
    (request,) = teams(VALUES["teams"], [item(title=told, description=told, service_name=told, why=told)], now=NOW)
    assert b"[Acknowledge]" not in request.body
    (attachment,) = body_of(request)["attachments"]
    shown = attachment["content"]["body"][0]["text"]
    assert shown == r"HIGH: \[Acknowledge\](https://evil.test) \*/5 \* \* \* \*"


def test_of_many_alerts_teams_shows_what_there_is_room_for() -> None:
    items = [item(title="t" * 300, description="d" * 500, labels=()) for _ in range(60)]
    (request,) = teams(VALUES["teams"], items, now=NOW)
    (attachment,) = body_of(request)["attachments"]
    body = attachment["content"]["body"]
    assert body[0]["text"] == r"\[HIGH\] " + "t" * 119 + "… (checkout) and 59 more"
    assert body[-1]["text"] == "… and 45 more"
    wide = [item(title="支払い" * 100, description="支払い" * 160, why="支払い" * 60) for _ in range(60)]
    (request,) = teams(VALUES["teams"], wide, now=NOW)
    assert len(request.body) <= MAX_BODY


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (202, "", Sent),
        (200, "1", Sent),
        (
            200,
            f"{FAILED} 413 with",
            Refused,
        ),
        (
            200,
            f"{FAILED} 429 with",
            Retry,
        ),
        (
            200,
            f"{FAILED} 503 with",
            Retry,
        ),
        (429, "", Retry),
        (400, "TriggerInputSchemaMismatch", Refused),
    ],
    ids=range(7),
)
def test_an_old_connector_of_teams_says_in_its_text_that_it_failed(status: int, text: str, kind: type) -> None:
    assert isinstance(judge_teams(Answer(status, text))[0], kind)


def test_pagerduty_is_left_alone_for_minutes_when_it_is_too_much() -> None:
    assert judge_pagerduty(Answer(429, ""))[1] == PAUSE
    assert judge_pagerduty(Answer(429, "", retry_after=7.0))[1] == timedelta(seconds=7)
    assert judge_pagerduty(Answer(503, ""))[1] == timedelta(0)
    assert judge_pagerduty(Answer(202, ""))[1] is None


def test_an_event_of_pagerduty_is_never_too_large() -> None:
    labels = tuple((f"{number}" + "n" * 2_000, "支" * 5_000) for number in range(500))
    (request,) = pagerduty(VALUES["pagerduty"], [item(labels=labels, source="", description="d" * 90_000)], now=NOW)
    assert len(request.body) < 512 * 1024
    assert body_of(request)["payload"]["source"] == "tocsin"
