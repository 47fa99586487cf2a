"""Do the rehearsal and the look ahead know how people are told? (N5)."""

from uuid import UUID

import sqlalchemy as sa

from domain.identity.model import Role
from persistence.tables import contact_methods
from tests.api import Person
from tests.integration.contacts.text_night import Night, paged, with_phone

SIMULATE = """query($severity: Severity!) { simulateRouting(severity: $severity, at: "2030-01-07T23:30:00Z") {
  reached { user { id } messages { contactKind at held because } } } }"""
COVERAGE = "{ escalationCoverage { unverified { id } mailOnly { id } quiet { id } } }"


async def test_a_rehearsal_tells_by_what_and_what_would_be_held(night: Night, ann: Person) -> None:
    method_id = await with_phone(night, ann)
    await paged(night, ann)
    rule = {
        "severities": ["HIGH", "LOW"],
        "steps": [{"contactMethodId": method_id, "delay": "PT0S"}, {"contactMethodId": str(ann.id), "delay": "PT5M"}],
    }
    await night.api.change("setNotificationRules", {"rules": [rule]}, "preferences { version }", who=ann)
    quiet = {"starts": "22:00", "ends": "07:00", "zone": "UTC"}
    await night.api.change("setQuietHours", {"quietHours": quiet}, "preferences { version }", who=ann)

    async def messages(severity: str, who: Person) -> list[tuple[str, str, bool]] | None:
        (step,) = (await night.api.data(SIMULATE, {"severity": severity}, who=who))["simulateRouting"]
        (reached,) = step["reached"]
        assert reached["user"]["id"] == str(ann.id)
        found = reached["messages"]
        return None if found is None else [(one["contactKind"], one["at"], one["held"] is not None) for one in found]

    assert await messages("HIGH", ann) == [
        ("SMS", "2030-01-07T23:30:00Z", False),
        ("EMAIL", "2030-01-07T23:35:00Z", False),
    ]
    assert await messages("LOW", await night.api.person(Role.MANAGER)) == [
        ("SMS", "2030-01-08T07:00:00Z", True),
        ("EMAIL", "2030-01-08T07:00:00Z", True),
    ]
    assert await messages("LOW", await night.api.person(Role.OPERATOR)) is None, "how a colleague is told is theirs"


async def test_the_look_ahead_names_who_may_not_wake(night: Night, ann: Person) -> None:
    bob = await night.api.person(Role.OPERATOR)
    await with_phone(night, ann)
    await paged(night, ann, bob)
    quiet = {"starts": "22:00", "ends": "07:00", "zone": "UTC", "floor": "CRITICAL"}
    await night.api.change("setQuietHours", {"quietHours": quiet}, "preferences { version }", who=ann)
    (found,) = (await night.api.data(COVERAGE, who=bob))["escalationCoverage"]
    assert found == {
        "unverified": [{"id": str(bob.id)}],
        "mailOnly": [{"id": str(bob.id)}],
        "quiet": [{"id": str(ann.id)}],
    }


WORST = "{ escalationCoverage { worst worstAt worstSeverity unreached { startsAt endsAt } } }"


async def test_the_worst_time_counts_rules_nights_and_what_was_proved(night: Night, ann: Person) -> None:
    await paged(night, ann, minutes=2)

    async def worst() -> tuple[str | None, str | None, bool]:
        (found,) = (await night.api.data(WORST, who=ann))["escalationCoverage"]
        return found["worst"], found["worstSeverity"], bool(found["unreached"])

    assert await worst() == (None, None, True), "mail that nobody proved is nothing"
    phone = await with_phone(night, ann)
    # The phone is not told of medium and low ones, of which mail alone tells.
    assert await worst() == (None, None, True)
    every = ["CRITICAL", "HIGH", "MEDIUM", "LOW"]
    rule = {"severities": every, "steps": [{"contactMethodId": phone, "delay": "PT5M"}]}
    await night.api.change("setNotificationRules", {"rules": [rule]}, "preferences { version }", who=ann)
    assert await worst() == ("PT7M", "CRITICAL", False)
    quiet = {"starts": "22:00", "ends": "07:00", "zone": "UTC", "floor": "HIGH"}
    await night.api.change("setQuietHours", {"quietHours": quiet}, "preferences { version }", who=ann)
    assert await worst() == ("PT9H7M", "MEDIUM", False), "from the last minute that is sent before the night"
    async with night.api.engine.begin() as connection:
        table = contact_methods
        await connection.execute(sa.update(table).where(table.c.id == UUID(phone)).values(disabled_at=night.now))
    assert await worst() == (None, None, True), "a method that was given up reaches nobody"
