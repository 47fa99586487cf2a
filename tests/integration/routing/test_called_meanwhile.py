"""Is a page owed still whose alert called again at the very moment in which it was dropped? (N1)."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from jobs.paging import page, writing_of
from persistence.channel_notifications import claim
from persistence.mail import claim_mail
from persistence.overtaken import mail_to_send
from persistence.tables import users
from tests.api import Api, Person
from tests.integration.routing.night import HOUR, MINUTE, Night, a_group, member, rule

WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def calls_again_during(
    work: Awaitable[Any], alert_id: str, *, table: str, night: Night, database_url: str
) -> Any:  # noqa: ANN401 - what it answers
    """Whoever looks comes to this table when it has dropped the page, and has not committed that."""
    other = await asyncpg.connect(database_url)
    try:
        held = other.transaction()
        await held.start()
        await other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        looks = asyncio.ensure_future(work)
        async with asyncio.timeout(60):
            while not await night.database.fetchval(WAITS):  # noqa: ASYNC110 - another connection makes it true
                await asyncio.sleep(0.01)
        await night.move(alert_id, status="active")
        await held.rollback()
        return await looks
    finally:
        await other.close()


@pytest.mark.parametrize("is_grouped", [False, True], ids=["alone", "in a group"])
async def test_a_page_dropped_from_the_outbox_while_its_alert_calls_again_is_owed(
    api: Api, night: Night, manager: Person, ann: Person, database_url: str, is_grouped: bool
) -> None:
    await rule(api, manager, ("USER", ann.id))
    alert_id = await member(night, await a_group(night)) if is_grouped else await night.alert()
    await page(night.engine, api.settings, night.now)
    await night.move(alert_id, status="acknowledged")
    night.now += 2 * MINUTE
    claimed = await claim_mail(night.engine, limit=9, now=night.now)
    look = mail_to_send(night.engine, claimed, writing_of(api.settings), now=night.now)
    kept = await calls_again_during(look, alert_id, table="outgoing_mail", night=night, database_url=database_url)
    assert kept == []
    assert len(await night.tick(HOUR)) == 1
    assert await night.tick(HOUR) == []


async def test_the_same_of_one_that_is_not_written_yet(
    api: Api, night: Night, manager: Person, ann: Person, database_url: str
) -> None:
    await rule(api, manager, ("USER", ann.id))
    dropped = await night.alert(title="dropped")
    await night.alert(title="written")
    await night.move(dropped, status="acknowledged")
    look = page(night.engine, api.settings, night.now)
    await calls_again_during(look, dropped, table="outgoing_mail", night=night, database_url=database_url)
    assert await night.tick() == ["ann@example.com [CRITICAL] written (shop)"]
    assert await night.tick(HOUR) == ["ann@example.com [CRITICAL] dropped (shop)"]


async def test_the_same_of_one_to_a_channel(api: Api, night: Night, manager: Person, database_url: str) -> None:
    values = [{"name": "url", "value": "https://hooks.example.com/x"}]
    what = {"name": "Ops", "kind": "SLACK", "values": values}
    made = await api.change("createChannel", what, "channel { id }", who=manager)
    await rule(api, manager, ("CHANNEL", made["channel"]["id"]))
    alert_id = await night.alert()
    await night.move(alert_id, status="acknowledged")
    look = claim(night.engine, limit=9, now=night.now)
    assert (
        await calls_again_during(look, alert_id, table="message_templates", night=night, database_url=database_url)
        == []
    )
    (claimed,) = await claim(night.engine, limit=9, now=night.now)
    assert len(claimed.notifications) == 1


async def test_whoever_may_not_be_told_is_not_asked_about_again_and_again(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    await rule(api, manager, ("USER", ann.id))
    alert_id = await night.alert()
    async with night.engine.begin() as connection:
        await connection.execute(sa.update(users).where(users.c.id == ann.id).values(is_active=False))
    assert await night.tick() == []
    (told,) = await night.told(alert_id, manager)
    assert (told["state"], told["problem"]) == ("DROPPED", "the person may no longer sign in")
