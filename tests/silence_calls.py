"""How does a test of silences call the API? Alerts to hold, who holds them, and the conditions of an input."""

from tests.api import Api, Person


async def fire(api: Api, who: Person, **fields: object) -> str:
    """An open alert; its id."""
    made = await api.change("createAlert", {"title": "t", "severity": "HIGH", **fields}, "alert { id }", who=who)
    alert_id: str = made["alert"]["id"]
    return alert_id


async def holders(api: Api, who: Person, alert_id: str) -> list[str]:
    """The silences that hold an alert."""
    query = "query($id: ID!) { alert(id: $id) { suppression { silences { id } } } }"
    suppression = (await api.data(query, {"id": alert_id}, who=who))["alert"]["suppression"]
    return [] if suppression is None else [silence["id"] for silence in suppression["silences"]]


def equal(name: str, value: str, operator: str = "EQUAL") -> dict[str, str]:
    """A matcher."""
    return {"name": name, "value": value, "operator": operator}
