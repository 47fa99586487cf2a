"""Are only genuine messages of SNS admitted, and is a subscription confirmed only when it may be?"""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from graphql_api.webhooks import sns_client
from graphql_api.webhooks.contract import PayloadError
from graphql_api.webhooks.sns import FetchFailed, SnsGate
from graphql_api.webhooks.sns_client import HttpsSnsClient
from tests.unit.webhooks.posts import RECEIVED_AT, make_post, sample
from tests.unit.webhooks.sns_signer import CERTIFICATE_URL, SENT_AT, TOPIC, FakeAws, certificate, signed, signing_key

TOKEN = "2336412f37fb687f5d51e6e2425ba1f2"
SUBSCRIBE_URL = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={TOKEN}"


def confirmation(**fields: str) -> dict[str, Any]:
    changed = {"Type": "SubscriptionConfirmation", "Token": TOKEN, "SubscribeURL": SUBSCRIBE_URL, **fields}
    return signed("You have chosen to subscribe", **changed)


async def refusal(aws: FakeAws, body: object, *, received_at: datetime = RECEIVED_AT) -> PayloadError:
    with pytest.raises(PayloadError) as caught:
        await SnsGate(aws, aws).admit(make_post(body, received_at=received_at))
    return caught.value


@pytest.mark.parametrize("name", ["aws_sns-cloudwatch_alarm.json", "aws_sns-subscription_confirmation.json"])
async def test_the_samples_are_genuine(name: str) -> None:
    aws = FakeAws(lambda: sample("aws_sns-test_signing_cert.pem"))
    await SnsGate(aws, aws).admit(make_post(sample(name), received_at=datetime(2026, 3, 4, 11, 30, tzinfo=UTC)))
    assert aws.fetched == [json.loads(sample(name))["SigningCertURL"]]
    is_confirmation = "confirmation" in name
    assert aws.confirmed == ([json.loads(sample(name))["SubscribeURL"]] if is_confirmation else [])


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "ALARM: é"}])
async def test_both_signature_versions(version: str, subject: dict[str, str]) -> None:
    aws = FakeAws()
    await SnsGate(aws, aws).admit(make_post(signed("x\ny", version=version, **subject)))
    assert aws.confirmed == []


async def test_the_certificate_is_fetched_once() -> None:
    aws = FakeAws()
    gate = SnsGate(aws, aws)
    for text in ("a", "b", "c"):
        await gate.admit(make_post(signed(text)))
    assert aws.fetched == [CERTIFICATE_URL]


async def test_only_a_few_certificates_are_kept() -> None:
    aws = FakeAws()
    gate = SnsGate(aws, aws)
    urls = [f"https://sns.eu-west-1.amazonaws.com/c{number}.pem" for number in range(40)]
    for url in (*urls, urls[-1], urls[0]):
        await gate.admit(make_post(signed("a", SigningCertURL=url)))
    assert aws.fetched == [*urls, urls[0]]


@pytest.mark.parametrize("field", ["Message", "MessageId", "Subject", "Timestamp", "TopicArn"])
async def test_a_message_changed_after_signing_is_refused(field: str) -> None:
    body = signed("x", Subject="s")
    changed = {"Timestamp": (SENT_AT + timedelta(seconds=1)).isoformat(), "TopicArn": TOPIC + "x"}.get(field, "changed")
    found = await refusal(FakeAws(), {**body, field: changed})
    assert (found.status, found.path) == (401, ("Signature",))


async def test_a_subject_added_after_signing_is_refused() -> None:
    assert (await refusal(FakeAws(), {**signed("x"), "Subject": "s"})).path == ("Signature",)


async def test_a_version_2_message_passed_off_as_version_1_is_refused() -> None:
    body = {**signed("x", version="2"), "SignatureVersion": "1"}
    assert (await refusal(FakeAws(), body)).path == ("Signature",)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("SigningCertURL", "http://sns.eu-west-1.amazonaws.com/a.pem"),
        ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com.evil.test/a.pem"),
        ("SigningCertURL", "https://evil.test/sns.eu-west-1.amazonaws.com/a.pem"),
        ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com@evil.test/a.pem"),
        ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com:8443/a.pem"),
        ("SigningCertURL", "https://SNS.eu-west-1.amazonaws.com/a.pem"),
        ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com\n/a.pem"),
        ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com/a.pem\n"),
        ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com\\evil.test/a.pem"),
        ("SigningCertURL", "https://s3.eu-west-1.amazonaws.com/a.pem"),
        ("SigningCertURL", "https://sns.us-east-1.amazonaws.com/a.pem"),
        ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com/a.txt"),
        ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com/../a.pem"),
        ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com/a.pem?x=.pem"),
        ("SigningCertURL", "https://sns.eu-west-1.amazonaws.com/a.pem#.pem"),
        ("SigningCertURL", "https://[/a.pem"),
        ("SigningCertURL", ""),
        ("SignatureVersion", "3"),
        ("Signature", "not base64!"),
        ("Signature", "é"),
        ("Signature", ""),
    ],
)
async def test_what_cannot_be_genuine_is_refused_before_anything_is_fetched(field: str, value: str) -> None:
    aws = FakeAws()
    found = await refusal(aws, {**signed("x"), field: value})
    assert (found.status, found.path) == (401, (field,))
    assert aws.fetched == ([CERTIFICATE_URL] if value == "" and field == "Signature" else [])


