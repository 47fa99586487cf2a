"""What does Twilio call? That a text message went on its way, and what somebody replied to one.

Both are posts of a form, signed with the account's token over the address and the fields: whatever is not signed is
answered 403 and changes nothing. A reply acts as whoever the message went to, if it comes from that very number.
https://www.twilio.com/docs/usage/security#validating-requests
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeAlias
from urllib.parse import parse_qsl
from uuid import UUID
from xml.sax.saxutils import escape

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.alerts.actions.moves import acknowledge_alert, resolve_alert
from domain.alerts.events import Via
from domain.alerts.model import Alert
from domain.contacts.delivery import OPTED_OUT_REASON, opts_out
from domain.contacts.message import reply_of
from domain.errors import DomainError, IllegalMove
from domain.escalations.model import Notification
from domain.identity.model import Viewer
from graphql_api.escalations.answering import FEW, acting_as, answer_many, require_operator
from graphql_api.escalations.drill_answering import REACHED, answer_drills
from graphql_api.scalars import uuid_or_none
from graphql_api.state import AppState
from persistence.contacts import disable_number
from persistence.group_answers import with_their_groups
from persistence.inbound import count_since, is_first, was_taken
from persistence.person_viewer import viewer_of_person
from persistence.reads.alerts import alerts_by_ids
from persistence.text_settling import note_status, pages_of_text
from persistence.texts import answered_text

STATUS_PATH, REPLY_PATH = "/sms/twilio/status/{id}", "/sms/twilio/reply"
MAX_BODY = 64 * 1024
REPLIES = "sms-reply"
# Wrong codes from one number; what comes after them is not answered, right or wrong, until the hour is over.
MAX_GUESSES, GUESS_WINDOW = 10, timedelta(hours=1)
UNREAD = "To answer an alert, reply A and the four digits of its message to acknowledge, R and the digits to resolve."
OVER = "There is nothing to answer with this code any more."
Form: TypeAlias = Mapping[str, str]


def signature(token: str, url: str, form: Form) -> str:
    """The value of `X-Twilio-Signature`: HMAC-SHA1 over the address and the fields in the order of their names."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), hashlib.sha1)).decode()


async def _signed_form(request: Request, state: AppState) -> dict[str, str] | None:
    """The fields of a post that is Twilio's; None for any other."""
    token = state.settings.twilio_auth_token
    if token is None:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            return None
    form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    query = f"?{request.url.query}" if request.url.query else ""
    url = f"{state.settings.effective_public_url}{request.url.path}{query}"
    given = request.headers.get("x-twilio-signature", "")
    expected = signature(token.get_secret_value(), url, form)
    is_ours = hmac.compare_digest(given.encode(), expected.encode())
    return form if is_ours and form.get("AccountSid") == state.settings.twilio_account_sid else None


async def status(request: Request) -> Response:
    """How far a message got."""
    state: AppState = request.app.state.tocsin
    form = await _signed_form(request, state)
    if form is None:
        return Response(status_code=403)
    text_id = uuid_or_none(request.path_params["id"])
    is_known = text_id is not None and await note_status(
        state.engine,
        text_id,
        provider_id=form.get("MessageSid", ""),
        status=form.get("MessageStatus", ""),
        error=form.get("ErrorCode"),
        now=state.clock.now(),
    )
    return Response(status_code=204 if is_known else 404)


async def reply(request: Request) -> Response:
    """What somebody answered. The answer to it is TwiML, which Twilio sends back as a text message."""
    state: AppState = request.app.state.tocsin
    form = await _signed_form(request, state)
    if form is None:
        return Response(status_code=403)
    if opts_out(form):
        async with state.engine.begin() as connection:
            await disable_number(connection, form.get("From", ""), OPTED_OUT_REASON, now=state.clock.now())
        return _twiml(None)
    if form.get("OptOutType"):
        return _twiml(None)  # START, HELP: Twilio itself has answered
    asked = reply_of(form.get("Body", ""))
    if asked is None:
        return _twiml(UNREAD)
    return await _replied(request, state, form, asked)


