"""Does the index follow an alert to another team, so that a search hides and shows it as the lists do?"""

import asyncpg
from elasticsearch import AsyncElasticsearch
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts import edits
from domain.alerts.visibility import EVERYTHING, Sight
from persistence.search.index import AlertIndex
from persistence.search.searcher import hidden_teams
from persistence.unit_of_work import UnitOfWork
from tests.alert_builder import ANNA, NOON, an_alert
from tests.alert_rows import put_alerts, put_team
from tests.integration.search.test_index import find, following, searching
from tests.waiting import until_true
from tocsin.settings import Settings


async def test_the_document_goes_with_the_alert(
    settings: Settings, client: AsyncElasticsearch, index: AlertIndex, engine: AsyncEngine, pool: asyncpg.Pool
) -> None:
    moved = an_alert()
    async with engine.begin() as connection:
        vault = await put_team(connection, is_private=True)
        await put_alerts(connection, [moved])

    async def team_of_document() -> object:
        if not await index.exists():
            return "no index"
        await client.indices.refresh(index=index.alias)
        found = await client.search(index=index.alias, query={"match_all": {}})
        return [hit["_source"]["team_id"] for hit in found["hits"]["hits"]]

    async with following(pool, index, engine):
        async with UnitOfWork(engine) as work:
            found = await work.alerts.get_for_change([moved.id], sight=EVERYTHING)
            change = edits.move(found[moved.id], team_id=vault, assignee_sees=True, actor=ANNA, now=NOON)
            await work.alerts.save([change])
            await work.commit()

        async def is_there() -> bool:
            return await team_of_document() == [str(vault)]

        await until_true(is_there, seconds=40)
    async with searching(settings) as searcher, engine.connect() as connection:
        outsiders = await hidden_teams(connection, Sight())
        assert (await find(searcher, "disk", hidden_team_ids=outsiders)).hits == []
        assert [hit.id for hit in (await find(searcher, "disk")).hits] == [moved.id]
