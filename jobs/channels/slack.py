"""How is Slack told? By an incoming webhook: one message of blocks, however many alerts.

Source: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://docs.slack.dev/reference/block-kit/blocks: at most 50 blocks, 3,000 characters of text each; `&`, `<` and `>`
are escaped. 200 `ok` is taken; 429 comes with Retry-After.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from domain.channels.mrkdwn import at_their_time, escaped
from domain.channels.slack_card import MAX_SHOWN, MAX_TEXT, SIGNS, text_block
from domain.escalations.message import ENDS, Told, heading_of, subject_of
from jobs.channels.contract import JSON, Item, Request

MAX_TITLE = 300


def slack(values: Mapping[str, str], items: Sequence[Item], *, now: datetime) -> list[Request]:
    """One post for all."""
    del now
    told = [item.told for item in items]
    told_first = escaped(subject_of(told))
    blocks = [
        _block(item.told) if item.text is None else text_block(item.text[:MAX_TEXT]) for item in items[:MAX_SHOWN]
    ]
    if len(told) > MAX_SHOWN:
        blocks.append(text_block(f"… and {len(told) - MAX_SHOWN} more"))
    body = orjson.dumps({"text": told_first, "blocks": blocks})
    plain = orjson.dumps({"text": told_first})
    return [Request(url=values["url"], body=body, headers=JSON, carries=_ids(items), plain=plain)]


def _block(one: Told) -> dict[str, Any]:
    is_over = one.kind in ENDS
    sign = ":white_check_mark:" if is_over else SIGNS.get(one.severity, ":white_circle:")
    title = escaped(" ".join(one.title.split())[:MAX_TITLE])
    lines = [f"{sign} *{heading_of(one)}: {title}*"]
    lines.append(f"{escaped((one.service_name or one.source)[:200])} · since {at_their_time(one.started_at)}")
    if one.description and not is_over:
        lines.append(escaped(one.description[:500]))
    if one.why:
        lines.append(f"_{escaped(' '.join(one.why.split())[:300])}_")
    lines.append(f"`{one.alert_id}`")
    return text_block("\n".join(lines)[:MAX_TEXT])


def _ids(items: Sequence[Item]) -> tuple[UUID, ...]:
    return tuple(item.id for item in items)
