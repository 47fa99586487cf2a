"""How does a person erase themselves? As an administrator would, and with a fresh proof of who they are."""

import strawberry

from domain.privacy.erasure import EraseRequest
from graphql_api.context import Info
from graphql_api.errors import LastAdministrator, NotFound, mutation, payload
from graphql_api.privacy.erasing import WORDS, erase


@strawberry.input(description="Your own erasure, for good.")
class EraseMeInput:
    """See domain.privacy.erasure."""

    confirm_email: str = strawberry.field(description="Your address, typed once more.")
    erase_comments: bool = strawberry.field(description=WORDS, default=False)


@strawberry.type(description="You are erased; this session has ended.")
class EraseMeSuccess:
    """Nothing is left but the id."""

    erased_id: strawberry.ID = strawberry.field(description="The id, which stays where you did something.")


@mutation(
    payload("EraseMe", EraseMeSuccess, NotFound, LastAdministrator),
    description="Erase all that is known of you. It cannot be taken back, and ends your sessions and keys at once.",
)
async def erase_me(info: Info, data: EraseMeInput) -> EraseMeSuccess:
    """The last administrator cannot go."""
    viewer = info.context.require_viewer()
    asked = EraseRequest(user_id=viewer.user_id, confirm_email=data.confirm_email, comments=data.erase_comments)
    await erase(info.context, asked, action="eraseMe")
    return EraseMeSuccess(erased_id=strawberry.ID(str(viewer.user_id)))
