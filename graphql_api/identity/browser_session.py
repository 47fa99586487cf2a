"""How does a browser that followed a link or sent a form get its session? In cookies, and is sent on."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from domain.identity.sign_in import Origin, SignedIn
from graphql_api.access.limiting import headers_of, wait_of
from graphql_api.identity.cookies import read_cookies, seconds_until
from graphql_api.identity.pages import Page
from graphql_api.middleware import request_id_of

if TYPE_CHECKING:
    from graphql_api.state import AppState

# What one step of a sign-in costs a stranger's place; a provider is asked for each.
COST = 2000


def origin_of_request(request: Request) -> Origin:
    """Where a request comes from, for the session and the audit log."""
    return Origin(
        ip_address=request.client.host if request.client else None,
        user_agent=request.headers.get("user-agent"),
        request_id=request_id_of(request.scope),
    )


async def too_many(request: Request) -> Response | None:
    """The answer to a place that asks too often; None where there is room. Nobody is signed in here yet."""
    state: AppState = request.app.state.tocsin
    verdicts = await state.operation_limits.spend(None, origin_of_request(request).ip_address, COST)
    seconds = wait_of(verdicts)
    if not seconds:
        return None
    page = Page(title="Too many attempts", words=(f"Please try again in {seconds} seconds.",)).answer(429)
    page.headers.update(headers_of(verdicts))
    return page


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
