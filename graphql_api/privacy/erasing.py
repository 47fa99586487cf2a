"""What do the two mutations that erase a person share? The ledger, the use case, and the files that go after it."""

from domain.privacy.erasure import EraseRequest, erase_person
from graphql_api.context import Context
from persistence.erasure_ledger import open_ledger


async def erase(context: Context, asked: EraseRequest, *, action: str) -> None:
    """Erase the person, then remove the files of their exports: those are noise by then."""
    entry = context.audit_entry(
        action, target_kind="user", target_id=asked.user_id, after={"eraseComments": asked.comments}
    )
    files = await erase_person(
        asked,
        units=context.uow,
        ledger=open_ledger(context.settings),
        clock=context.state.clock,
        entry=entry,
    )
    for key in files:
        await context.state.objects.discard(key)


WORDS = (
    "Also take out the comments and reasons the person wrote on alerts. What was done stays on the timeline, "
    "without the words."
)
