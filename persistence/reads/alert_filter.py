"""How is a filter asked of PostgreSQL? By conditions its indexes can serve, as domain/alerts/filter.py means them."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa

from domain.alerts.filter import AlertFilter, TimeRange
from domain.alerts.model import OPEN_STATUSES, AlertStatus
from domain.alerts.search import LABEL, Term, parse
from domain.silences.matchers import LabelMatcher, MatchOperator
from persistence.reads.label_regex import to_postgresql
from persistence.tables import alerts

if TYPE_CHECKING:
    from sqlalchemy.sql.base import ReadOnlyColumnCollection

Condition = sa.ColumnElement[bool]
Columns: TypeAlias = "ReadOnlyColumnCollection[str, Any]"

# Letter by letter what PostgreSQL keeps statistics of (migration 0030) and may have an index of (text_index.py): with
# parameters in it, it would not be recognised.
SEARCHED = sa.literal_column(
    "lower(alerts.title || E'\\n' || coalesce(alerts.description, '') || E'\\n' || coalesce(alerts.service_name, ''))",
    sa.Text(),
)
# What an index of three letters can look for.
_INDEXED = re.compile(r"[^\W_]{3}")


def condition(wanted: AlertFilter, of: Columns = alerts.c) -> Condition:
    """The WHERE of a filter; `of` other columns of these names, where a table stands in for the alerts."""
    return sa.and_(sa.true(), *_conditions(wanted, of))


def one_of(column: sa.ColumnElement[Any], values: Iterable[StrEnum]) -> Condition:
    """`column IN ('a','b')` with the words themselves, not parameters.

    A partial index is used only where its predicate is seen to follow from the query's; from a parameter it is not.
    """
    words = sorted(value.value for value in values)
    if not words:
        return sa.false()
    return column.in_([sa.literal_column(f"'{word}'", column.type) for word in words])


def _conditions(wanted: AlertFilter, of: Columns) -> Iterator[Condition]:
    if wanted.statuses is not None:
        yield one_of(of["status"], wanted.statuses)
    if wanted.severities is not None:
        yield one_of(of["severity"], wanted.severities)
    if wanted.is_open is not None:
        yield one_of(of["status"], OPEN_STATUSES) if wanted.is_open else one_of(of["status"], (AlertStatus.RESOLVED,))
    if wanted.dedup_key is not None:
        yield alerts.c.dedup_key == wanted.dedup_key
    yield from _values(wanted, of)
    yield from _flags(wanted)
    yield from (_label(matcher) for matcher in wanted.labels)
    if wanted.search is not None:
        for group in parse(wanted.search).groups:
            yield sa.or_(*(_term(term) for term in group))
    yield from _nested(wanted, of)


def _term(term: Term) -> Condition:
    found = _mentions(term)
    return sa.not_(found) if term.is_excluded else found


def _mentions(term: Term) -> Condition:
    wanted = sa.func.lower(term.text)
    if term.field is None:
        # By the statistics PostgreSQL knows a frequent word, for which it walks in time to the end of a page, from a
        # rare one, for which it asks the index where there is one.
        if _INDEXED.search(term.text):
            return SEARCHED.like(sa.func.lower(_escaped(term.text)))
        searched: sa.ColumnElement[Any] = SEARCHED
    elif term.field.startswith(LABEL):
        searched = sa.func.lower(sa.func.coalesce(alerts.c.labels[term.field.removeprefix(LABEL)].astext, ""))
    else:
        columns = {"title": alerts.c.title, "service": alerts.c.service_name, "source": alerts.c.source}
        searched = sa.func.lower(sa.func.coalesce(columns[term.field], ""))
    # Not LIKE: of an expression without statistics PostgreSQL expects a pattern to hold for next to no row, and would
    # read and sort all alerts.
    return sa.func.strpos(searched, wanted) > 0


def _escaped(text: str) -> str:
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"


def _nested(wanted: AlertFilter, of: Columns) -> Iterator[Condition]:
    yield from (condition(part, of) for part in wanted.all_of)
    if wanted.any_of:
        yield sa.or_(*(condition(part, of) for part in wanted.any_of))
    # IS NOT TRUE, not NOT: a comparison with NULL is neither true nor false, and `none_of` it must hold.
    yield from (condition(part, of).is_not(sa.true()) for part in wanted.none_of)


def _values(wanted: AlertFilter, of: Columns) -> Iterator[Condition]:
    for name, values in (
        ("id", wanted.ids),
        ("source", wanted.sources),
        ("service_name", wanted.service_names),
        ("team_id", wanted.team_ids),
        ("assigned_to", wanted.assignees),
        ("integration_id", wanted.integration_ids),
        ("group_id", wanted.group_ids),
    ):
        if values is not None:
            yield _within(of[name], values)
    for name, range_ in (
        ("created_at", wanted.created_at),
        ("updated_at", wanted.updated_at),
        ("resolved_at", wanted.resolved_at),
    ):
        if range_ is not None:
            yield from time_condition(of[name], range_)


def _flags(wanted: AlertFilter) -> Iterator[Condition]:
    for flag, is_set in (
        (wanted.is_snoozed, alerts.c.snoozed_until.is_not(None)),
        (wanted.is_suppressed, alerts.c.suppressed_by != sa.literal_column("'{}'", alerts.c.suppressed_by.type)),
        (wanted.is_flapping, alerts.c.flapping_since.is_not(None)),
        (wanted.is_false_positive, alerts.c.is_false_positive.is_(sa.true())),
    ):
        if flag is not None:
            yield is_set if flag else sa.not_(is_set)


def _within(column: sa.ColumnElement[Any], values: Iterable[UUID | str | None]) -> Condition:
    known = sorted(value for value in values if value is not None)
    found = column.in_(known) if known else sa.false()
    return sa.or_(column.is_(None), found) if None in set(values) else found


def time_condition(column: sa.ColumnElement[Any], wanted: TimeRange) -> Iterator[Condition]:
    """The conditions that a time is within a range."""
    yield column.is_not(None)
    if wanted.since is not None:
        yield column >= wanted.since
    if wanted.before is not None:
        yield column < wanted.before


def _label(matcher: LabelMatcher) -> Condition:
    """A label that is absent counts as empty, as in Alertmanager."""
    if matcher.operator is MatchOperator.EQUAL and matcher.value:
        return alerts.c.labels.contains({matcher.name: matcher.value})  # which the index answers
    actual = sa.func.coalesce(alerts.c.labels[matcher.name].astext, "")
    if matcher.operator is MatchOperator.EQUAL:
        return actual == matcher.value
    if matcher.operator is MatchOperator.NOT_EQUAL:
        return actual != matcher.value
    found = actual.op("~", is_comparison=True)(sa.literal(to_postgresql(matcher.value)))
    return found if matcher.operator is MatchOperator.REGEX else sa.not_(found)
