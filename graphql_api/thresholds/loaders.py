"""How are threshold rules read many at a time?"""

from uuid import UUID

from domain.errors import NotFound
from domain.thresholds.actions import NO_SUCH
from domain.thresholds.model import GroupState, ThresholdRule
from graphql_api.context import Context
from persistence.threshold_rules import list_rules, states_by_rule


async def load_rules(context: Context, ids: list[UUID]) -> list[ThresholdRule | None]:
    """Rules by id, archived ones too; None for one the viewer may not see."""
    async with context.read() as connection:
        rows = await list_rules(connection, sight=context.require_viewer().sight, ids=ids, with_archived=True)
    found = {row.id: row for row in rows}
    return [found.get(rule_id) for rule_id in ids]


async def load_states(context: Context, ids: list[UUID]) -> list[list[tuple[str, GroupState]]]:
    """The groups of each rule that are not quiet."""
    async with context.read() as connection:
        found = await states_by_rule(connection, ids)
    return [found.get(rule_id, []) for rule_id in ids]


async def written(context: Context, rule_id: UUID) -> ThresholdRule:
    """The rule a change has just written; NotFound when it went out of sight meanwhile."""
    found = await context.loader(load_rules).load(rule_id)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    return found
