"""How is a person sent away? They may not sign in, and their sessions end at once; what they did stays."""

from dataclasses import replace

import strawberry

from domain.identity.administration import change_person
from graphql_api.context import Info
from graphql_api.errors import LastAdministrator, NotFound, StaleVersion, WouldOpenGaps, mutation, payload
from graphql_api.escalations.guarding import EVEN_IF_IT_OPENS_GAPS, guarded
from graphql_api.identity.account_inputs import EXPECTED_VERSION, person_entry
from graphql_api.identity.types import User
from graphql_api.scalars import uuid_of


@strawberry.input(description="The person to send away.")
class DeactivateUserInput:
    """See domain.identity.administration."""

    id: strawberry.ID = strawberry.field(description="The person.")
    expected_version: int | None = strawberry.field(description=EXPECTED_VERSION, default=None)
    even_if_it_opens_gaps: bool = strawberry.field(description=EVEN_IF_IT_OPENS_GAPS, default=False)


@strawberry.type(description="The person may not sign in, and every session has ended.")
class DeactivateUserSuccess:
    """The person."""

    user: User = strawberry.field(description="The person.")


@mutation(
    payload("DeactivateUser", DeactivateUserSuccess, NotFound, StaleVersion, LastAdministrator, WouldOpenGaps),
    description="Send a person away: no more sign-in, and every session ends at once. The last administrator stays.",
)
async def deactivate_user(info: Info, data: DeactivateUserInput) -> DeactivateUserSuccess:
    """Edit the locked row; what follows is in the same transaction."""
    context = info.context
    user = await change_person(
        replace(context.state.accounts, units=lambda: guarded(context, even_if=data.even_if_it_opens_gaps)),
        uuid_of(data.id, "person", "id"),
        lambda before: replace(before, is_active=False),
        expected_version=data.expected_version,
        entry=person_entry(context, "deactivateUser"),
    )
    return DeactivateUserSuccess(user=user)  # type: ignore[arg-type] # the domain object is the GraphQL object
