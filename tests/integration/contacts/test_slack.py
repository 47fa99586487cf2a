"""Does Slack carry pages with buttons, in step with the alert, and act for whom it may? Over real TLS (N1, N4)."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from domain.alerts.model import Severity
from domain.identity.model import Role
from persistence.tables import slack_answers, slack_messages
from tests.api import Person
from tests.integration.contacts.slack_night import SlackNight, slack_night
from tests.slack_double import ANN, BOB, CHANNEL, SlackDouble

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def night(slack_night: SlackNight) -> SlackNight:
    return slack_night


async def test_a_button_acknowledges_and_the_message_follows_the_alert(
    night: SlackNight, ann: Person, channel: str
) -> None:
    del channel
    await night.linked(ann)
    alert_id = await night.alert()
    await night.tick()
    (message,) = night.slack.messages
    assert (message.conversation, message.text) == (CHANNEL, "[CRITICAL] Payments down (shop)")
    assert ":red_circle: *CRITICAL: Payments down*" in message.shown
    assert set(message.buttons) == {"acknowledge", "resolve", "snooze"}

    assert (await night.press(message, "acknowledge")).status_code == 200
    found = await night.told(alert_id, ann)
    assert found["status"] == "ACKNOWLEDGED"
    (event,) = [one for one in found["timeline"]["nodes"] if one["kind"] == "ACKNOWLEDGED"]
    assert (event["via"], event["actor"]) == ("SLACK", {"__typename": "User", "id": str(ann.id)})

    await night.look(alert_id)
    await night.tick()
    (answer,) = night.slack.answers
    assert answer == {"response_type": "ephemeral", "replace_original": False, "text": "Acknowledged: Payments down"}
    assert "*Acknowledged by " in message.shown
    assert set(message.buttons) == {"resolve", "snooze"}
    assert message.updates == 1
    await night.tick(MINUTE)
    assert message.updates == 1, "it shows what there is"

    assert (await night.press(message, "resolve")).status_code == 200
    await night.look(alert_id)
    await night.tick()
    assert "*Resolved by " in message.shown
    assert message.buttons == {}
    (reply,) = night.slack.messages[1:]
    assert (reply.thread_ts, reply.text) == (message.ts, ":white_check_mark: [RESOLVED] Payments down (shop)")
    async with night.engine.connect() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).where(slack_messages.c.closed_at.is_(None))) == 0
        assert await connection.scalar(sa.select(sa.func.count()).select_from(slack_answers)) == 0


async def test_a_second_press_changes_nothing_and_says_so(night: SlackNight, ann: Person, channel: str) -> None:
    del channel
    bob = await night.api.person(Role.OPERATOR)
    await night.linked(ann)
    await night.linked(bob, BOB)
    alert_id = await night.alert()
    await night.tick()
    (message,) = night.slack.messages
    await night.press(message, "acknowledge")
    await night.press(message, "acknowledge", BOB)
    await night.tick()
    assert [one["text"] for one in night.slack.answers] == [
        "Acknowledged: Payments down",
        "Nothing changed: somebody was faster",
    ]
    kinds = [one["kind"] for one in (await night.told(alert_id, ann))["timeline"]["nodes"]]
    assert kinds.count("ACKNOWLEDGED") == 1


async def test_the_message_shows_every_move_wherever_it_was_made(night: SlackNight, ann: Person, channel: str) -> None:
    del channel
    alert_id = await night.alert()
    await night.tick()
    (message,) = night.slack.messages
    for mutation, shown in (
        ("acknowledgeAlert", "*Acknowledged by "),
        ("investigateAlert", "*Being investigated by "),
        ("resolveAlert", "*Resolved by "),
    ):
        await night.api.change(mutation, {"id": alert_id}, "alert { id }", who=ann)
        await night.look(alert_id)
        await night.tick()
        assert shown in message.shown
    await night.api.change("reopenAlert", {"id": alert_id}, "alert { id }", who=ann)
    await night.look(alert_id)
    await night.tick()
    assert len([one for one in night.slack.messages if one.buttons]) == 1, "the new episode has a message of its own"


async def test_snooze_is_an_hour(night: SlackNight, ann: Person, channel: str) -> None:
    del channel
    await night.linked(ann)
    alert_id = await night.alert()
    await night.tick()
    (message,) = night.slack.messages
    await night.press(message, "snooze")
    assert (await night.told(alert_id, ann))["snoozedUntil"] is not None
    await night.look(alert_id)
    await night.tick()
    assert "*Snoozed until " in message.shown
    assert set(message.buttons) == {"acknowledge", "resolve"}


async def test_a_storm_is_one_message_that_is_acknowledged_as_a_whole(
    night: SlackNight, ann: Person, channel: str
) -> None:
    del channel
    await night.linked(ann)
    ids = [await night.alert(title=f"alert {number}") for number in range(60)]
    await night.tick()
    (message,) = night.slack.messages
    assert "… and 40 more" in message.shown
    assert message.buttons["acknowledge"]["text"]["text"] == "Acknowledge all 60"
    await night.press(message, "acknowledge")
    await night.look(*ids)
    await night.tick()
    assert night.slack.answers[-1]["text"] == "Acknowledged: 60 of 60 alerts"
    assert set(message.buttons) == {"resolve", "snooze"}
    assert message.updates == 1


async def test_whoever_is_not_linked_is_told_how(night: SlackNight, ann: Person, channel: str) -> None:
    del channel
    alert_id = await night.alert()
    await night.tick()
    (message,) = night.slack.messages
    assert (await night.press(message, "acknowledge", "U0NOBODY")).status_code == 200
    await night.tick()
    (answer,) = night.slack.answers
    assert answer["response_type"] == "ephemeral"
    assert "member ID `U0NOBODY`" in answer["text"]
    assert (await night.told(alert_id, ann))["status"] == "ACTIVE"


async def test_trouble_of_slack_is_waited_out_and_shown(night: SlackNight, ann: Person, channel: str) -> None:
    night.slack.refusals += [(429, "ratelimited", {"retry-after": "300"}), (200, "invalid_auth", {})]
    alert_id = await night.alert()
    await night.tick()
    await night.tick(4 * MINUTE)
    assert night.slack.messages == [], "as long as Slack says"
    (one,) = (await night.told(alert_id, ann))["notifications"]
    assert (one["state"], one["attempts"], one["problem"]) == ("QUEUED", 1, "429 ratelimited")
    await night.tick(2 * MINUTE)
    (one,) = (await night.told(alert_id, ann))["notifications"]
    assert (one["state"], one["problem"]) == ("QUEUED", "invalid_auth"), "a token can be mended"
    manager = await night.api.person(Role.MANAGER)
    shown = await night.api.data("query($id: ID!) { channel(id: $id) { problem } }", {"id": channel}, who=manager)
    assert shown["channel"]["problem"] == "invalid_auth"
    await night.tick(5 * MINUTE)
    assert len(night.slack.messages) == 1
    (one,) = (await night.told(alert_id, ann))["notifications"]
    assert one["state"] == "SENT"


async def test_a_change_that_slack_puts_off_comes_later(night: SlackNight, ann: Person, channel: str) -> None:
    del channel
    await night.linked(ann)
    alert_id = await night.alert()
    await night.tick()
    (message,) = night.slack.messages
    await night.press(message, "acknowledge")
    await night.look(alert_id)
    night.slack.refusals.append((429, "ratelimited", {"retry-after": "60"}))
    await night.tick()
    assert message.updates == 0
    await night.tick(30 * timedelta(seconds=1))
    assert message.updates == 0
    await night.tick(MINUTE)
    assert message.updates == 1


@pytest.mark.parametrize(
    ("conversation", "state", "problem"),
    [
        ("C0OUTSIDE", "QUEUED", "not_in_channel; invite the app there: /invite @its name"),
        ("#nowhere", "FAILED", "channel_not_found; invite the app there: /invite @its name"),
    ],
)
async def test_a_channel_the_app_is_not_in(
    night: SlackNight, ann: Person, conversation: str, state: str, problem: str
) -> None:
    manager = await night.api.person(Role.MANAGER)
    channel_id = await night.channel(manager, conversation)
    await night.escalates_to(("CHANNEL", channel_id))
    alert_id = await night.alert()
    await night.tick()
    (one,) = (await night.told(alert_id, ann))["notifications"]
    assert (one["state"], one["problem"]) == (state, problem)


async def test_a_message_slack_finds_too_long_comes_as_text(night: SlackNight, ann: Person, channel: str) -> None:
    del channel
    night.slack.refusals.append((200, "msg_too_long", {}))
    alert_id = await night.alert()
    await night.tick()
    (message,) = night.slack.messages
    assert (message.text, message.blocks) == ("[CRITICAL] Payments down (shop)", [])
    (one,) = (await night.told(alert_id, ann))["notifications"]
    assert one["state"] == "SENT"


async def test_what_a_title_holds_is_no_mention_and_no_link(night: SlackNight, channel: str) -> None:
    """Text of a monitoring tool is shown, not obeyed. ASVS 5 V1.2.1."""
    del channel
    await night.alert(title="<!channel> <https://evil.example.com|pay here> & co")
    await night.tick()
    (message,) = night.slack.messages
    for text in (message.text, message.shown):
        # A time of ours is the one thing that Slack is to make something of.
        assert "<" not in text.replace("<!date^", "")
        assert "&lt;!channel&gt;" in text


async def test_a_direct_message_has_buttons_too(night: SlackNight, ann: Person) -> None:
    await night.linked(ann)
    await night.escalates_to(("USER", ann.id))
    alert_id = await night.alert()
    await night.tick()
    (message,) = night.slack.messages
    assert message.conversation == "D" + ANN[1:]
    assert "_Why you: step 1: you are named by it" in message.shown
    found = await night.told(alert_id, ann)
    assert {one["contactKind"]: one["state"] for one in found["notifications"]}["SLACK"] == "SENT"
    await night.press(message, "acknowledge")
    await night.look(alert_id)
    await night.tick(MINUTE)
    assert "*Acknowledged by " in message.shown
    assert (await night.told(alert_id, ann))["status"] == "ACKNOWLEDGED"


async def test_rules_quiet_hours_and_why_know_slack(night: SlackNight, ann: Person) -> None:
    method_id = await night.linked(ann)
    rule = {"severities": ["CRITICAL"], "steps": [{"contactMethodId": method_id, "delay": "PT0S"}]}
    await night.api.change("setNotificationRules", {"rules": [rule]}, "preferences { version }", who=ann)
    await night.escalates_to(("USER", ann.id))
    alert_id = await night.alert()
    await night.tick()
    (one,) = (await night.told(alert_id, ann))["notifications"]
    assert (one["contactKind"], one["state"]) == ("SLACK", "SENT")
    assert one["why"] == "step 1: you are named by it; by step 1 of your rule for critical"
    why = """query($alert: ID!, $user: ID!) { whyNotified(alertId: $alert, userId: $user) {
      told { notification { contactKind state } } reasonsNot } }"""
    asked = {"alert": alert_id, "user": str(ann.id)}
    found = (await night.api.data(why, asked, who=ann))["whyNotified"]
    assert [one["notification"] for one in found["told"]] == [{"contactKind": "SLACK", "state": "SENT"}]


async def test_a_member_who_left_is_told_by_what_is_left(night: SlackNight, ann: Person) -> None:
    method_id = await night.linked(ann)
    rule = {"severities": ["CRITICAL"], "steps": [{"contactMethodId": method_id, "delay": "PT0S"}]}
    await night.api.change("setNotificationRules", {"rules": [rule]}, "preferences { version }", who=ann)
    await night.escalates_to(("USER", ann.id))
    night.slack.members.discard(ANN)
    alert_id = await night.alert()
    await night.tick()
    await night.tick(timedelta(seconds=1))
    found = {one["contactKind"]: one for one in (await night.told(alert_id, ann))["notifications"]}
    assert found["SLACK"]["state"] == "FAILED"
    assert found["EMAIL"]["state"] == "MAILED"
    mine = await night.api.data("{ me { contactMethods { id isUsable disabledReason } } }", who=ann)
    (method,) = [one for one in mine["me"]["contactMethods"] if one["id"] == method_id]
    assert (method["isUsable"], method["disabledReason"].split(";")[0]) == (False, "channel_not_found")


async def test_without_an_app_there_is_no_such_contact_method(
    application_url: str, tmp_path: Path, slack: SlackDouble
) -> None:
    none = {"slack_bot_token": None, "slack_signing_secret": None}
    async with slack_night(application_url, tmp_path, slack, **none) as night:
        eve = await night.api.person(Role.OPERATOR)
        answer = await night.api.change(
            "addContactMethod", {"kind": "SLACK", "address": ANN}, "contactMethod { id }", who=eve
        )
        assert (answer["code"], answer["message"]) == ("INVALID_INPUT", "this installation has no app in Slack")
        assert (await night.api.http.post("/slack/interactions", content=b"payload=")).status_code == 403


async def test_an_alert_of_low_severity_goes_by_mail_alone(night: SlackNight, ann: Person) -> None:
    await night.linked(ann)
    await night.escalates_to(("USER", ann.id))
    await night.alert(severity=Severity.LOW)
    await night.tick()
    assert night.slack.messages == []
