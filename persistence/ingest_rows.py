"""Which rows does a batch become? The arrays of the ingest transaction, and the state it read."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson

from domain.alerts.events import AlertEvent
from domain.alerts.ingest import Ingested, Item, Key
from domain.alerts.model import AlertStatus, ResolvedBy, Severity
from domain.alerts.normalise import NormalSignal
from domain.alerts.problem import AlertState, Moment, Problem
from domain.alerts.signal import ItemResult, RejectedItem
from domain.alerts.submission import Submission
from persistence.ingest_columns import (
    ALERT_COLUMNS,
    CONTENT_COLUMNS,
    EVENT_COLUMNS,
    RECEIPT_COLUMNS,
    SIGNAL_COLUMNS,
    STATE_COLUMNS,
)
from persistence.ingest_sql import STATE_READ


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _uuid_array(ids: Sequence[UUID]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"


_get_state = attrgetter(*(name for name, _ in STATE_COLUMNS if name != "suppressed_by"))
_STATE_SUPPRESSED = [name for name, _ in STATE_COLUMNS].index("suppressed_by")


def _state_row(state: AlertState) -> tuple[Any, ...]:
    row = list(_get_state(state))
    row.insert(_STATE_SUPPRESSED, _uuid_array(state.suppressed_by))
    if not state.has_new_content:
        return (*row, None, None, None, None, None, None, None)
    return (
        *row,
        state.title,
        state.severity,
        state.service_name,
        _json(state.labels),
        state.content_hash,
        state.description,
        _json(state.metadata),
    )


def _alert_row(state: AlertState) -> tuple[Any, ...]:
    return (
        state.id,
        state.integration_id,
        state.dedup_key,
        state.dedup_recipe,
        state.title,
        state.description,
        state.severity,
        state.status,
        state.source,
        state.service_name,
        _json(state.labels),
        _json(state.metadata),
        state.team_id,
        state.occurrences,
        state.episode,
        state.version,
        state.content_hash,
        state.created_at,
        state.updated_at,
        state.started_at,
        state.last_seen_at,
        state.source_time,
        state.repeat_logged_at,
        state.acknowledged_at,
        state.resolved_at,
        state.resolved_by,
        state.resolution,
        state.expires_at,
        _uuid_array(state.suppressed_by),
    )


def _event_row(event: AlertEvent) -> tuple[Any, ...]:
    actor = event.actor
    return (
        event.id,
        event.alert_id,
        event.kind,
        event.occurred_at,
        actor.kind,
        actor.id,
        event.version,
        event.severity,
        event.status,
        _json(event.data),
    )


def signal_body(content: NormalSignal) -> dict[str, Any]:
    """The normalised signal as it is kept: what a later replay folds again."""
    signal = content.signal
    return {
        "status": content.status,
        "title": content.title,
        "description": content.description,
        "severity": content.severity,
        "severityText": signal.severity_text,
        "source": content.source,
        "serviceName": content.service_name,
        "labels": content.labels,
        "metadata": content.metadata,
        "dedupKey": signal.dedup_key,
        "dedupRecipe": signal.dedup_recipe,
        "startedAt": signal.started_at,
        "endedAt": signal.ended_at,
        "expiresAt": signal.expires_at,
        "warnings": signal.warnings,
    }


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[Sequence[Any]]:
    return [*zip(*rows, strict=True)] if rows else [()] * width


def _signal_rows(items: Sequence[Item], results: Sequence[ItemResult]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for item, result in zip(items, results, strict=True):
        submission, content = item.submission, item.content
        if isinstance(content, RejectedItem):
            continue
        rows.append(
            (
                submission.received_at,
                submission.receipt_id,
                item.index,
                submission.integration.id,
                result.alert_id,
                result.outcome,
                result.reason,
                _json(signal_body(content)),
            )
        )
    return rows


def _receipt_row(submission: Submission) -> tuple[Any, ...]:
    rejected = sum(isinstance(item, RejectedItem) for item in submission.items)
    accepted = len(submission.items) - rejected
    return (submission.received_at, submission.receipt_id, submission.integration.id, accepted, rejected)


def write_arguments(
    submissions: Sequence[Submission], items: Sequence[Item], ingested: Ingested, *, now: datetime
) -> list[Any]:
    """The arguments of WRITE_SQL for one batch. `now` is the time of writing."""
    states = [_state_row(state) for state in ingested.alerts if not state.is_new]
    alerts = [_alert_row(state) for state in ingested.alerts if state.is_new]
    events = [_event_row(event) for event in ingested.events]
    signals = _signal_rows(items, ingested.results)
    receipts = [_receipt_row(submission) for submission in submissions]
    return [
        now,
        *_columns(states, len(STATE_COLUMNS) + len(CONTENT_COLUMNS)),
        *_columns(alerts, len(ALERT_COLUMNS)),
        *_columns(events, len(EVENT_COLUMNS)),
        *_columns(signals, len(SIGNAL_COLUMNS)),
        *_columns(receipts, len(RECEIPT_COLUMNS)),
    ]


def problem_of(row: Any, key: Key) -> Problem:  # noqa: ANN401 - an asyncpg Record is untyped
    """The key's state as READ_SQL returned it."""
    problem = Problem(integration_id=key[0], dedup_key=key[1])
    if row["early_received_at"] is not None:
        problem.early_resolve = Moment(row["early_source_time"], row["early_received_at"])
    if row["id"] is None:
        return problem
    values = {name: row[name] for name in STATE_READ}
    values["severity"] = Severity(values["severity"])
    values["status"] = AlertStatus(values["status"])
    values["resolved_by"] = ResolvedBy(values["resolved_by"]) if values["resolved_by"] else None
    values["labels"] = orjson.loads(values["labels"])
    values["pinned"] = frozenset(values["pinned"])
    values["suppressed_by"] = tuple(values["suppressed_by"])
    problem.alert = AlertState(integration_id=key[0], dedup_key=key[1], **values)
    return problem
