"""How does a test put alerts, people and teams into a database? Rows straight from the domain's objects."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Alert
from domain.identity.model import Role
from domain.ids import new_id
from persistence.tables import alert_groups, alerts, integrations, memberships, teams, users
from tests.alert_builder import NOON


async def put_alerts(connection: AsyncConnection, wanted: Iterable[Alert]) -> None:
    """Write the alerts as they are, without events."""
    rows = [
        {
            field.name: list(value) if isinstance(value := getattr(alert, field.name), tuple) else value
            for field in fields(Alert)
        }
        for alert in wanted
    ]
    await connection.execute(sa.insert(alerts), rows)


async def put_user(
    connection: AsyncConnection,
    *,
    user_id: UUID | None = None,
    role: Role = Role.OPERATOR,
    team_ids: Sequence[UUID] = (),
    is_active: bool = True,
) -> UUID:
    """A person, member of the teams."""
    made = user_id or new_id()
    await connection.execute(
        sa.insert(users).values(
            id=made, email=f"{made}@example.com".encode(), role=role.value, created_at=NOON, is_active=is_active
        )
    )
    for team_id in team_ids:
        await connection.execute(
            sa.insert(memberships).values(team_id=team_id, user_id=made, role=role.value, created_at=NOON)
        )
    return made


async def put_team(connection: AsyncConnection, *, team_id: UUID | None = None, is_private: bool = False) -> UUID:
    """A team."""
    made = team_id or new_id()
    await connection.execute(
        sa.insert(teams).values(id=made, name=str(made), slug=str(made), is_private=is_private, created_at=NOON)
    )
    return made


async def put_integration(connection: AsyncConnection, *, source: str = "prometheus") -> UUID:
    """An integration."""
    made = new_id()
    await connection.execute(
        sa.insert(integrations).values(id=made, name=f"{source} {made}", source=source, created_at=NOON)
    )
    return made


async def put_group(connection: AsyncConnection, *, title: str = "Storage", grouped_by: str = "person") -> UUID:
    """A group without members."""
    made = new_id()
    values = {"id": made, "title": title, "grouped_by": grouped_by, "created_at": NOON, "updated_at": NOON}
    await connection.execute(sa.insert(alert_groups).values(values))
    return made
