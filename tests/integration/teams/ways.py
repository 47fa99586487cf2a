"""What does a test of teams do again and again? Say what a team owns, post to an integration, ask for an alert."""

from typing import TYPE_CHECKING, Any

from domain.identity.model import Role, Team
from tests.api import Api, Person
from tests.waiting import until_true

if TYPE_CHECKING:
    import httpx2

ALERT = """query($id: ID!) { alert(id: $id) {
  id team { name } assignedTo { id } version
  decisions { __typename ... on Explanation { reason } ... on TeamDecision { team { name } rule ownershipVersion } }
  timeline { nodes { kind changes { field before after } } } } }"""


async def own(api: Api, who: Person, team: Team, *lines: dict[str, Any]) -> dict[str, Any]:
    """Say what a team owns."""
    shown = "team { version ownership { service matchers rank } }"
    return await api.change("setTeamOwnership", {"teamId": str(team.id), "ownership": list(lines)}, shown, who=who)


async def door(api: Api, who: Person, **more: object) -> str:
    """A new integration's key."""
    made = await api.change("createIntegration", {"name": "Tool", "source": "GENERIC", **more}, "key", who=who)
    key: str = made["key"]
    return key


async def post(api: Api, key: str, *items: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of each item; waits until the key is known."""
    answers: list[httpx2.Response] = []

    async def is_taken() -> bool:
        headers = {"authorization": f"Bearer {key}"}
        answers.append(await api.http.post("/webhooks/generic", json=list(items), headers=headers))
        return answers[-1].status_code < 400

    await until_true(is_taken)
    found: list[dict[str, Any]] = answers[-1].json()["alerts"]
    return found


async def posted(api: Api, key: str, **item: object) -> str:
    """The id of the alert that one item opened."""
    (made,) = await post(api, key, {"title": "Disk full", "dedup_key": str(item), **item})
    alert_id: str = made["alertId"]
    return alert_id


async def alert(api: Api, alert_id: str, who: Person) -> dict[str, Any] | None:
    """The alert as somebody sees it."""
    found: dict[str, Any] | None = (await api.data(ALERT, {"id": alert_id}, who=who))["alert"]
    return found


async def team_of(api: Api, alert_id: str, who: Person) -> str | None:
    """The name of the alert's team."""
    found = await alert(api, alert_id, who)
    assert found is not None
    return None if found["team"] is None else found["team"]["name"]


async def member(api: Api, admin: Person, team: Team, role: Role, team_role: Role) -> Person:
    """Somebody with a role everywhere and another in the team."""
    made = await api.person(role)
    joined = {"teamId": str(team.id), "userId": str(made.id), "role": team_role.name}
    answer = await api.change("addTeamMember", joined, "team { id }", who=admin)
    assert answer["__typename"] == "AddTeamMemberSuccess", answer
    return made
