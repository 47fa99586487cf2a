"""What PagerDuty calls back: webhooks v3 as its documentation shows them, signed by itself, not with the server's code.

Source: https://developer.pagerduty.com/docs/webhooks-overview and …/verifying-webhook-signatures.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Any

import orjson

SECRET = "the secret of a webhook subscription"


def event(
    kind: str,
    alert_id: str,
    *,
    at: datetime,
    event_id: str = "01BZZZZZZZZZZZZZZZZZZZZZZZ",
    agent: dict[str, Any] | None = None,
    **data: Any,  # noqa: ANN401 - of any field
) -> bytes:
    """The body of a call about the incident of an alert."""
    user = {
        "html_url": "https://acme.pagerduty.com/users/PLH1HKV",
        "id": "PLH1HKV",
        "self": "https://api.pagerduty.com/users/PLH1HKV",
        "summary": "Tenex Engineer",
        "type": "user_reference",
    }
    incident = {
        "id": "PGR0VU2",
        "type": "incident",
        "self": "https://api.pagerduty.com/incidents/PGR0VU2",
        "html_url": "https://acme.pagerduty.com/incidents/PGR0VU2",
        "number": 2,
        "status": kind.rpartition(".")[2],
        "incident_key": f"tocsin:{alert_id}",
        "created_at": at.isoformat(),
        "title": "Payments down",
        "service": {"id": "PF9KMXH", "summary": "API Service", "type": "service_reference"},
        "assignees": [],
        "urgency": "high",
        "resolve_reason": None,
    }
    return orjson.dumps(
        {
            "event": {
                "id": event_id,
                "event_type": kind,
                "resource_type": "incident",
                "occurred_at": at.isoformat().replace("+00:00", "Z"),
                "agent": user if agent is None else agent,
                "client": None,
                "data": {**incident, **data},
            }
        }
    )


def signed(body: bytes, *secrets: str) -> dict[str, str]:
    """The headers of a call; several signatures while a secret is replaced."""
    made = [f"v1={hmac.new(one.encode(), body, hashlib.sha256).hexdigest()}" for one in secrets or (SECRET,)]
    return {
        "x-pagerduty-signature": ",".join(made),
        "x-webhook-id": "01CZZZZZZZZZZZZZZZZZZZZZZZ",
        "x-webhook-subscription": "PABCDEF",
        "content-type": "application/json",
        "user-agent": "PagerDuty-Webhook/V3.0",
    }
