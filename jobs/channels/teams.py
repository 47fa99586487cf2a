"""How is Microsoft Teams told? By an Adaptive Card to a Workflow's address: one card, however many alerts.

Source: https://learn.microsoft.com/power-automate/teams/teams-app-create and
https://adaptivecards.io/explorer (version 1.4). 202 is taken. A card has at most 28 KB, so texts are cut.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from domain.alerts.model import Severity
from domain.escalations.message import ENDS, Told, heading_of, subject_of
from jobs.channels.contract import JSON, Item, Request

MAX_SHOWN = 15
MAX_TEXT = 1_200
_COLORS = {Severity.CRITICAL: "attention", Severity.HIGH: "warning", Severity.MEDIUM: "accent"}


def teams(values: Mapping[str, str], items: Sequence[Item], *, now: datetime) -> list[Request]:
    """One post for all."""
    del now
    told = [item.told for item in items]
    parts: list[dict[str, Any]] = [_line(subject_of(told), size="medium", weight="bolder")]
    for item in items[:MAX_SHOWN]:
        parts += _parts(item.told) if item.text is None else [_line(item.text[:MAX_TEXT])]
    if len(told) > MAX_SHOWN:
        parts.append(_line(f"… and {len(told) - MAX_SHOWN} more"))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": parts,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    body = orjson.dumps({"type": "message", "attachments": [attachment]})
    return [Request(url=values["url"], body=body, headers=JSON, carries=tuple(item.id for item in items))]


def _parts(one: Told) -> list[dict[str, Any]]:
    is_over = one.kind in ENDS
    color = "good" if is_over else _COLORS.get(one.severity, "default")
    facts = [
        {"title": "Service", "value": (one.service_name or "-")[:200]},
        {"title": "Source", "value": one.source[:200]},
        {"title": "Since", "value": f"{one.started_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"},
        {"title": "Alert", "value": str(one.alert_id)},
    ]
    parts = [
        _line(f"{heading_of(one)}: {one.title[:300]}", weight="bolder", color=color),
        {"type": "FactSet", "facts": facts},
    ]
    if one.description and not is_over:
        parts.append(_line(one.description[:500]))
    return parts


def _line(text: str, **more: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **more}
