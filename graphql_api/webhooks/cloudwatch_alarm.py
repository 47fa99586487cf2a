"""What is a CloudWatch alarm's change of state, in each of the shapes AWS delivers it?

    SNS action    {"AlarmName": …, "NewStateValue": "ALARM", "AlarmArn": …, "Trigger": {"MetricName": …, …}}
    composite     the same with `AlarmRule` and no `Trigger`; anomaly: `Trigger.Metrics` in place of one metric
    EventBridge   {"source": "aws.cloudwatch", "resources": ["arn:…"],
                   "detail": {"alarmName": …, "state": {"value": "ALARM", …}, "configuration": {…}}}
    Lambda action {"source": "aws.cloudwatch", "alarmArn": …, "alarmData": {the same as `detail`}}

ALARM fires, OK resolves. INSUFFICIENT_DATA is told only to the topics that an alarm names for it, so it fires, too: an
alarm that was on stays what it was, since missing data is no recovery; one that was not is a problem of its own (the
word `INSUFFICIENT_DATA` means LOW unless the integration maps it). CloudWatch knows no severity: its word is the state.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.alerts.dedup import dedup_key
from domain.alerts.signal import Signal, SignalStatus
from graphql_api.webhooks.diagnosis import ItemError, Path
from graphql_api.webhooks.fields import first_of, moment, put_all, put_link, text

SOURCE = "cloudwatch"

_STATUSES = {"ALARM": SignalStatus.FIRING, "INSUFFICIENT_DATA": SignalStatus.FIRING, "OK": SignalStatus.RESOLVED}
_RUNBOOK = re.compile(r"runbook:?\s*(https?://[^\s<>\"]+)", re.IGNORECASE)
# The dimensions that name what a team would call the service.
_SERVICE_DIMENSIONS = (
    "ServiceName", "Service", "service", "FunctionName", "ApiName", "QueueName", "DBClusterIdentifier",
    "DBInstanceIdentifier", "TableName", "LoadBalancer", "ClusterName",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One change of state. `kept` are fields of the original that go into the metadata as they are."""

    name: str
    state: str
    old_state: str | None
    status: SignalStatus
    arn: str | None = None
    account: str | None = None
    region: str | None = None
    description: str | None = None
    reason: str | None = None
    changed_at: datetime | None = None
    metrics: list[dict[str, Any]] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)


def read_alarm(body: Mapping[str, Any]) -> Alarm | None:
    """The alarm in a JSON object, None when it tells of no alarm. Raises ItemError naming a field that is wrong."""
    if "AlarmName" in body or "NewStateValue" in body:
        return _of_action(body)
    for name in ("detail", "alarmData"):
        if body.get("source") == "aws.cloudwatch" and isinstance(body.get(name), dict):
            return _of_event(body, body[name], (name,))
    return None


def alarm_signal(alarm: Alarm, *, shared: Mapping[str, Any]) -> Signal:
    """The signal of an alarm; `shared` is metadata of what it came in."""
    is_over = alarm.status is SignalStatus.RESOLVED
    lacks_data = alarm.state == "INSUFFICIENT_DATA"
    was_on = lacks_data and alarm.old_state == "ALARM"
    labels = _labels(alarm)
    metadata: dict[str, Any] = {**shared}
    warnings: list[str] = []
    put_all(metadata, warnings, (("alarmArn", alarm.arn), ("state", alarm.state), ("oldState", alarm.old_state)))
    put_all(metadata, warnings, alarm.kept.items())
    runbook = _RUNBOOK.search(alarm.description or "")
    put_link(metadata, warnings, name="runbook", value=runbook[1].rstrip(".,;)") if runbook else None)
    identity = alarm.arn or f"{alarm.account}:{alarm.region}:{alarm.name}"
    return Signal(
        title=f"{alarm.name}: insufficient data" if lacks_data else alarm.name,
        source=SOURCE,
        dedup_key=dedup_key("cw", 1, identity),
        dedup_recipe="the alarm's ARN" if alarm.arn else "account, region and name of the alarm",
        status=alarm.status,
        description="\n".join(part for part in (alarm.description, alarm.reason) if part) or None,
        severity_text="ALARM" if was_on else alarm.state,
        service_name=first_of(labels, _SERVICE_DIMENSIONS),
        labels=labels,
        metadata=metadata,
        started_at=None if is_over else alarm.changed_at,
        ended_at=alarm.changed_at if is_over else None,
        warnings=tuple(warnings),
    )


