"""Did a submission commit whose connection was lost meanwhile? Its receipt says so, its signals what became of it."""

from typing import Any

import asyncpg

from domain.alerts.signal import ItemResult, Outcome, RejectedItem
from domain.alerts.submission import Receipt, Submission
from persistence.ingest_rows import plain_uuid


async def committed_receipt(connection: asyncpg.Connection, submission: Submission) -> Receipt | None:
    """The receipt of a submission that is there; None for one that is not."""
    is_there = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM receipts WHERE received_at = $1 AND id = $2)",
        submission.received_at,
        submission.receipt_id,
    )
    if not is_there:
        return None
    rows = await connection.fetch(
        "SELECT s.item, s.outcome, s.reason, s.alert_id, a.dedup_key FROM signals s LEFT JOIN alerts a "
        "ON a.id = s.alert_id WHERE s.received_at = $1 AND s.receipt_id = $2",
        submission.received_at,
        submission.receipt_id,
    )
    results = _results_from(submission, {row["item"]: row for row in rows})
    return Receipt(id=submission.receipt_id, received_at=submission.received_at, results=results)


def _results_from(submission: Submission, rows: dict[int, Any]) -> tuple[ItemResult, ...]:
    results = []
    for index, item in enumerate(submission.items):
        row = rows.get(index)
        if row is not None:
            values = {name: row[name] for name in ("outcome", "reason", "alert_id", "dedup_key")}
            alert_id = plain_uuid(row["alert_id"]) if row["alert_id"] is not None else None
            results.append(ItemResult(**{**values, "outcome": Outcome(values["outcome"]), "alert_id": alert_id}))
        else:
            reason = item.message if isinstance(item, RejectedItem) else "rejected by the database"
            results.append(ItemResult(outcome=Outcome.REJECTED, reason=reason))
    return tuple(results)
