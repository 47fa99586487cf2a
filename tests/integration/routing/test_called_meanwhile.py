"""Is a page owed still whose alert called again at the very moment in which it was dropped? (N1)."""

import asyncio

import asyncpg
import pytest

from jobs.paging import page, writing_of
from persistence.mail import claim_mail
from persistence.overtaken import mail_to_send
from tests.api import Api, Person
from tests.integration.routing.night import HOUR, MINUTE, Night, rule
from tests.integration.routing.test_groups_told_once import a_group, member

WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.mark.parametrize("is_grouped", [False, True], ids=["alone", "in a group"])
async def test_a_page_dropped_while_its_alert_calls_again_is_owed(
    api: Api, night: Night, manager: Person, ann: Person, database_url: str, is_grouped: bool
) -> None:
    await rule(api, manager, ("USER", ann.id))
    alert_id = await member(night, await a_group(night)) if is_grouped else await night.alert()
    await page(night.engine, api.settings, night.now)
    await night.move(alert_id, status="acknowledged")
    night.now += 2 * MINUTE
    claimed = await claim_mail(night.engine, limit=9, now=night.now)
    other = await asyncpg.connect(database_url)
    try:
        held = other.transaction()
        await held.start()
        # Whoever looks has dropped the page by the time it comes to this row, and has not committed it.
        await other.execute("SELECT FROM outgoing_mail FOR UPDATE")
        looks = asyncio.create_task(mail_to_send(night.engine, claimed, writing_of(api.settings), now=night.now))
        async with asyncio.timeout(60):
            while not await night.database.fetchval(WAITS):  # noqa: ASYNC110 - another connection makes it true
                await asyncio.sleep(0.01)
        await night.move(alert_id, status="active")
        await held.rollback()
        assert await looks == []
    finally:
        await other.close()
    assert len(await night.tick(HOUR)) == 1
    assert await night.tick(HOUR) == []
