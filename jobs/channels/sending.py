"""Who sends to channels? A worker or the scheduler, as due work: claim, commit, send, write down what was answered.

Different channels are sent to side by side, so one that hangs holds up no other; within a channel the first trouble
leaves the rest for the next attempt.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

import httpx2
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.channels.model import ChannelKind
from domain.mail.delivery import Outcome, Refused, Retry, Sent
from jobs.channels.contract import Request, Sender
from jobs.channels.pagerduty import pagerduty
from jobs.channels.selecting import Select, select_by
from jobs.channels.slack import slack
from jobs.channels.slack_api import SlackApp
from jobs.channels.slack_bot import send_by_bot
from jobs.channels.teams import teams
from jobs.channels.webhook import webhook
from jobs.channels.wording import items_of
from jobs.counting import count_send
from jobs.outbound import Answer, NotAllowed, Outbound
from persistence.channel_notifications import Claimed, claim, put_back, settle
from persistence.setting_aside import passes
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
BATCH = 200
MAX_WAIT = timedelta(hours=1)
# What comes after the one that found the provider in trouble waits so long, or until its circuit is closed.
REST = timedelta(seconds=30)
SENDERS: Mapping[ChannelKind, Sender] = {
    ChannelKind.SLACK: slack,
    ChannelKind.TEAMS: teams,
    ChannelKind.PAGERDUTY: pagerduty,
    ChannelKind.WEBHOOK: webhook,
}
# Trouble that passes; any other refusal is of this message, for good.
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


async def send_to_channels(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Send what is due; how many requests were taken."""
    claimed = await claim(engine, limit=BATCH, now=now)
    if not claimed:
        return 0
    outbound, app = Outbound(settings.outbound_networks), SlackApp.of(settings)
    try:
        sending = [
            send_by_bot(engine, app, one, now=now)
            if one.channel.kind is ChannelKind.SLACK_BOT
            else _send(engine, outbound, one, select_by(settings, engine), now=now)
            for one in claimed
        ]
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


async def _send(
    engine: AsyncEngine, outbound: Outbound, claimed: Claimed, select: Select | None, *, now: datetime
) -> int:
    channel, sent = claimed.channel, 0
    by_id = {one.id: one for one in claimed.notifications}
    for request in SENDERS[channel.kind](channel.values, await items_of(engine, claimed, select, now=now), now=now):
        answer = await _post(outbound, request)
        outcome, wait = (answer, None) if not isinstance(answer, Answer) else judge(answer)
        carried = [by_id[one] for one in request.carries]
        await settle(engine, channel, carried, outcome, now=now, retry_at=None if wait is None else now + wait)
        count_send(channel.kind.value, outcome)
        sent += isinstance(outcome, Sent)
        if not isinstance(outcome, Sent):
            _log.warning("channel not reached", channel=str(channel.id), kind=channel.kind.value, reason=outcome.reason)
        for one in request.carries:
            del by_id[one]
        if isinstance(outcome, Retry):
            break
    if by_id:
        await put_back(engine, [*by_id.values()], until=now + REST)
    return sent


async def _post(outbound: Outbound, request: Request) -> Answer | Outcome:
    try:
        return await outbound.post(request.url, request.body, dict(request.headers))
    except NotAllowed as error:
        return Refused(str(error))
    except TimeoutError:
        return Retry("no answer in time")
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        # Never the error's text: it may hold the address, which is a secret of most kinds.
        return Retry(f"not reached: {type(error).__name__}")


def judge(answer: Answer) -> tuple[Outcome, timedelta | None]:
    """What an answer means, and how long to wait at least before the next attempt."""
    said = f"{answer.status} {' '.join(answer.text.split())}".strip()[:300]
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Sent(said), None
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in _PASSING:
        wait = timedelta(seconds=answer.retry_after or 0)
        return Retry(said), min(wait, MAX_WAIT)
    return Refused(said), None
