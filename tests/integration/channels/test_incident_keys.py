"""Does the end of an alert leave its group's incident open, where a rule and a policy tell one channel? (N4, A3)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
import sqlalchemy as sa

from domain.ids import new_id
from jobs.channels import pagerduty
from persistence.routing_run import route
from persistence.tables import alert_groups, alerts
from tests.api import Person
from tests.integration.channels.provider import Provider
from tests.integration.channels.work import Work, create, escalate_to

MINUTE = timedelta(minutes=1)


def said(server: Provider) -> list[tuple[str, str]]:
    posts = [orjson.loads(post.body) for post in server.posts]
    server.posts.clear()
    return sorted((post["event_action"], post["dedup_key"]) for post in posts)


async def tell(work: Work, *alert_ids: str, **values: Any) -> None:  # noqa: ANN401 - of any column
    """The alerts change, the relay tells policies and rules, and what is due leaves."""
    ids = [UUID(one) for one in alert_ids]
    async with work.engine.begin() as connection:
        if values:
            await connection.execute(sa.update(alerts).where(alerts.c.id.in_(ids)).values(values))
    for one in ids:
        await work.look(one)
    async with work.engine.begin() as connection:
        await route(connection, ids, worsened=(), now=work.now)
    await work.tick(MINUTE)


@pytest.fixture
async def channel_id(work: Work, server: Provider, manager: Person, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(pagerduty, "URL", f"{server.url}/v2/enqueue")
    made = await create(work.api, manager, "PAGERDUTY", routingKey="R" * 32)
    return str(made["id"])


async def put_in_group(work: Work, *alert_ids: str) -> None:
    group_id = new_id()
    async with work.engine.begin() as connection:
        named = {"id": group_id, "title": "Database 7", "grouped_by": "labels"}
        await connection.execute(sa.insert(alert_groups).values(**named, created_at=work.now, updated_at=work.now))
        ids = [UUID(one) for one in alert_ids]
        await connection.execute(sa.update(alerts).where(alerts.c.id.in_(ids)).values(group_id=group_id))


async def test_a_rule_and_a_groups_policy_open_incidents_of_their_own(
    work: Work, server: Provider, manager: Person, channel_id: str
) -> None:
    target = {"kind": "CHANNEL", "id": channel_id}
    what = {"name": "Payments", "condition": 'alert.title == "lead"', "targets": [target]}
    await work.api.change("createRoutingRule", what, "rule { id }", who=manager)
    lead = await work.alert(title="lead")
    await tell(work, lead)
    alone = [("trigger", f"tocsin:{lead}")]
    assert said(server) == alone, "the rule told of it before it came into a group"

    other = await work.alert(title="other")
    await escalate_to(work.api, manager, channel_id)
    await put_in_group(work, lead, other)
    await tell(work, lead, other)
    assert said(server) == [("trigger", f"tocsin:group:{lead}")]

    await tell(work, lead, status="resolved")
    assert said(server) == [("resolve", f"tocsin:{lead}")], "the group's goes on"
    await tell(work, other, status="resolved")
    assert said(server) == [("resolve", f"tocsin:group:{lead}")]


async def test_an_incident_that_began_with_one_alert_ends_with_the_group_it_came_into(
    work: Work, server: Provider, manager: Person, channel_id: str
) -> None:
    await escalate_to(work.api, manager, channel_id)
    lead = await work.alert(title="lead")
    await work.tick()
    assert said(server) == [("trigger", f"tocsin:{lead}")]
    other = await work.alert(title="other", team_id=None)
    await work.tick()
    assert said(server) == [("trigger", f"tocsin:{other}")]
    await put_in_group(work, lead)
    await tell(work, lead)
    third = await work.alert(title="third")
    async with work.engine.begin() as connection:
        group_id = await connection.scalar(sa.select(alerts.c.group_id).where(alerts.c.id == UUID(lead)))
        await connection.execute(sa.update(alerts).where(alerts.c.id == UUID(third)).values(group_id=group_id))
    await tell(work, third)
    said(server)
    await tell(work, lead, status="resolved")
    assert said(server) == [], "what it was known by is the group's"
    await tell(work, third, status="resolved")
    assert ("resolve", f"tocsin:{lead}") in said(server)
