"""Does mail leave by SendGrid and SES as they document; does what they call back count once, and forward? (N1, N4)."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import boto3
import orjson
import pytest
import sqlalchemy as sa
from sendgrid.helpers.mail import ClickTracking, Content, CustomArg, From, Header, To, TrackingSettings
from sendgrid.helpers.mail import Mail as OracleMail
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.model import Severity
from domain.channels.circuit import FIRST_REST, LONGEST_REST, THRESHOLD
from domain.identity.model import Role
from domain.ids import new_id
from domain.mail.feedback import MAIL_TAG
from domain.mail.model import Mail, MailKind, Posted
from graphql_api.mail_events import ses_http
from jobs.mail import SERVER_REST, send_mail
from jobs.paging import page, settle_notifications
from jobs.sendgrid import written as written_for_sendgrid
from persistence.engine import create_engine
from persistence.escalations import reconcile
from persistence.tables import outgoing_mail
from persistence.unit_of_work import UnitOfWork
from tests.api import Api, Person, api_settings, running_api
from tests.log_writer import insert_alert
from tests.mail_doubles import ACCESS, KEY, REGION, SECRET, SENDER, TOPIC, SendGridDouble, SesDouble, serving
from tests.unit.webhooks.sns_signer import FakeAws, certificate, signed
from tocsin.doctor.mail import check_mail
from tocsin.doctor.report import State

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ADDRESS = "ann.pages@example.net"
METHOD = "contactMethod { id isUsable disabledReason }"
MINE = "{ me { contactMethods { id kind isUsable disabledReason } } }"
TOLD = "query($id: ID!) { alert(id: $id) { notifications { state contactKind problem } } }"


@dataclass
class Post:
    """The jobs, run by hand with the time the test says."""

    api: Api
    double: SendGridDouble | SesDouble
    engine: AsyncEngine
    database: asyncpg.Connection
    aws: FakeAws
    now: datetime

    async def put(self, **more: object) -> UUID:
        values: dict[str, Any] = {"to": ADDRESS, "subject": "Hello", "text": "A line.\n", **more}
        async with UnitOfWork(self.engine) as unit:
            made: UUID = await unit.mail.post(Mail(kind=MailKind.SECURITY_NOTICE, **values))
            await unit.commit()
        self.now = datetime.now(tz=UTC) + timedelta(seconds=1)
        return made

    async def send(self, later: timedelta = timedelta(0)) -> int:
        self.now += later
        return await send_mail(self.engine, self.api.settings, self.now)

    async def tick(self, later: timedelta = timedelta(0)) -> None:
        self.now += later
        await page(self.engine, self.api.settings, self.now)
        await send_mail(self.engine, self.api.settings, max(self.now, datetime.now(tz=UTC)) + timedelta(seconds=5))
        await settle_notifications(self.engine, self.api.settings, self.now)

    async def row(self, mail_id: UUID) -> Any:  # noqa: ANN401 - a row
        async with self.engine.connect() as connection:
            return (await connection.execute(sa.select(outgoing_mail).where(outgoing_mail.c.id == mail_id))).one()

    async def events(self, *events: dict[str, Any], **headers: str) -> int:
        body = orjson.dumps(list(events))
        assert isinstance(self.double, SendGridDouble)
        given = {**self.double.signed(body), **headers}
        return (await self.api.http.post("/mail/sendgrid/events", content=body, headers=given)).status_code

    async def event_of_ses(self, event: dict[str, Any], **fields: str) -> int:
        sent_at = self.api.clock.now().isoformat()
        message = signed(orjson.dumps(event).decode(), **{"TopicArn": TOPIC, "Timestamp": sent_at, **fields})
        answer = await self.api.http.post("/mail/ses/events", content=orjson.dumps(message))
        return answer.status_code


@asynccontextmanager
async def posting(url: str, folder: Path, double: SendGridDouble | SesDouble, aws: FakeAws) -> AsyncIterator[Post]:
    async with serving(double):
        settings = api_settings(url, folder, **double.settings())
        async with running_api(settings) as api:
            engine = create_engine(settings, pool_size=3)
            database = await asyncpg.connect(url)
            yield Post(api, double, engine, database, aws, api.clock.now())
            await database.close()
            await engine.dispose()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    now = datetime.now(tz=UTC)
    day = timedelta(days=1)
    fake = FakeAws(lambda: certificate(not_before=now - day, not_after=now + day))
    monkeypatch.setattr(ses_http, "HttpsSnsClient", lambda: fake)
    return fake


@pytest.fixture
async def sendgrid(application_url: str, tmp_path: Path, aws: FakeAws) -> AsyncIterator[Post]:
    async with posting(application_url, tmp_path, SendGridDouble(), aws) as post:
        yield post


@pytest.fixture
async def ses(application_url: str, tmp_path: Path, aws: FakeAws) -> AsyncIterator[Post]:
    async with posting(application_url, tmp_path, SesDouble(), aws) as post:
        yield post


async def paged(post: Post) -> tuple[str, Person, UUID]:
    """An alert that was mailed to a proved address of a person; and the mail's id."""
    ann = await post.api.person(Role.OPERATOR, email="ann@example.com")
    made = await post.api.change("addContactMethod", {"kind": "EMAIL", "address": ADDRESS}, METHOD, who=ann)
    await post.tick()
    code = re.search(r"\d{6}", text_of(post.double.taken[-1]))
    assert code is not None
    proof = {"id": made["contactMethod"]["id"], "code": code[0]}
    assert (await post.api.change("verifyContactMethod", proof, METHOD, who=ann))["contactMethod"]["isUsable"]
    manager = await post.api.person(Role.MANAGER)
    steps = [{"delay": "PT0M", "targets": [{"kind": "USER", "id": str(ann.id)}]}]
    await post.api.change("createEscalationPolicy", {"name": "Wake", "steps": steps}, "policy { id }", who=manager)
    post.double.taken.clear()
    alert_id = await insert_alert(post.database, severity=Severity.CRITICAL, title="Payments down")
    post.now = post.api.clock.now()
    async with post.engine.begin() as connection:
        await reconcile(connection, [alert_id], now=post.now)
    await post.tick()
    method = await post.database.fetchrow(
        "SELECT mail_id FROM notifications WHERE contact_method_id = $1", UUID(proof["id"])
    )
    assert method is not None, "the proved address was told"
    return str(alert_id), ann, method["mail_id"]


