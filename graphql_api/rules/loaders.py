"""How are alert rules, and what they did, read many at a time?"""

from uuid import UUID

from domain.errors import NotFound
from domain.rules.actions import NO_SUCH
from domain.rules.model import AlertRule, RuleActivity
from graphql_api.context import Context
from persistence.rules import activity_of, list_rules

NO_ACTIVITY = RuleActivity()


async def load_alert_rules(context: Context, ids: list[UUID]) -> list[AlertRule | None]:
    """Rules by id, archived ones too: decisions go on pointing at them. None for one the viewer may not see."""
    sight = context.require_viewer().sight
    async with context.read() as connection:
        found = {rule.id: rule for rule in await list_rules(connection, sight=sight, ids=ids, with_archived=True)}
    return [found.get(rule_id) for rule_id in ids]


async def load_activity(context: Context, ids: list[UUID]) -> list[RuleActivity]:
    """What rules did so far."""
    async with context.read() as connection:
        found = await activity_of(connection, ids)
    return [found.get(rule_id, NO_ACTIVITY) for rule_id in ids]


async def written(context: Context, rule_id: UUID) -> AlertRule:
    """The rule a change has just written."""
    found = await context.loader(load_alert_rules).load(rule_id)
    if found is None:
        raise NotFound(NO_SUCH, ("id",))
    return found
