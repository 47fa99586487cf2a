"""Does a page reach a phone, does a reply answer it, and what if the provider refuses? Over real HTTP (N2, N4)."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.alerts.model import Severity
from domain.identity.model import Role
from jobs.paging import page
from jobs.texts import send_texts
from persistence.tables import text_messages
from tests.api import Person
from tests.integration.contacts.text_night import METHOD, MINUTE, NUMBER, PUBLIC, REPLY, Night, paged, told, with_phone
from tests.twilio_double import INVALID, OPTED_OUT, reply_form, signed, status_form

MINE = "{ me { contactMethods { id kind isUsable disabledReason } } }"


def states(found: dict[str, Any]) -> dict[str, str]:
    return {one["contactKind"]: one["state"] for one in found["notifications"] if one["kind"] == "PAGE"}


async def test_a_page_reaches_the_phone_and_a_reply_acknowledges_it(night: Night, ann: Person) -> None:
    await with_phone(night, ann)
    await paged(night, ann)
    alert_id = await night.alert()
    assert await night.tick() == ["ann@example.com"]
    (sms,) = night.twilio.sent
    assert sms.to == NUMBER
    assert sms.body.startswith("CRITICAL: Payments down (shop)\n")
    code = REPLY.search(sms.body)
    assert code is not None
    assert code[1] == code[2]
    assert states(await told(night, alert_id, ann)) == {"EMAIL": "SENT", "SMS": "SENT"}
    assert await night.calls_back("delivered") == 204
    assert states(await told(night, alert_id, ann))["SMS"] == "DELIVERED"
    assert "Acknowledged: Payments down" in await night.reply(f" a {code[1]}. ")
    assert (await told(night, alert_id, ann))["status"] == "ACKNOWLEDGED"
    assert "Nothing changed: somebody was faster" in await night.reply(f"A {code[1]}")
    assert "Resolved: Payments down" in await night.reply(f"R {code[1]}")
    assert (await told(night, alert_id, ann))["status"] == "RESOLVED"
    async with night.engine.connect() as connection:
        kept = (await connection.execute(sa.select(text_messages.c.body))).scalars().all()
    assert kept == [None, None], "what was sent is kept nowhere"


async def test_only_a_signed_reply_from_the_number_itself_answers(night: Night, ann: Person) -> None:
    """Spoofed calls back, and codes of other people's messages. API2:2023, ASVS 5 V4.1.5."""
    await with_phone(night, ann)
    await paged(night, ann)
    alert_id = await night.alert()
    await night.tick()
    code = REPLY.search(night.twilio.sent[0].body)
    assert code is not None
    text = f"A {code[1]}"
    form = reply_form(NUMBER, text)
    path = "/sms/twilio/reply"
    for headers in (
        {"x-twilio-signature": ""},
        signed(f"{PUBLIC}{path}", form, token="another"),
        signed(f"https://elsewhere.example.com{path}", form),
        signed(f"{PUBLIC}{path}", {**form, "Body": "R 0000"}),
    ):
        assert (await night.post(path, form, **headers)).status_code == 403
    assert "nothing to answer" in await night.reply(text, sender="+4915100000000")
    assert "nothing to answer" in await night.reply(f"A {(int(code[1]) + 1) % 10_000:04}")
    assert "reply A and the four digits" in await night.reply("what is this?")
    assert (await told(night, alert_id, ann))["status"] == "ACTIVE"
    night.api.clock.ahead += timedelta(days=1, minutes=1)
    assert "nothing to answer" in await night.reply(text), "a day later"


async def test_a_reply_gives_no_more_than_the_role(night: Night) -> None:
    """Function level authorisation. API5:2023."""
    eve = await night.api.person(Role.VIEWER)
    await with_phone(night, eve)
    await paged(night, eve)
    alert_id = await night.alert()
    await night.tick()
    code = REPLY.search(night.twilio.sent[0].body)
    assert code is not None
    assert "does not allow you" in await night.reply(f"A {code[1]}")
    assert (await told(night, alert_id, eve))["status"] == "ACTIVE"


async def test_a_storm_is_one_message_a_minute(night: Night, ann: Person) -> None:
    await with_phone(night, ann)
    await paged(night, ann)
    for number in range(30):
        await night.alert(title=f"alert {number}")
    await night.tick()
    assert len(night.twilio.sent) == 1
    assert "+29 more" in night.twilio.sent[0].body
    assert len(night.twilio.sent[0].body) <= 160
    await night.alert(title="one more")
    await night.tick(timedelta(seconds=30))
    assert len(night.twilio.sent) == 1
    await night.tick(timedelta(seconds=31))
    assert len(night.twilio.sent) == 2


