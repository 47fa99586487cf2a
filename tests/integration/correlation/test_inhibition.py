"""Is a child held while its parent stands, whichever came first, and let go when it ends or the rule does?"""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from domain.identity.model import Role
from domain.ids import new_id
from jobs.consumers.contract import Run
from jobs.consumers.inhibition import InhibitionConsumer
from persistence.direct import DirectConnection
from persistence.event_log import LogReader
from persistence.inhibition_marks import follow
from tests.api import Api, Person

RULE = "inhibitionRule { id name sourceMatchers targetMatchers equal enabled version archivedAt }"
ALERT = """query($id: ID!) { alert(id: $id) { suppression { inhibitedBy { id } }
  timeline { nodes { kind reason } }
  decisions { __typename ... on InhibitionDecision { reason parent { id } rule { name } ruleVersion } } } }"""


async def a_rule(api: Api, who: Person, **values: object) -> dict[str, Any]:
    wanted = {
        "name": "a node that is down",
        "sourceMatchers": 'alertname="NodeDown"',
        "targetMatchers": 'alertname!="NodeDown"',
        "equal": ["node"],
        **values,
    }
    answer = await api.change("createInhibitionRule", wanted, RULE, who=who)
    assert answer["__typename"] == "CreateInhibitionRuleSuccess", answer
    made: dict[str, Any] = answer["inhibitionRule"]
    return made


async def fires(api: Api, who: Person, name: str, node: str = "n1") -> str:
    what = {"title": f"{name} {new_id()}", "severity": "HIGH", "labels": {"alertname": name, "node": node}}
    made = await api.change("createAlert", what, "alert { id }", who=who)
    alert_id: str = made["alert"]["id"]
    return alert_id


async def shown(api: Api, alert_id: str, who: Person) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data(ALERT, {"id": alert_id}, who=who))["alert"]
    return found


async def held_by(api: Api, alert_id: str, who: Person) -> list[str]:
    suppression = (await shown(api, alert_id, who))["suppression"]
    return [] if suppression is None else [one["id"] for one in suppression["inhibitedBy"]]


async def relayed(api: Api, *alert_ids: str) -> int:
    """What the relay's consumer does with the events of these alerts."""
    return await follow(api.engine, [UUID(one) for one in alert_ids], now=datetime.now(tz=UTC))


async def test_a_child_that_comes_second_is_held_at_once_and_let_go_when_its_parent_ends(
    api: Api, manager: Person, operator: Person
) -> None:
    await a_rule(api, manager)
    parent = await fires(api, operator, "NodeDown")
    child, beside = await fires(api, operator, "HighLatency"), await fires(api, operator, "HighLatency", "n2")

    assert await held_by(api, child, operator) == [parent]
    assert await held_by(api, beside, operator) == await held_by(api, parent, operator) == []
    (decision,) = [one for one in (await shown(api, child, operator))["decisions"] if "parent" in one]
    assert decision == {
        "__typename": "InhibitionDecision",
        "reason": "rule “a node that is down”: an alert that stands says all that this one would",
        "parent": {"id": parent},
        "rule": {"name": "a node that is down"},
        "ruleVersion": 1,
    }
    assert await relayed(api, parent, child, beside) == 0, "what was held at once is right already"

    await api.change("resolveAlert", {"id": parent}, "alert { id }", who=operator)
    assert await relayed(api, parent) == 1
    after = await shown(api, child, operator)
    assert after["suppression"] is None
    assert [node["kind"] for node in after["timeline"]["nodes"]] == ["OPENED", "UNSUPPRESSED"]
    assert await relayed(api, parent) == 0, "given twice it comes to the same"


async def test_a_parent_that_comes_second_holds_what_is_there(api: Api, manager: Person, operator: Person) -> None:
    await a_rule(api, manager)
    child = await fires(api, operator, "HighLatency")
    parent = await fires(api, operator, "NodeDown")
    assert await held_by(api, child, operator) == []
    assert await relayed(api, parent) == 1
    assert await held_by(api, child, operator) == [parent]

    second = await fires(api, operator, "NodeDown")
    await api.change("resolveAlert", {"id": parent}, "alert { id }", who=operator)
    await relayed(api, parent, second)
    assert await held_by(api, child, operator) == [second], "another parent takes over"
    await api.change("reopenAlert", {"id": parent}, "alert { id }", who=operator)
    await api.change("resolveAlert", {"id": second}, "alert { id }", who=operator)
    await relayed(api, parent, second)
    assert await held_by(api, child, operator) == [parent]


