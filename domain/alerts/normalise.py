"""What does a signal mean here? Sizes capped, the severity decided, the source's clock distrusted."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from domain.alerts.decisions import (
    Decision,
    dedup_decision,
    severity_decision,
    source_time_decision,
    warning_decision,
)
from domain.alerts.model import (
    MAX_DESCRIPTION,
    MAX_LABEL_NAME,
    MAX_LABEL_VALUE,
    MAX_LABELS,
    MAX_SERVICE_NAME,
    MAX_SOURCE,
    MAX_TITLE,
    Severity,
)
from domain.alerts.severity import severity_of
from domain.alerts.signal import Signal, SignalStatus
from domain.integrations.model import Integration, IntegrationSource
from domain.values import value_class

if TYPE_CHECKING:
    from domain.rules.verdict import Verdict

# One `startsAt` in 2099 would make every later resolve look old, so a time this far ahead counts as arrival.
MAX_CLOCK_AHEAD = timedelta(minutes=5)
MAX_METADATA_BYTES = 65_536
# Where a person said whose the alert is: by opening it, or by making what opens it.
TEAM_NAMING = frozenset({IntegrationSource.MANUAL, IntegrationSource.RULE, IntegrationSource.HEARTBEAT})


@value_class(frozen=True, slots=True, kw_only=True)
class NormalSignal:
    """A signal ready to be folded: every field within its bounds, every choice made and explained.

    `source_time` is when the source says this happened (None when it does not say): the start for a firing, the end
    for a resolve. `content_hash` is of what people see, so a repeat that says nothing new is known at a glance.
    `team_id` is what the integration says, or who opens an alert by hand (`is_team_named`); which team an alert gets is
    chosen when it opens (routing.py). `group_key` and `verdict` are what alert rules made of it (domain/rules/).
    """

    signal: Signal
    status: SignalStatus
    title: str
    description: str | None
    severity: Severity
    source: str
    service_name: str | None
    labels: dict[str, str]
    metadata: dict[str, Any]
    team_id: UUID | None
    is_team_named: bool
    started_at: datetime | None
    source_time: datetime | None
    received_at: datetime
    content_hash: int
    decisions: tuple[Decision, ...]
    verdict: "Verdict | None" = None
    # What an alert rule says belongs together: it goes before every group rule.
    group_key: str | None = None


def _capped(text: str, limit: int, name: str, warnings: list[Decision]) -> str:
    """An alert is never lost for being long: the text is cut, and the cut is on the record."""
    if len(text) <= limit:
        return text
    warnings.append(warning_decision(f"{name} was cut from {len(text)} to {limit} characters"))
    return text[: limit - 1] + "…"


def _capped_labels(labels: Mapping[str, str], warnings: list[Decision]) -> dict[str, str]:
    kept = dict(labels)
    if len(kept) > MAX_LABELS:
        warnings.append(warning_decision(f"{len(kept)} labels were cut to {MAX_LABELS}"))
        kept = dict(sorted(kept.items())[:MAX_LABELS])
    if max(map(len, kept), default=0) > MAX_LABEL_NAME or max(map(len, kept.values()), default=0) > MAX_LABEL_VALUE:
        kept = {
            _capped(name, MAX_LABEL_NAME, "a label's name", warnings): _capped(
                value, MAX_LABEL_VALUE, f"label {name[:40]!r}", warnings
            )
            for name, value in kept.items()
        }
    return kept


def _capped_metadata(metadata: dict[str, Any], size: int, warnings: list[Decision]) -> dict[str, Any]:
    """The smallest entries that fit within 64 kB; what was left out is named."""
    kept: dict[str, Any] = {}
    total = 0
    left_out = []
    for name, value in sorted(metadata.items(), key=lambda entry: len(orjson.dumps(entry[1]))):
        total += len(orjson.dumps(value)) + len(name) + 4
        if total <= MAX_METADATA_BYTES:
            kept[name] = value
        else:
            left_out.append(name)
    names = ", ".join(left_out)[:200]
    warnings.append(warning_decision(f"metadata of {size} bytes was cut to {MAX_METADATA_BYTES}; left out: {names}"))
    return kept


def _trusted(time: datetime | None, received_at: datetime, decisions: list[Decision]) -> datetime | None:
    if time is None or time <= received_at + MAX_CLOCK_AHEAD:
        return time
    decisions.append(source_time_decision(time, received_at))
    return received_at


def content_hash(*parts: object) -> int:
    """A signed 64-bit digest of JSON values; equal content has the same digest in every process and release."""
    encoded = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    return int.from_bytes(blake2b(encoded, digest_size=8).digest(), "big", signed=True)


def normalise(signal: Signal, integration: Integration, received_at: datetime) -> NormalSignal:
    """Decide what one signal means for this integration. Pure: the same input gives the same answer on replay."""
    decisions = [dedup_decision(signal.dedup_key, signal.dedup_recipe), *signal.decisions]
    decisions.extend(warning_decision(text) for text in signal.warnings)
    severity = signal.severity
    if severity is None:
        severity, reason = severity_of(signal.severity_text, integration.severity_map)
        decisions.append(severity_decision(severity, signal.severity_text, reason))
    title = _capped(signal.title.strip() or signal.dedup_key, MAX_TITLE, "title", decisions)
    description = signal.description
    if description is not None:
        description = _capped(description, MAX_DESCRIPTION, "description", decisions)
    service = signal.service_name
    if service is not None:
        service = _capped(service, MAX_SERVICE_NAME, "service", decisions) or None
    labels = _capped_labels(signal.labels, decisions)
    metadata = signal.metadata
    metadata_size = len(orjson.dumps(metadata)) if metadata else 0
    if metadata_size > MAX_METADATA_BYTES:
        metadata = _capped_metadata(metadata, metadata_size, decisions)
    started_at = _trusted(signal.started_at, received_at, decisions)
    resolved = signal.status is SignalStatus.RESOLVED
    source_time = _trusted(signal.ended_at, received_at, decisions) if resolved else started_at
    return NormalSignal(
        signal=signal,
        status=signal.status,
        title=title,
        description=description,
        severity=severity,
        source=_capped(signal.source, MAX_SOURCE, "source", decisions),
        service_name=service,
        labels=labels,
        metadata=metadata,
        team_id=integration.default_team_id,
        is_team_named=integration.source in TEAM_NAMING and integration.default_team_id is not None,
        started_at=started_at,
        source_time=source_time,
        received_at=received_at,
        content_hash=content_hash(title, description, severity, service, labels, metadata),
        decisions=tuple(decisions),
    )