async def test_who_opted_out_is_told_by_what_is_left(night: Night, ann: Person) -> None:
    method_id = await with_phone(night, ann)
    await paged(night, ann)
    night.twilio.refusals.append((400, 21610, {}))
    alert_id = await night.alert(severity=Severity.CRITICAL)
    await night.tick()
    found = await told(night, alert_id, ann)
    assert states(found) == {"EMAIL": "SENT", "SMS": "FAILED"}
    methods = {one["id"]: one for one in (await night.api.data(MINE, who=ann))["me"]["contactMethods"]}
    assert not methods[method_id]["isUsable"]
    assert methods[method_id]["disabledReason"].startswith(
        "21610 Attempt to send to unsubscribed recipient; text START"
    )
    await night.alert(title="later")
    await night.tick(MINUTE)
    assert night.twilio.sent == [], "nothing more goes to it"


async def test_a_failure_brings_the_next_method_forward(night: Night, ann: Person) -> None:
    """By the person's rule SMS comes first and mail ten minutes later; the SMS fails, so mail comes at once."""
    method_id = await with_phone(night, ann)
    rule = {
        "severities": ["CRITICAL"],
        "steps": [{"contactMethodId": method_id, "delay": "PT0S"}, {"contactMethodId": str(ann.id), "delay": "PT10M"}],
    }
    answer = await night.api.change("setNotificationRules", {"rules": [rule]}, "preferences { version }", who=ann)
    assert answer["__typename"] == "SetNotificationRulesSuccess", answer
    await paged(night, ann)
    alert_id = await night.alert()
    assert await night.tick() == [], "mail waits for its step"
    assert len(night.twilio.sent) == 1
    assert await night.calls_back("undelivered", "30003") == 204
    assert await night.tick(timedelta(seconds=1)) == ["ann@example.com"]
    found = await told(night, alert_id, ann)
    assert states(found) == {"SMS": "FAILED", "EMAIL": "SENT"}
    assert await night.calls_back("delivered") == 204
    assert states(await told(night, alert_id, ann))["SMS"] == "FAILED", "what is late changes nothing"
    methods = (await night.api.data(MINE, who=ann))["me"]["contactMethods"]
    assert all(one["isUsable"] for one in methods), "a phone that is off is no wrong number"


async def test_an_answer_spares_the_later_steps(night: Night, ann: Person) -> None:
    method_id = await with_phone(night, ann)
    rule = {
        "severities": ["CRITICAL"],
        "steps": [{"contactMethodId": str(ann.id), "delay": "PT0S"}, {"contactMethodId": method_id, "delay": "PT5M"}],
    }
    await night.api.change("setNotificationRules", {"rules": [rule]}, "preferences { version }", who=ann)
    await paged(night, ann)
    first, second = await night.alert(), await night.alert(title="Disk full")
    assert await night.tick() == ["ann@example.com"]
    await night.move(first, status="acknowledged")
    await night.tick(5 * MINUTE)
    (sms,) = night.twilio.sent
    assert sms.body.startswith("CRITICAL: Disk full")
    assert "more" not in sms.body
    found = {one["contactKind"]: one for one in (await told(night, first, ann))["notifications"]}
    assert (found["SMS"]["state"], found["SMS"]["problem"]) == ("DROPPED", "somebody has answered")
    assert found["SMS"]["why"] == "step 1: you are named by it; by step 2 of your rule for critical"
    assert states(await told(night, second, ann)) == {"EMAIL": "SENT", "SMS": "SENT"}


async def test_trouble_of_the_provider_is_waited_out(night: Night, ann: Person) -> None:
    await with_phone(night, ann)
    await paged(night, ann)
    night.twilio.refusals += [(503, 0, {}), (429, 20429, {"retry-after": "300"})]
    alert_id = await night.alert()
    await night.tick()
    await night.tick(timedelta(seconds=31))
    await night.tick(timedelta(minutes=4))
    assert night.twilio.sent == [], "as long as the provider says"
    (waits,) = [one for one in (await told(night, alert_id, ann))["notifications"] if one["contactKind"] == "SMS"]
    assert (waits["state"], waits["attempts"], waits["problem"]) == ("MAILED", 2, "20429 Too Many Requests")
    await night.tick(timedelta(minutes=1))
    assert len(night.twilio.sent) == 1
    assert states(await told(night, alert_id, ann))["SMS"] == "SENT"


