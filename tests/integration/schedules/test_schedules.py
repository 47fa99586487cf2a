"""On-call schedules over the API: made, changed from now on, covered by overrides, seen by whom they concern (N3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.identity.model import Membership, Role, Team
from persistence.unit_of_work import UnitOfWork
from tests.api import Api, Person

FINAL = """query($id: ID!, $since: DateTime!, $until: DateTime!) { schedule(id: $id) { version
  finalSchedule(since: $since, until: $until) {
    shifts { user { id } startsAt endsAt layerId overrideId } gaps { startsAt endsAt } } } }"""
ON_CALL = "query($at: DateTime) { onCall(at: $at) { schedule { name } shift { user { id } startsAt endsAt } } }"
SHOWN = "schedule { id version name timeZone layers { id name startsAt unit shiftLength participants { id } } }"
HOUR = timedelta(hours=1)


def layer(*people: Person, **more: object) -> dict[str, Any]:
    return {
        "participantIds": [str(person.id) for person in people],
        "startsAt": "2020-01-06T09:00",
        "unit": "DAY",
        **more,
    }


async def create(api: Api, who: Person, *layers: dict[str, Any], **more: object) -> dict[str, Any]:
    what = {"name": "Primary", "timeZone": "Europe/Berlin", "layers": list(layers), **more}
    answer = await api.change("createSchedule", what, SHOWN, who=who)
    assert answer["__typename"] == "CreateScheduleSuccess", answer
    made: dict[str, Any] = answer["schedule"]
    return made


async def final(api: Api, who: Person, schedule_id: str, since: datetime, until: datetime) -> dict[str, Any]:
    asked = {"id": schedule_id, "since": since.isoformat(), "until": until.isoformat()}
    found: dict[str, Any] = (await api.data(FINAL, asked, who=who))["schedule"]["finalSchedule"]
    return found


async def test_people_take_turns_at_nine_in_berlin_across_the_change_of_the_clock(
    api: Api, manager: Person, people: list[Person]
) -> None:
    made = await create(api, manager, layer(*people))
    assert made["layers"][0]["participants"] == [{"id": str(person.id)} for person in people]
    # On 31 March 2030 the clock goes from 2:00 to 3:00.
    found = await final(
        api, manager, made["id"], datetime(2030, 3, 29, 8, tzinfo=UTC), datetime(2030, 4, 1, 7, tzinfo=UTC)
    )
    assert found["gaps"] == []
    starts = [shift["startsAt"] for shift in found["shifts"]]
    assert starts == ["2030-03-29T08:00:00Z", "2030-03-30T08:00:00Z", "2030-03-31T07:00:00Z"]
    order = [str(person.id) for person in people]
    seen = [order.index(shift["user"]["id"]) for shift in found["shifts"]]
    assert [(turn - seen[0]) % 3 for turn in seen] == [0, 1, 2]


async def test_an_edit_counts_from_now_and_the_past_stays(api: Api, manager: Person, people: list[Person]) -> None:
    ann, bob, _ = people
    made = await create(api, manager, layer(ann))
    created = api.clock.now()
    api.clock.ahead = timedelta(hours=5)
    changed = await api.change(
        "updateSchedule", {"id": made["id"], "layers": [layer(bob)], "expectedVersion": 1}, SHOWN, who=manager
    )
    assert changed["schedule"]["version"] == 2
    found = await final(api, manager, made["id"], created, created + 10 * HOUR)
    assert [shift["user"]["id"] for shift in found["shifts"]] == [str(ann.id), str(bob.id)]
    stale = await api.change(
        "updateSchedule", {"id": made["id"], "name": "X", "expectedVersion": 1}, SHOWN, who=manager
    )
    assert stale["code"] == "STALE_VERSION"


async def test_an_operator_covers_a_shift_and_takes_it_back(api: Api, manager: Person, people: list[Person]) -> None:
    ann, bob, _ = people
    made = await create(api, manager, layer(ann))
    now = api.clock.now()
    override = {
        "scheduleId": made["id"],
        "userId": str(bob.id),
        "startsAt": (now + HOUR).isoformat(),
        "endsAt": (now + 3 * HOUR).isoformat(),
        "reason": "school play",
    }
    shown = "overrideId schedule { overrides { id user { id } reason createdBy { id } } }"
    answer = await api.change("createScheduleOverride", override, shown, who=bob)
    assert answer["schedule"]["overrides"][0]["reason"] == "school play"
    assert answer["schedule"]["overrides"][0]["createdBy"] == {"id": str(bob.id)}
    found = await final(api, manager, made["id"], now, now + 4 * HOUR)
    assert [shift["user"]["id"] for shift in found["shifts"]] == [str(ann.id), str(bob.id), str(ann.id)]

    api.clock.ahead = timedelta(hours=2)
    on_call = await api.data(ON_CALL, who=ann)
    assert on_call["onCall"][0]["shift"]["user"]["id"] == str(bob.id)
    back = await api.change("removeScheduleOverride", {"id": answer["overrideId"]}, shown.split(" ", 1)[1], who=ann)
    assert back["schedule"]["overrides"] == []
    found = await final(api, manager, made["id"], now, now + 4 * HOUR)
    hours = [
        (shift["user"]["id"], round((datetime.fromisoformat(shift["endsAt"]) - now) / HOUR))
        for shift in found["shifts"]
    ]
    assert hours == [(str(ann.id), 1), (str(bob.id), 2), (str(ann.id), 4)], "who was on call stays so"


async def test_an_ended_schedule_puts_nobody_on_call_and_keeps_its_past(
    api: Api, manager: Person, people: list[Person]
) -> None:
    made = await create(api, manager, layer(people[0]))
    now = api.clock.now()
    api.clock.ahead = HOUR
    ended = await api.change("archiveSchedule", {"id": made["id"]}, "schedule { archivedAt }", who=manager)
    assert ended["schedule"]["archivedAt"] is not None
    assert (await api.data(ON_CALL, who=manager))["onCall"] == []
    found = await final(api, manager, made["id"], now, now + 2 * HOUR)
    assert len(found["shifts"]) == len(found["gaps"]) == 1
    again = await create(api, manager, layer(people[1]))
    assert again["name"] == "Primary", "the name is free again"


async def test_a_preview_shows_gaps_and_saves_nothing(api: Api, manager: Person, people: list[Person]) -> None:
    office = {"weekdays": ["MONDAY"], "starts": "08:00", "ends": "16:00"}
    draft = {
        "timeZone": "UTC",
        "since": "2030-01-07T00:00:00Z",
        "until": "2030-01-08T00:00:00Z",
        "layers": [layer(people[0], restrictions=[office])],
    }
    shown = "finalSchedule { shifts { startsAt endsAt } gaps { startsAt endsAt } }"
    answer = await api.change("previewSchedule", draft, shown, who=manager)
    assert answer["finalSchedule"]["shifts"] == [{"startsAt": "2030-01-07T08:00:00Z", "endsAt": "2030-01-07T16:00:00Z"}]
    assert [gap["startsAt"] for gap in answer["finalSchedule"]["gaps"]] == [
        "2030-01-07T00:00:00Z",
        "2030-01-07T16:00:00Z",
    ]
    assert (await api.data("{ schedules { id } }", who=manager))["schedules"] == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"timeZone": "Mars/Olympus"}, ["timeZone"]),
        ({"name": " "}, ["name"]),
        ({"layers": [{"participantIds": []}]}, ["layers", "0", "participantIds"]),
        ({"layers": [{"shiftLength": 0}]}, ["layers", "0", "shiftLength"]),
        ({"layers": [{"startsAt": "9999-12-31T23:59"}]}, ["layers", "0", "startsAt"]),
        ({"layers": [{"startsAt": "0001-01-01T00:00"}]}, ["layers", "0", "startsAt"]),
        ({"layers": [{"participantIds": ["nobody"]}]}, ["layers", "0", "participantIds", "0"]),
        (
            {"layers": [{"participantIds": ["01934c00-0000-7000-8000-000000000000"]}]},
            ["layers", "0", "participantIds", "0"],
        ),
        (
            {"layers": [{"restrictions": [{"weekdays": [], "starts": "08:00", "ends": "09:00"}]}]},
            ["layers", "0", "restrictions", "0", "weekdays"],
        ),
        (
            {"layers": [{"beginsAt": "2030-01-02T00:00:00Z", "endsAt": "2030-01-01T00:00:00Z"}]},
            ["layers", "0", "endsAt"],
        ),
    ],
)
async def test_what_is_wrong_is_named(
    api: Api, manager: Person, people: list[Person], change: dict[str, Any], path: list[str]
) -> None:
    layers = [{**layer(people[0]), **one} for one in change.pop("layers", [{}])]
    what = {"name": "Primary", "timeZone": "UTC", "layers": layers, **change}
    answer = await api.change("createSchedule", what, SHOWN, who=manager)
    assert (answer["code"], answer["path"]) == ("INVALID_INPUT", path)


FAR = ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]


@pytest.mark.parametrize("at", FAR)
async def test_a_time_nobody_can_mean_is_refused(api: Api, manager: Person, people: list[Person], at: str) -> None:
    made = await create(api, manager, layer(people[0]))
    answer = await api.ask(ON_CALL, {"at": at}, who=manager)
    assert [(one["extensions"]["code"], one["extensions"]["path"]) for one in answer["errors"]] == [
        ("INVALID_INPUT", ["at"])
    ]
    what = {"timeZone": "Europe/Berlin", "since": at, "until": FAR[0], "layers": [layer(people[0])]}
    answer = await api.change("previewSchedule", what, "__typename", who=manager)
    assert (answer["code"], answer["path"]) == ("INVALID_INPUT", ["since"])
    what = {"scheduleId": made["id"], "startsAt": "2030-01-01T00:00:00Z", "endsAt": FAR[0], "userId": str(people[0].id)}
    answer = await api.change("createScheduleOverride", what, "overrideId", who=people[1])
    assert (answer["code"], answer["path"]) == ("INVALID_INPUT", ["endsAt"])


async def test_nobody_was_on_call_before_there_was_a_schedule(api: Api, manager: Person, people: list[Person]) -> None:
    await create(api, manager, layer(people[0]))
    before = (api.clock.now() - timedelta(days=90)).isoformat()
    (found,) = (await api.data(ON_CALL, {"at": before}, who=manager))["onCall"]
    assert found["shift"] is None


async def test_what_is_over_cannot_be_covered(api: Api, manager: Person, people: list[Person]) -> None:
    made = await create(api, manager, layer(people[0]))
    now = api.clock.now()
    override = {"scheduleId": made["id"], "userId": str(people[1].id), "startsAt": (now - 2 * HOUR).isoformat()}
    for ends, path in ((now - HOUR, ["endsAt"]), (now - 3 * HOUR, ["endsAt"])):
        what = {**override, "endsAt": ends.isoformat()}
        answer = await api.change("createScheduleOverride", what, "overrideId", who=people[1])
        assert (answer["code"], answer["path"]) == ("INVALID_INPUT", path)


async def test_two_schedules_of_one_name_are_refused_within_a_team(
    api: Api, manager: Person, people: list[Person]
) -> None:
    team = await api.team("Web")
    await create(api, manager, layer(people[0]))
    await create(api, manager, layer(people[0]), teamId=str(team.id))
    again = {"name": "Primary", "timeZone": "UTC", "teamId": str(team.id)}
    assert (await api.change("createSchedule", again, SHOWN, who=manager))["code"] == "ALREADY_EXISTS"


async def test_a_teams_manager_makes_its_schedules_and_an_operator_does_not(api: Api, people: list[Person]) -> None:
    team = await api.team("Web")
    operator = people[0]
    what = {"name": "Primary", "timeZone": "UTC", "teamId": str(team.id)}
    assert (await api.change("createSchedule", what, SHOWN, who=operator))["code"] == "FORBIDDEN"
    async with UnitOfWork(api.engine) as uow:
        lead = Membership(team_id=team.id, user_id=operator.id, role=Role.MANAGER, created_at=api.clock.now())
        await uow.users.put_member(lead)
        await uow.commit()
    assert (await api.change("createSchedule", what, SHOWN, who=operator))["__typename"] == "CreateScheduleSuccess"
    everywhere = {"name": "Primary", "timeZone": "UTC"}
    assert (await api.change("createSchedule", everywhere, SHOWN, who=operator))["code"] == "FORBIDDEN"


async def test_a_private_teams_schedule_is_there_for_its_members_alone(api: Api, people: list[Person]) -> None:
    secret: Team = await api.team("Secret", is_private=True)
    insider = await api.person(Role.MANAGER, teams=(secret,))
    outsider = await api.person(Role.MANAGER)
    made = await create(api, insider, layer(people[0]), teamId=str(secret.id))
    for question, variables, empty in (
        ("query($id: ID!) { schedule(id: $id) { name } }", {"id": made["id"]}, {"schedule": None}),
        ("{ schedules { id } }", None, {"schedules": []}),
        ("{ onCall { schedule { id } } }", None, {"onCall": []}),
    ):
        assert await api.data(question, variables, who=outsider) == empty
        assert await api.data(question, variables, who=insider) != empty
    now = api.clock.now()
    override = {
        "scheduleId": made["id"],
        "userId": str(outsider.id),
        "startsAt": now.isoformat(),
        "endsAt": (now + HOUR).isoformat(),
    }
    for field, what in (
        ("updateSchedule", {"id": made["id"], "name": "Mine"}),
        ("archiveSchedule", {"id": made["id"]}),
        ("createScheduleOverride", override),
    ):
        assert (await api.change(field, what, "__typename", who=outsider))["code"] == "NOT_FOUND"
    covered = await api.change("createScheduleOverride", override, "overrideId", who=insider)
    removed = await api.change("removeScheduleOverride", {"id": covered["overrideId"]}, "__typename", who=outsider)
    assert removed["code"] == "NOT_FOUND"


async def test_a_schedule_of_too_many_shifts_is_refused_not_computed(
    api: Api, manager: Person, people: list[Person]
) -> None:
    layers = [layer(people[0], unit="HOUR") for _ in range(2)]
    made = await create(api, manager, *layers)
    asked = {"id": made["id"], "since": "2030-01-01T00:00:00Z", "until": "2031-01-01T00:00:00Z"}
    assert await api.code(FINAL, asked, who=manager) == "INVALID_INPUT"
