"""How do routing rules tell of alerts? Each alert of a piece of the log is looked at as it is, in one transaction.

The row that says that a rule held is the promise that it tells once: an alert looked at again, by whomever, finds it.
Who was told of the alert's opening already, by a step of a policy or a rule before, is not told of it again. Condition,
rules and alert are read in the worker: an installation without rules pays one look a run, and arriving alerts nothing.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.model import Severity
from domain.escalations.engine import Call, Subject, call_of
from domain.ids import new_id
from domain.routing.deciding import Asked, Held, happened, holding, rules_for
from domain.routing.model import BEGINNINGS, RoutedEvent, Routing, RoutingRule
from domain.rules.condition import RANKS, Bound, ConditionInvalid
from domain.rules.facts import Facts
from persistence.among import among
from persistence.conditions import bind, compile_condition
from persistence.escalations import subjects_of
from persistence.policies_instead import Called, policies_called
from persistence.reaching import reach
from persistence.revived import revive_dropped
from persistence.routing import active_rules, targets_json, targets_of
from persistence.routing_notices import Noticed, notify, set_to_work
from persistence.tables import alerts, routings, teams

# What was decided of an episode, so that it is decided once.
Known: TypeAlias = tuple[UUID, int, UUID, RoutedEvent, str, bool]
_FACTS = (
    alerts.c.id,
    alerts.c.title,
    alerts.c.description,
    alerts.c.severity,
    alerts.c.source,
    alerts.c.service_name,
    alerts.c.labels,
    alerts.c.metadata,
    alerts.c.integration_id,
    alerts.c.dedup_key,
    alerts.c.started_at,
    alerts.c.team_id,
    alerts.c.status,
    alerts.c.occurrences,
)


@dataclass(frozen=True)
class RoutedAlert:
    """An alert as rules are asked about it."""

    subject: Subject
    facts: Facts
    is_private: bool

    @cached_property
    def bound(self) -> Bound:
        """Its facts as the engine takes them, once for all rules."""
        return bind(self.facts)


async def route(
    connection: AsyncConnection, alert_ids: Sequence[UUID], *, worsened: Collection[UUID], now: datetime
) -> int:
    """Ask the rules about the alerts and queue what they tell; how many notifications."""
    rules = asked(await active_rules(connection))
    if not rules:
        return 0
    found = await routed_alerts(connection, alert_ids, now=now)
    known = await _known(connection, alert_ids)
    fresh: list[tuple[RoutedAlert, Routing]] = []
    for alert in found:
        for event, held in decided(alert, rules, has_worsened=alert.subject.id in worsened, now=now):
            routing = routing_of(alert.subject, event, held, now=now)
            if _key(routing) not in known:
                fresh.append((alert, routing))
    subjects = [alert.subject for alert in found]
    calling = {one.id: one for one in subjects if call_of(one, now=now)[0] is Call.SOMEBODY}
    revived = await revive_dropped(connection, calling, now=now)
    if not fresh:
        return revived
    policies = {one.rule.id: (one.rule.policy_id, one.rule.team_id) for one in rules if one.rule.policy_id is not None}
    return revived + await _tell(connection, fresh, policies, now=now)


def asked(rules: Iterable[RoutingRule]) -> list[Asked]:
    """The rules with their conditions. One that an older version took and this one does not keeps no alert waiting."""
    found = []
    for rule in rules:
        with suppress(ConditionInvalid):
            found.append(Asked(rule, compile_condition(rule.condition)))
    return found


def decided(
    alert: RoutedAlert, rules: Sequence[Asked], *, has_worsened: bool, now: datetime
) -> list[tuple[RoutedEvent, Held]]:
    """Which rules hold for what happened to the alert."""
    taking = rules_for(rules, alert.subject.team_id, is_private=alert.is_private)
    if not taking:
        return []
    events = happened(alert.subject, has_worsened=has_worsened, now=now)
    return [(event, held) for event in events for held in holding(taking, event, alert.bound)]


async def routed_alerts(connection: AsyncConnection, alert_ids: Sequence[UUID], *, now: datetime) -> list[RoutedAlert]:
    """The alerts as rules are asked about them, in the order of their ids."""
    subjects = await subjects_of(connection, alert_ids)
    rows = (
        await connection.execute(sa.select(*_FACTS).where(among(alerts.c.id, alert_ids)).order_by(alerts.c.id))
    ).all()
    team_ids = {row.team_id for row in rows if row.team_id is not None}
    private = sa.select(teams.c.id).where(among(teams.c.id, team_ids), teams.c.is_private)
    hidden = set(await connection.scalars(private)) if team_ids else set()
    return [
        RoutedAlert(subjects[row.id], _facts(row, now), row.team_id in hidden) for row in rows if row.id in subjects
    ]


def _facts(row: Any, now: datetime) -> Facts:  # noqa: ANN401 - a row of _FACTS
    return {
        "alert.title": row.title,
        "alert.description": row.description or "",
        "alert.severity": RANKS[Severity(row.severity)],
        "alert.source": row.source,
        "alert.service": row.service_name or "",
        "alert.labels": row.labels,
        "alert.metadata": row.metadata,
        "alert.integration": str(row.integration_id),
        "alert.dedup_key": row.dedup_key,
        "alert.started_at": row.started_at,
        "now": now,
        "alert.team": "" if row.team_id is None else str(row.team_id),
        "alert.status": row.status,
        "alert.occurrences": row.occurrences,
    }


def routing_of(subject: Subject, event: RoutedEvent, held: Held, *, now: datetime) -> Routing:
    """The record that a rule held."""
    return Routing(
        id=new_id(),
        rule_id=held.rule.id,
        rule_version=held.rule.version,
        alert_id=subject.id,
        episode=subject.episode,
        event=event,
        severity=subject.severity,
        decided_at=now,
        targets=held.rule.targets,
        failure=None if held.failure is None else held.failure[:300],
    )


def _worsened_to(routing: Routing) -> str:
    return routing.severity.value if routing.event is RoutedEvent.WORSENED else ""


def _key(routing: Routing) -> Known:
    is_failure = routing.failure is not None
    worsened_to = "" if is_failure else _worsened_to(routing)
    return routing.alert_id, routing.episode, routing.rule_id, routing.event, worsened_to, is_failure


async def _known(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> set[Known]:
    rows = await connection.execute(sa.select(routings).where(among(routings.c.alert_id, alert_ids)))
    return {_key(routing_from(row)) for row in rows.mappings()}


async def _tell(
    connection: AsyncConnection,
    fresh: Sequence[tuple[RoutedAlert, Routing]],
    policies: Mapping[UUID, tuple[UUID, UUID | None]],
    *,
    now: datetime,
) -> int:
    rows = [_row_of(routing) for _, routing in fresh]
    statement = insert(routings).on_conflict_do_nothing().returning(routings.c.id)
    # Two at once come to the same: what the other wrote, the other tells.
    mine = set(await connection.scalars(statement, rows))
    kept = [(alert, one) for alert, one in fresh if one.id in mine and one.failure is None]
    reached = await reach(connection, [one.targets for _, one in kept], now=now)
    calls = [
        Called(routing_id=one.id, subject=alert.subject, policy_id=policies[one.rule_id][0])
        for alert, one in kept
        if _begins(one) and one.rule_id in policies
    ]
    called = await policies_called(connection, calls, dict(policies.values()))
    noticed = [
        Noticed(subject=alert.subject, routing=one, reached=people | called.reached.get(one.id, {}))
        for (alert, one), people in zip(kept, reached, strict=True)
    ]
    counts = await notify(connection, noticed, now=now)
    await _note_what_came_of_it(connection, [one for _, one in kept], counts, called.notes)
    return sum(counts.values()) + await set_to_work(connection, called.begin, now=now)


async def _note_what_came_of_it(
    connection: AsyncConnection, decided_: Sequence[Routing], counts: Mapping[UUID, int], notes: Mapping[UUID, str]
) -> None:
    changed = [
        {"row_id": one.id, "people": counts.get(one.id, 0), "said": notes.get(one.id)}
        for one in decided_
        if counts.get(one.id) or one.id in notes
    ]
    if changed:
        table = routings
        values = {"reached": sa.bindparam("people"), "note": sa.bindparam("said")}
        await connection.execute(sa.update(table).where(table.c.id == sa.bindparam("row_id")).values(values), changed)


def _begins(routing: Routing) -> bool:
    return routing.event in BEGINNINGS


def _row_of(routing: Routing) -> dict[str, Any]:
    values = {field.name: getattr(routing, field.name) for field in dataclasses.fields(routing)}
    words = {"event": routing.event.value, "severity": routing.severity.value, "worsened_to": _worsened_to(routing)}
    return {**values, **words, "targets": targets_json(routing.targets)}


def routing_from(row: sa.RowMapping) -> Routing:
    """The object of a row."""
    values = {field.name: row[field.name] for field in dataclasses.fields(Routing)}
    event, severity = RoutedEvent(values["event"]), Severity(values["severity"])
    return Routing(**{**values, "event": event, "severity": severity, "targets": targets_of(values["targets"])})


async def routings_by_alert(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> list[list[Routing]]:
    """What rules decided of each alert, the oldest first."""
    statement = sa.select(routings).where(among(routings.c.alert_id, alert_ids)).order_by(routings.c.id)
    found: dict[UUID, list[Routing]] = {alert_id: [] for alert_id in alert_ids}
    for row in (await connection.execute(statement)).mappings():
        found[row["alert_id"]].append(routing_from(row))
    return [found[alert_id] for alert_id in alert_ids]


async def routings_by_ids(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, Routing]:
    """Decisions by id; one that is not there is missing."""
    statement = sa.select(routings).where(among(routings.c.id, ids))
    return {row["id"]: routing_from(row) for row in (await connection.execute(statement)).mappings()}