async def _replied(request: Request, state: AppState, form: Form, asked: tuple[str, str]) -> Response:
    (move, code), now = asked, state.clock.now()
    sid, guesser = form.get("MessageSid", "").encode(), _guesser(state, form)
    async with state.reads.connect() as connection:
        was_answered = await was_taken(connection, REPLIES, sid)
        if was_answered or await count_since(connection, guesser, now - GUESS_WINDOW) >= MAX_GUESSES:
            return _twiml(None)
        text = await answered_text(connection, code, number=form.get("From", ""), now=now)
        pages = [] if text is None else await pages_of_text(connection, text.text_id)
        viewer = None if text is None else await viewer_of_person(connection, text.user_id)
        alerts = await _alerts(connection, pages, viewer)
    said = OVER
    # One message may tell of a drill beside alerts: whoever answers it was reached.
    if viewer is not None and await answer_drills(request, state, viewer, _ids(pages), via=Via.SMS):
        said = REACHED
    if viewer is not None and alerts:
        said = await _answer(request, state, viewer, alerts, resolves=move == "r")
    # After it was done: of a reply that a crash cut off Twilio's second attempt counts.
    async with state.engine.begin() as connection:
        await is_first(connection, guesser if text is None else REPLIES, sid, now=now)
    return _twiml(said)


def _ids(pages: Sequence[Notification]) -> list[UUID]:
    return [page.alert_id for page in pages if page.alert_id is not None]


def _guesser(state: AppState, form: Form) -> str:
    """Under what the wrong codes of a number are counted, which is not the number itself.

    A sender's number is easily forged, and a code of four digits soon guessed.
    """
    digest = hmac.new(state.settings.derived_key(REPLIES), form.get("From", "").encode(), hashlib.sha256)
    return f"{REPLIES}:{digest.hexdigest()}"


async def _alerts(connection: AsyncConnection, pages: Sequence[Notification], viewer: Viewer | None) -> list[Alert]:
    """What the message told of, as far as it still is what it was, and the person may see it."""
    told = {page.alert_id: page.episode or 0 for page in pages if page.alert_id is not None}
    if viewer is None or not told:
        return []
    episodes = await with_their_groups(connection, told)
    found = await alerts_by_ids(connection, list(episodes), sight=viewer.sight)
    return [alert for alert in found.values() if alert.episode == episodes[alert.id]]


async def _answer(request: Request, state: AppState, viewer: Viewer, alerts: Sequence[Alert], *, resolves: bool) -> str:
    """Each is moved; one that was answered already stays as it is."""
    acting, done, trouble = acting_as(viewer, request, state, via=Via.SMS), 0, ""
    if len(alerts) > FEW:
        hold = state.settings.manual_resolve_hold
        done, trouble = await answer_many(acting, alerts, resolves=resolves, hold=hold)
        few = list[Alert]()
    else:
        few = list(alerts)
    for alert in few:
        try:
            require_operator(viewer, alert)
            if resolves:
                await resolve_alert(acting, alert_id=alert.id, hold=state.settings.manual_resolve_hold)
            else:
                await acknowledge_alert(acting, alert_id=alert.id)
            done += 1
        except IllegalMove:
            trouble = "somebody was faster"
        except DomainError as error:
            trouble = error.message
    verb = "Resolved" if resolves else "Acknowledged"
    title = f": {' '.join(alerts[0].title.split())[:60]}" if len(alerts) == 1 else f" {done} of {len(alerts)} alerts"
    return f"{verb}{title}" if done else f"Nothing changed: {trouble}"


def _twiml(text: str | None) -> Response:
    message = "" if text is None else f"<Message>{escape(text)}</Message>"
    body = f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'
    return Response(body, media_type="text/xml")


ROUTES = [Route(STATUS_PATH, status, methods=["POST"]), Route(REPLY_PATH, reply, methods=["POST"])]
