"""Who sends the text messages that wait? A worker or the scheduler, as due work: claim, commit, send, write down.

The claim is committed before anything is sent, so two senders never take the same message; one that dies half-way
leaves it to be tried again when its claim has run out: it may come twice, never not at all.
"""

import asyncio
import re
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.contacts.delivery import TextOutcome, TextRefused, TextRetry, TextSent
from domain.contacts.model import BY_TEXT, ContactKind
from domain.mail.delivery import TOO_OLD
from jobs.counting import count_send
from jobs.paging import writing_of
from jobs.text_senders import Senders
from jobs.timing import timed
from persistence.circuits import Leave, leave_to_ask, note_answer, note_failure
from persistence.overtaken import texts_to_send
from persistence.text_settling import settle_text
from persistence.texts import Text, any_text_due, claim_texts
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
# Sent side by side; together far less than a claim lasts.
BATCH = 20
MAX_BATCHES = 50
# The circuits of those who carry for everybody; a webhook of a person's own is nobody else's trouble.
CIRCUITS = {ContactKind.SMS: "text:sms", ContactKind.SLACK: "text:slack"}
NO_NUMBER = "the contact method was removed or given up"


async def send_texts(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Send what is due; the number that was taken. Each kind by itself: one that hangs holds up no other."""
    if not await any_text_due(engine, now=now):
        return 0
    senders = Senders(engine, settings)
    try:
        return sum(await asyncio.gather(*(_send(engine, settings, senders, kind, now=now) for kind in BY_TEXT)))
    finally:
        await senders.close()


async def _send(engine: AsyncEngine, settings: Settings, senders: Senders, kind: ContactKind, *, now: datetime) -> int:
    sent, key = 0, CIRCUITS.get(kind)
    for _ in range(MAX_BATCHES):
        leave = Leave.ALL if key is None else await leave_to_ask(engine, key, now=now)
        if leave is Leave.NONE:
            break
        texts = await _take(engine, settings, kind, limit=BATCH if leave is Leave.ALL else 1, now=now)
        if not texts:
            break
        answers = await asyncio.gather(*(timed(_outcome(senders, text, now=now)) for text in texts))
        outcomes = [outcome for outcome, _ in answers]
        for text, (outcome, took) in zip(texts, answers, strict=True):
            was_asked = text.to is not None and now < text.expires_at
            await settle_text(engine, text, outcome, now=now, took_ms=took if was_asked else None)
            await senders.after(text, outcome, now=now)
            await _note(engine, key, outcome, now=now)
            _tell(text, outcome)
            count_send(text.kind.value, outcome)
            sent += isinstance(outcome, TextSent)
        if any(isinstance(outcome, TextRetry) and outcome.is_provider for outcome in outcomes):
            break
    return sent


async def _take(engine: AsyncEngine, settings: Settings, kind: ContactKind, *, limit: int, now: datetime) -> list[Text]:
    """What is claimed and still to be sent: what was overtaken while it waited takes nobody's place."""
    while claimed := await claim_texts(engine, limit=limit, now=now, kind=kind):
        if texts := await texts_to_send(engine, claimed, writing_of(settings), now=now):
            return texts
    return []


async def _note(engine: AsyncEngine, key: str | None, outcome: TextOutcome, *, now: datetime) -> None:
    """How the provider is by it. What was refused before anybody was asked says nothing of it."""
    is_failure = isinstance(outcome, TextRetry) and outcome.is_provider
    is_answer = isinstance(outcome, TextSent) or (isinstance(outcome, TextRefused) and outcome.is_number)
    if key is None or not (is_failure or is_answer):
        return
    async with engine.begin() as connection:
        if isinstance(outcome, TextRetry):
            await note_failure(connection, key, outcome.reason, now=now, wait=outcome.wait)
        else:
            await note_answer(connection, key, now=now)


async def _outcome(senders: Senders, text: Text, *, now: datetime) -> TextOutcome:
    if text.to is None:
        return TextRefused(NO_NUMBER)
    if now >= text.expires_at:
        return TextRefused(TOO_OLD)
    return without_address(await senders.send(text, text.to, now=now), text.to)


def without_address(outcome: TextOutcome, to: str) -> TextOutcome:
    """What the provider said, without whom it was about: it repeats the number, which fewer may see."""
    bare = re.compile(re.escape(to.removeprefix("+")), re.IGNORECASE)

    def cleared(said: str) -> str:
        return bare.sub("the recipient", said.replace(to, "the recipient"))

    if isinstance(outcome, TextSent):
        return replace(outcome, answer=cleared(outcome.answer))
    return replace(outcome, reason=cleared(outcome.reason))


def _tell(text: Text, outcome: TextOutcome) -> None:
    """One line for what did not leave. Never the number nor the text; and the reason is in the row."""
    if isinstance(outcome, TextRefused):
        _log.warning("text message refused for good", text=str(text.id))
    elif isinstance(outcome, TextRetry):
        _log.warning("text message waits", text=str(text.id), attempt=text.attempt, reason=outcome.reason)
