"""What does Slack call? That somebody pressed a button of a message. They act as whoever proved to be that member.

Each call is signed with the app's signing secret over its time and its body
(https://docs.slack.dev/authentication/verifying-requests-from-slack): what is not signed, is older than five minutes,
or came before is refused and changes nothing. Slack wants an answer within three seconds; what there is to say goes to
the address it gave for that, by a job.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import parse_qs
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.alerts.actions.acting import Acting
from domain.alerts.actions.edit import snooze_alert
from domain.alerts.actions.moves import acknowledge_alert, resolve_alert
from domain.alerts.events import Via
from domain.alerts.model import Alert, AlertStatus
from domain.errors import DomainError, IllegalMove
from graphql_api.escalations.answering import FEW, acting_as, answer_many, require_operator
from graphql_api.escalations.drill_answering import REACHED, answer_drills
from graphql_api.scalars import uuid_or_none
from graphql_api.state import AppState
from graphql_api.web_bodies import body_within
from persistence.contacts import person_of_member
from persistence.group_answers import with_their_groups
from persistence.inbound import is_first
from persistence.person_viewer import viewer_of_person
from persistence.reads.alerts import alerts_by_ids
from persistence.slack_answers import add_answer
from persistence.slack_messages import carried_by

PATH = "/slack/interactions"
SOURCE = "slack"
MAX_BODY = 256 * 1024
# How far a call's time may be from ours, before and after.
WINDOW = timedelta(minutes=5)
SNOOZE = timedelta(hours=1)
MAX_ALERTS = 100
ALL = "all"
OVER = "There is nothing to answer with this button any more."
UNLINKED = (
    "Tocsin does not know who you are. Add a contact method of kind SLACK with your member ID `{member}` to your "
    "account there, and type the code you are sent: then press again."
)
Episodes: TypeAlias = Mapping[UUID, int]


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of `X-Slack-Signature`."""
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return f"v0={digest}"


def is_signed(secret: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> bool:
    """Whether a call is Slack's, and of now. Takes as long for every wrong signature."""
    timestamp = headers.get("x-slack-request-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= len("99999999999")):
        return False
    given = headers.get("x-slack-signature", "").encode()
    is_ours = hmac.compare_digest(given, signature(secret, timestamp, body).encode())
    return is_ours and abs(now.timestamp() - int(timestamp)) <= WINDOW.total_seconds()


async def interactions(request: Request) -> Response:
    """A button was pressed."""
    state: AppState = request.app.state.tocsin
    secret, now = state.settings.slack_signing_secret, state.clock.now()
    body = await body_within(request, MAX_BODY)
    if secret is None or body is None:
        return Response(status_code=403)
    if not is_signed(secret.get_secret_value(), request.headers, body, now=now):
        return Response(status_code=403)
    call = _payload(body)
    if call.get("type") != "block_actions":
        return Response(status_code=200)  # a shortcut or a form of the app that is none of ours
    async with state.engine.begin() as connection:
        if not await is_first(connection, SOURCE, request.headers["x-slack-signature"].encode(), now=now):
            return Response(status_code=403)
    for action in _listed(call.get("actions")):
        text = await _press(request, state, str(_named(call.get("user")).get("id", "")), action)
        url = call.get("response_url")
        if text and isinstance(url, str) and url.startswith("https://"):
            async with state.engine.begin() as connection:
                await add_answer(connection, url, text, now=now)
    return Response(status_code=200)


async def _press(request: Request, state: AppState, member: str, action: Mapping[str, Any]) -> str:
    """Do what the button says, as whoever pressed it; what to tell them."""
    async with state.reads.connect() as connection:
        user_id = await person_of_member(connection, member)
        viewer = None if user_id is None else await viewer_of_person(connection, user_id)
        if viewer is None:
            return UNLINKED.format(member=member[:40])
        episodes = await with_their_groups(connection, await _episodes(connection, str(action.get("value", ""))))
        found = await alerts_by_ids(connection, list(episodes), sight=viewer.sight) if episodes else {}
    alerts = [alert for alert in found.values() if alert.episode == episodes[alert.id]]
    # The button for all may be of a drill beside alerts: whoever presses it was reached.
    reached = await answer_drills(request, state, viewer, episodes.keys() - found.keys(), via=Via.SLACK)
    if not alerts:
        return REACHED if reached else OVER
    return await _answer(acting_as(viewer, request, state, via=Via.SLACK), state, alerts, str(action.get("action_id")))


async def _episodes(connection: Any, value: str) -> Episodes:  # noqa: ANN401 - a connection of the reads
    """Which alerts a button is about, and which episode of each."""
    first, _, second = value.partition(":")
    named = uuid_or_none(second if first == ALL else first)
    if named is None:
        return {}
    if first != ALL:
        return {named: int(second)} if second.isascii() and second.isdigit() and len(second) < len("9999999999") else {}
    carried = await carried_by(connection, named)
    pages = {one.alert_id: one.episode for one in carried if one.alert_id is not None and one.episode is not None}
    return dict(list(pages.items())[:MAX_ALERTS])


async def _answer(acting: Acting, state: AppState, alerts: list[Alert], action: str) -> str:
    """Each is moved; one that is as wanted already stays as it is."""
    if len(alerts) > FEW and action in {"acknowledge", "resolve"}:
        hold, resolves = state.settings.manual_resolve_hold, action == "resolve"
        count, trouble = await answer_many(acting, alerts, resolves=resolves, hold=hold)
        return _told(action, alerts, done=count, trouble=trouble)
    done, trouble = 0, ""
    for alert in alerts:
        try:
            require_operator(acting.viewer, alert)
            await _move(acting, state, alert, action)
            done += 1
        except IllegalMove:
            trouble = _standing(alert)
        except DomainError as error:
            trouble = error.message
    return _told(action, alerts, done=done, trouble=trouble)


def _told(action: str, alerts: list[Alert], *, done: int, trouble: str) -> str:
    if not done:
        return f"Nothing changed: {trouble}"
    verb = {"acknowledge": "Acknowledged", "resolve": "Resolved", "snooze": "Snoozed for an hour"}[action]
    return f"{verb}: {_title(alerts[0])}" if len(alerts) == 1 else f"{verb}: {done} of {len(alerts)} alerts"


async def _move(acting: Acting, state: AppState, alert: Alert, action: str) -> Alert:
    if action == "acknowledge":
        return await acknowledge_alert(acting, alert_id=alert.id)
    if action == "resolve":
        return await resolve_alert(acting, alert_id=alert.id, hold=state.settings.manual_resolve_hold)
    if action == "snooze":
        return await snooze_alert(acting, alert_id=alert.id, until=state.clock.now() + SNOOZE)
    message = "this button does nothing any more"
    raise IllegalMove(message, current=alert.status.value, allowed=[])


def _standing(alert: Alert) -> str:
    """Why there was nothing to do, as far as it was seen before the attempt."""
    return "it is resolved" if alert.status is AlertStatus.RESOLVED else "somebody was faster"


def _title(alert: Alert) -> str:
    """Without what Slack would take for a link or a mention."""
    title = " ".join(alert.title.split())[:100]
    return title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _payload(body: bytes) -> dict[str, Any]:
    """The call: JSON in the one field of a form."""
    try:
        return _named(orjson.loads(parse_qs(body.decode(), max_num_fields=10)["payload"][0]))
    except (KeyError, ValueError):
        return {}


def _named(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: object) -> list[dict[str, Any]]:
    """At most a few: a press is of one button."""
    return [_named(one) for one in value[:5]] if isinstance(value, list) else []


ROUTES = [Route(PATH, interactions, methods=["POST"])]
