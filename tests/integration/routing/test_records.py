"""Can it be told afterwards who was told, by which rule, through which quiet hours, by how many attempts? (N4)."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from domain.identity.model import Role
from domain.mail.delivery import Retry, Sent
from jobs.paging import page, settle_notifications
from persistence.attempts import forget_attempts
from persistence.mail import claim_mail, settle_mail
from persistence.tables import delivery_attempts
from tests.api import Api, Person
from tests.integration.routing.night import HOUR, Night, rule

DECISIONS = """query($id: ID!) { alert(id: $id) { decisions { __typename
  ... on RoutingDecision { reason event reached failure ruleVersion rule { name } }
  ... on NotificationDecision { reason step notification {
    state heldReason deliveryAttempts { number outcome answer } } } } } }"""
WHY = """query($alert: ID!, $user: ID!) { whyNotified(alertId: $alert, userId: $user) {
  reasonsNot told { step notification { why routingRule { name } } } } }"""
SEARCH = """query($filter: NotificationFilter, $first: Int, $after: String) {
  notifications(filter: $filter, first: $first, after: $after) {
    pageInfo { hasNextPage endCursor } nodes { id kind state user { id } channel { id } } } }"""


async def search(api: Api, who: Person, **wanted: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of the filter
    answer = await api.data(SEARCH, {"filter": wanted}, who=who)
    found: list[dict[str, Any]] = answer["notifications"]["nodes"]
    return found


async def test_the_decisions_of_an_alert_tell_rules_people_and_attempts(
    api: Api, night: Night, manager: Person, ann: Person
) -> None:
    await rule(api, manager, ("USER", ann.id), name="Broken", condition="int(alert.title) > 3")
    await rule(api, manager, ("USER", ann.id), name="Works")
    alert_id = await night.alert()
    await page(night.engine, api.settings, night.now)
    for outcome in (Retry("451 later"), Sent("250 queued as 7")):
        night.now += HOUR
        (posted,) = await claim_mail(night.engine, limit=5, now=night.now)
        await settle_mail(night.engine, posted, outcome, now=night.now)
    await settle_notifications(night.engine, api.settings, night.now)
    found = (await api.data(DECISIONS, {"id": alert_id}, who=ann))["alert"]["decisions"]
    assert [(one["__typename"], one["reason"]) for one in found] == [
        ("RoutingDecision", "the notification rule Broken could not be worked out and was passed over"),
        ("RoutingDecision", "the notification rule Works holds: opened"),
        ("NotificationDecision", "notification rule Works: you are named by it"),
    ]
    broken, works, told = found
    assert broken["failure"]
    assert (works["reached"], works["ruleVersion"], works["event"]) == (1, 1, "OPENED")
    assert told["notification"] == {
        "state": "SENT",
        "heldReason": None,
        "deliveryAttempts": [
            {"number": 1, "outcome": "RETRY", "answer": "451 later"},
            {"number": 2, "outcome": "SENT", "answer": "250 queued as 7"},
        ],
    }
    (sent,) = await search(api, ann, providerId="250 queued as 7")
    assert sent["user"]["id"] == str(ann.id)


async def test_why_names_the_rule_that_told_and_the_one_that_did_not(
    api: Api, night: Night, manager: Person, ann: Person, bob: Person
) -> None:
    await rule(api, manager, ("USER", ann.id), name="Works")
    alert_id = await night.alert()
    why = (await api.data(WHY, {"alert": alert_id, "user": str(ann.id)}, who=manager))["whyNotified"]
    notification = {"why": "notification rule Works: you are named by it", "routingRule": {"name": "Works"}}
    assert why == {"reasonsNot": [], "told": [{"step": None, "notification": notification}]}
    why = (await api.data(WHY, {"alert": alert_id, "user": str(bob.id)}, who=manager))["whyNotified"]
    assert why["told"] == []
    assert (
        "notification rule Works (version 1) held when the alert was opened, and did not reach this person"
        in why["reasonsNot"]
    )


async def test_what_is_a_hidden_teams_is_not_told_to_others(api: Api, night: Night, ann: Person) -> None:
    """A rule of nobody that reaches a hidden team: who sees the alert learns that somebody was told, not by whom."""
    team = await api.team("Fraud", is_private=True)
    insider = await api.person(Role.OPERATOR, teams=(team,), email="insider@example.com")
    admin = await api.person(Role.ADMIN)
    await rule(api, admin, ("TEAM", team.id), name="Everybody's")
    alert_id = await night.alert()
    (seen,) = await night.told(alert_id, ann)
    assert seen["why"] == "a notification rule, by a team, schedule or channel that you may not see"
    (seen,) = await night.told(alert_id, insider)
    assert seen["why"] == "notification rule Everybody's: you are in the team Fraud"
    hidden = await night.alert(team_id=team.id)
    await rule(api, admin, ("TEAM", team.id), name="Its own", teamId=str(team.id))
    await night.look(hidden)
    assert [len(await search(api, who, alertId=hidden)) for who in (ann, insider, admin)] == [0, 1, 1]
    assert len(await search(api, ann)) == 1


async def test_deliveries_are_found_by_what_is_known_of_them(
    api: Api, night: Night, manager: Person, ann: Person, bob: Person
) -> None:
    team = await api.team("Web")
    made = await rule(api, manager, ("USER", ann.id), name="A", condition='alert.title == "One"')
    await rule(api, manager, ("USER", bob.id), name="B", teamId=str(team.id))
    one = await night.alert(title="One")
    await night.tick()
    two = await night.alert(title="Two", team_id=team.id)
    since = night.api.clock.now() - timedelta(days=1)
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({}, {one, two}),
        ({"userId": str(ann.id)}, {one}),
        ({"teamId": str(team.id)}, {two}),
        ({"alertId": two}, {two}),
        ({"routingRuleId": made["id"]}, {one}),
        ({"states": ["QUEUED", "HELD"]}, {two}),
        ({"kinds": ["RESOLVED"]}, set()),
        ({"contactKinds": ["EMAIL"]}, {one, two}),
        ({"contactKinds": ["SMS"]}, set()),
        ({"since": since.isoformat()}, {one, two}),
        ({"until": since.isoformat()}, set()),
        ({"userId": "nobody"}, set()),
        ({"providerId": "unknown"}, set()),
    ]
    of = {(await night.told(alert_id, manager))[0]["user"]["id"]: alert_id for alert_id in (one, two)}
    for wanted, expected in cases:
        found = {of[row["user"]["id"]] for row in await search(api, manager, **wanted)}
        assert found == expected, wanted
    first = (await api.data(SEARCH, {"first": 1}, who=manager))["notifications"]
    assert first["pageInfo"]["hasNextPage"]
    rest = {"first": 1, "after": first["pageInfo"]["endCursor"]}
    rest = (await api.data(SEARCH, rest, who=manager))["notifications"]
    assert [one["user"]["id"] for one in first["nodes"] + rest["nodes"]] == [str(bob.id), str(ann.id)]
    assert not rest["pageInfo"]["hasNextPage"]


async def test_attempts_to_tell_somebody_go_with_them(api: Api, night: Night, manager: Person, ann: Person) -> None:
    """A provider's answer may name the number."""
    await rule(api, manager, ("USER", ann.id))
    await night.alert()
    await page(night.engine, api.settings, night.now)
    (posted,) = await claim_mail(night.engine, limit=5, now=night.now + HOUR)
    await settle_mail(night.engine, posted, Retry("451 later"), now=night.now)
    count = sa.select(sa.func.count()).select_from(delivery_attempts)
    async with night.engine.begin() as connection:
        assert await connection.scalar(count) == 1
        await forget_attempts(connection, manager.id)
        assert await connection.scalar(count) == 1
        await forget_attempts(connection, ann.id)
        assert await connection.scalar(count) == 0
