"""How long does a search take that the index answers? The program's own way, at two sizes, in turns.

Elasticsearch runs on the same machine; each index is made by the program's own rebuild, from the database of that
size, and kept for the next run. A call is what `searchAlerts` does: which private teams are not the viewer's, the
search, and the rows of what was found.
"""

import asyncio
import hashlib
import random
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import orjson

from bench.live_search import Search
from bench.read_fill import Filled
from bench.read_results import StoreTurn
from bench.read_store import SIGHT, connected, frequent_words, rare_word, rare_word_open, team_and_week
from bench.read_turns import Scenario, in_turns
from domain.alerts.filter import AlertFilter
from persistence.engine import create_engine
from persistence.reads.alerts import alerts_by_ids
from persistence.search.documents import MAPPING, SETTINGS
from persistence.search.index import AlertIndex, open_client
from persistence.search.rebuild import Progress, rebuild
from persistence.search.searcher import EVERYTHING, Parts, Searcher, hidden_teams
from tocsin.settings import Settings

NOW = datetime(2026, 11, 1, tzinfo=UTC)
PAGE = 51
WARM_UP = 60
# What is too slow is measured, too.
PATIENCE = timedelta(seconds=30)
READY_SECONDS = 300.0


def _misspelt(dice: random.Random) -> AlertFilter:
    return replace(rare_word(dice), search=f"eror {rare_word(dice).search}")


def _phrase(dice: random.Random) -> AlertFilter:
    return AlertFilter(search=f'"too high" service:service-{dice.randrange(300)}')


def _label(dice: random.Random) -> AlertFilter:
    return AlertFilter(search=f"label.instance:{rare_word(dice).search}")


def _team_and_week(dice: random.Random) -> AlertFilter:
    return replace(team_and_week(dice), search="error rate")


def _everywhere(_: random.Random) -> AlertFilter:
    return AlertFilter(search="error")


ASKED = {"hits": Parts(total=False, facets=False), "all": EVERYTHING}
INDEX_SCENARIOS = (
    Scenario("search: a rare word", "hits", rare_word),
    Scenario("search: a rare word, open", "hits", rare_word_open),
    Scenario("search: a rare word and a misspelt one", "hits", _misspelt),
    Scenario("search: a phrase, of one service", "hits", _phrase),
    Scenario("search: the whole value of a label", "hits", _label),
    Scenario("search: two words, one team, one week", "hits", _team_and_week),
    Scenario("search: two frequent words", "hits", frequent_words),
    Scenario("search: a word that every alert has", "hits", _everywhere),
    # These look at each hit, however many there are.
    Scenario("number and facets: a rare word", "all", rare_word),
    Scenario("number and facets: two words, one team, one week", "all", _team_and_week),
    Scenario("number and facets: two frequent words", "all", frequent_words, is_bounded=False),
    Scenario("number and facets: a word that every alert has", "all", _everywhere, is_bounded=False),
)


def measure(
    sizes: list[Filled], folder: Path, *, seconds: float, rounds: int, only: tuple[str, ...]
) -> list[StoreTurn]:
    """Every search at every size, in turns; nothing where this machine has no Elasticsearch."""
    scenarios = [scenario for scenario in INDEX_SCENARIOS if scenario.name.startswith(only)]
    with ExitStack() as stack:
        server = Search.start(folder, stack, writes=False) if scenarios else None
        if server is None:
            return []
        return asyncio.run(_measure(sizes, scenarios, server.url, seconds=seconds, rounds=rounds))


async def _measure(
    sizes: list[Filled], scenarios: list[Scenario], url: str, *, seconds: float, rounds: int
) -> list[StoreTurn]:
    async with AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(connected(size)) for size in sizes]
        searchers = [await _indexed(size, url, stack) for size in sizes]

        async def ask(scenario: Scenario, number: int, wanted: AlertFilter) -> object:
            connection = connections[number]
            hidden = await hidden_teams(connection, SIGHT)
            found = await searchers[number].search(
                wanted, hidden_team_ids=hidden, limit=PAGE, now=NOW, parts=ASKED[scenario.kind]
            )
            return await alerts_by_ids(connection, [hit.id for hit in found.hits], sight=SIGHT)

        # Java compiles what it does often.
        dice = random.Random(0)
        for scenario in scenarios * WARM_UP:
            for number in range(len(sizes)):
                await ask(scenario, number, scenario.wanted(dice))
        return await in_turns(scenarios, [size.alerts for size in sizes], ask, seconds=seconds, rounds=rounds)


async def _indexed(size: Filled, url: str, stack: AsyncExitStack) -> Searcher:
    """Who asks the index of a database; it is made if it is not there, or was made in another form."""
    form = hashlib.sha256(orjson.dumps([MAPPING, SETTINGS], option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]
    settings = Settings(
        database_url=size.database.application_url,
        elasticsearch_url=url,
        elasticsearch_timeout=PATIENCE,
        elasticsearch_index=f"bench-{size.alerts}-{form}",
    )
    async with open_client(settings, seconds=READY_SECONDS) as client:
        index = AlertIndex(client, settings.elasticsearch_index)
        if not await index.exists():
            await _build(settings, index)
            await client.indices.flush(index=index.alias)
        # One that was kept is read from its files first.
        await client.cluster.health(index=index.alias, wait_for_status="green", timeout="300s")
    searcher = Searcher(settings)
    stack.push_async_callback(searcher.close)
    return searcher


async def _build(settings: Settings, index: AlertIndex) -> None:
    def tell(progress: Progress) -> None:
        if progress.written % 100_000 == 0:
            print(f"  {progress.written:,} of {progress.total:,} documents made", flush=True)

    engine = create_engine(settings, pool_size=1)
    try:
        async with asyncpg.create_pool(settings.database_dsn, min_size=0, max_size=1) as pool:
            await rebuild(engine, pool, index, tell=tell)
    finally:
        await engine.dispose()
