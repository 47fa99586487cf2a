"""How does a mutation take an idempotency key? It claims the key in its own transaction, then creates, then settles.

The digest of the input is keyed: an input may hold a password, and a plain hash of one could be guessed.
"""

import dataclasses
import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import orjson

from domain.errors import InvalidInput
from graphql_api.context import Context
from persistence.idempotency import IdempotencyKeys

IDEMPOTENCY_KEY = (
    "Sent again with the same input within 24 hours, it finds what it made the first time. A secret is shown only once."
)


class Creating(Protocol):
    """A unit of work that something is created in."""

    idempotency: IdempotencyKeys


def input_digest(context: Context, data: object) -> bytes:
    """The digest of a mutation's input without its idempotency key."""
    values = {
        field.name: getattr(data, field.name)
        for field in dataclasses.fields(data)  # type: ignore[arg-type] # strawberry inputs are dataclasses
        if field.name != "idempotency_key"
    }
    text = orjson.dumps(values, default=_plain, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hmac.digest(context.settings.derived_key("idempotency"), text, "sha256")


def _plain(value: object) -> Any:  # noqa: ANN401 - whatever the encoder takes
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return repr(value)


async def create_once(
    context: Context,
    uow: Creating,
    *,
    mutation: str,
    data: Any,  # noqa: ANN401 - any input type with an `idempotency_key`
    create: Callable[[], Awaitable[dict[str, Any]]],
) -> tuple[dict[str, Any], bool]:
    """Create within `uow`, or find what the same key made before; the flag says whether it was made now.

    `create` writes and returns the ids to remember, never a secret. The caller commits.
    """
    key: str | None = data.idempotency_key
    if key is None:
        return await create(), True
    actor_id = context.require_viewer().user_id
    if not isinstance(key, str):  # pragma: no cover - the schema says String
        raise InvalidInput("not a key", ("idempotencyKey",))
    digest = input_digest(context, data)
    known = await uow.idempotency.claim(
        actor_id=actor_id, mutation=mutation, key=key, input_digest=digest, now=context.now()
    )
    if known is not None:
        return known, False
    result = await create()
    await uow.idempotency.settle(actor_id=actor_id, mutation=mutation, key=key, result=result)
    return result, True
