"""Can anybody but a proved member press a button, and for more than their role gives? Over real TLS (N4, security)."""

import json
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from persistence.tables import slack_answers
from tests.api import Person
from tests.integration.contacts.slack_night import SlackNight
from tests.slack_double import ANN, BOB, Message, pressed, signed

PATH = "/slack/interactions"
WRONG = {"x-slack-signature": "v0=" + "0" * 64}


@pytest.fixture
def night(slack_night: SlackNight) -> SlackNight:
    return slack_night


@pytest.fixture
async def message(night: SlackNight, channel: str) -> Message:
    """One in a channel, with buttons."""
    del channel
    await night.alert()
    await night.tick()
    (posted,) = night.slack.messages
    return posted


async def status(night: SlackNight) -> str:
    found: str = await night.database.fetchval("SELECT status::text FROM alerts")
    return found


async def test_a_call_that_is_not_signed_or_came_before_changes_nothing(
    night: SlackNight, ann: Person, message: Message
) -> None:
    """Spoofed, changed, old and repeated calls. API2:2023, ASVS 5 V4.1.5."""
    await night.linked(ann)
    at = night.api.clock.now().timestamp()
    body, headers = night.slack.press(message, "acknowledge", ANN, at=at)
    for wrong in (
        {},
        {**headers, **WRONG},
        signed(body, at=at, secret="another"),
        signed(body + b"x", at=at),
        {**headers, "x-slack-request-timestamp": str(int(at) + 1)},
        signed(body, at=at - 301),
        signed(body, at=at + 400),
    ):
        assert (await night.api.http.post(PATH, content=body, headers=wrong)).status_code == 403
    assert await status(night) == "active"
    assert (await night.api.http.post(PATH, content=body, headers=headers)).status_code == 200
    assert await status(night) == "acknowledged"
    await night.database.execute("UPDATE alerts SET status = 'active'")
    assert (await night.api.http.post(PATH, content=body, headers=headers)).status_code == 403, "the same once more"
    assert await status(night) == "active"
    assert (await night.api.http.get(PATH)).status_code == 405


async def test_a_member_who_did_not_prove_it_is_nobody(night: SlackNight, ann: Person, message: Message) -> None:
    """To type somebody's member ID gives no part of it, neither theirs nor one's own. API2:2023."""
    what = {"kind": "SLACK", "address": ANN}
    added = await night.api.change("addContactMethod", what, "contactMethod { id }", who=ann)
    await night.press(message, "acknowledge", ANN)
    assert await status(night) == "active"
    # Somebody else types the same ID: the code goes to its owner, and theirs does not prove this one.
    eve = await night.api.person(Role.OPERATOR)
    evil = await night.api.change("addContactMethod", what, "contactMethod { id }", who=eve)
    await night.tick(timedelta(minutes=1))
    codes = [one.text[:6] for one in night.slack.messages if one.conversation == "D" + ANN[1:]]
    assert len(codes) == 2
    tried = {"id": evil["contactMethod"]["id"], "code": codes[0]}
    refused = await night.api.change("verifyContactMethod", tried, "contactMethod { id }", who=eve)
    assert refused["__typename"] == "InvalidCredentials"
    foreign = {"id": added["contactMethod"]["id"], "code": codes[0]}
    refused = await night.api.change("verifyContactMethod", foreign, "contactMethod { id }", who=eve)
    assert refused["__typename"] == "NotFound"


async def test_whoever_left_or_let_go_of_it_presses_in_vain(night: SlackNight, ann: Person, message: Message) -> None:
    """An account that ended, and a method that was removed, act no more. API2:2023, ASVS 5 V7.4.2."""
    method_id = await night.linked(ann)
    await night.database.execute("UPDATE users SET is_active = false WHERE id = $1", ann.id)
    await night.press(message, "acknowledge", ANN)
    assert await status(night) == "active"
    await night.database.execute("UPDATE users SET is_active = true WHERE id = $1", ann.id)
    await night.api.change("removeContactMethod", {"id": method_id}, "contactMethodId", who=ann)
    await night.press(message, "acknowledge", ANN)
    assert await status(night) == "active"


async def test_a_button_gives_no_more_than_the_role(night: SlackNight, message: Message) -> None:
    """Function level authorisation. API5:2023."""
    viewer = await night.api.person(Role.VIEWER)
    await night.linked(viewer, BOB)
    for action in ("acknowledge", "resolve", "snooze"):
        await night.press(message, action, BOB)
    await night.tick()
    assert await status(night) == "active"
    assert {one["text"] for one in night.slack.answers} == {
        "Nothing changed: Your role does not allow you to answer alerts."
    }


