"""Does each shape of a CloudWatch alarm become the right signal, whatever it is wrapped in?"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.alerts.severity import severity_of
from domain.alerts.signal import Signal, SignalStatus
from graphql_api.webhooks import cloudwatch
from graphql_api.webhooks.contract import PayloadError
from tests.unit.webhooks.posts import make_post, only_rejection, only_signal, sample
from tests.unit.webhooks.sns_signer import SENT_AT, TOPIC, signed

ENVELOPE: dict[str, Any] = json.loads(sample("aws_sns-cloudwatch_alarm.json"))
ALARM: dict[str, Any] = json.loads(ENVELOPE["Message"])
ARN = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:checkout-cpu-high"
CHANGED_AT = datetime(2026, 3, 4, 11, 20, 44, 101000, tzinfo=UTC)

EVENT: dict[str, Any] = {
    "version": "0",
    "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
    "detail-type": "CloudWatch Alarm State Change",
    "source": "aws.cloudwatch",
    "account": "111122223333",
    "time": "2026-03-04T11:20:45Z",
    "region": "eu-west-1",
    "resources": [ARN],
    "detail": {
        "alarmName": "checkout-cpu-high",
        "configuration": {
            "description": "CPU above 90%",
            "metrics": [
                {
                    "id": "m1",
                    "metricStat": {
                        "metric": {
                            "dimensions": {"InstanceId": "i-1"},
                            "name": "CPUUtilization",
                            "namespace": "AWS/EC2",
                        },
                        "period": 300,
                        "stat": "Average",
                    },
                    "returnData": True,
                }
            ],
        },
        "previousState": {"reason": "fine", "timestamp": "2026-03-04T10:00:00.000+0000", "value": "OK"},
        "state": {
            "reason": "Threshold Crossed",
            "reasonData": '{"version":"1.0"}',
            "timestamp": "2026-03-04T11:20:44.101+0000",
            "value": "ALARM",
        },
    },
}


def within_sns(message: object, **fields: str) -> Signal:
    text = message if isinstance(message, str) else json.dumps(message)
    return only_signal(cloudwatch.parse(make_post(signed(text, **fields))))


def test_the_sample() -> None:
    post = make_post(json.dumps(ENVELOPE).encode(), headers={"content-type": "text/plain; charset=UTF-8"})
    signal = only_signal(cloudwatch.parse(post))
    assert signal.title == "checkout-cpu-high"
    assert signal.source == "cloudwatch"
    assert signal.dedup_key == f"cw:1:{ARN}"
    assert (signal.status, signal.severity_text) == (SignalStatus.FIRING, "ALARM")
    assert (signal.started_at, signal.ended_at) == (CHANGED_AT, None)
    assert signal.description is not None
    assert signal.description.startswith("CPU above 90% for 15m. Runbook: https://runbooks.example.test/cpu\nThreshold")
    assert signal.labels == {
        "alarm": "checkout-cpu-high",
        "account": "111122223333",
        "region": "eu-west-1",
        "namespace": "AWS/EC2",
        "metric": "CPUUtilization",
        "InstanceId": "i-0aa11bb22cc33dd44",
    }
    assert signal.metadata["runbook"] == "https://runbooks.example.test/cpu"
    assert signal.metadata["topicArn"] == TOPIC
    assert signal.metadata["trigger"]["Threshold"] == 90.0
    assert signal.metadata["alarmArn"] == ARN


def test_ok_resolves_the_same_key() -> None:
    signal = within_sns({**ALARM, "NewStateValue": "OK", "OldStateValue": "ALARM"})
    assert (signal.status, signal.dedup_key) == (SignalStatus.RESOLVED, f"cw:1:{ARN}")
    assert (signal.started_at, signal.ended_at) == (None, CHANGED_AT)


@pytest.mark.parametrize(
    ("old", "severity_text", "severity"), [("OK", "INSUFFICIENT_DATA", "low"), ("ALARM", "ALARM", "high")]
)
def test_missing_data_is_no_recovery(old: str, severity_text: str, severity: str) -> None:
    signal = within_sns({**ALARM, "NewStateValue": "INSUFFICIENT_DATA", "OldStateValue": old})
    assert signal.status is SignalStatus.FIRING
    assert signal.title == "checkout-cpu-high: insufficient data"
    assert signal.dedup_key == f"cw:1:{ARN}"
    assert signal.severity_text == severity_text
    assert severity_of(signal.severity_text, {})[0].value == severity


def test_a_composite_alarm() -> None:
    composite = {name: value for name, value in ALARM.items() if name != "Trigger"} | {
        "AlarmRule": 'ALARM("a") OR ALARM("b")',
        "TriggeringChildren": [{"Arn": "arn:aws:cloudwatch:eu-west-1:1:alarm:a", "State": {"Value": "ALARM"}}],
    }
    signal = within_sns(composite)
    assert signal.metadata["alarmRule"] == 'ALARM("a") OR ALARM("b")'
    assert signal.metadata["triggeringChildren"][0]["State"] == {"Value": "ALARM"}
    assert set(signal.labels) == {"alarm", "account", "region"}


def test_an_anomaly_alarm() -> None:
    trigger = {
        "Period": 60,
        "ThresholdMetricId": "ad1",
        "Metrics": [
            {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "ReturnData": True},
            {
                "Id": "m1",
                "MetricStat": {
                    "Metric": {
                        "Dimensions": [{"value": "pay", "name": "FunctionName"}],
                        "MetricName": "Duration",
                        "Namespace": "AWS/Lambda",
                    },
                    "Period": 60,
                    "Stat": "Average",
                },
            },
        ],
    }
    signal = within_sns({**ALARM, "Trigger": trigger})
    assert (signal.labels["metric"], signal.labels["FunctionName"]) == ("Duration", "pay")
    assert signal.service_name == "pay"


@pytest.mark.parametrize("body", [signed(json.dumps(EVENT)), EVENT], ids=["within SNS", "direct"])
def test_an_event_of_eventbridge_has_the_alarms_own_key(body: dict[str, Any]) -> None:
    signal = only_signal(cloudwatch.parse(make_post(body)))
    assert signal.dedup_key == f"cw:1:{ARN}"
    assert (signal.title, signal.status) == ("checkout-cpu-high", SignalStatus.FIRING)
    assert signal.description == "CPU above 90%\nThreshold Crossed"
    assert signal.started_at == CHANGED_AT
    assert signal.labels["InstanceId"] == "i-1"
    assert (signal.labels["region"], signal.labels["namespace"]) == ("eu-west-1", "AWS/EC2")


def test_what_a_lambda_action_is_called_with() -> None:
    body = {
        "source": "aws.cloudwatch",
        "alarmArn": ARN,
        "accountId": "111122223333",
        "time": "2026-03-04T11:20:45Z",
        "region": "eu-west-1",
        "alarmData": {
            "alarmName": "main",
            "state": {"value": "OK", "reason": "x"},
            "configuration": {"alarmRule": "ALARM(a)"},
        },
    }
    signal = within_sns(body)
    assert (signal.status, signal.dedup_key) == (SignalStatus.RESOLVED, f"cw:1:{ARN}")
    assert signal.ended_at == datetime(2026, 3, 4, 11, 20, 45, tzinfo=UTC)
    assert signal.metadata["configuration"] == {"alarmRule": "ALARM(a)"}


@pytest.mark.parametrize(
    ("change", "field", "expected"),
    [
        ({"AlarmArn": None}, "dedup_key", "cw:1:111122223333:EU (Ireland):checkout-cpu-high"),
        ({"AlarmDescription": None, "NewStateReason": None}, "description", None),
        ({"StateChangeTime": None}, "started_at", None),
        ({"Trigger": None}, "service_name", None),
        ({"Trigger": {"MetricName": "x", "Dimensions": [{"Name": "ServiceName", "Value": "s"}]}}, "service_name", "s"),
        ({"Trigger": {"MetricName": "x", "Dimensions": "odd"}}, "service_name", None),
        ({"NewStateValue": "alarm"}, "status", SignalStatus.FIRING),
    ],
)
def test_variants(change: dict[str, object], field: str, expected: object) -> None:
    assert getattr(within_sns({**ALARM, **change}), field) == expected


@pytest.mark.parametrize(
    ("message", "fields", "title", "key"),
    [
        ("Disk replaced\nmore", {}, "Disk replaced", f"cw:1:sns:{TOPIC}:Disk replaced"),
        ("body", {"Subject": "Budget passed"}, "Budget passed", f"cw:1:sns:{TOPIC}:Budget passed"),
        ("{broken json", {}, "{broken json", f"cw:1:sns:{TOPIC}:{{broken json"),
        (
            '{"detail-type": "GuardDuty Finding", "source": "aws.guardduty", "detail": {}}',
            {},
            "GuardDuty Finding",
            None,
        ),
    ],
)
def test_what_is_no_alarm_is_an_alert_all_the_same(
    message: str, fields: dict[str, str], title: str, key: str | None
) -> None:
    signal = within_sns(message, **fields)
    assert (signal.title, signal.status, signal.started_at) == (title, SignalStatus.FIRING, SENT_AT)
    assert key is None or signal.dedup_key == key
    assert signal.labels == {"region": "eu-west-1", "topic": "alerts-prod"}
    assert signal.warnings == ("not an alarm: nothing will resolve it but a person",)


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_a_confirmation_holds_no_alert(kind: str) -> None:
    assert cloudwatch.parse(make_post(signed("x", Type=kind, Token="t", SubscribeURL="https://x"))) == []


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ({**ALARM, "AlarmName": None}, ("Message", "AlarmName")),
        ({**ALARM, "NewStateValue": None}, ("Message", "NewStateValue")),
        ({**ALARM, "NewStateValue": "ODD"}, ("Message", "NewStateValue")),
        ({**ALARM, "StateChangeTime": "noon"}, ("Message", "StateChangeTime")),
        ({**ALARM, "AlarmName": "a\x00"}, ("Message", "AlarmName")),
        (json.dumps(ALARM).replace("90.0", "9" * 5000), ("Message", "Trigger", "Threshold")),
        ({**EVENT, "detail": {"state": {"value": "OK"}}}, ("Message", "detail", "alarmName")),
        ({**EVENT, "detail": {**EVENT["detail"], "state": {}}}, ("Message", "detail", "state", "value")),
        (" ", ("Message",)),
    ],
)
def test_a_bad_alarm_is_rejected(message: object, path: tuple[str, ...]) -> None:
    body = signed(message if isinstance(message, str) else json.dumps(message))
    rejected = only_rejection(cloudwatch.parse(make_post(body)))
    assert rejected.path == path
    assert json.loads(rejected.raw) == body


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"x", 400),
        (b"[]", 422),
        (b"{}", 422),
        (json.dumps(ALARM).encode(), 422),
        (json.dumps({**ENVELOPE, "Message": None}).encode(), 422),
    ],
)
def test_a_body_that_is_neither(body: bytes, status: int) -> None:
    with pytest.raises(PayloadError) as caught:
        cloudwatch.parse(make_post(body))
    assert caught.value.status == status
