"""Do alert rules make of arriving alerts what they say, in order, with the reason on record, and never keep one out?"""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa

from jobs.due import release_rule_marks
from jobs.paging import page
from persistence.escalations import reconcile
from tests.api import Api, Person
from tests.integration.rules.ways import by_rules, change_rule, make_rule, read_alert
from tests.integration.teams.ways import door, post, posted
from tests.waiting import until_true


async def test_a_rule_sets_severity_labels_priority_and_team(api: Api, manager: Person) -> None:
    team = await api.team("Payments")
    key = await door(api, manager)
    await make_rule(
        api,
        manager,
        "Payments is critical",
        'alert.service == "payments" && alert.severity >= MEDIUM',
        effects={
            "severity": "CRITICAL",
            "teamId": str(team.id),
            "priority": "P1",
            "labels": [{"name": "tier", "value": "1"}, {"name": "env", "value": "prod"}],
        },
    )
    held = await read_alert(
        api, await posted(api, key, service="payments", severity="high", labels={"env": "prod", "a": "b"}), manager
    )
    other = await read_alert(api, await posted(api, key, service="search", severity="high"), manager)
    assert (held["severity"], held["team"]) == ("CRITICAL", {"name": "Payments"})
    assert held["labels"] == {"env": "prod", "a": "b", "tier": "1", "priority": "P1"}
    (decision,) = by_rules(held)
    assert decision["reason"] == "Payments is critical: changed the severity, labels, the team"
    assert decision["ruleVersion"] == 1
    assert {change["field"]: (change["before"], change["after"]) for change in decision["changes"]} == {
        "severity": ("HIGH", "CRITICAL"),
        "labels.tier": (None, "1"),
        "labels.priority": (None, "P1"),
        "teamId": (None, str(team.id)),
    }
    assert (other["severity"], other["team"], by_rules(other)) == ("HIGH", None, [])


