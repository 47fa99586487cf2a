"""Does every question about a shift reach a phone, and Slack, with its link, and as it was written? (N3)."""

import re
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from domain.identity.model import Role
from tests.api import Api, Person
from tests.integration.contacts.slack_night import SlackNight
from tests.integration.contacts.text_night import MINUTE, PUBLIC, Night, paged, with_phone
from tests.integration.schedules.test_schedules import create, layer
from tests.integration.schedules.test_swaps import SWAP, Hours, asked

LINK = re.compile(r"https://\S+/answer\?token=[\w-]+")
MOST_OF_A_TEXT = 1_600


async def shifts(api: Api, *people: Person, name: str = "Primary") -> Hours:
    """A schedule on which they take turns by the hour."""
    starts = api.clock.now().replace(second=0, microsecond=0)
    turns = layer(*people, startsAt=f"{starts:%Y-%m-%dT%H:%M}", unit="HOUR")
    made = await create(api, await api.person(Role.MANAGER), turns, timeZone="UTC", name=name)
    return Hours(made["id"], starts)


async def ask(api: Api, hours: Hours, who: Person, colleague: Person, turn: int, reason: str = "") -> str:
    what = asked(hours.id, hours.handoff(turn), hours.handoff(turn + 1), colleagueId=str(colleague.id), reason=reason)
    answer = await api.change("requestShiftSwap", what, SWAP, who=who)
    assert answer["__typename"] == "RequestShiftSwapSuccess", answer
    made: str = answer["swap"]["id"]
    return made


async def told_by(api: Api, who: Person, method_id: str) -> None:
    """All that can wait goes by this method."""
    rule: dict[str, Any] = {"severities": ["LOW"], "steps": [{"contactMethodId": method_id, "delay": "PT0S"}]}
    done = await api.change("setNotificationRules", {"rules": [rule]}, "preferences { version }", who=who)
    assert done["__typename"] == "SetNotificationRulesSuccess", done


async def test_each_question_in_a_text_message_has_its_link(night: Night, ann: Person) -> None:
    api, bob = night.api, await night.api.person(Role.OPERATOR, email="bob@example.com")
    await told_by(api, ann, await with_phone(night, ann))
    hours = await shifts(api, bob, ann)
    swaps = {await ask(api, hours, bob, ann, turn) for turn in (2, 4, 6)}
    for _ in range(3):
        await night.tick(timedelta(minutes=2))
    assert all(len(sms.body) <= MOST_OF_A_TEXT for sms in night.twilio.sent)
    links = [link for sms in night.twilio.sent for link in LINK.findall(sms.body)]
    assert len(set(links)) == len(swaps)
    form = {"content-type": "application/x-www-form-urlencoded"}
    for link in links:
        done = await api.http.post(link.removeprefix(PUBLIC), content="answer=decline", headers=form)
        assert "The swap is declined" in done.text
    for swap_id in swaps:
        found = await api.data("query($id: ID!) { shiftSwap(id: $id) { state } }", {"id": swap_id}, who=bob)
        assert found["shiftSwap"]["state"] == "DECLINED"


async def test_a_question_that_a_phone_does_not_take_goes_by_mail(night: Night, ann: Person) -> None:
    api, bob = night.api, await night.api.person(Role.OPERATOR, email="bob@example.com")
    await told_by(api, ann, await with_phone(night, ann))
    swap_id = await ask(api, await shifts(api, bob, ann), bob, ann, 2)
    night.twilio.refusals.append((400, 21610, {}))
    assert await night.tick() == []
    assert await night.tick(MINUTE) == ["ann@example.com"]
    shown = "query($id: ID!) { shiftSwap(id: $id) { notifications { state contactKind why } } }"
    failed, sent = (await api.data(shown, {"id": swap_id}, who=bob))["shiftSwap"]["notifications"]
    assert (failed["state"], failed["contactKind"]) == ("FAILED", "SMS")
    assert (sent["state"], sent["contactKind"]) == ("SENT", "EMAIL")
    assert sent["why"].endswith("another contact method failed")


async def test_a_question_goes_around_a_provider_that_is_away(night: Night, ann: Person) -> None:
    api, bob = night.api, await night.api.person(Role.OPERATOR, email="bob@example.com")
    await told_by(api, ann, await with_phone(night, ann))
    await ask(api, await shifts(api, bob, ann), bob, ann, 2)
    night.twilio.refusals += [(503, 20500, {})] * 40
    mails = []
    for _ in range(12):
        mails += await night.tick(2 * MINUTE)
    assert mails == ["ann@example.com"], "once"


async def test_what_a_colleague_writes_forges_no_link_in_slack_and_pushes_none_out(slack_night: SlackNight) -> None:
    """ASVS 5 V1.2.1."""
    api = slack_night.api
    bob, cy = [await api.person(Role.OPERATOR, email=f"{name}@example.com") for name in ("bob", "cy")]
    await told_by(api, cy, await slack_night.linked(cy))
    hours = await shifts(api, bob, cy)
    forged = "<https://evil.example|Answer here> " + "x" * 460
    swaps = [await ask(api, hours, bob, cy, turn, forged) for turn in (2, 4, 6, 8)]
    slack_night.now = api.clock.now()
    for _ in range(4):
        await slack_night.tick(2 * MINUTE)
    texts = [message.text for message in slack_night.slack.messages]
    assert not any("<https://evil" in text for text in texts)
    assert len({link for text in texts for link in LINK.findall(text)}) == len(swaps)


async def test_a_page_does_not_wait_because_of_a_question_that_has_just_left(night: Night, ann: Person) -> None:
    api, bob = night.api, await night.api.person(Role.OPERATOR, email="bob@example.com")
    hours = await shifts(api, bob, ann)
    await paged(night, ann)
    await ask(api, hours, bob, ann, 2)
    assert await night.tick() == ["ann@example.com"]
    await night.alert()
    assert await night.tick(timedelta(seconds=5)) == ["ann@example.com"], "never within a minute is for alerts"
    await ask(api, hours, bob, ann, 4)
    assert await night.tick(timedelta(seconds=5)) == [], "a shift can wait"
    assert await night.tick(MINUTE) == ["ann@example.com"]


async def test_an_offer_to_many_costs_the_database_what_one_to_few_does(night: Night) -> None:
    api, said = night.api, list[str]()
    people = [await api.person(Role.OPERATOR) for _ in range(9)]
    few, many = await shifts(api, *people[:3]), await shifts(api, *people, name="Everybody")

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own
        said.append(statement)

    sa.event.listen(api.state.engine.sync_engine, "before_cursor_execute", note)
    counts = []
    for hours in (few, few, many):
        said.clear()
        what = asked(hours.id, hours.handoff(9), hours.handoff(10))
        answer = await api.change("requestShiftSwap", what, SWAP, who=people[0])
        assert answer["__typename"] == "RequestShiftSwapSuccess", answer
        counts.append(len(said))
    assert counts[1] > 0
    assert counts[2] < counts[1] + len(people) - 3, "no statement for each of them"