def text_of(taken: dict[str, Any]) -> str:
    """The plain text of what either double took."""
    if "personalizations" in taken:
        return str(taken["content"][0]["value"])
    found = message_from_bytes(base64.b64decode(taken["Content"]["Raw"]["Data"]), policy=default)
    body = found.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def states(post: Post, alert_id: str, ann: Person) -> list[tuple[str, str]]:
    found = (await post.api.data(TOLD, {"id": alert_id}, who=ann))["alert"]["notifications"]
    return [(one["contactKind"], one["state"]) for one in found]


# --- SendGrid: sending ---------------------------------------------------------------------------------------------


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


# --- SendGrid: events ----------------------------------------------------------------------------------------------


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


# --- SES -----------------------------------------------------------------------------------------------------------


async def test_a_mail_leaves_by_ses_as_its_own_library_would_ask(ses: Post) -> None:
    mail_id = await ses.put(subject="Grüße", text="Zeile\n")
    assert await ses.send() == 1, "the double has checked the signature"
    (taken,) = ses.double.taken
    raw = base64.b64decode(taken["Content"]["Raw"]["Data"])
    message = message_from_bytes(raw, policy=default)
    assert (message["To"], message["From"], message["Subject"]) == (ADDRESS, SENDER, "Grüße")
    assert message["Message-ID"] == f"<{mail_id}@example.org>"
    client = boto3.client(
        "sesv2",
        region_name=REGION,
        endpoint_url=ses.double.url,
        aws_access_key_id=ACCESS,
        aws_secret_access_key=SECRET,
    )
    await asyncio.to_thread(
        client.send_email,
        FromEmailAddress=SENDER,
        Destination={"ToAddresses": [ADDRESS]},
        Content={"Raw": {"Data": raw}},
        EmailTags=[{"Name": MAIL_TAG, "Value": str(mail_id)}],
        ConfigurationSetName="tocsin",
    )
    client.close()
    assert ses.double.taken[1] == taken
    assert (await ses.row(mail_id)).provider_message_id == "0102-1"


@pytest.mark.parametrize(
    ("status", "kind", "message", "is_over"),
    [
        (400, "MessageRejected", "The message contains a virus.", True),
        (400, "BadRequestException", "Missing final '@domain'", True),
        (400, "MessageRejected", "Email address is not verified. The following identities failed the check", False),
        (400, "MailFromDomainNotVerifiedException", "pending", False),
        (400, "AccountSuspendedException", "suspended", False),
        (400, "SendingPausedException", "paused", False),
        (404, "NotFoundException", "no such configuration set", False),
        (429, "TooManyRequestsException", "Maximum sending rate exceeded.", False),
        (500, "InternalFailure", "", False),
    ],
    ids=["virus", "address", "sandbox", "sender", "suspended", "paused", "unset", "rate", "outage"],
)
async def test_refusals_of_ses_are_the_mails_or_the_accounts(
    ses: Post, status: int, kind: str, message: str, is_over: bool
) -> None:
    mail_id = await ses.put()
    ses.double.refusals.append((status, {"message": message}, {"x-amzn-ErrorType": f"{kind}:http://internal.aws/"}))
    assert await ses.send() == 0
    row = await ses.row(mail_id)
    assert (row.failed_at is not None) == is_over
    assert row.bounced_at is None
    assert row.last_error.startswith(f"{status} {kind}: ")
    assert await ses.send(HOUR) == (0 if is_over else 1)


