"""Who sends the mail that waits? A worker or the scheduler, as due work: claim, commit, send, write down the outcome.

The claim is committed before anything is sent, so two senders never take the same mail; one that dies half-way leaves a
mail that is tried again when its claim has run out, under the same Message-ID. What waited may be over by now: it is
looked at once more before it leaves (persistence/overtaken.py).
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.mail.delivery import TOO_OLD, Outcome, Refused, Retry, Sent, is_too_old
from domain.mail.model import Posted
from jobs.counting import count_send
from jobs.mailer import Mailer, mailer_of
from jobs.paging import writing_of
from jobs.timing import timed
from persistence.circuits import Leave, leave_to_ask, note_answer, note_failure
from persistence.mail import claim_mail, outbox_of, put_back, settle_mail
from persistence.overtaken import mail_to_send
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
# Together far less than a claim lasts (persistence/mail.py), also when each mail takes as long as it may.
BATCH = 10
# One job ends in time for its worker; the next hint goes on.
WORK_SECONDS = 120.0
# With the server away, all that is due waits so long: one attempt in a while is enough to see that it is back.
SERVER_REST = timedelta(seconds=30)
LATE = timedelta(minutes=15)


async def send_mail(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Send what is due; the number that left."""
    session = mailer_of(settings)
    if session is None:
        return 0
    started, sent, key = time.monotonic(), 0, circuit_of(settings)
    try:
        while time.monotonic() - started < WORK_SECONDS:
            moment = now + timedelta(seconds=time.monotonic() - started)
            leave = await leave_to_ask(engine, key, now=moment)
            if leave is Leave.NONE:
                break
            batch = await _take(engine, settings, limit=BATCH if leave is Leave.ALL else 1, now=moment)
            if not batch:
                break
            left, is_server_well = await _send_batch(engine, session, batch, key=key, now=moment)
            sent += left
            if not is_server_well:
                break
    finally:
        await session.close()
    return sent


async def _take(engine: AsyncEngine, settings: Settings, *, limit: int, now: datetime) -> list[Posted]:
    """What is claimed and still to be sent: what was overtaken while it waited takes nobody's place."""
    while claimed := await claim_mail(engine, limit=limit, now=now):
        if batch := await mail_to_send(engine, claimed, writing_of(settings), now=now):
            return batch
    return []


async def _send_batch(
    engine: AsyncEngine, session: Mailer, batch: Sequence[Posted], *, key: str, now: datetime
) -> tuple[int, bool]:
    """How many left, and whether it makes sense to go on."""
    started, sent = time.monotonic(), 0
    for index, posted in enumerate(batch):
        moment = now + timedelta(seconds=time.monotonic() - started)
        outcome, took = await _tried(session, posted, now=moment)
        await settle_mail(engine, posted, outcome, now=moment, took_ms=took)
        await _note(engine, key, outcome, now=moment)
        _tell(posted, outcome)
        count_send(type(session).__name__.removesuffix("Session").lower(), outcome)
        sent += isinstance(outcome, Sent)
        if isinstance(outcome, Retry) and outcome.is_server:
            await put_back(engine, batch[index + 1 :], until=moment + max(SERVER_REST, outcome.wait))
            return sent, False
    return sent, True


async def _tried(session: Mailer, posted: Posted, *, now: datetime) -> tuple[Outcome, int | None]:
    """What became of it, and how long the server took; what is too old is not tried."""
    return (Refused(TOO_OLD), None) if is_too_old(posted.expires_at, now=now) else await timed(session.send(posted))


def circuit_of(settings: Settings) -> str:
    """The circuit of the provider in use: another one begins afresh."""
    return f"mail:{settings.mail_provider.value}"


async def _note(engine: AsyncEngine, key: str, outcome: Outcome, *, now: datetime) -> None:
    """A refusal of one mail is an answer; what is no attempt at all says nothing."""
    if isinstance(outcome, Refused) and outcome.reason == TOO_OLD:
        return
    async with engine.begin() as connection:
        if isinstance(outcome, Retry) and outcome.is_server:
            await note_failure(connection, key, outcome.reason, now=now, wait=outcome.wait)
        else:
            await note_answer(connection, key, now=now)


def _tell(posted: Posted, outcome: Outcome) -> None:
    """One line for what did not leave. Never the address nor the text; and the reason is in the row."""
    if isinstance(outcome, Refused):
        _log.warning("mail refused for good", mail=str(posted.id), kind=posted.mail.kind.value)
    elif isinstance(outcome, Retry):
        level = _log.warning if outcome.is_server else _log.info
        level("mail waits", mail=str(posted.id), attempt=posted.attempt, server_trouble=outcome.is_server)


async def watch_mail(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Say so when mail waits that cannot leave."""
    async with engine.connect() as connection:
        outbox = await outbox_of(connection, now=now)
    if outbox.oldest is None:
        return 0
    if not settings.sends_mail:
        _log.warning("mail waits: TOCSIN_SMTP_URL is not set", waiting=outbox.waiting)
    elif now - outbox.oldest > LATE:
        _log.warning("mail waits for the mail server", waiting=outbox.waiting, since=outbox.oldest.isoformat())
    return 0
