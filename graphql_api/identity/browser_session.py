"""How does a browser that followed a link or sent a form get its session? In cookies, and is sent on."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.identity.sign_in import Origin, SignedIn
from graphql_api.identity.cookies import read_cookies, seconds_until
from graphql_api.middleware import request_id_of

if TYPE_CHECKING:
    from graphql_api.state import AppState


def origin_of_request(request: Request) -> Origin:
    """Where a request comes from, for the session and the audit log."""
    return Origin(
        ip_address=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
        request_id=request_id_of(request.scope),
    )


def signed_in_response(request: Request, signed_in: SignedIn, return_to: str) -> Response:
    """Send the browser on, with the session in its cookies."""
    state: AppState = request.app.state.tocsin
    now, session = state.clock.now(), signed_in.session
    token, expires_at = state.access_tokens.sign(user_id=signed_in.user.id, session_id=session.id, now=now)
    cookies = read_cookies(request, state.settings)
    cookies.issue(
        access=token,
        access_seconds=seconds_until(expires_at, now),
        refresh=signed_in.refresh_token,
        refresh_seconds=seconds_until(session.idle_expires_at, now),
    )
    response = RedirectResponse(return_to, 303, headers={"cache-control": "no-store"})
    cookies.apply(response)
    return response
