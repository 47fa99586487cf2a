"""Which rules end with a team? Read and written within the transaction that ends it."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import EVERYTHING
from domain.rules.events import AlertRuleEvent
from domain.rules.model import AlertRule
from domain.thresholds.model import ThresholdRule
from persistence.rules import AlertRuleRepository
from persistence.tables import threshold_rules
from persistence.threshold_rules import ThresholdRuleRepository, rule_of


class RulesOfTeams:
    """The rules of teams. Implements domain.teams.ports.RulesOfTeams."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._alert_rules = AlertRuleRepository(connection)

    async def alert_rules(self, team_id: UUID) -> Sequence[AlertRule]:
        """Those of the team that are not archived, under the lock of all alert rules."""
        return [rule for rule in await self._alert_rules.all_locked(sight=EVERYTHING) if rule.team_id == team_id]

    async def threshold_rules(self, team_id: UUID) -> Sequence[ThresholdRule]:
        """Those of the team that are not archived, locked."""
        table = threshold_rules
        mine = (table.c.team_id == team_id, table.c.archived_at.is_(None))
        rows = await self._connection.execute(sa.select(table).where(*mine).order_by(table.c.id).with_for_update())
        return [rule_of(row) for row in rows.mappings()]

    async def end_alert_rule(self, rule: AlertRule, event: AlertRuleEvent, *, changed_by: UUID | None) -> None:
        """Write the end of a rule, its version and its event."""
        await self._alert_rules.save(rule, changed_by=changed_by)
        await self._alert_rules.log(event)

    async def end_threshold_rule(self, rule: ThresholdRule) -> None:
        """Write the end of a rule."""
        await ThresholdRuleRepository(self._connection).save(rule)