async def test_calls_back_go_forward_and_only_for_our_own(night: Night, ann: Person) -> None:
    await with_phone(night, ann)
    await paged(night, ann)
    alert_id = await night.alert()
    await night.tick()
    assert await night.calls_back("delivered") == 204
    for late in ("sent", "queued", "undelivered", "a new word"):
        assert await night.calls_back(late) == 204
        assert states(await told(night, alert_id, ann))["SMS"] == "DELIVERED", late
    sms = night.twilio.sent[0]
    assert sms.status_callback is not None
    path = sms.status_callback.removeprefix(PUBLIC)
    other = {**status_form(sms, "failed"), "MessageSid": "SM" + "e" * 32}
    assert (await night.post(path, other)).status_code == 404
    assert (await night.post(path, status_form(sms, "failed"), **{"x-twilio-signature": "x"})).status_code == 403
    assert (await night.post("/sms/twilio/status/nothing", status_form(sms, "failed"))).status_code == 404


async def test_numbers_that_take_no_messages_say_so_when_they_are_added(night: Night, ann: Person) -> None:
    for number, code in ((INVALID, "21211"), (OPTED_OUT, "21610")):
        what = {"kind": "SMS", "address": number}
        made = (await night.api.change("addContactMethod", what, METHOD, who=ann))["contactMethod"]
        await send_texts(night.engine, night.api.settings, night.api.clock.now())
        methods = {one["id"]: one for one in (await night.api.data(MINE, who=ann))["me"]["contactMethods"]}
        assert methods[made["id"]]["disabledReason"].startswith(code)


async def test_what_the_provider_says_of_a_number_is_kept_without_it(night: Night, ann: Person) -> None:
    """OWASP API3:2023, ASVS 5 V14.2.6: who sees an alert sees why a message failed, and an erasure leaves it there."""
    await with_phone(night, ann)
    await paged(night, ann)
    night.twilio.refusals.append((400, 21211, {}))
    await night.alert(severity=Severity.CRITICAL)
    await night.tick()
    wordings = "SELECT problem FROM notifications UNION ALL SELECT answer FROM delivery_attempts"
    texts = "SELECT last_error FROM text_messages UNION ALL SELECT disabled_reason FROM contact_methods"
    kept = [row[0] for row in await night.database.fetch(f"{wordings} UNION ALL {texts}") if row[0] is not None]
    assert any("the recipient" in one for one in kept), kept
    assert not [one for one in kept if NUMBER[1:] in one]


@pytest.mark.parametrize(
    "form",
    [{"Body": "STOP", "OptOutType": "STOP"}, {"Body": "arret", "OptOutType": "STOP"}, {"Body": " Unsubscribe "}],
    ids=["advanced", "another word", "by the word alone"],
)
async def test_who_opts_out_is_told_by_what_is_left_from_then_on(
    night: Night, ann: Person, form: dict[str, str]
) -> None:
    await with_phone(night, ann)
    await paged(night, ann)
    path = "/sms/twilio/reply"
    other = await night.post(path, {**reply_form("+4915100000000", ""), **form})
    assert "<Message>" not in other.text
    assert (await night.api.data(MINE, who=ann))["me"]["contactMethods"][-1]["isUsable"], "another's number"
    forged = await night.post(path, {**reply_form(NUMBER, ""), **form}, **{"x-twilio-signature": "x"})
    assert forged.status_code == 403
    stopped = await night.post(path, {**reply_form(NUMBER, ""), **form})
    assert "<Message>" not in stopped.text, "Twilio itself has answered"
    phone = (await night.api.data(MINE, who=ann))["me"]["contactMethods"][-1]
    assert (phone["isUsable"], "START" in phone["disabledReason"]) == (False, True)
    alert_id = await night.alert()
    assert await night.tick() == ["ann@example.com"]
    assert states(await told(night, alert_id, ann)) == {"EMAIL": "SENT"}
    assert night.twilio.sent == []


