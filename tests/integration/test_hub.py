"""Does whoever follows see every event once and in order, whatever happens to Redis, the stream, or the reader?"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import asyncpg
import pytest
import redis.asyncio as redis

from domain.alerts.cursor import Cursor, StreamReset, StreamResetReason, log_start
from domain.alerts.events import LogPosition, RecordedEvent
from domain.alerts.filter import AlertFilter
from graphql_api.live import log_tail, overtaken
from graphql_api.live.hub import REPLAY_WINDOW, Hub
from graphql_api.live.overtaken import Overtaken
from graphql_api.live.upcoming import Upcoming
from persistence.event_log import LogReader
from persistence.stream import EVENTS_STREAM, RedisStreamBackend
from persistence.stream_message import StreamMessage, decode_message, encode_run
from tests.log_writer import insert_alert, insert_event, insert_events
from tests.waiting import until
from tocsin.settings import Settings


@pytest.fixture
async def writer(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@asynccontextmanager
async def started(settings: Settings, *, most_waiting: int = 1000) -> AsyncIterator[Hub]:
    hub = Hub(settings, most_waiting=most_waiting)
    await hub.start()
    try:
        await hub.ready()  # a test begins when the hub knows its place
        yield hub
    finally:
        await hub.close()


class Watcher:
    """Follows in a task of its own and keeps what it saw."""

    def __init__(self, hub: Hub, after: Cursor | None = None, *, wanted: AlertFilter | None = None) -> None:
        self._hub, self._after, self._upcoming = hub, after, Upcoming(wanted)
        self.events: list[RecordedEvent] = []
        self.reset: StreamReset | None = None

    @property
    def ids(self) -> list[UUID]:
        return [event.event.id for event in self.events]

    async def _watch(self) -> None:
        async with aclosing(self._hub.follow(self._after, upcoming=self._upcoming)) as stream:
            async for item in stream:
                if isinstance(item, StreamReset):
                    self.reset = item
                else:
                    self.events.append(item)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator["Watcher"]:
        before = self._hub.subscribers
        task = asyncio.create_task(self._watch())
        await until(lambda: self._hub.subscribers > before or task.done())
        yield self
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def without_redis(database_url: str) -> Settings:
    return Settings(database_url=database_url)


def with_redis(database_url: str, redis_url: str) -> Settings:
    return Settings(database_url=database_url, redis_url=redis_url)


async def cursor_at(writer: asyncpg.Connection, event_id: UUID) -> Cursor:
    row = await writer.fetchrow(
        "SELECT epoch, xid, seq, recorded_at FROM alert_events, log_epoch WHERE id = $1", event_id
    )
    assert row is not None
    return Cursor(epoch=row["epoch"], position=LogPosition(row["xid"], row["seq"]), recorded_at=row["recorded_at"])


async def test_events_arrive_from_the_log_alone(database_url: str, writer: asyncpg.Connection) -> None:
    async with started(without_redis(database_url)) as hub, Watcher(hub).watching() as watcher:
        ids = await insert_events(writer, 20)
        await until(lambda: len(watcher.ids) == 20)
        assert watcher.ids == ids


async def test_without_a_cursor_only_what_comes_later_is_seen(database_url: str, writer: asyncpg.Connection) -> None:
    await insert_events(writer, 3)
    async with started(without_redis(database_url)) as hub, Watcher(hub).watching() as watcher:
        later = await insert_event(writer)
        await until(lambda: bool(watcher.ids))
        assert watcher.ids == [later]


async def test_resuming_gives_the_rest_and_then_goes_on(database_url: str, writer: asyncpg.Connection) -> None:
    ids = await insert_events(writer, 1200)  # more than a page
    async with started(without_redis(database_url)) as hub:
        after = await cursor_at(writer, ids[9])
        async with Watcher(hub, after).watching() as watcher:
            ids += await insert_events(writer, 50)  # while the replay runs
            await until(lambda: len(watcher.ids) >= 1240)
            assert watcher.ids == ids[10:]


async def test_many_who_come_and_go_during_a_flood_lose_nothing(database_url: str, writer: asyncpg.Connection) -> None:
    first = await insert_event(writer)
    async with started(without_redis(database_url)) as hub:
        after = await cursor_at(writer, first)
        flood = asyncio.create_task(insert_events(writer, 400))
        async with AsyncExitStack() as stack:
            watchers = []
            for _ in range(5):
                await asyncio.sleep(0.02)
                watchers.append(await stack.enter_async_context(Watcher(hub, after).watching()))
            ids = await flood
            await until(lambda: all(len(watcher.ids) == 400 for watcher in watchers))
            assert all(watcher.ids == ids for watcher in watchers)


async def publish_log(database_url: str, redis_url: str, *, skip: int = 0, repeat: bool = False) -> None:
    """What the relay does, with faults: leave out the first `skip` messages, or send all twice."""
    async with asyncpg.create_pool(database_url, min_size=0, max_size=1) as pool:
        reader = LogReader(pool)
        place = log_start((await reader.state()).head.epoch)
        stream = RedisStreamBackend(redis_url)
        for number, line in enumerate(await reader.lines_after(place, limit=10_000)):
            for message in encode_run(place, [line]):
                for _ in range(1 + repeat):
                    if number >= skip:
                        await stream.publish(EVENTS_STREAM, message)
            position = LogPosition(line["xid"], line["seq"])
            place = Cursor(epoch=place.epoch, position=position, recorded_at=line["recorded_at"])
        await stream.disconnect()


async def connected(hub: Hub) -> None:
    await until(lambda: hub.tail._is_stream_up)  # noqa: SLF001  # else the log alone would bring the events


@pytest.mark.parametrize(("skip", "repeat"), [(0, False), (0, True), (7, False)])
async def test_what_the_stream_repeats_or_loses_is_seen_once(
    database_url: str, redis_url: str, writer: asyncpg.Connection, skip: int, repeat: bool
) -> None:
    async with started(with_redis(database_url, redis_url)) as hub, Watcher(hub).watching() as watcher:
        await connected(hub)
        ids = await insert_events(writer, 12)
        await publish_log(database_url, redis_url, skip=skip, repeat=repeat)
        await until(lambda: len(watcher.ids) >= 12)
        await asyncio.sleep(0.3)
        assert watcher.ids == ids


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that were decoded."""
    seen: list[str] = []

    def decode(text: str) -> StreamMessage | None:
        seen.append(text)
        return decode_message(text)

    monkeypatch.setattr(log_tail, "decode_message", decode)
    return seen


