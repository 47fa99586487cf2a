"""Do maintenance windows occur, change and end as their makers say, and does each occurrence hold what it should?"""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from domain.ids import new_id
from persistence.retention import Retention, purge_expired
from persistence.silence_work import apply_due_silences, plan_due_windows
from persistence.tables import maintenance_windows, silences
from tests.api import Api, Person
from tests.silence_calls import equal, fire, holders

pytestmark = pytest.mark.asyncio(loop_scope="module")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SHOWN = (
    "id name version timeZone startsAt duration recurrence exceptions pausedAt archivedAt "
    "nextOccurrences { startsAt endsAt }"
)


async def manager(api: Api) -> Person:
    """Somebody who may make windows."""
    return await api.person(Role.MANAGER)


def on_the_hour(api: Api) -> datetime:
    """The last full minute, UTC."""
    return api.clock.now().replace(second=0, microsecond=0)


def wall(at: datetime) -> str:
    """What a clock of UTC shows."""
    return at.strftime("%Y-%m-%dT%H:%M")


async def window(api: Api, who: Person, **fields: object) -> dict[str, Any]:
    """Ask for a window; the answer."""
    what = {
        "name": f"Work {new_id()}",
        "comment": "moving disks",
        "timeZone": "UTC",
        "startsAt": wall(on_the_hour(api)),
        "duration": "PT1H",
        "matchers": [equal("some", str(new_id()))],
        **fields,
    }
    confirm = what.pop("confirmBroad", False)
    asked = {"window": what, "confirmBroad": confirm}
    return await api.change("createMaintenanceWindow", asked, f"window {{ {SHOWN} }}", who=who)


async def occurrences(api: Api, window_id: str) -> list[tuple[str, datetime, datetime]]:
    """The silences of a window: state, start and end."""
    async with api.engine.connect() as connection:
        rows = await connection.execute(
            sa.select(silences.c.applied, silences.c.starts_at, silences.c.ends_at)
            .where(silences.c.window_id == window_id)
            .order_by(silences.c.occurrence_at, silences.c.id)
        )
        return [(row.applied, row.starts_at, row.ends_at) for row in rows]


async def change(api: Api, who: Person, window_id: str, **fields: object) -> dict[str, Any]:
    """Edit a window; the answer."""
    return await api.change("updateMaintenanceWindow", {"id": window_id, **fields}, f"window {{ {SHOWN} }}", who=who)


async def test_a_window_that_runs_holds_alerts_and_says_so(api: Api) -> None:
    boss = await manager(api)
    run = str(new_id())
    held = await fire(api, boss, labels={"run": run})
    made = await window(api, boss, matchers=[equal("run", run)], recurrence="FREQ=DAILY;COUNT=3")
    one = made["window"]
    starts = [datetime.fromisoformat(at["startsAt"]) for at in one["nextOccurrences"]]
    assert [second - first for first, second in pairwise(starts)] == [DAY, DAY]
    query = (
        "query($id: ID!) { alert(id: $id) { suppression { silences { id kind comment endsAt author { __typename } "
        "maintenanceWindow { id name comment author { __typename ... on User { id } } } } } "
        "decisions { ... on SilenceDecision { reason } } } }"
    )
    alert = (await api.data(query, {"id": held}, who=boss))["alert"]
    (holder,) = alert["suppression"]["silences"]
    assert holder["kind"] == "MAINTENANCE"
    assert holder["comment"] == f"{one['name']}: moving disks"
    assert holder["maintenanceWindow"]["id"] == one["id"]
    assert holder["maintenanceWindow"]["author"]["id"] == str(boss.id)
    assert datetime.fromisoformat(holder["endsAt"]) == starts[0] + HOUR
    assert any("moving disks" in told.get("reason", "") for told in alert["decisions"])
    later = await fire(api, boss, labels={"run": run, "n": "2"})
    assert await holders(api, boss, later) == [holder["id"]]

    listed = await api.data(
        "query($id: ID) { silences(filter: {windowId: $id, kind: [MAINTENANCE]}) { nodes { id state } } }",
        {"id": one["id"]},
        who=boss,
    )
    assert [each["state"] for each in listed["silences"]["nodes"]] == ["PENDING", "PENDING", "ACTIVE"]
    renamed = {"id": holder["id"], "comment": "another"}
    assert (await api.change("updateSilence", renamed, "replaced", who=boss))["code"] == "INVALID_INPUT"


