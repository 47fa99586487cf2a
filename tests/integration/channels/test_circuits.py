"""Is a provider that fails asked no more, is nothing lost by it, and does everybody who sends know? (N4, N5)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.channels.circuit import FIRST_REST, PROBE, THRESHOLD
from domain.escalations.model import NotificationState
from domain.identity.model import Role
from jobs.channels.sending import send_to_channels
from jobs.operations import Operations
from jobs.paging import page, settle_notifications
from jobs.queues import show_queues
from persistence.circuits import Leave, leave_to_ask, note_answer, note_failure
from persistence.engine import create_engine
from tests.api import Api, Person
from tests.integration.channels.provider import Provider
from tests.integration.channels.work import HOUR, MINUTE, Work, create, escalate_to, told
from tocsin.doctor.processes import check_providers
from tocsin.doctor.report import State

CIRCUIT = "query($id: ID!) { channel(id: $id) { circuit { state failures openedAt retryAt reason } } }"
SECOND = timedelta(seconds=1)


async def circuit(api: Api, who: Person, channel_id: str) -> Any:  # noqa: ANN401 - JSON
    return (await api.data(CIRCUIT, {"id": channel_id}, who=who))["channel"]["circuit"]


async def opened(api: Api, who: Person, work: Work, server: Provider) -> str:
    """A channel whose provider has failed until it is asked no more; each failure is of an alert of its own."""
    made = await create(api, who, "SLACK", url=f"{server.url}/slack")
    await escalate_to(api, who, made["id"])
    server.answers += [(503, {})] * THRESHOLD
    for number in range(THRESHOLD):
        await work.alert(title=f"alert {number}")
        await work.tick(SECOND)
    assert len(server.posts) == THRESHOLD
    channel_id: str = made["id"]
    return channel_id


@pytest.fixture
async def other(work: Work) -> AsyncIterator[Work]:
    """Another process that sends."""
    engine = create_engine(work.api.settings, pool_size=2)
    made = Work(work.api, engine, work.database)
    made.now = work.now
    yield made
    await engine.dispose()


async def test_a_channel_that_fails_is_left_alone_and_loses_nothing(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
    other: Work,
) -> None:
    channel_id = await opened(api, manager, work, server)
    shown = await circuit(api, manager, channel_id)
    assert (shown["state"], shown["failures"]) == ("OPEN", THRESHOLD)
    assert shown["reason"].startswith("503")
    late = await work.alert(title="while it is away")
    other.now = work.now
    for worker in (work, other):
        assert await worker.tick(SECOND) == 0
    assert len(server.posts) == THRESHOLD, "nobody asks it"
    (waiting,) = await told(api, manager, late)
    assert (waiting["state"], waiting["attempts"]) == ("QUEUED", 0), "it keeps its place"
    # The trial fails: everybody rests twice as long.
    server.answers.append((503, {}))
    assert await work.tick(FIRST_REST) == 0
    assert len(server.posts) == THRESHOLD + 1
    assert await work.tick(FIRST_REST) == 0
    assert len(server.posts) == THRESHOLD + 1
    # The next trial is answered: what waits leaves at once, everything within the hour.
    assert await work.tick(FIRST_REST + SECOND) == 1
    await work.tick(HOUR)
    await work.tick(HOUR)
    states = await work.database.fetch("SELECT state FROM notifications")
    assert {row["state"] for row in states} == {NotificationState.SENT.value}
    shown = await circuit(api, manager, channel_id)
    assert (shown["state"], shown["failures"], shown["openedAt"]) == ("CLOSED", 0, None)


async def test_a_rest_holds_up_no_other_channel(api: Api, manager: Person, work: Work, server: Provider) -> None:
    await opened(api, manager, work, server)
    fine = await create(api, manager, "TEAMS", url=f"{server.url}/teams")
    await api.change("testChannel", {"id": fine["id"]}, "notification { id }", who=manager)
    assert await work.tick(SECOND) == 1
    assert server.posts[-1].path == "/teams"
    assert await circuit(api, manager, fine["id"]) is None


async def test_a_trial_that_never_ends_is_anothers_after_a_while(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
    other: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sender that is killed in the middle of its trial."""
    channel_id = await opened(api, manager, work, server)

    async def dies(*_args: object, **_more: object) -> None:
        raise OSError("killed")

    work.now += HOUR
    with monkeypatch.context() as killed:
        killed.setattr("jobs.channels.posting._post", dies)
        with pytest.raises(OSError, match="killed"):
            await send_to_channels(work.engine, api.settings, work.now)
    assert (await circuit(api, manager, channel_id))["state"] == "HALF_OPEN"
    other.now = work.now
    assert await other.tick(SECOND) == 0, "the trial is somebody's"
    assert await other.tick(PROBE) == 1
    assert (await circuit(api, manager, channel_id))["state"] == "CLOSED"


