"""Can everybody find out why a phone rang, or did not? (N5)."""

from domain.alerts.model import AlertStatus, Severity
from domain.identity.model import Role
from tests.api import Person
from tests.integration.contacts.text_night import Night, paged, with_phone

WHY = """query($alertId: ID!, $userId: ID!) { whyNotified(alertId: $alertId, userId: $userId) {
  user { id } reasonsNot
  told { policy { name } round step notification { contactKind state why problem attempts } } } }"""


async def test_why_it_rang_and_why_not(night: Night, ann: Person) -> None:
    await with_phone(night, ann)
    bob = await night.api.person(Role.OPERATOR)
    early = await night.alert(status=AlertStatus.ACKNOWLEDGED)
    await paged(night, ann)
    alert_id = await night.alert(severity=Severity.CRITICAL)
    await night.tick()

    async def why(alert: str, who: Person) -> dict[str, object]:
        asked = {"alertId": alert, "userId": str(who.id)}
        found: dict[str, object] = (await night.api.data(WHY, asked, who=bob))["whyNotified"]
        return found

    assert await why(alert_id, ann) == {
        "user": {"id": str(ann.id)},
        "reasonsNot": [],
        "told": [
            {
                "policy": {"name": "Wake them"},
                "round": 1,
                "step": 1,
                "notification": {
                    "contactKind": kind,
                    "state": "SENT",
                    "why": f"step 1: you are named by it{more}",
                    "problem": None,
                    "attempts": attempts,
                },
            }
            for kind, more, attempts in (("EMAIL", "", 0), ("SMS", "; by all your contact methods", 1))
        ],
    }
    assert (await why(alert_id, bob))["reasonsNot"] == [
        (
            "Wake them: 1 of 1 steps fired, and none reached this person; "
            "exhausted: nobody answered, and there is no further step"
        )
    ]
    assert (await why(early, bob))["reasonsNot"] == ["no policy was set to work: somebody has answered"]
    asked = {"alertId": alert_id, "userId": alert_id}
    assert (await night.api.data(WHY, asked, who=bob))["whyNotified"] is None


async def test_a_private_teams_alert_is_explained_to_nobody_else(night: Night, ann: Person) -> None:
    """Object level authorisation. API1:2023."""
    team = await night.api.team("Secret", is_private=True)
    alert_id = await night.alert(team_id=team.id)
    asked = {"alertId": alert_id, "userId": str(ann.id)}
    assert (await night.api.data(WHY, asked, who=ann))["whyNotified"] is None
    admin = await night.api.person(Role.ADMIN)
    found = (await night.api.data(WHY, asked, who=admin))["whyNotified"]
    assert found["reasonsNot"][0].startswith("no policy takes alerts of this team")
