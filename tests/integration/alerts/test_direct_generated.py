"""Is a page of alerts the same both ways, whatever is asked: filters, orders, ends, places, and whoever asks?"""

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from domain.alerts.model import Severity
from domain.identity.model import Role
from tests.alert_builder import NOON, an_alert
from tests.alert_rows import put_alerts
from tests.api import Api
from tests.integration.alerts.test_direct_answers import Ways

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (
    "query($f: AlertFilter, $o: AlertOrder, $first: Int, $last: Int, $after: String, $before: String) "
    "{ alerts(filter: $f, orderBy: $o, first: $first, last: $last, after: $after, before: $before) "
    "{ pageInfo { startCursor endCursor hasNextPage hasPreviousPage } edges { cursor node { id title } } } }"
)
SOURCES = ["a", "b", "ü'", "%"]
SERVICES = ["checkout", "cart", "", None]
ORDERS = ("CREATED_AT", "UPDATED_AT", "SEVERITY")
ENDS: list[list[str]] = [[], ["after"], ["before"], ["after", "before"]]
ALERTS, LISTS = 40, 20


def conditions(made: Random, ids: list[str], teams: list[str]) -> dict[str, Any]:
    """One condition, any of those that there are."""
    kinds: list[Callable[[], dict[str, Any]]] = [
        lambda: {"ids": made.sample(ids, made.randrange(len(ids)))},
        lambda: {"status": made.sample(["ACTIVE", "ACKNOWLEDGED", "RESOLVED"], made.randrange(3))},
        lambda: {"severity": made.sample([one.name for one in Severity], 2)},
        lambda: {"source": made.sample(SOURCES, 2)},
        lambda: {"serviceName": made.sample(SERVICES, 2)},
        lambda: {"teamId": made.choice(teams)},
        lambda: {"createdAt": {"from": "2026-11-24T12:03:00Z"}},
        lambda: {"createdAt": {"until": "2026-11-24T14:05:00+02:00"}},
        lambda: {made.choice(["isOpen", "snoozed", "suppressed", "flapping", "falsePositive"]): False},
        lambda: {"labels": [{"name": "env", "operator": made.choice(["EQUAL", "REGEX"]), "value": "prod"}]},
        lambda: {"search": "title"},
        dict,
    ]
    return made.choice(kinds)()


def a_filter(made: Random, ids: list[str], teams: list[str], depth: int = 0) -> dict[str, Any]:
    """Some conditions, within others."""
    found = conditions(made, ids, teams)
    if depth < 2 and made.random() < 0.5:
        parts = [a_filter(made, ids, teams, depth + 1) for _ in range(made.randrange(1, 3))]
        found |= {made.choice(["and", "or"]): parts}
    if depth < 2 and made.random() < 0.3:
        found |= {"not": a_filter(made, ids, teams, depth + 1)}
    return found


@pytest.mark.parametrize("seed", range(2))
async def test_any_list_is_the_same_both_ways(api: Api, seed: int) -> None:
    made = Random(seed)
    public, private = await api.team("Public"), await api.team("Private", is_private=True)
    alerts = [
        an_alert(
            title=f"title {number}",
            source=made.choice(SOURCES),
            service_name=made.choice(SERVICES),
            severity=made.choice(list(Severity)),
            team_id=made.choice([None, public.id, private.id]),
            created_at=NOON + timedelta(minutes=made.randrange(10)),
            updated_at=NOON + timedelta(hours=made.randrange(3)),
            labels={"env": made.choice(["prod", "dev"])},
        )
        for number in range(ALERTS)
    ]
    async with api.engine.begin() as connection:
        await put_alerts(connection, alerts)
    member = await api.person(Role.VIEWER, teams=(private,))
    people = [await api.person(Role.VIEWER), member, await api.person(Role.ADMIN)]
    ids, teams = [str(alert.id) for alert in alerts], [str(public.id), str(private.id)]
    pages: list[tuple[bool, int]] = []
    for _ in range(LISTS):
        ways = Ways(api, made.choice(people))
        order = {"field": made.choice(ORDERS), "direction": made.choice(["ASC", "DESC"])}
        asked = {"f": a_filter(made, ids, teams), "o": order, made.choice(["first", "last"]): made.choice([1, 3, 50])}
        cursors: list[str] = []
        for places in ENDS:
            between = {place: made.choice(cursors) for place in places}
            answer, is_short = await ways.both(PAGE, {**asked, **between})
            assert "errors" not in answer
            edges = answer["data"]["alerts"]["edges"]
            pages.append((is_short, len(edges)))
            cursors += [edge["cursor"] for edge in edges]
            if not cursors:
                break
    assert all(is_short for is_short, _ in pages)
    assert sum(number > 0 for _, number in pages) > len(pages) / 3