async def test_an_edit_moves_the_running_occurrence_and_those_to_come(api: Api) -> None:
    boss = await manager(api)
    run = str(new_id())
    held = await fire(api, boss, labels={"run": run})
    start = on_the_hour(api) - 10 * MINUTE
    what = {"matchers": [equal("run", run)], "startsAt": wall(start), "recurrence": "FREQ=DAILY"}
    made = (await window(api, boss, **what))["window"]
    (silence,) = await holders(api, boss, held)
    planned = await occurrences(api, made["id"])
    assert [state for state, _, _ in planned] == ["active", "pending", "pending"]

    longer = await change(api, boss, made["id"], duration="PT2H", expectedVersion=made["version"])
    assert await holders(api, boss, held) == [silence], "the running one goes on, longer"
    ends = [end - start for _, _, end in await occurrences(api, made["id"])]
    assert ends == [2 * HOUR, DAY + 2 * HOUR, 2 * DAY + 2 * HOUR]
    stale = await change(api, boss, made["id"], duration="PT3H", expectedVersion=made["version"])
    assert stale["code"] == "STALE_VERSION"

    other = str(new_id())
    await change(api, boss, made["id"], matchers=[equal("run", other)], expectedVersion=longer["window"]["version"])
    assert await holders(api, boss, held) == []
    fresh = await fire(api, boss, labels={"run": other})
    assert len(await holders(api, boss, fresh)) == 1

    paused = await change(api, boss, made["id"], isPaused=True)
    assert paused["window"]["pausedAt"] is not None
    assert paused["window"]["nextOccurrences"] == []
    assert await holders(api, boss, fresh) == []
    assert {state for state, _, _ in await occurrences(api, made["id"])} == {"expired"}
    await change(api, boss, made["id"], isPaused=False)
    assert len(await holders(api, boss, fresh)) == 1
    ended = await api.change("archiveMaintenanceWindow", {"id": made["id"]}, f"window {{ {SHOWN} }}", who=boss)
    assert ended["window"]["archivedAt"] is not None
    assert await holders(api, boss, fresh) == []
    gone = await api.change("archiveMaintenanceWindow", {"id": made["id"]}, "window { id }", who=boss)
    assert gone["code"] == "NOT_FOUND"
    timeline = "query($id: ID!) { alert(id: $id) { timeline { nodes { kind } } } }"
    told = await api.data(timeline, {"id": held}, who=boss)
    assert [event["kind"] for event in told["alert"]["timeline"]["nodes"]] == ["OPENED", "SUPPRESSED", "UNSUPPRESSED"]


async def test_an_occurrence_that_is_ended_early_stays_ended(api: Api) -> None:
    boss, operator = await manager(api), await api.person(Role.OPERATOR)
    run = str(new_id())
    held = await fire(api, boss, labels={"run": run})
    made = (await window(api, boss, matchers=[equal("run", run)], recurrence="FREQ=DAILY"))["window"]
    (silence,) = await holders(api, boss, held)
    await api.change("expireSilence", {"id": silence}, "silence { id }", who=operator)
    assert await holders(api, boss, held) == []
    after = await change(api, boss, made["id"], comment="still moving disks")
    assert await holders(api, boss, held) == []
    now = api.clock.now()
    assert [datetime.fromisoformat(at["startsAt"]) > now for at in after["window"]["nextOccurrences"]] == [True] * 5
    async with api.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE maintenance_windows SET planned_until = now()"))
    await plan_due_windows(api.engine, now)
    assert await holders(api, boss, held) == []


async def test_time_makes_and_ends_occurrences(api: Api) -> None:
    boss = await manager(api)
    run = str(new_id())
    held = await fire(api, boss, labels={"run": run})
    start = on_the_hour(api) + 2 * HOUR
    made = (
        await window(api, boss, matchers=[equal("run", run)], startsAt=wall(start), recurrence="FREQ=DAILY;COUNT=4")
    )["window"]
    assert await holders(api, boss, held) == []
    assert [state for state, _, _ in await occurrences(api, made["id"])] == ["pending", "pending"]
    seen = []
    for day in range(5):
        for at in (start + day * DAY + MINUTE, start + day * DAY + HOUR):
            await plan_due_windows(api.engine, at)
            await apply_due_silences(api.engine, at)
            seen.append(len(await holders(api, boss, held)))
    assert seen == [1, 0, 1, 0, 1, 0, 1, 0, 0, 0]
    starts = [begun for _, begun, _ in await occurrences(api, made["id"])]
    assert starts == [start + day * DAY for day in range(4)]


