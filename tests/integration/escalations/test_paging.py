"""Does the right person get one mail at the right time, with a link that answers? (A4, N1, N4, N5)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.alerts.model import Severity
from domain.escalations.answer import LIFETIME, Answer, AnswerLinks
from domain.identity.model import Role, Team
from jobs.due import time_out_answers
from jobs.paging import ANSWER_KEY, page, watch_steps
from persistence.tables import alerts
from tests.api import Api, Person
from tests.integration.escalations.night import LINK, MINUTE, Night, policy, step, told


async def test_the_first_is_told_at_once_and_the_next_when_nobody_answers(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)))
    alert_id = await night.alert(title="Payments down")
    assert await night.tick() == ["ann@example.com [CRITICAL] Payments down (shop)"]
    assert await night.tick(4 * MINUTE) == []
    assert await night.tick(MINUTE) == ["bob@example.com [CRITICAL] Payments down (shop)"]
    assert await night.tick(60 * MINUTE) == []
    found = await told(api, manager, alert_id)
    assert found["escalations"] == [
        {
            "state": "EXHAUSTED",
            "position": 2,
            "nextAt": None,
            "reason": "nobody answered, and there is no further step",
            "policy": {"name": "Wake somebody"},
        }
    ]
    assert [(one["user"]["id"], one["state"], one["why"]) for one in found["notifications"]] == [
        (str(ann.id), "SENT", "step 1: you are named by it"),
        (str(bob.id), "SENT", "step 2: you are named by it"),
    ]


async def test_an_answer_stops_it_and_a_resolve_is_told_to_those_who_were_told(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(5, ("USER", bob.id)))
    alert_id = await night.alert()
    assert len(await night.tick()) == 1
    await night.move(alert_id, status="acknowledged")
    assert await night.tick(10 * MINUTE) == []
    assert (await told(api, manager, alert_id))["escalations"][0]["state"] == "PAUSED"
    await night.move(alert_id, status="resolved")
    assert await night.tick() == ["ann@example.com [RESOLVED] disk full (shop)"]
    await night.look(alert_id)
    assert await night.tick(5 * MINUTE) == [], "it is told once"
    assert (await told(api, manager, alert_id))["escalations"][0]["state"] == "FINISHED"


async def test_an_answer_that_nothing_followed_stops_to_count(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)), step(30, ("USER", bob.id)), ackTimeout="PT1H")
    alert_id = await night.alert()
    assert len(await night.tick()) == 1
    await api.change("acknowledgeAlert", {"id": alert_id}, "alert { status }", who=ann)
    await night.look(alert_id)
    assert await night.tick(59 * MINUTE) == []
    assert await time_out_answers(night.engine, api.settings, night.now) == 0
    night.now += 2 * MINUTE
    assert await time_out_answers(night.engine, api.settings, night.now) == 1
    assert await time_out_answers(night.engine, api.settings, night.now) == 0, "once"
    await night.look(alert_id)
    assert [mail.split()[0] for mail in await night.tick()] == ["bob@example.com"], "the next step fires at once"
    kinds = "query($id: ID!) { alert(id: $id) { status timeline { nodes { kind } } } }"
    found = (await api.data(kinds, {"id": alert_id}, who=ann))["alert"]
    assert found["status"] == "ACTIVE"
    assert found["timeline"]["nodes"][-1]["kind"] == "UNACKNOWLEDGED"


async def test_an_answer_between_the_step_and_the_mail_spares_the_mail(
    api: Api, manager: Person, ann: Person, night: Night
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    await night.alert(title="first")
    assert len(await night.tick()) == 1
    second = await night.alert(title="second")
    assert await night.tick() == [], "within the minute nothing more goes to the same person"
    await night.move(second, status="acknowledged")
    assert await night.tick(api.settings.notification_spacing) == []
    (notification,) = (await told(api, manager, second))["notifications"]
    assert (notification["state"], notification["problem"]) == ("DROPPED", "somebody has answered")


async def test_an_alert_that_went_out_of_sight_is_not_told(
    api: Api, manager: Person, ann: Person, night: Night
) -> None:
    """What a private team owns leaves in no mail to who is not in it. API1:2023."""
    await policy(api, manager, step(0, ("USER", ann.id)))
    await night.alert(title="first")
    assert len(await night.tick()) == 1
    second = await night.alert(title="second")
    assert await night.tick() == []
    secret = await api.team("Secret", is_private=True)
    async with night.engine.begin() as connection:
        await connection.execute(sa.update(alerts).where(alerts.c.id == UUID(second)).values(team_id=secret.id))
    assert await night.tick(2 * MINUTE) == []
    problem = await night.database.fetchval("SELECT problem FROM notifications WHERE state = 'dropped'")
    assert problem == "the person may no longer see the alert"


async def test_a_storm_is_one_mail_at_once_and_one_for_the_rest(
    api: Api, manager: Person, ann: Person, night: Night
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    await night.alert(title="the first")
    assert len(await night.tick()) == 1
    for number in range(200):
        await night.alert(title=f"another {number}", severity=Severity.LOW)
    assert await night.tick() == []
    (mail,) = await night.tick(api.settings.notification_spacing)
    assert mail.endswith("and 199 more")


async def test_who_is_on_call_is_looked_up_when_the_step_fires(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    layer = {"participantIds": [str(ann.id)], "startsAt": "2020-01-06T09:00", "unit": "WEEK"}
    made = await api.change(
        "createSchedule", {"name": "Primary", "timeZone": "UTC", "layers": [layer]}, "schedule { id }", who=manager
    )
    schedule_id = made["schedule"]["id"]
    await policy(api, manager, step(10, ("SCHEDULE", schedule_id)))
    alert_id = await night.alert()
    now = api.clock.now()
    override = {
        "scheduleId": schedule_id,
        "userId": str(bob.id),
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=8)).isoformat(),
    }
    await api.change("createScheduleOverride", override, "overrideId", who=bob)
    assert [mail.split()[0] for mail in await night.tick(11 * MINUTE)] == ["bob@example.com"]
    (notification,) = (await told(api, manager, alert_id))["notifications"]
    assert notification["why"] == "step 1: you are on call by the schedule Primary"


async def test_a_step_that_reaches_nobody_is_skipped_at_once(
    api: Api, manager: Person, ann: Person, bob: Person, night: Night
) -> None:
    empty = await api.team("Empty")
    full: Team = await api.team("Full")
    await api.person(Role.VIEWER, email="cy@example.com", teams=(full,))
    await policy(api, manager, step(0, ("TEAM", empty.id)), step(30, ("TEAM", full.id)))
    await night.alert()
    assert [mail.split()[0] for mail in await night.tick()] == ["cy@example.com"]


async def test_a_step_that_did_not_fire_is_told_in_the_log(
    api: Api, manager: Person, ann: Person, night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    await night.alert()
    await watch_steps(night.engine, api.settings, night.now + timedelta(seconds=30))
    assert "overdue" not in capsys.readouterr().out
    await watch_steps(night.engine, api.settings, night.now + 2 * MINUTE)
    assert "escalation steps are overdue" in capsys.readouterr().out
    await night.tick(2 * MINUTE)
    await watch_steps(night.engine, api.settings, night.now + 2 * MINUTE)
    assert "overdue" not in capsys.readouterr().out


async def test_two_workers_at_once_tell_once(api: Api, manager: Person, ann: Person, night: Night) -> None:

    await policy(api, manager, step(0, ("USER", ann.id)))
    for number in range(20):
        await night.alert(title=f"alert {number}")
    await asyncio.gather(*[page(night.engine, api.settings, night.now) for _ in range(4)])
    mails = await night.mails()
    assert len(mails) == 1
    assert mails[0].subject.endswith("and 19 more")


async def test_a_silenced_or_snoozed_alert_wakes_nobody_until_it_is_not(
    api: Api, manager: Person, ann: Person, night: Night
) -> None:
    await policy(api, manager, step(0, ("USER", ann.id)))
    alert_id = await night.alert(snoozed_until=night.now + timedelta(hours=1))
    assert await night.tick() == []
    await night.move(alert_id, snoozed_until=None, suppressed_by=[ann.id])
    assert await night.tick(2 * MINUTE) == []
    await night.move(alert_id, suppressed_by=[])
    assert len(await night.tick(2 * MINUTE)) == 1


async def test_the_link_shows_first_and_acts_on_the_button(
    api: Api, manager: Person, ann: Person, night: Night
) -> None:
    """A scanner that opens the link answers nothing. ASVS 5 V2.1."""
    await policy(api, manager, step(0, ("USER", ann.id)))
    alert_id = await night.alert(title="<b>Payments & more</b>")
    await night.tick()
    found = LINK.search(night.texts[0])
    assert found is not None
    shown = await api.http.get(found[1])
    assert shown.status_code == 200
    assert "&lt;b&gt;Payments &amp; more&lt;/b&gt;" in shown.text
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    status = "query($id: ID!) { alert(id: $id) { status timeline { nodes { kind actor { ... on User { id } } } } } }"
    assert (await api.data(status, {"id": alert_id}, who=ann))["alert"]["status"] == "ACTIVE"
    done = await api.http.post(found[1])
    assert "Acknowledged" in done.text
    assert (await api.data("query($id: ID!) { alert(id: $id) { status } }", {"id": alert_id}, who=ann))["alert"] == {
        "status": "ACKNOWLEDGED"
    }
    again = await api.http.post(found[1])
    assert again.status_code == 200
    assert "It is acknowledged." in again.text


async def test_a_link_of_a_viewer_or_of_one_who_left_answers_nothing(api: Api, night: Night, manager: Person) -> None:
    """The link gives no more than the person's role does. API5:2023."""
    viewer = await api.person(Role.VIEWER)
    alert_id = await night.alert()
    links = AnswerLinks(api.settings.derived_key(ANSWER_KEY))

    def link(user_id: UUID, episode: int = 1) -> str:
        answer = Answer(
            alert_id=UUID(alert_id), episode=episode, user_id=user_id, expires_at=api.clock.now() + LIFETIME
        )
        return f"/answer?token={links.token(answer)}"

    assert (await api.http.post(link(viewer.id))).status_code == 403
    assert (await api.http.post(link(manager.id, episode=2))).status_code == 410
    assert (await api.http.post("/answer?token=made-up")).status_code == 410
    async with night.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE users SET is_active = false WHERE id = :id"), {"id": manager.id})
    assert (await api.http.post(link(manager.id))).status_code == 410


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"steps": []}, ["steps"]),
        ({"severities": []}, ["severities"]),
        ({"repeats": 10}, ["repeats"]),
        ({"name": ""}, ["name"]),
    ],
)
async def test_what_is_wrong_with_a_policy_is_named(
    api: Api, manager: Person, ann: Person, change: dict[str, Any], path: list[str]
) -> None:
    what = {"name": "P", "steps": [step(0, ("USER", ann.id))], **change}
    answer = await api.change("createEscalationPolicy", what, "policy { id }", who=manager)
    assert (answer["code"], answer["path"]) == ("INVALID_INPUT", path)


