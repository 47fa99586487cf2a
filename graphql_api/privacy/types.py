"""How is an export of personal data shown?"""

from datetime import datetime

import strawberry

from domain.identity.model import User as DomainUser
from domain.privacy import exports
from domain.privacy.exports import ExportState
from graphql_api.context import Info
from graphql_api.exposes import expose_enum, exposes
from graphql_api.identity.loaders import load_users
from graphql_api.identity.types import User

expose_enum(
    ExportState,
    name="DataExportState",
    description="Where an export of personal data is in its life.",
    values={
        ExportState.WAITING: "It is being made.",
        ExportState.READY: "It can be fetched until `expiresAt`.",
        ExportState.FAILED: "It could not be made, several times over: ask again, or ask whoever runs the server.",
        ExportState.EXPIRED: "Its time is over and the file is gone.",
    },
)


async def _user(root: strawberry.Parent[exports.DataExport], info: Info) -> DomainUser | None:
    return await info.context.loader(load_users).load(root.user_id)


async def _requested_by(root: strawberry.Parent[exports.DataExport], info: Info) -> DomainUser | None:
    return await info.context.loader(load_users).load(root.requested_by)


def _state(root: strawberry.Parent[exports.DataExport], info: Info) -> ExportState:
    return root.state_at(info.context.now())


def _url(root: strawberry.Parent[exports.DataExport], info: Info) -> str | None:
    if root.state_at(info.context.now()) is not ExportState.READY:
        return None
    return f"{info.context.settings.effective_public_url}/exports/{root.id}"


@exposes(exports.DataExport, description="All that is kept about one person, as a file that is there for a while.")
class DataExport:
    """See domain.privacy.exports.DataExport."""

    id: strawberry.ID = strawberry.field(description="The export's id.")
    user = strawberry.field(resolver=_user, graphql_type=User | None, description="Whose data it is.")
    requested_by = strawberry.field(
        resolver=_requested_by,
        graphql_type=User | None,
        description="Who asked for it: the person, or an administrator on their request.",
    )
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    state = strawberry.field(resolver=_state, graphql_type=ExportState, description="Where it is in its life.")
    finished_at: datetime | None = strawberry.field(description="When it was ready, or given up.")
    expires_at: datetime | None = strawberry.field(description="Until when it can be fetched.")
    size_bytes: int | None = strawberry.field(description="How long the JSON is.")
    url = strawberry.field(
        resolver=_url,
        graphql_type=str | None,
        description="Where to GET it, with your `Authorization: Bearer …`; null while it cannot be fetched.",
    )