async def test_a_scheduler_that_was_away_misses_nothing_and_says_why_it_ended(api: Api) -> None:
    """Two occurrences pass before anybody looks: what arrived in them was held, by the writer's own clock."""
    boss = await manager(api)
    run = str(new_id())
    start = on_the_hour(api) + 2 * HOUR
    what = {"matchers": [equal("run", run)], "startsAt": wall(start), "recurrence": "FREQ=DAILY"}
    made = (await window(api, boss, **what))["window"]
    api.clock.ahead = 2 * HOUR + 10 * MINUTE
    try:
        held = await fire(api, boss, labels={"run": run})
        assert len(await holders(api, boss, held)) == 1
    finally:
        api.clock.ahead = timedelta(0)
    much_later = start + DAY + 2 * HOUR
    await plan_due_windows(api.engine, much_later)
    await apply_due_silences(api.engine, much_later)
    assert await holders(api, boss, held) == []
    states = [state for state, _, _ in await occurrences(api, made["id"])]
    assert states == ["expired", "expired", "pending", "pending"]
    async with api.engine.begin() as connection:
        await connection.execute(
            sa.text("UPDATE silences SET ends_at = ends_at - interval '370 days' WHERE window_id = :id"),
            {"id": made["id"]},
        )
    await purge_expired(api.engine, kept=Retention.of(api.settings), now=api.clock.now())
    assert [state for state, _, _ in await occurrences(api, made["id"])] == ["pending", "pending"]
    async with api.engine.connect() as connection:
        reason = await connection.scalar(
            sa.text("SELECT data->>'reason' FROM alert_events WHERE alert_id = :id AND kind = 'unsuppressed'"),
            {"id": held},
        )
    assert reason == "the silence ended"


async def test_two_schedulers_plan_once(api: Api) -> None:
    boss = await manager(api)
    made = (await window(api, boss, recurrence="FREQ=HOURLY", duration="PT30M"))["window"]
    before = await occurrences(api, made["id"])
    async with api.engine.begin() as connection:
        await connection.execute(
            sa.text("UPDATE maintenance_windows SET planned_until = now() WHERE id = :id"), {"id": made["id"]}
        )
    later = api.clock.now() + DAY
    await asyncio.gather(*(plan_due_windows(api.engine, later) for _ in range(4)))
    starts = [begun for _, begun, _ in await occurrences(api, made["id"])]
    assert len(starts) == len(set(starts)) == len(before) + 24


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        pytest.param({"recurrence": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, ["recurrence"], "never occurs", id="never"),
        pytest.param({"recurrence": "FREQ=SECONDLY"}, ["recurrence"], "begins too often", id="secondly"),
        pytest.param(
            {"recurrence": "FREQ=DAILY;BYMINUTE=0,20,40;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12", "duration": "PT5M"},
            ["recurrence"],
            "24 times a day",
            id="storm",
        ),
        pytest.param({"recurrence": "FREQ=HOURLY", "duration": "PT61M"}, ["duration"], "overlap", id="overlap"),
        pytest.param(
            {"recurrence": "FREQ=DAILY", "duration": "P2D"},
            ["duration"],
            "may last 1 day at most",
            id="overlap-of-days",
        ),
        pytest.param(
            {"startsAt": "2099-01-01T02:30", "exceptions": ["2099-01-01T02:30"]},
            ["exceptions"],
            "its one start",
            id="its-one-start-is-none",
        ),
        pytest.param(
            {
                "startsAt": "2099-01-01T02:30",
                "recurrence": "FREQ=DAILY;COUNT=3",
                "exceptions": ["2099-01-02T02:30", "2099-01-02T03:30"],
            },
            ["exceptions", "1"],
            "does not begin at 2099-01-02 03:30",
            id="no-start",
        ),
        pytest.param(
            {"startsAt": "2026-01-01T02:30", "recurrence": "FREQ=DAILY", "exceptions": ["2098-01-02T02:31"]},
            ["exceptions", "0"],
            "does not begin",
            id="no-start-ever",
        ),
        pytest.param({"recurrence": "FREQ=DAILY;UNTIL=20200101"}, ["recurrence"], "never occurs", id="over"),
        pytest.param({"startsAt": "2020-01-01T00:00"}, ["startsAt"], "past", id="past"),
        pytest.param({"startsAt": "1020-01-01T00:00"}, ["startsAt"], "from 2000", id="long-ago"),
        pytest.param({"timeZone": "Mars/Olympus"}, ["timeZone"], "IANA", id="zone"),
        pytest.param({"duration": "PT10S"}, ["duration"], "a minute", id="short"),
        pytest.param({"duration": "P400D"}, ["duration"], "366 days", id="long"),
        pytest.param({"name": " "}, ["name"], "empty", id="no-name"),
        pytest.param({"comment": " "}, ["comment"], "say why", id="no-comment"),
        pytest.param({"matchers": []}, ["matchers"], "at least one matcher", id="no-matcher"),
        pytest.param({"teamId": str(new_id())}, ["teamId"], "no such", id="no-team"),
        pytest.param({"integrationId": str(new_id())}, ["integrationId"], "no such", id="no-integration"),
    ],
)
async def test_what_no_window_can_be_is_refused(api: Api, fields: dict[str, Any], path: list[str], said: str) -> None:
    answer = await window(api, await manager(api), **fields)
    assert answer["path"] == path, answer
    assert said in answer["message"]


