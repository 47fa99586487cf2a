"""A refusal is on the audit log, and a change of role counts at once (P2, T5).

Every field as every role: tests/integration/access/test_every_field.py.
"""

import pytest
import pytest_asyncio
import sqlalchemy as sa

from domain.identity.model import Role
from persistence.tables import audit_log
from tests.api import Api, Person

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def people(api: Api) -> dict[Role, Person]:
    """One of each role."""
    return {role: await api.person(role) for role in Role}


async def test_a_refused_mutation_is_on_the_audit_log_before_the_answer(api: Api, people: dict[Role, Person]) -> None:
    viewer = people[Role.VIEWER]
    headers = {**api.headers(viewer), "x-request-id": "refused-1"}
    query = 'mutation { createTeam(input: {name: "Mine"}) { ... on Forbidden { message code } } }'
    response = await api.http.post("/graphql", json={"query": query}, headers=headers)
    assert response.json()["data"]["createTeam"] == {
        "message": "createTeam needs the role manager or higher; yours is viewer",
        "code": "FORBIDDEN",
    }
    async with api.engine.connect() as connection:
        entry = (await connection.execute(sa.select(audit_log).where(audit_log.c.request_id == "refused-1"))).one()
    assert (entry.action, entry.outcome, entry.actor_id) == ("createTeam", "refused", viewer.id)


async def test_a_role_that_changes_counts_from_the_next_operation(api: Api) -> None:
    person = await api.person(Role.MANAGER)
    assert (await api.change("createTeam", {"name": "Before"}, "team { id }", who=person))["team"]
    async with api.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE users SET role = 'viewer' WHERE id = :id"), {"id": person.id})
    refused = await api.change("createTeam", {"name": "After"}, "team { id }", who=person)
    assert refused["code"] == "FORBIDDEN"


async def test_a_field_below_the_root_may_need_more_than_its_parent(api: Api, people: dict[Role, Person]) -> None:
    await api.change("createIntegration", {"name": "Keys", "source": "GENERIC"}, "key", who=people[Role.MANAGER])
    query = "{ integrations { name keys { prefix } } }"
    assert await api.code(query, who=people[Role.OPERATOR]) == "FORBIDDEN"
    shown = (await api.data(query, who=people[Role.MANAGER]))["integrations"][0]["keys"][0]["prefix"]
    assert shown.startswith("tcs_")
    assert len(shown) == 10
