"""Is every change of a team told to those who may see it, once, in order, without a gap, and to nobody else?"""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest

from domain.alerts.cursor import encode_cursor, log_start
from domain.identity.model import Role, Team
from graphql_api.identity import loaders
from persistence.reads.teams import visible_teams
from tests.api import PASSWORD, Api, Person
from tests.integration.teams.ways import member, own
from tests.outages import FailingAtFirst
from tests.sockets import Socket, connected
from tests.waiting import until

EVENTS = """
subscription ($after: String) {
  teamEvents(after: $after) {
    __typename
    ... on TeamEvent {
      id cursor kind teamId team { name } actor { __typename ... on User { id } }
      member { id } role otherTeam { name } changes { field before after } added removed
    }
    ... on TeamLeftView { id cursor teamId }
    ... on StreamReset { reason resumeAfter }
  }
}
"""


async def following(api: Api, socket: Socket) -> None:
    """Follow; returns when the stream has its place and waits, so that what is done next is told."""
    feed = api.state.team_feed
    assert feed is not None
    before = len(feed._moved._waiters)  # noqa: SLF001 - the protocol has no answer to a subscribe
    await socket.subscribe(EVENTS, {"after": None})
    await until(lambda: len(feed._moved._waiters) > before)  # noqa: SLF001


async def told(socket: Socket) -> dict[str, Any]:
    message: dict[str, Any] = (await socket.next_data())["teamEvents"]
    return message


async def start_of_log(database_url: str) -> str:
    connection = await asyncpg.connect(database_url)
    try:
        epoch = await connection.fetchval("SELECT epoch FROM log_epoch")
        at = await connection.fetchval("SELECT now()")
    finally:
        await connection.close()
    start = log_start(epoch)
    return encode_cursor(type(start)(epoch=epoch, position=start.position, recorded_at=at))


async def test_the_life_of_a_team_is_told_in_order(api: Api, address: str, admin: Person) -> None:
    viewer, person = await api.person(Role.VIEWER), await api.person(Role.VIEWER)
    other = await api.team("Other")
    async with connected(address, viewer) as socket:
        await following(api, socket)
        made = await api.change("createTeam", {"name": "Payments"}, "team { id }", who=admin)
        team_id = made["team"]["id"]
        seat = {"teamId": team_id, "userId": str(person.id)}
        for field, what in (
            ("updateTeam", {"id": team_id, "name": "Money", "description": "pays"}),
            ("addTeamMember", {**seat, "role": "OPERATOR"}),
            ("changeTeamRole", {**seat, "role": "MANAGER"}),
            ("setTeamOwnership", {"teamId": team_id, "ownership": [{"service": "a"}, {"matchers": 'b="c"'}]}),
            ("setTeamOwnership", {"teamId": team_id, "ownership": [{"service": "a"}]}),
            ("removeTeamMember", seat),
            ("handOverTeam", {"teamId": team_id, "toTeamId": str(other.id)}),
            ("archiveTeam", {"id": team_id}),
        ):
            answer = await api.change(field, what, "__typename", who=admin)
            assert answer["__typename"].endswith("Success"), answer
        seen = [await told(socket) for _ in range(10)]
    assert [one["kind"] for one in seen] == [
        "CREATED",
        "UPDATED",
        "MEMBER_ADDED",
        "MEMBER_ROLE_CHANGED",
        "OWNERSHIP_CHANGED",
        "OWNERSHIP_CHANGED",
        "MEMBER_REMOVED",
        "HANDED_OVER",
        "TAKEN_OVER",
        "ARCHIVED",
    ]
    assert all(one["actor"] == {"__typename": "User", "id": str(admin.id)} for one in seen)
    assert len({one["id"] for one in seen}) == len({one["cursor"] for one in seen}) == 10
    updated, added, changed, owned, disowned, removed, given, taken = seen[1:9]
    assert updated["changes"] == [
        {"field": "name", "before": "Payments", "after": "Money"},
        {"field": "description", "before": "", "after": "pays"},
    ]
    assert (added["member"]["id"], added["role"]) == (str(person.id), "OPERATOR")
    assert changed["changes"] == [{"field": "role", "before": "OPERATOR", "after": "MANAGER"}]
    assert (owned["added"], owned["removed"]) == (["service a", '{b="c"}'], [])
    assert (disowned["added"], disowned["removed"]) == ([], ['{b="c"}'])
    assert (removed["member"]["id"], removed["role"]) == (str(person.id), "MANAGER")
    assert (given["teamId"], given["otherTeam"]) == (team_id, {"name": "Other"})
    assert (taken["teamId"], taken["otherTeam"]) == (str(other.id), {"name": "Money"})


