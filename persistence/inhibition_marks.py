"""How do the marks of inhibition follow what happens to parents and children? Each is looked at as it is now.

Looked at without a lock first: mostly nothing is to do. What is to be changed is worked out again under the silences
lock, which every writer of an alert shares (persistence/locks.py), so a mark never meets an alert that changed
meanwhile. To look twice at the same alerts comes to the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.alerts.decisions import inhibition_decision
from domain.alerts.events import SYSTEM, AlertEvent, AlertEventKind
from domain.ids import new_id
from domain.inhibition.model import Inhibition, InhibitionRule, Parent, parents_of
from domain.silences.marks import Mark, OpenAlert
from persistence.inhibition import inhibition_in_force, inhibition_rules_by_ids
from persistence.label_conditions import equality_conditions
from persistence.locks import take_locks
from persistence.silences import OPEN_ALERT_COLUMNS, SilenceStore, open_alert_of
from persistence.tables import OPEN, alerts, inhibitors

STEP = 2_000
_IS_OPEN = sa.text("alerts." + OPEN)
_IS_MARKED: sa.ColumnElement[bool] = alerts.c.suppressed_by != sa.literal_column("'{}'", alerts.c.suppressed_by.type)
ENDED = "the alert that held it is over, or the rule no longer says so"


@dataclass(frozen=True, slots=True)
class _Noting:
    """What an alert is noted as: the keys it holds others under, and whether it may be held there itself."""

    alert_id: UUID
    keys: Mapping[str, bool]


async def follow(engine: AsyncEngine, alert_ids: Sequence[UUID], *, now: datetime) -> int:
    """Set right what these alerts hold, and by what they are held; how many marks changed."""
    async with engine.connect() as connection:
        targets = await _targets(connection, await inhibition_in_force(connection), alert_ids)
        wrong = [mark.alert_id for mark in await _marks(connection, targets, alert_ids, now=now)]
        is_noted = not await _misnoted(connection, alert_ids)
    if not is_noted:
        wrong = targets  # who is noted now may hold any of them
    if not wrong:
        return 0
    changed = 0
    for start in range(0, len(wrong), STEP):
        async with engine.connect() as connection:
            await take_locks(connection, [], silences="exclusive")
            await _note(connection, await _misnoted(connection, alert_ids), now=now)
            marks = await _marks(connection, wrong[start : start + STEP], alert_ids, now=now)
            await SilenceStore(connection).write_marks(marks, recorded_at=now)
            await connection.commit()
        changed += len(marks)
    return changed


async def follow_rule(engine: AsyncEngine, rule_id: UUID, *, now: datetime) -> int:
    """Set right what a rule that was made, changed or ended makes of the alerts that are open."""
    async with engine.connect() as connection:
        (rule,) = await inhibition_rules_by_ids(connection, [rule_id])
        noted = sa.select(inhibitors.c.alert_id).where(inhibitors.c.key.startswith(f"inhibit:{rule_id}:"))
        ids = set(await connection.scalars(noted))
        if rule is not None and rule.enabled and rule.archived_at is None:
            statement = sa.select(alerts.c.id, alerts.c.labels).where(_IS_OPEN, *equality_conditions(rule.source))
            ids |= {row.id for row in await connection.execute(statement) if rule.is_source(row.labels)}
    return await follow(engine, sorted(ids), now=now)


async def _misnoted(connection: AsyncConnection, alert_ids: Sequence[UUID]) -> list[_Noting]:
    """The open ones of these alerts that are not noted as what they are by the rules in force."""
    inhibition = await inhibition_in_force(connection)
    rows = await connection.execute(
        sa.select(inhibitors.c.alert_id, inhibitors.c.key).where(inhibitors.c.alert_id.in_(list(alert_ids)))
    )
    there: dict[UUID, set[str]] = {}
    for alert_id, key in rows:
        there.setdefault(alert_id, set()).add(key)
    found = []
    for row in await connection.execute(
        sa.select(alerts.c.id, alerts.c.labels).where(alerts.c.id.in_(list(alert_ids)), _IS_OPEN)
    ):
        keys = {role.key: role.is_both for role in inhibition.roles(row.labels) if role.is_source}
        if keys.keys() != there.get(row.id, set()):
            found.append(_Noting(row.id, keys))
    return found


async def _note(connection: AsyncConnection, notings: Iterable[_Noting], *, now: datetime) -> None:
    for noting in notings:
        await connection.execute(
            sa.delete(inhibitors).where(
                inhibitors.c.alert_id == noting.alert_id, inhibitors.c.key.not_in(list(noting.keys))
            )
        )
        rows = [
            {"key": key, "alert_id": noting.alert_id, "is_both": is_both, "noted_at": now}
            for key, is_both in noting.keys.items()
        ]
        if rows:
            await connection.execute(pg.insert(inhibitors).values(rows).on_conflict_do_nothing())


async def _targets(connection: AsyncConnection, inhibition: Inhibition, alert_ids: Sequence[UUID]) -> list[UUID]:
    """The open alerts whose marks may be other now: these, those they hold, and those they should hold."""
    ids = list(alert_ids)
    held = sa.select(alerts.c.id).where(
        _IS_OPEN, _IS_MARKED, alerts.c.suppressed_by.overlap(sa.cast(ids, pg.ARRAY(pg.UUID(as_uuid=True))))
    )
    found = set(ids) | set(await connection.scalars(held))
    standing = await connection.execute(sa.select(alerts.c.labels).where(alerts.c.id.in_(ids), _IS_OPEN))
    keys: dict[str, tuple[InhibitionRule, Mapping[str, str]]] = {}
    for (labels,) in standing:
        keys |= {role.key: (role.rule, labels) for role in inhibition.roles(labels) if role.is_source}
    for rule, labels in keys.values():
        equal = [sa.func.coalesce(alerts.c.labels[name].astext, "") == labels.get(name, "") for name in rule.equal]
        statement = sa.select(alerts.c.id, alerts.c.labels).where(_IS_OPEN, *equality_conditions(rule.target), *equal)
        found |= {row.id for row in await connection.execute(statement) if rule.is_target(row.labels)}
    return sorted(found)


async def _marks(
    connection: AsyncConnection, targets: Sequence[UUID], alert_ids: Sequence[UUID], *, now: datetime
) -> list[Mark]:
    """The marks of these alerts that are to be other than they are, given who stands now."""
    inhibition = await inhibition_in_force(connection)
    rows = await connection.execute(sa.select(*OPEN_ALERT_COLUMNS).where(alerts.c.id.in_(list(targets)), _IS_OPEN))
    found = [open_alert_of(row) for row in rows.mappings()]
    carried = {mark for alert in found for mark in alert.suppressed_by}
    holders = set(
        await connection.scalars(sa.select(inhibitors.c.alert_id).where(inhibitors.c.alert_id.in_(carried)))
    ) | (carried & set(alert_ids))
    keys = {role.key for alert in found for role in inhibition.roles(alert.labels) if role.is_target}
    standing = await _standing(connection, keys)
    marks = (_mark(alert, inhibition, standing, holders=holders, now=now) for alert in found)
    return [mark for mark in marks if mark is not None]


async def _standing(connection: AsyncConnection, keys: set[str]) -> dict[str, list[Parent]]:
    statement = (
        sa.select(inhibitors.c.key, inhibitors.c.alert_id, inhibitors.c.is_both)
        .join(alerts, alerts.c.id == inhibitors.c.alert_id)
        .where(inhibitors.c.key.in_(keys), _IS_OPEN)
        .order_by(inhibitors.c.is_both, inhibitors.c.alert_id)
    )
    found: dict[str, list[Parent]] = {}
    for key, alert_id, is_both in await connection.execute(statement):
        found.setdefault(key, []).append(Parent(key=key, alert_id=alert_id, is_both=is_both))
    return found


def _mark(
    alert: OpenAlert,
    inhibition: Inhibition,
    standing: Mapping[str, list[Parent]],
    *,
    holders: set[UUID],
    now: datetime,
) -> Mark | None:
    """The alert's marks as they should be; None when they are."""
    held = parents_of(alert.id, inhibition.roles(alert.labels), standing)
    parents = dict.fromkeys(parent.alert_id for _, parent in held)
    wanted = (*[mark for mark in alert.suppressed_by if mark not in holders], *parents)
    if set(wanted) == set(alert.suppressed_by):
        return None
    is_new = any(parent not in alert.suppressed_by for parent in parents)
    told: dict[str, object] = {"reason": ENDED}
    if is_new:
        told = {
            "decisions": [
                inhibition_decision(
                    parent.alert_id, role.rule.name, rule_id=role.rule.id, version=role.rule.version
                ).as_json()
                for role, parent in held
                if parent.alert_id not in alert.suppressed_by
            ]
        }
    changes = {"suppressed_by": [list(map(str, alert.suppressed_by)), list(map(str, wanted))]}
    event = AlertEvent(
        id=new_id(),
        alert_id=alert.id,
        kind=AlertEventKind.SUPPRESSED if is_new else AlertEventKind.UNSUPPRESSED,
        occurred_at=now,
        actor=SYSTEM,
        version=alert.version + 1,
        severity=alert.severity,
        status=alert.status,
        data={**told, "changes": changes},
    )
    return Mark(alert.id, wanted, event)
