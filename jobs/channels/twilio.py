"""How does Twilio send a text message? One post a message; what becomes of it is called back.

Source: https://www.twilio.com/docs/messaging/api/message-resource: `POST /2010-04-01/Accounts/{sid}/Messages.json` as a
form, with the account's SID and token as user and password. 201 has the message's `sid`; a refusal has a `code` of
Twilio's own; 429 with code 20429 is too many requests.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from urllib.parse import urlencode
from uuid import UUID

import httpx2

from domain.contacts.delivery import OF_THE_ACCOUNT, TextOutcome, TextRefused, TextRetry, TextSent, refused
from jobs.outbound import object_of
from jobs.outbound import retry_after as asked_to_wait
from tocsin.settings import Settings

SECONDS = 10.0
MAX_WAIT = timedelta(hours=1)
MAX_ANSWER = 64 * 1024
STATUS_PATH = "/sms/twilio/status"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioAccount:
    """Who sends, as the settings say."""

    url: str
    sid: str
    token: str
    sender: str
    calls_back_to: str | None

    @classmethod
    def of(cls, settings: Settings) -> "TwilioAccount | None":
        """None where none is set up. Only an address that was set on purpose is one Twilio can call."""
        sid, token, sender = settings.twilio_account_sid, settings.twilio_auth_token, settings.twilio_from
        if sid is None or token is None or sender is None:
            return None
        back = None if settings.public_url is None else settings.effective_public_url + STATUS_PATH
        return cls(url=settings.twilio_url, sid=sid, token=token.get_secret_value(), sender=sender, calls_back_to=back)


class Twilio:
    """A client for the account. Open it once, close it at the end."""

    def __init__(self, account: TwilioAccount) -> None:
        self._account = account
        self._client = httpx2.AsyncClient(
            auth=(account.sid, account.token), timeout=SECONDS, follow_redirects=False, trust_env=False
        )

    async def send(self, text_id: UUID, *, to: str, body: str) -> TextOutcome:
        """Send one; never raises."""
        account = self._account
        sender = "MessagingServiceSid" if account.sender.startswith("MG") else "From"
        form = {"To": to, sender: account.sender, "Body": body}
        if account.calls_back_to is not None:
            form["StatusCallback"] = f"{account.calls_back_to}/{text_id}"
        url = f"{account.url}/2010-04-01/Accounts/{account.sid}/Messages.json"
        headers = {"content-type": "application/x-www-form-urlencoded"}
        try:
            answer = await self._client.post(url, content=urlencode(form).encode(), headers=headers)
        except httpx2.HTTPError as error:
            return TextRetry(f"not reached: {type(error).__name__}")
        return judge(answer.status_code, answer.content[:MAX_ANSWER], answer.headers.get("retry-after"))

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()


def judge(status: int, body: bytes, retry_after: str | None) -> TextOutcome:
    """What an answer means."""
    said = object_of(body)
    if status in {HTTPStatus.OK, HTTPStatus.CREATED} and isinstance(said.get("sid"), str):
        return TextSent(f"{said['sid']} {said.get('status', '')}".strip(), said["sid"])
    code = said.get("code") if isinstance(said.get("code"), int) else 0
    message = str(said.get("message") or f"status {status}")
    if status == HTTPStatus.TOO_MANY_REQUESTS or code in OF_THE_ACCOUNT:
        wait = timedelta(seconds=asked_to_wait(retry_after, now=datetime.now(tz=UTC)) or 0)
        return TextRetry(f"{code or status} {message}"[:250], min(wait, MAX_WAIT))
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
        return TextRetry(f"{code or status} {message}"[:250])
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return refused(code or status, message)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TextRetry(f"{status} {message}"[:250])
    return TextRefused(f"an answer that is none of Twilio's: {status}")