async def test_a_cursor_resumes_without_a_gap_over_cuts(
    api: Api, address: str, admin: Person, database_url: str
) -> None:
    after = await start_of_log(database_url)
    team = await api.team("Payments")
    received: list[str] = []

    async def change() -> None:
        for number in range(30):
            await api.change("updateTeam", {"id": str(team.id), "description": str(number)}, "team { id }", who=admin)

    changing = asyncio.create_task(change())
    for cut_after in (1, 4, 9, 16):
        async with connected(address, admin) as socket:
            await socket.subscribe(EVENTS, {"after": after})
            for _ in range(cut_after):
                event = await told(socket)
                received.append(event["changes"][0]["after"])
                after = event["cursor"]
            socket.connection.transport.abort()  # no goodbye
    await changing
    assert received == [str(number) for number in range(30)]


async def test_a_lost_notice_costs_a_moment_and_no_event(
    api: Api, address: str, admin: Person, database_url: str
) -> None:
    """The log is looked at without being woken; and a transaction that runs long holds events back, not for ever."""
    team = await api.team("Payments")
    connection = await asyncpg.connect(database_url)
    try:
        async with connected(address, admin) as socket:
            await following(api, socket)
            holding = connection.transaction()
            await holding.start()
            await connection.fetchval("SELECT pg_current_xact_id()")
            await api.change("updateTeam", {"id": str(team.id), "description": "held"}, "team { id }", who=admin)
            await asyncio.sleep(0.5)
            await holding.rollback()
            assert (await told(socket))["changes"][0]["after"] == "held"
            # Written by hand, as by a process whose notice got lost.
            await connection.execute(
                "INSERT INTO team_events (recorded_at, id, team_id, kind, occurred_at, actor_kind)"
                " VALUES (now(), gen_random_uuid(), $1, 'created', now(), 'system')",
                team.id,
            )
            assert (await told(socket))["kind"] == "CREATED"
    finally:
        await connection.close()


async def test_a_private_teams_changes_are_told_inside_alone(api: Api, address: str, admin: Person) -> None:
    vault, open_one = await api.team("Vault", is_private=True), await api.team("Open")
    keeper, outsider = await api.person(Role.VIEWER, teams=(vault,)), await api.person(Role.MANAGER)
    async with connected(address, keeper) as inside, connected(address, outsider) as outside:
        await following(api, inside)
        await following(api, outside)
        await own(api, admin, vault, {"service": "safe"})
        await own(api, admin, open_one, {"service": "shop"})
        assert (await told(inside))["team"] == {"name": "Vault"}
        assert (await told(inside))["team"] == {"name": "Open"}
        assert (await told(outside))["team"] == {"name": "Open"}


async def test_a_team_made_private_leaves_the_sight_of_others_and_comes_back(
    api: Api, address: str, admin: Person
) -> None:
    team = await api.team("Payments")
    keeper = await member(api, admin, team, Role.VIEWER, Role.MANAGER)
    outsider = await api.person(Role.VIEWER)
    async with connected(address, keeper) as inside, connected(address, outsider) as outside:
        await following(api, inside)
        await following(api, outside)
        for is_private in (True, False):
            what = {"id": str(team.id), "isPrivate": is_private, "description": str(is_private)}
            await api.change("updateTeam", what, "team { id }", who=keeper)
        seen = [await told(inside) for _ in range(2)]
        assert [one["__typename"] for one in seen] == ["TeamEvent", "TeamEvent"]
        left = await told(outside)
        # The team may be public again by the time it is told of: then both events are shown, as the lists would.
        if left["__typename"] == "TeamLeftView":
            assert set(left) == {"__typename", "id", "cursor", "teamId"}
            assert (left["id"], left["teamId"]) == (seen[0]["id"], str(team.id))
        assert (await told(outside))["id"] == seen[1]["id"]


