"""Which messages in Slack have to be looked at when alerts moved? Those that tell of them, or of their groups."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

_TOUCH = sa.text("""
UPDATE slack_messages SET next_attempt_at = :now
 WHERE closed_at IS NULL AND id IN (
   SELECT slack_message_id FROM notifications
    WHERE alert_id = ANY(:alert_ids) AND slack_message_id IS NOT NULL
    UNION
   SELECT n.slack_message_id
     FROM alerts a
     JOIN escalations e ON e.group_id = a.group_id
     JOIN notifications n ON n.alert_id = e.alert_id AND n.group_id = e.group_id
    WHERE a.id = ANY(:alert_ids) AND a.group_id IS NOT NULL AND n.slack_message_id IS NOT NULL)
""").bindparams(
    sa.bindparam("now", type_=sa.DateTime(timezone=True)),
    sa.bindparam("alert_ids", type_=sa.ARRAY(sa.Uuid())),
)


async def touch(connection: AsyncConnection, alert_ids: Sequence[UUID], *, now: datetime) -> None:
    """These alerts moved: the messages that tell of them are looked at."""
    await connection.execute(_TOUCH, {"now": now, "alert_ids": list(alert_ids)})
