"""Does a message with buttons say what its template says, follow its alerts, and keep its buttons? (N1)."""

from datetime import timedelta

import pytest

from domain.identity.model import Role
from tests.api import Person
from tests.integration.contacts.slack_night import SlackNight
from tests.slack_double import CHANNEL

MINUTE = timedelta(minutes=1)
SHOWN = "query($id: ID!) { channel(id: $id) { templateFailures templateProblem } }"


@pytest.fixture
def night(slack_night: SlackNight) -> SlackNight:
    return slack_night


async def test_a_channels_template_is_said_anew_at_each_change(night: SlackNight, ann: Person) -> None:
    manager = await night.api.person(Role.MANAGER)
    channel_id = await night.channel(manager, CHANNEL)
    await night.escalates_to(("CHANNEL", channel_id))
    source = "{% if isOver %}over: {% endif %}*{{ alert.title }}*"
    for kind, text in (("PAGE", source), ("RESOLVED", "the end of {{ alert.title }}")):
        what = {"kind": kind, "source": text, "channelId": channel_id}
        answer = await night.api.change("setMessageTemplate", what, "template { id }", who=manager)
        assert answer["__typename"] == "SetMessageTemplateSuccess", answer
    await night.linked(ann)
    alert_id = await night.alert(title="Disk <full>")
    await night.tick()
    (message,) = night.slack.messages
    assert message.shown == f"*Disk &lt;full&gt;*\n`{alert_id}`"
    assert set(message.buttons) == {"acknowledge", "resolve", "snooze"}
    await night.press(message, "acknowledge")
    await night.look(alert_id)
    await night.tick()
    assert message.shown.startswith("*Disk &lt;full&gt;*\n*Acknowledged by ")
    await night.press(message, "resolve")
    await night.look(alert_id)
    await night.tick()
    assert message.shown.startswith("over: *Disk &lt;full&gt;*\n*Resolved by ")
    assert message.buttons == {}
    (reply,) = night.slack.messages[1:]
    assert (reply.thread_ts, reply.text) == (message.ts, "the end of Disk &lt;full&gt;")


async def test_a_template_that_fails_is_counted_once_and_the_built_in_words_follow(
    night: SlackNight,
    ann: Person,
) -> None:
    manager = await night.api.person(Role.MANAGER)
    channel_id = await night.channel(manager, CHANNEL)
    await night.escalates_to(("CHANNEL", channel_id))
    what = {"kind": "PAGE", "source": "{{ alert.title | date }}", "channelId": channel_id}
    await night.api.change("setMessageTemplate", what, "template { id }", who=manager)
    await night.linked(ann)
    alert_id = await night.alert()
    await night.tick()
    (message,) = night.slack.messages
    assert "*CRITICAL: Payments down*" in message.shown
    await night.press(message, "acknowledge")
    await night.look(alert_id)
    await night.tick(MINUTE)
    assert "*Acknowledged by " in message.shown
    shown = (await night.api.data(SHOWN, {"id": channel_id}, who=manager))["channel"]
    assert shown["templateFailures"] == 1, "a change of the message is none that leaves"
    assert shown["templateProblem"].startswith("line 1: date: ")


async def test_a_direct_message_says_what_the_template_of_slack_says(night: SlackNight, ann: Person) -> None:
    manager = await night.api.person(Role.MANAGER)
    what = {"medium": "SLACK", "kind": "PAGE", "source": "Up, {{ alert.service }}!"}
    answer = await night.api.change("setPersonMessageTemplate", what, "template { id }", who=manager)
    assert answer["__typename"] == "SetPersonMessageTemplateSuccess", answer
    await night.linked(ann)
    await night.escalates_to(("USER", ann.id))
    alert_id = await night.alert()
    await night.tick()
    (message,) = night.slack.messages
    assert message.shown.startswith("Up, shop!\n_Why you: ")
    assert set(message.buttons) == {"acknowledge", "resolve", "snooze"}
    await night.press(message, "acknowledge")
    await night.look(alert_id)
    await night.tick()
    assert message.shown.startswith("Up, shop!\n*Acknowledged by ")
