"""How are inhibition rules read many at a time?"""

from uuid import UUID

from domain.errors import NotFound
from domain.inhibition.actions import NO_SUCH_RULE
from domain.inhibition.model import InhibitionRule
from graphql_api.context import Context
from persistence.inhibition import inhibition_rules_by_ids


async def load_inhibition_rules(context: Context, ids: list[UUID]) -> list[InhibitionRule | None]:
    """Inhibition rules by id, archived ones too."""
    async with context.read() as connection:
        return await inhibition_rules_by_ids(connection, ids)


async def written(context: Context, rule_id: UUID) -> InhibitionRule:
    """The rule a change has just written."""
    found = await context.loader(load_inhibition_rules).load(rule_id)
    if found is None:
        raise NotFound(NO_SUCH_RULE, ("id",))
    return found