async def test_the_word_that_a_team_left_names_it_and_nothing_else(api: Api, address: str, admin: Person) -> None:
    team = await api.team("Payments")
    keeper = await member(api, admin, team, Role.VIEWER, Role.MANAGER)
    outsider = await api.person(Role.VIEWER)
    async with connected(address, outsider) as outside:
        await following(api, outside)
        await api.change("updateTeam", {"id": str(team.id), "isPrivate": True, "name": "X"}, "team { id }", who=keeper)
        left = await told(outside)
        assert (left["__typename"], left["teamId"]) == ("TeamLeftView", str(team.id))
        assert set(left) == {"__typename", "id", "cursor", "teamId"}
        await own(api, keeper, team, {"service": "safe"})
        await api.change("createTeam", {"name": "Next"}, "team { id }", who=admin)
        assert (await told(outside))["team"] == {"name": "Next"}


async def test_who_is_let_in_hears_of_it_and_who_is_taken_out_hears_that_and_no_more(
    api: Api, address: str, admin: Person
) -> None:
    vault = await api.team("Vault", is_private=True)
    keeper = await member(api, admin, vault, Role.VIEWER, Role.MANAGER)
    person, other = await api.person(Role.VIEWER), await api.person(Role.VIEWER)
    seat = {"teamId": str(vault.id), "userId": str(person.id)}
    async with connected(address, person) as socket, connected(address, other) as stranger:
        await following(api, socket)
        await following(api, stranger)
        await api.change("addTeamMember", seat, "team { id }", who=keeper)
        added = await told(socket)
        assert (added["kind"], added["team"], added["member"]["id"]) == (
            "MEMBER_ADDED",
            {"name": "Vault"},
            str(person.id),
        )
        await own(api, keeper, vault, {"service": "safe"})
        assert (await told(socket))["added"] == ["service safe"]
        await api.change("removeTeamMember", seat, "teamId", who=keeper)
        left = await told(socket)
        assert (left["__typename"], left["teamId"]) == ("TeamLeftView", str(vault.id))
        await own(api, keeper, vault)
        await api.change("createTeam", {"name": "Next"}, "team { id }", who=admin)
        assert (await told(socket))["team"] == {"name": "Next"}
        assert (await told(stranger))["team"] == {"name": "Next"}


async def test_a_role_taken_away_counts_before_the_next_event(api: Api, address: str, admin: Person) -> None:
    """An administrator sees all teams; one who is none any more sees no hidden team's next event."""
    vault, open_one = await api.team("Vault", is_private=True), await api.team("Open")
    keeper = await member(api, admin, vault, Role.VIEWER, Role.MANAGER)
    fallen = await api.person(Role.ADMIN)
    async with connected(address, fallen) as socket:
        await following(api, socket)
        await own(api, keeper, vault, {"service": "one"})
        assert (await told(socket))["added"] == ["service one"]
        async with api.engine.begin() as connection:
            await connection.exec_driver_sql(f"UPDATE users SET role = 'viewer' WHERE id = '{fallen.id}'")
        await own(api, keeper, vault, {"service": "two"})
        await own(api, admin, open_one, {"service": "three"})
        assert (await told(socket))["added"] == ["service three"]


async def test_a_session_that_ends_ends_the_stream(api: Api, address: str, admin: Person) -> None:
    viewer = await api.person(Role.VIEWER)
    async with connected(address, viewer) as socket:
        await following(api, socket)
        async with api.engine.begin() as connection:
            await connection.exec_driver_sql(f"UPDATE sessions SET revoked_at = now() WHERE user_id = '{viewer.id}'")
        await api.change("createTeam", {"name": "Next"}, "team { id }", who=admin)
        assert await socket.close_code() == 4401


