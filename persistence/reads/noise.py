"""What are the figures of a report of noise? One pass over the alerts opened within the range, and one over the pages.

The range is served by `ix_alerts_created_at`, the pages by `ix_notifications_pages`; a page is never older than its
alert. Rows the viewer may not see are not counted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.alerts.decisions import DecisionKind
from domain.alerts.events import AlertEventKind
from domain.alerts.model import ResolvedBy
from domain.alerts.visibility import Sight
from domain.analytics.noise import QUICK, NoiseBy, NoiseFigures, NoiseReport, NoiseRow, Range
from domain.escalations.model import NotificationKind, NotificationState
from persistence.event_log import RECORDED_AT_MARGIN
from persistence.reads.visibility import visible
from persistence.tables import alert_events, alerts, notifications

_TOLD = (NotificationState.MAILED.value, NotificationState.SENT.value)
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


def _figures() -> list[sa.ColumnElement[int]]:
    def count(condition: sa.ColumnElement[bool], name: str) -> sa.ColumnElement[int]:
        return sa.func.count().filter(condition).label(name)

    return [
        sa.func.count().label("alerts"),
        sa.cast(sa.func.coalesce(sa.func.sum(alerts.c.occurrences), 0), sa.BigInteger).label("occurrences"),
        sa.func.count(sa.distinct(alerts.c.group_id)).filter(alerts.c.group_id.is_not(None)).label("groups"),
        count(alerts.c.suppressed_by != sa.text("'{}'"), "suppressed"),
        count(alerts.c.is_false_positive, "false_positives"),
        count(_IS_QUICK, "quick"),
        count(alerts.c.times_flapped > 0, "flapping"),
        count(alerts.c.acknowledged_at.is_not(None), "acknowledged"),
    ]


def within(asked: Range, sight: Sight) -> sa.ColumnElement[bool]:
    """The alerts opened within the range that the viewer may see."""
    return sa.and_(alerts.c.created_at >= asked.since, alerts.c.created_at < asked.until, visible(sight))


async def read_noise(
    connection: AsyncConnection, *, by: NoiseBy, asked: Range, sight: Sight, limit: int
) -> NoiseReport:
    """The report: the figures of each key, those with most alerts first, and of all alerts of the range."""
    source, key = _source(by, asked)
    statement = (
        sa.select(key.label("key"), *_figures())
        .select_from(source)
        .where(within(asked, sight))
        .group_by(key)
        .order_by(sa.desc("alerts"), key)
        .limit(limit)
    )
    rows = (await connection.execute(statement)).mappings().all()
    pages = await _pages(connection, by, asked, sight)
    total = (await connection.execute(sa.select(*_figures()).where(within(asked, sight)))).mappings().one()
    sent = sa.select(sa.func.count()).select_from(_paged(asked)).where(within(asked, sight))
    return NoiseReport(
        by=by,
        range=asked,
        total=_noise(total, int(await connection.scalar(sent) or 0)),
        rows=tuple(
            NoiseRow(
                by=by,
                key=None if row["key"] is None else str(row["key"]),
                figures=_noise(row, pages.get(row["key"], 0)),
            )
            for row in rows
        ),
    )


def _noise(row: sa.RowMapping, pages: int) -> NoiseFigures:
    return NoiseFigures(**{name: row[name] for name in row if name != "key"}, pages=pages)


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
    return (
        sa.select(alert_events.c.alert_id, sa.cast(value["inputs"]["ruleId"].astext, sa.Uuid).label("rule_id"))
        .select_from(alert_events.join(decision, sa.true()))
        .where(
            alert_events.c.kind.in_(
                [AlertEventKind.OPENED.value, AlertEventKind.REOPENED.value, AlertEventKind.UPDATED.value]
            ),
            alert_events.c.recorded_at >= asked.since - RECORDED_AT_MARGIN,
            alert_events.c.data.contains({"decisions": [{"kind": DecisionKind.RULE.value}]}),
            value["kind"].astext == DecisionKind.RULE.value,
        )
        .distinct()
        .subquery("ruled")
    )


def _paged(asked: Range) -> sa.FromClause:
    """The alerts, once for each page that left because of them."""
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
    return sent.join(alerts, alerts.c.id == sent.c.alert_id)


async def _pages(connection: AsyncConnection, by: NoiseBy, asked: Range, sight: Sight) -> dict[Any, int]:
    """How many pages left because of the alerts of each key."""
    if by is NoiseBy.RULE:
        ruled = _ruled(asked)
        source: sa.FromClause = _paged(asked).join(ruled, ruled.c.alert_id == alerts.c.id)
        key: sa.ColumnElement[Any] = ruled.c.rule_id
    else:
        source, key = _paged(asked), _KEYS[by]
    statement = sa.select(key.label("key"), sa.func.count().label("amount")).select_from(source)
    rows: Sequence[Any] = (await connection.execute(statement.where(within(asked, sight)).group_by(key))).all()
    return {row.key: row.amount for row in rows}
