"""Do silences and alerts never miss each other, whichever comes first, whatever the clocks say?"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.events import Actor, ActorKind
from domain.alerts.fold import FoldPolicy
from domain.alerts.model import Severity
from domain.alerts.signal import Signal
from domain.alerts.submission import Submission
from domain.errors import InvalidInput, NotFound
from domain.ids import new_id
from domain.integrations.model import Integration, IntegrationSource
from domain.silences import changing, sweeping
from domain.silences.actions import create_silence, expire_silence, update_silence
from domain.silences.changing import Silencing
from domain.silences.drafts import SilenceDraft
from domain.silences.matcher_syntax import parse_matchers
from domain.silences.model import Silence, SilenceState
from persistence.engine import create_engine
from persistence.ingest_queue import IngestQueue
from persistence.locks import SILENCES_LOCK
from persistence.retention import Retention, purge_expired
from persistence.silence_work import SilenceUnitOfWork, apply_due_silences
from persistence.silences import listed_silences
from tests.served_door import make_integration
from tocsin.settings import Settings

HOUR = timedelta(hours=1)


@dataclass
class MovableClock:
    """The machine's clock, and so much."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(tz=UTC) + self.ahead


@dataclass
class House:
    """One integration, its queue, and the use cases on its silences."""

    database: asyncpg.Connection
    engine: AsyncEngine
    queue: IngestQueue
    integration: Integration
    clock: MovableClock = field(default_factory=MovableClock)

    @property
    def silencing(self) -> Silencing:
        return Silencing(
            actor=Actor(ActorKind.INTEGRATION, self.integration.id),
            integration_id=self.integration.id,
            clock=self.clock,
            open=lambda: SilenceUnitOfWork(self.engine),
        )

    async def fire(self, *, integration: Integration | None = None, **labels: str) -> UUID:
        """One alert of these labels; its id."""
        key = "t:1:" + ",".join(f"{name}={value}" for name, value in labels.items())
        signal = Signal(title="t", source="s", dedup_key=key, dedup_recipe="r", severity=Severity.HIGH, labels=labels)
        receipt = await self.queue.submit(
            Submission(
                receipt_id=new_id(),
                received_at=datetime.now(tz=UTC),
                integration=integration or self.integration,
                items=[signal],
            )
        )
        (result,) = receipt.results
        assert result.alert_id is not None
        return result.alert_id

    async def silence(self, text: str, *, begins: timedelta = -HOUR, lasts: timedelta = 2 * HOUR) -> Silence:
        return await create_silence(self.silencing, self.draft(text, begins=begins, lasts=lasts))

    def draft(self, text: str, *, begins: timedelta = -HOUR, lasts: timedelta = 2 * HOUR) -> SilenceDraft:
        begin = self.clock.now() + begins
        return SilenceDraft(
            matchers=parse_matchers(text), starts_at=begin, ends_at=begin + lasts, created_by="me", comment="why"
        )

    async def holders(self, alert_id: UUID) -> list[UUID]:
        found = await self.database.fetchval("SELECT suppressed_by FROM alerts WHERE id = $1", alert_id)
        return list(found)

    async def timeline(self, alert_id: UUID) -> list[tuple[str, int]]:
        rows = await self.database.fetch(
            "SELECT kind, version FROM alert_events WHERE alert_id = $1 ORDER BY xid, seq", alert_id
        )
        return [(row["kind"], row["version"]) for row in rows]

    async def sweep(self) -> int:
        return await apply_due_silences(self.engine, self.clock.now())

    async def state(self, silence: Silence) -> str:
        found: str = await self.database.fetchval("SELECT applied FROM silences WHERE id = $1", silence.id)
        return found


async def integration_of(database: asyncpg.Connection) -> Integration:
    integration_id, _ = await make_integration(database, IntegrationSource.PROMETHEUS)
    return Integration(
        id=integration_id, name="p", source=IntegrationSource.PROMETHEUS, created_at=datetime.now(tz=UTC)
    )


@pytest.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    database = await asyncpg.connect(database_url)
    engine = create_engine(Settings(database_url=database_url))
    clock = MovableClock()
    queue = IngestQueue(database_url, clock=clock, policy=FoldPolicy())
    await queue.start()
    yield House(database, engine, queue, await integration_of(database), clock)
    await queue.close()
    await engine.dispose()
    await database.close()


