"""How is a creating request that comes twice answered twice and done once? By its idempotency key."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from domain.alerts.actions.acting import Acting
from domain.alerts.ports import Once, UnitOfWork


async def done_once(
    acting: Acting,
    work: UnitOfWork,
    once: Once | None,
    *,
    now: datetime,
    do: Callable[[], Awaitable[dict[str, Any]]],
) -> tuple[dict[str, Any], bool]:
    """What `do` made, now or the first time; the flag says whether it was now. Call it after the locks are taken."""
    if once is None:
        return await do(), True
    actor_id = acting.viewer.user_id
    known = await work.idempotency.claim(
        actor_id=actor_id, mutation=once.mutation, key=once.key, input_digest=once.input_digest, now=now
    )
    if known is not None:
        return known, False
    made = await do()
    await work.idempotency.settle(actor_id=actor_id, mutation=once.mutation, key=once.key, result=made)
    return made, True
