"""How is PagerDuty told? By its Events API v2: trigger, acknowledge and resolve in step with the alert, one by one.

Source: https://developer.pagerduty.com/docs/send-alert-event. The dedup key is the alert's id, so an incident there is
an alert here. 202 is taken; 429 and 5xx are tried again; 400 is an event that will never be taken.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from domain.alerts.model import Severity
from domain.escalations.model import NotificationKind
from jobs.channels.contract import JSON, Item, Request

URL = "https://events.pagerduty.com/v2/enqueue"
MAX_SUMMARY = 1024
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


def _event(routing_key: str, item: Item) -> bytes:
    one = item.told
    action = _ACTIONS[one.kind]
    event: dict[str, Any] = {"routing_key": routing_key, "event_action": action, "dedup_key": f"tocsin:{one.alert_id}"}
    if action == "trigger":
        event["payload"] = {
            "summary": (item.text or one.title)[:MAX_SUMMARY],
            "source": one.source,
            "severity": _SEVERITIES[one.severity],
            "timestamp": one.started_at.isoformat(),
            "component": one.service_name,
            "custom_details": {"labels": dict(one.labels), "description": (one.description or "")[:2_000]},
        }
    return orjson.dumps(event)
