"""Who answers what strangers ask for? A worker or the scheduler, as due work: one request a transaction."""

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.account_desk import AccountRules
from domain.identity.answering import answer
from persistence.account_rules import account_rules
from persistence.unit_of_work import UnitOfWork
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
# One job ends in time for its worker.
MOST = 500


async def answer_requests(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Answer all that wait; how many."""
    rules = account_rules(settings)
    for count in range(MOST):
        if not await _answer_next(engine, rules, now):
            return count
    return MOST


async def _answer_next(engine: AsyncEngine, rules: AccountRules, now: datetime) -> bool:
    """Answer the oldest request; False when there is none. It is gone with the commit of its answer."""
    async with UnitOfWork(engine) as unit:
        request = await unit.account_requests.take_oldest()
        if request is None:
            await unit.commit()  # what could not be read is gone
            return False
        answered = await unit.connection.begin_nested()
        try:
            await answer(request, unit=unit, rules=rules, now=now)
            await answered.commit()
        except (sa.exc.SQLAlchemyError, OSError):
            raise  # the database: the request stays, and so does its turn
        except Exception:  # noqa: BLE001 - a fault of ours must not stand in the way of all who come after
            _log.exception("a request could not be answered and is dropped", request=str(request.id))
            await answered.rollback()
        await unit.commit()
    return True
