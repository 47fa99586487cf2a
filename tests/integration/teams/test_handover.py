"""Does everything of a team go to the one that takes over, once, in bounded steps, whatever happens meanwhile (P3)?"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from domain.alerts.events import SYSTEM
from domain.alerts.model import AlertStatus
from domain.identity.model import Role, Team
from domain.ids import new_id
from domain.teams.handover import STEP, Handover
from persistence.handovers import continue_handovers
from persistence.tables import alert_events, alerts, audit_log, integrations, team_handovers
from persistence.teams import alerts_of
from tests.alert_builder import an_alert
from tests.alert_rows import put_alerts
from tests.api import Api, Person
from tests.integration.teams.ways import door, member, own, posted, team_of

HANDOVER = """team { archivedAt handedOverTo { name } ownership { service }
  handover { movedAlerts finishedAt includesResolved archives toTeam { name } } }
  toTeam { ownership { service matchers } }"""


async def hand_over(api: Api, who: Person, team: Team, to: Team, **more: object) -> dict[str, Any]:
    return await api.change("handOverTeam", {"teamId": str(team.id), "toTeamId": str(to.id), **more}, HANDOVER, who=who)


async def fill(api: Api, team: Team, number: int, status: AlertStatus = AlertStatus.ACTIVE) -> None:
    async with api.engine.begin() as connection:
        await put_alerts(connection, [an_alert(team_id=team.id, status=status) for _ in range(number)])


async def of_team(api: Api, team: Team) -> int:
    async with api.engine.connect() as connection:
        counted = sa.select(sa.func.count()).select_from(alerts).where(alerts.c.team_id == team.id)
        return int(await connection.scalar(counted) or 0)


async def test_all_that_is_the_teams_goes_and_new_alerts_with_it(api: Api, admin: Person) -> None:
    old, new = await api.team("Old"), await api.team("New")
    await own(api, admin, old, {"service": "a"}, {"service": "b"})
    await own(api, admin, new, {"service": "b"}, {"matchers": 'x="y"'})
    key = await door(api, admin, defaultTeamId=str(old.id))
    opened = await posted(api, key, service="a")
    await fill(api, old, 3)
    await fill(api, old, 2, AlertStatus.RESOLVED)
    answer = await hand_over(api, admin, old, new)
    given = answer["team"]
    assert given["handover"].pop("finishedAt") is not None
    assert given == {
        "archivedAt": None,
        "handedOverTo": {"name": "New"},
        "ownership": [],
        "handover": {"movedAlerts": 4, "includesResolved": False, "archives": False, "toTeam": {"name": "New"}},
    }
    assert answer["toTeam"]["ownership"] == [
        {"service": "a", "matchers": None},
        {"service": "b", "matchers": None},
        {"service": None, "matchers": 'x="y"'},
    ]
    assert (await of_team(api, old), await of_team(api, new)) == (2, 4)
    assert await team_of(api, opened, admin) == "New"
    assert await team_of(api, await posted(api, key, service="a", host="2"), admin) == "New"
    assert await team_of(api, await posted(api, key, service="none"), admin) == "New"
    async with api.engine.connect() as connection:
        (default,) = await connection.scalars(
            sa.select(integrations.c.default_team_id).where(integrations.c.source == "generic")
        )
        moved = await connection.scalar(
            sa.select(sa.func.count()).select_from(alert_events).where(alert_events.c.kind == "moved")
        )
        entries = list(
            await connection.scalars(sa.select(audit_log.c.after).where(audit_log.c.action == "handOverTeam"))
        )
    assert (default, moved) == (new.id, 4)
    assert [entry.get("alerts") for entry in entries] == [None, None, 4]


async def test_resolved_alerts_go_and_the_team_ends_where_that_is_asked_for(api: Api, admin: Person) -> None:
    old, new = await api.team("Old"), await api.team("New")
    await fill(api, old, 2, AlertStatus.RESOLVED)
    answer = await hand_over(api, admin, old, new, includeResolved=True, archive=True)
    assert answer["team"]["archivedAt"] is not None
    assert answer["team"]["handover"]["movedAlerts"] == 2
    assert (await of_team(api, old), await of_team(api, new)) == (0, 2)


async def test_more_than_a_thousand_go_on_without_the_client_by_whoever_comes_first(api: Api, admin: Person) -> None:
    old, new = await api.team("Old"), await api.team("New")
    total = 6 * STEP + 7
    await fill(api, old, total)
    answer = await hand_over(api, admin, old, new, archive=True)
    assert answer["team"]["handover"]["movedAlerts"] == 6 * STEP
    assert answer["team"]["handover"]["finishedAt"] is None
    assert answer["team"]["archivedAt"] is None
    refused = await hand_over(api, admin, old, new)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["teamId"])
    moved = await asyncio.gather(*[continue_handovers(api.engine, datetime.now(tz=UTC)) for _ in range(2)])
    assert sum(moved) == 7
    assert (await of_team(api, old), await of_team(api, new)) == (0, total)
    async with api.engine.connect() as connection:
        (row,) = (await connection.execute(sa.select(team_handovers))).all()
        events = await connection.scalar(
            sa.select(sa.func.count(sa.distinct(alert_events.c.alert_id))).where(alert_events.c.kind == "moved")
        )
        archivings = await connection.scalar(
            sa.select(sa.func.count()).select_from(audit_log).where(audit_log.c.action == "archiveTeam")
        )
    assert (row.moved_alerts, events, archivings) == (total, total, 1)
    assert row.finished_at is not None
    assert await continue_handovers(api.engine, datetime.now(tz=UTC)) == 0


async def test_who_would_not_see_it_there_no_longer_has_it(api: Api, admin: Person) -> None:
    old, vault = await api.team("Old"), await api.team("Vault", is_private=True)
    keeper, outsider = await api.person(Role.OPERATOR, teams=(vault,)), await api.person(Role.OPERATOR)
    async with api.engine.begin() as connection:
        await put_alerts(
            connection, [an_alert(team_id=old.id, assigned_to=who.id) for who in (keeper, outsider, keeper)]
        )
    await hand_over(api, admin, old, vault)
    async with api.engine.connect() as connection:
        left = sorted(str(one) for one in await connection.scalars(sa.select(alerts.c.assigned_to)))
    assert left == sorted([str(keeper.id), str(keeper.id), "None"])


async def test_who_hands_over_must_manage_both(api: Api, admin: Person) -> None:
    mine, other = await api.team("Mine"), await api.team("Other")
    lead = await member(api, admin, mine, Role.VIEWER, Role.MANAGER)
    for team, to in ((mine, other), (other, mine)):
        assert (await hand_over(api, lead, team, to))["code"] == "FORBIDDEN"
    refused = await hand_over(api, admin, mine, mine)
    assert (refused["code"], refused["path"]) == ("INVALID_INPUT", ["toTeamId"])
    await api.change(
        "addTeamMember", {"teamId": str(other.id), "userId": str(lead.id), "role": "MANAGER"}, "team { id }", who=admin
    )
    assert (await hand_over(api, lead, mine, other))["__typename"] == "HandOverTeamSuccess"


async def test_alerts_that_arrive_meanwhile_are_not_left_behind(api: Api, admin: Person) -> None:
    """Posts by an integration of the team run beside the hand-over that archives it: none stays with it."""
    old, new = await api.team("Old"), await api.team("New")
    key = await door(api, admin, defaultTeamId=str(old.id))
    await posted(api, key, service="first")
    await fill(api, old, 2 * STEP)

    async def keep_posting() -> None:
        for number in range(60):
            await posted(api, key, service=f"s{number}")

    posting = asyncio.create_task(keep_posting())
    await asyncio.sleep(0.05)
    await hand_over(api, admin, old, new, archive=True)
    await posting
    for _ in range(5):
        await continue_handovers(api.engine, datetime.now(tz=UTC))
    assert await of_team(api, old) == 0
    assert await of_team(api, new) == 2 * STEP + 61


@pytest.mark.parametrize("archive", [False, True])
async def test_a_team_that_was_given_something_meanwhile_is_not_archived(
    api: Api, admin: Person, archive: bool
) -> None:
    old, new = await api.team("Old"), await api.team("New")
    await fill(api, old, 6 * STEP + 1)
    await hand_over(api, admin, old, new, archive=archive)
    made = {"name": "Late", "source": "GENERIC", "defaultTeamId": str(old.id)}
    await api.change("createIntegration", made, "integration { id }", who=admin)
    for _ in range(2):
        await continue_handovers(api.engine, datetime.now(tz=UTC))
    query = "query($id: ID!) { team(id: $id) { archivedAt handover { finishedAt } } }"
    found = (await api.data(query, {"id": str(old.id)}, who=admin))["team"]
    assert found["archivedAt"] is None
    assert found["handover"]["finishedAt"] is not None


@pytest.mark.parametrize("includes_resolved", [False, True])
async def test_a_long_past_is_not_walked_through(api: Api, admin: Person, includes_resolved: bool) -> None:
    """The last look is under the lock that keeps posts waiting: it must not take longer the older the team is."""
    team, other = await api.team("Old"), await api.team("Other")
    await fill(api, team, 3000, AlertStatus.RESOLVED)
    await fill(api, other, 20)
    await fill(api, team, 5)
    handover = Handover(
        id=new_id(),
        team_id=team.id,
        to_team_id=other.id,
        actor=SYSTEM,
        started_at=datetime.now(tz=UTC),
        includes_resolved=includes_resolved,
    )
    asked = alerts_of(handover).limit(5).compile(dialect=api.engine.dialect, compile_kwargs={"literal_binds": True})
    async with api.engine.connect() as connection:
        # As in a table that does not fit into a page or two.
        await connection.exec_driver_sql("SET enable_seqscan = off")
        plan = (await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked}")).scalar_one()
    assert rows_touched(plan[0]["Plan"]) < 100


def rows_touched(node: dict[str, Any]) -> int:
    """The rows that the plan's scans gave or left out."""
    own = 0 if node.get("Plans") else node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return int(own) + sum(rows_touched(one) for one in node.get("Plans", ()))


