"""Which bytes does a monitoring tool post? The same alert in each format; only its key moves from one to the next."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

KEY = "@KEY@"
ANNOTATIONS = {
    "summary": "Error rate above 5% on checkout",
    "runbook_url": "https://runbooks.example.test/checkout",
}
GENERATOR_URL = "http://prom-a.example.test:9090/graph?g0.expr=vector%281%29+%3E+0&g0.tab=1"


def _labels(**more: str) -> dict[str, str]:
    return {
        "alertname": "HighErrorRate",
        "cluster": "eu-1",
        "service": "checkout",
        "severity": "critical",
        "team": "payments",
        **more,
    }


@dataclass(frozen=True, slots=True)
class Format:
    """A body of one or more alerts: `opening`, items joined by commas, `closing`. `KEY` in an item is replaced."""

    opening: str
    item: str
    closing: str


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def alertmanager_api() -> Format:
    """`POST /api/v2/alerts`, as Prometheus sends it: the end is ahead while the alert fires."""
    now = datetime.now(UTC)
    item = {
        "annotations": ANNOTATIONS,
        "endsAt": (now + timedelta(hours=4)).isoformat(),
        "startsAt": now.isoformat(),
        "generatorURL": GENERATOR_URL,
        "labels": _labels(instance=KEY),
    }
    return Format("[", _json(item), "]")


def alertmanager_webhook() -> Format:
    """`POST /webhooks/prometheus`: Alertmanager's webhook, version 4."""
    item = {
        "status": "firing",
        "labels": _labels(instance=KEY),
        "annotations": ANNOTATIONS,
        "startsAt": datetime.now(UTC).isoformat(),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": GENERATOR_URL,
        "fingerprint": KEY,
    }
    group = {
        "groupLabels": {"alertname": "HighErrorRate", "service": "checkout"},
        "commonLabels": _labels(),
        "commonAnnotations": ANNOTATIONS,
        "externalURL": "http://am.example.test:9093",
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate", service="checkout"}',
        "truncatedAlerts": 0,
    }
    return Format('{"receiver":"hook","status":"firing","alerts":[', _json(item), "]," + _json(group)[1:])


def generic() -> Format:
    """`POST /webhooks/generic` without a mapping. Several alerts are a list."""
    item = {
        "title": ANNOTATIONS["summary"],
        "status": "firing",
        "severity": "critical",
        "dedup_key": KEY,
        "source": "orders-worker",
        "service": "checkout",
        "labels": _labels(instance=KEY),
        "annotations": ANNOTATIONS,
        "started_at": datetime.now(UTC).isoformat(),
        "url": GENERATOR_URL,
    }
    return Format("[", _json(item), "]")


def alerta() -> Format:
    """Alerta's own `POST /api/alert`, which takes one alert."""
    item = {
        "resource": KEY,
        "event": "HighErrorRate",
        "environment": "Production",
        "severity": "critical",
        "service": ["checkout"],
        "text": ANNOTATIONS["summary"],
        "tags": [f"{name}={value}" for name, value in _labels(instance=KEY).items()],
        "attributes": {"runbook_url": ANNOTATIONS["runbook_url"], "generatorURL": GENERATOR_URL},
        "origin": "prometheus/prom-a",
    }
    return Format("", _json(item), "")
