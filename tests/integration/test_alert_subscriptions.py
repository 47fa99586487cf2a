"""Do real clients see every event they may see, once and in order, through cuts, until their session ends?"""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest
from gql import Client, gql
from gql.transport.websockets import WebsocketsTransport

from domain.alerts.cursor import encode_cursor, log_start
from domain.alerts.events import AlertEventKind
from domain.alerts.model import AlertStatus, Severity
from domain.identity.model import Role
from graphql_api.identity.tokens import AccessTokens
from jobs.consumers.escalations import EscalationConsumer
from jobs.consumers.inhibition import InhibitionConsumer
from jobs.consumers.live import LiveConsumer
from jobs.consumers.metrics import MetricsConsumer
from jobs.consumers.search import SearchConsumer
from tests.api import Api, Person
from tests.log_writer import insert_alert, insert_event, insert_told_alert, logged_ids
from tests.sockets import connected
from tests.waiting import until_true

EVENTS = """
subscription ($filter: AlertFilter, $after: String) {
  alertEvents(filter: $filter, after: $after) {
    __typename
    ... on AlertEvent { id cursor kind alert { id title status } }
    ... on StreamReset { reason resumeAfter }
  }
}
"""
COUNTS = "subscription { alertCounts { total } }"


async def followed(api: Api, count: int = 1) -> None:
    """Wait until that many streams follow the log: the protocol has no answer to a subscribe."""

    async def are_following() -> bool:
        return f"tocsin_live_followers {count}.0" in (await api.http.get("/metrics")).text

    await until_true(are_following)


async def start_cursor(writer: asyncpg.Connection) -> str:
    """The place before the first event."""
    epoch: UUID = await writer.fetchval("SELECT epoch FROM log_epoch")
    at = await writer.fetchrow("SELECT xid, recorded_at FROM alert_events ORDER BY xid, seq LIMIT 1")
    start = log_start(epoch)
    if at is None:
        return encode_cursor(start)
    return encode_cursor(type(start)(epoch=epoch, position=start.position, recorded_at=at["recorded_at"]))


