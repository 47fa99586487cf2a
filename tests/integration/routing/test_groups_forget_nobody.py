"""Is anything of a group that a rule told of left to nobody: what it never told of, and what calls later? (N1)."""

from typing import Any

from domain.identity.model import Role
from domain.ids import new_id
from domain.routing.grouping import AFTER_ALL
from tests.api import Api, Person
from tests.integration.routing.night import DECIDED, HOUR, MINUTE, Night, a_group, answered, member, rule


async def routing_of(api: Api, who: Person, alert_id: str) -> dict[str, Any]:
    found = (await api.data(DECIDED, {"id": alert_id}, who=who))["alert"]["decisions"]
    one: dict[str, Any]
    (one,) = [one for one in found if "event" in one]
    return one


async def test_what_comes_after_a_page_that_was_overtaken_pages(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    await rule(api, manager, ("USER", ann.id))
    await night.alert(title="another")
    assert len(await night.tick()) == 1
    group = await a_group(night)
    lead = await member(night, group)
    await night.move(lead, suppressed_by=[new_id()])
    assert await night.tick(5 * MINUTE) == []
    await member(night, group, title="other")
    assert len(await night.tick()) == 1
    await night.move(lead, suppressed_by=[])
    assert await night.tick(HOUR) == [], "the group was told of meanwhile"


async def test_what_comes_after_a_page_that_reached_nobody_pages(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    made = await api.change("createTeam", {"name": "Payments"}, "team { id }", who=await api.person(Role.ADMIN))
    team_id = made["team"]["id"]
    await rule(api, manager, ("TEAM", team_id))
    group = await a_group(night)
    await member(night, group)
    assert await night.tick() == []
    await night.database.execute(
        "INSERT INTO memberships (team_id, user_id, role, created_at) VALUES ($1, $2, 'operator', now())",
        team_id,
        ann.id,
    )
    await member(night, group, title="other")
    assert len(await night.tick(HOUR)) == 1


async def test_what_joined_silently_and_was_silenced_when_what_was_answered_ended_pages_when_it_calls(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    await rule(api, manager, ("USER", ann.id))
    group = await a_group(night)
    first = await member(night, group)
    assert len(await night.tick()) == 1
    await answered(night, first)
    silent = await member(night, group, title="nobody saw it")
    await night.move(silent, suppressed_by=[new_id()])
    await night.move(first, status="resolved")
    assert await night.tick(HOUR) == []
    await night.move(silent, suppressed_by=[])
    assert await night.tick(HOUR) == ["ann@example.com [HIGH] nobody saw it (shop)"]
    await night.look(silent)
    assert await night.tick(HOUR) == []
    found = await routing_of(api, manager, silent)
    assert found["reached"] == 1
    assert found["note"] == AFTER_ALL
