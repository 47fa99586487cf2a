"""Do rules follow the log, as the relay gives it, and do the policies they name go to work? (N2, A4)."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from domain.identity.model import Role
from jobs.consumers.contract import Run
from jobs.consumers.escalations import EscalationConsumer
from persistence.direct import DirectConnection
from persistence.event_log import LogReader
from tests.api import Api, Person
from tests.integration.routing.night import MINUTE, Night, rule

ALERT = "alert { id }"


class Follower:
    """The relay's part, one run at a time."""

    def __init__(self, api: Api, pool: asyncpg.Pool) -> None:
        self._reader = LogReader(pool)
        self._consumer = EscalationConsumer(api.settings, api.engine, pool, clock=api.clock)

    async def begin(self) -> None:
        self._place = (await self._reader.state()).head

    async def catch_up(self, *, again: bool = False) -> None:
        """Give the consumer what is new; `again`: each run twice, as after a crash."""

        async def move(_connection: DirectConnection) -> None:
            return None

        async with asyncio.timeout(60):
            while True:
                end, _ = await self._reader.reach(self._place, limit=500)
                if end is None:
                    return
                for _ in range(2 if again else 1):
                    await self._consumer.consume(Run(before=self._place, end=end), move)
                self._place = end


@pytest.fixture
async def follower(api: Api) -> AsyncIterator[Follower]:
    pool = await asyncpg.create_pool(api.settings.database_dsn, min_size=0, max_size=2)
    made = Follower(api, pool)
    await made.begin()
    yield made
    await pool.close()


async def opened(api: Api, who: Person, **more: object) -> str:
    what = {"title": "Payments down", "source": "test", "severity": "MEDIUM", **more}
    answer = await api.change("createAlert", what, ALERT, who=who)
    found: str = answer["alert"]["id"]
    return found


async def test_the_log_is_followed_and_a_run_given_twice_tells_once(
    api: Api, night: Night, follower: Follower, manager: Person, ann: Person
) -> None:
    every = ["OPENED", "WORSENED", "ACKNOWLEDGED", "RESOLVED", "REOPENED"]
    await rule(api, manager, ("USER", ann.id), events=every, condition='alert.title == "Payments down"')
    alert_id = await opened(api, ann)
    await follower.catch_up(again=True)
    await api.change("updateAlert", {"id": alert_id, "severity": "LOW"}, ALERT, who=ann)
    await follower.catch_up(again=True)
    await api.change("updateAlert", {"id": alert_id, "severity": "CRITICAL"}, ALERT, who=ann)
    await api.change("acknowledgeAlert", {"id": alert_id}, ALERT, who=ann)
    await follower.catch_up(again=True)
    await night.tick(MINUTE)
    await api.change("resolveAlert", {"id": alert_id}, ALERT, who=ann)
    await follower.catch_up(again=True)
    await api.change("reopenAlert", {"id": alert_id}, ALERT, who=ann)
    await follower.catch_up(again=True)
    kinds = [one["kind"] for one in await night.told(alert_id, ann)]
    assert sorted(kinds) == ["ACKNOWLEDGED", "PAGE", "PAGE", "RESOLVED", "WORSENED"]


async def test_a_policy_a_rule_names_goes_to_work_for_what_the_rule_holds_for(
    api: Api, night: Night, follower: Follower, manager: Person, ann: Person, bob: Person
) -> None:
    steps = [
        {"delay": "PT0S", "targets": [{"kind": "USER", "id": str(ann.id)}]},
        {"delay": "PT5M", "targets": [{"kind": "USER", "id": str(bob.id)}]},
    ]
    made = {"name": "By rule", "steps": steps, "isByRule": True}
    policy = (await api.change("createEscalationPolicy", made, "policy { id isByRule }", who=manager))["policy"]
    assert policy["isByRule"] is True
    await rule(api, manager, condition='alert.labels.env == "prod"', policyId=policy["id"])
    other = await opened(api, ann, labels={"env": "test"})
    alert_id = await opened(api, ann, labels={"env": "prod"}, title="Checkout down")
    await follower.catch_up(again=True)
    asked = "query($id: ID!) { alert(id: $id) { escalations { policy { name } position } } }"
    found = [(await api.data(asked, {"id": one}, who=ann))["alert"]["escalations"] for one in (other, alert_id)]
    assert found == [[], [{"policy": {"name": "By rule"}, "position": 1}]], "the consumer fires the first step at once"
    night.now += 6 * MINUTE
    assert [one.split()[0] for one in await night.tick()] == ["ann@example.com", "bob@example.com"]
    await night.look(UUID(alert_id))


async def test_who_was_told_hears_of_the_end_also_when_no_policy_is_left(
    api: Api, night: Night, follower: Follower, manager: Person, ann: Person
) -> None:
    steps = [{"delay": "PT0S", "targets": [{"kind": "USER", "id": str(ann.id)}]}]
    made = {"name": "Only", "steps": steps}
    policy = (await api.change("createEscalationPolicy", made, "policy { id }", who=manager))["policy"]
    alert_id = await opened(api, ann)
    await follower.catch_up()
    await night.tick(MINUTE)
    ended = await api.change(
        "archiveEscalationPolicy", {"id": policy["id"], "evenIfItOpensGaps": True}, "__typename", who=manager
    )
    assert ended["__typename"] == "ArchiveEscalationPolicySuccess"
    await api.change("resolveAlert", {"id": alert_id}, ALERT, who=ann)
    await follower.catch_up()
    assert sorted(one["kind"] for one in await night.told(alert_id, ann)) == ["PAGE", "RESOLVED"]


async def test_a_rule_names_policies_of_its_own_team_alone(api: Api, manager: Person, ann: Person) -> None:
    team = await api.team("Web")
    steps = [{"delay": "PT0S", "targets": [{"kind": "USER", "id": str(ann.id)}]}]
    made = {"name": "Web's", "steps": steps, "teamId": str(team.id)}
    policy = (await api.change("createEscalationPolicy", made, "policy { id }", who=manager))["policy"]
    what = {"name": "R", "condition": "true", "targets": [], "policyId": policy["id"]}
    answer = await api.change("createRoutingRule", what, "rule { id }", who=manager)
    assert (answer["__typename"], answer["path"]) == ("InvalidInput", ["policyId"])
    shown = "rule { id policy { name } }"
    answer = await api.change("createRoutingRule", {**what, "teamId": str(team.id)}, shown, who=manager)
    assert answer["rule"]["policy"] == {"name": "Web's"}
    edit = {"id": answer["rule"]["id"], "policyId": ""}
    answer = await api.change("updateRoutingRule", edit, shown, who=manager)
    assert (answer["__typename"], answer["path"]) == ("InvalidInput", ["targets"]), "it would tell nobody"
    edit["targets"] = steps[0]["targets"]
    assert (await api.change("updateRoutingRule", edit, shown, who=manager))["rule"]["policy"] is None
    outsider = await api.person(Role.OPERATOR)
    answer = await api.change("updateRoutingRule", edit, shown, who=outsider)
    assert answer["__typename"] == "Forbidden"
