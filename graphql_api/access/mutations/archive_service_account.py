"""How does a service account end?"""

import strawberry

from domain.access import accounts
from graphql_api.access.types import ServiceAccount
from graphql_api.context import Info
from graphql_api.errors import NotFound, mutation, payload
from graphql_api.scalars import uuid_of


@strawberry.input(description="A service account to be ended.")
class ArchiveServiceAccountInput:
    """By id."""

    id: strawberry.ID = strawberry.field(description="The service account.")


@strawberry.type(description="The service account has ended, and its keys with it.")
class ArchiveServiceAccountSuccess:
    """The account as it was."""

    service_account: ServiceAccount = strawberry.field(description="The service account.")


@mutation(
    payload("ArchiveServiceAccount", ArchiveServiceAccountSuccess, NotFound),
    description="End a service account: its keys are revoked at once, in every process. It is not brought back; what "
    "it did stays under its name. Administrators only.",
)
async def archive_service_account(info: Info, data: ArchiveServiceAccountInput) -> ArchiveServiceAccountSuccess:
    """End it and its keys in one transaction."""
    context = info.context
    entry = context.audit_entry("archiveServiceAccount", target_kind="service_account")
    async with context.uow() as uow:
        account = await accounts.archive_account(
            uuid_of(data.id, "service account", "id"), unit=uow, now=context.now(), entry=entry
        )
        await uow.commit()
    return ArchiveServiceAccountSuccess(service_account=account)  # type: ignore[arg-type] # the domain object is it
