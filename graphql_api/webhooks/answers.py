"""How is a post to `/webhooks/{source}` answered? With its receipt: what became of each item, and why.

202 when anything was accepted (or there was nothing in it), 422 when every item was rejected: those items are kept on
the receipt all the same, with their error, to be replayed.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from domain.alerts.signal import ItemResult, Outcome
from domain.alerts.submission import Receipt
from graphql_api.webhooks.refusal import Refusal


def receipt_answer(receipt: Receipt) -> tuple[int, bytes]:
    """The status and body that tell what became of a post."""
    alerts, errors = [], []
    for index, result in enumerate(receipt.results):
        if result.outcome is Outcome.REJECTED:
            errors.append(_error(index, result))
        else:
            alerts.append(
                {
                    "index": index,
                    "alertId": result.alert_id,
                    "dedupKey": result.dedup_key,
                    "outcome": result.outcome,
                    "reason": result.reason,
                }
            )
    body = {
        "receiptId": receipt.id,
        "accepted": len(alerts),
        "rejected": len(errors),
        "alerts": alerts,
        "errors": errors,
    }
    return (422 if errors and not alerts else 202), orjson.dumps(body)


def rejected_messages(results: Sequence[ItemResult]) -> list[str]:
    """The rejected items in words, with their place, for protocols whose errors are plain text."""
    return [
        f"{_place(index, result.path)}: {result.reason}"
        for index, result in enumerate(results)
        if result.outcome is Outcome.REJECTED
    ]


def refusal_answer(refusal: Refusal, receipt_id: UUID) -> bytes:
    """The body of a refusal."""
    error = {"code": refusal.code, "message": printable(refusal.message), "path": [*map(printable, refusal.path)]}
    return orjson.dumps({"error": error, "receiptId": receipt_id})


def _error(index: int, result: ItemResult) -> dict[str, Any]:
    return {"index": index, "message": printable(result.reason), "path": [*map(printable, result.path)]}


def _place(index: int, path: Sequence[str]) -> str:
    return ".".join(map(printable, path)) if path else f"alert {index}"


def printable(text: str) -> str:
    """The text as valid UTF-8: a message may quote a lone surrogate, which no encoder takes."""
    return text.encode("utf-8", "replace").decode()
