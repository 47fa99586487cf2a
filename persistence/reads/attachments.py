"""Which files hang on these alerts? For many alerts in one statement; and one file, within the viewer's sight."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.attachments import Attachment
from domain.alerts.visibility import Sight
from persistence.attachments import attachment_of
from persistence.reads.visibility import visible
from persistence.tables import alerts, attachments


async def attachments_of(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> dict[UUID, list[Attachment]]:
    """The files of each alert that are not removed, oldest first."""
    rows = await connection.execute(
        sa.select(attachments)
        .where(attachments.c.alert_id.in_(alert_ids), attachments.c.deleted_at.is_(None))
        .order_by(attachments.c.id)
    )
    found: dict[UUID, list[Attachment]] = {alert_id: [] for alert_id in alert_ids}
    for row in rows.mappings():
        found[row["alert_id"]].append(attachment_of(row))
    return found


async def attachment_in_sight(
    connection: AsyncConnection, *, alert_id: UUID, attachment_id: UUID, sight: Sight
) -> Attachment | None:
    """The file, when it is on this alert, not removed, and the alert is within sight."""
    statement = (
        sa.select(attachments)
        .join(alerts, alerts.c.id == attachments.c.alert_id)
        .where(
            attachments.c.id == attachment_id,
            attachments.c.alert_id == alert_id,
            attachments.c.deleted_at.is_(None),
            visible(sight),
        )
    )
    row = (await connection.execute(statement)).mappings().one_or_none()
    return None if row is None else attachment_of(row)
