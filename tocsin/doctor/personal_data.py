"""Can people be erased, and stay so after a restore? Whether the erasure ledger can be read."""

import asyncio

from persistence.erasure_ledger import open_ledger
from persistence.objects import ObjectStoreUnavailable
from tocsin.doctor.report import Check, State
from tocsin.settings import Settings

NAME = "Erasure ledger"
SECONDS = 5.0
OF_ITS_OWN = "in the object store; best is a place that is not restored with the database (TOCSIN_ERASURE_LEDGER_URL)"


async def check_ledger(settings: Settings) -> Check:
    """Whether it can be read. It is only looked at: what is written there stays."""
    try:
        async with asyncio.timeout(SECONDS):
            count = sum([1 async for _ in open_ledger(settings).entries()])
    except (ObjectStoreUnavailable, OSError, ValueError) as error:
        return Check(
            name=NAME,
            state=State.DEGRADED,
            detail=f"cannot be read: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            consequence="nobody can be erased, and a restored database does not start",
            remedy="mend TOCSIN_ERASURE_LEDGER_URL (or TOCSIN_OBJECT_STORE_URL) or its credentials",
        )
    where = "" if settings.erasure_ledger_url else f", {OF_ITS_OWN}"
    return Check(name=NAME, state=State.OK, detail=f"{count} erasures{where}")