async def test_a_message_of_china() -> None:
    aws = FakeAws()
    url = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem"
    topic = "arn:aws-cn:sns:cn-north-1:111122223333:alerts"
    await SnsGate(aws, aws).admit(make_post(signed("x", SigningCertURL=url, TopicArn=topic)))
    assert aws.fetched == [url]


async def test_an_old_message_is_a_replay() -> None:
    aws = FakeAws()
    gate = SnsGate(aws, aws)
    await gate.admit(make_post(signed("x"), received_at=SENT_AT + timedelta(hours=1)))
    found = await refusal(aws, signed("x"), received_at=SENT_AT + timedelta(hours=1, seconds=1))
    assert (found.status, found.path) == (401, ("Timestamp",))
    lenient = SnsGate(aws, aws, max_age=timedelta(hours=2))
    await lenient.admit(make_post(signed("x"), received_at=SENT_AT + timedelta(hours=1, seconds=1)))


@pytest.mark.parametrize(
    ("pem", "message"),
    [
        (certificate(not_after=SENT_AT), "not valid now"),
        (certificate(not_before=SENT_AT + timedelta(hours=1)), "not valid now"),
        (certificate(key=signing_key(1024)), "2048 bits"),
        (certificate(key=ec.generate_private_key(ec.SECP256R1())), "2048 bits"),
        (b"<html>", "of no use"),
        (b"", "of no use"),
    ],
)
async def test_a_certificate_of_no_use(pem: bytes, message: str) -> None:
    found = await refusal(FakeAws(lambda: pem), signed("x"))
    assert (found.status, found.path) == (401, ("SigningCertURL",))
    assert message in found.message


async def test_a_certificate_that_has_expired_is_fetched_again() -> None:
    aws = FakeAws(lambda: certificate(not_after=SENT_AT + timedelta(minutes=5)))
    gate = SnsGate(aws, aws)
    await gate.admit(make_post(signed("x"), received_at=SENT_AT))
    aws.pem = certificate
    await gate.admit(make_post(signed("x"), received_at=SENT_AT + timedelta(minutes=10)))
    assert len(aws.fetched) == 2


async def test_while_aws_cannot_be_asked_sns_is_told_to_come_again() -> None:
    aws = FakeAws()
    aws.is_down = True
    gate = SnsGate(aws, aws)
    for _ in range(3):
        with pytest.raises(PayloadError) as caught:
            await gate.admit(make_post(signed("x")))
        assert caught.value.status == 503
    assert len(aws.fetched) == 1, "a failed fetch is not repeated at once"
    aws.is_down = False
    await gate.admit(make_post(signed("x"), received_at=RECEIVED_AT + timedelta(seconds=31)))


# -- subscriptions -----------------------------------------------------------------------------------------------------


async def test_a_genuine_subscription_is_confirmed() -> None:
    aws = FakeAws()
    await SnsGate(aws, aws).admit(make_post(confirmation()))
    assert aws.confirmed == [SUBSCRIBE_URL]


async def test_an_encoded_subscribe_url_is_confirmed() -> None:
    aws = FakeAws()
    url = SUBSCRIBE_URL.replace(":sns:", "%3Asns%3A")
    await SnsGate(aws, aws).admit(make_post(confirmation(SubscribeURL=url)))
    assert aws.confirmed == [url]


@pytest.mark.parametrize(
    "url",
    [
        SUBSCRIBE_URL.replace("https", "http"),
        SUBSCRIBE_URL.replace("amazonaws.com", "evil.test"),
        SUBSCRIBE_URL.replace("eu-west-1.amazonaws", "us-east-1.amazonaws"),
        SUBSCRIBE_URL.replace("ConfirmSubscription", "Unsubscribe"),
        SUBSCRIBE_URL.replace("ConfirmSubscription", "Publish&Action=ConfirmSubscription"),
        SUBSCRIBE_URL.replace("alerts-prod", "others"),
        SUBSCRIBE_URL.replace(TOKEN, "other"),
        SUBSCRIBE_URL.replace("/?", "/x?"),
        SUBSCRIBE_URL.split("?", maxsplit=1)[0],
        SUBSCRIBE_URL + "&x=" + "y" * 2000,
    ],
)
async def test_a_signed_subscribe_url_that_does_something_else_is_never_visited(url: str) -> None:
    aws = FakeAws()
    found = await refusal(aws, confirmation(SubscribeURL=url))
    assert (found.status, found.path) == (401, ("SubscribeURL",))
    assert aws.confirmed == []