@pytest.mark.parametrize("after", ["nonsense", "AAAA"])
async def test_a_cursor_that_is_none_is_refused(api: Api, address: str, admin: Person, after: str) -> None:
    async with connected(address, admin) as socket:
        await socket.subscribe(EVENTS, {"after": after})
        message = await socket.receive()
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert errors[0]["extensions"]["code"] == "INVALID_INPUT"


async def test_a_cursor_of_another_log_begins_anew(api: Api, address: str, admin: Person, database_url: str) -> None:
    after = await start_of_log(database_url)
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("UPDATE log_epoch SET epoch = gen_random_uuid()")
    finally:
        await connection.close()
    async with connected(address, admin) as socket:
        await socket.subscribe(EVENTS, {"after": after})
        reset = await told(socket)
        assert (reset["__typename"], reset["reason"]) == ("StreamReset", "LOG_RESTORED")
        assert (await socket.receive())["type"] == "complete"


async def test_a_restore_while_it_is_followed_ends_the_stream_with_where_to_go_on(
    api: Api, address: str, admin: Person, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        async with connected(address, admin) as socket:
            await following(api, socket)
            await connection.execute("UPDATE log_epoch SET epoch = gen_random_uuid()")
            reset = await told(socket)
            assert reset["reason"] == "LOG_RESTORED"
            await socket.subscribe(EVENTS, {"after": reset["resumeAfter"]}, operation="2")
            await asyncio.sleep(0.3)
            await api.change("createTeam", {"name": "Next"}, "team { id }", who=admin)
            while (message := await socket.receive())["id"] != "2":
                pass
            assert message["payload"]["data"]["teamEvents"]["kind"] == "CREATED"
    finally:
        await connection.close()


async def test_many_who_follow_read_the_log_together(
    api: Api, address: str, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = api.state.team_feed
    assert feed is not None
    team: Team = await api.team("Payments")
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connected(address, admin)) for _ in range(20)]
        for socket in sockets:
            await following(api, socket)
        reads = 0
        read = feed._read  # noqa: SLF001

        async def counted(place: Any) -> Any:  # noqa: ANN401
            nonlocal reads
            reads += 1
            return await read(place)

        monkeypatch.setattr(feed, "_read", counted)
        await own(api, admin, team, {"service": "a"})
        for socket in sockets:
            assert (await told(socket))["kind"] == "OWNERSHIP_CHANGED"
        # The feed's own looks, and one read for all twenty.
        assert reads < 15
    await until(lambda: not feed._reading)  # noqa: SLF001


async def test_who_comes_to_a_team_with_their_account_is_told_of_too(api: Api, address: str, admin: Person) -> None:
    team = await api.team("Payments")
    async with connected(address, admin) as socket:
        await following(api, socket)
        new = {"email": "grace@example.com", "password": PASSWORD, "role": "OPERATOR", "teamId": str(team.id)}
        made = await api.change("createUser", new, "user { id }", who=admin)
        added = await told(socket)
    assert (added["kind"], added["role"], added["team"]) == ("MEMBER_ADDED", "OPERATOR", {"name": "Payments"})
    assert (added["member"], added["actor"]["id"]) == (made["user"], str(admin.id))


async def test_who_meets_an_outage_is_told_when_it_is_over(
    api: Api, address: str, admin: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = await api.person(Role.VIEWER)
    reading = FailingAtFirst(visible_teams)
    async with connected(address, viewer) as socket:
        await following(api, socket)
        monkeypatch.setattr(loaders, "visible_teams", reading)
        team = await api.team("Payments")
        await api.change("updateTeam", {"id": str(team.id), "name": "Money"}, "__typename", who=admin)
        while (seen := await told(socket))["kind"] != "UPDATED":
            pass
        assert seen["team"] == {"name": "Money"}
        assert reading.tries > 2
