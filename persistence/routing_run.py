"""How do routing rules tell of alerts? Each alert of a piece of the log is looked at as it is, in one transaction.

The row that says that a rule held is the promise that it tells once: an alert looked at again, by whomever, finds it.
Who was told of the alert's opening already, by a step of a policy or a rule before, is not told of it again. Condition,
rules and alert are read in the worker: an installation without rules pays one look a run, and arriving alerts nothing.
"""

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
from domain.routing.grouping import JOINED, that_page
from domain.routing.model import BEGINNINGS, RoutedEvent, Routing, RoutingRule
from domain.rules.condition import RANKS, Bound, ConditionInvalid
from domain.rules.facts import Facts
from persistence.among import among
from persistence.conditions import bind, compile_condition
from persistence.escalations import subjects_of
from persistence.group_locks import lock_groups
from persistence.policies_instead import Called, policies_called
from persistence.reaching import reach
from persistence.revived import revive_dropped
from persistence.routing import active_rules
from persistence.routing_notices import notify, set_to_work
from persistence.routing_rows import routing_from, routing_row, worsened_to
from persistence.rule_following import follow_rule_groups, groups_of
from persistence.rule_groups import PAGES, leads_of, mark_joined, told_of
from persistence.tables import alerts, routings, teams
from persistence.told_before import Noticed

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
    await lock_groups(connection, await groups_of(connection, alert_ids))
    rules = asked(await active_rules(connection))
    if not rules:
        return await follow_rule_groups(connection, alert_ids, now=now)
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
    policies = {one.rule.id: (one.rule.policy_id, one.rule.team_id) for one in rules if one.rule.policy_id is not None}
    told = await _tell(connection, fresh, policies, now=now) if fresh else 0
    # Also those that call: what joined silently may have been silenced while what it had joined ended.
    return revived + told + await follow_rule_groups(connection, alert_ids, now=now)


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
        group_id=subject.group_id if event in PAGES else None,
    )


def _key(routing: Routing) -> Known:
    is_failure = routing.failure is not None
    raised_to = "" if is_failure else worsened_to(routing)
    return routing.alert_id, routing.episode, routing.rule_id, routing.event, raised_to, is_failure


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
    rows = [routing_row(routing) for _, routing in fresh]
    statement = insert(routings).on_conflict_do_nothing().returning(routings.c.id)
    # Two at once come to the same: what the other wrote, the other tells.
    mine = set(await connection.scalars(statement, rows))
    kept = [(alert, one) for alert, one in fresh if one.id in mine and one.failure is None]
    reached = await reach(connection, [one.targets for _, one in kept], now=now)
    calls = [
        Called(routing_id=one.id, subject=alert.subject, policy_id=policies[one.rule_id][0])
        for alert, one in kept
        if one.event in BEGINNINGS and one.rule_id in policies
    ]
    called = await policies_called(connection, calls, dict(policies.values()))
    joined = await _joining(connection, [one for _, one in kept if one.group_id is not None])
    leads = await leads_of(connection, {one.group_id for _, one in kept if one.group_id is not None})
    noticed = [
        Noticed(
            subject=alert.subject,
            routing=one,
            reached=people | called.reached.get(one.id, {}),
            lead=None if one.group_id is None else leads.get((one.rule_id, one.group_id)),
        )
        for (alert, one), people in zip(kept, reached, strict=True)
        if one.id not in joined
    ]
    counts = await notify(connection, noticed, now=now)
    notes = {**dict.fromkeys(joined, JOINED), **called.notes}
    await _note_what_came_of_it(connection, [one for _, one in kept], counts, notes)
    return sum(counts.values()) + await set_to_work(connection, called.begin, now=now)


async def _joining(connection: AsyncConnection, fresh: Sequence[Routing]) -> set[UUID]:
    """Which of these decisions about alerts of groups tell nobody: their rule told of the group already."""
    if not fresh:
        return set()
    by_place: dict[tuple[UUID, UUID], list[Routing]] = {}
    for one in fresh:
        if one.group_id is not None:
            by_place.setdefault((one.rule_id, one.group_id), []).append(one)
    told = await told_of(connection, {group_id for _, group_id in by_place}, but={one.id for one in fresh})
    paging: set[UUID] = set()
    for place, decisions in by_place.items():
        paging |= that_page(decisions, told.get(place, ()))
    await mark_joined(connection, fresh, paging=paging)
    return {one.id for one in fresh} - paging


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
        count = sa.update(table).where(table.c.id == sa.bindparam("row_id"))
        came_of_it = count.values(reached=sa.bindparam("people"), note=sa.bindparam("said"))
        await connection.execute(came_of_it, changed)
