"""Does the first page leave before all else, news not as forty messages, and the night's as one? (N3, N5)."""

import re
from datetime import timedelta
from typing import Any

from domain.alerts.model import Severity
from domain.contacts.model import ContactKind
from domain.contacts.pacing import PACES
from domain.identity.model import Role
from domain.mail.delivery import Refused
from jobs.paging import page, settle_notifications
from persistence.mail import claim_mail, settle_mail
from tests.api import Api, Person
from tests.integration.routing.night import HOUR, MINUTE, Night, rule


async def be_quiet(api: Api, night: Night, who: Person, team_id: object, floor: str = "HIGH") -> dict[str, Any]:
    """The team, from an hour ago until in an hour."""
    starts, ends = ((night.now + shift).strftime("%H:%M:00") for shift in (-HOUR, HOUR))
    quiet = {"starts": starts, "ends": ends, "zone": "UTC", "floor": floor}
    made = {"teamId": str(team_id), "quietHours": quiet}
    answer = await api.change("setTeamQuietHours", made, "teamQuietHours { version }", who=who)
    assert answer["__typename"] == "SetTeamQuietHoursSuccess", answer
    found: dict[str, Any] = answer["teamQuietHours"]
    return found


async def test_what_a_teams_quiet_hours_hold_comes_as_one_and_the_reason_stays(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    team = await api.team("Web")
    await be_quiet(api, night, manager, team.id)
    await rule(api, manager, ("USER", ann.id), events=["OPENED", "RESOLVED"])
    held = await night.alert(team_id=team.id, severity=Severity.LOW, title="Certificate ends")
    await night.alert(team_id=team.id, severity=Severity.MEDIUM, title="Disk fills")
    over = await night.alert(team_id=team.id, severity=Severity.LOW, title="Over by then")
    assert await night.tick() == []
    await night.alert(severity=Severity.LOW, title="Of no team")
    assert await night.tick() == ["ann@example.com [LOW] Of no team (shop)"]
    await night.alert(team_id=team.id, severity=Severity.HIGH, title="Bad enough")
    assert await night.tick(MINUTE) == ["ann@example.com [HIGH] Bad enough (shop)"]
    await night.move(over, status="resolved")
    assert await night.tick(HOUR + MINUTE) == ["ann@example.com [MEDIUM] Disk fills (shop) and 1 more"]
    (told,) = await night.told(held, ann)
    assert told["state"] == "SENT"
    assert told["problem"] is None
    assert told["heldReason"].startswith("held by the team's quiet hours until ")
    assert told["heldReason"].endswith(" UTC: low is below high")
    assert told["heldUntil"] is not None


async def test_what_worsens_while_it_is_held_goes_at_once(api: Api, night: Night, manager: Person, ann: Person) -> None:
    team = await api.team("Web")
    await be_quiet(api, night, manager, team.id)
    await rule(api, manager, ("USER", ann.id))
    alert_id = await night.alert(team_id=team.id, severity=Severity.LOW)
    assert await night.tick() == []
    await night.move(alert_id, severity="critical", worsened=True)
    assert await night.tick(MINUTE) == ["ann@example.com [CRITICAL] Payments down (shop)"]
    (told,) = await night.told(alert_id, ann)
    assert told["heldReason"].endswith("; let go, for it is critical by now")


async def test_a_policys_steps_wait_for_the_teams_morning_as_well(api: Api, night: Night, ann: Person) -> None:
    team = await api.team("Web")
    admin = await api.person(Role.ADMIN)
    await be_quiet(api, night, admin, team.id)
    steps = [{"delay": "PT0S", "targets": [{"kind": "USER", "id": str(ann.id)}]}]
    made = {"name": "P", "teamId": str(team.id), "steps": steps}
    await api.change("createEscalationPolicy", made, "policy { id }", who=admin)
    await night.alert(team_id=team.id, severity=Severity.LOW)
    assert await night.tick() == []
    assert len(await night.tick(HOUR + MINUTE)) == 1


async def test_quiet_hours_of_a_team_are_its_managers_to_say(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    team = await api.team("Fraud", is_private=True)
    admin = await api.person(Role.ADMIN)
    assert (await be_quiet(api, night, admin, team.id))["version"] == 1
    quiet = {"starts": "22:00:00", "ends": "07:00:00", "zone": "Europe/Berlin"}
    shown = "teamQuietHours { version }"
    cases: list[tuple[Person, dict[str, Any], str]] = [
        (ann, {"quietHours": quiet}, "Forbidden"),
        (manager, {"quietHours": quiet}, "NotFound"),
        (admin, {"quietHours": {**quiet, "zone": "Europe/Atlantis"}}, "InvalidInput"),
        (admin, {"quietHours": {**quiet, "ends": "22:00:00"}}, "InvalidInput"),
        (admin, {"quietHours": quiet, "expectedVersion": 7}, "StaleVersion"),
        (admin, {"quietHours": None, "expectedVersion": 1}, "SetTeamQuietHoursSuccess"),
    ]
    for who, given, expected in cases:
        answer = await api.change("setTeamQuietHours", {"teamId": str(team.id), **given}, shown, who=who)
        assert answer["__typename"] == expected, answer
    asked = f'{{ teamQuietHours(teamId: "{team.id}") {{ version quietHours {{ zone }} }} }}'
    assert (await api.data(asked, who=ann))["teamQuietHours"] is None
    assert (await api.data(asked, who=admin))["teamQuietHours"] == {"version": 2, "quietHours": None}


async def test_the_first_page_of_a_problem_leaves_before_what_waits_longer(
    api: Api, night: Night, manager: Person, ann: Person, bob: Person
) -> None:
    await rule(api, manager, ("USER", ann.id), name="Ended", events=["RESOLVED"])
    await rule(api, manager, ("USER", bob.id), name="Opened", condition='alert.title == "New"')
    over = await night.alert(title="Old")
    await night.move(over, status="resolved")
    night.now += MINUTE
    await night.alert(title="New")
    await page(night.engine, api.settings, night.now)
    (first,) = await claim_mail(night.engine, limit=1, now=night.now + HOUR)
    (second,) = await claim_mail(night.engine, limit=1, now=night.now + HOUR)
    assert [first.mail.to, second.mail.to] == ["bob@example.com", "ann@example.com"]


async def test_news_wait_when_a_method_had_many_messages_and_a_page_takes_them_along(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    (pace,) = PACES[ContactKind.EMAIL]
    await rule(api, manager, ("USER", ann.id))
    for _ in range(pace.most // 2):
        alert_id = await night.alert()
        assert len(await night.tick(timedelta(seconds=61))) == 1
        await night.move(alert_id, status="resolved")
        assert len(await night.tick(timedelta(seconds=61))) == 1
    alert_id = await night.alert()
    assert len(await night.tick(timedelta(seconds=61))) == 1, "a page goes, whatever went before"
    await night.move(alert_id, status="resolved")
    assert await night.tick(2 * MINUTE) == []
    await night.alert(title="Next")
    assert await night.tick(MINUTE) == ["ann@example.com [CRITICAL] Next (shop) and 1 more"]


async def test_a_way_that_fails_is_followed_by_the_next_also_for_what_a_rule_decided(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    what = {"kind": "EMAIL", "address": "night@example.org"}
    method = (await api.change("addContactMethod", what, "contactMethod { id }", who=ann))["contactMethod"]
    mails = {one.mail.to: one.mail.text for one in await claim_mail(night.engine, limit=9, now=night.now + HOUR)}
    code = re.search(r"\d{6}", mails["night@example.org"])
    assert code is not None
    await api.change("verifyContactMethod", {"id": method["id"], "code": code[0]}, "contactMethod { id }", who=ann)
    steps = [{"contactMethodId": method["id"], "delay": "PT0S"}]
    rules = {"rules": [{"severities": ["CRITICAL"], "steps": steps}]}
    await api.change("setNotificationRules", rules, "preferences { version }", who=ann)
    await night.tick()
    night.now = api.clock.now()
    await rule(api, manager, ("USER", ann.id))
    alert_id = await night.alert()
    await page(night.engine, api.settings, night.now)
    (posted,) = await claim_mail(night.engine, limit=9, now=night.now + HOUR)
    assert posted.mail.to == "night@example.org"
    await settle_mail(night.engine, posted, Refused("550 no such mailbox", is_address=True), now=night.now)
    await settle_notifications(night.engine, api.settings, night.now)
    assert "ann@example.com [CRITICAL] Payments down (shop)" in await night.tick(2 * MINUTE)
    failed, sent = await night.told(alert_id, ann)
    assert (failed["state"], failed["problem"]) == ("FAILED", "550 no such mailbox")
    assert sent["state"] == "SENT"
    assert sent["why"].endswith("; another contact method failed")
    assert sent["routingRuleVersion"] == 1
