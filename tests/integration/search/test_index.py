"""Does the index find what the filter means, and does it follow the log, whatever happens to it?"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from uuid import UUID

import asyncpg
import pytest
from elasticsearch import AsyncElasticsearch
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.filter import AlertFilter
from domain.alerts.fold import FoldPolicy
from domain.alerts.visibility import Sight
from domain.ports import SystemClock
from jobs.consumers.search import SearchConsumer
from jobs.relay import Relay, Wake
from persistence.ingest_queue import IngestQueue
from persistence.search.index import AlertIndex, IndexUnavailable
from persistence.search.query import NotAsked
from persistence.search.rebuild import Progress, rebuild
from persistence.search.searcher import Found, HitKey, Parts, Searcher, hidden_teams
from tests.alert_builder import NOON, an_alert
from tests.alert_filter_cases import ALERTS, CASES, OPS
from tests.alert_rows import put_alerts, put_team
from tests.unit.alerts.signals import signal, submission
from tocsin.doctor.report import State
from tocsin.doctor.services import check_elasticsearch
from tocsin.settings import Settings

NAMES = {alert.id: name for name, alert in ALERTS.items()}
HITS_ALONE = Parts(total=False, facets=False, highlights=False)


@asynccontextmanager
async def searching(settings: Settings) -> AsyncIterator[Searcher]:
    searcher = Searcher(settings)
    try:
        yield searcher
    finally:
        await searcher.close()


@asynccontextmanager
async def following(pool: asyncpg.Pool, index: AlertIndex, engine: AsyncEngine) -> AsyncIterator[None]:
    task = asyncio.create_task(Relay(pool, [SearchConsumer(index, engine, pool)], wake=Wake()).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def queue(database_url: str) -> AsyncIterator[IngestQueue]:
    queue = IngestQueue(database_url, clock=SystemClock(), policy=FoldPolicy())
    await queue.start()
    yield queue
    await queue.close()


async def post(queue: IngestQueue, *keys: str, title: str = "Disk full on db-1") -> None:
    now = datetime.now(tz=UTC)
    await asyncio.gather(*[queue.submit(submission(now, signal(key=f"t:1:{key}", title=title))) for key in keys])


async def built(index: AlertIndex, *alerts: object) -> None:
    name = f"{index.alias}-1"
    await index.create(name)
    assert await index.write(list(alerts), into=name) == 0  # type: ignore[arg-type]
    await index.switch(name)


async def find(searcher: Searcher, wanted: AlertFilter | str, **options: object) -> Found:
    if isinstance(wanted, str):
        wanted = AlertFilter(search=wanted)
    given = {"hidden_team_ids": (), "limit": 50, "now": NOON, **options}
    return await searcher.search(wanted, **given)  # type: ignore[arg-type]


def names(found: Found) -> str:
    """Those of all that was found, which is as many as were counted, by a question of its own."""
    assert found.facets is not None
    assert found.total == len(found.hits) == sum(count for _, count in found.facets["status"])
    return "".join(sorted(NAMES[hit.id] for hit in found.hits))


async def documents(client: AsyncElasticsearch, alias: str) -> dict[str, tuple[str, int]]:
    """The status and the number of each document."""
    await client.indices.refresh(index=alias)
    answer = await client.search(index=alias, size=5000, query={"match_all": {}}, version=True)
    return {hit["_id"]: (hit["_source"]["status"], hit["_version"]) for hit in answer["hits"]["hits"]}


async def in_the_database(pool: asyncpg.Pool) -> dict[str, tuple[str, int]]:
    rows = await pool.fetch("SELECT id, status::text AS status, version + occurrences AS number FROM alerts")
    return {str(row["id"]): (row["status"], row["number"]) for row in rows}


async def caught_up(client: AsyncElasticsearch, pool: asyncpg.Pool, index: AlertIndex, *, seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while not await index.exists():  # noqa: ASYNC110 - the consumer makes it
            await asyncio.sleep(0.1)
        while {name: status for name, (status, _) in (await documents(client, index.alias)).items()} != {  # noqa: ASYNC110
            name: status for name, (status, _) in (await in_the_database(pool)).items()
        }:
            await asyncio.sleep(0.1)


async def test_the_index_agrees_with_the_table_of_cases(settings: Settings, index: AlertIndex) -> None:
    # Letters within a word, which an index of words does not know; patterns are PostgreSQL's to answer.
    elsewhere = {
        "an underscore is itself",
        "an underscore in a long word is itself",
        "a percent sign in a long word is itself",
        "a backslash in a long word is itself",
        "letters within a long word",
    }
    await built(index, *ALERTS.values())
    differing, not_asked = [], 0
    async with searching(settings) as searcher:
        for case in CASES:
            if case.name in elsewhere:
                continue
            try:
                found = names(await find(searcher, case.wanted))
            except NotAsked:
                not_asked += 1
                continue
            if found != case.found:
                differing.append((case.name, found, case.found))
    assert differing == []
    assert not_asked == sum(any("~" in matcher.operator.value for matcher in case.wanted.labels) for case in CASES)


async def test_the_signs_of_a_search(settings: Settings, index: AlertIndex) -> None:
    await built(index, *ALERTS.values())
    async with searching(settings) as searcher:
        for text, expected in (
            ("chekcout", "bc"),  # two letters changed places
            ("lattency", "b"),
            ("check*", "bc"),
            ('"checkout errors"', "c"),
            ('"errors checkout"', ""),
            ("checkout -errors", "b"),
            ("errors OR disk", "ac"),
            ("service:shop", "bc"),
            ("title:shop", ""),
            ("source:prometheus", "c"),
            ("label.env:prod", "bc"),
            ("label.instance:web-*", "bc"),
        ):
            assert names(await find(searcher, text)) == expected, text
        for odd in ('"', "-", "OR", "OR OR", "a OR", "*", "title:", '-"', "((", "\\", "AND NOT", "label.:x", "~2^3"):
            await find(searcher, odd)


async def test_what_is_said_in_the_title_comes_first_and_is_marked(settings: Settings, index: AlertIndex) -> None:
    in_title = an_alert(title="Kafka lag <b>", created_at=NOON - timedelta(days=3))
    in_description = an_alert(title="Consumers are slow", description="kafka is behind", created_at=NOON)
    await built(index, in_description, in_title)
    async with searching(settings) as searcher:
        found = await find(searcher, "kafka")
        assert [hit.id for hit in found.hits] == [in_title.id, in_description.id]
        assert found.hits[0].highlights["title"] == ["<mark>Kafka</mark> lag &lt;b&gt;"]
        assert found.hits[1].highlights["description"] == ["<mark>kafka</mark> is behind"]
        first = await find(searcher, "kafka", limit=1)
        second = await find(searcher, "kafka", limit=1, after=first.hits[0].key)
        assert [first.hits[0].id, second.hits[0].id] == [in_title.id, in_description.id]
        assert first.total == second.total == 2


async def test_what_is_nearly_so_is_looked_for_where_what_is_so_fills_no_page(
    settings: Settings, index: AlertIndex
) -> None:
    so = [an_alert(title="Kafka lag", created_at=NOON - timedelta(hours=one)) for one in range(5)]
    begins, nearly = an_alert(title="Kafkaesque"), an_alert(title="Kafk lag")
    await built(index, *so, begins, nearly)
    async with searching(settings) as searcher:

        async def pages(text: str, limit: int) -> list[UUID]:
            ids: list[UUID] = []
            found = await find(searcher, text, limit=limit)
            while found.hits:
                ids += [hit.id for hit in found.hits]
                found = await find(searcher, text, limit=limit, after=found.hits[-1].key)
            return ids

        newest_first = [alert.id for alert in so]
        # Enough is written so, or begins so; all further pages are of the same kind.
        assert await pages("kafka", 2) == [*newest_first, begins.id]
        # It fills no page: what is nearly so comes behind it.
        assert (await pages("kafka", 10))[:5] == newest_first
        assert set(await pages("kafka", 10)) == {*newest_first, begins.id, nearly.id}
        # What two letters begin is looked for, too, where nothing is so.
        for text in ("ka", "ka*"):
            assert set(await pages(text, 2)) == {*newest_first, begins.id, nearly.id}


async def test_what_is_not_asked_changes_nothing_of_what_is_found(settings: Settings, index: AlertIndex) -> None:
    many = [
        an_alert(title=f"Kafka lag {number % 7}", created_at=NOON - timedelta(hours=number)) for number in range(60)
    ]
    await built(index, *many)
    async with searching(settings) as searcher:
        whole, bare = await find(searcher, "kafka lag"), await find(searcher, "kafka lag", parts=HITS_ALONE)
        assert [(hit.key, hit.highlights) for hit in bare.hits] == [(hit.key, {}) for hit in whole.hits]
        assert (bare.total, bare.facets) == (None, None)
        assert whole.total == 60
        after = whole.hits[3].key
        rest = await find(searcher, "kafka lag", parts=HITS_ALONE, after=after)
        assert [hit.key for hit in rest.hits][:10] == [hit.key for hit in whole.hits[4:14]]


async def test_the_newest_of_the_best_are_the_same_however_they_are_found(
    settings: Settings, index: AlertIndex
) -> None:
    dice = random.Random(7)
    titles = ("Kafka lag", "Kafka lagging", "Lag", "Slow kafka", "Disk full")
    many = [
        an_alert(
            title=dice.choice(titles),
            description=dice.choice(("kafka lag", "nothing", "Disk full")),
            labels={"env": dice.choice(("prod", "test"))},
            created_at=NOON - timedelta(hours=dice.randrange(24 * 40)),
        )
        for _ in range(300)
    ]
    await built(index, *many)
    async with searching(settings) as searcher:
        for text in (
            "kafka",
            "kafka lag",
            "lag OR disk",
            "kaf* -slow",
            '"kafka lag" label.env:prod',
            "-disk",
            "kafk lag",
        ):

            async def pages(text: str = text) -> list[HitKey]:
                keys: list[HitKey] = []
                while True:
                    found = await find(searcher, text, limit=7, parts=HITS_ALONE, after=keys[-1] if keys else None)
                    if not found.hits:
                        return keys
                    keys += [hit.key for hit in found.hits]

            all_of_them = await pages()
            with patch("persistence.search.searcher._newest_best", return_value=None):
                assert await pages() == all_of_them, text
            found = await find(searcher, text, limit=7)
            assert found.facets is not None
            for field in ("status", "severity", "source"):
                assert sum(count for _, count in found.facets[field]) == found.total == len(all_of_them), text


async def test_what_is_out_of_sight_is_neither_found_nor_counted(
    settings: Settings, index: AlertIndex, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await put_team(connection, team_id=OPS, is_private=True)
    await built(index, *ALERTS.values())
    async with searching(settings) as searcher, engine.connect() as connection:
        for sight, expected in (
            (Sight(), "b"),
            (Sight(team_ids=frozenset({OPS})), "bc"),
            (Sight(everything=True), "bc"),
        ):
            found = await find(searcher, "checkout", hidden_team_ids=await hidden_teams(connection, sight))
            assert names(found) == expected
            assert found.total == len(expected)
            assert found.facets is not None
            assert sum(count for _, count in found.facets["status"]) == len(expected)
            assert (str(OPS) in dict(found.facets["team"])) is (len(expected) == 2)


async def test_an_older_state_never_replaces_a_newer(index: AlertIndex, client: AsyncElasticsearch) -> None:
    old = an_alert(title="before")
    new = replace(old, title="after", version=2)
    await built(index, new)
    assert await index.write([old]) == 0
    assert (await client.get(index=index.alias, id=str(old.id)))["_source"]["title"] == "after"


async def test_the_consumer_builds_the_index_and_follows(
    settings: Settings,
    index: AlertIndex,
    client: AsyncElasticsearch,
    engine: AsyncEngine,
    pool: asyncpg.Pool,
    queue: IngestQueue,
) -> None:
    # An alert whose events the log no longer has: it comes from the table.
    async with engine.begin() as connection:
        await put_alerts(connection, [an_alert(title="Older than the log")])
    async with following(pool, index, engine):
        await post(queue, *[f"a{n}" for n in range(60)])
        await caught_up(client, pool, index)
        # Somebody removes the index: it is built again, whole.
        for name in await client.indices.get_alias(name=index.alias):
            await client.indices.delete(index=name)
        await post(queue, *[f"b{n}" for n in range(20)])
        await caught_up(client, pool, index)
    assert len(await documents(client, index.alias)) == 81


async def test_one_document_that_is_refused_does_not_stop_the_rest(
    index: AlertIndex, client: AsyncElasticsearch, engine: AsyncEngine, pool: asyncpg.Pool, queue: IngestQueue
) -> None:
    # In this index a title must be a number.
    await client.indices.create(index=f"{index.alias}-odd", mappings={"properties": {"title": {"type": "long"}}})
    await index.switch(f"{index.alias}-odd")
    async with following(pool, index, engine):
        await post(queue, "bad", title="No number")
        await post(queue, *[f"good{n}" for n in range(5)], title="42")
        async with asyncio.timeout(60):
            while len(await documents(client, index.alias)) < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        head = await pool.fetchval("SELECT max(xid::text::bigint) FROM alert_events")
        async with asyncio.timeout(60):
            while await pool.fetchval("SELECT xid::text::bigint FROM relay_cursors WHERE consumer = 'search'") < head:  # noqa: ASYNC110
                await asyncio.sleep(0.1)


async def test_a_rebuild_under_writes_loses_no_change(
    index: AlertIndex, client: AsyncElasticsearch, engine: AsyncEngine, pool: asyncpg.Pool, queue: IngestQueue
) -> None:
    await post(queue, *[f"a{n}" for n in range(600)])
    async with following(pool, index, engine):
        await post(queue, "first")
        await caught_up(client, pool, index)
        before = list(await client.indices.get_alias(name=index.alias))
        told: list[Progress] = []
        writing = asyncio.create_task(post(queue, *[f"b{n}" for n in range(400)]))
        done = await rebuild(engine, pool, index, tell=told.append)
        await writing
        await caught_up(client, pool, index)
        after = list(await client.indices.get_alias(name=index.alias))
    assert done.written >= 601
    assert [progress.written for progress in told] == sorted(progress.written for progress in told)
    assert before != after
    assert list(await client.indices.get(index=f"{index.alias}-*")) == after, "the old one is gone"
    assert (await documents(client, index.alias)).keys() == (await in_the_database(pool)).keys()


async def test_a_piece_that_a_restart_cut_short_is_written_whole_by_the_next(
    index: AlertIndex, client: AsyncElasticsearch, engine: AsyncEngine, pool: asyncpg.Pool, queue: IngestQueue
) -> None:
    await built(index)
    await post(queue, *[f"a{n}" for n in range(30)])
    bulk, written, in_the_middle = client.bulk, 0, asyncio.Event()

    async def ten(**asked: object) -> object:
        nonlocal written
        if written == 10:
            in_the_middle.set()
            await asyncio.Event().wait()
        written += 1
        return await bulk(**asked)  # type: ignore[arg-type]

    # A request for each document, and the process ends while the eleventh is on its way.
    with patch.object(client, "bulk", ten), patch("persistence.search.index.CHUNK_BYTES", 1):
        async with following(pool, AlertIndex(client, index.alias), engine):
            async with asyncio.timeout(60):
                await in_the_middle.wait()
    assert len(await documents(client, index.alias)) == 10
    async with following(pool, index, engine):
        await caught_up(client, pool, index)
    assert len(await documents(client, index.alias)) == 30


async def test_the_doctor_says_whether_there_is_an_index(
    settings: Settings, index: AlertIndex, client: AsyncElasticsearch
) -> None:
    missing = await check_elasticsearch(settings)
    assert (missing.state, missing.remedy) == (
        State.DEGRADED,
        "the relay builds it with the next alert; `tocsin reindex` does so now",
    )
    await built(index)
    assert (await check_elasticsearch(settings)).state is State.OK


async def test_a_server_that_takes_no_writes_just_now_is_waited_for(
    index: AlertIndex, client: AsyncElasticsearch
) -> None:
    await built(index)
    await client.indices.put_settings(index=f"{index.alias}-1", settings={"index.blocks.write": True})
    with pytest.raises(IndexUnavailable):
        await index.write([an_alert()])
    await client.indices.put_settings(index=f"{index.alias}-1", settings={"index.blocks.write": False})
    assert await index.write([an_alert()]) == 0


async def test_a_dead_server_costs_one_wait_and_then_none(settings: Settings, free_port: int) -> None:
    ticks = [100.0]
    dead = settings.model_copy(update={"elasticsearch_url": f"http://127.0.0.1:{free_port}"})
    searcher = Searcher(dead, clock=lambda: ticks[0])
    with pytest.raises(IndexUnavailable) as first:
        await find(searcher, "disk")
    assert str(first.value), "it was asked"
    with pytest.raises(IndexUnavailable) as second:
        await find(searcher, "disk")
    assert not str(second.value), "it rests"
    ticks[0] += 6
    with pytest.raises(IndexUnavailable) as third:
        await find(searcher, "disk")
    assert str(third.value), "it is asked again"
    await searcher.close()


async def test_a_question_that_the_server_refuses_takes_it_from_nobody_else(
    settings: Settings, index: AlertIndex
) -> None:
    await built(index, an_alert(title="Disk full"))
    async with searching(settings) as searcher:
        too_long = AlertFilter(search="disk", dedup_key="x" * 40_000)
        with pytest.raises(NotAsked):
            await searcher.search(too_long, hidden_team_ids=(), limit=1, now=NOON)
        assert (await find(searcher, "disk")).total == 1