async def test_a_button_does_not_see_further_than_its_presser(night: SlackNight, ann: Person) -> None:
    """An alert of a private team, by its id: as if it were not there. API1:2023, ASVS 5 V8.2.2."""
    await night.linked(ann)
    secret = await night.api.team("Secret", is_private=True)
    hidden = await night.alert(team_id=secret.id, title="Hush")
    for value in (f"{hidden}:1", "all:" + hidden):
        payload = action_payload("resolve", value, url=night.slack.url)
        body, headers = pressed(payload, at=night.api.clock.now().timestamp())
        assert (await night.api.http.post(PATH, content=body, headers=headers)).status_code == 200
        night.api.clock.ahead += timedelta(seconds=1)
    night.now = night.api.clock.now()
    await night.tick()
    assert await status(night) == "active"
    assert {one["text"] for one in night.slack.answers} == {"There is nothing to answer with this button any more."}


async def test_a_button_of_before_does_not_answer_what_began_anew(
    night: SlackNight, ann: Person, message: Message
) -> None:
    await night.linked(ann)
    await night.database.execute("UPDATE alerts SET episode = 2")
    await night.press(message, "resolve", ANN)
    assert await status(night) == "active"


def action_payload(action: str, value: object, *, url: str, **more: object) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": ANN},
        "response_url": f"{url}/actions/1",
        "actions": [{"type": "button", "action_id": action, "value": value}],
        **more,
    }


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"payload=",
        b"payload=%7B",
        b"payload=null",
        b"payload=%5B%5D",
        b"payload=%22x%22",
        b"payload=" + b"%5B" * 50_000,
        b"payload=%7B%22type%22%3A%22%5Cud800%22%7D",
        b"payload=%FF%FE",
        b"&".join(b"a=%d" % number for number in range(5_000)),
        b"x" * 300_000,
    ],
    ids=["empty", "no value", "cut", "null", "list", "text", "deep", "surrogate", "no utf-8", "many", "large"],
)
async def test_no_body_breaks_the_door(night: SlackNight, body: bytes) -> None:
    """What is signed is not therefore well formed. ASVS 5 V2.2.1, API8:2023."""
    headers = signed(body, at=night.api.clock.now().timestamp())
    answer = await night.api.http.post(PATH, content=body, headers=headers)
    assert answer.status_code in {200, 403}
    assert answer.content == b""


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("acknowledge", "1 OR 1=1:1"),
        ("acknowledge", "\u0000"),
        ("acknowledge", ["x"]),
        ("acknowledge", None),
        ("acknowledge", "0197c7a0-0000-7000-8000-000000000000:99999999999999999999"),
        ("acknowledge", "0197c7a0-0000-7000-8000-000000000000:\u0663"),
        ("acknowledge", "all:all"),
        ("drop_table", "0197c7a0-0000-7000-8000-000000000000:1"),
    ],
    ids=["sql", "nul", "list", "null", "number", "digit", "all", "action"],
)
async def test_no_value_breaks_the_door(night: SlackNight, ann: Person, action: str, value: object) -> None:
    """Nor is what stands in a button. ASVS 5 V2.2.1."""
    await night.linked(ann)
    payload = action_payload(action, value, url=night.slack.url)
    body, headers = pressed(payload, at=night.api.clock.now().timestamp())
    assert (await night.api.http.post(PATH, content=body, headers=headers)).status_code == 200


async def test_an_answer_goes_nowhere_but_outside(night: SlackNight, ann: Person, message: Message) -> None:
    """The address for an answer is never one of our own network, nor plain. API7:2023, ASVS 5 V1.3.6."""
    await night.linked(ann)
    (button,) = [message.buttons["acknowledge"]]
    for number, url in enumerate(("http://169.254.169.254/", "file:///etc/passwd", "https://[::1]/", 7)):
        payload = action_payload("acknowledge", button["value"], url="", response_url=url, trigger_id=str(number))
        body, headers = pressed(payload, at=night.api.clock.now().timestamp())
        assert (await night.api.http.post(PATH, content=body, headers=headers)).status_code == 200
    night.now = night.api.clock.now()
    await night.tick()
    async with night.engine.connect() as connection:
        assert await connection.scalar(sa.select(sa.func.count()).select_from(slack_answers)) == 0
    assert night.slack.answers == []


async def test_what_waits_to_be_answered_is_sealed(night: SlackNight, ann: Person, message: Message) -> None:
    """The address for an answer lets its holder speak in the channel. ASVS 5 V13.3.1."""
    await night.linked(ann)
    await night.press(message, "acknowledge", ANN)
    async with night.engine.connect() as connection:
        (kept,) = list(await connection.scalars(sa.select(slack_answers.c.content)))
    assert night.slack.url.encode() not in kept
    assert json.dumps("Acknowledged")[1:-1].encode() not in kept


async def test_a_message_tells_a_channel_nothing_more_once_its_alert_is_a_private_teams(
    night: SlackNight, channel: str
) -> None:
    """OWASP API1:2023, ASVS 5 V8.2.2: what the alert is called there by now is for its team."""
    del channel
    alert_id = await night.alert()
    await night.tick()
    (message,) = night.slack.messages
    secret = await night.api.team("Vault", is_private=True)
    await night.move(alert_id, team_id=secret.id, title="Whom we will dismiss", status="acknowledged")
    await night.tick(timedelta(minutes=1))
    assert "Payments down" in message.shown
    assert message.updates == 0
