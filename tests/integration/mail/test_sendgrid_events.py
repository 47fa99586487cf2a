"""Does what SendGrid calls back count once, forward, and only where it signed? (N1, N4)."""

from pathlib import Path

import orjson

from domain.mail.feedback import MAIL_TAG
from tests.api import api_settings, running_api
from tests.integration.mail.posts import ADDRESS, HOUR, MINE, MINUTE, Post, paged, states
from tests.mail_doubles import SendGridDouble


async def test_a_bounce_disables_the_address_tells_its_owner_and_another_way_is_taken(sendgrid: Post) -> None:
    alert_id, ann, mail_id = await paged(sendgrid)
    assert ("EMAIL", "SENT") in await states(sendgrid, alert_id, ann)
    bounce = {
        "email": ADDRESS,
        "event": "bounce",
        "type": "bounce",
        "status": "5.1.1",
        "reason": f"550 5.1.1 <{ADDRESS.upper()}>: user unknown",
        MAIL_TAG: str(mail_id),
    }
    assert await sendgrid.events({"event": "delivered", MAIL_TAG: str(mail_id)}, bounce) == 204
    row = await sendgrid.row(mail_id)
    assert row.bounced_at is not None
    assert row.last_error == "bounce: 550 5.1.1 <the recipient>: user unknown", "without whom it was about"
    methods = (await sendgrid.api.data(MINE, who=ann))["me"]["contactMethods"]
    (method,) = [one for one in methods if one["disabledReason"]]
    assert (method["kind"], method["isUsable"]) == ("EMAIL", False)
    assert "user unknown" in method["disabledReason"]
    sendgrid.double.taken.clear()
    await sendgrid.tick(2 * MINUTE)
    subjects = {one["subject"]: one["personalizations"][0]["to"][0]["email"] for one in sendgrid.double.taken}
    assert subjects["You are no longer reached by one of your contact methods"] == "ann@example.com"
    assert await sendgrid.events(bounce) == 204, "again: nothing more"
    await sendgrid.tick(2 * MINUTE)
    told = [one for one in sendgrid.double.taken if "no longer reached" in one["subject"]]
    assert len(told) == 1


async def test_events_go_forward_only(sendgrid: Post) -> None:
    alert_id, ann, mail_id = await paged(sendgrid)

    async def state_after(**event: object) -> str:
        assert await sendgrid.events({MAIL_TAG: str(mail_id), "email": ADDRESS, **event}) == 204
        found = await sendgrid.database.fetchval("SELECT state FROM notifications WHERE mail_id = $1", mail_id)
        return str(found)

    assert await state_after(event="processed") == "sent"
    assert await state_after(event="deferred", response="400 try again later") == "sent"
    assert await state_after(event="open", sg_machine_open=True) == "delivered", "no person has opened it"
    assert await state_after(event="open", sg_machine_open=False) == "read"
    assert await state_after(event="delivered") == "read"
    assert await state_after(event="bounce", type="blocked", reason="late") == "read"
    assert ("EMAIL", "READ") in await states(sendgrid, alert_id, ann)


async def test_an_event_before_our_own_answer_counts(sendgrid: Post) -> None:
    """A sender that was killed after SendGrid took the mail: the event says that it left, and it is not sent again."""
    mail_id = await sendgrid.put()
    assert await sendgrid.events({MAIL_TAG: str(mail_id), "event": "delivered"}) == 204
    row = await sendgrid.row(mail_id)
    assert row.sent_at is not None
    assert row.delivered_at is not None
    assert await sendgrid.send(HOUR) == 0


async def test_only_what_sendgrid_signed_counts(sendgrid: Post) -> None:
    """Forged call backs: a stranger could silence somebody by a bounce. API2:2023, ASVS 5 V4.1.1."""
    mail_id = await sendgrid.put()
    await sendgrid.send()
    event = {MAIL_TAG: str(mail_id), "event": "bounce", "type": "bounce", "reason": "x"}
    body = orjson.dumps([event])
    assert isinstance(sendgrid.double, SendGridDouble)
    good = sendgrid.double.signed(body)
    name = "X-Twilio-Email-Event-Webhook-Signature"
    stamp = "X-Twilio-Email-Event-Webhook-Timestamp"
    forged: tuple[tuple[dict[str, str], bytes], ...] = (
        ({}, body),
        ({**good, name: "AAAA"}, body),
        ({**good, name: "not base64!"}, body),
        ({**good, stamp: "1764129601"}, body),
        (good, body + b" "),
        (SendGridDouble().signed(body), body),
    )
    for headers, content in forged:
        answer = await sendgrid.api.http.post("/mail/sendgrid/events", content=content, headers=headers)
        assert answer.status_code == 403
    assert (await sendgrid.row(mail_id)).failed_at is None
    for content in (b"{", b"[null, 7]", b'{"event": 1}', b'[{"tocsin_mail": "no id", "event": "bounce"}]'):
        answer = await sendgrid.api.http.post(
            "/mail/sendgrid/events", content=content, headers=sendgrid.double.signed(content)
        )
        assert answer.status_code == (400 if content == b"{" else 204)


async def test_without_a_key_no_event_is_taken(application_url: str, tmp_path: Path) -> None:
    async with running_api(api_settings(application_url, tmp_path)) as api:
        for path in ("/mail/sendgrid/events", "/mail/ses/events"):
            assert (await api.http.post(path, content=b"[]")).status_code == 403
