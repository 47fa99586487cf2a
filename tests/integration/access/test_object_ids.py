"""Every id the API takes, with an object of somebody else's private team: it answers as if there were none.

OWASP API1:2023 (broken object level authorization), ASVS 5.0 8.2.2, 8.4.1. The arguments are found in the schema:
whatever ends in `id` or `ids`, however deep in an input. Each is given every kind of object, so no list has to say what
it names.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

import pytest
import pytest_asyncio
import sqlalchemy as sa
from graphql import GraphQLInputObjectType, GraphQLInputType, get_named_type

from domain.access.scopes import Scope
from domain.identity.model import Role
from domain.ids import new_id
from graphql_api.permissions import ROOT_FIELDS
from tests.api import Api, Person
from tests.api_keys import own_key
from tests.schema_operations import every_field, operation, root_field, value_for

pytestmark = pytest.mark.asyncio(loop_scope="module")
_ID = re.compile(r"(^i|I)ds?$")
DEEPEST = 3
# Ids, times, keys.
_NEW_EACH_TIME = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|tc[a-z]_[\w-]*"
)


class Place(NamedTuple):
    """One argument that takes an id: the field, and the way to it through inputs."""

    root: str
    field: str
    path: tuple[str, ...]


def _ids_of(kind: GraphQLInputType, depth: int = 0) -> Iterator[tuple[str, ...]]:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType) and depth < DEEPEST:
        for name, field in named.fields.items():
            if _ID.search(name) and get_named_type(field.type).name in {"ID", "UUID"}:
                yield (name,)
            else:
                yield from ((name, *rest) for rest in _ids_of(field.type, depth + 1))


def places() -> Iterator[Place]:
    for root, name in every_field():
        if root == "Subscription":
            continue
        for argument, definition in root_field(root, name).args.items():
            if _ID.search(argument) and get_named_type(definition.type).name == "ID":
                yield Place(root, name, (argument,))
            yield from (Place(root, name, (argument, *rest)) for rest in _ids_of(definition.type))


def _filled(place: Place, id_: str) -> dict[str, Any]:
    """The arguments of the field with the id at its place, and what the types need around it."""
    argument, *rest = place.path
    kind: Any = root_field(place.root, place.field).args[argument].type
    return {argument: _value(kind, rest, id_)}


def _value(kind: Any, path: list[str], id_: str) -> Any:  # noqa: ANN401 - any JSON
    is_list = "[" in str(kind)
    named = get_named_type(kind)
    if not path:
        return [id_] if is_list else id_
    assert isinstance(named, GraphQLInputObjectType)
    around = {} if named.is_one_of else value_for(named)
    made = {**around, path[0]: _value(named.fields[path[0]].type, path[1:], id_)}
    return [made] if is_list else made


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def outsider(api: Api) -> Person:
    """A manager, and not of the team: all but administration is open to them, and the team is not."""
    return await api.person(Role.MANAGER, teams=(await api.team("Outside"),))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def hidden(api: Api, admin: Person) -> dict[str, str]:
    """One object of each kind that belongs to a private team, or to another person."""
    team = await api.team("Hidden", is_private=True)
    what: dict[str, object] = {"title": "Secret", "severity": "LOW", "source": "x", "teamId": str(team.id)}
    alert = (await api.change("createAlert", what, "alert { id }", who=admin))["alert"]["id"]
    what = {"name": "Secret door", "source": "GENERIC", "defaultTeamId": str(team.id)}
    made = await api.change("createIntegration", what, "key integration { id keys { id } }", who=admin)
    headers = {"x-api-key": made["key"]}
    posted = (await api.http.post("/webhooks/generic", json={"title": "x"}, headers=headers)).json()
    assert (await api.http.post("/webhooks/generic", content=b"{", headers=headers)).status_code == 400
    files = {"file": ("a.txt", b"secret", "text/plain")}
    sent = await api.http.post(f"/attachments/{alert}", files=files, headers=api.headers(admin))
    own = await own_key(api, admin, [Scope.ALERTS_READ])
    found = {
        "team": str(team.id),
        "alert": alert,
        "integration": made["integration"]["id"],
        "integration key": made["integration"]["keys"][0]["id"],
        "receipt": posted["receiptId"],
        "attachment": sent.json()["id"],
        "api key": own["apiKey"]["id"],
        "session": str(admin.session_id),
    }
    what = {
        "name": "Secret rule",
        "teamId": str(team.id),
        "condition": {"measure": "COUNT", "window": "PT5M", "raiseAt": 5},
        "alert": {"title": "x", "severity": "LOW"},
    }
    found["threshold rule"] = (await api.change("createThresholdRule", what, "rule { id }", who=admin))["rule"]["id"]
    what = {"name": "Secret job", "teamId": str(team.id), "interval": "PT1H"}
    made = await api.change("createHeartbeat", what, "heartbeat { id }", who=admin)
    found["heartbeat"] = made["heartbeat"]["id"]
    async with api.engine.begin() as connection:
        rejected = (await connection.execute(sa.text("SELECT id FROM rejected_items"))).scalar_one()
        group = new_id()
        await connection.execute(
            sa.text(
                "INSERT INTO alert_groups (id, title, created_at, updated_at) VALUES (:id, 'Secret', now(), now())"
            ),
            {"id": group},
        )
        await connection.execute(
            sa.text("UPDATE alerts SET group_id = :group WHERE id = :id"), {"group": group, "id": UUID(alert)}
        )
    return {**found, "rejected item": str(rejected), "group": str(group)}


async def _answer(api: Api, who: Person, place: Place, id_: str) -> str:
    text, variables = operation(place.root, place.field, _filled(place, id_), depth=3)
    given = json.dumps(await api.ask(text, variables, who=who))
    for code in ("INTERNAL", "LIMIT_EXCEEDED", "BAD_REQUEST"):
        assert f'"{code}"' not in given, given
    # What a field makes anew each time differs, whatever it was given.
    return _NEW_EACH_TIME.sub("…", given)


@pytest.mark.parametrize("place", list(places()), ids=lambda place: f"{place.field}.{'.'.join(place.path)}")
async def test_what_is_anothers_answers_as_what_is_not(
    api: Api, outsider: Person, hidden: dict[str, str], place: Place
) -> None:
    absent = await _answer(api, outsider, place, str(new_id()))
    for kind, id_ in hidden.items():
        assert await _answer(api, outsider, place, id_) == absent, kind


async def test_each_of_them_is_there_for_who_may_see_it(api: Api, admin: Person, hidden: dict[str, str]) -> None:
    """Without this the test above would pass for objects that are not there at all. It ends some: it comes last."""
    pairs = {"integration key", "attachment"}  # found only together with what they are part of
    for kind, id_ in hidden.items():
        found = False
        for place in places():
            if kind in pairs or found:
                break
            absent = await _answer(api, admin, place, str(new_id()))
            found = await _answer(api, admin, place, id_) != absent
        assert found or kind in pairs, kind


@pytest.mark.parametrize(
    "place",
    [place for place in places() if ROOT_FIELDS[place.root][place.field].in_team],
    ids=lambda place: f"{place.field}.{'.'.join(place.path)}",
)
async def test_a_role_in_one_team_is_none_in_another(api: Api, admin: Person, place: Place) -> None:
    """OWASP API5:2023: who manages a team, and is a viewer else, changes nothing of another team they can see."""
    mine, other = await api.team(f"Mine {new_id()}"), await api.team(f"Other {new_id()}")
    person = await api.person(Role.VIEWER)
    what = {"teamId": str(mine.id), "userId": str(person.id), "role": "MANAGER"}
    assert (await api.change("addTeamMember", what, "team { id }", who=admin))["__typename"] == "AddTeamMemberSuccess"
    text, variables = operation(place.root, place.field, _filled(place, str(other.id)))
    answer = (await api.data(text, variables, who=person))[place.field]
    assert answer["code"] in {"FORBIDDEN", "NOT_FOUND", "INVALID_INPUT"}, answer


async def test_the_arguments_are_found() -> None:
    found = {f"{place.field}.{'.'.join(place.path)}" for place in places()}
    assert {"alert.id", "alerts.filter.teamId", "createAlert.input.teamId", "acknowledgeAlerts.input.ids"} <= found
    assert len(found) > 30