async def test_trying_a_method_shows_what_the_provider_said(night: Night, ann: Person) -> None:
    method_id = await with_phone(night, ann)
    asked = {"contactMethodId": method_id}
    made = await night.api.change("testNotification", asked, "notification { id state }", who=ann)
    assert made["notification"]["state"] == "QUEUED"
    again = await night.api.change("testNotification", asked, "notification { id }", who=ann)
    assert again["code"] == "TOO_MANY_ATTEMPTS"
    night.now = night.api.clock.now()
    await night.tick()
    assert "A test message from Tocsin" in night.twilio.sent[0].body
    query = "query($id: ID!) { notification(id: $id) { state answer deliveryAttempts { answer tookMs } } }"
    shown = {"id": made["notification"]["id"]}
    found = (await night.api.data(query, shown, who=ann))["notification"]
    (attempt,) = found["deliveryAttempts"]
    said = f"{night.twilio.sent[0].sid} queued"
    assert (found["state"], found["answer"], attempt["answer"]) == ("SENT", said, said)
    assert attempt["tookMs"] >= 0, "how long Twilio took to say so"
    other = await night.api.person(Role.ADMIN)
    assert (await night.api.data(query, shown, who=other))["notification"] is None
    answer = await night.api.change("testNotification", asked, "notification { id }", who=other)
    assert answer["code"] == "NOT_FOUND"


async def test_who_removes_a_phone_is_still_told(night: Night, ann: Person) -> None:
    method_id = await with_phone(night, ann)
    rule = {"severities": ["LOW"], "steps": [{"contactMethodId": method_id, "delay": "PT5M"}]}
    await night.api.change("setNotificationRules", {"rules": [rule]}, "preferences { version }", who=ann)
    await paged(night, ann)
    alert_id = await night.alert(severity=Severity.LOW)
    assert await night.tick() == []
    what = {"id": method_id, "evenIfItOpensGaps": True}
    gone = await night.api.change("removeContactMethod", what, "contactMethodId", who=ann)
    assert gone["contactMethodId"] == method_id
    await night.tick(5 * MINUTE)
    assert await night.tick(timedelta(seconds=1)) == ["ann@example.com"]
    assert states(await told(night, alert_id, ann)) == {"SMS": "FAILED", "EMAIL": "SENT"}
    assert night.twilio.sent == []


async def test_a_message_that_cannot_be_opened_keeps_no_other_from_leaving(night: Night, ann: Person) -> None:
    bob = await night.api.person(Role.OPERATOR, email="bob@example.com")
    await with_phone(night, ann)
    await with_phone(night, bob, "+4915123456780")
    await paged(night, ann, bob)
    alert_id = await night.alert()
    await page(night.engine, night.api.settings, night.now)
    of_ann = text_messages.c.user_id == ann.id
    async with night.engine.begin() as connection:
        waits = (of_ann, text_messages.c.sent_at.is_(None))
        await connection.execute(sa.update(text_messages).where(*waits).values(body=b"of another key"))
    mailed = await night.tick()
    assert [sms.to for sms in night.twilio.sent] == ["+4915123456780"]
    mailed += await night.tick(MINUTE)
    assert "ann@example.com" in mailed, "she is told by what is left"
    reached = {(one["user"]["id"], one["state"]) for one in (await told(night, alert_id, bob))["notifications"]}
    assert {(str(ann.id), "FAILED"), (str(ann.id), "SENT"), (str(bob.id), "SENT")} <= reached


async def test_while_text_messages_are_away_the_next_method_is_taken_and_they_come_after_all(
    night: Night, ann: Person
) -> None:
    """Twilio is down: it is asked no more after a while, the page goes by mail as well, and nothing is lost."""
    method = await with_phone(night, ann)
    account = next(
        one["id"]
        for one in (await night.api.data(MINE, who=ann))["me"]["contactMethods"]
        if one["id"] != method and one["kind"] == "EMAIL"
    )
    steps = [{"contactMethodId": method, "delay": "PT0S"}, {"contactMethodId": account, "delay": "PT1H"}]
    rules = [{"severities": ["CRITICAL"], "steps": steps}]
    saved = await night.api.change("setNotificationRules", {"rules": rules}, "__typename", who=ann)
    assert saved["__typename"].endswith("Success"), saved
    await paged(night, ann)
    night.twilio.refusals += [(503, 20500, {})] * 40
    alert_id = await night.alert()
    mails = []
    for _ in range(12):
        mails += await night.tick(2 * MINUTE)
    assert mails == ["ann@example.com"], "once, long before the hour"
    assert states(await told(night, alert_id, ann))["SMS"] == "MAILED", "it still waits"
    night.twilio.refusals.clear()
    for _ in range(2):
        await night.tick(6 * MINUTE)
    assert [sms.to for sms in night.twilio.sent] == [NUMBER]
    assert states(await told(night, alert_id, ann))["SMS"] == "SENT"
