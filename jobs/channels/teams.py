"""How is Microsoft Teams told? By an Adaptive Card to a Workflow's address: one card, however many alerts.

Source: https://learn.microsoft.com/power-automate/teams/teams-app-create, https://adaptivecards.io/explorer (version
1.4) and https://learn.microsoft.com/connectors/teams. 202 is taken; the Workflow posts the card after that, and one of
more than 28 KB fails there, where nobody hears of it. Teams counts more than is posted: 24,453 bytes were 28,897 to it
(https://github.com/MicrosoftDocs/msteams-docs/issues/11274). So a card stays far below. An old connector's address says
200 also when it failed, and why in the text (https://github.com/MicrosoftDocs/msteams-docs/issues/1810).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import orjson

from domain.alerts.model import Severity
from domain.channels.markdown import escaped
from domain.escalations.message import ENDS, Told, heading_of, subject_of
from domain.mail.delivery import Refused, Retry
from jobs.channels.contract import JSON, Item, Request
from jobs.channels.posting import Judged, judge, said_by
from jobs.outbound import Answer

MAX_SHOWN = 15
MAX_TEXT = 1_200
MAX_BODY = 20_000
_COLORS = {Severity.CRITICAL: "attention", Severity.HIGH: "warning", Severity.MEDIUM: "accent"}
_FAILED = re.compile(r"Webhook message delivery failed with error.*?HTTP error (\d{3})", re.DOTALL)


def teams(values: Mapping[str, str], items: Sequence[Item], *, now: datetime) -> list[Request]:
    """One post for all: as many of them in full as there is room for."""
    del now
    carries = tuple(item.id for item in items)
    shown = min(len(items), MAX_SHOWN)
    body = _message(items, shown)
    while len(body) > MAX_BODY and shown > 1:
        shown -= 1
        body = _message(items, shown)
    plain = _posted([_line(escaped(subject_of([item.told for item in items])), weight="bolder")])
    return [Request(url=values["url"], body=body, headers=JSON, carries=carries, plain=plain)]


def judge_teams(answer: Answer) -> Judged:
    """A Workflow says what it means by its status, an old connector in its text."""
    failed = _FAILED.search(answer.text) if answer.status == HTTPStatus.OK else None
    if failed is None:
        return judge(answer)
    status = int(failed[1])
    said = f"{status}: {said_by(answer)}"[:300]
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Retry(said), timedelta(0)
    return Refused(said), None


def _message(items: Sequence[Item], shown: int) -> bytes:
    told = [item.told for item in items]
    parts: list[dict[str, Any]] = []
    if len(items) > 1:
        parts.append(_line(escaped(subject_of(told)), size="medium", weight="bolder"))
    for item in items[:shown]:
        parts += _parts(item.told) if item.text is None else [_line(item.text[:MAX_TEXT])]
    if len(items) > shown:
        parts.append(_line(f"… and {len(items) - shown} more"))
    return _posted(parts)


def _posted(parts: Sequence[Mapping[str, Any]]) -> bytes:
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": parts,
        # As wide as the channel is: in a narrow column facts are cut.
        "msteams": {"width": "Full"},
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return orjson.dumps({"type": "message", "attachments": [attachment]})


def _parts(one: Told) -> list[dict[str, Any]]:
    is_over = one.kind in ENDS
    color = "good" if is_over else _COLORS.get(one.severity, "default")
    facts = [
        {"title": "Service", "value": escaped((one.service_name or "")[:200])},
        {"title": "Source", "value": escaped(one.source[:200])},
        {"title": "Since", "value": f"{one.started_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"},
        {"title": "Why", "value": escaped(one.why[:200])},
        {"title": "Alert", "value": str(one.alert_id)},
    ]
    title = escaped(" ".join(one.title.split())[:300])
    parts = [
        _line(f"{heading_of(one)}: {title}", weight="bolder", color=color),
        {"type": "FactSet", "facts": [fact for fact in facts if fact["value"]]},
    ]
    if one.description and not is_over:
        parts.insert(1, _line(escaped(one.description[:500])))
    return parts


def _line(text: str, **more: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **more}
