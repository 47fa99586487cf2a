"""Are events that are told without graphql-core told as graphql-core tells them, and once for all who ask the same?"""

from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest
from graphql import GraphQLObjectType

from domain.alerts.cursor import Cursor
from domain.alerts.events import AlertEventKind, RecordedEvent
from domain.alerts.model import Alert, AlertStatus, Severity
from graphql_api.alerts import subscriptions
from graphql_api.alerts.direct_events import DirectEvents, direct_events
from graphql_api.channels.selection import documents
from graphql_api.context import Info
from graphql_api.schema import build_schema
from graphql_api.shown import known_shown
from tests.api import Api, Person
from tests.integration.test_alert_subscriptions import followed
from tests.log_writer import insert_alert, insert_event, insert_told_alert
from tests.sockets import connected


def plain_fields(kind: str) -> str:
    """All fields of a type that only show an attribute."""
    found = build_schema(documents())._schema.type_map[kind]  # noqa: SLF001 - no public way
    assert isinstance(found, GraphQLObjectType)
    return " ".join(name for name, field in found.fields.items() if known_shown(field) is not None)


ALL = f"{plain_fields('AlertEvent')} cursor alert {{ {plain_fields('Alert')} }}"
# What is asked of the stream, and whether it is told directly.
DIRECT = {
    "every plain field": f"... on AlertEvent {{ {ALL} }}",
    "other names, in another order": "... on AlertEvent { two: cursor alert { b: status a: title } one: id cursor }",
    "names of types": "__typename ... on AlertEvent { __typename kind: __typename alert { __typename id } id }",
    "what others are asked": "... on StreamReset { reason } ... on AlertEvent { id } ... on AlertLeftView { id }",
    "nothing of events": "__typename ... on StreamReset { reason }",
    "fragments": "...Whole ... { ...Whole } ... on AlertStreamMessage { ...Whole }",
    "one alert under two names": "... on AlertEvent { id a: alert { id } b: alert { title id } }",
    "one field twice": "... on AlertEvent { id id alert { title title } } ... on AlertEvent { id }",
}
FRAGMENTS = "fragment Whole on AlertEvent { id alert { ... on Alert { ...Of severity } } } fragment Of on Alert { id }"
NOT_DIRECT = {
    "a resolver of the event": "... on AlertEvent { id actor { __typename } changes { field before after } }",
    "a resolver of the alert": "... on AlertEvent { id alert { id timeline(first: 1) { nodes { id } } } }",
    "one alert in two parts": "... on AlertEvent { alert { id } alert { title } }",
    "a directive": "... on AlertEvent { id cursor @skip(if: true) }",
    "a directive of a fragment": "... on AlertEvent @include(if: true) { id }",
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What was told directly. An operation named `Core` is told of nothing so."""
    seen: list[bytes] = []
    tell = DirectEvents.told

    def watched(self: DirectEvents, event: RecordedEvent, alert: Alert, at: Cursor) -> bytes | None:
        found = tell(self, event, alert, at)
        seen.extend([found] if found is not None else [])
        return found

    def but_for_core(info: Info) -> DirectEvents | None:
        name = info._raw_info.operation.name  # noqa: SLF001 - no public way
        return None if name is not None and name.value == "Core" else direct_events(info)

    monkeypatch.setattr(DirectEvents, "told", watched)
    monkeypatch.setattr(subscriptions, "direct_events", but_for_core)
    return seen


def document(asked: str, name: str) -> str:
    fragments = FRAGMENTS if "...Whole" in asked else ""
    return f"subscription {name} {{ found: alertEvents {{ {asked} }} }} {fragments}"


async def answers(
    api: Api, address: str, who: Person, writer: asyncpg.Connection, asking: list[str]
) -> list[list[dict[str, Any]]]:
    """What each document brings of three events; the last tells of its alert what it is no more."""
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(connected(address, who)) for _ in asking]
        for socket, one in zip(sockets, asking, strict=True):
            await socket.subscribe(one)
        await followed(api, len(asking))
        async with writer.transaction():
            await insert_told_alert(writer, severity=Severity.LOW)
            alert_id = await insert_alert(writer, service_name=None)
            await insert_event(writer, alert_id=alert_id)
            await insert_event(
                writer,
                alert_id=alert_id,
                kind=AlertEventKind.RESOLVED,
                status=AlertStatus.RESOLVED,
                severity=Severity.LOW,
                version=2,
            )
        found = [[(await socket.receive())["payload"] for _ in range(3)] for socket in sockets]
    await followed(api, 0)
    return found


@pytest.mark.parametrize("what", [*DIRECT, *NOT_DIRECT])
async def test_what_is_told_is_what_graphql_core_answers(
    what: str, api: Api, address: str, operator: Person, writer: asyncpg.Connection, told: list[bytes]
) -> None:
    asked = {**DIRECT, **NOT_DIRECT}[what]
    direct, core = await answers(api, address, operator, writer, [document(asked, "Direct"), document(asked, "Core")])
    assert direct == core
    # In the same order, too.
    assert repr(direct) == repr(core)
    assert len(told) == (3 if what in DIRECT else 0)


async def test_groups_that_ask_the_same_share_what_is_told(
    api: Api, address: str, operator: Person, writer: asyncpg.Connection, told: list[bytes]
) -> None:
    asked = "{ ... on AlertEvent { id cursor alert { id title } } }"
    wanted = ["A { alertEvents", "B { alertEvents", "C { alertEvents(filter: {severity: [LOW, HIGH]})"]
    asking = [f"subscription {one} {asked} }}" for one in wanted]
    first, *others = await answers(api, address, operator, writer, asking)
    assert others == [first, first]
    assert len(told) == 9
    assert len({id(one) for one in told}) == 3
