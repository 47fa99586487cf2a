"""Does mail leave by SendGrid as it documents, and wait while it is away? (N1, N4)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sendgrid.helpers.mail import ClickTracking, Content, CustomArg, From, Header, To, TrackingSettings
from sendgrid.helpers.mail import Mail as OracleMail

from domain.channels.circuit import FIRST_REST, LONGEST_REST, THRESHOLD
from domain.ids import new_id
from domain.mail.feedback import MAIL_TAG
from domain.mail.model import Mail, MailKind, Posted
from jobs.mail import SERVER_REST
from jobs.sendgrid import written as written_for_sendgrid
from tests.integration.mail.posts import ADDRESS, HOUR, Post
from tests.mail_doubles import KEY, SENDER, SendGridDouble
from tocsin.doctor.mail import check_mail
from tocsin.doctor.report import State


async def test_a_mail_leaves_by_sendgrid_as_its_own_library_would_write_it(sendgrid: Post) -> None:
    mail_id = await sendgrid.put(subject="Grüße", text="Zeile\n", html="<p>Zeile</p>")
    assert await sendgrid.send() == 1
    (taken,) = sendgrid.double.taken
    oracle = OracleMail(
        From("tocsin@example.org", "Tocsin"),
        To(ADDRESS),
        "Grüße",
        plain_text_content=Content("text/plain", "Zeile\n"),
        html_content=Content("text/html", "<p>Zeile</p>"),
    )
    oracle.add_custom_arg(CustomArg(MAIL_TAG, str(mail_id)))
    for name, value in (
        ("Message-ID", f"<{mail_id}@example.org>"),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
    ):
        oracle.add_header(Header(name, value))
    oracle.tracking_settings = TrackingSettings(click_tracking=ClickTracking(enable=False, enable_text=False))
    expected = oracle.get()
    # The library writes the argument beside the recipient's; SendGrid merges both.
    expected["personalizations"][0]["custom_args"] = expected.pop("custom_args", None) or expected["personalizations"][
        0
    ].get("custom_args")
    headers = expected.pop("headers", None) or expected["personalizations"][0].pop("headers")
    assert taken == {**expected, "headers": headers}
    assert sendgrid.double.headers[0]["authorization"] == f"Bearer {KEY}"
    row = await sendgrid.row(mail_id)
    assert (row.provider_message_id, row.recipient, row.content) == ("sg1", None, None)


@pytest.mark.parametrize(
    ("status", "body", "headers", "is_over", "is_bounce"),
    [
        (400, {"errors": [{"field": "personalizations.0.to", "message": "not an address"}]}, {}, True, True),
        (400, {"errors": [{"field": "content.0.value", "message": "too odd"}]}, {}, True, False),
        (413, {"errors": [{"message": "too large"}]}, {}, True, False),
        (401, {"errors": [{"message": "authorization required"}]}, {}, False, False),
        (403, {"errors": [{"message": "from address does not match a verified identity"}]}, {}, False, False),
        (429, {"errors": [{"message": "too many requests"}]}, {"Retry-After": "600"}, False, False),
        (503, {}, {}, False, False),
    ],
    ids=["address", "content", "too-large", "key", "sender", "rate", "outage"],
)
async def test_sendgrids_refusals_are_the_mails_or_the_accounts(
    sendgrid: Post, status: int, body: dict[str, Any], headers: dict[str, str], is_over: bool, is_bounce: bool
) -> None:
    mail_id = await sendgrid.put()
    sendgrid.double.refusals.append((status, body, headers))
    assert await sendgrid.send() == 0
    row = await sendgrid.row(mail_id)
    assert (row.failed_at is not None, row.bounced_at is not None) == (is_over, is_bounce)
    assert str(status) in row.last_error
    if is_over:
        return
    if headers:
        assert await sendgrid.send(timedelta(seconds=590)) == 0, "what Retry-After asks for is waited"
        assert row.next_attempt_at >= sendgrid.now
    assert await sendgrid.send(HOUR) == 1


async def test_while_sendgrid_is_away_nothing_is_asked_for_each_mail(sendgrid: Post) -> None:
    for _ in range(5):
        await sendgrid.put()
    sendgrid.double.refusals.append((503, {}, {}))
    assert await sendgrid.send() == 0
    assert sendgrid.double.asked == 1, "the first trouble of the provider's leaves the rest for later"
    assert await sendgrid.send(2 * SERVER_REST) == 5


def test_a_person_whose_address_has_a_domain_in_other_letters() -> None:
    mail = Mail(to="ada@bücher.example", subject="s", text="t", kind=MailKind.SECURITY_NOTICE)
    now = datetime.now(tz=UTC)
    posted = Posted(id=new_id(), mail=mail, attempt=1, created_at=now, expires_at=now + HOUR)
    body = written_for_sendgrid(posted, sender="tocsin@example.org")
    assert body["personalizations"][0]["to"] == [{"email": "ada@xn--bcher-kva.example"}]
    assert body["from"] == {"email": "tocsin@example.org"}


async def test_a_provider_that_stays_away_is_asked_less_and_less_and_nothing_is_lost(sendgrid: Post) -> None:
    """Five failures in a row; then one mail is tried after each rest, and all leave with the first answer."""
    ids = [await sendgrid.put() for _ in range(3)]
    sendgrid.double.refusals += [(503, {}, {})] * (THRESHOLD + 1)
    while sendgrid.double.asked < THRESHOLD:
        assert await sendgrid.send(2 * SERVER_REST) == 0
    assert await sendgrid.send(FIRST_REST / 2) == 0
    assert sendgrid.double.asked == THRESHOLD, "it rests"
    assert await sendgrid.send(LONGEST_REST) == 0
    assert sendgrid.double.asked == THRESHOLD + 1, "one mail is tried"
    before = {(await sendgrid.row(mail_id)).attempts for mail_id in ids}
    await sendgrid.send(SERVER_REST / 2)
    assert {(await sendgrid.row(mail_id)).attempts for mail_id in ids} == before, "a rest is no attempt"
    sent = 0
    for _ in range(5):
        sent += await sendgrid.send(HOUR)
    assert sent == len(ids)


async def test_the_doctor_asks_the_provider_and_sends_nothing(sendgrid: Post) -> None:
    assert isinstance(sendgrid.double, SendGridDouble)
    settings = sendgrid.api.settings
    check = await check_mail(settings)
    assert (check.state, check.detail) == (State.OK, f"SendGrid takes mail from {SENDER}")
    sendgrid.double.scopes = ["stats.read"]
    assert "may not send mail" in (await check_mail(settings)).detail
    silent = type(settings).model_validate({**settings.model_dump(), "sendgrid_event_key": None})
    sendgrid.double.scopes = ["mail.send"]
    assert "tells nothing" in (await check_mail(silent)).detail
    assert sendgrid.double.taken == []
