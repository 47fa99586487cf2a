"""Does mail leave by SES as it documents, and count what it calls back once? (N1, N4)."""

import asyncio
import base64
from email import message_from_bytes
from email.policy import default

import boto3
import orjson
import pytest

from domain.mail.feedback import MAIL_TAG
from jobs.mail import send_mail
from tests.integration.mail.posts import ADDRESS, HOUR, MINE, Post, paged, states
from tests.mail_doubles import ACCESS, REGION, SECRET, SENDER, TOPIC, SesDouble
from tests.unit.webhooks.sns_signer import signed
from tocsin.doctor.mail import check_mail
from tocsin.doctor.report import State


async def test_a_mail_leaves_by_ses_as_its_own_library_would_ask(ses: Post) -> None:
    mail_id = await ses.put(subject="Grüße", text="Zeile\n")
    assert await ses.send() == 1, "the double has checked the signature"
    (taken,) = ses.double.taken
    raw = base64.b64decode(taken["Content"]["Raw"]["Data"])
    message = message_from_bytes(raw, policy=default)
    assert (message["To"], message["From"], message["Subject"]) == (ADDRESS, SENDER, "Grüße")
    assert message["Message-ID"] == f"<{mail_id}@example.org>"
    client = boto3.client(
        "sesv2", region_name=REGION, endpoint_url=ses.double.url, aws_access_key_id=ACCESS, aws_secret_access_key=SECRET
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


async def test_the_doctor_sees_a_paused_account_of_ses(ses: Post) -> None:
    assert isinstance(ses.double, SesDouble)
    assert (await check_mail(ses.api.settings)).state is State.OK
    ses.double.account["ProductionAccessEnabled"] = False
    assert "proved addresses" in (await check_mail(ses.api.settings)).detail
    ses.double.account["SendingEnabled"] = False
    assert "paused" in (await check_mail(ses.api.settings)).detail