async def test_an_unverified_subscribe_url_is_never_visited() -> None:
    aws = FakeAws()
    await refusal(aws, {**confirmation(), "Message": "changed"})
    await refusal(aws, {**confirmation(), "SubscribeURL": SUBSCRIBE_URL + "&x=1"})
    assert aws.confirmed == []


async def test_the_end_of_a_subscription_is_not_undone() -> None:
    aws = FakeAws()
    await SnsGate(aws, aws).admit(make_post(confirmation(Type="UnsubscribeConfirmation")))
    assert aws.confirmed == []


async def test_a_confirmation_that_fails_is_asked_for_again() -> None:
    aws = FakeAws()
    gate = SnsGate(aws, aws)
    await gate.admit(make_post(signed("x")))
    aws.is_down = True
    with pytest.raises(PayloadError, match="cannot be confirmed") as caught:
        await gate.admit(make_post(confirmation()))
    assert caught.value.status == 503


# -- what is no message ------------------------------------------------------------------------------------------------

ALARM = json.loads(json.loads(sample("aws_sns-cloudwatch_alarm.json"))["Message"])
EVENT = {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "detail": {"alarmName": "x"}}


@pytest.mark.parametrize("headers", [{}, {"x-amz-sns-rawdelivery": "true"}, {"x-api-key": "k"}])
async def test_an_unsigned_alarm_is_refused(headers: dict[str, str]) -> None:
    aws = FakeAws()
    with pytest.raises(PayloadError, match="raw message delivery") as caught:
        await SnsGate(aws, aws).admit(make_post(ALARM, headers=headers))
    assert caught.value.status == 401


@pytest.mark.parametrize("header", ["x-api-key", "authorization"])
async def test_an_event_of_eventbridge_is_admitted_with_the_key_in_a_header(header: str) -> None:
    aws = FakeAws()
    await SnsGate(aws, aws).admit(make_post(EVENT, headers={header: "key"}))
    found = await refusal(aws, EVENT)
    assert (found.status, found.path) == (401, ("Signature",))


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"Type": "Gossip"}, ("Type",)),
        ({"Type": None}, ("Type",)),
        ({"Type": []}, ("Type",)),
        ({"Message": None}, ("Message",)),
        ({"Message": {}}, ("Message",)),
        ({"Signature": 3}, ("Signature",)),
        ({"SigningCertURL": None}, ("SigningCertURL",)),
        ({"TopicArn": "x"}, ("TopicArn",)),
        ({"TopicArn": "arn:aws:sqs:eu-west-1:111122223333:q"}, ("TopicArn",)),
        ({"Timestamp": "noon"}, ("Timestamp",)),
        ({"Timestamp": ""}, ("Timestamp",)),
        ({"Message": "\x00"}, ("Message",)),
        ({"Subject": "\ud800"}, ("Subject",)),
    ],
)
async def test_a_message_that_is_not_whole(change: dict[str, object], path: tuple[str, ...]) -> None:
    found = await refusal(FakeAws(), {**signed("x"), **change})
    assert (found.status, found.path) == (422, path)


@pytest.mark.parametrize(("body", "status"), [(b"", 400), (b"x", 400), (b"[]", 422), (b"[" * 10**5, 422)])
async def test_a_body_that_is_no_object(body: bytes, status: int) -> None:
    assert (await refusal(FakeAws(), body)).status == status


# -- over the network --------------------------------------------------------------------------------------------------


def client_of(response: httpx2.Response | Exception) -> HttpsSnsClient:
    def answer(_request: httpx2.Request) -> httpx2.Response:
        if isinstance(response, Exception):
            raise response
        return response

    return HttpsSnsClient(httpx2.MockTransport(answer))


async def test_the_client_fetches() -> None:
    assert await client_of(httpx2.Response(200, content=b"PEM")).fetch_certificate(CERTIFICATE_URL) == b"PEM"
    await client_of(httpx2.Response(200, content=b"<xml/>")).confirm_subscription(SUBSCRIBE_URL)


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (httpx2.Response(302, headers={"location": "http://169.254.169.254/"}), "answered 302"),
        (httpx2.Response(404), "answered 404"),
        (httpx2.Response(200, content=b"x" * 70_000), "larger than"),
        (httpx2.ConnectError("refused"), "ConnectError"),
        (httpx2.ReadTimeout("slow"), "ReadTimeout"),
        (httpx2.InvalidURL("odd"), "InvalidURL"),
    ],
)
async def test_the_client_follows_and_believes_nothing(response: httpx2.Response | Exception, message: str) -> None:
    with pytest.raises(FetchFailed, match=message):
        await client_of(response).fetch_certificate(CERTIFICATE_URL)


async def test_the_client_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_request: httpx2.Request) -> httpx2.Response:
        await asyncio.sleep(60)
        return httpx2.Response(200)

    monkeypatch.setattr(sns_client, "TIMEOUT_SECONDS", 0.01)
    with pytest.raises(FetchFailed, match=r"no answer within 0\.01 seconds"):
        await HttpsSnsClient(httpx2.MockTransport(hang)).fetch_certificate(CERTIFICATE_URL)
