"""What follows from alerts, step by step: the relay looks at them, and jobs run by hand with the time the test says."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.model import Severity
from domain.mail.model import Posted
from jobs.paging import settle_notifications
from persistence.engine import create_engine
from persistence.escalations import reconcile
from persistence.mail import claim_mail
from persistence.tables import alerts, outgoing_mail
from tests.api import Api
from tests.log_writer import insert_alert

T = TypeVar("T")


class JobsByHand:
    """The jobs. What each test lets pass with the time is its own."""

    # What an alert is where the test says nothing else.
    usual: ClassVar[Mapping[str, Any]] = {"severity": Severity.CRITICAL, "title": "Payments down"}

    def __init__(self, api: Api, engine: AsyncEngine, database: asyncpg.Connection) -> None:
        self.api, self.engine, self.database = api, engine, database
        self.now: datetime = api.clock.now()

    async def alert(self, **more: Any) -> str:  # noqa: ANN401 - of any field
        """A new alert, and what follows from it."""
        alert_id = await insert_alert(self.database, **{**self.usual, **more})
        await self.look(alert_id)
        return str(alert_id)

    async def look(self, *alert_ids: UUID | str) -> None:
        """The relay gives the alerts to the escalations."""
        async with self.engine.begin() as connection:
            await reconcile(connection, [UUID(str(one)) for one in alert_ids], now=self.now)

    async def move(self, alert_id: str, **values: object) -> None:
        """The alert changes, and the relay tells."""
        await self.change(alert_id, **values)
        await self.look(alert_id)

    async def change(self, alert_id: str, **values: object) -> None:
        """The alert changes, and nobody has looked yet."""
        async with self.engine.begin() as connection:
            await connection.execute(sa.update(alerts).where(alerts.c.id == UUID(alert_id)).values(**values))

    async def taken_mail(self) -> list[Posted]:
        """What was written since, taken out as a sender would, and marked as sent."""
        claimed = await claim_mail(self.engine, limit=100, now=self.now + timedelta(days=1))
        async with self.engine.begin() as connection:
            await connection.execute(sa.update(outgoing_mail).values(sent_at=self.now))
        await settle_notifications(self.engine, self.api.settings, self.now)
        return claimed


@asynccontextmanager
async def opened(
    kind: Callable[[Api, AsyncEngine, asyncpg.Connection], T], api: Api, application_url: str, *, pool_size: int = 2
) -> AsyncIterator[T]:
    """Jobs of this kind, with connections of their own."""
    engine = create_engine(api.settings, pool_size=pool_size)
    database = await asyncpg.connect(application_url)
    try:
        yield kind(api, engine, database)
    finally:
        await database.close()
        await engine.dispose()
