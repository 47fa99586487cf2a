"""Whose turn is it, and what comes of it? Rules are evaluated up to the last complete minute, each minute once.

What a rule says and where it then is are written in one transaction, and only if the rule still is where it was when it
was read. So of two schedulers at once one has an effect, and a crash between the two halves cannot be.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.alerts.signal import ItemResult
from domain.thresholds.machine import Evaluation, Turn, evaluate, is_worth_writing
from domain.thresholds.model import MINUTE, Dimension, GroupState, Phase, ThresholdRule
from domain.thresholds.series import Series, ceil_minute, floor_minute
from domain.thresholds.signals import signal_of, submission_of, withdrawn
from persistence.own_signals import Overtaken, OwnSignals
from persistence.threshold_rules import rule_of, state_of
from persistence.threshold_series import SETTLE, Asked, complete_until, read_series

_log = structlog.get_logger(__name__)
CHUNK = 100
# After an outage a rule looks at the minutes of the last hour; what came and went before is past.
MAX_CATCH_UP = 60
# So long it catches up at a time; the rest has its turn with the next look.
TURN_SECONDS = 4.0
# Of a rule whose groups are more than this the largest count: a flood of made-up services is no flood of alerts.
MAX_GROUPS = 1_000
MAX_POINTS = 2_000_000

# Cheap, for it is asked every few seconds.
_ANY_DUE = sa.text("""
SELECT EXISTS (SELECT FROM threshold_rules WHERE archived_at IS NULL AND is_enabled AND counts_from < :until
                  AND (evaluated_until IS NULL OR evaluated_until < :until))
    OR EXISTS (SELECT FROM threshold_states s JOIN threshold_rules r ON r.id = s.rule_id
                WHERE s.counts_version <> r.counts_version)
""")
_STALE = """
SELECT r.*, s.group_value, s.phase, s.since, s.value, s.seen_at, s.alert_id, s.counts_version AS stale_version
  FROM threshold_states s JOIN threshold_rules r ON r.id = s.rule_id
 WHERE s.counts_version <> r.counts_version ORDER BY r.id, s.counts_version
"""
_FORGET = """
DELETE FROM threshold_states WHERE rule_id = $1 AND counts_version = $2 AND group_value = ANY ($3::text[])
RETURNING group_value
"""
_DUE = """
SELECT * FROM threshold_rules r
 WHERE archived_at IS NULL AND is_enabled AND counts_from < $1 AND (evaluated_until IS NULL OR evaluated_until < $1)
   AND NOT EXISTS (SELECT FROM threshold_states s
                    WHERE s.rule_id = r.id AND s.counts_version <> r.counts_version AND s.phase = 'firing')
   AND id > $2 ORDER BY id LIMIT $3
"""
_STATES = """
SELECT s.* FROM threshold_states s JOIN threshold_rules r ON r.id = s.rule_id AND r.counts_version = s.counts_version
 WHERE s.rule_id = ANY ($1::uuid[])
"""
# Who holds a row has it in hand already, or edits it: it is passed over, not waited for.
_MOVE = """
WITH mine AS (
  SELECT r.id, k.moment FROM threshold_rules r
    JOIN unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::timestamptz[]) AS k(id, evaluated_until, version, moment)
      ON k.id = r.id
   WHERE r.evaluated_until IS NOT DISTINCT FROM k.evaluated_until AND r.version = k.version
   ORDER BY r.id FOR UPDATE OF r SKIP LOCKED)
UPDATE threshold_rules r SET evaluated_until = mine.moment FROM mine WHERE r.id = mine.id RETURNING r.id
"""
_PUT = """
INSERT INTO threshold_states (rule_id, counts_version, group_value, phase, since, value, seen_at, alert_id)
SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::timestamptz[], $6::float[], $7::timestamptz[],
                     $8::uuid[])
ON CONFLICT (rule_id, counts_version, group_value) DO UPDATE SET phase = excluded.phase, since = excluded.since,
  value = excluded.value, seen_at = excluded.seen_at, alert_id = excluded.alert_id
