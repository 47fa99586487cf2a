"""What are the figures of a report of noise? One pass over the alerts opened within the range, and one over the pages.

The range is served by `ix_alerts_created_at`, the pages by `ix_notifications_pages`, the groups by the index on groups;
a page is never older than its alert. Rows the viewer may not see are not counted.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.decisions import DecisionKind
from domain.alerts.events import AlertEventKind
from domain.alerts.model import ResolvedBy
from domain.alerts.visibility import Sight
from domain.analytics.noise import QUICK, NoiseBy, NoiseFigures, NoiseReport, NoiseRow, Range
from domain.escalations.model import NotificationKind
from persistence.event_log import RECORDED_AT_MARGIN
from persistence.reads.visibility import visible
from persistence.tables import alert_events, alerts, notifications

# What left, as far as it came.
_TOLD = ("mailed", "sent", "delivered", "read")
_BY_ITSELF = alerts.c.resolved_by.in_([ResolvedBy.SOURCE.value, ResolvedBy.EXPIRY.value])
# How long the last episode took: of one that the source closed it is kept; the first began when the alert was made.
_LAST_EPISODE = alerts.c.past_episodes[sa.func.cardinality(alerts.c.past_episodes)]
_IS_QUICK = sa.or_(
    sa.and_(
        alerts.c.resolved_by == ResolvedBy.SOURCE.value,
        _LAST_EPISODE >= 0,
        int(QUICK.total_seconds()) > _LAST_EPISODE,
    ),
    sa.and_(
        _BY_ITSELF,
        sa.or_(alerts.c.past_episodes.is_(None), alerts.c.resolved_by == ResolvedBy.EXPIRY.value),
        alerts.c.episode == 1,
        alerts.c.resolved_at - alerts.c.created_at < QUICK,
    ),
)
_KEYS: Mapping[NoiseBy, sa.ColumnElement[Any]] = {
    NoiseBy.INTEGRATION: alerts.c.integration_id,
    NoiseBy.SERVICE: alerts.c.service_name,
    NoiseBy.TEAM: alerts.c.team_id,
}


def within(asked: Range, sight: Sight) -> sa.ColumnElement[bool]:
    """The alerts opened within the range that the viewer may see."""
    return sa.and_(alerts.c.created_at >= asked.since, alerts.c.created_at < asked.until, visible(sight))


async def read_noise(
    connection: AsyncConnection, *, by: NoiseBy, asked: Range, sight: Sight, limit: int
) -> NoiseReport:
    """The report: the figures of each key, those with most alerts first, and of all alerts of the range."""
    counting = _Counting(connection, within(asked, sight))
    source, key = _source(by, asked)
    figures = await counting.figures(source, key, limit=limit)
    groups = await counting.amounts(source, key, sa.func.count(sa.distinct(alerts.c.group_id)), _IS_GROUPED)
    pages = await counting.amounts(_paged(asked, source), key, sa.func.count())
    if by is NoiseBy.RULE:  # an alert counts for each rule, and once in the total
        figures[_TOTAL] = (await counting.figures(alerts, _NONE, limit=0))[_TOTAL]
        counted = sa.func.count(sa.distinct(alerts.c.group_id))
        groups[_TOTAL] = (await counting.amounts(alerts, _NONE, counted, _IS_GROUPED)).get(_TOTAL, 0)
        pages[_TOTAL] = (await counting.amounts(_paged(asked, alerts), _NONE, sa.func.count())).get(_TOTAL, 0)
    made = {
        place: NoiseFigures(**row, groups=groups.get(place, 0), pages=pages.get(place, 0))
        for place, row in figures.items()
    }
    total = made.pop(_TOTAL)
    rows = (NoiseRow(by=by, key=None if name is None else str(name), figures=one) for (_, name), one in made.items())
    return NoiseReport(by=by, range=asked, total=total, rows=tuple(rows))


# A key, or all of them together: alerts of no service have the key None, which is not the total.
_Place = tuple[bool, Any]
_TOTAL: _Place = (True, None)
_NONE: sa.ColumnElement[Any] = alerts.c.source
_IS_GROUPED = alerts.c.group_id.is_not(None)


class _Counting:
    """Counts the alerts that fulfil the condition, by key and in all, in one pass each."""

    def __init__(self, connection: AsyncConnection, condition: sa.ColumnElement[bool]) -> None:
        self._connection, self._condition = connection, condition

    async def figures(
        self, source: sa.FromClause, key: sa.ColumnElement[Any], *, limit: int
    ) -> dict[_Place, dict[str, int]]:
        """The figures that stand on the alerts themselves: of the total and of up to `limit` keys."""

        def count(condition: sa.ColumnElement[bool], name: str) -> sa.ColumnElement[int]:
            return sa.func.count().filter(condition).label(name)

        statement = self._by(
            source,
            key,
            sa.func.count().label("alerts"),
            sa.cast(sa.func.coalesce(sa.func.sum(alerts.c.occurrences), 0), sa.BigInteger).label("occurrences"),
            count(alerts.c.suppressed_by != sa.text("'{}'"), "suppressed"),
            count(alerts.c.is_false_positive, "false_positives"),
            count(_IS_QUICK, "quick"),
            count(alerts.c.times_flapped > 0, "flapping"),
            count(alerts.c.acknowledged_at.is_not(None), "acknowledged"),
        )
        statement = statement.order_by(sa.desc("is_total"), sa.desc("alerts"), sa.text("key")).limit(limit + 1)
        rows = (await self._connection.execute(statement)).mappings().all()
        return {
            (bool(row["is_total"]), row["key"]): {
                name: amount for name, amount in row.items() if name not in {"key", "is_total"}
            }
            for row in rows
        }

    async def amounts(
        self,
        source: sa.FromClause,
        key: sa.ColumnElement[Any],
        amount: sa.ColumnElement[int],
        *conditions: sa.ColumnElement[bool],
    ) -> dict[_Place, int]:
        """One number of the total and of each key."""
        statement = self._by(source, key, amount.label("amount")).where(*conditions)
        return {(bool(row.is_total), row.key): row.amount for row in await self._connection.execute(statement)}

    def _by(self, source: sa.FromClause, key: sa.ColumnElement[Any], *figures: sa.ColumnElement[Any]) -> sa.Select[Any]:
        return (
            sa.select(key.label("key"), sa.func.grouping(key).label("is_total"), *figures)
            .select_from(source)
            .where(self._condition)
            .group_by(sa.func.grouping_sets(sa.tuple_(key), sa.text("()")))
        )


def _source(by: NoiseBy, asked: Range) -> tuple[sa.FromClause, sa.ColumnElement[Any]]:
    """The alerts, each with what it counts for. With rules, once for each that held for it."""
    if by is not NoiseBy.RULE:
        return alerts, _KEYS[by]
    ruled = _ruled(asked)
    return alerts.join(ruled, ruled.c.alert_id == alerts.c.id), ruled.c.rule_id


def _ruled(asked: Range) -> sa.Subquery:
    """Which rules held for which alerts, as their events say; an event of an alert is never older than the range."""
    decision = sa.func.jsonb_array_elements(alert_events.c.data["decisions"]).table_valued("value").lateral("decision")
    value = sa.cast(decision.c.value, alert_events.c.data.type)
    kinds = (AlertEventKind.OPENED.value, AlertEventKind.REOPENED.value, AlertEventKind.UPDATED.value)
    return (
        sa.select(alert_events.c.alert_id, sa.cast(value["inputs"]["ruleId"].astext, sa.Uuid).label("rule_id"))
        .select_from(alert_events.join(decision, sa.true()))
        .where(
            alert_events.c.kind.in_(kinds),
            alert_events.c.recorded_at >= asked.since - RECORDED_AT_MARGIN,
            alert_events.c.data.contains({"decisions": [{"kind": DecisionKind.RULE.value}]}),
            value["kind"].astext == DecisionKind.RULE.value,
            # One that could not be worked out was passed over: it did not hold.
            value["inputs"]["failure"].astext.is_(None),
        )
        .distinct()
        .subquery("ruled")
    )


def _paged(asked: Range, source: sa.FromClause) -> sa.FromClause:
    """The same, once for each page that left."""
    table = notifications
    sent = (
        sa.select(table.c.alert_id)
        .where(
            table.c.kind == sa.literal_column(f"'{NotificationKind.PAGE.value}'"),
            table.c.created_at >= asked.since,
            table.c.state.in_(_TOLD),
        )
        .subquery("sent")
    )
    return source.join(sent, sent.c.alert_id == alerts.c.id)
