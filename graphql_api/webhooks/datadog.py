"""What does a Datadog monitor's webhook say (`POST /webhooks/datadog`)?

    {"alert_id": "90217", "alert_scope": "host:web-07,env:prod", "alert_title": "CPU high on web-07",
     "alert_priority": "P2", "alert_transition": "Triggered", "alert_type": "error", "aggreg_key": "5f0d…",
     "title": "[P2] [Triggered on {host:web-07}] CPU high", "body": "CPU on web-07 is 96.4%", "date": "1772623298000",
     "tags": "env:prod,service:checkout", "link": "https://…"}

That is the template we ship: Datadog fills `$VARIABLES` in, every value is text, and a variable it does not know stays
as it is. Its own default template has neither state nor monitor id: they are read from the title's prefix and from the
links in its text. With "Encode as form" the same fields come as a form.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from domain.alerts.dedup import dedup_key
from domain.alerts.signal import Signal, SignalStatus
from graphql_api.webhooks.contract import Parsed, PayloadError, Post
from graphql_api.webhooks.decode import read_one
from graphql_api.webhooks.diagnosis import ItemError
from graphql_api.webhooks.fields import first_of, first_text, moment, put_all, put_link, text

SOURCE = "datadog"
# A monitor's "Test notifications" sends each state it may have, and nothing afterwards.
TEST_LIFETIME = timedelta(minutes=10)

_TRANSITIONS = {
    "triggered": SignalStatus.FIRING,
    "re-triggered": SignalStatus.FIRING,
    "renotify": SignalStatus.FIRING,
    "warn": SignalStatus.FIRING,
    "re-warn": SignalStatus.FIRING,
    "no data": SignalStatus.FIRING,
    "re-no data": SignalStatus.FIRING,
    "recovered": SignalStatus.RESOLVED,
}
_WARN = ("warn", "re-warn")
_PREFIX = re.compile(
    r"\[(?P<transition>Re-Triggered|Triggered|Recovered|Re-Warn|Warn|Re-No Data|No Data|Renotify)"
    r"(?: on \{(?P<scope>[^}]*)\})?\]",
    re.IGNORECASE,
)
_ANY_PREFIX = re.compile(r"^(?:\s*\[[^\]]*\])+\s*")
_PRIORITY = re.compile(r"\[(P[1-5])\]")
_MONITOR_LINK = re.compile(r"/monitors[/#](\d{1,20})")
_UNFILLED = re.compile(r"\$[A-Z][A-Z0-9_]*(?:\[[^\]]*\])?")
_MOST_FORM_FIELDS = 200
_KEPT = (
    "event_id", "event_type", "alert_id", "alert_cycle_key", "alert_metric", "alert_query", "alert_scope",
    "alert_status", "alert_transition", "alert_type", "alert_priority", "aggreg_key", "hostname", "tags",
    "last_updated", "title", "org",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _State:
    """What a post says of its monitor, from its fields or from the prefix of its title."""

    status: SignalStatus
    transition: str
    scope: str | None


def parse(post: Post) -> Parsed:
    """The post's one alert. Raises PayloadError for a body that is neither a JSON object nor a form."""
    is_form = post.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    body = _form_as_json(post.body) if is_form else post.body
    return read_one(body, lambda fields: _signal(fields, post.received_at))


def _form_as_json(body: bytes) -> bytes:
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=_MOST_FORM_FIELDS)
    except ValueError as error:
        raise PayloadError(400, f"the form has more than {_MOST_FORM_FIELDS} fields") from error
    return msgspec.json.encode(dict(pairs))


def _signal(body: dict[str, Any], received_at: datetime) -> Signal:
    fields = {name: _filled(value) for name, value in body.items()}
    heading = text(fields.get("title")) or ""
    name = first_text(fields.get("alert_title"), _ANY_PREFIX.sub("", heading), heading)
    if name is None:
        raise ItemError("is missing", ("title",))
    warnings: list[str] = []
    state = _state(fields, heading, warnings)
    labels = _labels(fields)
    key, recipe = _key(fields, state, name)
    happened_at = moment(fields.get("date"), ("date",)) or moment(fields.get("last_updated"), ("last_updated",))
    is_over = state.status is SignalStatus.RESOLVED
    is_test = heading.upper().startswith("[TEST]")
    metadata: dict[str, Any] = {}
    if is_test:
        warnings.append("a test of the monitor's notification: it closes by itself")
    put_link(metadata, warnings, name="link", value=fields.get("link"))
    put_link(metadata, warnings, name="snapshot", value=fields.get("snapshot"))
    put_all(metadata, warnings, ((field, fields.get(field)) for field in _KEPT))
    return Signal(
        title=name,
        source=SOURCE,
        dedup_key=key,
        dedup_recipe=recipe,
        status=state.status,
        description=_plain(first_text(fields.get("body"), fields.get("alert_status"))),
        severity_text=_severity_text(fields, state, heading),
        service_name=first_of(labels, ("service", "kube_service", "app")),
        labels=labels,
        metadata=metadata,
        started_at=None if is_over else happened_at,
        ended_at=happened_at if is_over else None,
        expires_at=received_at + TEST_LIFETIME if is_test and not is_over else None,
        warnings=tuple(warnings),
    )


