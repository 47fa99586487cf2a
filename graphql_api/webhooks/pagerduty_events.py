"""What does an event of PagerDuty's Events API v2 say (`POST /v2/enqueue`)?

    {"routing_key": "0123456789abcdef0123456789abcdef", "event_action": "trigger", "dedup_key": "checkout/disk/db-01",
     "payload": {"summary": "Disk 95% on db-01", "source": "db-01.eu-1", "severity": "critical",
                 "timestamp": "2026-03-04T11:20:00.000+0000", "component": "postgres", "group": "payments-db",
                 "class": "disk", "custom_details": {"free_gb": 12}},
     "client": "homegrown-monitor", "client_url": "https://…", "links": [{"href": "https://…", "text": "Runbook"}],
     "images": [{"src": "https://…", "href": "https://…", "alt": "graph"}]}

The routing key is the integration's key. `acknowledge` and `resolve` need no payload. A trigger without a `dedup_key`
is a new problem under a new key, which the answer tells. Refusals have PagerDuty's own shape: EventError.answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.alerts.dedup import dedup_key
from domain.alerts.signal import Signal, SignalStatus
from domain.ids import new_id
from graphql_api.webhooks.contract import PayloadError, Post
from graphql_api.webhooks.decode import checked_body, decode_object, split_any
from graphql_api.webhooks.diagnosis import ItemError
from graphql_api.webhooks.fields import first_text, is_link, moment, put_json, put_link, text, warn

MAX_DEDUP_KEY = 255
RECIPE = "the event's dedup_key"
RECIPE_GENERATED = "generated: the event named no dedup_key"
DEFAULT_SOURCE = "pagerduty"

_ACTIONS = {
    "trigger": SignalStatus.FIRING,
    "acknowledge": SignalStatus.ACKNOWLEDGED,
    "resolve": SignalStatus.RESOLVED,
}
_SEVERITIES = ("critical", "error", "warning", "info")
_LABELS = ("component", "group", "class")
_MOST_LINKS = 50


@dataclass(eq=False)
class EventError(PayloadError):
    """An event that PagerDuty would refuse too. `errors` are its sentences, one a field."""

    errors: tuple[str, ...] = ()

    @property
    def answer(self) -> dict[str, object]:
        """The body of the 400, as PagerDuty's clients read it."""
        return {"status": "invalid event", "message": "Event object is invalid", "errors": list(self.errors)}


class _Keyed(msgspec.Struct):
    routing_key: str | None = None


_KEYED = msgspec.json.Decoder(_Keyed)


def routing_key(body: bytes, headers: Mapping[str, str]) -> str | None:
    """The key the event brings along, in its body or in `X-Routing-Key`; None when there is none. Never raises."""
    try:
        found = _KEYED.decode(body).routing_key
    except (ValueError, RecursionError):
        found = _routing_key_of_broken(body)
    if found is not None and "\x00" in found:
        found = None
    return found or headers.get("x-routing-key") or None


def _routing_key_of_broken(body: bytes) -> str | None:
    """The key of a body that holds something wrong elsewhere: its sender is told what, once it is known who asks."""
    try:
        members = split_any(body)
        found = msgspec.json.decode(members["routing_key"]) if isinstance(members, dict) else None
    except (PayloadError, KeyError, ValueError, RecursionError):
        return None
    return found if isinstance(found, str) else None


def parse(post: Post) -> list[Signal]:
    """The event's one signal. Raises EventError 400 for whatever PagerDuty would refuse."""
    try:
        body = decode_object(checked_body(post.body))
    except ItemError as error:
        field = ".".join(error.path)
        raise EventError(
            400, error.message, error.path, (f"'{field}' {error.message}" if field else error.message,)
        ) from error
    except PayloadError as error:
        raise EventError(400, error.message, error.path, (error.message,)) from error
    errors: list[tuple[str, str]] = []
    status = _ACTIONS.get(text(body.get("event_action")) or "")
    if status is None:
        _refuse(errors, body, "event_action", "must be one of the following: 'trigger', 'acknowledge' or 'resolve'")
    key = _client_key(body, status, errors)
    payload = _payload(body, errors) if status is SignalStatus.FIRING else {}
    if errors or status is None:
        path = tuple(errors[0][0].split("."))
        raise EventError(400, "; ".join(sentence for _, sentence in errors), path, tuple(s for _, s in errors))
    return [_signal(body, payload, status=status, client_key=key)]


