"""Does a word that only a private team's things hold come out anywhere? Every query is asked, as deep as it goes.

OWASP API1:2023 and API3:2023, ASVS 5.0 8.2.2, 8.2.3. What is hidden is named by the word: the team, its alert, its
policy, schedule, channel, integration and silence. One alert was the team's and is everybody's now: it may be seen, and
what the team did about it may not.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
import pytest_asyncio
import sqlalchemy as sa

from domain.identity.model import Role
from jobs.paging import page
from persistence.engine import create_engine
from persistence.escalations import reconcile
from persistence.tables import alerts
from tests.api import DAY, Api, Person
from tests.schema_operations import every_field, operation, root_field
from tests.waiting import until_true

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORD = "xylophone"
# Less where the bound on fields is in the way.
DEEPEST = 5
NOTHING: frozenset[str] = frozenset()
# These are refused as a whole: an administrator's, ids of nothing, no input that would do.
FRUITLESS = frozenset({"FORBIDDEN", "NOT_FOUND", "INVALID_INPUT"})
ALERT = {"title": f"The {WORD} is out of tune", "severity": "CRITICAL", "labels": {"tune": WORD}}
QUERIES = [name for root, name in every_field() if root == "Query"]


Make: TypeAlias = Callable[..., Awaitable[dict[str, Any]]]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(api: Api, admin: Person) -> dict[str, Any]:
    """A private team with one of everything, and who is in it and who is not."""
    team = await api.team(f"Team {WORD}", is_private=True)
    keeper = await api.person(Role.MANAGER, teams=(team,))
    outsider = await api.person(Role.MANAGER, teams=(await api.team("Others"),))
    of_team = {"teamId": str(team.id)}

    async def make(field: str, shown: str, **what: Any) -> dict[str, Any]:  # noqa: ANN401
        made = await api.change(field, what, shown, who=keeper)
        assert made["__typename"].endswith("Success"), made
        return made

    layer = {"participantIds": [str(keeper.id)], "startsAt": "2020-01-06T00:00", "unit": "WEEK", "name": WORD}
    rota = await make(
        "createSchedule", "schedule { id }", name=f"Rota {WORD}", timeZone="UTC", layers=[layer], **of_team
    )
    values = [{"name": "url", "value": "https://example.com/hook"}, {"name": "secret", "value": "x" * 40}]
    channel = await make(
        "createChannel", "channel { id }", name=f"Channel {WORD}", kind="WEBHOOK", values=values, **of_team
    )
    targets = [
        {"kind": "TEAM", "id": str(team.id)},
        {"kind": "SCHEDULE", "id": rota["schedule"]["id"]},
        {"kind": "CHANNEL", "id": channel["channel"]["id"]},
    ]
    steps = [{"delay": "PT0S", "targets": targets}]
    await make("createEscalationPolicy", "policy { id }", name=f"Policy {WORD}", steps=steps, **of_team)
    # A policy of everybody that reaches into the team.
    await make("createEscalationPolicy", "policy { id }", name="Everybody's", steps=steps)
    await make("setTeamOwnership", "team { id }", teamId=str(team.id), ownership=[{"matchers": f'tune="{WORD}"'}])
    door = await make(
        "createIntegration",
        "key integration { id }",
        name=f"Door {WORD}",
        source="PROMETHEUS",
        defaultTeamId=str(team.id),
    )
    await _watched(make, str(team.id), ends=(api.clock.now() + 30 * DAY).isoformat())
    hidden = await _posted(api, door["key"], alertname=f"Hidden {WORD}")
    left = await _posted(api, door["key"], alertname="Plain")
    await make("commentOnAlert", "alert { id }", id=hidden, text=f"as out of tune as any {WORD}")
    files = {"file": (f"{WORD}.txt", WORD.encode(), "text/plain")}
    assert (await api.http.post(f"/attachments/{hidden}", files=files, headers=api.headers(keeper))).status_code == 201
    everybodys = (await make("createAlert", "alert { id }", title="Plain too", severity="CRITICAL"))["alert"]["id"]
    await _paged(api, hidden, left, everybodys)
    await _silenced(api, door["key"])
    await make("moveAlert", "alert { id }", id=left, teamId=None)
    return {
        "team": str(team.id),
        "keeper": keeper,
        "outsider": outsider,
        "left": left,
        "everybodys": everybodys,
        "hidden": hidden,
    }


async def _watched(make: Make, team_id: str, *, ends: str) -> None:
    """What makes the team's alerts, holds them, and changes those that come to it."""
    await make("createHeartbeat", "heartbeat { id }", name=f"Pulse {WORD}", interval="PT1H", teamId=team_id)
    condition = {"measure": "COUNT", "window": "PT5M", "raiseAt": 5, "match": {"teamIds": [team_id]}}
    alert = {"title": f"Many {WORD}", "severity": "HIGH"}
    await make(
        "createThresholdRule",
        "rule { id }",
        name=f"Many {WORD}",
        condition=condition,
        alert=alert,
        teamId=team_id,
        isEnabled=False,
    )
    matchers = [{"name": "tune", "value": f"no {WORD}"}]
    await make("createSilence", "silence { id }", comment=WORD, endsAt=ends, matchers=matchers, teamId=team_id)
    window = {"name": WORD, "comment": WORD, "timeZone": "UTC", "startsAt": "2030-01-06T00:00", "duration": "PT1H"}
    await make("createMaintenanceWindow", "window { id }", window={**window, "matchers": matchers, "teamId": team_id})
    # Rules are everybody's, and what they do may name a team that is not.
    effects = {"teamId": team_id}
    await make("createAlertRule", "rule { id }", name="To its team", condition='alert.title == "x"', effects=effects)