"""
_DROP = """
DELETE FROM threshold_states s
 USING unnest($1::uuid[], $2::int[], $3::text[]) AS k(rule_id, counts_version, group_value)
 WHERE s.rule_id = k.rule_id AND s.counts_version = k.counts_version AND s.group_value = k.group_value
"""


@dataclass(frozen=True, slots=True)
class Turned:
    """A rule after its look at a moment: where its groups were, and what the evaluation found."""

    rule: ThresholdRule
    moment: datetime
    before: dict[str, GroupState]
    found: Evaluation


async def any_due(engine: AsyncEngine, *, now: datetime) -> bool:
    """Whether there may be something to do."""
    async with engine.connect() as connection:
        return bool(await connection.scalar(_ANY_DUE, {"until": floor_minute(now - SETTLE)}))


async def evaluate_rules(way: OwnSignals, *, now: datetime) -> int:
    """Take back what earlier versions of rules raised, then evaluate what is complete; how many alerts turned."""
    turned = await _withdraw(way, now=now)
    until = await complete_until(way.connection, now=now)
    if until is None:
        return turned
    began = time.monotonic()
    for _ in range(MAX_CATCH_UP):
        after, is_behind = UUID(int=0), False
        while rules := [rule_of(dict(row)) for row in await way.connection.fetch(_DUE, until, after, CHUNK)]:
            after = rules[-1].id
            looks = [(rule, moment) for rule in rules if (moment := _next_moment(rule, until)) <= until]
            is_behind = is_behind or any(moment < until for _, moment in looks)
            turned += await _evaluate_chunk(way, looks, now=now)
        if not is_behind or time.monotonic() - began > TURN_SECONDS:
            break
    return turned


# -- evaluating --------------------------------------------------------------------------------------------------------


async def _evaluate_chunk(way: OwnSignals, looks: Sequence[tuple[ThresholdRule, datetime]], *, now: datetime) -> int:
    """Let each of the rules look at its moment."""
    asked = [Asked.of(rule.condition, rule.team_id, [moment]) for rule, moment in looks]
    series = await read_series(way.connection, asked, limit=MAX_POINTS)
    states: dict[UUID, dict[str, GroupState]] = {rule.id: {} for rule, _ in looks}
    for row in await way.connection.fetch(_STATES, list(states)):
        states[row["rule_id"]][row["group_value"]] = state_of(dict(row))
    quiet: list[Turned] = []
    loud: list[Turned] = []
    for (rule, moment), found in zip(looks, series, strict=True):
        before = states[rule.id]
        with_gap = rule.evaluated_until is not None and moment - rule.evaluated_until > MINUTE
        evaluation = evaluate(rule.condition, before, _largest(rule, found, before), [moment], with_gap=with_gap)
        (loud if evaluation.transitions else quiet).append(Turned(rule, moment, before, evaluation))
    async with way.connection.transaction():
        await _advance(way.connection, quiet)
    turns = 0
    for one in loud:
        turns += await _tell(way, one, now=now)
    return turns


def _next_moment(rule: ThresholdRule, until: datetime) -> datetime:
    """The end of the minute it looks at next: the one after its last, within the last hour; at first the newest."""
    if rule.evaluated_until is None:
        return max(until, ceil_minute(rule.counts_from))
    return max(rule.evaluated_until + MINUTE, until - (MAX_CATCH_UP - 1) * MINUTE)


def _largest(rule: ThresholdRule, series: Series, states: dict[str, GroupState]) -> Series:
    if len(series) <= MAX_GROUPS:
        return series
    _log.warning("a threshold rule has too many groups", rule_id=str(rule.id), groups=len(series), taken=MAX_GROUPS)
    by_size = sorted(series, key=lambda group: (group not in states, -sum(point.amount for point in series[group])))
    return {group: series[group] for group in by_size[:MAX_GROUPS]}


async def _tell(way: OwnSignals, turned: Turned, *, now: datetime) -> int:
    """Write what the rule says, and where it is, in one transaction; nothing when another was faster."""
    rule, transitions = turned.rule, turned.found.transitions
    names = await _team_names(way.connection, turned)
    signals = [signal_of(rule, transition, names) for transition in transitions]

    async def alongside(connection: Any, results: Sequence[ItemResult]) -> None:  # noqa: ANN401 - the store's own
        states = dict(turned.found.states)
        for transition, result in zip(transitions, results, strict=True):
            if transition.turn is Turn.RAISED and transition.group in states:
                states[transition.group] = replace(states[transition.group], alert_id=result.alert_id)
        told = replace(turned, found=Evaluation(states, transitions))
        if not await _advance(connection, [told]):
            raise Overtaken

    try:
        await way.store.write([replace(submission_of(rule, signals, now=now), extra=alongside)])
    except Overtaken:
        return 0
    way.wrote = True
    return len(signals)


async def _team_names(connection: asyncpg.Connection, turned: Turned) -> dict[str, str]:
    """What people call the groups, where they are teams."""
    if turned.rule.condition.group_by is not Dimension.TEAM:
        return {}
    ids = [UUID(transition.group) for transition in turned.found.transitions if transition.group]
    rows = await connection.fetch("SELECT id, name FROM teams WHERE id = ANY ($1::uuid[])", ids)
    return {str(row["id"]): row["name"] for row in rows}


async def _advance(connection: asyncpg.Connection, turned: Sequence[Turned]) -> set[UUID]:
    """Move the rules on that still are where they were read, and write their groups; which ones those are."""
    if not turned:
        return set()
    rules = [one.rule for one in turned]
    moved = await connection.fetch(
        _MOVE,
        [rule.id for rule in rules],
        [rule.evaluated_until for rule in rules],
        [rule.version for rule in rules],
        [one.moment for one in turned],
    )
    mine = {row["id"] for row in moved}
    put: list[tuple[object, ...]] = []
    gone: list[tuple[object, ...]] = []
    for one in turned:
        if one.rule.id not in mine:
            continue
        key = (one.rule.id, one.rule.counts_version)
        put += [
            (*key, group, state.phase.value, state.since, state.value, state.seen_at, state.alert_id)
            for group, state in one.found.states.items()
            if is_worth_writing(one.before.get(group), state)
        ]
        gone += [(*key, group) for group in one.before if group not in one.found.states]
    if put:
        await connection.execute(_PUT, *map(list, zip(*put, strict=True)))
    if gone:
        await connection.execute(_DROP, *map(list, zip(*gone, strict=True)))
    return mine


# -- taking back -------------------------------------------------------------------------------------------------------


async def _withdraw(way: OwnSignals, *, now: datetime) -> int:
    """Resolve what rules raised that were changed, switched off or ended since."""
    stale: dict[tuple[UUID, int], tuple[ThresholdRule, dict[str, GroupState]]] = {}
    for row in await way.connection.fetch(_STALE):
        key = (row["id"], row["stale_version"])
        stale.setdefault(key, (rule_of(dict(row)), {}))[1][row["group_value"]] = state_of(dict(row))
    turned = 0
    for (_, version), (rule, states) in stale.items():
        firing = {group: state for group, state in states.items() if state.phase is Phase.FIRING}
        quiet = [group for group in states if group not in firing]
        await way.connection.fetch(_FORGET, rule.id, version, quiet)
        turned += await _take_back(way, rule, version, firing, now=now)
    return turned


async def _take_back(
    way: OwnSignals, rule: ThresholdRule, version: int, firing: dict[str, GroupState], *, now: datetime
) -> int:
    if not firing:
        return 0
    groups = list(firing)

    async def alongside(connection: Any, _results: Sequence[ItemResult]) -> None:  # noqa: ANN401 - the store's own
        if len(await connection.fetch(_FORGET, rule.id, version, groups)) < len(groups):
            raise Overtaken

    submission = submission_of(rule, withdrawn(rule, firing), now=now)
    try:
        await way.store.write([replace(submission, extra=alongside)])
    except Overtaken:
        return 0
    way.wrote = True
    return len(groups)
