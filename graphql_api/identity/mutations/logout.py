"""How does a person sign out? The session ends, and with it every token and socket of it."""

import strawberry

from graphql_api.context import Info
from graphql_api.errors import mutation, payload
from graphql_api.identity.mutations.login import origin_of


@strawberry.input(description="Nothing is needed: the session of the access token ends.")
class LogoutInput:
    """One field, because GraphQL knows no empty input."""

    client_mutation_id: str | None = strawberry.field(description="Comes back in the answer.", default=None)


@strawberry.type(description="The session has ended.")
class LogoutSuccess:
    """Nothing is left to say."""

    client_mutation_id: str | None = strawberry.field(description="What the input held.")


@mutation(payload("Logout", LogoutSuccess), description="End the session of the access token.")
async def logout(info: Info, data: LogoutInput) -> LogoutSuccess:
    """End the session; its access token does not count from now on."""
    context = info.context
    viewer = context.require_viewer(info.field_name)
    await context.state.sign_in_desk.sign_out(
        user_id=viewer.user_id, session_id=viewer.session_id, origin=origin_of(context)
    )
    if context.cookies is not None:
        context.cookies.clear()
    return LogoutSuccess(client_mutation_id=data.client_mutation_id)
