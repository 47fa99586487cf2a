"""What does `tocsin erasures reapply` do? Erase again whoever is on the ledger and in the database."""

import asyncio

from persistence.before_serving import reapply_now
from persistence.engine import create_engine
from persistence.objects import ObjectStoreUnavailable
from tocsin.errors import StartError
from tocsin.migrate import require_current
from tocsin.settings import Settings


def reapply(settings: Settings) -> int:
    """How many people were erased again."""
    require_current(settings)
    try:
        return asyncio.run(_reapply(settings))
    except ObjectStoreUnavailable as error:
        raise StartError(f"TOCSIN_ERASURE_LEDGER_URL: {error}") from None


async def _reapply(settings: Settings) -> int:
    engine = create_engine(settings, pool_size=1)
    try:
        return await reapply_now(engine, settings)
    finally:
        await engine.dispose()
