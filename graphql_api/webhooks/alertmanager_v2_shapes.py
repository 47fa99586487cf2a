"""How do alerts and silences look in Alertmanager's API v2? Its OpenAPI shapes, field by field."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.silences.matchers import LabelMatcher
from domain.silences.model import Silence, SilenceState
from persistence.reads.integration_alerts import IntegrationAlert

RECEIVER = "tocsin"
# What a client that shows `endsAt` is told of an alert that does not end by itself: Alertmanager's resolve_timeout.
RESOLVE_TIMEOUT = timedelta(minutes=5)

_FNV_OFFSET, _FNV_PRIME, _UINT64 = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFFFFFFFFFF
_SEPARATOR = b"\xff"


def fingerprint(labels: Mapping[str, str]) -> str:
    """Prometheus' fingerprint of a label set: FNV-1a over its names and values, sorted by name."""
    text = b"".join(
        part for name in sorted(labels) for part in (name.encode(), _SEPARATOR, labels[name].encode(), _SEPARATOR)
    )
    number = _FNV_OFFSET
    for byte in text:
        number = (number ^ byte) * _FNV_PRIME & _UINT64
    return f"{number:016x}"


def time_text(value: datetime) -> str:
    """A time in UTC with milliseconds, as Alertmanager writes it."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def gettable_alert(alert: IntegrationAlert) -> dict[str, Any]:
    """An alert."""
    annotations = alert.metadata.get("annotations")
    shape: dict[str, Any] = {
        "annotations": annotations if isinstance(annotations, dict) else {},
        "endsAt": time_text(alert.expires_at or alert.last_seen_at + RESOLVE_TIMEOUT),
        "fingerprint": fingerprint(alert.labels),
        "receivers": [{"name": RECEIVER}],
        "startsAt": time_text(alert.started_at),
        "status": {
            # As there: fingerprints. Of an alert that this integration does not see no more than that it is another.
            "inhibitedBy": [str(one.id) if one.labels is None else fingerprint(one.labels) for one in alert.parents],
            "silencedBy": [str(silence_id) for silence_id in alert.silences],
            "state": "suppressed" if alert.suppressed_by else "active",
        },
        "updatedAt": time_text(alert.last_seen_at),
        "labels": alert.labels,
    }
    link = alert.metadata.get("generatorURL")
    if isinstance(link, str):
        shape["generatorURL"] = link
    return shape


def gettable_silence(silence: Silence, now: datetime) -> dict[str, Any]:
    """A silence."""
    return {
        "id": str(silence.id),
        "status": {"state": _state(silence, now).value},
        "updatedAt": time_text(silence.updated_at),
        "comment": silence.comment,
        "createdBy": _made_by(silence),
        "endsAt": time_text(silence.ends_at),
        "matchers": [matcher.as_json() for matcher in silence.matchers],
        "startsAt": time_text(silence.starts_at),
    }


def _made_by(silence: Silence) -> str:
    """As a client said; of one that a person made here no name leaves, only the id."""
    if silence.created_by or silence.actor is None:
        return silence.created_by
    return f"tocsin {silence.actor.kind.value} {silence.actor.id}"


def sorted_silences(silences: Sequence[Silence], now: datetime) -> list[Silence]:
    """As Alertmanager lists them: active by their end, then pending by their start, then ended, the latest first."""

    def key(silence: Silence) -> tuple[int, float]:
        state = _state(silence, now)
        if state is SilenceState.ACTIVE:
            return (0, silence.ends_at.timestamp())
        if state is SilenceState.PENDING:
            return (1, silence.starts_at.timestamp())
        return (2, -silence.ends_at.timestamp())

    return sorted(silences, key=key)


def silence_fits(silence: Silence, filters: Sequence[LabelMatcher]) -> bool:
    """Whether a silence is among those asked for: its own matchers' values are compared as if they were labels."""
    values = {matcher["name"]: matcher["value"] for matcher in (own.as_json() for own in silence.matchers)}
    return all(matcher.matches(values) for matcher in filters)


def _state(silence: Silence, now: datetime) -> SilenceState:
    return silence.shown_state(now)