async def test_an_edit_that_moves_the_starts_says_which_exceptions_are_none_any_more(api: Api) -> None:
    who, first = await manager(api), on_the_hour(api) + 30 * DAY
    times = {"startsAt": wall(first), "recurrence": "FREQ=DAILY", "exceptions": [wall(first + DAY)]}
    one = (await window(api, who, **times))["window"]
    moved: dict[str, Any] = {"id": one["id"], "startsAt": wall(first + HOUR)}
    refused = await api.change("updateMaintenanceWindow", moved, "window { id }", who=who)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["exceptions", "0"])
    # Those of the past may be anything: they skip nothing any more.
    moved["exceptions"] = ["2020-01-02T02:30", wall(first + DAY + HOUR)]
    answer = await api.change("updateMaintenanceWindow", moved, f"window {{ {SHOWN} }}", who=who)
    starts = [datetime.fromisoformat(start["startsAt"]) for start in answer["window"]["nextOccurrences"]]
    assert starts[:2] == [first + HOUR, first + 2 * DAY + HOUR]


async def test_matchers_that_are_taken_away_leave_no_window_to_confirm(api: Api) -> None:
    who = await manager(api)
    one = (await window(api, who))["window"]
    for confirmed in (False, True):
        nothing = {"id": one["id"], "matchers": [], "confirmBroad": confirmed}
        refused = await api.change("updateMaintenanceWindow", nothing, "window { id }", who=who)
        assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["matchers"]), confirmed


async def test_a_condition_that_would_be_refused_by_now_can_be_sent_back_as_it_is(api: Api) -> None:
    who, slip = await manager(api), 'alert.severity in [HIGH, "warn"]'
    one = (await window(api, who, condition="alert.severity > LOW"))["window"]
    async with api.engine.begin() as connection:
        for table, of in ((maintenance_windows, maintenance_windows.c.id), (silences, silences.c.window_id)):
            await connection.execute(sa.update(table).where(of == UUID(one["id"])).values(condition=slip))
    what = {"id": one["id"], "condition": slip, "comment": "still moving"}
    answer = await api.change("updateMaintenanceWindow", what, "window { comment condition }", who=who)
    assert answer["window"] == {"comment": "still moving", "condition": slip}
    anew = {"id": one["id"], "condition": f"{slip} || alert.severity == HIGH"}
    refused = await api.change("updateMaintenanceWindow", anew, "window { id }", who=who)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["condition"])


