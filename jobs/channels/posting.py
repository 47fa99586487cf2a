"""How does a kind of channel send that only posts? Each post is judged by its answer, and settled with what it carries.

Within a channel the first trouble leaves the rest for the next attempt. A message is worth more than its form: one that
the provider refuses as wrong or too long is sent once more in its plainest form.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TypeAlias

import httpx2
import structlog

from domain.mail.delivery import Outcome, Refused, Retry, Sent
from jobs.channels.contract import Request, Round, Send, Write
from jobs.channels.wording import items_of
from jobs.counting import count_send
from jobs.outbound import Answer, NotAllowed, Outbound
from jobs.timing import timed
from persistence.channel_notifications import Claimed, put_back, settle

_log = structlog.get_logger(__name__)
MAX_WAIT = timedelta(hours=1)
# What comes after the one that found the provider in trouble waits so long, or until its circuit is closed.
REST = timedelta(seconds=30)
Judged: TypeAlias = tuple[Outcome, timedelta | None]
# Trouble that passes; any other refusal is of this message, for good.
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
# The form is wrong, or too long.
_OF_FORM = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY})


def judge(answer: Answer) -> Judged:
    """What an answer means, and how long to wait at least before the next attempt."""
    said = said_by(answer)
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Sent(said), None
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in _PASSING:
        return Retry(said), wait_of(answer)
    return Refused(said), None


def said_by(answer: Answer) -> str:
    """What the provider said, on one line."""
    return f"{answer.status} {' '.join(answer.text.split())}".strip()[:300]


def wait_of(answer: Answer) -> timedelta:
    """How long it asks to wait, an hour at most."""
    return min(timedelta(seconds=answer.retry_after or 0), MAX_WAIT)


def posting(write: Write, judge_: Callable[[Answer], Judged] = judge) -> Send:
    """Sends what `write` writes; what is answered means what `judge_` says."""

    async def send(round_: Round, claimed: Claimed, *, now: datetime) -> int:
        channel, sent = claimed.channel, 0
        by_id = {one.id: one for one in claimed.notifications}
        items = await items_of(round_.engine, claimed, round_.select, now=now)
        for request in write(channel.values, items, now=now):
            (outcome, wait), took = await timed(_tried(round_.outbound, request, judge_))
            carried = [by_id.pop(one) for one in request.carries]
            retry_at = None if wait is None else now + wait
            await settle(round_.engine, channel, carried, outcome, now=now, retry_at=retry_at, took_ms=took)
            count_send(channel.kind.name, outcome)
            sent += isinstance(outcome, Sent)
            if not isinstance(outcome, Sent):
                name = channel.kind.name
                _log.warning("channel not reached", channel=str(channel.id), kind=name, reason=outcome.reason)
            if isinstance(outcome, Retry):
                break
        if by_id:
            await put_back(round_.engine, [*by_id.values()], until=now + REST)
        return sent

    return send


async def _tried(outbound: Outbound, request: Request, judge_: Callable[[Answer], Judged]) -> Judged:
    answer = await _post(outbound, request, request.body)
    if isinstance(answer, Answer) and answer.status in _OF_FORM and request.plain is not None:
        first, answer = said_by(answer), await _post(outbound, request, request.plain)
        if isinstance(answer, Answer):
            outcome, wait = judge_(answer)
            if isinstance(outcome, Sent):
                outcome = Sent(f"{outcome.answer}; as plain text, after {first}"[:300])
            return outcome, wait
    return judge_(answer) if isinstance(answer, Answer) else (answer, None)


async def _post(outbound: Outbound, request: Request, body: bytes) -> Answer | Outcome:
    try:
        return await outbound.post(request.url, body, dict(request.headers))
    except NotAllowed as error:
        return Refused(str(error))
    except TimeoutError:
        return Retry("no answer in time")
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        # Never the error's text: it may hold the address, which is a secret of most kinds.
        return Retry(f"not reached: {type(error).__name__}")
