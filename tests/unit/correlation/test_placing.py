"""Does an alert come into the group it belongs to, and for the reason that is told?"""

from datetime import timedelta
from typing import Any

import pytest

from domain.correlation.model import GroupedBy, GroupField, GroupStrategy, Part
from domain.correlation.placing import MAX_WAITING
from domain.correlation.templates import template_of
from domain.correlation.topology import topology_of
from tests.unit.alerts.signals import FIRING, RESOLVED
from tests.unit.correlation.placed import MINUTE, Groups, a_rule, is_

BY_CLUSTER: dict[str, Any] = {"labels": ("cluster",)}


def test_equal_labels_within_the_window_are_one_group() -> None:
    groups = Groups(a_rule(GroupStrategy.LABELS, "by cluster", **BY_CLUSTER))

    first = groups.fire(0, "a", labels={"cluster": "eu", "host": "1"})
    second = groups.fire(9 * MINUTE, "b", labels={"cluster": "eu", "host": "2"})
    third = groups.fire(18 * MINUTE, "c", labels={"cluster": "eu"})
    other = groups.fire(18 * MINUTE, "d", labels={"cluster": "us"})
    late = groups.fire(29 * MINUTE, "e", labels={"cluster": "eu"})

    assert first.group_id == second.group_id == third.group_id, "the window slides"
    assert len({first.group_id, other.group_id, late.group_id}) == 3
    assert groups.made(first).title == "by cluster: cluster=eu"
    assert first.group_reason == "it opened a group: rule “by cluster”, cluster=eu"
    assert second.group_reason == (
        "it joined an open group: rule “by cluster”, cluster=eu; the last alert of the group came 9 min before"
    )


def test_the_decision_is_on_the_event_with_the_rules_version() -> None:
    rule = a_rule(GroupStrategy.LABELS, **BY_CLUSTER, version=7)
    groups = Groups(rule)
    alert = groups.fire(0, "a", labels={"cluster": "eu"})

    (decision,) = [one for one in groups.events[0].data["decisions"] if one["kind"] == "group"]
    assert decision == {
        "kind": "group",
        "reason": alert.group_reason,
        "inputs": {
            "groupId": str(alert.group_id),
            "groupedBy": "labels",
            "opened": True,
            "ruleId": str(rule.id),
            "rule": "the rule",
            "ruleVersion": 7,
        },
    }


def test_a_group_takes_no_more_once_it_is_too_old() -> None:
    groups = Groups(a_rule(GroupStrategy.LABELS, **BY_CLUSTER, max_age=timedelta(minutes=20)))
    found = [groups.fire(n * 8 * MINUTE, str(n), labels={"cluster": "eu"}).group_id for n in range(5)]

    assert found[0] == found[1] == found[2] != found[3] == found[4]


def test_only_open_groups_accept_and_only_what_fires_is_placed() -> None:
    groups = Groups(a_rule(GroupStrategy.LABELS, **BY_CLUSTER))
    first = groups.fire(0, "a", labels={"cluster": "eu"})
    assert groups.post((1, "unknown", RESOLVED, {"labels": {"cluster": "eu"}})) == []
    groups.end(10, "a")
    second = groups.fire(20, "b", labels={"cluster": "eu"})

    assert second.group_id != first.group_id
    assert len(groups.groups) == 2


def test_one_batch_makes_one_group() -> None:
    groups = Groups(a_rule(GroupStrategy.LABELS, **BY_CLUSTER))
    made = groups.post(*[(0, str(n), FIRING, {"labels": {"cluster": "eu"}}) for n in range(200)])

    assert len({alert.group_id for alert in made}) == len(groups.groups) == 1
    assert len(groups.keyed) == 1


def test_alerts_without_any_of_the_labels_have_nothing_in_common() -> None:
    groups = Groups(a_rule(GroupStrategy.LABELS, labels=("cluster", "zone")))

    assert groups.fire(0, "a").group_id is None
    assert groups.fire(0, "b", labels={"zone": "1"}).group_id is not None, "an absent label is an empty one"


def test_the_scope_keeps_others_out_and_the_smaller_rank_decides() -> None:
    production = a_rule(GroupStrategy.LABELS, "prod", **BY_CLUSTER, matchers=(is_("env", "prod"),), rank=1)
    everything = a_rule(GroupStrategy.LABELS, "all", fields=(GroupField.SERVICE,))
    groups = Groups(everything, production)

    inside = groups.fire(0, "a", labels={"env": "prod", "cluster": "eu"}, service_name="api")
    outside = groups.fire(0, "b", labels={"env": "test", "cluster": "eu"}, service_name="api")
    assert groups.made(inside).title == "prod: cluster=eu"
    assert groups.made(outside).title == "all: service=api"


def test_a_repeat_stays_and_a_reopened_alert_comes_back_to_its_group() -> None:
    groups = Groups(a_rule(GroupStrategy.LABELS, **BY_CLUSTER))
    alert = groups.fire(0, "a", labels={"cluster": "eu"})
    group = alert.group_id
    groups.fire(60, "a", labels={"cluster": "eu"})
    groups.end(120, "a")
    groups.fire(180, "a", labels={"cluster": "eu"})

    assert (alert.episode, alert.group_id, len(groups.groups)) == (2, group, 1)


