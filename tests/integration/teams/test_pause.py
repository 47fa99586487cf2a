"""Is an alert held for as long as its team wants it, and as everybody's is where the team says nothing?"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.identity.model import Role, Team
from tests.api import Api, Person, api_settings, running_api
from tests.integration.teams.ways import door, member, own, post

ALERT = """query($id: ID!) { alert(id: $id) { pausedUntil episode
  decisions { __typename ... on PauseDecision { reason } } } }"""
TEAM = "query($id: ID!) { team(id: $id) { pause version } }"


@pytest.fixture
async def api(application_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    settings = api_settings(application_url, tmp_path, redis_url=redis_url)
    changed = {"pause": timedelta(minutes=2), "pause_recoveries": 2, "pause_episodes": 4}
    async with running_api(settings.model_copy(update=changed)) as opened:
        yield opened


@pytest.fixture
async def team(api: Api, admin: Person) -> Team:
    made = await api.team("Batch")
    await own(api, admin, made, {"service": "batch"})
    return made


async def bounced(api: Api, key: str, service: str, *, at: int) -> dict[str, Any]:
    """The third episode of a problem of which two ended by themselves within a minute."""
    said = {"title": "Queue long", "dedup_key": f"{service}-{at}", "service": service, "severity": "high"}
    alert_id = ""
    for minute, status in enumerate(("firing", "resolved", "firing", "resolved", "firing")):
        api.clock.ahead = timedelta(minutes=at + minute)
        (done,) = await post(api, key, {**said, "status": status})
        alert_id = done["alertId"]
    found: dict[str, Any] = (await api.data(ALERT, {"id": alert_id}, who=await api.person(Role.ADMIN)))["alert"]
    return found


async def set_pause(api: Api, who: Person, team: Team, pause: str | None) -> dict[str, Any]:
    return await api.change("updateTeam", {"id": str(team.id), "pause": pause}, "team { pause }", who=who)


def reasons(alert: dict[str, Any]) -> list[str]:
    return [one["reason"] for one in alert["decisions"] if one["__typename"] == "PauseDecision"]


async def test_a_team_says_how_long_and_that_it_wants_none(
    api: Api, admin: Person, manager: Person, team: Team
) -> None:
    lead = await member(api, admin, team, Role.VIEWER, Role.MANAGER)
    key = await door(api, manager)
    everybodys = await bounced(api, key, "batch", at=0)
    assert reasons(everybodys) == ["held for 2 min: it ended by itself within that in 2 of its last 2 episodes"]
    assert (await set_pause(api, lead, team, "PT5M"))["team"] == {"pause": "PT5M"}
    longer = await bounced(api, key, "batch", at=60)
    told = "held for 5 min, as its team wants it: it ended by itself within that in 2 of its last 2 episodes"
    assert reasons(longer) == [told]
    assert longer["pausedUntil"] is not None
    # Of other teams, and of no team, it is everybody's.
    assert reasons(await bounced(api, key, "search", at=120)) == reasons(everybodys)
    assert (await set_pause(api, lead, team, "PT0S"))["team"] == {"pause": "PT0S"}
    never = await bounced(api, key, "batch", at=180)
    assert (never["pausedUntil"], reasons(never)) == (None, [])
    assert (await set_pause(api, lead, team, None))["team"] == {"pause": None}
    assert reasons(await bounced(api, key, "batch", at=240)) == reasons(everybodys)


async def test_who_may_and_what_may_be_said(api: Api, admin: Person, team: Team) -> None:
    operator = await member(api, admin, team, Role.OPERATOR, Role.OPERATOR)
    assert (await set_pause(api, operator, team, "PT5M"))["code"] == "FORBIDDEN"
    refused = await set_pause(api, admin, team, "PT2H")
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["pause"])
    # What is left out stays, and the change is on the team's record.
    await set_pause(api, admin, team, "PT3M")
    renamed = await api.change("updateTeam", {"id": str(team.id), "name": "Batches"}, "team { pause }", who=admin)
    assert renamed["team"] == {"pause": "PT3M"}
    shown = (await api.data(TEAM, {"id": str(team.id)}, who=operator))["team"]
    assert shown["pause"] == "PT3M"