async def test_rules_are_asked_in_order_and_one_may_stop(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    first = await make_rule(api, manager, "First", "true", effects={"severity": "LOW"})
    second = await make_rule(api, manager, "Second", 'alert.service == "a"', effects={"severity": "MEDIUM"}, stops=True)
    third = await make_rule(api, manager, "Third", "true", effects={"severity": "CRITICAL"})

    async def severities() -> list[str]:
        return [
            (await read_alert(api, await posted(api, key, service=name, title=str(api.clock.now())), manager))[
                "severity"
            ]
            for name in ("a", "b")
        ]

    assert await severities() == ["MEDIUM", "CRITICAL"]
    answer = await api.change(
        "reorderAlertRules", {"ids": [third["id"], second["id"]]}, "rules { name position }", who=manager
    )
    assert [(rule["name"], rule["position"]) for rule in answer["rules"]] == [
        ("Third", 1),
        ("Second", 2),
        ("First", 3),
    ]
    await change_rule(api, manager, first, name="Last")
    api.clock.ahead = timedelta(seconds=1)
    assert await severities() == ["MEDIUM", "LOW"]


async def test_a_suppressed_alert_is_kept_and_let_go_with_its_rule(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    rule = await make_rule(
        api, manager, "No noise", 'alert.labels.env == "dev"', effects={"suppress": "nobody is woken for dev"}
    )
    alert_id = await posted(api, key, labels={"env": "dev"})
    held = await read_alert(api, alert_id, manager)
    assert held["status"] == "ACTIVE"
    assert held["suppression"] == {
        "silences": [],
        "rules": [{"name": "No noise", "effects": {"suppress": "nobody is woken for dev"}}],
    }
    assert by_rules(held)[0]["reason"] == "No noise: nobody is woken for dev"
    listed = await api.data("{ alerts(filter: {suppressed: true}) { nodes { id } } }", who=manager)
    assert listed["alerts"]["nodes"] == [{"id": alert_id}]
    await change_rule(api, manager, rule, mode="MONITOR")
    freed = await read_alert(api, alert_id, manager)
    assert freed["suppression"] is None
    assert freed["timeline"]["nodes"][-1]["kind"] == "UNSUPPRESSED"
    # The same again changes nothing, and is only said: the rule is monitored.
    again = await read_alert(api, await posted(api, key, labels={"env": "dev"}, service="other"), manager)
    assert again["suppression"] is None
    assert by_rules(again)[0]["reason"] == "No noise: would suppress it (nobody is woken for dev)"
    assert by_rules(again)[0]["isMonitored"]
    await change_rule(api, manager, rule, mode="ENABLED")
    third = await posted(api, key, labels={"env": "dev"}, service="third")
    assert (await read_alert(api, third, manager))["suppression"] is not None
    await api.change("deleteAlertRule", {"id": rule["id"]}, "rule { archivedAt }", who=manager)
    assert (await read_alert(api, third, manager))["suppression"] is None


async def test_a_rule_that_comes_later_counts_for_the_next_signal_of_an_open_alert(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    item: dict[str, Any] = {"title": "Disk full", "dedup_key": "one", "severity": "low", "labels": {"env": "dev"}}
    (first,) = await post(api, key, item)
    rule = await make_rule(
        api, manager, "Quiet", 'alert.labels.env == "dev"', effects={"severity": "HIGH", "suppress": "dev"}
    )
    (second,) = await post(api, key, item)
    assert second["alertId"] == first["alertId"]
    changed = await read_alert(api, first["alertId"], manager)
    assert (changed["severity"], changed["occurrences"]) == ("HIGH", 2)
    assert changed["suppression"]["rules"][0]["name"] == "Quiet"
    await post(api, key, item)
    assert (await read_alert(api, first["alertId"], manager))["version"] == changed["version"], "a repeat is no change"
    await change_rule(api, manager, rule, mode="DISABLED")
    await post(api, key, item)
    back = await read_alert(api, first["alertId"], manager)
    assert (back["severity"], back["suppression"]) == ("LOW", None)


async def test_a_dedup_key_by_rule_folds_what_the_source_tells_apart(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    await make_rule(api, manager, "One a service", "true", effects={"dedupBy": ["service", "labels.alertname"]})
    items = [
        {"title": f"Disk on {host}", "dedup_key": host, "service": "db", "labels": {"alertname": "disk", "host": host}}
        for host in ("a", "b", "c")
    ]
    made = await post(api, key, *items)
    assert len({one["alertId"] for one in made}) == 1
    found = await read_alert(api, made[0]["alertId"], manager)
    assert found["occurrences"] == 3
    assert found["dedupKey"].startswith("rule:1:")
    assert found["dedupKey"].endswith(":db/disk")
    (resolved,) = await post(api, key, {**items[1], "status": "resolved"})
    assert resolved["alertId"] == made[0]["alertId"]
    assert (await read_alert(api, made[0]["alertId"], manager))["status"] == "RESOLVED"


async def test_a_rule_that_looks_at_the_alert_is_asked_after_the_fold(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    rule = await make_rule(
        api,
        manager,
        "Again and again",
        "alert.occurrences >= 3 && alert.status == 'active'",
        effects={"severity": "CRITICAL", "labels": [{"name": "stubborn", "value": "yes"}]},
    )
    assert rule["asksAlert"]
    item: dict[str, Any] = {"title": "t", "dedup_key": "one", "severity": "low", "description": "said once"}
    await post(api, key, item)
    (made,) = await post(api, key, item)
    assert (await read_alert(api, made["alertId"], manager))["severity"] == "LOW"
    await post(api, key, item)
    raised = await read_alert(api, made["alertId"], manager)
    assert (raised["severity"], raised["labels"]) == ("CRITICAL", {"stubborn": "yes"})
    assert {"field": "severity", "before": "LOW", "after": "CRITICAL"} in by_rules(raised)[-1]["changes"]
    await post(api, key, item)
    still = await read_alert(api, made["alertId"], manager)
    assert (still["severity"], still["version"]) == ("CRITICAL", raised["version"])
    kept = await api.data("query($id: ID!) { alert(id: $id) { description } }", {"id": made["alertId"]}, who=manager)
    assert kept["alert"]["description"] == "said once"


async def test_what_a_person_wrote_stays(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    item: dict[str, Any] = {"title": "t", "dedup_key": "one", "severity": "low"}
    (made,) = await post(api, key, item)
    await api.change("updateAlert", {"id": made["alertId"], "severity": "MEDIUM"}, "alert { id }", who=manager)
    await make_rule(api, manager, "Up", "true", effects={"severity": "CRITICAL"})
    await make_rule(api, manager, "Up again", "alert.occurrences > 0", effects={"severity": "CRITICAL"})
    await post(api, key, item)
    assert (await read_alert(api, made["alertId"], manager))["severity"] == "MEDIUM"


async def test_a_rule_that_fails_keeps_no_alert_out_and_is_counted(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    broken = await make_rule(api, manager, "Broken", "alert.metadata.load < 3", effects={"severity": "CRITICAL"})
    await make_rule(api, manager, "Sound", "true", effects={"severity": "HIGH"})
    alert_id = await posted(api, key, severity="low", metadata={"load": "much"})
    fine = await posted(api, key, severity="low", metadata={"load": 5}, service="b")
    found = await read_alert(api, alert_id, manager)
    assert found["severity"] == "HIGH"
    failed = next(one for one in by_rules(found) if one["failure"] is not None)
    assert "No matching overloads" in failed["failure"]
    assert failed["reason"].startswith("Broken: passed over")
    assert all(one["failure"] is None for one in by_rules(await read_alert(api, fine, manager)))

    async def is_counted() -> bool:
        shown = await api.data(
            "query($id: ID!) { alertRule(id: $id) { activity { matches failures lastFailure } } }",
            {"id": broken["id"]},
            who=manager,
        )
        activity = shown["alertRule"]["activity"]
        return activity["failures"] == 1 and "overloads" in activity["lastFailure"]

    await until_true(is_counted)


async def test_an_alert_ends_by_itself_after_the_time_a_rule_gives_it(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    await make_rule(api, manager, "Short-lived", "true", effects={"autoResolveAfter": "PT10M", "reopenWindow": "PT1M"})
    item: dict[str, Any] = {"title": "t", "dedup_key": "one"}
    (made,) = await post(api, key, item)
    connection = await asyncpg.connect(api.state.settings.database_dsn)
    try:
        length = await connection.fetchval("SELECT expires_at - last_seen_at FROM alerts")
        assert length == timedelta(minutes=10)
    finally:
        await connection.close()
    # Closed two minutes ago: within the server's own window, beyond the rule's.
    await post(api, key, {**item, "status": "resolved"})
    api.clock.ahead = timedelta(minutes=2)
    (again,) = await post(api, key, item)
    assert again["alertId"] != made["alertId"]


async def test_rules_that_change_amid_a_flood_lose_and_split_nothing(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    rule = await make_rule(api, manager, "Key", "true", effects={"dedupBy": ["service"]})

    async def flood(name: str) -> list[str]:
        made = []
        for number in range(10):
            items = [{"title": "t", "dedup_key": f"{name}{number}{n}", "service": f"s{n}"} for n in range(5)]
            made += [one["alertId"] for one in await post(api, key, *items)]
        return made

    async def edits() -> None:
        for number in range(8):
            parts = ["service"] if number % 2 else ["service", "labels.none"]
            await change_rule(api, manager, rule, effects={"dedupBy": parts})

    first, second, _ = await asyncio.gather(flood("a"), flood("b"), edits())
    ids = set(first) | set(second)
    # Two recipes, five services: each key has one alert, whichever batch was prepared by which version.
    assert len(ids) <= 10
    connection = await asyncpg.connect(api.state.settings.database_dsn)
    try:
        assert await connection.fetchval("SELECT sum(occurrences) FROM alerts") == 100
        kept = await connection.fetchval("SELECT count(*) FROM signals WHERE body->>'dedupKey' LIKE 'rule:%'")
        assert kept == 0, "what is kept of a signal is what its source sent"
    finally:
        await connection.close()


async def test_an_edit_by_hand_takes_no_mark_of_a_rule(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    await make_rule(api, manager, "Quiet", "true", effects={"suppress": "quiet"})
    alert_id = await posted(api, key, labels={"env": "dev"})
    shown = "alert { suppression { rules { name } } }"
    answer = await api.change("updateAlert", {"id": alert_id, "labels": {"env": "prod"}}, shown, who=manager)
    assert answer["alert"]["suppression"] == {"rules": [{"name": "Quiet"}]}


async def test_a_mark_that_was_left_behind_is_found_by_the_scheduler(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    await make_rule(api, manager, "Quiet", 'alert.labels.env == "dev"', effects={"suppress": "quiet"})
    await make_rule(api, manager, "Others", 'alert.labels.env == "test"', effects={"suppress": "others"})
    left, kept = [await posted(api, key, labels={"env": name}) for name in ("dev", "test")]
    # As if the process that ended the rule had died before it let go of its alerts.
    async with api.state.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE alert_rules SET enabled = false WHERE name = 'Quiet'"))
    assert (await read_alert(api, left, manager))["suppression"] is not None
    assert await release_rule_marks(api.state.engine, api.state.settings, api.clock.now()) == 1
    assert (await read_alert(api, left, manager))["suppression"] is None
    assert (await read_alert(api, kept, manager))["suppression"] is not None
    assert await release_rule_marks(api.state.engine, api.state.settings, api.clock.now()) == 0


async def test_a_preview_of_a_payload_shows_what_rules_would_make_of_it(api: Api, manager: Person) -> None:
    await make_rule(api, manager, "Up", 'alert.service == "a"', effects={"severity": "CRITICAL"})
    what = {"draft": {"source": "GENERIC"}, "payload": {"title": "t", "service": "a", "severity": "low"}}
    shown = "items { ... on PreviewedSignal { severity reasons } }"
    answer = await api.change("previewSignal", what, shown, who=manager)
    (item,) = answer["items"]
    assert item["severity"] == "CRITICAL"
    assert "Up: changed the severity" in item["reasons"]


async def test_nobody_is_paged_for_what_a_rule_holds_until_it_lets_go(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    steps = [{"delay": "PT0S", "targets": [{"kind": "USER", "id": str(manager.id)}]}]
    await api.change("createEscalationPolicy", {"name": "All", "steps": steps}, "policy { id }", who=manager)
    rule = await make_rule(api, manager, "Quiet", 'alert.labels.env == "dev"', effects={"suppress": "quiet"})
    alert_id = await posted(api, key, labels={"env": "dev"}, severity="critical")

    async def paged() -> int:
        async with api.state.engine.begin() as connection:
            await reconcile(connection, [UUID(alert_id)], now=api.clock.now())
        await page(api.state.engine, api.state.settings, api.clock.now())
        shown = "query($id: ID!) { alert(id: $id) { notifications { kind } } }"
        return len((await api.data(shown, {"id": alert_id}, who=manager))["alert"]["notifications"])

    assert await paged() == 0
    await change_rule(api, manager, rule, mode="DISABLED")
    assert await paged() == 1


async def test_a_rule_that_a_newer_version_wrote_keeps_no_alert_out(api: Api, manager: Person) -> None:
    key = await door(api, manager)
    await make_rule(api, manager, "Newer", "true", effects={"priority": "P1"})
    await make_rule(api, manager, "Known", "true", effects={"severity": "HIGH"})
    async with api.state.engine.begin() as connection:
        await connection.execute(
            sa.text("""UPDATE alert_rules SET effects = '{"priority": "P0"}' WHERE name = 'Newer'""")
        )
    found = await read_alert(api, await posted(api, key, severity="low"), manager)
    assert (found["severity"], found["labels"]) == ("HIGH", {})
