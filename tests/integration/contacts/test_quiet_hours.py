"""Does what can wait wait for the morning, and come then together, as far as it is still needed? (N3, N5)."""

from datetime import timedelta
from typing import Any

from domain.alerts.model import Severity
from domain.identity.model import Role
from tests.api import Person
from tests.integration.contacts.text_night import Night, paged, told, with_phone

HOUR = timedelta(hours=1)


async def be_quiet(night: Night, who: Person, floor: str = "HIGH") -> None:
    """From an hour ago until in an hour, and a bit."""
    starts, ends = ((night.now + shift).strftime("%H:%M:00") for shift in (-HOUR, HOUR))
    quiet = {"starts": starts, "ends": ends, "zone": "UTC", "floor": floor}
    answer = await night.api.change("setQuietHours", {"quietHours": quiet}, "preferences { version }", who=who)
    assert answer["__typename"] == "SetQuietHoursSuccess", answer


def pages(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["contactKind"], one["state"]) for one in found["notifications"] if one["kind"] == "PAGE"]


async def test_what_is_below_the_floor_comes_as_one_digest_when_it_is_over(night: Night, ann: Person) -> None:
    await be_quiet(night, ann)
    await paged(night, ann)
    waits, answered = (
        await night.alert(severity=Severity.MEDIUM, title="Disk fills"),
        await night.alert(severity=Severity.LOW, title="Certificate ends"),
    )
    also = await night.alert(severity=Severity.MEDIUM, title="Queue grows")
    assert await night.tick() == []
    (held,) = (await told(night, waits, ann))["notifications"]
    assert held["state"] == "HELD"
    assert held["problem"].startswith("held by quiet hours until ")
    assert held["problem"].endswith("UTC: medium is below high")
    assert held["nextAttemptAt"] is not None
    await night.move(answered, status="acknowledged")
    assert await night.tick(HOUR / 2) == []
    assert await night.tick(HOUR / 2 + timedelta(minutes=1)) == ["ann@example.com"], "one mail for both"
    assert pages(await told(night, waits, ann)) == pages(await told(night, also, ann)) == [("EMAIL", "SENT")]
    (dropped,) = (await told(night, answered, ann))["notifications"]
    assert (dropped["state"], dropped["problem"]) == ("DROPPED", "somebody has answered")


async def test_what_is_bad_enough_comes_at_once(night: Night, ann: Person) -> None:
    await with_phone(night, ann)
    await be_quiet(night, ann)
    await paged(night, ann)
    alert_id = await night.alert(severity=Severity.HIGH)
    assert await night.tick() == ["ann@example.com"]
    assert len(night.twilio.sent) == 1
    assert sorted(pages(await told(night, alert_id, ann))) == [("EMAIL", "SENT"), ("SMS", "SENT")]


async def test_rules_and_quiet_hours_are_checked_and_ones_own(night: Night, ann: Person) -> None:
    """Object level authorisation, and what cannot be meant. API1:2023."""
    method_id = await with_phone(night, ann)
    other = await night.api.person(Role.OPERATOR)
    rule = {"severities": ["LOW"], "steps": [{"contactMethodId": method_id, "delay": "PT0S"}]}

    async def code(field: str, what: dict[str, Any], who: Person = ann) -> str | None:
        answer = await night.api.change(field, what, "preferences { version }", who=who)
        return answer.get("code")

    assert await code("setNotificationRules", {"rules": [rule]}, who=other) == "INVALID_INPUT"
    assert await code("setNotificationRules", {"rules": [rule, rule]}) == "INVALID_INPUT", "the second never counts"
    assert await code("setNotificationRules", {"rules": [{**rule, "steps": []}]}) == "INVALID_INPUT"
    late = {"contactMethodId": method_id, "delay": "PT13H"}
    assert await code("setNotificationRules", {"rules": [{**rule, "steps": [late]}]}) == "INVALID_INPUT"
    for step, field in ((late, "delay"), ({"contactMethodId": "mine", "delay": "PT0S"}, "contactMethodId")):
        first = {"contactMethodId": method_id, "delay": "PT0S"}
        wrong_step = {"rules": [{**rule, "steps": [first, step]}]}
        answer = await night.api.change("setNotificationRules", wrong_step, "preferences { version }", who=ann)
        assert answer["path"] == ["rules", "0", "steps", "1", field]
    assert await code("setNotificationRules", {"rules": [rule], "expectedVersion": 0}) is None
    assert await code("setNotificationRules", {"rules": [], "expectedVersion": 0}) == "STALE_VERSION"
    quiet = {"starts": "22:00", "ends": "07:00", "zone": "Europe/Berlin"}
    for wrong in ({"zone": "Middle/Earth"}, {"ends": "22:00"}):
        assert await code("setQuietHours", {"quietHours": {**quiet, **wrong}}) == "INVALID_INPUT", wrong
    assert await code("setQuietHours", {"quietHours": quiet}) is None
    query = """query($id: ID!) { user(id: $id) { notificationPreferences {
      rules { severities steps { contactMethodId delay } } quietHours { starts ends zone floor } version } } }"""
    shown = await night.api.data(query, {"id": str(ann.id)}, who=ann)
    assert shown["user"]["notificationPreferences"] == {
        "rules": [{"severities": ["LOW"], "steps": [{"contactMethodId": method_id, "delay": "PT0S"}]}],
        "quietHours": {**quiet, "floor": "HIGH"},
        "version": 2,
    }
    assert await night.api.code(query, {"id": str(ann.id)}, who=other) == "FORBIDDEN"
    assert await code("setQuietHours", {"quietHours": None}) is None