def test_an_alert_whose_end_came_first_opens_no_group() -> None:
    groups = Groups(a_rule(GroupStrategy.LABELS, **BY_CLUSTER))
    groups.post((0, "a", RESOLVED, {}))
    alert = groups.fire(1, "a", labels={"cluster": "eu"}, started_at=None)
    late = Groups(a_rule(GroupStrategy.LABELS, **BY_CLUSTER))
    late.post((60, "a", RESOLVED, {}))
    closed = late.fire(30, "a", labels={"cluster": "eu"})

    assert alert.group_id is not None
    assert (closed.is_open, closed.group_id, late.groups) == (False, None, {})


# -- together ----------------------------------------------------------------------------------------------------------

PAYMENTS = Part(name="payments", matchers=(is_("service", "payments"),))
DATABASE = Part(name="database", matchers=(is_("service", "db"),))
CACHE = Part(name="cache", matchers=(is_("service", "cache"),))


def _together(*parts: Part, **values: object) -> Groups:
    return Groups(a_rule(GroupStrategy.TOGETHER, "checkout", parts=parts, **values))


def test_what_is_seen_together_is_one_group_and_who_waited_comes_in() -> None:
    groups = _together(PAYMENTS, DATABASE)
    first = groups.fire(0, "a", labels={"service": "payments"})
    assert first.group_id is None
    second = groups.fire(5 * MINUTE, "b", labels={"service": "db"})

    waited = groups.members(second.group_id)
    assert {alert.dedup_key for alert in waited} == {"a", "b"}
    assert groups.attempts == 3, "the batch begins again, with the lock of the alert that waited"
    assert "payments and database were seen within 10 min" in str(second.group_reason)
    told = groups.events[-1]
    assert (told.kind, told.alert_id, told.data["changes"]) == (
        "grouped",
        groups.alert("a").id,
        {"group_id": [None, str(second.group_id)]},
    )
    third = groups.fire(30 * MINUTE, "c", labels={"service": "payments"})
    assert third.group_id == second.group_id, "while it is open, more of its parts join"


def test_parts_too_far_apart_are_two_problems() -> None:
    groups = _together(PAYMENTS, DATABASE)
    groups.fire(0, "a", labels={"service": "payments"})

    assert groups.fire(11 * MINUTE, "b", labels={"service": "db"}).group_id is None


def test_all_of_three_parts_must_be_seen_and_each_where_the_labels_are_equal() -> None:
    groups = _together(PAYMENTS, DATABASE, CACHE, labels=("region",))
    groups.fire(0, "a", labels={"service": "payments", "region": "eu"})
    groups.fire(1, "b", labels={"service": "db", "region": "eu"})
    other = groups.fire(2, "c", labels={"service": "cache", "region": "us"})
    last = groups.fire(3, "d", labels={"service": "cache", "region": "eu"})

    assert other.group_id is None
    assert {alert.dedup_key for alert in groups.members(last.group_id)} == {"a", "b", "d"}


def test_what_ended_does_not_count_as_seen() -> None:
    groups = _together(PAYMENTS, DATABASE)
    groups.fire(0, "a", labels={"service": "payments"})
    groups.end(10, "a")

    assert groups.fire(20, "b", labels={"service": "db"}).group_id is None


def test_a_part_that_another_rule_grouped_meanwhile_brings_the_rest_into_its_group() -> None:
    groups = Groups(
        a_rule(GroupStrategy.TOGETHER, "checkout", parts=(PAYMENTS, DATABASE)),
        a_rule(GroupStrategy.LABELS, "by cluster", **BY_CLUSTER),
    )
    first = groups.fire(0, "a", labels={"service": "payments", "cluster": "eu"})
    second = groups.fire(60, "b", labels={"service": "db", "cluster": "us"})

    assert first.group_id is not None
    assert first.group_id == second.group_id
    assert len(groups.groups) == 1


def test_parts_of_one_batch_are_one_group_where_another_rule_grouped_the_first() -> None:
    groups = Groups(
        a_rule(GroupStrategy.TOGETHER, "checkout", parts=(PAYMENTS, DATABASE)),
        a_rule(GroupStrategy.LABELS, "by cluster", **BY_CLUSTER),
    )
    made = groups.post(
        (0, "a", FIRING, {"labels": {"service": "payments", "cluster": "eu"}}),
        (0, "b", FIRING, {"labels": {"service": "db", "cluster": "eu"}}),
    )

    assert len({alert.group_id for alert in made}) == len(groups.groups) == 1


def test_parts_of_long_ago_keep_no_newer_one_from_being_seen() -> None:
    groups = _together(PAYMENTS, DATABASE)
    for number in range(MAX_WAITING):
        groups.fire(0, f"old-{number}", labels={"service": "payments"})
    groups.fire(20 * MINUTE, "new", labels={"service": "payments"})
    last = groups.fire(21 * MINUTE, "b", labels={"service": "db"})

    assert {alert.dedup_key for alert in groups.members(last.group_id)} == {"new", "b"}


