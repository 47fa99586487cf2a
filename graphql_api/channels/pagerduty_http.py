"""What does PagerDuty call? That an incident was acknowledged, resolved or opened again there: so is the alert.

Webhooks v3: https://developer.pagerduty.com/docs/webhooks-overview and …/verifying-webhook-signatures. Each is for one
channel, named in its address, and signed with that channel's secret over the body; while a secret is replaced there are
several signatures, of which one must be right. An event that comes twice counts once; a 2xx leaves after COMMIT. What
came from there is not told there again: its notification is on the record as dropped.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.channels.kinds import pagerduty
from domain.channels.model import Channel
from domain.escalations.incidents import alert_of_key
from graphql_api.scalars import uuid_or_none
from graphql_api.state import AppState
from graphql_api.web_bodies import body_within
from persistence.incident_answers import MOVES, Incident, answer_incident, channel_to_answer

PATH = "/pagerduty/webhooks/{id}"
MAX_BODY = 256 * 1024
MAX_SIGNATURES = 10
MAX_WORD = 40
SECRET = "webhookSecret"  # noqa: S105 - the name of a value


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call that is PagerDuty's."""

    channel: Channel
    body: bytes


def signature(secret: str, body: bytes) -> str:
    """One of the values of `X-PagerDuty-Signature`."""
    return f"v1={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def is_signed(secret: str, header: str, body: bytes) -> bool:
    """Whether one of the signatures is right."""
    expected = signature(secret, body).encode()
    given = [one.strip().encode() for one in header.split(",")[:MAX_SIGNATURES]]
    return any(hmac.compare_digest(one, expected) for one in given)


async def webhook(request: Request) -> Response:
    """Something happened in PagerDuty."""
    state: AppState = request.app.state.tocsin
    call = await _signed(request, state)
    if call is None:
        return Response(status_code=403)
    incident = _incident(call, now=state.clock.now())
    if incident is not None:
        await answer_incident(state.engine, call.channel, incident, settings=state.settings, clock=state.clock)
    return Response(status_code=200)


async def _signed(request: Request, state: AppState) -> Call | None:
    """What is not signed, or is for no channel that listens, looks the same."""
    channel_id, body = uuid_or_none(request.path_params["id"]), await body_within(request, MAX_BODY)
    channel = None
    if channel_id is not None:
        async with state.reads.connect() as connection:
            channel = await channel_to_answer(connection, channel_id)
    if channel is None or body is None or channel.kind is not pagerduty.KIND:
        return None
    secret = channel.values.get(SECRET)
    if not secret or not is_signed(secret, request.headers.get("x-pagerduty-signature", ""), body):
        return None
    return Call(channel=channel, body=body)


def _incident(call: Call, *, now: datetime) -> Incident | None:
    """What happened; None for what is none of ours: another kind of event, an incident of another tool."""
    event = _named(_json(call.body).get("event"))
    data = _named(event.get("data"))
    key = data.get("incident_key")
    about = alert_of_key(key) if isinstance(key, str) else None
    event_id, kind = event.get("id"), event.get("event_type")
    if about is None or not isinstance(event_id, str) or kind not in MOVES:
        return None
    agent = _named(event.get("agent"))
    if str(agent.get("type", "")).endswith("integration_reference"):
        return None  # not somebody's doing but a tool's: mostly our own, come back
    return Incident(
        event_id=event_id,
        kind=str(kind),
        alert_id=about[0],
        key=str(key) if about[1] else None,
        occurred_at=_time(event.get("occurred_at")) or now,
        number=_word(data.get("number")),
        # Their id alone: a name would stay in a log that forgets nobody.
        agent=_word(agent.get("id")) if agent.get("type") == "user_reference" else None,
    )


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo is not None else found.replace(tzinfo=UTC)


def _word(value: object) -> str | None:
    """A short word or number that goes on the record as it is."""
    text = str(value) if isinstance(value, str | int) else ""
    return text if text.isascii() and text.isalnum() and len(text) <= MAX_WORD else None


def _json(body: bytes) -> dict[str, Any]:
    try:
        return _named(orjson.loads(body))
    except orjson.JSONDecodeError:
        return {}


def _named(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


ROUTES = [Route(PATH, webhook, methods=["POST"])]
