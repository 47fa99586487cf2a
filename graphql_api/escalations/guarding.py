"""How does a mutation that may leave alerts to nobody ask whether it is meant? By one argument and a unit of work."""

from uuid import UUID

from graphql_api.context import Context
from persistence.gaps import Counting, GuardedUnitOfWork, check_without
from persistence.unit_of_work import UnitOfWork

EVEN_IF_IT_OPENS_GAPS = (
    "Do it although alerts would reach nobody at times within 14 days at which they would reach somebody now; refused "
    "with `WouldOpenGaps` otherwise."
)


def guarded(context: Context, *, even_if: bool, counting: Counting = Counting.ACTIVE) -> UnitOfWork:
    """A change that is refused at its commit when it opens a gap, unless that is meant."""
    if even_if:
        return context.uow()
    return _guard(context, counting)


async def require_no_gaps_without(context: Context, user_id: UUID) -> None:
    """WouldOpenGaps when alerts would reach nobody without this person. For what is not undone by a transaction."""
    async with _guard(context, Counting.ACTIVE) as unit:
        await check_without(unit, user_id)


def _guard(context: Context, counting: Counting) -> GuardedUnitOfWork:
    sight = context.require_viewer().sight
    return GuardedUnitOfWork(context.state.engine, now=context.now(), sight=sight, counting=counting)
