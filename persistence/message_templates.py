"""Where are templates of messages kept? A row for each channel and kind of message; without a channel, for all."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.channels.templates import MessageTemplate, TemplateProblem
from domain.escalations.model import NotificationKind
from persistence.among import among
from persistence.tables import channels, message_templates

MAX_PROBLEM = 500


class TemplateRepository:
    """Templates, inside one transaction. Implements domain.channels.templates.Templates."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def locked_template(self, channel_id: UUID | None, kind: NotificationKind) -> MessageTemplate | None:
        """The template of a channel, or the one for all, for one kind of message; locked."""
        table = message_templates
        if channel_id is None:
            # Two who write the first one at once: there is no row to hold.
            await self._connection.execute(
                sa.select(sa.func.pg_advisory_xact_lock(_LOCK, sa.func.hashtext(kind.value)))
            )
        statement = sa.select(table).where(
            table.c.channel_id.is_not_distinct_from(channel_id), table.c.kind == kind.value
        )
        row = (await self._connection.execute(statement.with_for_update())).mappings().one_or_none()
        return None if row is None else _template_of(row)

    async def save_template(self, template: MessageTemplate) -> None:
        """Write it, new or changed."""
        values = {"source": template.source, "updated_at": template.updated_at, "version": template.version}
        keys = {"id": template.id, "channel_id": template.channel_id, "kind": template.kind.value}
        statement = insert(message_templates).values(**keys, **values)
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
        if template.channel_id is not None:
            await self._connection.execute(
                sa.update(channels).where(channels.c.id == template.channel_id).values(template_problem=None)
            )

    async def remove_template(self, template: MessageTemplate) -> None:
        """Delete it."""
        await self._connection.execute(sa.delete(message_templates).where(message_templates.c.id == template.id))


def _template_of(row: sa.RowMapping) -> MessageTemplate:
    return MessageTemplate(**{**row, "kind": NotificationKind(row["kind"])})


async def templates_of(connection: AsyncConnection, channel_ids: Sequence[UUID]) -> dict[UUID, list[MessageTemplate]]:
    """The channels' own templates, by kind of message."""
    table, found = message_templates, {channel_id: list[MessageTemplate]() for channel_id in channel_ids}
    statement = sa.select(table).where(among(table.c.channel_id, channel_ids)).order_by(table.c.kind)
    for row in (await connection.execute(statement)).mappings():
        found[row["channel_id"]].append(_template_of(row))
    return found


async def templates_for_all(connection: AsyncConnection) -> list[MessageTemplate]:
    """Those for channels that have none of their own."""
    statement = sa.select(message_templates).where(message_templates.c.channel_id.is_(None))
    rows = (await connection.execute(statement.order_by(message_templates.c.kind))).mappings()
    return [_template_of(row) for row in rows]


async def sources_for(
    connection: AsyncConnection, channel_ids: Sequence[UUID]
) -> dict[UUID, dict[NotificationKind, str]]:
    """What each channel's messages are made of, as far as it is not the built-in text."""
    table = message_templates
    statement = sa.select(table).where(sa.or_(table.c.channel_id.is_(None), among(table.c.channel_id, channel_ids)))
    for_all: dict[NotificationKind, str] = {}
    own: dict[UUID, dict[NotificationKind, str]] = {channel_id: {} for channel_id in channel_ids}
    for row in await connection.execute(statement):
        (for_all if row.channel_id is None else own[row.channel_id])[NotificationKind(row.kind)] = row.source
    return {channel_id: {**for_all, **sources} for channel_id, sources in own.items()}


async def note_template_failure(
    connection: AsyncConnection, channel_id: UUID, problem: TemplateProblem, *, count: int, now: datetime
) -> None:
    """Count messages that left with the built-in text, and say why."""
    await connection.execute(
        sa.update(channels)
        .where(channels.c.id == channel_id)
        .values(
            template_failures=channels.c.template_failures + count,
            template_problem=problem.told[:MAX_PROBLEM],
            template_problem_at=now,
        )
    )


# The advisory lock's first half: "tmpl".
_LOCK = 0x746D706C
