"""Which parts does `tocsin doctor` look at? All that a role may need, at once, for a few seconds at most."""

import asyncio

from tocsin.doctor.database import check_database
from tocsin.doctor.mail import check_mail
from tocsin.doctor.personal_data import check_ledger
from tocsin.doctor.report import Check, Report, State, show
from tocsin.doctor.services import check_broker, check_elasticsearch, check_object_store, check_redis
from tocsin.settings import Settings

__all__ = ["Check", "Report", "State", "examine", "show"]


def examine(settings: Settings) -> Report:
    """Look at every part."""
    return asyncio.run(_examine(settings))


async def _examine(settings: Settings) -> Report:
    others = asyncio.gather(
        check_redis(settings),
        check_broker(settings),
        check_elasticsearch(settings),
        check_object_store(settings),
        check_mail(settings),
        check_ledger(settings),
    )
    database = await check_database(settings)
    return Report([*database, *await others])
