"""How does an administrator erase a person? For good: it is asked by typing the person's address once more."""

import strawberry

from domain.privacy.erasure import EraseRequest
from graphql_api.context import Info
from graphql_api.errors import LastAdministrator, NotFound, WouldOpenGaps, mutation, payload
from graphql_api.escalations.guarding import EVEN_IF_IT_OPENS_GAPS, require_no_gaps_without
from graphql_api.privacy.erasing import WORDS, erase
from graphql_api.scalars import uuid_of


@strawberry.input(description="A person to erase, for good.")
class EraseUserInput:
    """See domain.privacy.erasure."""

    user_id: strawberry.ID = strawberry.field(description="The person.")
    confirm_email: str = strawberry.field(description="The person's address, typed once more.")
    erase_comments: bool = strawberry.field(description=WORDS, default=False)
    even_if_it_opens_gaps: bool = strawberry.field(description=EVEN_IF_IT_OPENS_GAPS, default=False)


@strawberry.type(description="The person is erased.")
class EraseUserSuccess:
    """Nothing is left but the id."""

    erased_id: strawberry.ID = strawberry.field(description="The id, which stays where the person did something.")


@mutation(
    payload("EraseUser", EraseUserSuccess, NotFound, LastAdministrator, WouldOpenGaps),
    description="Erase all that is known of a person. It cannot be taken back. Administrators only.",
)
async def erase_user(info: Info, data: EraseUserInput) -> EraseUserSuccess:
    """Their sessions and keys end at once."""
    user_id = uuid_of(data.user_id, "person", "userId")
    asked = EraseRequest(user_id=user_id, confirm_email=data.confirm_email, comments=data.erase_comments)
    if not data.even_if_it_opens_gaps:
        await require_no_gaps_without(info.context, user_id)
    await erase(info.context, asked, action="eraseUser")
    return EraseUserSuccess(erased_id=strawberry.ID(str(user_id)))
