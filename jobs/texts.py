"""Who sends the text messages that wait? A worker or the scheduler, as due work: claim, commit, send, write down.

The claim is committed before anything is sent, so two senders never take the same message; one that dies half-way
leaves it to be tried again when its claim has run out: it may come twice, never not at all.
"""

import asyncio
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.contacts.delivery import TextOutcome, TextRefused, TextRetry, TextSent
from domain.contacts.model import BY_TEXT, ContactKind
from domain.mail.delivery import TOO_OLD
from jobs.counting import count_send
from jobs.text_senders import Senders
from persistence.text_settling import settle_text
from persistence.texts import Text, any_text_due, claim_texts
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
# Sent side by side; together far less than a claim lasts.
BATCH = 20
MAX_BATCHES = 50
NO_NUMBER = "the contact method was removed or given up"


async def send_texts(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Send what is due; the number that was taken. Each kind by itself: one that hangs holds up no other."""
    if not await any_text_due(engine, now=now):
        return 0
    senders = Senders(engine, settings)
    try:
        return sum(await asyncio.gather(*(_send(engine, senders, kind, now=now) for kind in BY_TEXT)))
    finally:
        await senders.close()


async def _send(engine: AsyncEngine, senders: Senders, kind: ContactKind, *, now: datetime) -> int:
    sent = 0
    for _ in range(MAX_BATCHES):
        texts = await claim_texts(engine, limit=BATCH, now=now, kind=kind)
        if not texts:
            break
        outcomes = await asyncio.gather(*(_outcome(senders, text, now=now) for text in texts))
        for text, outcome in zip(texts, outcomes, strict=True):
            await settle_text(engine, text, outcome, now=now)
            await senders.after(text, outcome, now=now)
            _tell(text, outcome)
            count_send(text.kind.value, outcome)
            sent += isinstance(outcome, TextSent)
        if any(isinstance(outcome, TextRetry) and outcome.is_provider for outcome in outcomes):
            break
    return sent


async def _outcome(senders: Senders, text: Text, *, now: datetime) -> TextOutcome:
    if text.to is None:
        return TextRefused(NO_NUMBER)
    if now >= text.expires_at:
        return TextRefused(TOO_OLD)
    return await senders.send(text, text.to, now=now)


def _tell(text: Text, outcome: TextOutcome) -> None:
    """One line for what did not leave. Never the number nor the text; and the reason is in the row."""
    if isinstance(outcome, TextRefused):
        _log.warning("text message refused for good", text=str(text.id))
    elif isinstance(outcome, TextRetry):
        _log.warning("text message waits", text=str(text.id), attempt=text.attempt, reason=outcome.reason)
