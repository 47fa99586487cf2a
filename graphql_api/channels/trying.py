"""What is a template tried on? An alert the viewer sees, or a sample where none is named."""

from dataclasses import replace

import strawberry

from domain.channels.templates import sample
from domain.errors import NotFound
from domain.escalations.message import Told
from domain.escalations.model import NotificationKind
from graphql_api.context import Info
from graphql_api.scalars import uuid_of
from persistence.person_messages import told_by_alert
from persistence.reads.alerts import alerts_by_ids


async def told_to_try(info: Info, kind: NotificationKind, alert_id: strawberry.ID | None) -> Told:
    """The alert as a message of this kind tells of it; NotFound for one out of sight."""
    context = info.context
    if alert_id is None:
        return sample(kind, context.now())
    wanted = uuid_of(alert_id, "alert", "alertId")
    async with context.read() as connection:
        if not await alerts_by_ids(connection, [wanted], sight=context.require_viewer().sight):
            message = "no such alert"
            raise NotFound(message, ("alertId",))
        told = (await told_by_alert(connection, [wanted]))[wanted]
    return replace(told, kind=kind, why="a preview")