async def test_what_was_received_over_cuts_equals_the_log(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    await insert_told_alert(writer)
    after = await start_cursor(writer)
    received: list[str] = []
    writing = asyncio.create_task(_write_slowly(writer, 60))
    for cut_after in (5, 1, 17, 61 - 23):
        async with connected(address, operator) as socket:
            await socket.subscribe(EVENTS, {"after": after})
            for _ in range(cut_after):
                event = (await socket.next_data())["alertEvents"]
                received.append(event["id"])
                after = event["cursor"]
            socket.connection.transport.abort()  # no goodbye
    await writing
    assert received == [str(event_id) for event_id in await logged_ids(writer)]


async def _write_slowly(writer: asyncpg.Connection, count: int) -> None:
    for _ in range(count):
        await insert_told_alert(writer)
        await asyncio.sleep(0.01)


async def test_gqls_own_client_resumes_where_it_was(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    first, second = await insert_told_alert(writer), await insert_told_alert(writer)
    after: str | None = await start_cursor(writer)
    for alert_id in (first, second):
        transport = WebsocketsTransport(
            url=f"ws://{address}", init_payload=Api.headers(operator), subprotocols=["graphql-transport-ws"]
        )
        async with Client(transport=transport) as session:
            request = gql(EVENTS)
            request.variable_values = {"after": after}
            answers = session.subscribe(request)
            event = (await anext(answers))["alertEvents"]
            await answers.aclose()
        assert UUID(event["alert"]["id"]) == alert_id
        after = event["cursor"]


async def test_a_subscriber_without_a_cursor_sees_what_comes(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    await insert_told_alert(writer)
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS)
        await followed(api)
        alert_id = await insert_told_alert(writer)
        event = (await socket.next_data())["alertEvents"]
        assert event["__typename"] == "AlertEvent"
        assert (event["kind"], UUID(event["alert"]["id"])) == ("OPENED", alert_id)


async def test_a_filter_lets_pass_what_matched_before_or_after(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS, {"filter": {"status": ["ACTIVE"], "severity": ["CRITICAL"]}})
        await followed(api)
        await insert_told_alert(writer, severity=Severity.LOW)
        alert_id = await insert_alert(writer, severity=Severity.CRITICAL, status=AlertStatus.RESOLVED)
        await insert_event(
            writer,
            alert_id=alert_id,
            kind=AlertEventKind.RESOLVED,
            severity=Severity.CRITICAL,
            status=AlertStatus.RESOLVED,
            data={"changes": {"status": ["active", "resolved"]}},
        )
        event = (await socket.next_data())["alertEvents"]
        assert (event["kind"], event["alert"]["status"]) == ("RESOLVED", "RESOLVED")


async def test_a_private_teams_events_reach_its_members_only(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    team = await api.team("Vault", is_private=True)
    member = await api.person(Role.VIEWER, teams=(team,))
    async with connected(address, operator) as outside, connected(address, member) as inside:
        await outside.subscribe(EVENTS)
        await inside.subscribe(EVENTS)
        await followed(api, 2)
        secret = await insert_alert(writer, team_id=team.id)
        await insert_event(writer, alert_id=secret)
        public = await insert_told_alert(writer)
        assert UUID((await inside.next_data())["alertEvents"]["alert"]["id"]) == secret
        assert UUID((await outside.next_data())["alertEvents"]["alert"]["id"]) == public


async def test_leaving_a_team_counts_for_a_stream_that_runs(api: Api, address: str, writer: asyncpg.Connection) -> None:
    team = await api.team("Vault", is_private=True)
    member = await api.person(Role.VIEWER, teams=(team,))
    async with connected(address, member) as socket:
        await socket.subscribe(EVENTS)
        await followed(api)
        await writer.execute("DELETE FROM memberships WHERE user_id = $1", member.id)
        await asyncio.sleep(3)  # sessions are looked at every two seconds
        await insert_event(writer, alert_id=await insert_alert(writer, team_id=team.id))
        public = await insert_told_alert(writer)
        assert UUID((await socket.next_data())["alertEvents"]["alert"]["id"]) == public


@pytest.mark.parametrize(
    "ending",
    [
        "UPDATE sessions SET revoked_at = now() WHERE id = $1",
        "UPDATE sessions SET expires_at = now() WHERE id = $1",
        "UPDATE users SET is_active = false WHERE id = (SELECT user_id FROM sessions WHERE id = $1)",
    ],
)
async def test_a_socket_ends_with_its_session(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, ending: str
) -> None:
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS)
        await followed(api)
        await writer.execute(ending, operator.session_id)
        assert await socket.close_code() == 4401
    await followed(api, 0)


async def test_a_socket_without_a_stream_ends_with_its_session_too(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    async with connected(address, operator) as socket:
        await writer.execute("UPDATE sessions SET revoked_at = now() WHERE id = $1", operator.session_id)
        assert await socket.close_code() == 4401


async def test_a_socket_outlives_its_access_token(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    tokens = AccessTokens(api.settings.derived_key("access-token"), lifetime=timedelta(seconds=60))
    token, _ = tokens.sign(user_id=operator.id, session_id=operator.session_id, now=api.clock.now())
    short = Person(operator.id, operator.session_id, operator.email, operator.role, token)
    async with connected(address, short) as socket:
        api.clock.ahead += timedelta(minutes=5)
        await socket.subscribe("{ me { id } }")
        assert (await socket.next_data())["me"]["id"] == str(operator.id)


@pytest.mark.parametrize(
    ("variables", "path"),
    [({"after": "nonsense"}, ["after"]), ({"filter": {"search": "disk"}}, ["filter", "search"])],
)
async def test_what_cannot_be_followed_is_refused_with_the_field(
    api: Api, address: str, operator: Person, variables: dict[str, Any], path: list[str]
) -> None:
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS, variables)
        message = await socket.receive()
        error = message["payload"][0] if message["type"] == "error" else message["payload"]["errors"][0]
        assert error["extensions"] == {"code": "INVALID_INPUT", "path": path}


async def test_nobody_follows_without_signing_in(api: Api, address: str) -> None:
    async with connected(address, None) as socket:
        await socket.subscribe(EVENTS)
        message = await socket.receive()
        error = message["payload"][0] if message["type"] == "error" else message["payload"]["errors"][0]
        assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_cursor_of_another_log_is_answered_with_a_reset(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    async with connected(address, operator) as socket:
        await socket.subscribe(EVENTS, {"after": encode_cursor(log_start(uuid4()))})
        reset = (await socket.next_data())["alertEvents"]
        assert (reset["__typename"], reset["reason"]) == ("StreamReset", "LOG_RESTORED")
        assert (await socket.receive())["type"] == "complete"
        await socket.subscribe(EVENTS, {"after": reset["resumeAfter"]}, operation="2")
        alert_id = await insert_told_alert(writer)
        assert UUID((await socket.next_data())["alertEvents"]["alert"]["id"]) == alert_id


async def test_counts_come_at_once_and_when_they_change(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    async with connected(address, operator) as socket:
        await socket.subscribe(COUNTS)
        assert (await socket.next_data())["alertCounts"]["total"] == 0
        for _ in range(30):
            await insert_told_alert(writer)
        totals: list[int] = []
        while not totals or totals[-1] < 30:
            totals.append((await socket.next_data())["alertCounts"]["total"])
        assert len(totals) <= 3  # a burst is a few answers, not thirty


async def test_counts_do_not_come_again_for_a_figure_that_is_not_asked_for(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    alert_id = await insert_told_alert(writer)
    all_of_them = "subscription { alertCounts { total byStatus { status count } } }"
    in_fragments = "subscription { alertCounts { ... { ...Figures } } } fragment Figures on AlertCounts { open }"
    async with (
        connected(address, operator) as seeing_all,
        connected(address, operator) as socket,
        connected(address, operator) as other,
    ):
        await seeing_all.subscribe(all_of_them)
        await socket.subscribe(COUNTS)
        await other.subscribe(in_fragments)
        assert (await seeing_all.next_data())["alertCounts"]["total"] == 1
        assert await socket.next_data() == {"alertCounts": {"total": 1}}
        assert await other.next_data() == {"alertCounts": {"open": 1}}
        await writer.execute(
            "UPDATE alerts SET status = 'acknowledged', acknowledged_at = now() WHERE id = $1", alert_id
        )
        await insert_event(writer, alert_id=alert_id)
        by_status = (await seeing_all.next_data())["alertCounts"]["byStatus"]
        assert {"status": "ACKNOWLEDGED", "count": 1} in by_status
        await insert_told_alert(writer)
        assert (await seeing_all.next_data())["alertCounts"]["total"] == 2
        assert await socket.next_data() == {"alertCounts": {"total": 2}}
        assert await other.next_data() == {"alertCounts": {"open": 2}}


async def test_events_come_over_server_sent_events_as_well(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection
) -> None:
    await insert_told_alert(writer)
    body = {"query": EVENTS, "variables": {"after": await start_cursor(writer)}}
    headers = {**Api.headers(operator), "accept": "text/event-stream"}
    async with (
        httpx2.AsyncClient() as client,
        client.stream("POST", f"http://{address}", json=body, headers=headers) as answer,
    ):
        lines = answer.aiter_lines()
        line = ""
        while not line.removeprefix("data:").strip().startswith("{"):
            line = await anext(lines)
    event = json.loads(line.removeprefix("data:"))["data"]["alertEvents"]
    assert event["__typename"] == "AlertEvent"


async def test_the_lag_of_each_consumer_is_a_metric(api: Api, writer: asyncpg.Connection) -> None:
    first, _ = await insert_told_alert(writer), await insert_told_alert(writer)
    names = [
        one.name for one in (LiveConsumer, SearchConsumer, MetricsConsumer, EscalationConsumer, InhibitionConsumer)
    ]
    await writer.execute(
        "INSERT INTO relay_cursors SELECT name, epoch, xid, seq, recorded_at, 1, now()"
        " FROM alert_events, log_epoch, unnest($2::text[]) AS name WHERE alert_id = $1",
        first,
        names,
    )
    text = (await api.http.get("/metrics")).text
    told = (await api.http.get("/healthz")).json()["relay"]["lagSeconds"]
    for name in names:
        assert f'tocsin_relay_lag_events{{consumer="{name}"}} 1.0' in text
        assert f'tocsin_relay_lag_seconds{{consumer="{name}"}}' in text
        assert name in told


async def test_how_late_this_process_tells_its_followers_is_a_metric(api: Api) -> None:
    assert api.state.hub is not None
    await api.state.hub.ready()
    text = (await api.http.get("/metrics")).text
    assert 'tocsin_live_lag_seconds{stage="followers"} 0.0' in text
    assert 'tocsin_live_lag_seconds{stage="hub"}' in text
    assert set((await api.http.get("/healthz")).json()["live"]["lagSeconds"]) == {"followers", "hub"}
