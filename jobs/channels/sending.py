"""Who sends to channels? A worker or the scheduler, as due work: claim, commit, send, write down what was answered.

Different channels are sent to side by side, so one that hangs holds up no other; within a channel the first trouble
leaves the rest for the next attempt.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.mail.delivery import Retry
from jobs.channels.contract import Round
from jobs.channels.selecting import select_by
from jobs.channels.senders import sender_of
from jobs.channels.slack_api import SlackApp
from jobs.outbound import Outbound
from persistence.channel_notifications import Claimed, claim, settle
from persistence.setting_aside import passes
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
BATCH = 200


async def send_to_channels(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Send what is due; how many requests were taken."""
    claimed = await claim(engine, limit=BATCH, now=now)
    if not claimed:
        return 0
    outbound, app = Outbound(settings.outbound_networks), SlackApp.of(settings)
    round_ = Round(engine=engine, outbound=outbound, app=app, select=select_by(settings, engine))
    try:
        sending = [sender_of(one.channel.kind)(round_, one, now=now) for one in claimed]
        alone = [_alone(engine, one, what, now=now) for one, what in zip(claimed, sending, strict=True)]
        return await _all(alone)
    finally:
        await outbound.close()
        if app is not None:
            await app.close()


async def _all(sending: Sequence[Awaitable[int]]) -> int:
    """Let every one end, whatever becomes of the others; then say what went wrong."""
    ended = await asyncio.gather(*sending, return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return sum(one for one in ended if isinstance(one, int))


async def _alone(engine: AsyncEngine, claimed: Claimed, sending: Awaitable[int], *, now: datetime) -> int:
    """What cannot be written for one channel keeps the others from nothing: it is tried again, until it is too old."""
    try:
        return await sending
    except Exception as error:
        if passes(error):
            raise
        _log.exception("nothing can be written for a channel", channel=str(claimed.channel.id))
        outcome = Retry(f"it could not be written: {type(error).__name__}")
        await settle(engine, claimed.channel, claimed.notifications, outcome, now=now, is_provider=False)
        return 0
