"""How is a page of alerts read? By keyset, in one statement, within the viewer's sight; page 10,000 costs as page 1."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.types import NULLTYPE

from domain.alerts.filter import AlertFilter, size, walk
from domain.alerts.model import Alert, AlertStatus, ResolvedBy, Severity
from domain.alerts.order import NEWEST_FIRST, AlertOrder
from domain.alerts.visibility import Sight
from domain.errors import InvalidInput
from domain.values import maker
from persistence.alerts import ALERT_COLUMNS, alert_of
from persistence.prepared import Prepared, fetch, prepared
from persistence.reads.alert_filter import condition
from persistence.reads.planning import planned_for
from persistence.reads.visibility import visible
from persistence.tables import alerts, teams

AlertKey = tuple[Any, ...]
# The values of some columns, by their places.
Row: TypeAlias = "sa.Row[Any] | asyncpg.Record"
# All of them; some, for alerts of these attributes alone; or some in this order, as they come.
Columns: TypeAlias = frozenset[str] | tuple[str, ...] | None
# Statements are kept for filters that hold no more than this (domain/alerts/filter.py).
KEPT_SIZE = 2000
# What is known of a prepared one is eight times as much, and the driver prepares a text of fifteen kilobytes anew each
# time.
PREPARED_SIZE = 500
_NAMES = tuple(column.name for column in ALERT_COLUMNS)
_SEVERITIES = {value.value: value for value in Severity}
_STATUSES = {value.value: value for value in AlertStatus}
Make = Callable[[Iterable[Any]], Alert]


def _selected(names: Sequence[str]) -> sa.Select[Any]:
    """Lists of ids and words come from the driver as they are needed: SQLAlchemy would walk through each once more."""
    columns = [alerts.c[name] for name in names]
    return sa.select(*(sa.type_coerce(c, NULLTYPE).label(c.name) if isinstance(c.type, ARRAY) else c for c in columns))


def _maker(names: Sequence[str]) -> Make:
    """As persistence.alerts.alert_of, by place instead of by name: a page is fifty times thirty-five values."""
    make = maker(Alert, names, is_part=True)
    tuples = tuple(name for name in names if isinstance(alerts.c[name].type, ARRAY))
    has_severity, has_status, has_resolved_by = (one in names for one in ("severity", "status", "resolved_by"))

    def alert_of_row(row: Iterable[Any]) -> Alert:
        made: Any = make(row)
        if has_severity:
            made.severity = _SEVERITIES[made.severity]
        if has_status:
            made.status = _STATUSES[made.status]
        if has_resolved_by and made.resolved_by is not None:
            made.resolved_by = ResolvedBy(made.resolved_by)
        for name in tuples:
            setattr(made, name, tuple(getattr(made, name)))
        alert: Alert = made
        return alert

    return alert_of_row


# Made once: to name the columns anew costs as much as to send the statement.
_ALERTS, _alert_of = _selected(_NAMES), _maker(_NAMES)


@lru_cache(maxsize=256)
def _part(only: frozenset[str]) -> tuple[sa.Select[Any], Make]:
    names = [name for name in _NAMES if name in only]
    return _selected(names), _maker(names)


class AlertPage(NamedTuple):
    """Which alerts, in which order, and between which places."""

    wanted: AlertFilter
    limit: int
    order: AlertOrder = NEWEST_FIRST
    after: AlertKey | None = None
    before: AlertKey | None = None
    backward: bool = False


async def read_alerts(
    connection: AsyncConnection, page: AlertPage, *, sight: Sight, only: frozenset[str] | None = None
) -> list[Alert]:
    """The first `limit` alerts beyond `after`; when `backward`, those next to `before`, in reverse order.

    With `only`, the alerts have these attributes and those of their place in the order, and no others.
    """
    only = None if only is None else only | frozenset(page.order.columns)
    make = _alert_of if only is None else _part(only)[1]
    return [make(row) for row in await _rows(connection, page, sight, only)]


async def read_rows(engine: AsyncEngine, page: AlertPage, names: tuple[str, ...], *, sight: Sight) -> Sequence[Row]:
    """The same alerts as the driver gives them, of these columns: words for enums, and labels as JSON text."""
    if size(page.wanted) <= PREPARED_SIZE:
        shape = _Shape.of(page, sight, names)
        asked = _asked(shape)
        if asked.is_plain and asked.comes_again():
            if asked.prepared is None:
                asked.prepared = prepared(_statement(shape), engine.dialect)
            return await fetch(engine, asked.prepared, _places(page.after, page.before))
    async with engine.connect() as connection:
        return await _rows(connection, page, sight, names)


class _Shape(NamedTuple):
    """What is asked of a page less its places: of these only whether they are given."""

    wanted: AlertFilter
    order: AlertOrder
    limit: int
    sight: Sight
    columns: Columns
    after: bool
    before: bool
    backward: bool

    @classmethod
    def of(cls, page: AlertPage, sight: Sight, columns: Columns) -> "_Shape":
        """That of a page of these columns, within this sight."""
        given = (page.after is not None, page.before is not None)
        return cls(page.wanted, page.order, page.limit, sight, columns, *given, page.backward)


@dataclass(slots=True)
class _Asked:
    """What is known of a page that was asked for.

    Of a first time nothing is prepared: what never comes again (the alerts since a minute ago) is of a kind that
    SQLAlchemy has put together before, and that is the shorter way then.
    """

    is_plain: bool
    has_come: bool = False
    prepared: Prepared | None = None

    def comes_again(self) -> bool:
        """Whether it was asked for before now."""
        before, self.has_come = self.has_come, True
        return before


@lru_cache(maxsize=512)
def _asked(shape: _Shape) -> _Asked:
    # Labels and words may need a plan of their own, and a pattern be refused.
    return _Asked(is_plain=not any(part.labels or part.search is not None for _, part in walk(shape.wanted)))


async def _rows(connection: AsyncConnection, page: AlertPage, sight: Sight, columns: Columns) -> Sequence[sa.Row[Any]]:
    # A filter may be as large as a request: those of a few hundred pages would fill the memory.
    statement_of = _statement if size(page.wanted) <= KEPT_SIZE else _statement.__wrapped__
    statement = statement_of(_Shape.of(page, sight, columns))
    async with bad_patterns_refused(), planned_for(connection, page.wanted):
        rows: Sequence[sa.Row[Any]] = (await connection.execute(statement, _places(page.after, page.before))).all()
    return rows


@lru_cache(maxsize=512)
def _statement(shape: _Shape) -> sa.Select[Any]:
    """What dashboards ask again and again, put together once: that takes as long as to ask it."""
    columns = shape.columns
    if isinstance(columns, tuple):
        selected = _as_they_come(columns)
    else:
        selected = _ALERTS if columns is None else _part(columns)[0]
    selected = selected.where(condition(shape.wanted), visible(shape.sight))
    page = _page(selected, order=shape.order, after=shape.after, before=shape.before, backward=shape.backward)
    return page.limit(shape.limit)


@lru_cache(maxsize=256)
def _as_they_come(names: tuple[str, ...]) -> sa.Select[Any]:
    return sa.select(*(_as_it_comes(alerts.c[name]) for name in names))


def _as_it_comes(column: sa.Column[Any]) -> sa.Label[Any]:
    """Labels are texts, so their JSON needs no reading; in metadata are numbers, which may be written another way."""
    as_text = column is alerts.c.labels
    return (sa.cast(column, sa.Text) if as_text else sa.type_coerce(column, NULLTYPE)).label(column.name)


async def members_of_groups(
    connection: AsyncConnection,
    group_ids: Sequence[UUID],
    *,
    sight: Sight,
    limit: int,
    after: AlertKey | None = None,
    before: AlertKey | None = None,
    backward: bool = False,
) -> dict[UUID, list[Alert]]:
    """The same page of each group's members, newest first, in one statement."""
    wanted = sa.select(sa.func.unnest(sa.literal(list(group_ids), ARRAY(alerts.c.id.type))).label("id")).subquery()
    members = _ALERTS.where(alerts.c.group_id == wanted.c.id, visible(sight))
    page = _page(members, order=NEWEST_FIRST, after=after is not None, before=before is not None, backward=backward)
    page_of_each = page.limit(limit).lateral()
    statement = sa.select(page_of_each).select_from(wanted.join(page_of_each, sa.true()))
    rows = await connection.execute(statement, _places(after, before))
    found: dict[UUID, list[Alert]] = {group_id: [] for group_id in group_ids}
    for row in rows.mappings():
        found[row["group_id"]].append(alert_of(row))
    for alerts_of_group in found.values():
        alerts_of_group.sort(key=lambda alert: (alert.created_at, alert.id), reverse=not backward)
    return found


