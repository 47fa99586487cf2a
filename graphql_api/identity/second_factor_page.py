"""How does a browser prove a second factor after a provider vouched for it? By a form that needs no script.

A console asks for the factor itself, by a mutation; this is for a browser that comes back from a provider. What was
proved so far is kept by the challenge, whose token the form carries: it is of use to nobody without the factor.
"""

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from domain.errors import DomainError
from domain.identity.proving import Offered
from graphql_api.graphql_request import BadRequest
from graphql_api.http_request import read_body
from graphql_api.identity.browser_session import origin_of_request, signed_in_response, too_many
from graphql_api.identity.cookies import comes_from_us
from graphql_api.identity.flow import local_path
from graphql_api.identity.pages import Page, hidden
from graphql_api.masking import UNAVAILABLE, is_outage
from graphql_api.middleware import OPERATION

if TYPE_CHECKING:
    from graphql_api.state import AppState

PATH = "/auth/second-factor"
MAX_BODY = 4096
TITLE = "One more step"
_ASKED = (
    '<label for="code">Code of your app, or a recovery code</label>'
    '<input id="code" name="code" autocomplete="one-time-code" autofocus required maxlength="64">'
    '<p><button type="submit">Go on</button></p></form>'
)


def second_factor_page(token: str, *, return_to: str, problem: str = "", status: int = 200) -> Response:
    """The page that asks for the factor."""
    form = f'<form method="post" action="{PATH}">{hidden("token", token)}{hidden("return_to", return_to)}{_ASKED}'
    words = problem or "Your account asks for a second factor."
    return Page(title=TITLE, words=(words,), form=form).answer(status)


async def prove(request: Request) -> Response:
    """Take the factor, and let the browser in."""
    state: AppState = request.app.state.tocsin
    request.scope[OPERATION] = "proveSecondFactor"
    if not comes_from_us(request, state.settings):
        words = ("This form was not sent from a page of this server.",)
        return Page(title="Not from here", words=words).answer(403)
    if (refused := await too_many(request)) is not None:
        return refused
    try:
        sent = dict(parse_qsl((await read_body(request, max_bytes=MAX_BODY)).decode(), max_num_fields=10))
    except (BadRequest, ValueError):
        sent = {}
    token, code, return_to = sent.get("token", ""), sent.get("code", "").strip(), local_path(sent.get("return_to"))
    if return_to is None:
        return Page(title="This form is not right", words=("Please begin anew.",)).answer(400)
    is_totp = code.replace(" ", "").isdecimal()
    offered = Offered(totp_code=code) if is_totp else Offered(recovery_code=code)
    try:
        origin = origin_of_request(request)
        signed_in = await state.second_step.complete(token=token, offered=offered, origin=origin)
    except DomainError as refusal:
        return second_factor_page(token, return_to=return_to, problem=refusal.message, status=403)
    except Exception as error:
        if not is_outage(error):
            raise
        return Page(title="Please try again in a moment", words=(UNAVAILABLE,)).answer(503)
    return signed_in_response(request, signed_in, return_to)


ROUTES = (Route(PATH, prove, methods=["POST"]),)
