"""How is a trusted document shown?"""

from datetime import datetime

import strawberry

from domain.documents import actions, model
from domain.identity.model import User as DomainUser
from graphql_api.context import Info
from graphql_api.exposes import exposes
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User


async def _created_by(root: strawberry.Parent[model.TrustedDocument], info: Info) -> DomainUser | None:
    return None if root.created_by is None else await info.context.loader(load_users).load(root.created_by)


@exposes(model.TrustedDocument, description="A GraphQL document that may be run by its hash.")
class TrustedDocument:
    """See domain.documents.model.TrustedDocument."""

    id: strawberry.ID = strawberry.field(description="The document's id.")
    hash: str = strawberry.field(
        description="SHA-256 of the text, in lower-case hexadecimal; `documentId` is `sha256:` and this."
    )
    body: str = strawberry.field(description="The text, exactly as it was registered.")
    name: str | None = strawberry.field(description="The names of its operations; null where they have none.")
    client_name: str | None = strawberry.field(description="The program it was registered for.")
    created_at: datetime = strawberry.field(description="When it was registered.")
    created_by = strawberry.field(
        resolver=_created_by,
        graphql_type=User | None,
        description="Who registered it; null when it was done at the command line.",
    )


@exposes(actions.Registered, description="What became of one text of a registration.")
class RegisteredDocument:
    """See domain.documents.actions.Registered."""

    is_new: bool = strawberry.field(description="False when this very text was registered before.")
    document: TrustedDocument = strawberry.field(description="The document.")
