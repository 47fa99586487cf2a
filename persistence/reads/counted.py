"""Which counts are known without looking at the alerts? Those of a filter by kind, or by kind and the time of opening.

`rollup` answers with the counts by status and severity as a statement, or None: then the alerts have to be counted.
Sums and the lines not folded yet are read together (persistence/alert_counts.py), so the answer is exact.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain.alerts.filter import AlertFilter, TimeRange, walk
from domain.alerts.visibility import Sight
from persistence.reads.alert_filter import condition, time_condition
from persistence.reads.visibility import visible
from persistence.tables import alert_count_changes, alert_counts, alert_daily_counts, alert_team_counts, alerts

_KIND = frozenset({"statuses", "severities", "is_open", "team_ids", "all_of", "any_of", "none_of"})
_WIDER_KIND = _KIND | {"sources", "service_names"}
_UNSET = AlertFilter()
_DAY = timedelta(days=1)
Rows = sa.Select[Any]


def rollup(wanted: AlertFilter, sight: Sight) -> Rows | None:
    """The counts as rows (status, severity, amount), where they are known."""
    during = wanted.created_at
    used = {name for _, part in walk(wanted) for name in _given(part, is_top=part is wanted)}
    if during is None:
        # The narrowest sums that know what is asked: those by service are a thousand times as many as those by team.
        sums = alert_team_counts if used <= _KIND else alert_counts
        return _by_kind(wanted, sight, sums) if used <= _WIDER_KIND else None
    return _by_day(wanted, during, sight) if used <= _KIND else None


def _given(part: AlertFilter, *, is_top: bool) -> set[str]:
    """The conditions a filter sets. The time of opening counts only where it holds for the whole."""
    names = {field.name for field in fields(AlertFilter) if getattr(part, field.name) != getattr(_UNSET, field.name)}
    return names - {"created_at"} if is_top else names


def _kept(table: sa.Table, wanted: AlertFilter, sight: Sight, *more: sa.ColumnElement[bool]) -> Rows:
    """The lines of a table that fulfil the filter, its kinds with the names and the NULLs of an alert's."""
    team = sa.func.nullif(table.c.team_id, sa.text("'00000000-0000-0000-0000-000000000000'::uuid")).label("team_id")
    columns: list[sa.ColumnElement[Any]] = [table.c.status, table.c.severity, team, table.c.amount]
    # As it is: no private team is nobody, and there is nothing to be asked of NULL for each line.
    columns.append(table.c.team_id.label("kept_team_id"))
    if "service_name" in table.c:
        columns += [sa.func.nullif(table.c.service_name, "").label("service_name"), table.c.source]
    lines = sa.select(*columns).where(*more).subquery()
    shown = sa.select(lines.c.status, lines.c.severity, lines.c.amount)
    return shown.where(condition(wanted, lines.c), visible(sight, lines.c.kept_team_id))


def _summed(rows: Rows) -> Rows:
    """The rows by what is shown."""
    status, severity, amount = rows.selected_columns
    total = sa.cast(sa.func.sum(amount), sa.BigInteger).label("amount")
    return rows.with_only_columns(status, severity, total).group_by(status, severity)


def _grouped(parts: Sequence[Rows]) -> Rows:
    found = sa.union_all(*parts).subquery()
    summed = _summed(sa.select(found.c.status, found.c.severity, found.c.amount))
    return summed.having(summed.selected_columns.amount != 0)


def _by_kind(wanted: AlertFilter, sight: Sight, sums: sa.Table) -> Rows:
    # Each by itself: to put a line of thousands into a union costs a quarter of adding it up.
    return _grouped([_summed(_kept(table, wanted, sight)) for table in (sums, alert_count_changes)])


def _by_day(wanted: AlertFilter, during: TimeRange, sight: Sight) -> Rows:
    """Whole days from the sums, and from the alerts themselves what the range has more at its ends, or less."""
    first = None if during.since is None else _nearest_day(during.since)
    last = None if during.before is None else _nearest_day(during.before)
    kind = replace(wanted, created_at=None)

    def of_alerts(range_: TimeRange, each: int) -> Rows:
        within = time_condition(alerts.c.created_at, range_)
        one = sa.select(alerts.c.status, alerts.c.severity, sa.literal(each, sa.BigInteger).label("amount"))
        return one.where(*within, condition(kind), visible(sight))

    if first is not None and last is not None and first >= last:
        return _grouped([of_alerts(during, 1)])
    tables = (alert_daily_counts, alert_count_changes)
    parts = [_summed(_kept(table, kind, sight, *_days(table, first, last))) for table in tables]
    if during.since is not None and first is not None and during.since != first:
        begins = sorted((during.since, first))
        parts.append(of_alerts(TimeRange(*begins), 1 if during.since < first else -1))
    if during.before is not None and last is not None and during.before != last:
        ends = sorted((during.before, last))
        parts.append(of_alerts(TimeRange(*ends), 1 if during.before > last else -1))
    return _grouped(parts)


def _days(table: sa.Table, first: datetime | None, last: datetime | None) -> Iterator[sa.ColumnElement[bool]]:
    if first is not None:
        yield table.c.created_on >= first.date()
    if last is not None:
        yield table.c.created_on < last.date()


def _nearest_day(time: datetime) -> datetime:
    """The midnight next to a time: between it and the time lie as few alerts as can be."""
    day = time.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day if time - day <= _DAY / 2 or day.date() == date.max else day + _DAY
