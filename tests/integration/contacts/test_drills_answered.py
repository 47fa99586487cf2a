"""Is a drill answered by text message, by Slack's button and by the link of a mail, and does it say by which? (N4).

Each the whole way, over the doubles of the providers: the drill's own message is answered as its person would.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.identity.model import Role
from domain.mail.delivery import Sent
from jobs.paging import page, settle_notifications
from persistence.mail import claim_mail, settle_mail
from tests.api import Api, Person
from tests.integration.contacts.slack_night import SlackNight
from tests.integration.contacts.text_night import NUMBER, REPLY, Night, told, with_phone
from tests.slack_double import ANN, SlackDouble

MINUTE = timedelta(minutes=1)
DRILL = """query($id: ID!) { drill(id: $id) { state timeToAnswer answeredVia answeredBy { id } endedAt startedAt
  receipts { kind state contactKind settledAt answer user { id } deliveryAttempts { outcome answer tookMs } } } }"""


async def started(api: Api, who: Person) -> str:
    """A drill that tells this person at once."""
    manager = await api.person(Role.MANAGER)
    steps = [{"delay": "PT0S", "targets": [{"kind": "USER", "id": str(who.id)}]}]
    made = await api.change("createEscalationPolicy", {"name": "P", "steps": steps}, "policy { id }", who=manager)
    answer = await api.change("startDrill", {"policyId": made["policy"]["id"]}, "drill { id }", who=manager)
    assert answer["__typename"] == "StartDrillSuccess", answer
    drill_id: str = answer["drill"]["id"]
    return drill_id


async def seen(api: Api, who: Person, drill_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data(DRILL, {"id": drill_id}, who=who))["drill"]
    return found


async def the_mail(night: Night) -> str:
    """The text of the one mail that waits, which is taken as a sender would."""
    night.now = max(night.now, night.api.clock.now())
    await page(night.engine, night.api.settings, night.now)
    (claimed,) = await claim_mail(night.engine, limit=10, now=night.now + timedelta(days=1))
    await settle_mail(night.engine, claimed, Sent("250 ok"), now=night.now, took_ms=7)
    await settle_notifications(night.engine, night.api.settings, night.now)
    return claimed.mail.text


def was_answered(found: dict[str, Any], who: Person, via: str, kind: str) -> None:
    """By whom, by what and after how long; and the receipt of the message that told."""
    assert (found["state"], found["answeredBy"], found["answeredVia"]) == ("ANSWERED", {"id": str(who.id)}, via)
    took = datetime.fromisoformat(found["endedAt"]) - datetime.fromisoformat(found["startedAt"])
    assert took > timedelta(0)
    assert found["timeToAnswer"].startswith("PT")
    (receipt,) = [one for one in found["receipts"] if (one["kind"], one["contactKind"]) == ("PAGE", kind)]
    assert (receipt["user"], receipt["state"]) == ({"id": str(who.id)}, "SENT")
    assert receipt["settledAt"] is not None


async def test_a_reply_by_text_message_answers_it(night: Night) -> None:
    ann = await night.api.person(Role.OPERATOR, email="ann@example.com")
    await with_phone(night, ann)
    drill_id = await started(night.api, ann)
    await night.tick()
    (sms,) = night.twilio.sent
    assert (sms.to, sms.body.startswith("CRITICAL: DRILL: P")) == (NUMBER, True)
    code = REPLY.search(sms.body)
    assert code is not None
    assert "the drill reached you" in await night.reply(f"A {code[1]}")
    found = await seen(night.api, ann, drill_id)
    was_answered(found, ann, "SMS", "SMS")
    (receipt,) = [one for one in found["receipts"] if one["contactKind"] == "SMS" and one["kind"] == "PAGE"]
    (attempt,) = receipt["deliveryAttempts"]
    assert (attempt["outcome"], attempt["tookMs"] >= 0) == ("SENT", True), "how long Twilio took, beside what it said"
    again = await night.reply(f"A {code[1]}")
    assert "the drill reached you" not in again, "it is answered once"


async def test_a_reply_answers_a_drill_beside_the_alerts_of_its_message(night: Night) -> None:
    ann = await night.api.person(Role.OPERATOR, email="ann@example.com")
    await with_phone(night, ann)
    drill_id, alert_id = await started(night.api, ann), await night.alert()
    await night.tick()
    (sms,) = night.twilio.sent
    assert "+1 more" in sms.body
    code = REPLY.search(sms.body)
    assert code is not None
    assert "Acknowledged" in await night.reply(f"A {code[1]}")
    assert (await told(night, alert_id, ann))["status"] == "ACKNOWLEDGED"
    was_answered(await seen(night.api, ann, drill_id), ann, "SMS", "SMS")


async def test_another_number_answers_nothing(night: Night) -> None:
    ann = await night.api.person(Role.OPERATOR, email="ann@example.com")
    await with_phone(night, ann)
    drill_id = await started(night.api, ann)
    await night.tick()
    code = REPLY.search(night.twilio.sent[0].body)
    assert code is not None
    assert "the drill reached you" not in await night.reply(f"A {code[1]}", sender="+4915199999999")
    assert (await seen(night.api, ann, drill_id))["state"] == "RUNNING"


async def test_the_button_in_slack_answers_it(slack_night: SlackNight, slack: SlackDouble) -> None:
    night = slack_night
    ann = await night.api.person(Role.OPERATOR, email="ann@example.com")
    await night.linked(ann)
    drill_id = await started(night.api, ann)
    night.now = max(night.now, night.api.clock.now())
    await night.tick()
    (message,) = slack.messages
    assert "DRILL: P" in message.text
    assert (await night.press(message, "acknowledge", ANN)).status_code == 200
    found = await seen(night.api, ann, drill_id)
    was_answered(found, ann, "SLACK", "SLACK")
    await night.tick(MINUTE)
    assert any("the drill reached you" in str(one) for one in slack.answers), "whoever pressed is told"


async def test_the_button_for_all_in_slack_answers_it_beside_alerts(
    slack_night: SlackNight, slack: SlackDouble
) -> None:
    night = slack_night
    ann = await night.api.person(Role.OPERATOR, email="ann@example.com")
    await night.linked(ann)
    drill_id, alerts = await started(night.api, ann), [await night.alert(title=f"Disk {one}") for one in (1, 2)]
    night.now = max(night.now, night.api.clock.now())
    await night.tick()
    (message,) = slack.messages
    assert message.buttons["acknowledge"]["value"].startswith("all:")
    assert (await night.press(message, "acknowledge")).status_code == 200
    was_answered(await seen(night.api, ann, drill_id), ann, "SLACK", "SLACK")
    assert [(await night.told(one, ann))["status"] for one in alerts] == ["ACKNOWLEDGED"] * 2


@pytest.mark.parametrize("body", ["", "answer=accept"])
async def test_the_link_of_a_mail_answers_it(night: Night, body: str) -> None:
    api = night.api
    ann = await api.person(Role.OPERATOR, email="ann@example.com")
    drill_id = await started(api, ann)
    text = await the_mail(night)
    assert "DRILL: P" in text
    link = next(word for word in text.split() if "/answer?token=" in word).removeprefix("https://tocsin.example.com")
    assert (await api.http.get(link)).status_code == 200
    assert (await seen(api, ann, drill_id))["state"] == "RUNNING", "a scanner of mail answers nothing"
    done = await api.http.post(link, content=body, headers={"content-type": "application/x-www-form-urlencoded"})
    assert "You were reached" in done.text
    found = await seen(api, ann, drill_id)
    was_answered(found, ann, "LINK", "EMAIL")
    assert found["receipts"][0]["deliveryAttempts"] == [{"outcome": "SENT", "answer": "250 ok", "tookMs": 7}]