async def test_a_wrong_secret_of_aws_is_the_accounts_trouble(ses: Post) -> None:
    mail_id = await ses.put()
    wrong = type(ses.api.settings).model_validate({**ses.api.settings.model_dump(), "ses_secret_access_key": "another"})
    assert await send_mail(ses.engine, wrong, ses.now) == 0
    assert "SignatureDoesNotMatch" in (await ses.row(mail_id)).last_error
    assert await ses.send(HOUR) == 1


async def test_a_permanent_bounce_of_ses_disables_and_a_passing_one_does_not(ses: Post) -> None:
    alert_id, ann, mail_id = await paged(ses)
    mail = {"messageId": "0102-1", "tags": {MAIL_TAG: [str(mail_id)]}}
    assert await ses.event_of_ses({"eventType": "Send", "mail": mail, "send": {}}) == 204
    assert ("EMAIL", "SENT") in await states(ses, alert_id, ann)
    assert await ses.event_of_ses({"eventType": "Delivery", "mail": mail, "delivery": {}}) == 204
    assert ("EMAIL", "DELIVERED") in await states(ses, alert_id, ann)
    recipient = {"emailAddress": ADDRESS, "status": "5.1.1", "diagnosticCode": f"smtp; 550 {ADDRESS} user unknown"}
    bounce = {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [recipient]}
    assert await ses.event_of_ses({"eventType": "Bounce", "mail": mail, "bounce": bounce}) == 204
    row = await ses.row(mail_id)
    assert row.last_error == "bounce, Permanent: smtp; 550 the recipient user unknown"
    methods = (await ses.api.data(MINE, who=ann))["me"]["contactMethods"]
    assert [one["isUsable"] for one in methods if one["disabledReason"]] == [False]
    other = await ses.put()
    await ses.send()
    passing = {**bounce, "bounceType": "Transient", "bounceSubType": "MailboxFull"}
    about = {"eventType": "Bounce", "mail": {"tags": {MAIL_TAG: [str(other)]}}, "bounce": passing}
    assert await ses.event_of_ses(about) == 204
    row = await ses.row(other)
    assert (row.failed_at is not None, row.bounced_at) == (True, None)


async def test_only_our_own_topic_signed_by_sns_counts(ses: Post) -> None:
    """Anybody may have SNS sign what they like, with a topic of their own. API2:2023, ASVS 5 V4.1.1."""
    mail_id = await ses.put()
    await ses.send()
    bounce = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": ADDRESS}]}
    event = {"eventType": "Bounce", "mail": {"tags": {MAIL_TAG: [str(mail_id)]}}, "bounce": bounce}
    theirs = "arn:aws:sns:eu-west-1:999999999999:mine"
    assert await ses.event_of_ses(event, TopicArn=theirs) == 403
    subscription = {"Type": "SubscriptionConfirmation", "Token": "abc"}
    url = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={theirs}&Token=abc"
    assert await ses.event_of_ses(event, TopicArn=theirs, **subscription, SubscribeURL=url) == 403
    assert ses.aws.confirmed == [], "no subscription to a topic of theirs"
    message = signed(orjson.dumps(event).decode(), TopicArn=TOPIC, Timestamp=ses.api.clock.now().isoformat())
    changed = {**message, "Message": message["Message"].replace("Permanent", "Transient")}
    for body in (orjson.dumps(changed), b"[]", b"{}", b"\xff"):
        answer = await ses.api.http.post("/mail/ses/events", content=body)
        assert answer.status_code in {403, 422}
    old = (ses.api.clock.now() - 2 * HOUR).isoformat()
    assert await ses.event_of_ses(event, Timestamp=old) == 403
    assert (await ses.row(mail_id)).failed_at is None
    url = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=abc"
    assert await ses.event_of_ses(event, **subscription, SubscribeURL=url) == 204
    assert ses.aws.confirmed == [url]
    assert (await ses.row(mail_id)).failed_at is None, "a confirmation is no event"
    assert await ses.event_of_ses(event) == 204
    assert (await ses.row(mail_id)).bounced_at is not None


# --- The doctor ----------------------------------------------------------------------------------------------------


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


async def test_the_doctor_sees_a_paused_account_of_ses(ses: Post) -> None:
    assert isinstance(ses.double, SesDouble)
    assert (await check_mail(ses.api.settings)).state is State.OK
    ses.double.account["ProductionAccessEnabled"] = False
    assert "proved addresses" in (await check_mail(ses.api.settings)).detail
    ses.double.account["SendingEnabled"] = False
    assert "paused" in (await check_mail(ses.api.settings)).detail


def test_a_person_whose_address_has_a_domain_in_other_letters() -> None:
    mail = Mail(to="ada@bücher.example", subject="s", text="t", kind=MailKind.SECURITY_NOTICE)
    now = datetime.now(tz=UTC)
    posted = Posted(id=new_id(), mail=mail, attempt=1, created_at=now, expires_at=now + HOUR)
    body = written_for_sendgrid(posted, sender="tocsin@example.org")
    assert body["personalizations"][0]["to"] == [{"email": "ada@xn--bcher-kva.example"}]
    assert body["from"] == {"email": "tocsin@example.org"}
