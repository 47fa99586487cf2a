"""What is an integration? One tool's door into Tocsin: its source format, its keys, its defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.alerts.model import Severity


class IntegrationSource(StrEnum):
    """The format an integration's posts come in. PROMETHEUS also serves the Alertmanager v2 API."""

    PROMETHEUS = "prometheus"
    GRAFANA = "grafana"
    DATADOG = "datadog"
    NEWRELIC = "newrelic"
    CLOUDWATCH = "cloudwatch"
    GENERIC = "generic"
    PAGERDUTY = "pagerduty"
    MANUAL = "manual"
    RULE = "rule"
    HEARTBEAT = "heartbeat"


# Those of Tocsin's own integrations: nobody makes, changes or posts to one.
OWN_SOURCES = frozenset({IntegrationSource.MANUAL, IntegrationSource.RULE, IntegrationSource.HEARTBEAT})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldMapping:
    """How a generic payload is read: one CEL expression a field, over `payload` (the JSON) and `headers`.

    `items` selects the list of alerts inside the payload (default: the payload itself, or its elements when it is a
    list); the other expressions then see each element as `item`. An expression left out keeps the default field.
    """

    items: str | None = None
    title: str | None = None
    description: str | None = None
    severity: str | None = None
    status: str | None = None
    dedup_key: str | None = None
    service: str | None = None
    source: str | None = None
    started_at: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """A tool's door. `severity_map` is keyed by the source's word in lower case and goes before the built-in table.

    `hmac_secret` is the shared secret of signed posts (Grafana); None means unsigned posts are taken.
    """

    id: UUID
    name: str
    source: IntegrationSource
    created_at: datetime
    default_team_id: UUID | None = None
    severity_map: Mapping[str, Severity] = field(default_factory=dict)
    mapping: FieldMapping | None = None
    hmac_secret: str | None = None
    last_seen_at: datetime | None = None
    archived_at: datetime | None = None
    version: int = 1
