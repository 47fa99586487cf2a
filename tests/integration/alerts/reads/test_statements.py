"""What does a read or a change of many alerts cost? No statement an item."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from domain.ids import new_id
from tests.alert_builder import an_alert
from tests.alert_rows import put_group, put_integration
from tests.api import Api, Person
from tests.integration.alerts.reads.ways import put

pytestmark = pytest.mark.asyncio(loop_scope="module")


@contextmanager
def _statements(api: Api) -> Iterator[list[str]]:
    """The statements the application sends meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    engine = api.app.state.engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


async def test_a_page_costs_as_many_statements_with_forty_alerts_as_with_two(api: Api) -> None:
    operator = await api.person(Role.OPERATOR)
    team = await api.team(f"Team {new_id()}")
    async with api.engine.begin() as connection:
        group = await put_group(connection)
        integrations = [await put_integration(connection) for _ in range(4)]
    made = [
        an_alert(
            source="n+1",
            team_id=team.id,
            group_id=group,
            assigned_to=operator.id,
            integration_id=integrations[number % 4],
            suppressed_by=(new_id(),),
        )
        for number in range(40)
    ]
    await put(api, *made)
    for start in range(0, 40, 10):
        ids = [str(alert.id) for alert in made[start : start + 10]]
        await api.change("acknowledgeAlerts", {"ids": ids}, "results { id }", who=operator)
    query = """query($first: Int) { alerts(filter: {source: "n+1"}, first: $first) { totalCount nodes {
        assignedTo { name team { name } } team { name members { user { name } } } group { title alerts(first: 3) {
          nodes { id } } }
        integration { name defaultTeam { name } } suppression { silences { id } } attachments { id }
        decisions { __typename }
        timeline(first: 3) { totalCount nodes { cursor kind actor { __typename } alert { id } } } } } }"""
    costs = {}
    for first in (2, 40):
        with _statements(api) as sent:
            page = (await api.data(query, {"first": first}, who=operator))["alerts"]
        assert len(page["nodes"]) == first
        assert all(node["timeline"]["nodes"][0]["actor"]["__typename"] == "User" for node in page["nodes"])
        costs[first] = len(sent)
    assert 10 <= costs[2] <= 20
    # What two parts of the answer ask for at about the same time is one statement, or two.
    assert costs[40] <= costs[2] + 2


async def test_a_hundred_alerts_are_changed_in_a_handful_of_statements(api: Api) -> None:
    operator = await api.person(Role.OPERATOR)
    made = [an_alert(source="bulk") for _ in range(100)]
    await put(api, *made)
    ids = [str(alert.id) for alert in made]
    with _statements(api) as sent:
        answer = await api.change("resolveAlerts", {"ids": ids}, "results { alert { status } }", who=operator)
    assert {result["alert"]["status"] for result in answer["results"]} == {"RESOLVED"}
    assert 5 <= len(sent) <= 10


async def test_what_is_not_asked_is_not_counted(api: Api, viewer: Person) -> None:
    with _statements(api) as sent:
        await api.data("{ alerts(first: 1) { nodes { id } } }", who=viewer)
    assert any("FROM alerts" in statement for statement in sent)
    assert not any("count(" in statement for statement in sent)