async def test_a_silence_marks_what_it_holds_and_nothing_else(house: House) -> None:
    held = await house.fire(alertname="A", host="db-1")
    free = await house.fire(alertname="A", host="web-1")
    foreign = await house.fire(integration=await integration_of(house.database), alertname="A", host="db-1")
    silence = await house.silence('alertname="A",host=~"db-.*"')
    assert await house.holders(held) == [silence.id]
    assert await house.holders(free) == []
    assert await house.holders(foreign) == []
    assert await house.timeline(held) == [("opened", 1), ("suppressed", 2)]
    data = await house.database.fetchval("SELECT data::text FROM alert_events WHERE kind = 'suppressed'")
    assert str(silence.id) in data
    assert "why" in data


async def test_an_end_takes_only_its_own_marks(house: House) -> None:
    alert = await house.fire(alertname="A")
    first, second = await house.silence("alertname=A"), await house.silence("alertname=~A.*")
    assert await house.holders(alert) == [first.id, second.id]
    await expire_silence(house.silencing, first.id)
    assert await house.holders(alert) == [second.id]
    again = await expire_silence(house.silencing, first.id)  # a second time does nothing
    assert again.applied is SilenceState.EXPIRED
    assert [kind for kind, _ in await house.timeline(alert)] == ["opened", "suppressed", "suppressed", "unsuppressed"]


async def test_an_alert_that_waits_behind_a_new_silence_is_marked(house: House) -> None:
    """It arrives before the silence is made and is written after: neither sees the other without care."""
    blocker = await asyncpg.connect(**_address(house))
    await blocker.execute("BEGIN")
    await blocker.execute("SELECT pg_advisory_xact_lock_shared($1)", SILENCES_LOCK)
    making = asyncio.create_task(house.silence("alertname=A"))
    await _waiting_for_lock(house.database, 1)  # it waits for the writer to end
    firing = asyncio.create_task(house.fire(alertname="A"))
    await _waiting_for_lock(house.database, 2)  # and the alert, already received, waits behind it
    await blocker.execute("COMMIT")
    await blocker.close()
    silence, alert = await making, await firing
    assert await house.holders(alert) == [silence.id]
    assert [kind for kind, _ in await house.timeline(alert)] == ["opened"]


async def test_a_storm_of_alerts_and_silences_leaves_no_alert_unmarked(house: House) -> None:
    firing = [asyncio.create_task(house.fire(alertname="A", n=str(number))) for number in range(150)]
    made = [asyncio.create_task(house.silence("alertname=A")) for _ in range(3)]
    silences = {silence.id for silence in await asyncio.gather(*made)}
    for alert in await asyncio.gather(*firing):
        assert set(await house.holders(alert)) == silences
        assert (await house.timeline(alert))[0][0] == "opened"
    # Each alert's versions grow by one with each event, in the order of the log.
    for alert in {task.result() for task in firing}:
        versions = [version for _, version in await house.timeline(alert)]
        assert versions == list(range(1, len(versions) + 1))


async def test_a_silence_of_the_future_begins_and_ends_by_the_sweep(house: House) -> None:
    early = await house.fire(alertname="A", n="1")
    silence = await house.silence("alertname=A", begins=HOUR, lasts=HOUR)
    assert await house.holders(early) == []
    assert await house.sweep() == 0

    house.clock.ahead = timedelta(minutes=61)
    between = await house.fire(alertname="A", n="2")  # after the start, before the sweep
    assert await house.holders(between) == [silence.id]
    assert await house.sweep() == 1
    assert await house.holders(early) == [silence.id]
    assert await house.state(silence) == "active"
    assert [kind for kind, _ in await house.timeline(between)] == ["opened"]  # not marked twice

    house.clock.ahead = timedelta(minutes=121)
    late = await house.fire(alertname="A", n="3")  # after the end, before the sweep
    assert await house.holders(late) == []
    assert await house.sweep() == 1
    assert await house.holders(early) == await house.holders(between) == []
    assert await house.state(silence) == "expired"
    assert await house.sweep() == 0
    assert [kind for kind, _ in await house.timeline(early)] == ["opened", "suppressed", "unsuppressed"]


