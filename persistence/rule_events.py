"""How is the log of alert rules written and read? As change_log.py says."""

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.cursor import Cursor
from domain.rules.events import AlertRuleEvent, AlertRuleEventKind, RecordedAlertRuleEvent
from persistence.change_log import ChangeLog, position, told
from persistence.tables import alert_rule_events

RULE_EVENTS_CHANNEL = "tocsin_alert_rule_events"
_LOG = ChangeLog(table=alert_rule_events, subject="rule_id", channel=RULE_EVENTS_CHANNEL)


class RuleLog:
    """The log, inside one transaction that holds the lock of all rules: so its order is that of the changes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def append(self, *events: AlertRuleEvent) -> None:
        """Write events in their order."""
        await _LOG.append(self._connection, events)


async def read_rule_events(pool: asyncpg.Pool, cursor: Cursor, *, limit: int) -> list[RecordedAlertRuleEvent]:
    """The next events after the cursor, at most `limit`, in the order every reader sees them."""
    return [_event_of(row) for row in await _LOG.read(pool, cursor, limit=limit)]


def _event_of(row: asyncpg.Record) -> RecordedAlertRuleEvent:
    event = AlertRuleEvent(rule_id=row["rule_id"], kind=AlertRuleEventKind(row["kind"]), **told(row))
    return RecordedAlertRuleEvent(event=event, position=position(row), recorded_at=row["recorded_at"])
