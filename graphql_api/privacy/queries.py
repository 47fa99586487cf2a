"""What can be read of exports of personal data? One's own, and those one asked for."""

import strawberry

from domain.privacy import exports
from graphql_api.context import Info
from graphql_api.privacy.types import DataExport
from persistence.data_exports import exports_of

NEWEST = 50


@strawberry.type
class PrivacyQueries:
    """Mixed into Query."""

    @strawberry.field(
        description="The exports of your own data, and as an administrator those you asked for on somebody's request; "
        "the newest 50, the newest first.",
        graphql_type=list[DataExport],
    )
    async def data_exports(self, info: Info) -> list[exports.DataExport]:
        """Nobody else's."""
        viewer = info.context.require_viewer()
        async with info.context.read() as database:
            found = await exports_of(database, viewer_id=viewer.user_id, limit=NEWEST)
        return [one for one in found if exports.may_have(one, viewer_id=viewer.user_id, role=viewer.role)]