async def _posted(api: Api, key: str, **labels: str) -> str:
    body = {"version": "4", "status": "firing", "alerts": [{"status": "firing", "labels": labels}]}
    answers: list[Any] = []

    async def is_taken() -> bool:
        headers = {"authorization": f"Bearer {key}"}
        answers.append(await api.http.post("/webhooks/prometheus", json=body, headers=headers))
        return bool(answers[-1].status_code < 400)

    await until_true(is_taken)
    return str(answers[-1].json()["alerts"][0]["alertId"])


async def _silenced(api: Api, key: str) -> None:
    silence = {
        "matchers": [{"name": "alertname", "value": "Plain", "isRegex": False, "isEqual": True}],
        "startsAt": api.clock.now().isoformat(),
        "endsAt": (api.clock.now() + 30 * DAY).isoformat(),
        "createdBy": WORD,
        "comment": f"until the {WORD} is in tune",
    }
    answer = await api.http.post("/api/v2/silences", json=silence, headers={"authorization": f"Bearer {key}"})
    assert answer.status_code == 200, answer.text


async def _paged(api: Api, *alert_ids: str) -> None:
    """The relay and the worker, once."""
    engine, now = create_engine(api.settings, pool_size=2), api.clock.now()
    try:
        async with engine.begin() as connection:
            found = list(await connection.scalars(sa.select(alerts.c.id).where(alerts.c.id.in_(alert_ids))))
            await reconcile(connection, found, now=now)
        await page(engine, api.settings, now)
    finally:
        await engine.dispose()


async def _asked(api: Api, who: Person, name: str, more: dict[str, Any]) -> str:
    given = await _given(api, who, name, more)
    for error in given.get("errors", []):
        # Anything else that goes wrong would hide what is looked for.
        assert error["extensions"]["code"] in FRUITLESS, given
        assert error["path"] == [name], given
    return json.dumps(given, indent=0).lower()


async def _given(
    api: Api, who: Person, name: str, more: dict[str, Any], *, depth: int = DEEPEST, without: frozenset[str] = NOTHING
) -> dict[str, Any]:
    text, variables = operation("Query", name, more, depth=depth, without=without)
    given = await api.ask(text, variables, who=who)
    errors = given.get("errors", [])
    if any(error["extensions"]["code"] == "LIMIT_EXCEEDED" for error in errors):
        return await _given(api, who, name, more, depth=depth - 1, without=without)
    # What somebody's own is refused to others takes all around it along: asked again without.
    refused = {_field(error["path"][-1]) for error in errors if error["extensions"]["code"] == "FORBIDDEN"}
    more_without = without | (refused - {name})
    if more_without == without:
        return given
    return await _given(api, who, name, more, depth=depth, without=more_without)


def _field(shown: str) -> str:
    """The field's name; in a union it is shown with its type's before it."""
    return shown.rpartition("_")[2]


def _found(answer: str, *words: str) -> list[str]:
    return [line for line in answer.splitlines() if any(word in line for word in words)]


def _ways(name: str, house: dict[str, Any]) -> list[dict[str, Any]]:
    arguments = root_field("Query", name).args
    ways: list[dict[str, Any]] = [{}] if name != "searchAlerts" else []
    if name == "alert":
        ways += [{"id": house[which]} for which in ("left", "everybodys", "hidden")]
    if "severity" in arguments:
        ways.append({"severity": "CRITICAL"})
    if name in {"alerts", "searchAlerts"}:
        ways.append({"filter": {"search": WORD}})
    return ways


@pytest.mark.parametrize("name", QUERIES)
async def test_an_outsider_never_reads_it(api: Api, house: dict[str, Any], name: str) -> None:
    for more in _ways(name, house):
        assert _found(await _asked(api, house["outsider"], name, more), WORD, house["team"]) == [], more


async def test_a_member_reads_it_everywhere(api: Api, house: dict[str, Any]) -> None:
    """Without this the test above would pass for a word that is nowhere."""
    found = set()
    for name in QUERIES:
        for more in _ways(name, house):
            if _found(await _asked(api, house["keeper"], name, more), WORD):
                found.add(name)
    assert found >= {
        *("alert", "alerts", "searchAlerts", "teams", "schedules", "onCall", "channels", "escalationPolicies"),
        *("simulateRouting", "escalationCoverage", "integrations", "heartbeats", "thresholdRules", "silences"),
        "maintenanceWindows",
    }
