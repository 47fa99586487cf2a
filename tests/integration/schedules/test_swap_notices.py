"""Who is asked to take over a shift hears of it by their own methods and answers by the link; who asked is told (N3).

Over the real store, the API and the jobs; what leaves is read from the outboxes, as a sender would.
"""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from domain.identity.model import Role
from jobs.due import expire_shift_swaps
from persistence.tables import audit_log
from tests.api import Api, Person
from tests.integration.escalations.night import LINK, MINUTE, Night, policy, step
from tests.integration.schedules.test_schedules import create, layer
from tests.integration.schedules.test_swaps import HOUR, SWAP, Hours, asked
from tests.jobs_by_hand import opened

TOLD = """query($id: ID!) { shiftSwap(id: $id) { state settledAt settledBy { id }
  notifications { kind state why contactKind problem heldUntil user { id } } } }"""


@pytest.fixture
async def manager(api: Api) -> Person:
    return await api.person(Role.MANAGER, email="boss@example.com")


@pytest.fixture
async def people(api: Api) -> list[Person]:
    return [await api.person(Role.OPERATOR, email=f"{name}@example.com") for name in ("ann", "bob", "cy")]


@pytest.fixture
async def hours(api: Api, manager: Person, people: list[Person]) -> Hours:
    starts = api.clock.now().replace(second=0, microsecond=0)
    wall = f"{starts:%Y-%m-%dT%H:%M}"
    turns = layer(*people[:2], startsAt=wall, unit="HOUR")
    made = await create(api, manager, turns, timeZone="UTC", name="Primary")
    return Hours(made["id"], starts)


@pytest.fixture
async def night(api: Api, application_url: str) -> AsyncIterator[Night]:
    async with opened(Night, api, application_url) as made:
        yield made


async def ask(api: Api, night: Night, hours: Hours, who: Person, colleague: Person | None, **more: object) -> str:
    if colleague is not None:
        more["colleagueId"] = str(colleague.id)
    what = asked(hours.id, hours.handoff(2), hours.handoff(3), **more)
    answer = await api.change("requestShiftSwap", what, SWAP, who=who)
    assert answer["__typename"] == "RequestShiftSwapSuccess", answer
    night.now = max(night.now, api.clock.now())
    made: str = answer["swap"]["id"]
    return made


async def told(api: Api, who: Person, swap_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await api.data(TOLD, {"id": swap_id}, who=who))["shiftSwap"]
    return found


async def test_the_asked_one_answers_by_the_link_and_who_asked_is_told(
    api: Api, hours: Hours, people: list[Person], night: Night
) -> None:
    ann, bob, _ = people
    swap_id = await ask(api, night, hours, ann, bob, reason="dentist")
    (subject,) = await night.tick()
    assert subject.startswith("bob@example.com [SHIFT]")
    assert "asks you to take over Primary" in subject
    (text,) = night.texts
    assert "Reason: dentist" in text
    assert "Why you: you are asked to take over a shift" in text
    (link,) = LINK.findall(text)

    shown = await api.http.get(link)
    assert (shown.status_code, "Take it over" in shown.text, "dentist" in shown.text) == (200, True, True)
    assert (await told(api, ann, swap_id))["state"] == "ASKED", "a scanner of mail answers nothing"
    form = {"content-type": "application/x-www-form-urlencoded"}
    wrong = await api.http.post(link, content="answer=perhaps", headers=form)
    assert (wrong.status_code, (await told(api, ann, swap_id))["state"]) == (400, "ASKED")
    done = await api.http.post(link, content="answer=accept", headers=form)
    assert (done.status_code, "The swap is accepted" in done.text) == (200, True)
    again = await api.http.post(link, content="answer=decline", headers=form)
    assert "The swap is accepted" in again.text, "it is answered once"

    night.now = max(night.now, api.clock.now())
    (subject,) = await night.tick(MINUTE)
    assert subject.startswith("ann@example.com [SHIFT]")
    assert "takes over Primary" in subject
    found = await told(api, ann, swap_id)
    assert (found["state"], found["settledBy"]) == ("ACCEPTED", {"id": str(bob.id)})
    assert [(one["kind"], one["state"], one["user"]["id"]) for one in found["notifications"]] == [
        ("SWAP_ASKED", "SENT", str(bob.id)), ("SWAP_SETTLED", "SENT", str(ann.id)),
    ]  # fmt: skip
    async with api.engine.connect() as connection:
        rows = list(await connection.execute(sa.select(audit_log.c.action, audit_log.c.actor_id)))
    assert ("acceptShiftSwap", bob.id) in {(row.action, row.actor_id) for row in rows}


async def test_what_was_taken_back_before_it_left_is_not_asked(
    api: Api, hours: Hours, people: list[Person], night: Night
) -> None:
    ann, bob, _ = people
    swap_id = await ask(api, night, hours, ann, bob)
    await api.change("withdrawShiftSwap", {"id": swap_id}, SWAP, who=ann)
    night.now = max(night.now, api.clock.now())
    assert await night.tick() == [], "who never heard of it does not hear that it is over"
    (never,) = (await told(api, ann, swap_id))["notifications"]
    assert (never["state"], never["problem"]) == ("DROPPED", "the swap was withdrawn before this could leave")
    heard = await ask(api, night, hours, ann, bob)
    assert len(await night.tick(MINUTE)) == 1
    await api.change("withdrawShiftSwap", {"id": heard}, SWAP, who=ann)
    night.now = max(night.now, api.clock.now())
    (subject,) = await night.tick(MINUTE)
    assert subject.startswith("bob@example.com [SHIFT] The question whether to take over Primary")


