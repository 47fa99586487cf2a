"""How is PagerDuty told? By its Events API v2: trigger, acknowledge and resolve in step with the alert, one by one.

Source: https://developer.pagerduty.com/docs/send-alert-event. The dedup key is the alert's, or that of the group the
message tells of: an incident there is one of them here, and the end of the one leaves the other open. 202 is taken; 429
and 5xx are tried again; 400 is an event that will never be taken.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import orjson

from domain.alerts.model import Severity
from domain.escalations.incidents import key_of_alert
from domain.escalations.message import Told
from domain.escalations.model import NotificationKind
from jobs.channels.contract import JSON, Item, Request
from jobs.channels.posting import Judged, judge
from jobs.outbound import Answer

URL = "https://events.pagerduty.com/v2/enqueue"
MAX_SUMMARY = 1024
# An event may have 512 KB; labels are what could be as many.
MAX_LABELS, MAX_LABEL = 50, 1_000
PAUSE = timedelta(minutes=2)
_SEVERITIES = {
    Severity.CRITICAL: "critical",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "info",
}
_ACTIONS = {
    NotificationKind.PAGE: "trigger",
    NotificationKind.WORSENED: "trigger",
    # An incident that stands for all the turns, until the alert settles. A page for what is left of it opens it again.
    NotificationKind.FLAPPING: "trigger",
    NotificationKind.SETTLED: "resolve",
    NotificationKind.TEST: "trigger",
    NotificationKind.ACKNOWLEDGED: "acknowledge",
    NotificationKind.RESOLVED: "resolve",
}


def pagerduty(values: Mapping[str, str], items: Sequence[Item], *, now: datetime) -> list[Request]:
    """One post for each."""
    del now
    return [
        Request(url=values.get("url", URL), body=_event(values["routingKey"], item), headers=JSON, carries=(item.id,))
        for item in items
    ]


def judge_pagerduty(answer: Answer) -> Judged:
    """It asks for a pause of minutes after a 429, and mostly does not say of how many."""
    outcome, wait = judge(answer)
    is_too_much = answer.status == HTTPStatus.TOO_MANY_REQUESTS
    return outcome, PAUSE if is_too_much and answer.retry_after is None else wait


def _event(routing_key: str, item: Item) -> bytes:
    one = item.told
    action = _ACTIONS[one.kind]
    key = item.incident_key or key_of_alert(one.alert_id)
    event: dict[str, Any] = {"routing_key": routing_key, "event_action": action, "dedup_key": key}
    if action == "trigger":
        event["client"] = "Tocsin"
        event["payload"] = {
            "summary": (item.text or one.title)[:MAX_SUMMARY],
            "source": one.source[:MAX_LABEL] or "tocsin",
            "severity": _SEVERITIES[one.severity],
            "timestamp": one.started_at.isoformat(),
            "component": one.service_name,
            "custom_details": {"labels": _labels(one), "why": one.why, "description": (one.description or "")[:2_000]},
        }
    return orjson.dumps(event)


def _labels(one: Told) -> dict[str, str]:
    return {name[:MAX_LABEL]: value[:MAX_LABEL] for name, value in one.labels[:MAX_LABELS]}