async def test_one_message_that_cannot_be_written_is_no_trouble_of_the_provider(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = await create(api, manager, "SLACK", url=f"{server.url}/slack")
    await escalate_to(api, manager, made["id"])

    def broken(*_args: object, **_more: object) -> None:
        raise TypeError("a fault of ours")

    with monkeypatch.context() as faulty:
        faulty.setattr("jobs.channels.posting.items_of", broken)
        for number in range(THRESHOLD + 2):
            await work.alert(title=f"alert {number}")
            await work.tick(SECOND)
    assert await circuit(api, manager, made["id"]) is None


async def test_one_of_many_takes_the_trial(work: Work) -> None:
    key, now = "mail:sendgrid", work.now
    for _ in range(THRESHOLD):
        async with work.engine.begin() as connection:
            await note_failure(connection, key, "503", now=now)
    assert await leave_to_ask(work.engine, key, now=now) is Leave.NONE
    later = now + FIRST_REST
    leaves = await asyncio.gather(*(leave_to_ask(work.engine, key, now=later) for _ in range(5)))
    assert sorted(leave.name for leave in leaves) == ["NONE"] * 4 + ["TRIAL"]
    async with work.engine.begin() as connection:
        await note_answer(connection, key, now=later)
    assert await leave_to_ask(work.engine, key, now=later) is Leave.ALL


async def test_it_is_seen_by_metrics_doctor_and_health(
    api: Api,
    manager: Person,
    work: Work,
    server: Provider,
) -> None:
    assert (await check_providers(work.database)).state is State.OK
    channel_id = await opened(api, manager, work, server)
    operations = Operations()
    await show_queues(work.engine, operations, now=work.now)
    name = {"provider": f"channel:{channel_id}"}
    assert operations.registry.get_sample_value("tocsin_provider_circuit_open", name) == 1
    check = await check_providers(work.database)
    assert check.state is State.DEGRADED
    assert "channel The slack since" in check.detail
    health = (await api.http.get("/healthz")).json()
    assert health["providers"] == {"away": ["channel"]}, "and no more: it asks nobody who they are"
    await work.tick(HOUR)
    await show_queues(work.engine, operations, now=work.now)
    assert operations.registry.get_sample_value("tocsin_provider_circuit_open", name) is None


async def test_pages_that_wait_for_a_provider_go_by_another_way_too(api: Api, work: Work) -> None:
    """Text messages are away: the mail that would have come in an hour comes now, and once."""
    ann = await api.person(Role.OPERATOR, email="ann@example.com")
    method = UUID(int=7)
    await work.database.execute(
        "INSERT INTO contact_methods (id, user_id, kind, created_at, updated_at, verified_at)"
        " VALUES ($1, $2, 'sms', now(), now(), now())",
        method,
        ann.id,
    )
    boss = await api.person(Role.MANAGER)
    steps = [{"delay": "PT0M", "targets": [{"kind": "USER", "id": str(ann.id)}]}]
    await api.change("createEscalationPolicy", {"name": "Wake", "steps": steps}, "policy { id }", who=boss)
    await work.database.execute(
        "INSERT INTO contact_preferences (user_id, rules, updated_at) VALUES ($1, $2, now())",
        ann.id,
        _rules(method, ann.id),
    )
    alert_id = await work.alert()
    await page(work.engine, api.settings, work.now)
    before = await _pages(work, alert_id)
    assert [(row["contact_kind"], row["state"]) for row in before] == [("sms", "mailed"), ("email", "queued")]
    for _ in range(THRESHOLD):
        async with work.engine.begin() as connection:
            await note_failure(connection, "text:sms", "503", now=work.now)
    work.now += 2 * MINUTE
    await settle_notifications(work.engine, api.settings, work.now)
    await page(work.engine, api.settings, work.now)
    after = await _pages(work, alert_id)
    assert [(row["contact_kind"], row["state"]) for row in after] == [("sms", "mailed"), ("email", "mailed")]
    assert [row["fell_back_at"] is not None for row in after] == [True, False]
    work.now += 2 * MINUTE
    await settle_notifications(work.engine, api.settings, work.now)
    assert len(await _pages(work, alert_id)) == 2, "no third"


def _rules(method: UUID, account: UUID) -> str:
    """The phone at once, mail to the account an hour later."""
    return (
        '[{"severities": ["critical"], "steps": ['
        f'{{"methodId": "{method}", "delay": 0}}, {{"methodId": "{account}", "delay": 3600}}]}}]'
    )


async def _pages(work: Work, alert_id: str) -> list[Any]:
    statement = "SELECT * FROM notifications WHERE alert_id = $1 ORDER BY rule_step, id"
    return list(await work.database.fetch(statement, UUID(alert_id)))
