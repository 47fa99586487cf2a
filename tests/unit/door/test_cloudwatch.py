"""Does the door let only genuine SNS messages through to CloudWatch's parser, and keep nothing of the others?"""

import json
from dataclasses import dataclass
from datetime import datetime

import pytest

from domain.alerts.signal import RejectedItem, Signal
from domain.integrations.model import IntegrationSource
from graphql_api.webhooks.app import IngestApp, ingest_app
from graphql_api.webhooks.sns import FetchFailed, SnsGate
from tests.door import FakeIngest, FakeState, call, door_of
from tests.unit.webhooks.posts import RECEIVED_AT, sample
from tests.unit.webhooks.sns_signer import TOPIC, FakeAws, signed

URL = "/webhooks/cloudwatch"
PLAIN = {"content-type": "text/plain; charset=UTF-8"}
ALARM = json.loads(sample("aws_sns-cloudwatch_alarm.json"))["Message"]


@dataclass(frozen=True)
class FixedClock:
    """A moment after the test's messages were sent."""

    def now(self) -> datetime:
        return RECEIVED_AT


def cloudwatch(aws: FakeAws) -> tuple[IngestApp, FakeIngest]:
    _, state = door_of(aws=IntegrationSource.CLOUDWATCH)
    state = FakeState(directory=state.directory, clock=FixedClock())
    assert isinstance(state.ingest, FakeIngest)
    return ingest_app(state, sns=SnsGate(aws, aws)), state.ingest


async def test_a_signed_alarm_as_plain_text_is_taken() -> None:
    app, ingest = cloudwatch(FakeAws())
    body = json.dumps(signed(ALARM)).encode()
    answer = await call(app, "POST", URL, body=body, headers=PLAIN, query="key=aws")
    assert answer.status == 202
    (item,) = ingest.submissions[0].items
    assert isinstance(item, Signal)
    assert "checkout" in item.title


async def test_a_confirmation_is_visited_and_answered_with_an_empty_receipt() -> None:
    aws = FakeAws()
    app, ingest = cloudwatch(aws)
    token = "a" * 32
    url = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={token}"
    body = signed("subscribe", Type="SubscriptionConfirmation", Token=token, SubscribeURL=url)
    answer = await call(app, "POST", URL, body=json.dumps(body).encode(), headers=PLAIN, query="key=aws")
    assert answer.status == 202, answer.body
    assert aws.confirmed == [url]
    assert answer.json["accepted"] == 0
    assert ingest.submissions[0].items == []


@pytest.mark.parametrize("changes", [{"Message": "forged"}, {"SignatureVersion": "9"}, {"Signature": "?"}])
async def test_a_forged_message_is_401_and_not_kept(changes: dict[str, str]) -> None:
    app, ingest = cloudwatch(FakeAws())
    body = json.dumps({**signed(ALARM), **changes}).encode()
    answer = await call(app, "POST", URL, body=body, headers=PLAIN, query="key=aws")
    assert answer.status == 401
    assert ingest.submissions == []


async def test_when_aws_cannot_be_asked_sns_is_told_to_send_again() -> None:
    def unreachable() -> bytes:
        raise FetchFailed("no route")

    app, ingest = cloudwatch(FakeAws(unreachable))
    answer = await call(app, "POST", URL, body=json.dumps(signed(ALARM)).encode(), headers=PLAIN, query="key=aws")
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert ingest.submissions == []


async def test_a_body_that_is_no_message_is_kept() -> None:
    app, ingest = cloudwatch(FakeAws())
    answer = await call(app, "POST", URL, body=b"rubbish", headers=PLAIN, query="key=aws")
    assert answer.status == 400
    (item,) = ingest.submissions[0].items
    assert isinstance(item, RejectedItem)
    assert item.raw == b"rubbish"