async def test_a_no_and_an_answer_by_a_manager_are_told_to_those_of_it(
    api: Api, hours: Hours, manager: Person, people: list[Person], night: Night
) -> None:
    ann, bob, _ = people
    swap_id = await ask(api, night, hours, ann, bob)
    assert len(await night.tick()) == 1
    await api.change("declineShiftSwap", {"id": swap_id}, SWAP, who=bob)
    night.now = max(night.now, api.clock.now())
    (subject,) = await night.tick(MINUTE)
    assert "ann@example.com" in subject
    assert "does not take over Primary" in subject
    other = await ask(api, night, hours, ann, bob)
    assert len(await night.tick(MINUTE)) == 1
    await api.change("acceptShiftSwap", {"id": other}, SWAP, who=manager)
    night.now = max(night.now, api.clock.now())
    both = await night.tick(MINUTE)
    assert sorted(one.split()[0] for one in both) == ["ann@example.com", "bob@example.com"], "it is bob's shift now"


async def test_what_nobody_answered_is_settled_and_told_and_on_the_record(
    api: Api, hours: Hours, people: list[Person], night: Night
) -> None:
    ann, bob, _ = people
    swap_id = await ask(api, night, hours, ann, bob, expiresAt=(night.now + HOUR).isoformat())
    assert len(await night.tick()) == 1
    assert await expire_shift_swaps(night.engine, api.settings, night.now) == 0
    late = night.now + 2 * HOUR
    assert await expire_shift_swaps(night.engine, api.settings, late) == 1
    assert await expire_shift_swaps(night.engine, api.settings, late) == 0, "once"
    night.now = late
    (subject,) = await night.tick()
    assert subject.startswith("ann@example.com [SHIFT] Nobody answered whether to take over Primary")
    found = await told(api, ann, swap_id)
    assert (found["state"], found["settledBy"]) == ("EXPIRED", None)
    assert found["settledAt"] is not None
    async with api.engine.connect() as connection:
        of_expiry = audit_log.c.action == "expireShiftSwap"
        entries = list(await connection.execute(sa.select(audit_log).where(of_expiry)))
    assert [(one.actor_kind, one.actor_id, one.after["state"], one.after["swapId"]) for one in entries] == [
        ("system", None, "expired", swap_id)
    ]


async def test_quiet_hours_hold_the_question(api: Api, hours: Hours, people: list[Person], night: Night) -> None:
    ann, bob, _ = people
    now = night.now
    quiet = {"starts": f"{now - HOUR:%H:%M}", "ends": f"{now + HOUR:%H:%M}", "zone": "UTC", "floor": "MEDIUM"}
    done = await api.change("setQuietHours", {"quietHours": quiet}, "preferences { version }", who=bob)
    assert done["__typename"] == "SetQuietHoursSuccess", done
    swap_id = await ask(api, night, hours, ann, bob)
    assert await night.tick() == []
    (held,) = (await told(api, ann, swap_id))["notifications"]
    assert (held["state"], "quiet hours" in held["problem"]) == ("HELD", True)
    until = datetime.fromisoformat(held["heldUntil"])
    (subject,) = await night.tick(until - night.now)
    assert subject.startswith("bob@example.com [SHIFT]")
    (text,) = night.texts
    assert "held by quiet hours" in text, "it says why it comes now"


async def test_an_offer_to_everybody_goes_to_those_who_take_turns_and_one_who_takes_it_ends_it(
    api: Api, hours: Hours, people: list[Person], night: Night
) -> None:
    ann, _, cy = people
    swap_id = await ask(api, night, hours, ann, None)
    (subject,) = await night.tick()
    assert subject.startswith("bob@example.com [SHIFT]"), "cy takes no turns here"
    assert "asks somebody to take over Primary" in subject
    (link,) = LINK.findall(night.texts[0])
    shown = await api.http.get(link)
    assert ("Take it over" in shown.text, ">No<" in shown.text) == (True, False)
    await api.change("acceptShiftSwap", {"id": swap_id}, SWAP, who=cy)
    night.now = max(night.now, api.clock.now())
    (subject,) = await night.tick(MINUTE)
    assert subject.startswith("ann@example.com [SHIFT]")


async def test_of_a_private_teams_schedule_nobody_else_hears(api: Api, people: list[Person], night: Night) -> None:
    bob = people[1]
    secret = await api.team("Secret", is_private=True)
    ann = await api.person(Role.OPERATOR, teams=(secret,))
    starts = api.clock.now().replace(second=0, microsecond=0)
    turns = layer(ann, bob, startsAt=f"{starts:%Y-%m-%dT%H:%M}", unit="HOUR")
    admin = await api.person(Role.ADMIN)
    made = await create(api, admin, turns, timeZone="UTC", name="Secret", teamId=str(secret.id))
    swap_id = await ask(api, night, Hours(made["id"], starts), ann, bob)
    assert await night.tick() == []
    assert (await told(api, admin, swap_id))["notifications"] == []


async def test_a_page_does_not_wait_behind_a_question_about_a_shift(
    api: Api, hours: Hours, manager: Person, people: list[Person], night: Night
) -> None:
    ann, bob, _ = people
    await policy(api, manager, step(0, ("USER", bob.id)))
    await ask(api, night, hours, ann, bob)
    await night.alert(title="Payments down")
    assert await night.tick() == ["bob@example.com [CRITICAL] Payments down (shop)"]
    (subject,) = await night.tick(MINUTE)
    assert subject.startswith("bob@example.com [SHIFT]")
    assert re.search(r"Answer until .* \(UTC\): http", night.texts[0])
