"""What must be true of the data before anybody is served? Everybody's is sealed, and who was erased is erased.

Every process that starts looks at both; with nothing to do that is a statement each and a look at the ledger. A ledger
that cannot be read stops the start of a restored database and of no other: the log's epoch tells them apart.
"""

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.ports import SystemClock
from persistence.engine import create_engine
from persistence.erasure_ledger import open_ledger
from persistence.objects import ObjectStoreUnavailable, open_objects
from persistence.reapplying import reapply_erasures, were_reapplied
from persistence.seal_people import anybody_unsealed, seal_people
from persistence.sealing import ID_BYTES, sealer_of
from persistence.tables import person_keys
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)


class ForeignSecret(Exception):
    """The database was sealed with another secret than ours: what we would write, its own processes could not read."""


class LedgerUnreadable(Exception):
    """The database was restored, and who was erased since its copy cannot be known now."""


async def prepare_data(settings: Settings) -> int:
    """Seal what is not sealed yet, and do the erasures of the ledger again. How many people were sealed just now."""
    sealed = 0
    engine = create_engine(settings, pool_size=1)
    try:
        async with engine.connect() as connection:
            await _refuse_foreign_secret(connection)
            is_unsealed = await anybody_unsealed(connection)
        if is_unsealed:
            sealed = await seal_people(engine)
        await _reapply(engine, settings)
    finally:
        await engine.dispose()
    return sealed


async def _refuse_foreign_secret(connection: AsyncConnection) -> None:
    """A wrong secret is found here in one line, and not by everybody whose name cannot be shown."""
    key_id = sa.func.substring(person_keys.c.wrapped, 1, ID_BYTES)
    found = set(await connection.scalars(sa.select(key_id).distinct()))
    strange = found - sealer_of(connection).known
    if strange and strange == found:
        message = "the data of people was sealed with another secret than TOCSIN_SECRET_KEY"
        raise ForeignSecret(message)
    if strange:
        _log.warning("the data of some people was sealed with a secret that is not here", keys=len(strange))


async def _reapply(engine: AsyncEngine, settings: Settings) -> None:
    try:
        await reapply_now(engine, settings)
    except (ObjectStoreUnavailable, OSError) as error:
        if not await were_reapplied(engine):
            message = f"the database is new or was restored, and the erasure ledger cannot be read: {error}"
            raise LedgerUnreadable(message) from error
        _log.warning("the erasure ledger cannot be read; it was, since the last restore", error=str(error))


async def reapply_now(engine: AsyncEngine, settings: Settings) -> int:
    """Do the erasures of the ledger again where they are missing; how many people that were."""
    return await reapply_erasures(
        engine,
        open_ledger(settings),
        objects=lambda: open_objects(settings.effective_object_store_url),
        now=SystemClock().now(),
    )
