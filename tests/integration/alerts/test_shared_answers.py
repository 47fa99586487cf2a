"""Do many who ask the same at once get what each may see, and see what they wrote, by few runs?"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from domain.identity.model import NOBODY, Role
from domain.ids import new_id
from graphql_api.context import Context
from graphql_api.http import Endpoint
from persistence.tables import teams
from tests.alert_builder import an_alert
from tests.alert_rows import put_alerts
from tests.api import Api, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")
PLAIN = "query($of: [String!]) { alerts(filter: {source: $of}) { nodes { title } } }"
RESOLVED = "query($of: [String!]) { alerts(filter: {source: $of}) { totalCount nodes { title team { name } } } }"
COUNTS = "query($of: [String!]) { alertCounts(filter: {source: $of}) { total } }"
MANY = 20


@pytest.fixture(scope="module")
def api(module_api: Api) -> Api:
    return module_api


class Held:
    """Runs that wait until the test lets them go; `of` counts them by who they were made for."""

    def __init__(self) -> None:
        self.of: Counter[str] = Counter()
        self.let_go = asyncio.Event()
        self.begun = asyncio.Event()

    @property
    def together(self) -> int:
        return self.of[str(NOBODY)]


@contextmanager
def _held(*, is_held: bool = True) -> Iterator[Held]:
    """The first run is held until the others wait, and nobody loses patience."""
    held = Held()
    execute = Endpoint._execute  # noqa: SLF001 - what a run is

    async def execute_held(endpoint: Endpoint, asked: Any, context: Context) -> Any:  # noqa: ANN401 - as it is
        held.of[str(context.viewer.user_id if context.viewer else None)] += 1
        held.begun.set()
        if is_held:
            await held.let_go.wait()
        return await execute(endpoint, asked, context)

    with patch.object(Endpoint, "_execute", execute_held), patch("graphql_api.shared_answers.PATIENCE_SECONDS", 3600.0):
        yield held


async def _all_wait(api: Api, number: int) -> None:
    """Until so many wait for their turn."""
    async with asyncio.timeout(60):
        while sum(len(line.waiting) for line in _lines(api)) < number:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def _lines(api: Api) -> list[Any]:
    return list(api.app._starlette.state.endpoint._shared._lines.values())  # noqa: SLF001 - as above


async def _ask(api: Api, who: Person, query: str, **variables: object) -> dict[str, Any]:
    return await api.ask(query, variables, who=who)


@pytest.mark.parametrize("query", [PLAIN, RESOLVED, COUNTS], ids=["attributes", "resolvers", "counts"])
async def test_many_who_ask_the_same_are_two_runs(api: Api, query: str) -> None:
    source = f"same {new_id()}"
    async with api.engine.begin() as connection:
        await put_alerts(connection, [an_alert(source=source)])
    people = [await api.person(Role.VIEWER) for _ in range(MANY)]
    with _held() as held:
        first = asyncio.create_task(_ask(api, people[0], query, of=[source]))
        await held.begun.wait()
        others = [asyncio.create_task(_ask(api, one, query, of=[source], unknown=str(one.id))) for one in people[1:]]
        await _all_wait(api, MANY - 1)
        held.let_go.set()
        answers = await asyncio.gather(first, *others)
    assert held.of == {str(people[0].id): 1, str(NOBODY): 1}
    assert all(answer == answers[0] for answer in answers)
    assert "errors" not in answers[0]
    assert not _lines(api)


async def test_each_sees_what_they_may(api: Api) -> None:
    source = f"mixed {new_id()}"
    hidden = await api.team(f"Hidden {new_id()}", is_private=True)
    async with api.engine.begin() as connection:
        alerts = [an_alert(source=source, title="public"), an_alert(source=source, title="hidden", team_id=hidden.id)]
        await put_alerts(connection, alerts)
    kinds: list[tuple[Role, tuple[Any, ...], set[str]]] = [
        (Role.VIEWER, (), {"public"}),
        (Role.VIEWER, (hidden,), {"public", "hidden"}),
        (Role.OPERATOR, (), {"public"}),
        (Role.ADMIN, (), {"public", "hidden"}),
    ]
    people = [(await api.person(role, teams=teams), seen) for role, teams, seen in kinds for _ in range(4)]
    with _held() as held:
        asked = [asyncio.create_task(_ask(api, who, PLAIN, of=[source])) for who, _ in people]
        await _all_wait(api, len(people) - len(kinds))
        held.let_go.set()
        answers = await asyncio.gather(*asked)
    for answer, (_, seen) in zip(answers, people, strict=True):
        assert {node["title"] for node in answer["data"]["alerts"]["nodes"]} == seen
    assert held.together == len(kinds)


async def test_what_somebody_wrote_is_in_the_answer_they_wait_for(api: Api) -> None:
    source = f"written {new_id()}"
    who = await api.person(Role.VIEWER)
    with _held() as held:
        first = asyncio.create_task(_ask(api, who, PLAIN, of=[source]))
        await held.begun.wait()
        second = asyncio.create_task(_ask(api, who, PLAIN, of=[source]))
        await _all_wait(api, 1)
        async with api.engine.begin() as connection:
            await put_alerts(connection, [an_alert(source=source)])
        third = asyncio.create_task(_ask(api, who, PLAIN, of=[source]))
        await _all_wait(api, 2)
        held.let_go.set()
        answers = await asyncio.gather(first, second, third)
    assert [len(answer["data"]["alerts"]["nodes"]) for answer in answers][2] == 1


async def test_what_was_hidden_while_they_wait_is_not_shown(api: Api) -> None:
    source = f"hidden {new_id()}"
    team = await api.team(f"Public {new_id()}")
    async with api.engine.begin() as connection:
        await put_alerts(connection, [an_alert(source=source, team_id=team.id)])
    people = [await api.person(Role.VIEWER) for _ in range(3)]
    with _held() as held:
        asked = [asyncio.create_task(_ask(api, who, PLAIN, of=[source])) for who in people]
        await _all_wait(api, 2)
        async with api.engine.begin() as connection:
            await connection.execute(sa.update(teams).where(teams.c.id == team.id).values(is_private=True))
        held.let_go.set()
        answers = await asyncio.gather(*asked)
    assert [answer["data"]["alerts"]["nodes"] for answer in answers] == [[], [], []]
    assert held.together == 1


async def test_writers_always_read_what_they_wrote(api: Api) -> None:
    """Many at once, each: write, ask, see it; the question is the same for all."""
    source = f"busy {new_id()}"
    query = "query($of: [String!]) { alerts(filter: {source: $of}, first: 100) { nodes { title } } }"
    people = [await api.person(Role.VIEWER) for _ in range(8)]

    async def write_and_read(number: int) -> None:
        for step in range(6):
            title = f"{number} {step}"
            async with api.engine.begin() as connection:
                await put_alerts(connection, [an_alert(source=source, title=title)])
            answer = await _ask(api, people[number], query, of=[source])
            assert title in {node["title"] for node in answer["data"]["alerts"]["nodes"]}

    await asyncio.gather(*(write_and_read(number) for number in range(8)))


async def test_what_is_ones_own_is_asked_alone(api: Api) -> None:
    people = [await api.person(Role.VIEWER) for _ in range(3)]
    queries = [
        "{ me { id } }",
        "{ alerts { nodes { id assignedTo { email } } } }",
        "{ me { id } alerts { nodes { id } } }",
    ]
    for query in queries:
        with _held(is_held=False) as held:
            await asyncio.gather(*(_ask(api, who, query) for who in people))
        assert held.of == {str(who.id): 1 for who in people}


async def test_who_is_refused_hears_of_it_alone_and_spends_for_it(api: Api) -> None:
    people = [await api.person(Role.VIEWER) for _ in range(3)]
    query = '{ alerts(after: "nonsense") { nodes { id } } }'
    with _held() as held:
        first = asyncio.create_task(_ask(api, people[0], query))
        await held.begun.wait()
        others = [asyncio.create_task(_ask(api, who, query)) for who in people[1:]]
        await _all_wait(api, 2)
        held.let_go.set()
        answers = await asyncio.gather(first, *others)
    assert [answer["errors"][0]["extensions"]["code"] for answer in answers] == ["INVALID_INPUT"] * 3
    assert held.of == {str(NOBODY): 1, **{str(who.id): 1 for who in people}}


async def test_a_fault_of_ours_is_told_to_each_with_their_own_reference(api: Api) -> None:
    people = [await api.person(Role.VIEWER) for _ in range(3)]
    with _held() as held, patch("graphql_api.alerts.direct_answers.read_rows", side_effect=RuntimeError("broken")):
        asked = [asyncio.create_task(api.post(PLAIN, {"of": []}, who=who)) for who in people]
        await _all_wait(api, 2)
        held.let_go.set()
        responses = await asyncio.gather(*asked)
    for response in responses:
        (error,) = response.json()["errors"]
        assert error["extensions"]["reference"] == response.headers["x-request-id"]


async def test_an_outage_is_told_to_all_who_wait(api: Api) -> None:
    people = [await api.person(Role.VIEWER) for _ in range(4)]
    with _held() as held, patch("graphql_api.alerts.direct_answers.read_rows", side_effect=OSError("gone")):
        asked = [asyncio.create_task(_ask(api, who, PLAIN, of=[])) for who in people]
        await _all_wait(api, 3)
        held.let_go.set()
        answers = await asyncio.gather(*asked)
    assert {answer["errors"][0]["extensions"]["code"] for answer in answers} == {"OVERLOADED"}
    assert held.together == 1


async def test_who_wants_the_cost_is_told_it_and_the_others_are_not(api: Api) -> None:
    people = [await api.person(Role.VIEWER) for _ in range(3)]
    body = {"query": PLAIN, "variables": {"of": ["nowhere"]}}
    with _held() as held:
        first = asyncio.create_task(_ask(api, people[0], PLAIN, of=["nowhere"]))
        await held.begun.wait()
        headers = {**api.headers(people[1]), "x-tocsin-cost": "1"}
        curious = asyncio.create_task(api.http.post("/graphql", json=body, headers=headers))
        plain = asyncio.create_task(_ask(api, people[2], PLAIN, of=["nowhere"]))
        await _all_wait(api, 2)
        held.let_go.set()
        assert (await curious).json()["extensions"]["cost"]["operation"] == 26
        assert "extensions" not in await plain
        assert "extensions" not in await first


async def test_what_was_stopped_tells_its_cost_as_well(api: Api) -> None:
    who = await api.person(Role.VIEWER)
    headers = {**api.headers(who), "x-tocsin-cost": "1"}
    stopped = api.settings.model_copy(update={"graphql_timeout": timedelta(milliseconds=50)})
    # What never ends is stopped, however long the machine takes.
    with _held() as held, patch.object(api.state, "settings", stopped):
        response = await api.http.post("/graphql", json={"query": PLAIN, "variables": {"of": []}}, headers=headers)
    assert held.of == {str(who.id): 1}
    assert response.json()["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert response.json()["extensions"]["cost"]["operation"] == 26
    assert not _lines(api)
