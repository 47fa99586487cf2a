"""What do the tests of channels share? The jobs, run by hand, and channels that a policy tells."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.model import Severity
from jobs.channels.sending import send_to_channels
from jobs.paging import page
from persistence.escalations import reconcile
from persistence.tables import alerts
from tests.api import Api, Person
from tests.log_writer import insert_alert

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CHANNEL = "channel { id version problem values { name value } }"
TOLD = (
    """query($id: ID!) { alert(id: $id) { notifications { kind state attempts problem answer channel { name } } } }"""
)


class Work:
    """The jobs, run by hand with the time the test says."""

    def __init__(self, api: Api, engine: AsyncEngine, database: asyncpg.Connection) -> None:
        self.api, self.engine, self.database = api, engine, database
        self.now: datetime = api.clock.now()

    async def alert(self, **more: Any) -> str:  # noqa: ANN401 - of any field
        alert_id = await insert_alert(self.database, **{"severity": Severity.CRITICAL, **more})
        await self.look(alert_id)
        return str(alert_id)

    async def look(self, alert_id: UUID | str) -> None:
        async with self.engine.begin() as connection:
            await reconcile(connection, [UUID(str(alert_id))], now=self.now)

    async def move(self, alert_id: str, **values: object) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(sa.update(alerts).where(alerts.c.id == UUID(alert_id)).values(**values))
        await self.look(alert_id)

    async def tick(self, later: timedelta = timedelta(0)) -> int:
        self.now += later
        await page(self.engine, self.api.settings, self.now)
        return await send_to_channels(self.engine, self.api.settings, self.now)


async def create(api: Api, who: Person, kind: str, **values: str) -> dict[str, Any]:
    given = [{"name": name, "value": value} for name, value in values.items()]
    what = {"name": f"The {kind.lower()}", "kind": kind, "values": given}
    answer = await api.change("createChannel", what, CHANNEL, who=who)
    assert answer["__typename"] == "CreateChannelSuccess", answer
    made: dict[str, Any] = answer["channel"]
    return made


async def escalate_to(api: Api, who: Person, *channel_ids: str) -> None:
    targets = [{"kind": "CHANNEL", "id": one} for one in channel_ids]
    what = {"name": "To channels", "steps": [{"delay": "PT0S", "targets": targets}]}
    answer = await api.change("createEscalationPolicy", what, "policy { id }", who=who)
    assert answer["__typename"] == "CreateEscalationPolicySuccess", answer


async def told(api: Api, who: Person, alert_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.data(TOLD, {"id": alert_id}, who=who))["alert"]["notifications"]
    return found