async def test_who_may_make_windows_and_who_sees_them(api: Api, operator: Person, admin: Person) -> None:
    assert (await window(api, operator))["code"] == "FORBIDDEN"
    team = await api.team(f"Night {new_id()}", is_private=True)
    member = await api.person(Role.MANAGER, teams=(team,))
    run = str(new_id())
    theirs = await fire(api, member, labels={"run": run}, teamId=str(team.id))
    everybody = (await window(api, await manager(api), matchers=[equal("run", run)]))["window"]
    assert await holders(api, member, theirs) == []
    mine = (await window(api, member, matchers=[equal("run", run)], teamId=str(team.id)))["window"]
    assert len(await holders(api, member, theirs)) == 1
    names = "{ maintenanceWindows { id } }"
    seen = {one["id"] for one in (await api.data(names, who=operator))["maintenanceWindows"]}
    assert everybody["id"] in seen
    assert mine["id"] not in seen
    hidden = await change(api, await manager(api), mine["id"], comment="x")
    assert hidden["code"] == "NOT_FOUND"
    above = (await window(api, admin, matchers=[equal("run", run)]))["window"]
    assert len(await holders(api, member, theirs)) == 2
    assert (await change(api, await manager(api), above["id"], comment="x"))["code"] == "FORBIDDEN"


async def test_a_broad_window_must_be_confirmed_and_is_shown_before(api: Api) -> None:
    boss = await manager(api)
    assert (await window(api, boss, matchers=[equal("some", ".+", "REGEX")]))["code"] == "SILENCE_TOO_BROAD"
    what = {
        "name": "n",
        "comment": "c",
        "timeZone": "Europe/Berlin",
        "startsAt": "2027-03-27T02:30",
        "duration": "PT1H",
        "recurrence": "FREQ=DAILY;COUNT=3",
        "matchers": [equal("some", ".+", "REGEX")],
    }
    looked = await api.change(
        "previewMaintenanceWindow",
        {"window": what},
        "nextOccurrences { startsAt endsAt } preview { tooBroad openAlerts { matched } }",
        who=boss,
    )
    assert "nearly every value" in looked["preview"]["tooBroad"]
    # 02:30 does not exist on the 28th: the clock goes from 02:00 to 03:00.
    times = [datetime.fromisoformat(at["startsAt"]) for at in looked["nextOccurrences"]]
    assert times == [datetime(2027, 3, day, hour, 30, tzinfo=UTC) for day, hour in ((27, 1), (28, 1), (29, 0))]


async def test_an_occurrence_over_an_integration_is_a_silence_of_its_clients(api: Api, admin: Person) -> None:
    what = {"name": f"Prometheus {new_id()}", "source": "PROMETHEUS"}
    made = await api.change("createIntegration", what, "key integration { id }", who=admin)
    key = {"authorization": f"Bearer {made['key']}"}
    alert = {"labels": {"alertname": "DiskFull", "run": str(new_id())}}
    assert (await api.http.post("/api/v2/alerts", json=[alert], headers=key)).status_code == 200
    matchers = [equal("run", alert["labels"]["run"])]
    of_it = {"matchers": matchers, "integrationId": made["integration"]["id"]}
    planned = (await window(api, admin, **of_it))["window"]
    (silence,) = (await api.http.get("/api/v2/silences", headers=key)).json()
    assert silence["comment"] == f"{planned['name']}: moving disks"
    assert silence["createdBy"] == f"tocsin user {admin.id}"
    assert silence["status"]["state"] == "active"
    (held,) = (await api.http.get("/api/v2/alerts", headers=key)).json()
    assert held["status"]["silencedBy"] == [silence["id"]]
    again = await api.http.post("/api/v2/silences", json={**silence, "comment": "x"}, headers=key)
    assert again.status_code == 400
    assert "maintenance window" in again.text
    ended = await api.http.delete(f"/api/v2/silence/{silence['id']}", headers=key)
    assert ended.status_code == 200
    await change(api, admin, planned["id"], name=f"Renamed {new_id()}", recurrence="FREQ=DAILY")
    (held,) = (await api.http.get("/api/v2/alerts", headers=key)).json()
    assert held["status"]["silencedBy"] == [], "what a client ended stays ended"


async def test_a_name_is_taken_once(api: Api) -> None:
    boss = await manager(api)
    first = await window(api, boss, name="Patch night 7")
    assert (await window(api, boss, name="Patch night 7"))["code"] == "ALREADY_EXISTS"
    other = (await window(api, boss))["window"]
    assert (await change(api, boss, other["id"], name="Patch night 7"))["code"] == "ALREADY_EXISTS"
    await api.change("archiveMaintenanceWindow", {"id": first["window"]["id"]}, "window { id }", who=boss)
    assert (await window(api, boss, name="Patch night 7"))["window"]["name"] == "Patch night 7"
