"""Where is kept what messages to persons are made of? A row for each medium and kind; of a team, or for everybody."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.visibility import Sight
from domain.channels.templates import TemplateProblem
from domain.contacts.templates import Medium, PersonTemplate, Saying
from persistence.among import among
from persistence.reads.visibility import is_team_in_sight
from persistence.tables import person_message_templates

MAX_PROBLEM = 500
_NAMES = tuple(field.name for field in fields(PersonTemplate))


class PersonTemplateRepository:
    """Templates, inside one transaction. Implements domain.contacts.templates.PersonTemplates."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def locked(self, team_id: UUID | None, medium: Medium, kind: Saying) -> PersonTemplate | None:
        """The one of the team, or the one for everybody, locked."""
        table = person_message_templates
        # Two who write the first one at once: there is no row to hold.
        place = f"{team_id}:{medium.value}:{kind.value}"
        await self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK, sa.func.hashtext(place))))
        mine = (
            table.c.team_id.is_not_distinct_from(team_id),
            table.c.medium == medium.value,
            table.c.kind == kind.value,
        )
        row = (await self._connection.execute(sa.select(table).where(*mine).with_for_update())).mappings().one_or_none()
        return None if row is None else _template_of(row)

    async def save(self, template: PersonTemplate) -> None:
        """Write it, new or changed."""
        values = {name: getattr(template, name) for name in _NAMES}
        values |= {"medium": template.medium.value, "kind": template.kind.value}
        changed = {name: values[name] for name in ("subject", "source", "updated_at", "problem", "version")}
        statement = insert(person_message_templates).values(values)
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))

    async def remove(self, template: PersonTemplate) -> None:
        """Delete it."""
        table = person_message_templates
        await self._connection.execute(sa.delete(table).where(table.c.id == template.id))

    async def team_in_sight(self, team_id: UUID, *, sight: Sight) -> bool:
        """Whether there is such a team, not archived and within sight."""
        return await is_team_in_sight(self._connection, team_id, sight=sight)


def _template_of(row: sa.RowMapping) -> PersonTemplate:
    values: dict[str, Any] = {name: row[name] for name in _NAMES}
    return PersonTemplate(**{**values, "medium": Medium(values["medium"]), "kind": Saying(values["kind"])})


async def person_templates_of(connection: AsyncConnection, team_id: UUID | None) -> list[PersonTemplate]:
    """Those of a team, or those for everybody, by medium and kind."""
    table = person_message_templates
    statement = sa.select(table).where(table.c.team_id.is_not_distinct_from(team_id))
    rows = (await connection.execute(statement.order_by(table.c.medium, table.c.kind))).mappings()
    return [_template_of(row) for row in rows]


async def person_templates_for(
    connection: AsyncConnection, medium: Medium, team_ids: Iterable[UUID | None]
) -> list[PersonTemplate]:
    """Those that messages about alerts of these teams may be made of."""
    table = person_message_templates
    teams = [one for one in team_ids if one is not None]
    mine = sa.or_(table.c.team_id.is_(None), among(table.c.team_id, teams)) if teams else table.c.team_id.is_(None)
    statement = sa.select(table).where(table.c.medium == medium.value, mine)
    return [_template_of(row) for row in (await connection.execute(statement)).mappings()]


async def note_failures(
    connection: AsyncConnection, failed: Sequence[tuple[PersonTemplate, TemplateProblem]], *, now: datetime
) -> None:
    """Count messages that left in their built-in form, and say why."""
    table = person_message_templates
    # In one order, so that two who write the same ones do not wait for each other.
    for template, problem in sorted(failed, key=lambda one: one[0].id):
        where = "" if problem.field is None else f"{problem.field}: "
        await connection.execute(
            sa.update(table)
            .where(table.c.id == template.id)
            .values(failures=table.c.failures + 1, problem=f"{where}{problem.told}"[:MAX_PROBLEM], problem_at=now)
        )


# The advisory lock's first half: "said".
_LOCK = 0x73616964
