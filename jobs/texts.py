"""Who sends the text messages that wait? A worker or the scheduler, as due work: claim, commit, send, write down.

The claim is committed before anything is sent, so two senders never take the same message; one that dies half-way
leaves it to be tried again when its claim has run out: it may come twice, never not at all.
"""

import asyncio
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.contacts.delivery import TextOutcome, TextRefused, TextRetry, TextSent
from domain.mail.delivery import TOO_OLD
from jobs.channels.twilio import Twilio, TwilioAccount
from jobs.counting import count_send
from persistence.text_settling import settle_text
from persistence.texts import Text, claim_texts
from tocsin.settings import Settings

_log = structlog.get_logger(__name__)
# Sent side by side; together far less than a claim lasts.
BATCH = 20
MAX_BATCHES = 50
NO_PROVIDER = "no provider of text messages is set up"
NO_NUMBER = "the contact method was removed or given up"


async def send_texts(engine: AsyncEngine, settings: Settings, now: datetime) -> int:
    """Send what is due; the number that was taken."""
    texts = await claim_texts(engine, limit=BATCH, now=now)
    if not texts:
        return 0
    account = TwilioAccount.of(settings)
    client = None if account is None else Twilio(account)
    sent = 0
    try:
        for _ in range(MAX_BATCHES):
            outcomes = await asyncio.gather(*(_outcome(client, text, now=now) for text in texts))
            for text, outcome in zip(texts, outcomes, strict=True):
                await settle_text(engine, text, outcome, now=now)
                _tell(text, outcome)
                count_send("sms", outcome)
                sent += isinstance(outcome, TextSent)
            if any(isinstance(outcome, TextRetry) and outcome.is_provider for outcome in outcomes):
                break
            texts = await claim_texts(engine, limit=BATCH, now=now)
            if not texts:
                break
    finally:
        if client is not None:
            await client.close()
    return sent


async def _outcome(client: Twilio | None, text: Text, *, now: datetime) -> TextOutcome:
    if text.to is None:
        return TextRefused(NO_NUMBER)
    if client is None:
        return TextRefused(NO_PROVIDER)
    if now >= text.expires_at:
        return TextRefused(TOO_OLD)
    return await client.send(text.id, to=text.to, body=text.body)


def _tell(text: Text, outcome: TextOutcome) -> None:
    """One line for what did not leave. Never the number nor the text; and the reason is in the row."""
    if isinstance(outcome, TextRefused):
        _log.warning("text message refused for good", text=str(text.id))
    elif isinstance(outcome, TextRetry):
        _log.warning("text message waits", text=str(text.id), attempt=text.attempt, reason=outcome.reason)
