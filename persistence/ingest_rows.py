"""Which rows does a batch become? The arguments of the ingest transaction's write, and the state its read returned."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from domain.alerts.events import AlertEvent
from domain.alerts.ingest import Ingested, Item, Key
from domain.alerts.model import AlertStatus, ResolvedBy, Severity
from domain.alerts.normalise import NormalSignal
from domain.alerts.problem import AlertState, Moment, Problem
from domain.alerts.signal import ItemResult, RejectedItem
from domain.alerts.submission import Submission
from persistence.ingest_sql import STATE_READ


def signal_body(content: NormalSignal) -> dict[str, Any]:
    """The normalised signal as it is kept, as its source sent it: what a later replay tries rules on."""
    content = content if content.verdict is None else content.verdict.origin
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


def _signal_row(item: Item, result: ItemResult) -> dict[str, Any]:
    submission = item.submission
    return {
        "received_at": submission.received_at,
        "receipt_id": submission.receipt_id,
        "item": item.index,
        "integration_id": submission.integration.id,
        "alert_id": result.alert_id,
        "outcome": result.outcome,
        "reason": result.reason,
    }


def _event_row(event: AlertEvent) -> dict[str, Any]:
    """The event less what it holds, which goes by itself."""
    return {
        "id": event.id,
        "alert_id": event.alert_id,
        "kind": event.kind,
        "occurred_at": event.occurred_at,
        "actor": event.actor,
        "version": event.version,
        "severity": event.severity,
        "status": event.status,
    }


def _receipt_row(submission: Submission) -> dict[str, Any]:
    rejected = sum(isinstance(item, RejectedItem) for item in submission.items)
    return {
        "received_at": submission.received_at,
        "id": submission.receipt_id,
        "integration_id": submission.integration.id,
        "accepted": len(submission.items) - rejected,
        "rejected": rejected,
    }


def _uuid_text(value: object) -> str:
    """Say an id that asyncpg read: its UUID is a subclass, which orjson does not take by itself."""
    if isinstance(value, UUID):
        return str(value)
    message = f"{type(value).__name__} has no JSON form"
    raise TypeError(message)


def plain_uuid(value: UUID) -> UUID:
    """An id that asyncpg read, as the UUID of the rest of the program: a receipt is encoded as JSON by its reader."""
    return UUID(bytes=value.bytes)


def _json(rows: Sequence[object] | dict[str, Any]) -> str:
    return orjson.dumps(rows, default=_uuid_text).decode()


def write_arguments(
    submissions: Sequence[Submission], items: Sequence[Item], ingested: Ingested, *, now: datetime
) -> list[object]:
    """The arguments of WRITE_SQL for one batch. `now` is the time of writing.

    Alerts go as they are: their fields carry the columns' names. Raises orjson.JSONEncodeError for text
    that is not Unicode and for numbers beyond 64 bits.
    """
    signals = [
        _signal_row(item, result)
        for item, result in zip(items, ingested.results, strict=True)
        if isinstance(item.content, NormalSignal)
    ]
    bodies = [_json(signal_body(item.content)) for item in items if isinstance(item.content, NormalSignal)]
    return [
        now,
        _json([state for state in ingested.alerts if not state.is_new]),
        _json([state for state in ingested.alerts if state.is_new]),
        _json([_event_row(event) for event in ingested.events]),
        _json(signals),
        _json([_receipt_row(submission) for submission in submissions]),
        [_json(event.data) for event in ingested.events],
        bodies,
    ]


def problem_of(row: asyncpg.Record, key: Key) -> Problem:
    """The key's state as READ_SQL returned it."""
    problem = Problem(integration_id=key[0], dedup_key=key[1])
    if row["early_received_at"] is not None:
        problem.early_resolve = Moment(row["early_source_time"], row["early_received_at"])
    if row["id"] is None:
        return problem
    values = {name: row[name] for name in STATE_READ}
    values["id"] = plain_uuid(values["id"])
    values["team_id"] = plain_uuid(values["team_id"]) if values["team_id"] is not None else None
    values["group_id"] = plain_uuid(values["group_id"]) if values["group_id"] is not None else None
    values["severity"] = Severity(values["severity"])
    values["status"] = AlertStatus(values["status"])
    values["resolved_by"] = ResolvedBy(values["resolved_by"]) if values["resolved_by"] else None
    values["labels"] = orjson.loads(values["labels"])
    values["pinned"] = tuple(values["pinned"])
    values["suppressed_by"] = tuple(map(plain_uuid, values["suppressed_by"]))
    if values["turns"] is not None:
        values["turns"] = tuple(values["turns"])
    if values["past_episodes"] is not None:
        values["past_episodes"] = tuple(values["past_episodes"])
    problem.alert = AlertState(integration_id=key[0], dedup_key=key[1], **values)
    return problem
