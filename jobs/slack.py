"""Who keeps messages in Slack in step with their alerts, and answers who pressed a button? A worker, as due work.

Slack lets an app change messages some fifty times a minute: after a 429 the rest of the round waits as long.
"""

from datetime import datetime, timedelta
from http import HTTPStatus

import httpx2
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.channels.slack_card import card, digest_of, fallback
from jobs.channels.slack_api import NotPosted, Posted, SlackApp
from jobs.channels.slack_bot import is_passing
from jobs.channels.slack_words import worded_for_channel, worded_for_person
from jobs.outbound import NotAllowed, Outbound
from persistence.slack_answers import SlackAnswer, claim_answers, drop_answer
from persistence.slack_messages import (
    SlackMessage,
    carried_by,
    claim_moved,
    parts_of,
    settle_shown,
    settle_unshown,
)
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
BATCH = 20


async def follow_alerts(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Change the messages whose alerts moved; how many were changed."""
    app = SlackApp.of(settings)
    if app is None:
        return 0
    changed = 0
    try:
        moved, wait = await claim_moved(engine, limit=BATCH, now=now), timedelta(0)
        for message in moved:
            if wait:
                await settle_unshown(engine, message, "429 ratelimited", wait=wait, now=now)
                continue
            said = await _follow(engine, app, message, now=now)
            changed += isinstance(said, Posted)
            wait = said.wait if isinstance(said, NotPosted) else wait
    finally:
        await app.close()
    return changed


async def _follow(
    engine: AsyncEngine, app: SlackApp, message: SlackMessage, *, now: datetime
) -> Posted | NotPosted | None:
    async with engine.connect() as connection:
        parts = await parts_of(connection, await carried_by(connection, message.id), now=now)
    if not parts:
        await settle_shown(engine, message, message.shown_digest, is_over=True, now=now)
        return None
    if message.channel_id is not None:
        parts = await worded_for_channel(engine, message.channel_id, parts, now=now)
    else:
        parts = await worded_for_person(engine, parts, is_leaving=False, now=now)
    blocks = card(message.id, parts, now=now, tells_why=message.user_id is not None)
    shown, is_over = digest_of(blocks), all(part.is_settled for part in parts)
    if shown == message.shown_digest:
        await settle_shown(engine, message, shown, is_over=is_over, now=now)
        return None
    said = await app.update(Posted(message.conversation, message.ts), fallback(parts), blocks)
    if isinstance(said, NotPosted):
        _log.warning("message in Slack not changed", message=str(message.id), reason=said.reason)
        wait = said.wait if is_passing(said) else None
        await settle_unshown(engine, message, said.reason, wait=wait, now=now)
    else:
        await settle_shown(engine, message, shown, is_over=is_over, now=now)
    return said


async def answer_presses(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Tell whoever pressed a button what became of it; how many were told."""
    answers = await claim_answers(engine, limit=BATCH, now=now)
    if not answers:
        return 0
    outbound, told = Outbound(settings.outbound_networks), 0
    try:
        for answer in answers:
            is_over, is_told = await _answer(outbound, answer)
            if is_over:
                await drop_answer(engine, answer.id)
            told += is_told
    finally:
        await outbound.close()
    return told


async def _answer(outbound: Outbound, answer: SlackAnswer) -> tuple[bool, bool]:
    """Whether that is done with, and whether it was taken."""
    try:
        said = await outbound.post(answer.url, answer.body, {"content-type": "application/json"})
    except (NotAllowed, httpx2.InvalidURL):
        return True, False
    except (TimeoutError, httpx2.HTTPError, OSError):
        return False, False
    is_passing = said.status == HTTPStatus.TOO_MANY_REQUESTS or said.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return not is_passing, said.status == HTTPStatus.OK
