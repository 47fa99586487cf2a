"""Which rules does a house have that thought about noise? 300 alert rules, 200 silences, 50 group rules, as rows.

Most of them are for other alerts than those that are posted, as in any house. For each alert of `bench ingest` one
alert rule holds and another is monitored, one silence holds every tenth, and one group rule makes all of them a group.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from bench.database import Database
from bench.rules import KINDS
from domain.correlation.model import GroupField, GroupRule, GroupStrategy, Part
from domain.ids import new_id
from domain.silences.matcher_syntax import parse_matchers

RULES, SILENCES, GROUP_RULES = 300, 200, 50
ALL = ("rules", "silences", "groups")
# What each table says of whether its rows count.
_SWITCHES = {
    "rules": "UPDATE alert_rules SET enabled = {on}",
    "silences": "UPDATE silences SET applied = CASE WHEN {on} THEN 'active' ELSE 'expired' END",
    "groups": "UPDATE group_rules SET enabled = {on}",
}
_GROUP_RULE_COLUMNS = (
    "id uuid, name text, strategy text, rank integer, matchers jsonb, condition text, labels text[], fields text[], "
    'parts jsonb, "window" interval, max_age interval, threshold integer, created_at timestamptz, '
    "updated_at timestamptz"
)


def switch(database: Database, on: Iterable[str]) -> None:
    """Let these count, and no others."""
    wanted = set(on)
    database.run(*(statement.format(on=name in wanted) for name, statement in _SWITCHES.items()))


def furnish(database: Database) -> None:
    """Write all rules of the house, none of which counts yet."""
    database.run(_alert_rules(), _silences(), "DELETE FROM group_rules", group_rules_sql(steady_group_rules()))
    switch(database, ())


def refurnish(database: Database, rules: Sequence[GroupRule], needs: Sequence[tuple[str, str]]) -> None:
    """Have these group rules, and services that need others, instead of those there are."""
    database.run("DELETE FROM group_rules", group_rules_sql(rules), *services_sql(needs))


def _quoted(value: object) -> str:
    return "'" + orjson.dumps(value).decode().replace("'", "''") + "'"


def _alert_rules() -> str:
    kinds = list(KINDS.values())
    conditions = [kinds[number % len(kinds)](number) for number in range(RULES - 2)]
    rows: list[dict[str, Any]] = [
        {"condition": condition, "severity": "high", "effects": {}, "monitors": False} for condition in conditions
    ]
    fitting = 'alert.labels.alertname == "HighErrorRate" && alert.severity >= HIGH'
    rows.append({"condition": fitting, "effects": {"labels": {"tier": "1"}}, "monitors": False})
    rows.append({"condition": fitting, "effects": {"suppress": "tried first"}, "monitors": True})
    for number, row in enumerate(rows):
        row |= {"id": str(new_id()), "name": f"rule {number}", "position": number}
    return f"""
INSERT INTO alert_rules (id, name, condition, severity, monitors, effects, position, created_at, updated_at)
SELECT id, name, condition, severity, monitors, effects, position, now(), now()
  FROM json_to_recordset({_quoted(rows)}) AS u(id uuid, name text, condition text, severity alert_severity,
       monitors boolean, effects jsonb, position integer)
"""


def _silences() -> str:
    """Of a label's value, of patterns, of a value and a condition; the last holds every tenth alert."""
    made: list[tuple[str, str | None]] = []
    for number in range(SILENCES - 1):
        if number % 4 == 0:
            made.append((f'alertname="Other{number}",instance=~"10.2.{number}.*"', None))
        elif number % 4 == 1:
            made.append((f'cluster="eu-{number + 2}"', None))
        elif number % 4 == 2:
            made.append((f'instance=~"db-{number}-.*",alertname=~"High.*"', None))
        else:
            made.append((f'team="team-{number}"', f'alert.severity < HIGH && alert.service != "s{number}"'))
    made.append(('alertname="HighErrorRate",instance=~".*7"', None))
    now = datetime.now(UTC)
    rows = [
        {
            "id": str(new_id()),
            "matchers": [matcher.as_json() for matcher in parse_matchers(text)],
            "condition": condition,
            "starts_at": now - timedelta(hours=1),
            "ends_at": now + timedelta(days=7),
        }
        for text, condition in made
    ]
    return f"""
INSERT INTO silences (id, matchers, condition, starts_at, ends_at, created_by, comment, created_at, updated_at)
SELECT id, matchers, condition, starts_at, ends_at, 'bench', 'planned work', starts_at, starts_at
  FROM json_to_recordset({_quoted(rows)}) AS u(id uuid, matchers jsonb, condition text, starts_at timestamptz,
       ends_at timestamptz)
"""