async def test_a_rule_counts_for_what_is_open_and_lets_go_when_it_ends(
    api: Api, manager: Person, operator: Person
) -> None:
    parent, child = await fires(api, operator, "NodeDown"), await fires(api, operator, "HighLatency")
    rule = await a_rule(api, manager)
    assert await held_by(api, child, operator) == [parent]

    other = {"id": rule["id"], "expectedVersion": 1, "targetMatchers": 'alertname="Else"'}
    changed = await api.change("updateInhibitionRule", other, RULE, who=manager)
    assert (changed["inhibitionRule"]["version"], await held_by(api, child, operator)) == (2, [])
    assert (await api.change("updateInhibitionRule", other, RULE, who=manager))["__typename"] == "StaleVersion"
    again = {"id": rule["id"], "targetMatchers": 'node="n1"'}
    changed = await api.change("updateInhibitionRule", again, RULE, who=manager)
    assert changed["__typename"] == "UpdateInhibitionRuleSuccess", changed
    assert await held_by(api, child, operator) == [parent]
    ended = await api.change("archiveInhibitionRule", {"id": rule["id"]}, RULE, who=manager)
    assert ended["inhibitionRule"]["archivedAt"] is not None
    assert await held_by(api, child, operator) == []
    assert (await api.data("{ inhibitionRules { id } }", who=operator))["inhibitionRules"] == []


async def test_a_silence_and_a_parent_hold_beside_each_other(api: Api, manager: Person, operator: Person) -> None:
    await a_rule(api, manager)
    parent, child = await fires(api, operator, "NodeDown"), await fires(api, operator, "HighLatency")
    what = {
        "matchers": [{"name": "alertname", "value": "HighLatency"}],
        "comment": "known",
        "endsAt": "2099-01-01T00:00:00Z",
    }
    await api.change("createSilence", what, "silence { id }", who=manager)
    query = "query($id: ID!) { alert(id: $id) { suppression { silences { comment } inhibitedBy { id } } } }"
    found = (await api.data(query, {"id": child}, who=operator))["alert"]["suppression"]
    assert found["inhibitedBy"] == [{"id": parent}]
    await api.change("resolveAlert", {"id": parent}, "alert { id }", who=operator)
    await relayed(api, parent)
    after = (await api.data(query, {"id": child}, who=operator))["alert"]["suppression"]
    assert (after is None) == (found["silences"] == [])
    if after is not None:
        assert after == {"silences": found["silences"], "inhibitedBy": []}


async def test_a_hidden_parent_holds_without_being_named(api: Api, manager: Person, operator: Person) -> None:
    await a_rule(api, manager)
    secret = await api.team(f"Secret {new_id()}", is_private=True)
    admin = await api.person(Role.ADMIN)
    parent = await fires(api, operator, "NodeDown")
    await api.change("moveAlert", {"id": parent, "teamId": str(secret.id)}, "alert { id }", who=admin)
    child = await fires(api, operator, "HighLatency")

    assert await held_by(api, child, admin) == [parent]
    told = await shown(api, child, operator)
    assert told["suppression"] == {"inhibitedBy": []}
    assert [one["parent"] for one in told["decisions"] if "parent" in one] == [None]


async def test_the_relay_gives_the_log_to_who_follows_parents(api: Api, manager: Person, operator: Person) -> None:
    pool = await asyncpg.create_pool(api.settings.database_dsn, min_size=0, max_size=2)
    try:
        reader = LogReader(pool)
        consumer = InhibitionConsumer(api.engine, pool, clock=api.clock)
        place, moved = (await reader.state()).head, []

        async def move(_connection: DirectConnection) -> None:
            moved.append(place)

        async def catch_up() -> None:
            nonlocal place
            async with asyncio.timeout(60):
                while True:
                    end, _ = await reader.reach(place, limit=500)
                    if end is None:
                        return
                    await consumer.consume(Run(before=place, end=end), move)
                    place = end

        child = await fires(api, operator, "HighLatency")
        await catch_up()
        assert len(moved) >= 1, "without a rule it moves on and looks at nothing"
        await a_rule(api, manager)
        parent = await fires(api, operator, "NodeDown")
        await catch_up()
        assert await held_by(api, child, operator) == [parent]
        await api.change("resolveAlert", {"id": parent}, "alert { id }", who=operator)
        await catch_up()
        assert await held_by(api, child, operator) == []
    finally:
        await pool.close()


@pytest.mark.parametrize(
    ("values", "path"),
    [
        pytest.param({"sourceMatchers": ""}, ["sourceMatchers"], id="every alert a parent"),
        pytest.param({"targetMatchers": 'a=~".*"'}, ["targetMatchers"], id="every alert a child"),
        pytest.param({"sourceMatchers": 'a=~"("'}, ["sourceMatchers"], id="a bad pattern"),
        pytest.param({"targetMatchers": 'a="1"'}, ["targetMatchers"], id="the same alerts: none would be held"),
        pytest.param({"equal": [""]}, ["equal", "0"], id="an empty label"),
        pytest.param({"name": " "}, ["name"], id="no name"),
    ],
)
async def test_what_no_rule_can_be(api: Api, manager: Person, values: dict[str, object], path: list[str]) -> None:
    wanted = {"name": "x", "sourceMatchers": 'a="1"', "targetMatchers": 'b="1"', **values}
    refused = await api.change("createInhibitionRule", wanted, RULE, who=manager)
    assert (refused["__typename"], refused["path"]) == ("InvalidInput", path), refused
