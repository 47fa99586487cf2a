"""What does SendGrid call? Its signed event webhook: delivered, opened, bounced, dropped, reported as junk.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features:
ECDSA (P-256) with SHA-256 over the time stamp and the body as it came. What is not signed is answered 403 and changes
nothing. 204 is answered once every event is written down; SendGrid sends anything else again for a day, and an event
that comes twice changes nothing.
"""

import base64
import binascii
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.mail.feedback import of_sendgrid
from graphql_api.mail_events.body import whole_body
from graphql_api.state import AppState
from persistence.mail_feedback import note_feedback

PATH = "/mail/sendgrid/events"
SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"


def is_signed(key: str, body: bytes, *, signature: str, timestamp: str) -> bool:
    """Whether the holder of the verification key's other half signed this body."""
    try:
        public = load_der_public_key(base64.b64decode(key, validate=True))
        if not isinstance(public, ec.EllipticCurvePublicKey):
            return False
        public.verify(base64.b64decode(signature, validate=True), timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


async def take(request: Request) -> Response:
    """Events, many at a time."""
    state: AppState = request.app.state.tocsin
    key, body = state.settings.sendgrid_event_key, await whole_body(request)
    if body is None:
        return Response(status_code=413)
    given = request.headers
    if key is None or not is_signed(key, body, signature=given.get(SIGNATURE, ""), timestamp=given.get(TIMESTAMP, "")):
        return Response(status_code=403)
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Response(status_code=400)
    await _note(state, found if isinstance(found, list) else [])
    return Response(status_code=204)


async def _note(state: AppState, events: list[Any]) -> None:
    for event in events:
        feedback = of_sendgrid(event) if isinstance(event, dict) else None
        if feedback is not None:
            await note_feedback(state.engine, feedback, now=state.clock.now())


ROUTES = [Route(PATH, take, methods=["POST"])]