async def alerts_by_ids(connection: AsyncConnection, ids: Sequence[UUID], *, sight: Sight) -> dict[UUID, Alert]:
    """The alerts of these ids that are within sight."""
    rows = await connection.execute(_ALERTS.where(alerts.c.id.in_(ids), visible(sight)))
    return {alert.id: alert for alert in map(_alert_of, rows)}


async def alerts_with_privacy(connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, tuple[Alert, bool]]:
    """The alerts of these ids, whoever may see them, and whether their team is private: for viewers of several sights.

    Nothing of it may be told to a viewer but what `Sight.sees` lets through.
    """
    statement = _ALERTS.add_columns(sa.func.coalesce(teams.c.is_private, sa.false()))
    rows = await connection.execute(
        statement.select_from(alerts.outerjoin(teams, teams.c.id == alerts.c.team_id)).where(alerts.c.id.in_(ids))
    )
    return {alert.id: (alert, is_private) for *values, is_private in rows for alert in (_alert_of(values),)}


def _page(statement: sa.Select[Any], *, order: AlertOrder, after: bool, before: bool, backward: bool) -> sa.Select[Any]:
    """The rows between the places that `_places` gives."""
    columns = [alerts.c[name] for name in order.columns]
    for name, is_given, towards_end in (("after", after, True), ("before", before, False)):
        if is_given:
            statement = statement.where(_beyond(columns, name, greater=towards_end is not order.descending))
    descending = order.descending is not backward
    return statement.order_by(*(column.desc() if descending else column.asc() for column in columns))


def _beyond(columns: Sequence[sa.Column[Any]], place: str, *, greater: bool) -> sa.ColumnElement[bool]:
    """One row comparison, which an index on the columns answers by a range."""
    # A value of None, which stands for the one that comes with each execution: the text can be written without.
    values = sa.tuple_(
        *(sa.bindparam(f"{place}_{number}", None, type_=column.type) for number, column in enumerate(columns))
    )
    return sa.tuple_(*columns) > values if greater else sa.tuple_(*columns) < values


def _places(after: AlertKey | None, before: AlertKey | None) -> dict[str, Any]:
    """The parameters of a page's statement."""
    given = {"after": after, "before": before}
    return {f"{name}_{number}": value for name, key in given.items() for number, value in enumerate(key or ())}


@asynccontextmanager
async def bad_patterns_refused() -> AsyncIterator[None]:
    """A label's pattern that PostgreSQL cannot read is the client's to mend, not a fault of ours."""
    try:
        yield
    except DBAPIError as error:
        if isinstance(getattr(error.orig, "__cause__", None), asyncpg.InvalidRegularExpressionError):
            raise InvalidInput(
                message="a label's regular expression cannot be asked of a list", path=("filter", "labels")
            ) from error
        raise
