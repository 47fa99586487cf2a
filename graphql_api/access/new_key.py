"""What is asked and shown where a key is made, whosever it is to be? The key itself is in the answer once."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

import strawberry

from domain.access import issuing, model
from domain.access.scopes import Scope
from domain.audit.model import AuditEntry
from domain.errors import NotFound as DomainNotFound
from graphql_api.access.loaders import load_keys
from graphql_api.access.types import ApiKey
from graphql_api.context import Context
from graphql_api.idempotency import IDEMPOTENCY_KEY, create_once
from persistence.unit_of_work import UnitOfWork

Issue = Callable[[issuing.NewKey, UnitOfWork, AuditEntry], Awaitable[issuing.MadeKey]]


@strawberry.input
class NewKeyInput:
    """What every input that makes a key has. See domain.access.issuing.NewKey."""

    name: str = strawberry.field(description="What it is for, at most 100 characters.")
    scopes: list[Scope] = strawberry.field(
        description="What it may be used for: at least one, and none beyond the role of whom it acts for."
    )
    expires_at: datetime | None = strawberry.field(
        description="When it ends: at most `TOCSIN_API_KEY_MAX_LIFETIME` from now, which is also what leaving it out "
        "means.",
        default=None,
    )
    document_hash: str | None = strawberry.field(
        description="The hash of a registered document: the key may run that one and no other.", default=None
    )
    allowed_networks: list[str] = strawberry.field(
        description="The networks it may be used from, in CIDR form, at most 20; none for everywhere.",
        default_factory=list,
    )
    idempotency_key: str | None = strawberry.field(description=IDEMPOTENCY_KEY, default=None)

    def as_domain(self) -> issuing.NewKey:
        """The key to be made."""
        return issuing.NewKey(
            name=self.name,
            scopes=frozenset(self.scopes),
            expires_at=self.expires_at,
            document_hash=self.document_hash,
            networks=tuple(self.allowed_networks),
        )


@strawberry.type
class NewKeyShown:
    """What every answer that shows a new key has."""

    key: str | None = strawberry.field(
        description="The key, shown this once; null when an idempotency key found one made before."
    )
    api_key: ApiKey = strawberry.field(description="What is known of it from now on.")


async def make_key(
    context: Context, data: NewKeyInput, *, mutation: str, issue: Issue
) -> tuple[str | None, model.ApiKey | None]:
    """Make the key once: what is shown of it, and what is known. `issue` says for whom it is."""
    new = data.as_domain()
    await _check_document(context, new.document_hash)
    entry = context.audit_entry(mutation, target_kind="api_key")
    shown: list[str] = []
    async with context.uow() as uow:

        async def create() -> dict[str, object]:
            made = await issue(new, uow, entry)
            shown.append(made.secret)
            return {"keyId": str(made.key.id)}

        made, _ = await create_once(context, uow, mutation=mutation, data=data, create=create)
        await uow.commit()
    return (shown[0] if shown else None), await context.loader(load_keys).load(UUID(made["keyId"]))


async def _check_document(context: Context, hash_: str | None) -> None:
    """NotFound unless there is such a document: a key bound to none would be of no use."""
    if hash_ is not None and not await context.state.trusted.is_registered(hash_):
        message = "no document is registered under this hash"
        raise DomainNotFound(message, ("documentHash",))
