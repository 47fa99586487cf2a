"""How does a browser sign in through a provider? `/auth/{provider}/start` sends it there, `…/callback` takes it back.

`start?return_to=/path` ends with the session in cookies and the browser at that path of this server.
`start?challenge=…` ends with a code on the page, for a program that holds the challenge's verifier.
`start?ticket=…` links the provider's account to the person who is signed in (mutation `linkIdentity` gives the ticket).
Whatever goes wrong ends at a page that says so, and on the audit log.
"""

import base64
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.errors import AlreadyExists, DomainError, InvalidCredentials
from domain.identity.federation import MustLink, NoAddress, NobodyKnown
from domain.identity.identities import Vouched
from domain.identity.model import User
from domain.identity.proofs import Method
from domain.identity.sign_in import Challenged, Origin
from domain.ids import new_id
from graphql_api.identity.authentication import authenticate_request
from graphql_api.identity.browser_session import origin_of_request, signed_in_response, too_many
from graphql_api.identity.cookies import CrossSite, cookie_name
from graphql_api.identity.flow import COOKIE, LIFE, Envelopes, Flow, is_challenge, local_path
from graphql_api.identity.pages import Page
from graphql_api.identity.providers import Departure, Provider, ProviderAway, ProviderRefused
from graphql_api.identity.second_factor_page import second_factor_page
from graphql_api.masking import UNAVAILABLE, is_outage
from graphql_api.middleware import OPERATION
from graphql_api.state import AppState

log = structlog.get_logger(__name__)

HOME = "/"
CODE_BYTES = 32
BEGIN_ANEW = Page(
    title="This sign-in cannot be finished",
    words=(
        "It took too long, was begun in another browser or another tab, or was finished before. Please begin anew.",
    ),
)


@dataclass(slots=True)
class Desk:
    """One request, and what is needed to answer it."""

    request: Request

    @property
    def state(self) -> AppState:
        """The process's state."""
        state: AppState = self.request.app.state.tocsin
        return state

    @property
    def provider(self) -> Provider | None:
        """The provider of the address."""
        return self.state.providers.get(self.request.path_params["provider"])

    @property
    def envelopes(self) -> Envelopes:
        """Seals and opens what the browser carries."""
        return Envelopes(self.state.sealer)

    @property
    def now(self) -> datetime:
        """The current time."""
        return self.state.clock.now()

    @property
    def origin(self) -> Origin:
        """Where the request comes from."""
        return origin_of_request(self.request)

    @property
    def flow_cookie(self) -> str:
        """The name of the cookie that carries the flow."""
        return cookie_name(COOKIE, is_secure=self.state.settings.cookie_secure)

    def callback(self, provider: Provider) -> str:
        """The address the provider sends the browser back to; it must know it by heart."""
        return f"{self.state.settings.effective_public_url}/auth/{provider.settings.name}/callback"


async def start(request: Request) -> Response:
    """Send the browser to the provider."""
    desk = Desk(request)
    request.scope[OPERATION] = "startFederatedSignIn"
    provider = desk.provider
    if provider is None:
        return _no_such_provider()
    if (refused := await too_many(request)) is not None:
        return refused
    asked = request.query_params
    return_to, challenge = local_path(asked.get("return_to", HOME)), asked.get("challenge")
    if return_to is None or (challenge is not None and not is_challenge(challenge)):
        words = ("`return_to` must be a path on this server, and `challenge` the S256 form of a verifier.",)
        return Page(title="This address is not right", words=words).answer(400)
    ticket = desk.envelopes.ticket(asked.get("ticket"), provider=provider.settings.name, now=desk.now)
    if "ticket" in asked and (ticket is None or not await _is_its_browser(desk, ticket.session_id)):
        words = ("Open it in the browser in which you are signed in, and within five minutes.",)
        return Page(title="This account cannot be linked here", words=words).answer(403)
    try:
        departure = await provider.depart(desk.callback(provider))
    except ProviderAway as error:
        return _away(provider, error)
    flow = Flow(
        id=new_id(),
        provider=provider.settings.name,
        state=departure.state,
        verifier=departure.verifier,
        nonce=departure.nonce,
        return_to=return_to,
        challenge=challenge,
        user_id=None if ticket is None else ticket.user_id,
        session_id=None if ticket is None else ticket.session_id,
        expires_at=desk.now + LIFE,
    )
    response = RedirectResponse(departure.url, 303, headers={"cache-control": "no-store"})
    _set_flow(desk, response, desk.envelopes.seal_flow(flow), int(LIFE.total_seconds()))
    return response


async def callback(request: Request) -> Response:
    """Take the browser back."""
    desk = Desk(request)
    request.scope[OPERATION] = "finishFederatedSignIn"
    provider = desk.provider
    if provider is None:
        return _no_such_provider()
    if request.method != "GET":
        # Starlette answers HEAD where it answers GET: a look at an address must spend nothing.
        return Response(status_code=405, headers={"allow": "GET"})
    if (refused := await too_many(request)) is not None:
        return refused
    try:
        response = await _finish(desk, provider)
    except Exception as error:
        if not is_outage(error):
            raise
        response = Page(title="Please try again in a moment", words=(UNAVAILABLE,)).answer(503)
    _set_flow(desk, response, "", 0)
    return response