def client_key(signal: Signal) -> str:
    """The dedup key as the client knows it: the answer to its event repeats it."""
    return str(signal.metadata["dedup_key"])


def _refuse(
    errors: list[tuple[str, str]], holder: Mapping[str, object], field: str, rule: str, *, at: str = ""
) -> None:
    missing = holder.get(field) is None or holder.get(field) == ""
    name = f"{at}{field}"
    errors.append((name, f"'{name}' is missing or blank" if missing else f"'{name}' is invalid ({rule})"))


def _client_key(body: dict[str, Any], status: SignalStatus | None, errors: list[tuple[str, str]]) -> str | None:
    """The event's own key; None when a trigger names none."""
    key = body.get("dedup_key")
    if key is None or key == "":
        if status in (SignalStatus.ACKNOWLEDGED, SignalStatus.RESOLVED):
            _refuse(errors, body, "dedup_key", "")
        return None
    if not isinstance(key, str) or key.isspace():
        _refuse(errors, body, "dedup_key", "must be a string")
        return None
    if len(key) > MAX_DEDUP_KEY:
        _refuse(errors, body, "dedup_key", f"must have at most {MAX_DEDUP_KEY} characters")
    return key


def _payload(body: dict[str, Any], errors: list[tuple[str, str]]) -> dict[str, Any]:
    """The payload of a trigger, checked as PagerDuty checks it."""
    payload = body.get("payload")
    if not isinstance(payload, dict):
        _refuse(errors, body, "payload", "must be an object")
        return {}
    for field in ("summary", "source"):
        if text(payload.get(field)) is None:
            _refuse(errors, payload, field, "must be a string", at="payload.")
    if (text(payload.get("severity")) or "").lower() not in _SEVERITIES:
        allowed = "must be one of the following: 'critical', 'error', 'warning' or 'info'"
        _refuse(errors, payload, "severity", allowed, at="payload.")
    return payload


def _signal(body: dict[str, Any], payload: dict[str, Any], *, status: SignalStatus, client_key: str | None) -> Signal:
    key = client_key or new_id().hex
    warnings: list[str] = []
    labels = {name: found for name in _LABELS if (found := text(payload.get(name))) is not None}
    details = payload.get("custom_details")
    named = details.get("service") if isinstance(details, dict) else None
    try:
        started_at = moment(payload.get("timestamp"), ("payload", "timestamp"))
    except ItemError as error:
        started_at = None  # a tool that cannot write a time still has something to say
        warnings.append(f"payload.timestamp {error.message}")
    return Signal(
        title=text(payload.get("summary")) or key,
        source=text(payload.get("source")) or DEFAULT_SOURCE,
        dedup_key=dedup_key("pd", 1, key),
        dedup_recipe=RECIPE if client_key else RECIPE_GENERATED,
        status=status,
        description=text(details),
        severity_text=text(payload.get("severity")),
        service_name=first_text(named, labels.get("group"), labels.get("component")),
        labels=labels,
        metadata=_metadata(body, payload, key, warnings),
        started_at=started_at,
        warnings=tuple(warnings),
    )


def _metadata(body: dict[str, Any], payload: dict[str, Any], key: str, warnings: list[str]) -> dict[str, Any]:
    metadata: dict[str, Any] = {"dedup_key": key}
    put_json(metadata, warnings, name="client", value=body.get("client"))
    put_link(metadata, warnings, name="client_url", value=body.get("client_url"))
    if isinstance(payload.get("custom_details"), dict | list):
        put_json(metadata, warnings, name="custom_details", value=payload["custom_details"])
    for name, required, others in (("links", "href", ("text",)), ("images", "src", ("href", "alt"))):
        kept = _linked(body.get(name), warnings, name=name, required=required, others=others)
        if kept:
            metadata[name] = kept
    return metadata


def _linked(
    value: object, warnings: list[str], *, name: str, required: str, others: tuple[str, ...]
) -> list[dict[str, str]]:
    """Links or images whose URL is http(s); others are left out with a warning."""
    if not isinstance(value, list):
        return []
    kept: list[dict[str, str]] = []
    for entry in value[:_MOST_LINKS]:
        texts = (
            {key: found for key in (required, *others) if (found := text(entry.get(key)))}
            if isinstance(entry, dict)
            else {}
        )
        if not is_link(texts.get(required)):
            warn(warnings, f"an entry of {name} was left out: its {required} is not an http or https link")
            continue
        kept.append({key: found for key, found in texts.items() if key != "href" or is_link(found)})
    return kept