async def test_what_a_silence_of_the_team_held_is_let_go_of(api: Api, admin: Person) -> None:
    """As when a person moves it: the team that takes over did not say that it wants to sleep. Everybody's goes on."""
    old, new = await api.team("Old"), await api.team("New")
    await own(api, admin, old, {"service": "a"})
    key = await door(api, admin)
    for comment, env, team in (("theirs", "prod", old), ("everybody's", "dev", None)):
        silence = {
            "matchers": [{"name": "env", "value": env}],
            "endsAt": (api.clock.now() + timedelta(hours=1)).isoformat(),
            "comment": comment,
            "teamId": None if team is None else str(team.id),
        }
        made = await api.change("createSilence", silence, "silence { id }", who=admin)
        assert made["__typename"] == "CreateSilenceSuccess", made
    found = [await posted(api, key, service="a", labels={"env": env}) for env in ("prod", "dev")]
    held = "query($id: ID!) { alert(id: $id) { team { name } suppression { silences { comment } } } }"
    before = [(await api.data(held, {"id": one}, who=admin))["alert"]["suppression"] for one in found]
    assert before == [{"silences": [{"comment": "theirs"}]}, {"silences": [{"comment": "everybody's"}]}]
    await hand_over(api, admin, old, new)
    after = [(await api.data(held, {"id": one}, who=admin))["alert"] for one in found]
    assert after == [
        {"team": {"name": "New"}, "suppression": None},
        {"team": {"name": "New"}, "suppression": before[1]},
    ]