async def test_a_silence_nobody_swept_while_it_stood_ends_all_the_same(house: House) -> None:
    silence = await house.silence("alertname=A", begins=HOUR, lasts=HOUR)
    house.clock.ahead = timedelta(minutes=61)
    alert = await house.fire(alertname="A")
    assert await house.holders(alert) == [silence.id]
    house.clock.ahead = timedelta(hours=3)
    assert await house.sweep() == 1
    assert await house.holders(alert) == []
    assert await house.state(silence) == "expired"


async def test_a_clock_that_is_behind_misses_no_silence_and_keeps_no_dead_one(house: House) -> None:
    silence = await house.silence("alertname=A")
    house.clock.ahead = -timedelta(minutes=10)  # the writer's clock, from now on
    first = await house.fire(alertname="A", n="1")
    assert await house.holders(first) == [silence.id]  # by its clock the silence has not begun
    house.clock.ahead = timedelta(0)
    await expire_silence(house.silencing, silence.id)
    house.clock.ahead = -timedelta(minutes=10)
    second = await house.fire(alertname="A", n="2")
    assert await house.holders(second) == []  # by its clock the silence still stands


async def test_resolved_alerts_keep_what_they_were(house: House) -> None:
    alert = await house.fire(alertname="A")
    await house.database.execute("UPDATE alerts SET status = 'resolved', resolved_at = now() WHERE id = $1", alert)
    await house.silence("alertname=A")
    assert await house.holders(alert) == []


async def test_an_update_in_place_keeps_the_id_and_any_other_replaces_it(house: House) -> None:
    alert = await house.fire(alertname="A")
    silence = await house.silence("alertname=A")
    longer = SilenceDraft(
        matchers=parse_matchers("alertname=A"),
        starts_at=silence.starts_at,
        ends_at=silence.ends_at + HOUR,
        created_by="me",
        comment="longer",
    )
    assert (await update_silence(house.silencing, silence.id, longer)).id == silence.id
    assert len(await house.timeline(alert)) == 2  # nothing happened to the alert

    other = await update_silence(house.silencing, silence.id, house.draft('alertname="A",n=""'))
    assert other.id != silence.id
    assert await house.holders(alert) == [other.id]
    assert await house.state(silence) == "expired"

    with pytest.raises(InvalidInput, match="past"):
        await update_silence(house.silencing, other.id, house.draft("alertname=A", begins=-2 * HOUR, lasts=HOUR))
    assert await house.holders(alert) == [other.id]  # a refused change changes nothing


async def test_a_pending_silence_moves_and_can_be_ended(house: House) -> None:
    silence = await house.silence("alertname=A", begins=HOUR)
    moved = await update_silence(house.silencing, silence.id, house.draft("alertname=A", begins=2 * HOUR))
    assert moved.id == silence.id
    ended = await expire_silence(house.silencing, silence.id)
    assert ended.starts_at == ended.ends_at
    house.clock.ahead = 3 * HOUR
    assert await house.sweep() == 0
    async with house.engine.connect() as connection:
        listed = await listed_silences(
            connection, integration_id=house.integration.id, ended_after=house.clock.now() - 24 * HOUR
        )
    assert [one.state(house.clock.now()) for one in listed] == [SilenceState.EXPIRED]


async def test_what_no_silence_can_be_is_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for draft, path in (
        (house.draft("alertname=A", lasts=timedelta(0)), "endsAt"),
        (house.draft("alertname=A", begins=-3 * HOUR), "endsAt"),
        (house.draft('a=""'), "matchers"),
    ):
        with pytest.raises(InvalidInput) as caught:
            await create_silence(house.silencing, draft)
        assert caught.value.path[0] == path
    with pytest.raises(NotFound):
        await expire_silence(house.silencing, new_id())
    foreign = Silencing(
        actor=house.silencing.actor, integration_id=new_id(), clock=house.clock, open=house.silencing.open
    )
    mine = await house.silence("alertname=A")
    with pytest.raises(NotFound):
        await expire_silence(foreign, mine.id)
    monkeypatch.setattr(changing, "ROOM", replace(changing.ROOM, of_all=1))
    with pytest.raises(InvalidInput, match="there are 1 silences that stand"):
        await house.silence("alertname=B")