async def test_events_for_nobody_are_not_decoded_and_move_the_place(
    database_url: str, redis_url: str, writer: asyncpg.Connection, decoded: list[str]
) -> None:
    async with started(with_redis(database_url, redis_url)) as hub:
        await connected(hub)
        unseen = await insert_events(writer, 6)
        await publish_log(database_url, redis_url)
        end = (await cursor_at(writer, unseen[-1])).position
        await until(lambda: hub.place.position >= end)  # nobody follows: there is no other sign
        await asyncio.sleep(0.1)
        assert not decoded
        async with Watcher(hub).watching() as watcher:
            seen = await insert_events(writer, 3)
            await publish_log(database_url, redis_url)
            await until(lambda: len(watcher.ids) == 3)
            assert watcher.ids == seen


async def test_of_the_log_too_only_the_place_is_read_where_nobody_follows(
    database_url: str, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Cursor] = []
    read_after = LogReader.read_after

    async def noting(reader: LogReader, cursor: Cursor, *, limit: int) -> list[RecordedEvent]:
        read.append(cursor)
        return await read_after(reader, cursor, limit=limit)

    monkeypatch.setattr(LogReader, "read_after", noting)
    async with started(without_redis(database_url)) as hub:
        unseen = await insert_events(writer, 6)
        end = (await cursor_at(writer, unseen[-1])).position
        await until(lambda: hub.place.position >= end)
        assert not read
        async with Watcher(hub).watching() as watcher:
            seen = await insert_events(writer, 3)
            await until(lambda: len(watcher.ids) == 3)
            assert watcher.ids == seen
        assert read


