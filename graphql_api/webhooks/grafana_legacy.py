"""What does Grafana's alerting before version 9 say? One rule's state a post.

    {"ruleId": 42, "ruleName": "CPU high", "ruleUrl": "https://grafana/d/x", "state": "alerting", "orgId": 1,
     "title": "[Alerting] CPU high", "message": "look at it", "imageUrl": "https://…", "dashboardId": 2, "panelId": 1,
     "tags": {"team": "payments"}, "evalMatches": [{"metric": "host-1", "value": 97.1, "tags": {}}]}

`no_data` is a problem to look at. A rule that was paused says no more: its alert is closed, with a warning.
"""

import re
from datetime import datetime, timedelta
from typing import Any

from domain.alerts.dedup import dedup_key
from domain.alerts.signal import Signal, SignalStatus
from graphql_api.webhooks.alert_labels import service_of, severity_text_of
from graphql_api.webhooks.decode import text_map
from graphql_api.webhooks.diagnosis import ItemError
from graphql_api.webhooks.fields import first_text, put_all, put_link, status_of, text, without_empty

FIELDS = frozenset({"ruleId", "ruleName", "evalMatches"})
_TEST_LIFETIME = timedelta(minutes=10)
_STATE_PREFIX = re.compile(r"^\[[^\]]*\]\s*")


def signal(body: dict[str, Any], received_at: datetime) -> Signal:
    """The signal of one rule's post. Raises ItemError naming the field that is missing or wrong."""
    rule = text(body.get("ruleId"))
    name = first_text(body.get("ruleName"), _STATE_PREFIX.sub("", text(body.get("title")) or ""))
    if rule is None:
        raise ItemError("is missing", ("ruleId",))
    if name is None:
        raise ItemError("is missing", ("ruleName",))
    labels = without_empty(text_map(body.get("tags"), ("tags",)))
    metadata: dict[str, Any] = {}
    warnings: list[str] = []
    put_link(metadata, warnings, name="ruleUrl", value=body.get("ruleUrl") or body.get("rule_url"))
    put_link(metadata, warnings, name="imageUrl", value=body.get("imageUrl") or body.get("image_url"))
    kept = ("title", "state", "evalMatches", "orgId", "dashboardId", "panelId")
    put_all(metadata, warnings, ((field, body.get(field)) for field in kept))
    status = _status(body.get("state"), warnings)
    # The test button sends rule 0.
    is_test = rule == "0"
    if is_test:
        warnings.append("a test of the notification channel: it closes by itself")
    org = text(body.get("orgId"))
    return Signal(
        title=name,
        source="grafana",
        dedup_key=dedup_key("gf", 1, f"rule:{org}:{rule}" if org else f"rule:{rule}"),
        dedup_recipe="Grafana's organisation and rule id (alerting before version 9)",
        status=status,
        description=text(body.get("message")),
        severity_text=severity_text_of(labels) or ("info" if is_test else None),
        service_name=service_of(labels),
        labels=labels,
        metadata=metadata,
        expires_at=received_at + _TEST_LIFETIME if is_test and status is SignalStatus.FIRING else None,
        warnings=tuple(warnings),
    )


def _status(state: object, warnings: list[str]) -> SignalStatus:
    if state == "paused":
        warnings.append("the rule was paused in Grafana: it says no more about this problem")
        return SignalStatus.RESOLVED
    if state == "no_data":
        warnings.append("the rule has no data")
    if state is None:
        raise ItemError("is missing", ("state",))
    return status_of(state, ("state",))
