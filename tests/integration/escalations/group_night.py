"""What the tests of groups that page share: a night in which alerts come into groups."""

from uuid import UUID

import sqlalchemy as sa

from domain.alerts.model import Severity
from persistence.tables import alerts
from tests.alert_rows import put_group
from tests.integration.escalations.night import Night
from tests.log_writer import insert_alert


class GroupNight(Night):
    """As a night, with groups."""

    async def group(self, title: str = "Database 7") -> UUID:
        """A group without alerts."""
        async with self.engine.begin() as connection:
            return await put_group(connection, title=title, grouped_by="labels")

    async def put(self, group_id: UUID | None, *alert_ids: str) -> None:
        """Alerts come into a group, or out of theirs, and the relay tells."""
        async with self.engine.begin() as connection:
            ids = [UUID(one) for one in alert_ids]
            await connection.execute(sa.update(alerts).where(alerts.c.id.in_(ids)).values(group_id=group_id))
        await self.look(*alert_ids)

    async def member(self, group_id: UUID, severity: Severity = Severity.HIGH, **more: object) -> str:
        """A new alert of the group, and what follows from it."""
        alert_id = await insert_alert(self.database, **{"severity": severity, **more})  # type: ignore[arg-type] # a test's own
        await self.put(group_id, str(alert_id))
        return str(alert_id)

    async def state(self, group_id: UUID) -> list[tuple[str, bool]]:
        """Of the group's escalations the state, and whether it stands; the oldest first."""
        rows = await self.database.fetch(
            "SELECT state, is_standing FROM escalations WHERE group_id = $1 ORDER BY id", group_id
        )
        return [(row["state"], row["is_standing"]) for row in rows]
