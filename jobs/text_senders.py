"""Who sends a message that is no mail? Twilio, our app in Slack, or we ourselves to an address of the person's own."""

from datetime import datetime, timedelta
from http import HTTPStatus

import httpx2
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.channels.mrkdwn import escaped
from domain.channels.slack_card import card, digest_of
from domain.contacts.delivery import TextOutcome, TextRefused, TextRetry, TextSent
from domain.contacts.model import ContactKind
from jobs.channels.contract import JSON
from jobs.channels.slack_api import Fault, NotPosted, Posted, SlackApp
from jobs.channels.slack_words import worded_for_person
from jobs.channels.twilio import Twilio, TwilioAccount
from jobs.channels.webhook import signature
from jobs.outbound import Answer, NotAllowed, Outbound
from persistence.slack_messages import SlackMessage, carried_by_text, parts_of, remember
from persistence.texts import Text
from tocsin.settings import Settings

NO_PROVIDER = "no provider of text messages is set up"
NO_APP = "no app in Slack is set up"
MAX_WAIT = timedelta(hours=1)
# Trouble of a webhook that passes; any other refusal is of this message, for good.
_PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class Senders:
    """Those of one round. Close them at the end."""

    def __init__(self, engine: AsyncEngine, settings: Settings) -> None:
        account = TwilioAccount.of(settings)
        self._engine = engine
        self._twilio = None if account is None else Twilio(account)
        self._slack = SlackApp.of(settings)
        self._outbound = Outbound(settings.outbound_networks)
        self._cards: dict[object, bytes] = {}

    async def send(self, text: Text, to: str, *, now: datetime) -> TextOutcome:
        """Send one; never raises."""
        if text.kind is ContactKind.WEBHOOK:
            return await self._post(text, to, now=now)
        if text.kind is ContactKind.SLACK:
            return TextRefused(NO_APP) if self._slack is None else await self._tell(self._slack, text, to, now=now)
        if self._twilio is None:
            return TextRefused(NO_PROVIDER)
        return await self._twilio.send(text.id, to=to, body=text.body)

    async def after(self, text: Text, outcome: TextOutcome, *, now: datetime) -> None:
        """What was posted to Slack follows its alerts from now on."""
        shown = self._cards.pop(text.id, None)
        if shown is None or not isinstance(outcome, TextSent):
            return
        conversation, _, ts = outcome.provider_id.partition(" ")
        message = SlackMessage(
            id=text.id, user_id=text.user_id, conversation=conversation, ts=ts, shown_digest=shown, created_at=now
        )
        async with self._engine.begin() as connection:
            await remember(connection, message, await carried_by_text(connection, text.id), now=now)

    async def close(self) -> None:
        """Let the connections go."""
        await self._outbound.close()
        for client in (self._twilio, self._slack):
            if client is not None:
                await client.close()

    async def _tell(self, app: SlackApp, text: Text, to: str, *, now: datetime) -> TextOutcome:
        blocks = []
        if not text.is_code:
            async with self._engine.connect() as connection:
                parts = await parts_of(connection, await carried_by_text(connection, text.id), now=now)
            parts = await worded_for_person(self._engine, parts, is_leaving=True, now=now)
            blocks = card(text.id, parts, now=now, tells_why=True) if parts else []
        # What others wrote is in it: a title, a colleague's reason.
        said = await app.post(to, escaped(text.body), blocks)
        if isinstance(said, Posted):
            if blocks:
                self._cards[text.id] = digest_of(blocks)
            return TextSent("ok", f"{said.conversation} {said.ts}")
        return slack_outcome(said)

    async def _post(self, text: Text, to: str, *, now: datetime) -> TextOutcome:
        body = text.body.encode()
        headers = {
            **JSON,
            "x-tocsin-delivery": str(text.id),
            "x-tocsin-signature": signature(text.secret or "", body, at=int(now.timestamp())),
        }
        try:
            answer = await self._outbound.post(to, body, headers)
        except NotAllowed as error:
            return TextRefused(str(error), is_number=True)
        except TimeoutError:
            return TextRetry("no answer in time", is_provider=False)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            return TextRetry(f"not reached: {type(error).__name__}", is_provider=False)
        return webhook_outcome(answer)


def slack_outcome(said: NotPosted) -> TextOutcome:
    """What a refusal of Slack's means for a message to a person."""
    if said.fault is Fault.PLACE:
        return TextRefused(said.reason, is_number=True)
    if said.fault is Fault.MESSAGE:
        return TextRefused(said.reason)
    return TextRetry(said.reason, said.wait)


def webhook_outcome(answer: Answer) -> TextOutcome:
    """What an answer of a person's webhook means: its status alone. What it says is nobody's to read here.

    410 is how a webhook says that it is no more; any other refusal is of the one message.
    """
    said = f"status {answer.status}"
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return TextSent(said, "")
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status in _PASSING:
        wait = timedelta(seconds=answer.retry_after or 0)
        return TextRetry(said, min(wait, MAX_WAIT), is_provider=False)
    return TextRefused(said, is_number=answer.status == HTTPStatus.GONE)
