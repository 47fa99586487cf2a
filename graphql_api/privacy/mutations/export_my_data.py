"""How does a person ask for all that is kept about them? A job makes it; `dataExports` says when it can be fetched."""

from uuid import UUID

import strawberry

from domain.errors import Forbidden as RoleTooLow
from domain.errors import NotFound as NoSuchPerson
from domain.identity.model import Role
from domain.privacy import exports
from domain.privacy.exports import ask_for_export
from graphql_api.context import Context, Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.identity.loaders import load_users
from graphql_api.privacy.types import DataExport
from graphql_api.scalars import uuid_of
from persistence.data_exports import DataExportRepository


@strawberry.input(description="Whose data to put together.")
class ExportMyDataInput:
    """See domain.privacy.exports."""

    user_id: strawberry.ID | None = strawberry.field(
        description="Whose, for administrators who were asked by the person. Left out: your own.", default=None
    )


@strawberry.type(description="The export is being made.")
class ExportMyDataSuccess:
    """Asked again soon, it is the same one."""

    export: DataExport = strawberry.field(description="The export; `state` says when it can be fetched.")


@mutation(
    payload("ExportMyData", ExportMyDataSuccess, NotFound),
    description="Ask for all that is kept about you, as a JSON file. Asking again within an hour gives the same one.",
)
async def export_my_data(info: Info, data: ExportMyDataInput) -> ExportMyDataSuccess:
    """Write the request; the worker does the rest."""
    context = info.context
    viewer = context.require_viewer()
    user_id = await _whose(context, data)
    async with context.uow() as uow:
        export, is_new = await ask_for_export(
            DataExportRepository(uow.connection), user_id=user_id, requested_by=viewer.user_id, now=context.now()
        )
        if is_new:
            entry = context.audit_entry(
                "exportMyData", target_kind="user", target_id=user_id, after={"exportId": str(export.id)}
            )
            await uow.audit.append(entry)
        await uow.commit()
    return ExportMyDataSuccess(export=_shown(export))


async def _whose(context: Context, data: ExportMyDataInput) -> UUID:
    viewer = context.require_viewer()
    user_id = viewer.user_id if data.user_id is None else uuid_of(data.user_id, "person", "userId")
    if user_id != viewer.user_id and viewer.role is not Role.ADMIN:
        message = "only administrators may ask for another person's data, on that person's request"
        raise RoleTooLow(message)
    user = await context.loader(load_users).load(user_id)
    if user is None or user.is_erased:
        message = "no such person"
        raise NoSuchPerson(message, ("userId",))
    return user_id


def _shown(export: exports.DataExport) -> DataExport:
    return export  # type: ignore[return-value] # the domain object is the GraphQL object