def steady_group_rules() -> list[GroupRule]:
    """One that every alert of `bench ingest` fits, and 49 for others."""
    fitting = _group_rule(1, "one cluster", GroupStrategy.LABELS, 'cluster=~".+"', labels=("cluster", "service"))
    return [fitting, *idle_group_rules(GROUP_RULES - 1)]


def idle_group_rules(count: int) -> list[GroupRule]:
    """Rules of each kind that no alert of a bench fits."""
    return [_idle(number) for number in range(count)]


def _idle(number: int) -> GroupRule:
    rank, name = 1_000 + number, f"idle {number}"
    match number % 10:
        case 0:
            parts = tuple(
                Part(name=side, matchers=parse_matchers(f'service="{side}-{number}"')) for side in ("front", "back")
            )
            return _group_rule(rank, name, GroupStrategy.TOGETHER, "", parts=parts, labels=("region",))
        case 1:
            return _group_rule(rank, name, GroupStrategy.SIMILARITY, f'job="log-{number}"')
        case 2:
            condition = f'alert.title.contains("flood {number}")'
            fields = (GroupField.SERVICE,)
            return _group_rule(rank, name, GroupStrategy.LABELS, "", condition=condition, fields=fields)
        case 3:
            fields = (GroupField.TITLE_TEMPLATE,)
            return _group_rule(rank, name, GroupStrategy.LABELS, f'zone="z-{number}"', fields=fields)
        case 4 | 5:
            labels = ("namespace", "instance")
            return _group_rule(rank, name, GroupStrategy.LABELS, f'namespace=~"team-{number}-.*"', labels=labels)
        case _:
            matchers = f'tenant="t-{number}",env=~"prod|stage"'
            return _group_rule(rank, name, GroupStrategy.LABELS, matchers, labels=("host",))


def _group_rule(rank: int, name: str, strategy: GroupStrategy, matchers: str, **values: Any) -> GroupRule:  # noqa: ANN401 - fields
    now = datetime.now(UTC)
    found = parse_matchers(matchers) if matchers else ()
    return GroupRule(
        id=new_id(),
        name=name,
        strategy=strategy,
        rank=rank,
        created_at=now,
        updated_at=now,
        matchers=found,
        **values,
    )


def group_rules_sql(rules: Sequence[GroupRule]) -> str:
    """Write the rules."""
    rows = [
        {
            "id": str(rule.id),
            "name": rule.name,
            "strategy": rule.strategy.value,
            "rank": rule.rank,
            "matchers": [matcher.as_json() for matcher in rule.matchers],
            "condition": rule.condition,
            "labels": list(rule.labels),
            "fields": [field.value for field in rule.fields],
            "parts": [
                {"name": part.name, "matchers": [matcher.as_json() for matcher in part.matchers]} for part in rule.parts
            ],
            "window": f"{rule.window.total_seconds():.0f} seconds",
            "max_age": f"{rule.max_age.total_seconds():.0f} seconds",
            "threshold": rule.threshold,
            "created_at": rule.created_at,
            "updated_at": rule.updated_at,
        }
        for rule in rules
    ]
    names = 'id, name, strategy, rank, matchers, condition, labels, fields, parts, "window", max_age, threshold'
    return f"""
INSERT INTO group_rules ({names}, created_at, updated_at) SELECT {names}, created_at, updated_at
  FROM json_to_recordset({_quoted(rows)}) AS u({_GROUP_RULE_COLUMNS})
"""


def services_sql(needs: Sequence[tuple[str, str]]) -> list[str]:
    """Write services, each with one that it needs."""
    ids: Mapping[str, str] = {name: str(new_id()) for pair in needs for name in pair}
    services = [{"id": service_id, "name": name} for name, service_id in ids.items()]
    pairs = [{"service_id": ids[service], "upstream_id": ids[upstream]} for service, upstream in needs]
    return [
        "DELETE FROM service_dependencies",
        "DELETE FROM services",
        f"""INSERT INTO services (id, name, created_at, updated_at) SELECT id, name, now(), now()
              FROM json_to_recordset({_quoted(services)}) AS u(id uuid, name text)""",
        f"""INSERT INTO service_dependencies (service_id, upstream_id) SELECT service_id, upstream_id
              FROM json_to_recordset({_quoted(pairs)}) AS u(service_id uuid, upstream_id uuid)""",
    ]
