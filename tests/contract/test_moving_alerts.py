"""Is an alert moved to another team the same way over the fake and over PostgreSQL?"""

from dataclasses import replace

import pytest

from domain.alerts.actions import move
from domain.alerts.events import AlertEventKind
from domain.errors import NotFound, StaleVersion
from domain.identity.model import Role
from domain.ids import new_id
from domain.silences.matchers import LabelMatcher, MatchOperator
from domain.silences.model import Silence
from tests.alert_builder import HOUR, NOON, an_alert
from tests.contract.alert_house import House


async def test_a_move_is_told_pinned_and_audited(house: House) -> None:
    team, other = await house.team(), await house.team()
    alert = an_alert(team_id=team, pinned=("title",))
    await house.put(alert)
    moved = await move.move_alert(house.acting(await house.person()), alert_id=alert.id, team_id=other)
    assert (moved.team_id, moved.version, moved.pinned) == (other, 2, ("team_id", "title"))
    assert await house.alert(alert.id) == moved
    (event,) = await house.events(alert.id)
    assert event.kind is AlertEventKind.MOVED
    assert event.data["changes"] == {"team_id": [str(team), str(other)]}
    assert event.data["decisions"][0]["inputs"] == {"teamId": str(other)}
    (entry,) = await house.audit()
    assert (entry.action, entry.before, entry.after) == (
        "moveAlert",
        {"version": 1, "team_id": str(team)},
        {"version": 2, "team_id": str(other)},
    )


async def test_to_where_it_is_already_changes_nothing(house: House) -> None:
    team = await house.team()
    alert = an_alert(team_id=team)
    await house.put(alert)
    acting = house.acting(await house.person())
    assert (await move.move_alert(acting, alert_id=alert.id, team_id=team)).version == 1
    assert await house.events(alert.id) == []


async def test_only_between_what_one_sees(house: House) -> None:
    vault = await house.team(is_private=True)
    open_one, hidden = an_alert(), an_alert(team_id=vault)
    await house.put(open_one, hidden)
    outsider = house.acting(await house.person(Role.MANAGER))
    for alert_id, team_id, path in (
        (open_one.id, vault, ("teamId",)),
        (open_one.id, new_id(), ("teamId",)),
        (hidden.id, None, ("id",)),
    ):
        with pytest.raises(NotFound) as refusal:
            await move.move_alert(outsider, alert_id=alert_id, team_id=team_id)
        assert tuple(refusal.value.path) == path
    insider = house.acting(await house.person(Role.OPERATOR, [vault]))
    assert (await move.move_alert(insider, alert_id=open_one.id, team_id=vault)).team_id == vault
    assert (await move.move_alert(insider, alert_id=hidden.id, team_id=None)).team_id is None


async def test_whoever_would_not_see_it_there_no_longer_has_it(house: House) -> None:
    vault = await house.team(is_private=True)
    keeper, outsider = await house.person(Role.OPERATOR, [vault]), await house.person()
    alerts = [an_alert(assigned_to=who.user_id) for who in (keeper, outsider)]
    await house.put(*alerts)
    acting = house.acting(await house.person(Role.ADMIN))
    outcomes = await move.move_alerts(acting, ids=[alert.id for alert in alerts], team_id=vault)
    assert [one.alert.assigned_to for one in outcomes if one.alert is not None] == [keeper.user_id, None]


async def test_a_version_that_was_not_read_is_refused(house: House) -> None:
    team = await house.team()
    alert = an_alert()
    await house.put(alert)
    with pytest.raises(StaleVersion):
        await move.move_alert(house.acting(await house.person()), alert_id=alert.id, team_id=team, expected_version=9)


async def test_silences_follow_the_team_and_other_marks_stay(house: House) -> None:
    vault, public = await house.team(is_private=True), await house.team()
    by_a_rule = new_id()
    matchers = (LabelMatcher("env", MatchOperator.EQUAL, "prod"),)
    everybodys = Silence(
        id=new_id(),
        matchers=matchers,
        starts_at=NOON - HOUR,
        ends_at=NOON + HOUR,
        created_by="",
        comment="c",
        updated_at=NOON,
        holds_private=False,
    )
    theirs = replace(everybodys, id=new_id(), team_id=vault)
    alert = an_alert(team_id=public, labels={"env": "prod"}, suppressed_by=(everybodys.id, by_a_rule))
    await house.put(alert)
    await house.silence(everybodys)
    await house.silence(theirs)
    member = house.acting(await house.person(Role.OPERATOR, (vault,)))
    moved = await move.move_alert(member, alert_id=alert.id, team_id=vault)
    assert moved.suppressed_by == (theirs.id, by_a_rule)
    assert (await move.move_alert(member, alert_id=alert.id, team_id=None)).suppressed_by == (everybodys.id, by_a_rule)
    assert [event.kind for event in await house.events(alert.id)] == [AlertEventKind.MOVED] * 2
