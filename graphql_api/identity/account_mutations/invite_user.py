"""How does an administrator ask a person in? By mail; the person chooses the password."""

from uuid import UUID

import strawberry

from domain.audit.model import AuditEntry
from domain.identity import model
from domain.identity.administration import Invitation as Asked
from domain.identity.administration import invite
from graphql_api.context import Info
from graphql_api.errors import AlreadyExists, IdempotencyConflict, NotFound, mutation, payload
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from graphql_api.identity.account_types import Invitation
from graphql_api.identity.loaders import load_invitations
from graphql_api.scalars import uuid_of


@strawberry.input(description="A person to ask in.")
class InviteUserInput:
    """See domain.identity.administration.Invitation."""

    email: str = strawberry.field(description="Where the invitation goes; the address to sign in with.")
    role: model.Role = strawberry.field(description="What the person may do.")
    team_id: strawberry.ID | None = strawberry.field(
        description="The primary team; the person becomes a member of it.", default=None
    )
    first_name: str = strawberry.field(description="Given name.", default="")
    last_name: str = strawberry.field(description="Family name.", default="")
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)


@strawberry.type(description="The invitation is on its way.")
class InviteUserSuccess:
    """The invitation, without its link."""

    invitation: Invitation | None = strawberry.field(
        description="The invitation; null when the same key made it before and it is no longer open."
    )


@mutation(
    payload("InviteUser", InviteUserSuccess, NotFound, AlreadyExists, IdempotencyConflict),
    description="Ask a person in by mail. Inviting the same address again replaces the older invitation and its link.",
)
async def invite_user(info: Info, data: InviteUserInput) -> InviteUserSuccess:
    """Write the invitation and its mail."""
    context = info.context
    asked = Asked(
        email=data.email,
        role=data.role,
        team_id=None if data.team_id is None else uuid_of(data.team_id, "team", "teamId"),
        first_name=data.first_name,
        last_name=data.last_name,
    )

    def entry(invitation_id: UUID) -> AuditEntry:
        shown = {"role": asked.role.value, "teamId": data.team_id}
        return context.audit_entry("inviteUser", target_kind="invitation", target_id=invitation_id, after=shown)

    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await invite(
                context.state.accounts,
                asked,
                unit=uow,
                invited_by=context.require_viewer().user_id,
                entry=entry,
            )
            return {"invitationId": str(made.id)}

        made, _ = await create_once(context, uow, mutation="inviteUser", data=data, create=create)
        await uow.commit()
    found = await context.loader(load_invitations).load(UUID(made["invitationId"]))
    return InviteUserSuccess(invitation=found)  # type: ignore[arg-type] # the domain object is the GraphQL object
