"""How does a person rebuild the search index? By one command that says how far it is."""

import asyncio
import time
from collections.abc import Callable

from persistence.direct import open_log_pool
from persistence.engine import create_engine
from persistence.search.index import BULK_SECONDS, AlertIndex, IndexUnavailable, open_client
from persistence.search.rebuild import Progress, rebuild
from tocsin.errors import StartError
from tocsin.settings import Settings

TELL_SECONDS = 1.0


def reindex(settings: Settings, say: Callable[[str], None]) -> str:
    """Rebuild; returns the closing line. StartError where Elasticsearch is not there."""
    if settings.elasticsearch_url is None:
        raise StartError("TOCSIN_ELASTICSEARCH_URL is not set: there is no index to build, PostgreSQL searches")
    try:
        done = asyncio.run(_reindex(settings, say))
    except IndexUnavailable as error:
        raise StartError(f"Elasticsearch: {error}; the index is as it was, run the command again") from None
    refused = f"; {done.refused} cannot be indexed, the lines above say why" if done.refused else ""
    return f"{done.written} alerts indexed in {done.seconds:.1f} s{refused}"


async def _reindex(settings: Settings, say: Callable[[str], None]) -> Progress:
    told = time.monotonic()

    def tell(progress: Progress) -> None:
        nonlocal told
        if time.monotonic() - told >= TELL_SECONDS:
            told = time.monotonic()
            say(line_of(progress))

    engine, client = create_engine(settings, pool_size=1), open_client(settings, seconds=BULK_SECONDS)
    pool = await open_log_pool(settings, size=1, name="tocsin reindex")
    try:
        return await rebuild(engine, pool, AlertIndex(client, settings.elasticsearch_index), tell=tell)
    finally:
        pool.terminate()
        await client.close()
        await engine.dispose()


def line_of(progress: Progress) -> str:
    """How far it is, for people."""
    share = 100 * progress.written / progress.total if progress.total else 100
    rate = progress.written / progress.seconds if progress.seconds else 0
    return f"{progress.written} of {progress.total} alerts ({min(share, 100):.0f} %), {rate:.0f} a second"
