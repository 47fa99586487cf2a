"""What does a message of our app in Slack look like? A section an alert, with buttons for as long as they do something.

Source: https://docs.slack.dev/reference/block-kit/blocks and …/block-elements/button-element: at most 50 blocks; 3,000
characters in a section; a `block_id` is there once a message, an `action_id` once a block.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.alerts.model import AlertStatus, Severity
from domain.channels.mrkdwn import at_their_time, escaped
from domain.escalations.following import Part, standing
from domain.escalations.message import ENDS, heading_of, subject_of

# Two blocks each, one for all of them and one for those that are not shown: 42 of 50.
MAX_SHOWN = 20
MAX_TEXT = 2_900
# Of what a template says: where the alert is, and its id, follow it.
MAX_OWN = 2_300
ALL = "all"
SIGNS = {
    Severity.CRITICAL: ":red_circle:",
    Severity.HIGH: ":large_orange_circle:",
    Severity.MEDIUM: ":large_yellow_circle:",
}


def card(message_id: UUID, parts: Sequence[Part], *, now: datetime, tells_why: bool = False) -> list[dict[str, Any]]:
    """The blocks of a message. `tells_why` for a person, who wants to know why them."""
    shown, left = parts[:MAX_SHOWN], len(parts) - MAX_SHOWN
    blocks: list[dict[str, Any]] = []
    for number, part in enumerate(shown):
        blocks.append(_section(part, now=now, tells_why=tells_why))
        buttons = _buttons(part, now=now)
        if buttons:
            blocks.append({"type": "actions", "block_id": f"{number}", "elements": buttons})
    if left > 0:
        blocks.append(text_block(f"… and {left} more"))
    if sum(part.can_be_acknowledged for part in parts) > 1:
        whole = _button("acknowledge", f"Acknowledge all {len(parts)}", f"{ALL}:{message_id}")
        blocks.append({"type": "actions", "block_id": ALL, "elements": [whole]})
    return blocks


def fallback(parts: Sequence[Part]) -> str:
    """What a notification on a locked screen shows."""
    return escaped(subject_of([part.told for part in parts]))


def digest_of(blocks: Sequence[dict[str, Any]]) -> bytes:
    """What tells whether a message would look otherwise."""
    return hashlib.sha256(orjson.dumps(blocks)).digest()


def _section(part: Part, *, now: datetime, tells_why: bool) -> dict[str, Any]:
    told, stands = part.told, standing(part, now=now)
    lines = _built_in(part) if part.text is None else [part.text[:MAX_OWN]]
    if stands:
        lines.append(f"*{escaped(stands)}*")
    if tells_why and told.why:
        lines.append(f"_Why you: {escaped(told.why[:300])}_")
    lines.append(f"`{told.alert_id}`")
    return text_block("\n".join(lines)[:MAX_TEXT])


def _built_in(part: Part) -> list[str]:
    told = part.told
    is_good = told.kind in ENDS or part.is_over or part.status is AlertStatus.RESOLVED
    sign = ":white_check_mark:" if is_good else SIGNS.get(told.severity, ":white_circle:")
    since = f"since {at_their_time(told.started_at)}"
    lines = [
        f"{sign} *{heading_of(told)}: {escaped(told.title[:500])}*",
        f"{escaped((told.service_name or told.source)[:200])} · {since}",
    ]
    if told.description and not is_good:
        lines.append(escaped(told.description[:400]))
    return lines


def _buttons(part: Part, *, now: datetime) -> list[dict[str, Any]]:
    if part.is_settled:
        return []
    value = f"{part.told.alert_id}:{part.episode}"
    found = []
    if part.can_be_acknowledged:
        found.append({**_button("acknowledge", "Acknowledge", value), "style": "primary"})
    found.append(_button("resolve", "Resolve", value))
    if part.snoozed_until is None or part.snoozed_until <= now:
        found.append(_button("snooze", "Snooze 1 hour", value))
    return found


def _button(action: str, text: str, value: str) -> dict[str, Any]:
    return {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": text}, "value": value}


def text_block(text: str) -> dict[str, Any]:
    """A block of text."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