async def _finish(desk: Desk, provider: Provider) -> Response:
    parameters = dict(desk.request.query_params)
    flow = desk.envelopes.flow(
        desk.request.cookies.get(desk.flow_cookie), provider=provider.settings.name, now=desk.now
    )
    state = parameters.get("state", "")
    if flow is None or not hmac.compare_digest(flow.state.encode(), state.encode("utf-8", "surrogatepass")):
        return BEGIN_ANEW.answer(400)
    if not await desk.state.federation.is_first_time(flow.id, expires_at=flow.expires_at):
        return BEGIN_ANEW.answer(400)
    return await _vouched(desk, provider, flow, parameters)


async def _vouched(desk: Desk, provider: Provider, flow: Flow, parameters: dict[str, str]) -> Response:
    """Ask the provider who it is, and do what the browser set out for."""
    federation = desk.state.federation
    departure = Departure(url="", state=flow.state, verifier=flow.verifier, nonce=flow.nonce)
    try:
        vouched = await provider.arrive(departure, parameters, callback=desk.callback(provider))
        if flow.user_id is not None and flow.session_id is not None:
            await federation.link(flow.user_id, flow.session_id, vouched, desk.origin)
            return RedirectResponse(flow.return_to, 303)
        user = await federation.person(vouched, desk.origin)
    except ProviderAway as error:
        return _away(provider, error)
    except (ProviderRefused, DomainError) as error:
        await _record_refusal(desk, provider, error)
        return _refusal_page(provider, error)
    if flow.challenge is not None:
        return await _show_code(desk, user, vouched, flow.challenge)
    return await _sign_in(desk, user, vouched, flow)


async def _sign_in(desk: Desk, user: User, vouched: Vouched, flow: Flow) -> Response:
    proved = {Method.FEDERATED, *([Method.FEDERATED_MFA] if vouched.has_second_factor else [])}
    admitted = await desk.state.sign_in_desk.admit(user, proved=frozenset(proved), origin=desk.origin)
    if isinstance(admitted, Challenged):
        return second_factor_page(admitted.token, return_to=flow.return_to)
    return signed_in_response(desk.request, admitted, flow.return_to)


async def _show_code(desk: Desk, user: User, vouched: Vouched, challenge: str) -> Response:
    code = secrets.token_urlsafe(CODE_BYTES)
    digest = base64.urlsafe_b64decode(f"{challenge}=")
    await desk.state.federation.hand_over(user, vouched, code=code, challenge=digest)
    words = (
        "Give this code to the program that you started yourself. It is good once and for two minutes.",
        "If somebody else asked you for it, close this page: it would sign them in as you.",
    )
    return Page(title="Signed in", words=words, code=code).answer()


async def _is_its_browser(desk: Desk, session_id: object) -> bool:
    try:
        caller = await authenticate_request(desk.state, desk.request)
    except CrossSite:
        return False
    return caller.viewer is not None and caller.viewer.session_id == session_id


async def _record_refusal(desk: Desk, provider: Provider, error: Exception) -> None:
    if isinstance(error, InvalidCredentials):
        return  # the use case did
    name = provider.settings.name
    log.info("federation.refused", provider=name, reason=str(error))
    await desk.state.sign_in_desk.record_failure("login", None, desk.origin, reason=f"{name}: {error}")


def _refusal_page(provider: Provider, error: Exception) -> Response:
    label = provider.settings.label
    if isinstance(error, MustLink):
        words = (
            "Sign in as you did before, and link this account then: so nobody takes over an account by an address.",
        )
        return Page(title="An account with this address is here already", words=words).answer(409)
    if isinstance(error, NobodyKnown):
        words = (f"Nobody with this {label} account was let in. Ask an administrator to invite you.",)
        return Page(title="You are not known here", words=words).answer(403)
    if isinstance(error, NoAddress):
        words = (f"{label} gives no address that it has verified. Verify one there, then come back.",)
        return Page(title="An address is missing", words=words).answer(403)
    if isinstance(error, AlreadyExists):
        words = (f"This {label} account is linked already, to you or to another account.",)
        return Page(title="Linked already", words=words).answer(409)
    if isinstance(error, InvalidCredentials):
        return Page(title="This account may not sign in", words=("Ask an administrator.",)).answer(403)
    words = (f"{label} did not confirm who you are, or you said no there. Nothing was changed.",)
    return Page(title="The sign-in was refused", words=words).answer(403)


def _away(provider: Provider, error: ProviderAway) -> Response:
    log.warning("federation.provider_away", provider=provider.settings.name, error=str(error))
    words = (f"{provider.settings.label} does not answer just now. Try again in a moment, or sign in another way.",)
    return Page(title="The provider does not answer", words=words).answer(502)


def _no_such_provider() -> Response:
    return Page(title="There is no such provider", words=("Nobody can sign in through it here.",)).answer(404)


def _set_flow(desk: Desk, response: Response, value: str, seconds: int) -> None:
    """Lax, not strict: it must come along when the provider sends the browser back."""
    response.set_cookie(
        desk.flow_cookie,
        value,
        max_age=seconds,
        path="/",
        secure=desk.state.settings.cookie_secure,
        httponly=True,
        samesite="lax",
    )


ROUTES = (
    Route("/auth/{provider}/start", start, methods=["GET"]),
    Route("/auth/{provider}/callback", callback, methods=["GET"]),
)
