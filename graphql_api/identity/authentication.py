"""Who sends this request? The bearer of an access token whose session lives, or nobody, with the reason."""

from dataclasses import dataclass
from uuid import UUID

from domain.identity.model import Viewer
from graphql_api.identity.tokens import InvalidToken
from graphql_api.state import AppState

SESSION_ENDED = "the session has ended: sign in again"


@dataclass(frozen=True, slots=True)
class Caller:
    """The viewer, or why there is none: a field that needs one answers with it."""

    viewer: Viewer | None = None
    problem: str | None = None


async def authenticate(state: AppState, authorization: str | None) -> Caller:
    """The caller an `Authorization` header names."""
    if not authorization:
        return Caller()
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return Caller(problem="the authorization header must be `Bearer <access token>`")
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