async def test_thousands_of_alerts_are_marked_in_one_change(house: House) -> None:
    await house.database.execute(
        "INSERT INTO alerts (id, title, severity, status, source, created_at, updated_at, started_at, last_seen_at, "
        "integration_id, dedup_key, dedup_recipe, labels) SELECT gen_random_uuid(), 't', 'high', 'active', 's', now(), "
        "now(), now(), now(), $1, 'k' || n, 'r', jsonb_build_object('alertname', 'A', 'n', n::text) "
        "FROM generate_series(1, 12000) AS n",
        house.integration.id,
    )
    silence = await house.silence('alertname="A",n!~"1.*"')
    marked = await house.database.fetchval("SELECT count(*) FROM alerts WHERE $1 = ANY (suppressed_by)", silence.id)
    events = await house.database.fetchval("SELECT count(*) FROM alert_events WHERE kind = 'suppressed'")
    assert marked == events == sum(not str(n).startswith("1") for n in range(1, 12001))


async def test_a_large_silence_is_marked_in_steps_and_whoever_dies_half_way_is_followed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "STEP", 10)
    monkeypatch.setattr(sweeping, "STEPS", 0)  # the maker of the silence dies after the first step
    alerts = [await house.fire(alertname="A", n=str(number)) for number in range(35)]
    free = await house.fire(alertname="B")
    silence = await house.silence("alertname=~A")
    assert len([one for one in alerts if await house.holders(one)]) == 10
    # Whatever is written meanwhile is marked by the one who writes it, once.
    late = await house.fire(alertname="A", n="late")
    assert await house.holders(late) == [silence.id]
    assert await house.sweep() == 0, "no silence begins or ends"
    assert all([await house.holders(one) == [silence.id] for one in (*alerts, late)])
    assert await house.holders(free) == []
    assert [kind for kind, _ in await house.timeline(late)] == ["opened"]
    assert all([[kind for kind, _ in await house.timeline(one)] == ["opened", "suppressed"] for one in alerts])
    assert await house.sweep() == 0

    await expire_silence(house.silencing, silence.id)
    assert len([one for one in alerts if await house.holders(one)]) == 25
    fresh = await house.fire(alertname="A", n="fresh")
    assert await house.holders(fresh) == []
    await house.sweep()
    assert all([await house.holders(one) == [] for one in (*alerts, late)])
    kinds = {tuple(kind for kind, _ in await house.timeline(one)) for one in alerts}
    assert kinds == {("opened", "suppressed", "unsuppressed")}


async def test_a_silence_ended_before_all_were_marked_leaves_no_mark(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "STEP", 10)
    monkeypatch.setattr(sweeping, "STEPS", 0)
    alerts = [await house.fire(alertname="A", n=str(number)) for number in range(25)]
    silence = await house.silence("alertname=A")
    await expire_silence(house.silencing, silence.id)
    await house.sweep()
    assert all([await house.holders(one) == [] for one in alerts])
    marked = [one for one in alerts if len(await house.timeline(one)) > 1]
    assert len(marked) == 10, "the rest was never touched"


def _address(house: House) -> dict[str, Any]:
    url = house.engine.url
    return {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "database": url.database,
    }


async def _waiting_for_lock(database: asyncpg.Connection, count: int) -> None:
    for _ in range(500):
        waiting = await database.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        if waiting >= count:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"{count} transactions should wait for a lock")


async def test_a_silence_is_forgotten_a_year_after_its_end(house: House) -> None:
    """Until then who asks why nobody was told is answered; what still stands is never forgotten."""
    over, standing = await house.silence("a=1"), await house.silence("a=2", lasts=timedelta(days=20))
    kept = Retention(rejected=HOUR, ended_sessions=HOUR, settled_mail=HOUR)
    ended = house.clock.now() + 2 * HOUR
    await apply_due_silences(house.engine, ended)
    for later, left in ((timedelta(days=364), {over.id, standing.id}), (timedelta(days=366), {standing.id})):
        await purge_expired(house.engine, kept=kept, now=ended + later)
        rows = await house.database.fetch("SELECT id FROM silences")
        assert {row["id"] for row in rows} == left
