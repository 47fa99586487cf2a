"""Who sends this request? The bearer of an access token whose session lives, or of an API key; or nobody, and why.

A token or key comes in the `Authorization` header, a key in `X-Api-Key` as well, and a token in a browser's cookie
where that counts: graphql_api/identity/cookies.
"""

from dataclasses import dataclass, replace
from uuid import UUID

from starlette.requests import HTTPConnection

from domain.access import keys
from domain.access.networks import allows
from domain.identity.model import Viewer
from graphql_api.identity.cookies import SessionCookies, session_cookies
from graphql_api.identity.tokens import InvalidToken
from graphql_api.state import AppState
from persistence.key_viewers import viewers_of_keys

COOKIE_ENDED = "the access token of the browser's session has expired: refresh the session"
SESSION_ENDED = "the session has ended: sign in again"
KEY_ENDED = "the API key is unknown, expired or revoked"
KEY_ELSEWHERE = "the API key may not be used from this address"


@dataclass(frozen=True, slots=True)
class Caller:
    """The viewer, or why there is none: a field that needs one answers with it."""

    viewer: Viewer | None = None
    problem: str | None = None
    # There where the request asked to be answered by cookies; they are given to no script.
    cookies: SessionCookies | None = None


async def authenticate_request(state: AppState, request: HTTPConnection) -> Caller:
    """The caller of an HTTP request. A token that is sent counts before any cookie. CrossSite: see cookies.py."""
    authorization = request.headers.get("authorization")
    key = request.headers.get("x-api-key")
    address = request.client.host if request.client else None
    if key and not authorization:
        return await caller_of_key(state, key.strip(), address=address)
    cookies = None if authorization else session_cookies(request, state.settings)
    if cookies is None:
        return await authenticate(state, authorization, address=address)
    return await authenticate_cookies(state, cookies)


async def authenticate_cookies(state: AppState, cookies: SessionCookies) -> Caller:
    """The caller whom a browser's cookies name."""
    if cookies.access is not None:
        return replace(await authenticate(state, f"Bearer {cookies.access}"), cookies=cookies)
    return Caller(problem=COOKIE_ENDED if cookies.refresh else None, cookies=cookies)


async def authenticate(state: AppState, authorization: str | None, *, address: str | None = None) -> Caller:
    """The caller an `Authorization` header names. `address` is where it comes from: a key may be bound to networks."""
    if not authorization:
        return Caller()
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return Caller(problem="the authorization header must be `Bearer <access token or API key>`")
    if token.strip().startswith(keys.PREFIX):
        return await caller_of_key(state, token.strip(), address=address)
    now = state.clock.now()
    try:
        claims = state.access_tokens.read(token.strip(), now=now)
    except InvalidToken as error:
        return Caller(problem=str(error))
    caller = await caller_of_session(state, claims.session_id)
    if caller.viewer is not None and caller.viewer.user_id != claims.user_id:
        return Caller(problem=SESSION_ENDED)
    return caller


async def caller_of_session(state: AppState, session_id: UUID) -> Caller:
    """Whom a session belongs to, with today's role and teams."""
    viewer = await state.viewers.viewer(session_id)
    return Caller(problem=SESSION_ENDED) if viewer is None else Caller(viewer=viewer)


async def caller_of_key(state: AppState, secret: str, *, address: str | None) -> Caller:
    """Whom an API key acts for, with today's role and teams."""
    if not keys.is_key(secret):
        return Caller(problem="this is no API key: it was cut off or mistyped")
    present, *former = (keys.key_digest(secret, digest_key) for digest_key in state.api_key_digest_keys)
    used = await state.keys.find(present)
    is_present = used is not None
    for digest in former:
        used = used or await state.keys.find(digest)
    if used is None:
        return Caller(problem=KEY_ENDED)
    grant = used.viewer.grant
    if grant is None or not allows(grant.networks, address):
        return Caller(problem=KEY_ELSEWHERE)
    if not is_present:
        state.key_use.renew(grant.key_id, present)
    state.key_use.note(grant.key_id, now=state.clock.now(), known=used.last_used_at)
    return Caller(viewer=used.viewer)


async def caller_again(state: AppState, viewer: Viewer, *, address: str | None) -> Caller:
    """The same caller, read anew: by the session or the key, not by the token, which a socket outlives."""
    if viewer.grant is None:
        return await caller_of_session(state, viewer.session_id)
    async with state.reads.connect() as connection:
        found = (await viewers_of_keys(connection, [viewer.session_id], now=state.clock.now())).get(viewer.session_id)
    if found is None or found.grant is None:
        return Caller(problem=KEY_ENDED)
    if not allows(found.grant.networks, address):
        return Caller(problem=KEY_ELSEWHERE)
    state.key_use.note(found.grant.key_id, now=state.clock.now(), known=None)
    return Caller(viewer=found)
