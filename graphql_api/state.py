"""What does one API process hold for its whole life? Settings, clock, pools and the parts that others plug in."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.submission import Ingest
from domain.ports import Clock
from persistence.unit_of_work import UnitOfWork
from tocsin.settings import Settings


@dataclass(kw_only=True)
class AppState:
    """Made by graphql_api/app.py; opened and closed by its lifespan.

    `engine` writes; `reads` is the same pool without transactions around single statements. `directory` finds an
    integration by its key, `hub` feeds subscriptions; both are opened by the lifespan.
    """

    settings: Settings
    clock: Clock
    engine: AsyncEngine
    ingest: Ingest | None = None
    directory: Any = None
    hub: Any = None
    redis: Any = None
    reads: AsyncEngine = field(init=False)

    def __post_init__(self) -> None:
        # A read is one statement: without AUTOCOMMIT each would cost a BEGIN and a ROLLBACK on the wire as well.
        self.reads = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def uow(self) -> UnitOfWork:
        """One change: a transaction of its own."""
        return UnitOfWork(self.engine)