# -- topology ----------------------------------------------------------------------------------------------------------

DEPENDENCIES = (("web", "api"), ("api", "db"), ("report", "db"))


def _topology(*others: object) -> Groups:
    return Groups(a_rule(GroupStrategy.TOPOLOGY, "what depends"), *others, dependencies=DEPENDENCIES)  # type: ignore[arg-type]


def test_what_depends_on_a_service_joins_its_group() -> None:
    groups = _topology()
    cause = groups.fire(0, "db", service_name="db")
    near = groups.fire(60, "api", service_name="api")
    far = groups.fire(120, "web", service_name="web")
    beside = groups.fire(130, "mail", service_name="mail")

    assert cause.group_id is not None
    assert cause.group_id == near.group_id == far.group_id
    assert beside.group_id is None
    assert str(near.group_reason).startswith("it joined an open group: rule “what depends”, api depends on db")
    assert groups.made(cause).title == "db and what depends on it"


def test_the_upstreams_group_is_found_whatever_opened_it() -> None:
    groups = _topology(a_rule(GroupStrategy.LABELS, "by cluster", **BY_CLUSTER))
    cause = groups.fire(0, "db", service_name="db", labels={"cluster": "eu"})
    follower = groups.fire(60, "report", service_name="report", labels={"cluster": "us"})

    assert groups.made(cause).grouped_by is GroupedBy.LABELS
    assert follower.group_id == cause.group_id


def test_nobody_joins_an_upstream_that_is_well_again() -> None:
    groups = _topology()
    cause = groups.fire(0, "db", service_name="db")
    groups.end(30, "db")
    follower = groups.fire(60, "report", service_name="report")

    assert follower.group_id is None
    assert cause.group_id is not None


@pytest.mark.parametrize(
    ("dependencies", "expected"),
    [
        pytest.param([("a", "b"), ("b", "c"), ("a", "c")], ("b", "c"), id="the nearest first"),
        pytest.param([("a", "b"), ("b", "a")], ("b",), id="a circle ends"),
        pytest.param([("a", "b"), ("b", "c"), ("c", "d"), ("d", "e")], ("b", "c", "d"), id="so far and no farther"),
        pytest.param([("a", f"{n:02}") for n in range(30)], tuple(f"{n:02}" for n in range(20)), id="so many at most"),
    ],
)
def test_upstreams(dependencies: list[tuple[str, str]], expected: tuple[str, ...]) -> None:
    assert topology_of(dependencies).upstreams["a"] == expected


# -- titles ------------------------------------------------------------------------------------------------------------


def test_titles_that_differ_in_their_places_are_one_group() -> None:
    groups = Groups(a_rule(GroupStrategy.SIMILARITY, "alike", threshold=85))
    first = groups.fire(0, "a", title="Disk 95% full on db-01.eu.example.com")
    same = groups.fire(1, "b", title="Disk 97% full on db-17.us.example.com")
    alike = groups.fire(2, "c", title="Disk 97% nearly full on db-17.us.example.com")
    other = groups.fire(3, "d", title="Certificate of shop.example.com expires in 3 days")

    assert first.group_id == same.group_id == alike.group_id != other.group_id
    assert groups.made(first).title == "Disk <number>% full on <host>"
    assert "its title is 100 % like the group's" in str(same.group_reason)


def test_titles_are_only_compared_where_the_rules_labels_are_equal() -> None:
    groups = Groups(a_rule(GroupStrategy.SIMILARITY, "alike", labels=("team",)))
    found = {groups.fire(0, str(n), title="Disk full", labels={"team": str(n)}).group_id for n in range(2)}

    assert len(found) == 2


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        pytest.param("latency 5.23s > 2s", "latency <number> > <number>", id="numbers with units"),
        pytest.param("Timeout calling 10.2.3.4:5432", "Timeout calling <ip>", id="addresses"),
        pytest.param("Pod  payments-7f9c6d-x2x9z\tcrashed", "Pod <id> crashed", id="names with digits"),
        pytest.param("order 123e4567-e89b-12d3-a456-426614174000 failed", "order <uuid> failed", id="uuid"),
        pytest.param("https://x.y/z?1 is down", "<url> is down", id="url"),
        pytest.param("node.js error", "node.js error", id="words stay"),
        pytest.param("", "", id="empty"),
    ],
)
def test_templates(title: str, expected: str) -> None:
    assert template_of(title) == expected


def test_a_shared_title_is_called_a_title() -> None:
    groups = Groups(a_rule(GroupStrategy.LABELS, "same words", labels=("env",), fields=(GroupField.TITLE_TEMPLATE,)))
    alert = groups.fire(0, "a", labels={"env": "eu"}, title="Disk 95% full")

    assert groups.made(alert).title == "same words: env=eu, title=Disk <number>% full"