async def test_who_comes_while_the_log_is_passed_over_misses_nothing(
    database_url: str, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, came = asyncio.Event(), asyncio.Event()
    reach = LogReader.reach

    async def slow(reader: LogReader, cursor: Cursor, *, limit: int) -> tuple[Cursor | None, int]:
        found = await reach(reader, cursor, limit=limit)
        if found[0] is not None:
            asked.set()
            await came.wait()
        return found

    monkeypatch.setattr(LogReader, "reach", slow)
    async with started(without_redis(database_url)) as hub:
        before = hub.place
        ids = await insert_events(writer, 3)
        async with asyncio.timeout(60):
            await asked.wait()
        async with Watcher(hub, before).watching() as watcher:
            came.set()
            await until(lambda: len(watcher.ids) == 3)
            assert watcher.ids == ids


async def test_events_of_other_alerts_wake_nobody_and_are_not_decoded(
    database_url: str,
    redis_url: str,
    writer: asyncpg.Connection,
    decoded: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nor does the hub look into the log meanwhile, which does not tell what the stream does.
    monkeypatch.setattr(log_tail, "POLL_SECONDS", 600.0)
    monkeypatch.setattr(log_tail, "AUDIT_SECONDS", 600.0)
    shop, queue = [await insert_alert(writer, service_name=name) for name in ("shop", "queue")]
    wanted = AlertFilter(service_names=frozenset({"queue"}))
    async with started(with_redis(database_url, redis_url)) as hub:
        await connected(hub)
        async with Watcher(hub, wanted=wanted).watching() as watcher:
            others = [await insert_event(writer, alert_id=shop) for _ in range(5)]
            await publish_log(database_url, redis_url)
            end = (await cursor_at(writer, others[-1])).position
            await until(lambda: hub.place.position >= end)
            assert not decoded
            moved = {"changes": {"service_name": ["queue", "shop"]}}
            told = [await insert_event(writer, alert_id=queue), await insert_event(writer, alert_id=shop, data=moved)]
            await publish_log(database_url, redis_url)
            await until(lambda: watcher.ids == told)


async def test_how_long_followers_wait_is_known(database_url: str, writer: asyncpg.Connection) -> None:
    async with started(without_redis(database_url)) as hub, aclosing(hub.follow_on(hub.place)) as stream:
        first = asyncio.ensure_future(anext(stream))
        assert hub.seconds_followers_wait == 0
        await insert_event(writer)
        await first
        late, newest = await insert_event(writer), await insert_event(writer)
        await until(lambda: hub.seconds_followers_wait > 0)
        seen = [await anext(stream), await anext(stream)]
        assert [one.event.id for one in seen if isinstance(one, RecordedEvent)] == [late, newest]
        assert hub.seconds_followers_wait == 0


async def test_how_long_followers_wait_is_known_of_what_they_have_to_read_from_the_log(
    database_url: str, writer: asyncpg.Connection
) -> None:
    settings = without_redis(database_url)
    async with started(settings, most_waiting=2) as hub, aclosing(hub.follow_on(hub.place)) as stream:
        first = asyncio.ensure_future(anext(stream))
        await insert_event(writer)
        await first
        # More than may wait for it: they are let go.
        late = [await insert_event(writer) for _ in range(5)]
        end = (await cursor_at(writer, late[-1])).position
        await until(lambda: hub.place.position >= end)
        assert hub.seconds_followers_wait > 0
        seen = []
        for next_ in late[1:]:
            seen.append(await anext(stream))
            # It is told by how much older than the newest the next one is.
            assert hub.seconds_followers_wait > 0 or next_ == late[-1]
        seen.append(await anext(stream))
        assert [one.event.id for one in seen if isinstance(one, RecordedEvent)] == late
        again = asyncio.ensure_future(anext(stream))
        await until(lambda: hub.seconds_followers_wait == 0)
        await insert_event(writer)
        await again


async def test_who_follows_for_others_and_is_overtaken_begins_anew_at_the_head(
    database_url: str, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound, value in (("LATE", timedelta(0)), ("TOO_LATE", timedelta(0)), ("LATE_FOR_SECONDS", 0.0)):
        monkeypatch.setattr(overtaken, bound, value)
    async with started(without_redis(database_url)) as hub:
        async with aclosing(hub.follow_on(hub.place)) as stream:
            first = asyncio.ensure_future(anext(stream))
            await insert_event(writer)
            # What is the newest is never too late.
            assert isinstance(await first, RecordedEvent)
            missed = [await insert_event(writer) for _ in range(3)]
            end = (await cursor_at(writer, missed[-1])).position
            await until(lambda: hub.place.position >= end)
            told = [item async for item in stream]
        assert told == [StreamReset(reason=StreamResetReason.OVERTAKEN, resume_after=hub.place)]
        async with aclosing(hub.follow_on(hub.place)) as stream:
            first = asyncio.ensure_future(anext(stream))
            event_id = await insert_event(writer)
            found = await first
            assert isinstance(found, RecordedEvent)
            assert found.event.id == event_id


async def test_who_follows_for_others_is_in_time_when_it_was_told_all_and_not_before(
    database_url: str, writer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_time = 0

    def note(_run: Overtaken) -> None:
        nonlocal in_time
        in_time += 1

    monkeypatch.setattr(Overtaken, "in_time", note)
    async with started(without_redis(database_url)) as hub, aclosing(hub.follow_on(hub.place)) as stream:
        first = asyncio.ensure_future(anext(stream))
        await insert_event(writer)
        await first
        late = await insert_events(writer, 3)
        end = (await cursor_at(writer, late[-1])).position
        await until(lambda: hub.place.position >= end)
        for _ in late:
            assert not in_time
            await anext(stream)
        last = asyncio.ensure_future(anext(stream))
        await until(lambda: in_time == 1)
        last.cancel()
        await asyncio.wait({last})


async def test_a_message_that_vanished_without_a_successor_is_found(
    database_url: str, redis_url: str, writer: asyncpg.Connection
) -> None:
    async with started(with_redis(database_url, redis_url)) as hub, Watcher(hub).watching() as watcher:
        await connected(hub)
        lost = await insert_event(writer)  # nobody publishes it, and this writer sends no notice either
        await until(lambda: bool(watcher.ids), seconds=10)
        assert watcher.ids == [lost]


async def test_rubbish_on_the_stream_harms_nobody(
    database_url: str, redis_url: str, writer: asyncpg.Connection
) -> None:
    client = redis.Redis.from_url(redis_url)
    async with started(with_redis(database_url, redis_url)) as hub, Watcher(hub).watching() as watcher:
        await connected(hub)
        event_id = await insert_event(writer)
        await client.xadd(EVENTS_STREAM, {"message": '{"of": "a newer version"}'})
        await until(lambda: bool(watcher.ids))
        assert watcher.ids == [event_id]
    await client.aclose()


async def test_with_redis_down_the_log_is_read(database_url: str, free_port: int, writer: asyncpg.Connection) -> None:
    settings = with_redis(database_url, f"redis://127.0.0.1:{free_port}/0")
    async with started(settings) as hub, Watcher(hub).watching() as watcher:
        ids = await insert_events(writer, 5)
        await until(lambda: len(watcher.ids) == 5)
        assert watcher.ids == ids


async def test_a_lost_connection_to_postgresql_ends_no_stream(
    database_url: str, postgresql_server_url: str, writer: asyncpg.Connection
) -> None:
    administrator = await asyncpg.connect(postgresql_server_url)
    async with started(without_redis(database_url)) as hub, Watcher(hub).watching() as watcher:
        ids = await insert_events(writer, 3)
        await until(lambda: len(watcher.ids) == 3)
        await administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = $1::text AND application_name LIKE 'tocsin%'",
            database_url.rsplit("/", 1)[1],
        )
        ids += await insert_events(writer, 3)
        await until(lambda: len(watcher.ids) == 6)
        assert watcher.ids == ids
    await administrator.close()


async def test_a_slow_reader_is_told_where_to_go_on_and_holds_up_nobody(
    database_url: str, writer: asyncpg.Connection
) -> None:
    async with started(without_redis(database_url), most_waiting=10) as hub:
        stream = hub.follow(None)
        following = asyncio.ensure_future(anext(stream))
        await until(lambda: hub.subscribers == 1)
        async with Watcher(hub).watching() as quick:
            ids = []
            for rounds in range(1, 7):  # slowly enough for the quick one
                ids += await insert_events(writer, 5)
                await until(partial(lambda count: len(quick.ids) == count, rounds * 5))
            assert quick.ids == ids
        first = await following
        assert isinstance(first, RecordedEvent)
        reset = await anext(stream)
        assert isinstance(reset, StreamReset)
        assert reset.reason is StreamResetReason.SLOW_CONSUMER
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        async with Watcher(hub, reset.resume_after).watching() as resumed:
            await until(lambda: len(resumed.ids) == len(ids) - 1)
            assert [first.event.id, *resumed.ids] == ids


async def test_a_restored_log_ends_every_stream(database_url: str, writer: asyncpg.Connection) -> None:
    async with started(without_redis(database_url)) as hub, Watcher(hub).watching() as watcher:
        await writer.execute("UPDATE log_epoch SET epoch = gen_random_uuid()")
        await until(lambda: watcher.reset is not None)
        assert watcher.reset is not None
        assert watcher.reset.reason is StreamResetReason.LOG_RESTORED
        assert watcher.reset.resume_after.epoch == await writer.fetchval("SELECT epoch FROM log_epoch")
        async with Watcher(hub, watcher.reset.resume_after).watching() as resumed:
            event_id = await insert_event(writer)
            await until(lambda: bool(resumed.ids))
            assert resumed.ids == [event_id]


async def test_cursors_of_another_log_and_of_long_ago_are_reset(database_url: str, writer: asyncpg.Connection) -> None:
    await insert_event(writer)
    async with started(without_redis(database_url)) as hub:
        head = (await hub.reader.state()).head
        old = Cursor(epoch=head.epoch, position=head.position, recorded_at=datetime.now(tz=UTC) - REPLAY_WINDOW * 2)
        other = Cursor(epoch=UUID(int=1), position=head.position, recorded_at=head.recorded_at)
        for cursor, reason in ((old, StreamResetReason.CURSOR_EXPIRED), (other, StreamResetReason.LOG_RESTORED)):
            items = [item async for item in hub.follow(cursor)]
            assert len(items) == 1
            assert isinstance(items[0], StreamReset)
            assert items[0].reason is reason
            assert items[0].resume_after.recorded_at - head.recorded_at < timedelta(minutes=1)
