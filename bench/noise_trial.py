"""How long does a rule's trial over a million stored signals take, and does it tell how far it has come?

Over the API: `alertRuleTest` as an event stream, on the one process that serves, with 300 alert rules of today. The
past is written inside PostgreSQL: signals of 200 services and 1,000 hosts, twenty of each alert, over twenty days.
"""

import http.client
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import house
from bench.contenders.tocsin import Tocsin
from bench.database import Stores
from bench.machine import cpu_seconds, resident_bytes
from bench.noise_results import TrialTurn
from domain.ids import new_id

DAYS, PER_ALERT = 20, 20
ANSWER_SECONDS = 600
DRAFTS: dict[str, tuple[str, dict[str, object]]] = {
    "one service of 200, suppressed": ('alert.service == "service-7"', {"suppress": "known"}),
    "a third, another severity": ('alert.labels.env == "dev"', {"severity": "LOW"}),
    "what the engine must be asked": ("alert.title.size() > 20 && alert.metadata.value < 5", {"severity": "LOW"}),
    "what a folded alert has": ("alert.occurrences > 5", {"suppress": "again"}),
}
TRIAL = """subscription Try($input: TestAlertRuleInput!) { alertRuleTest(input: $input) {
  share isDone report { signals matched matchedAlerts isWhole differences { kind signals alerts } } } }"""
_ALERTS = """
INSERT INTO alerts (id, integration_id, dedup_key, dedup_recipe, title, severity, source, service_name, labels, status,
  occurrences, episode, version, content_hash, created_at, updated_at, started_at, last_seen_at, metadata)
SELECT md5('alert' || n)::uuid, '{integration}', 'bench:1:' || n, 'numbered', 'High latency', 'high', 'host', 'service',
  '{{}}', 'resolved', {per_alert}, 1, 1, 0, now() - interval '{days} days', now(), now(), now(), '{{}}'
FROM generate_series(0, {alerts} - 1) AS n
"""
_SIGNALS = """
INSERT INTO signals (received_at, receipt_id, item, integration_id, alert_id, outcome, reason, body)
SELECT now() - interval '{days} days' + n * interval '{days} days' / {signals}, md5('receipt' || n)::uuid, 0,
  '{integration}', md5('alert' || n % {alerts})::uuid, 'repeated', 'the same problem again',
  jsonb_build_object(
    'status', 'firing', 'title', 'High latency on host-' || n % 1000 || ' of service-' || n * 7 % 200,
    'description', repeat('x', 120), 'severity', (ARRAY['critical', 'medium', 'low'])[n % 3 + 1],
    'severityText', 'warning',
    'source', 'host-' || n % 1000, 'serviceName', 'service-' || n * 7 % 200,
    'labels', jsonb_build_object('alertname', (ARRAY['Latency', 'Disk', 'CPU'])[n % 3 + 1],
      'env', (ARRAY['prod', 'dev', 'stage'])[n / 3 % 3 + 1], 'instance', 'host-' || n % 1000,
      'job', 'service-' || n * 7 % 200, 'region', 'eu', 'pod', 'pod-' || n, 'zone', 'a', 'unit', 'b'),
    'metadata', jsonb_build_object('generatorURL', 'http://prometheus/graph', 'value', n),
    'dedupKey', 'bench:1:' || n % {alerts}, 'dedupRecipe', 'numbered', 'startedAt', NULL, 'endedAt', NULL,
    'expiresAt', NULL, 'warnings', '[]'::jsonb)
FROM generate_series(0, {signals} - 1) AS n
"""


def measure(tocsin: Tocsin, stores: Stores, token: str, signals: int) -> Iterator[TrialTurn]:
    """Write the past, then try each draft on it."""
    house.switch(stores.tocsin, ("rules",))
    tocsin.clear()
    _fill(stores, signals)
    for name, (condition, effects) in DRAFTS.items():
        yield _tried(tocsin, stores, token, name=name, condition=condition, effects=effects)
    tocsin.clear()


def _fill(stores: Stores, signals: int) -> None:
    integration = new_id()
    values = {
        "integration": integration,
        "signals": signals,
        "alerts": max(1, signals // PER_ALERT),
        "days": DAYS,
        "per_alert": PER_ALERT,
    }
    stores.tocsin.run(
        "INSERT INTO integrations (id, name, source, created_at) "
        f"VALUES ('{integration}', 'past', 'prometheus', now())",
        # Counts are kept by triggers for every alert written: of no interest here.
        "SET session_replication_role = replica",
        _ALERTS.format(**values),
        _SIGNALS.format(**values),
        "ANALYZE signals",
        "ANALYZE alerts",
    )
    stores.checkpoint()


def _tried(
    tocsin: Tocsin, stores: Stores, token: str, *, name: str, condition: str, effects: dict[str, object]
) -> TrialTurn:
    pids = {"server": tocsin.parts()["server"], "database": stores.postgresql_pid}
    before, size = {part: cpu_seconds(pid) for part, pid in pids.items()}, resident_bytes(pids["server"])
    since = datetime.now(UTC) - timedelta(days=DAYS + 1)
    began = time.monotonic()
    steps: list[tuple[float, float]] = []
    last: dict[str, Any] = {}
    wanted = {"since": since.isoformat(), "condition": condition, "effects": effects}
    for message in _messages(tocsin.port, token, {"query": TRIAL, "variables": {"input": wanted}}):
        last = message["data"]["alertRuleTest"]
        steps.append((round(time.monotonic() - began, 2), last["share"]))
    report = last["report"]
    return TrialTurn(
        draft=name,
        rules=house.RULES,
        signals=report["signals"],
        matched=report["matched"],
        seconds=time.monotonic() - began,
        cpu={part: cpu_seconds(pid) - before[part] for part, pid in pids.items()},
        grown=(resident_bytes(pids["server"]) - size) / 1e6,
        steps=steps,
    )


def _messages(port: int, token: str, body: dict[str, object]) -> Iterator[dict[str, Any]]:
    """The messages of one subscription, as they come."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    headers = {"content-type": "application/json", "accept": "text/event-stream", "authorization": f"Bearer {token}"}
    connection.request("POST", "/graphql", json.dumps(body), headers)
    answer = connection.getresponse()
    if answer.status != http.client.OK:
        raise RuntimeError(f"the trial was refused: {answer.status} {answer.read()[:500]!r}")
    event = ""
    try:
        for line in answer:
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name == "event":
                event = value
            elif name == "data" and event == "next":
                message = json.loads(value)
                if message.get("errors"):
                    raise RuntimeError(f"the trial failed: {message['errors']}")
                yield message
            if event == "complete":
                return
    finally:
        connection.close()
