"""How does a person link an account at a provider? The browser in which they are signed in is sent there and back."""

from datetime import datetime

import strawberry

from domain import errors
from graphql_api.context import Info
from graphql_api.errors import NotFound, WrongTransport, mutation, payload
from graphql_api.identity.flow import Envelopes, new_ticket


@strawberry.input(description="The provider to link.")
class LinkIdentityInput:
    """See domain.identity.federation."""

    provider: str = strawberry.field(description="The provider's name, as `identityProviders` gives it.")


@strawberry.type(description="Where the browser goes on.")
class LinkIdentitySuccess:
    """An address with a ticket in it."""

    start_url: str = strawberry.field(
        description="Open it in the browser that is signed in by cookies; no other browser can use it."
    )
    expires_at: datetime = strawberry.field(description="When the address ends.")


@mutation(
    payload("LinkIdentity", LinkIdentitySuccess, NotFound, WrongTransport),
    description="Begin to link an account at a provider. Nothing is linked before the provider vouched for you.",
)
async def link_identity(info: Info, data: LinkIdentityInput) -> LinkIdentitySuccess:
    """Give the ticket."""
    context = info.context
    state, viewer = context.state, context.require_viewer()
    if data.provider not in state.providers:
        raise errors.NotFound("no such provider", ("provider",))
    ticket = new_ticket(provider=data.provider, user_id=viewer.user_id, session_id=viewer.session_id, now=context.now())
    text = Envelopes(state.sealer).seal_ticket(ticket)
    base = context.settings.effective_public_url
    return LinkIdentitySuccess(
        start_url=f"{base}/auth/{data.provider}/start?ticket={text}", expires_at=ticket.expires_at
    )