def _filled(value: object) -> object:
    """A value, or None for a variable that Datadog left as it is: it does not exist in this kind of notification."""
    if isinstance(value, dict):
        return {name: _filled(inner) for name, inner in value.items()}
    return None if isinstance(value, str) and _UNFILLED.fullmatch(value.strip()) else value


def _state(fields: dict[str, Any], heading: str, warnings: list[str]) -> _State:
    """Transition, scope and status. An event that names no transition is a problem unless its type is success."""
    found = _PREFIX.search(heading)
    scope = first_text(fields.get("alert_scope"), found["scope"] if found else None)
    named = (text(fields.get("alert_transition")) or "").strip().lower()
    if named and named not in _TRANSITIONS:
        # The template is the user's: what it says here may be anything, and that must not cost the alert.
        warnings.append(f"alert_transition is no transition of a monitor: {named[:60]!r}")
    transition = named if named in _TRANSITIONS else (found["transition"].lower() if found else "")
    if transition:
        return _State(_TRANSITIONS[transition], transition, scope)
    is_success = text(fields.get("alert_type")) == "success"
    return _State(SignalStatus.RESOLVED if is_success else SignalStatus.FIRING, "", scope)


def _key(fields: dict[str, Any], state: _State, name: str) -> tuple[str, str]:
    """One monitor alerts for many groups (hosts, services): monitor and group together are one problem."""
    monitor, aggregate = text(fields.get("alert_id")), text(fields.get("aggreg_key"))
    if monitor is not None:
        group = state.scope or aggregate
        recipe = "Datadog's monitor id and the scope (group) of the alert"
        return dedup_key("dd", 1, f"{monitor}:{group}" if group else monitor), recipe
    if aggregate is not None:
        return dedup_key("dd", 1, f"aggreg:{aggregate}"), "Datadog's aggregation key"
    links = _MONITOR_LINK.findall(text(fields.get("body")) or "")
    if links:
        # The links to the monitor close the text; what a person wrote above may link to others.
        recipe = "the monitor id in the links of Datadog's text, and the scope in the title"
        return dedup_key("dd", 1, f"{links[-1]}:{state.scope or ''}"), recipe
    recipe = "the title without its prefix, and the scope in that prefix: Datadog's default template names no monitor"
    return dedup_key("dd", 1, f"title:{state.scope or ''}:{name}"), recipe


def _severity_text(fields: dict[str, Any], state: _State, heading: str) -> str | None:
    """A monitor in its warning state is a warning, whatever the priority it has when it alerts."""
    if state.transition in _WARN:
        return "warning"
    priority = text(fields.get("alert_priority"))
    found = _PRIORITY.search(heading)
    return priority or (found[1] if found else None) or text(fields.get("alert_type"))


def _labels(fields: dict[str, Any]) -> dict[str, str]:
    """`name:value` tags as labels; a name with several values keeps them all, comma-separated. Bare tags are none."""
    given = fields.get("tags")
    tags = given if isinstance(given, list) else (text(given) or "").split(",")
    labels: dict[str, str] = {}
    for tag in tags:
        name, _, value = str(tag).strip().partition(":")
        if name and value and value not in labels.get(name, "").split(","):
            labels[name] = f"{labels[name]},{value}" if name in labels else value
    host = text(fields.get("hostname"))
    if host is not None:
        labels.setdefault("host", host)
    return labels


def _plain(description: str | None) -> str | None:
    """Text without the `%%%` lines in which Datadog wraps Markdown."""
    if description is None:
        return None
    return description.strip().removeprefix("%%%").removesuffix("%%%").strip() or None
