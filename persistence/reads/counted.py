"""Which counts are known without looking at the alerts? Those of a filter by kind, or by kind and the time of opening.

`rollup` answers with the counts by status and severity as a statement, or None: then the alerts have to be counted.
Sums and the lines not folded yet are read together (persistence/alert_counts.py), so the answer is exact.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain.alerts.filter import AlertFilter, TimeRange, walk
from domain.alerts.visibility import Sight
from persistence.reads.alert_filter import condition, time_condition
from persistence.reads.visibility import visible
from persistence.tables import alert_count_changes, alert_counts, alert_daily_counts, alerts

_KIND = frozenset({"statuses", "severities", "is_open", "team_ids", "all_of", "any_of", "none_of"})
_WIDER_KIND = _KIND | {"sources", "service_names"}
_UNSET = AlertFilter()
_DAY, _TICK = timedelta(days=1), timedelta(microseconds=1)
_SHOWN = ("status", "severity", "amount")
Rows = sa.Select[Any]


def rollup(wanted: AlertFilter, sight: Sight) -> Rows | None:
    """The counts as rows (status, severity, amount), where they are known."""
    during = wanted.created_at
    used = {name for _, part in walk(wanted) for name in _given(part, is_top=part is wanted)}
    if during is None:
        return _by_kind(wanted, sight) if used <= _WIDER_KIND else None
    return _by_day(wanted, during, sight) if used <= _KIND else None


def _given(part: AlertFilter, *, is_top: bool) -> set[str]:
    """The conditions a filter sets. The time of opening counts only where it holds for the whole."""
    names = {field.name for field in fields(AlertFilter) if getattr(part, field.name) != getattr(_UNSET, field.name)}
    return names - {"created_at"} if is_top else names


def _columns(table: sa.Table, *names: str) -> list[sa.ColumnElement[Any]]:
    """The columns of a kind, named and NULL as those of an alert."""
    team = sa.func.nullif(table.c.team_id, sa.text("'00000000-0000-0000-0000-000000000000'::uuid")).label("team_id")
    columns: list[sa.ColumnElement[Any]] = [table.c.status, table.c.severity, team, table.c.amount]
    if "service_name" in names:
        columns += [sa.func.nullif(table.c.service_name, "").label("service_name"), table.c.source]
    return columns


def _summed(parts: Sequence[Rows], wanted: AlertFilter, sight: Sight) -> Rows:
    counted = sa.union_all(*parts).subquery("counted")
    found = sa.select(counted).where(condition(wanted, counted.c), visible(sight, counted.c.team_id))
    return _grouped([found])


def _grouped(parts: Sequence[Rows]) -> Rows:
    narrow = [part.with_only_columns(*(part.selected_columns[name] for name in _SHOWN)) for part in parts]
    found = sa.union_all(*narrow).subquery()
    amount = sa.cast(sa.func.sum(found.c.amount), sa.BigInteger)
    return (
        sa.select(found.c.status, found.c.severity, amount.label("amount"))
        .group_by(found.c.status, found.c.severity)
        .having(amount != 0)
    )


def _by_kind(wanted: AlertFilter, sight: Sight) -> Rows:
    parts = [sa.select(*_columns(table, "service_name")) for table in (alert_counts, alert_count_changes)]
    return _summed(parts, wanted, sight)


def _by_day(wanted: AlertFilter, during: TimeRange, sight: Sight) -> Rows:
    """Whole days from the sums; what is left of the first and the last day from the alerts themselves."""
    first = None if during.since is None else _day_of(during.since + _DAY - _TICK)
    last = None if during.before is None else _day_of(during.before)
    kind = replace(wanted, created_at=None)

    def edge(range_: TimeRange) -> Rows:
        within = time_condition(alerts.c.created_at, range_)
        one = sa.select(alerts.c.status, alerts.c.severity, sa.literal(1, sa.BigInteger).label("amount"))
        return one.where(*within, condition(kind), visible(sight))

    if first is not None and last is not None and first >= last:
        return _grouped([edge(during)])
    parts = []
    if during.since is not None and first != during.since:
        parts.append(edge(TimeRange(during.since, first)))
    if during.before is not None and last != during.before:
        parts.append(edge(TimeRange(last, during.before)))
    days = [_days(table, first, last) for table in (alert_daily_counts, alert_count_changes)]
    return _grouped([_summed(days, kind, sight), *parts])


def _days(table: sa.Table, first: datetime | None, last: datetime | None) -> Rows:
    statement = sa.select(*_columns(table))
    if first is not None:
        statement = statement.where(table.c.created_on >= first.date())
    return statement if last is None else statement.where(table.c.created_on < last.date())


def _day_of(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
