"""What would leave alerts to nobody is refused with the list, unless it is meant (issue 7: proof of page-ability)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.identity.model import Role
from domain.ids import new_id
from persistence.tables import contact_methods, users
from tests.api import Api, Person

REFUSED = "__typename } ... on WouldOpenGaps { gaps { teamId severities startsAt endsAt }"


async def schedule(api: Api, manager: Person, *people: Person, name: str = "Primary") -> str:
    layer = {"participantIds": [str(one.id) for one in people], "startsAt": "2020-01-06T00:00", "unit": "DAY"}
    what = {"name": name, "timeZone": "UTC", "layers": [layer]}
    return str((await api.change("createSchedule", what, "schedule { id }", who=manager))["schedule"]["id"])


async def policy(api: Api, manager: Person, kind: str, id_: object, **more: object) -> str:
    steps = [{"delay": "PT0S", "targets": [{"kind": kind, "id": str(id_)}]}]
    what = {"name": "P", "steps": steps, **more}
    return str((await api.change("createEscalationPolicy", what, "policy { id }", who=manager))["policy"]["id"])


async def refused_then_meant(api: Api, who: Person, mutation: str, **what: object) -> list[dict[str, Any]]:
    """The gaps it names; then the same is done, as it is said to be meant."""
    answer = await api.change(mutation, what, REFUSED, who=who)
    assert answer["__typename"] == "WouldOpenGaps", answer
    assert answer["code"] == "WOULD_OPEN_GAPS"
    meant = await api.change(mutation, {**what, "evenIfItOpensGaps": True}, "__typename", who=who)
    assert meant["__typename"].endswith("Success"), meant
    gaps: list[dict[str, Any]] = answer["gaps"]
    return gaps


async def test_a_schedule_that_somebody_counts_on_does_not_go_unnoticed(api: Api, manager: Person, ann: Person) -> None:
    its_id = await schedule(api, manager, ann)
    await policy(api, manager, "SCHEDULE", its_id, severities=["CRITICAL", "HIGH"])
    (gap,) = await refused_then_meant(api, manager, "archiveSchedule", id=its_id)
    assert set(gap["severities"]) == {"CRITICAL", "HIGH"}
    again = await schedule(api, manager, ann)
    free = await api.change("archiveSchedule", {"id": again}, "schedule { id }", who=manager)
    assert free["__typename"] == "ArchiveScheduleSuccess", "nobody counts on this one"


async def test_a_layer_that_goes_is_seen_and_a_rename_is_not_asked_about(
    api: Api, manager: Person, ann: Person
) -> None:
    its_id = await schedule(api, manager, ann)
    await policy(api, manager, "SCHEDULE", its_id)
    renamed = await api.change("updateSchedule", {"id": its_id, "name": "Other"}, "schedule { id }", who=manager)
    assert renamed["__typename"] == "UpdateScheduleSuccess"
    await refused_then_meant(api, manager, "updateSchedule", id=its_id, layers=[])
    # Nobody is on call now: an override that covers it is what alerts count on.
    now = api.clock.now()
    cover = {
        "scheduleId": its_id, "userId": str(ann.id),
        "startsAt": (now + timedelta(hours=1)).isoformat(), "endsAt": (now + timedelta(hours=2)).isoformat(),
    }  # fmt: skip
    made = await api.change("createScheduleOverride", cover, "overrideId", who=ann)
    (gap,) = await refused_then_meant(api, manager, "removeScheduleOverride", id=made["overrideId"])
    assert (gap["startsAt"], gap["endsAt"]) == tuple(
        f"{now + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S.%fZ}" for hours in (1, 2)
    )


async def test_the_steps_and_the_end_of_a_policy_are_looked_at(api: Api, manager: Person, ann: Person) -> None:
    empty = await schedule(api, manager, ann, name="Empty")
    await api.change("updateSchedule", {"id": empty, "layers": []}, "__typename", who=manager)
    its_id = await policy(api, manager, "USER", ann.id)
    steps = [{"delay": "PT0S", "targets": [{"kind": "SCHEDULE", "id": empty}]}]
    await refused_then_meant(api, manager, "updateEscalationPolicy", id=its_id, steps=steps)
    other = await policy(api, manager, "USER", ann.id, name="Other")
    await refused_then_meant(api, manager, "archiveEscalationPolicy", id=other)


async def test_people_who_go_are_counted_as_gone(api: Api, manager: Person, admin: Person, ann: Person) -> None:
    team = await api.team("Web")
    bob = await api.person(Role.OPERATOR)
    for person in (ann, bob):
        add = {"teamId": str(team.id), "userId": str(person.id), "role": "OPERATOR"}
        await api.change("addTeamMember", add, "__typename", who=admin)
    await policy(api, manager, "TEAM", team.id, teamId=str(team.id))
    gone = await api.change("deactivateUser", {"id": str(bob.id)}, "user { id }", who=admin)
    assert gone["__typename"] == "DeactivateUserSuccess", "somebody is left"
    (gap,) = await refused_then_meant(api, admin, "removeTeamMember", teamId=str(team.id), userId=str(ann.id))
    assert gap["teamId"] == str(team.id)
    await policy(api, manager, "USER", ann.id, name="Ann")
    await refused_then_meant(api, admin, "deactivateUser", id=str(ann.id))


async def test_an_erasure_is_asked_about_before_anything_is_written(
    api: Api, manager: Person, admin: Person, ann: Person
) -> None:
    await policy(api, manager, "USER", ann.id)
    await refused_then_meant(api, admin, "eraseUser", userId=str(ann.id), confirmEmail=ann.email)
    async with api.engine.connect() as connection:
        assert await connection.scalar(sa.select(users.c.erased_at).where(users.c.id == ann.id)) is not None


async def test_of_two_who_each_count_on_the_other_one_stays(
    api: Api, manager: Person, admin: Person, ann: Person
) -> None:
    bob = await api.person(Role.OPERATOR)
    steps = [{"delay": "PT0S", "targets": [{"kind": "USER", "id": str(one.id)} for one in (ann, bob)]}]
    await api.change("createEscalationPolicy", {"name": "P", "steps": steps}, "policy { id }", who=manager)
    answers = await asyncio.gather(
        *(api.change("deactivateUser", {"id": str(one.id)}, "user { id }", who=admin) for one in (ann, bob))
    )
    assert sorted(one["__typename"] for one in answers) == ["DeactivateUserSuccess", "WouldOpenGaps"], answers


async def proved_method(api: Api, who: Person) -> str:
    """A further address of theirs that was proved, as a row: what proves one is tested elsewhere."""
    what = {"kind": "EMAIL", "address": f"{new_id()}@elsewhere.example.com"}
    made = await api.change("addContactMethod", what, "contactMethod { id }", who=who)
    assert made["__typename"] == "AddContactMethodSuccess", made
    async with api.engine.begin() as connection:
        of_method = contact_methods.c.id == UUID(made["contactMethod"]["id"])
        await connection.execute(sa.update(contact_methods).where(of_method).values(verified_at=api.clock.now()))
    method_id: str = made["contactMethod"]["id"]
    return method_id


async def test_the_last_proven_way_to_who_is_on_call_does_not_go_unnoticed(
    api: Api, manager: Person, ann: Person
) -> None:
    """Mail to an account that nobody proved may reach nobody: what was proved is the way to them."""
    bob = await api.person(Role.OPERATOR)
    its_id = await schedule(api, manager, ann, bob)
    await policy(api, manager, "SCHEDULE", its_id, severities=["CRITICAL"])
    first, second = await proved_method(api, ann), await proved_method(api, ann)
    done = await api.change("removeContactMethod", {"id": first}, "contactMethodId", who=ann)
    assert done["__typename"] == "RemoveContactMethodSuccess", "another is left"
    gaps = await refused_then_meant(api, ann, "removeContactMethod", id=second)
    assert {tuple(gap["severities"]) for gap in gaps} == {("CRITICAL",)}
    assert len(gaps) in {7, 8}, "her days of the next fourteen, and not bob's; the first and the last are parts of days"
    assert (await api.data("{ me { contactMethods { id } } }", who=ann))["me"]["contactMethods"] == [
        {"id": str(ann.id)}
    ]


async def test_a_way_that_is_not_the_last_one_goes_and_so_does_that_of_who_is_not_on_call(
    api: Api, manager: Person, ann: Person
) -> None:
    bob = await api.person(Role.OPERATOR)
    await policy(api, manager, "USER", ann.id)
    async with api.engine.begin() as connection:
        of_ann = users.c.id == ann.id
        await connection.execute(sa.update(users).where(of_ann).values(email_verified_at=api.clock.now()))
    for who in (ann, bob):
        gone = await api.change("removeContactMethod", {"id": await proved_method(api, who)}, "__typename", who=who)
        assert gone["__typename"] == "RemoveContactMethodSuccess", gone


async def test_what_a_private_team_would_miss_is_refused_without_telling_of_it(
    api: Api, manager: Person, admin: Person, ann: Person
) -> None:
    """API1:2023: who may not see the team learns neither its name, nor how many gaps, nor when; and nothing opens."""
    secret = await api.team("Secret", is_private=True)
    insider = await api.person(Role.MANAGER, teams=(secret,))
    for person in (ann, insider):
        add = {"teamId": str(secret.id), "userId": str(person.id), "role": "OPERATOR"}
        await api.change("addTeamMember", add, "__typename", who=admin)
    its_id = await schedule(api, manager, ann)
    await policy(api, insider, "SCHEDULE", its_id, teamId=str(secret.id))
    shown = "__typename } ... on WouldOpenGaps { message gaps { teamId } "
    hidden = await api.change("archiveSchedule", {"id": its_id}, shown, who=manager)
    assert (hidden["__typename"], hidden["gaps"]) == ("WouldOpenGaps", [])
    assert "that you may not see" in hidden["message"]
    await policy(api, manager, "SCHEDULE", its_id, name="Open")
    both = await api.change("archiveSchedule", {"id": its_id}, shown, who=manager)
    assert (both["gaps"], "that you may not see" in both["message"]) == ([{"teamId": None}], False)
    assert not any(character.isdigit() for character in both["message"].replace("14 days", "")), "no count of others"
    seen = await api.change("archiveSchedule", {"id": its_id}, shown, who=admin)
    assert {gap["teamId"] for gap in seen["gaps"]} == {None, str(secret.id)}
    meant = await api.change("archiveSchedule", {"id": its_id, "evenIfItOpensGaps": True}, "__typename", who=manager)
    assert meant["__typename"] == "ArchiveScheduleSuccess"


async def test_who_sees_nothing_of_a_private_team_covers_none_of_its_alerts(
    api: Api, admin: Person, ann: Person
) -> None:
    """Nothing of its alerts is sent to them, so the last member who goes opens a gap."""
    secret = await api.team("Secret", is_private=True)
    insider = await api.person(Role.MANAGER, teams=(secret,))
    steps = [{"delay": "PT0S", "targets": [{"kind": "USER", "id": str(one.id)} for one in (ann, insider)]}]
    what = {"name": "P", "steps": steps, "teamId": str(secret.id)}
    await api.change("createEscalationPolicy", what, "policy { id }", who=admin)
    (gap,) = await refused_then_meant(api, admin, "deactivateUser", id=str(insider.id))
    assert gap["teamId"] == str(secret.id)


async def test_a_team_that_becomes_private_does_not_hide_its_alerts_from_who_is_called(api: Api, ann: Person) -> None:
    team = await api.team("Web")
    lead = await api.person(Role.MANAGER, teams=(team,))
    await policy(api, lead, "USER", ann.id, teamId=str(team.id))
    renamed = await api.change("updateTeam", {"id": str(team.id), "name": "Web shop"}, "__typename", who=lead)
    assert renamed["__typename"] == "UpdateTeamSuccess"
    (gap,) = await refused_then_meant(api, lead, "updateTeam", id=str(team.id), isPrivate=True)
    assert (gap["teamId"], len(gap["severities"])) == (str(team.id), 4)