def _of_action(body: Mapping[str, Any]) -> Alarm:
    """The JSON that an alarm's SNS action sends."""
    trigger = body.get("Trigger")
    trigger = trigger if isinstance(trigger, dict) else {}
    arn = text(body.get("AlarmArn"))
    state, status = _state(body.get("NewStateValue"), ("NewStateValue",))
    return Alarm(
        name=_name(body.get("AlarmName"), ("AlarmName",)),
        state=state,
        old_state=text(body.get("OldStateValue")),
        status=status,
        arn=arn,
        account=text(body.get("AWSAccountId")),
        # `Region` holds the region's display name; its code is in the ARN.
        region=_region(arn) or text(body.get("Region")),
        description=text(body.get("AlarmDescription")),
        reason=text(body.get("NewStateReason")),
        changed_at=moment(body.get("StateChangeTime"), ("StateChangeTime",)),
        metrics=[*_metrics(trigger)],
        kept={
            "trigger": trigger,
            "alarmRule": body.get("AlarmRule"),
            "triggeringChildren": body.get("TriggeringChildren"),
            "newStateReasonData": body.get("NewStateReasonData"),
        },
    )


def _of_event(body: Mapping[str, Any], detail: Mapping[str, Any], path: Path) -> Alarm:
    """An EventBridge event, or what a Lambda action is called with."""
    now, before, configuration = (_object(detail.get(name)) for name in ("state", "previousState", "configuration"))
    resources = body.get("resources")
    arn = text(body.get("alarmArn")) or (text(resources[0]) if isinstance(resources, list) and resources else None)
    state, status = _state(now.get("value"), (*path, "state", "value"))
    changed_at = moment(now.get("timestamp"), (*path, "state", "timestamp")) or moment(body.get("time"), ("time",))
    return Alarm(
        name=_name(detail.get("alarmName"), (*path, "alarmName")),
        state=state,
        old_state=text(before.get("value")),
        status=status,
        arn=arn,
        account=text(body.get("account")) or text(body.get("accountId")),
        region=text(body.get("region")),
        description=text(configuration.get("description")),
        reason=text(now.get("reason")),
        changed_at=changed_at,
        metrics=[*_metrics(configuration)],
        kept={
            "configuration": configuration,
            "reasonData": now.get("reasonData"),
            "actionsSuppressedBy": now.get("actionsSuppressedBy"),
        },
    )


def _name(value: object, path: Path) -> str:
    name = text(value)
    if name is None:
        raise ItemError("is missing", path)
    return name


def _state(value: object, path: Path) -> tuple[str, SignalStatus]:
    state = (text(value) or "").strip().upper()
    status = _STATUSES.get(state)
    if status is None:
        raise ItemError(f"must be ALARM, OK or INSUFFICIENT_DATA, not {state[:40]!r}" if state else "is missing", path)
    return state, status


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _region(arn: str | None) -> str | None:
    parts = (arn or "").split(":")
    return parts[3] if len(parts) > 3 and parts[3] else None  # noqa: PLR2004 - arn:partition:service:region:…


def _metrics(holder: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every metric an alarm watches: the only one, or those of an expression (anomaly detection, metric math)."""
    if "MetricName" in holder:
        yield {"namespace": holder.get("Namespace"), "name": holder["MetricName"], "of": holder.get("Dimensions")}
    queries = holder.get("Metrics") or holder.get("metrics")
    for query in queries if isinstance(queries, list) else []:
        statistic = _object(_object(query).get("MetricStat") or _object(query).get("metricStat"))
        metric = _object(statistic.get("Metric") or statistic.get("metric"))
        if metric:
            yield {
                "namespace": metric.get("Namespace") or metric.get("namespace"),
                "name": metric.get("MetricName") or metric.get("name"),
                "of": metric.get("Dimensions") or metric.get("dimensions"),
            }


def _labels(alarm: Alarm) -> dict[str, str]:
    """Where the alarm lives, and what its first metric measures; dimensions keep their own names."""
    metric = alarm.metrics[0] if alarm.metrics else {}
    fixed = {
        "alarm": alarm.name,
        "account": alarm.account,
        "region": alarm.region,
        "namespace": text(metric.get("namespace")),
        "metric": text(metric.get("name")),
    }
    return {**_dimensions(metric.get("of")), **{name: value for name, value in fixed.items() if value}}


def _dimensions(value: object) -> dict[str, str]:
    """Dimensions as labels: a list of names and values in either case, or an object."""
    pairs: list[tuple[object, object]] = []
    if isinstance(value, dict):
        pairs = [*value.items()]
    elif isinstance(value, list):
        entries = [_object(entry) for entry in value]
        pairs = [(e.get("name") or e.get("Name"), e.get("value") or e.get("Value")) for e in entries]
    texts = [(text(name), text(found)) for name, found in pairs]
    return {name: found for name, found in texts if name and found}