async def test_a_target_that_is_not_there_is_named_and_one_out_of_sight_looks_the_same(
    api: Api, manager: Person
) -> None:
    """What is out of sight looks like what is not there. API1:2023."""
    secret = await api.team("Secret", is_private=True)
    for target in (("TEAM", secret.id), ("USER", "01934c00-0000-7000-8000-000000000000"), ("SCHEDULE", "x")):
        what = {"name": "P", "steps": [step(0, target)]}
        answer = await api.change("createEscalationPolicy", what, "policy { id }", who=manager)
        assert (answer["code"], answer["path"]) == ("INVALID_INPUT", ["steps", "0", "targets", "0"])
        assert answer["message"].startswith("no such")


async def test_a_policy_is_its_teams_managers_to_change(api: Api, ann: Person, manager: Person) -> None:
    """Function level authorisation. API5:2023."""
    made = await policy(api, manager, step(0, ("USER", ann.id)))
    for field, what in (
        ("createEscalationPolicy", {"name": "Q", "steps": [step(0, ("USER", ann.id))]}),
        ("updateEscalationPolicy", {"id": made["id"], "name": "R"}),
        ("archiveEscalationPolicy", {"id": made["id"]}),
    ):
        assert (await api.change(field, what, "__typename", who=ann))["code"] == "FORBIDDEN"
    changed = await api.change(
        "updateEscalationPolicy",
        {"id": made["id"], "name": "R", "expectedVersion": 1},
        "policy { version }",
        who=manager,
    )
    assert changed["policy"]["version"] == 2
    ending = {"id": made["id"], "evenIfItOpensGaps": True}
    await api.change("archiveEscalationPolicy", ending, "policy { id }", who=manager)
    assert (await api.data("{ escalationPolicies { id } }", who=manager))["escalationPolicies"] == []


async def test_an_alert_that_went_to_another_team_is_that_teams_to_answer(
    api: Api, night: Night, ann: Person, bob: Person
) -> None:
    web, vault = await api.team("Web"), await api.team("Vault", is_private=True)
    boss = await api.person(Role.ADMIN)
    await policy(api, boss, step(0, ("USER", ann.id)), step(10, ("USER", ann.id)), teamId=str(web.id))
    keeper = await api.person(Role.OPERATOR, email="keeper@example.com", teams=(vault,))
    await policy(api, boss, step(1, ("USER", keeper.id)), teamId=str(vault.id))
    alert_id = await night.alert(team_id=web.id)
    assert [one.split()[0] for one in await night.tick()] == ["ann@example.com"]
    await api.change("moveAlert", {"id": alert_id, "teamId": str(vault.id)}, "alert { id }", who=boss)
    await night.look(alert_id)
    assert [one.split()[0] for one in await night.tick(15 * MINUTE)] == ["keeper@example.com"]
    await api.change("moveAlert", {"id": alert_id, "teamId": str(web.id)}, "alert { id }", who=boss)
    await night.look(alert_id)
    assert [one.split()[0] for one in await night.tick()] == ["ann@example.com"]
