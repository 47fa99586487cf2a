"""How does mail leave by SendGrid? One post a mail to its v3 API; what becomes of it is called back.

Source: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send and
https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits. 202 with `X-Message-Id`
is taken; 400 and 413 are of this mail, anything else is the account's or SendGrid's. The row's id goes along as a
custom argument, which every event repeats: graphql_api/mail_events/sendgrid_http.py.
"""

import time
from datetime import timedelta
from email.utils import parseaddr
from http import HTTPStatus
from typing import Any

import httpx2
import orjson

from domain.mail.delivery import Outcome, Refused, Retry, Sent
from domain.mail.feedback import MAIL_TAG
from domain.mail.model import Posted
from jobs.mail_answers import MAX_ANSWER, MAX_WAIT, SECONDS, one_line, wait_of
from jobs.outbound import object_of
from jobs.smtp import mailbox_of
from tocsin.settings import Settings

PATH = "/v3/mail/send"
# Refusals of this very mail; every other status is no mail's fault.
_OF_THE_MAIL = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
_TO = "personalizations.0.to"


class SendGrid:
    """A client for one account. Open it once, close it at the end."""

    def __init__(self, *, url: str, key: str, sender: str) -> None:
        self._url, self._sender = url + PATH, sender
        self._client = httpx2.AsyncClient(
            headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
            timeout=SECONDS,
            follow_redirects=False,
            trust_env=False,
        )

    @classmethod
    def of(cls, settings: Settings) -> "SendGrid | None":
        """The account of the settings. They have been checked."""
        if settings.sendgrid_api_key is None or settings.mail_from is None:
            return None
        key = settings.sendgrid_api_key.get_secret_value()
        return cls(url=settings.sendgrid_url, key=key, sender=settings.mail_from)

    async def send(self, posted: Posted) -> Outcome:
        """Try once; never raises."""
        try:
            body = orjson.dumps(written(posted, sender=self._sender))
        except (ValueError, UnicodeError) as error:
            return Refused(f"no mail can be made of it: {error}")
        try:
            answer = await self._client.post(self._url, content=body)
        except httpx2.HTTPError as error:
            return Retry(f"SendGrid was not reached: {type(error).__name__}", is_server=True)
        return judge(answer.status_code, answer.content[:MAX_ANSWER], dict(answer.headers))

    async def problem(self) -> str:
        """Why the account would not take mail; empty when it would. Asks for what the key may do: no mail is sent."""
        try:
            answer = await self._client.get(self._url.removesuffix(PATH) + "/v3/scopes")
        except httpx2.HTTPError as error:
            return f"it was not reached: {type(error).__name__}"
        if answer.status_code != HTTPStatus.OK:
            return judge(answer.status_code, answer.content[:MAX_ANSWER], {}).reason  # type: ignore[union-attr] # no success
        scopes = object_of(answer.content[:MAX_ANSWER]).get("scopes")
        return "" if isinstance(scopes, list) and "mail.send" in scopes else "the key may not send mail"

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()


def written(posted: Posted, *, sender: str) -> dict[str, Any]:
    """The body of the post."""
    mail = posted.mail
    name, address = parseaddr(sender)
    content = [{"type": "text/plain", "value": mail.text}]
    if mail.html is not None:
        content.append({"type": "text/html", "value": mail.html})
    return {
        "from": {"email": address, **({"name": name} if name else {})},
        "personalizations": [
            {"to": [{"email": mailbox_of(mail.to).addr_spec}], "custom_args": {MAIL_TAG: str(posted.id)}}
        ],
        "subject": mail.subject,
        "content": content,
        "headers": {
            "Message-ID": f"<{posted.id}@{address.rpartition('@')[2]}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
        # A link of ours may acknowledge an alert or set a password: it is nobody's to pass through or to count.
        "tracking_settings": {"click_tracking": {"enable": False, "enable_text": False}},
    }


def judge(status: int, body: bytes, headers: dict[str, str]) -> Outcome:
    """What an answer means."""
    if status in {HTTPStatus.OK, HTTPStatus.ACCEPTED}:
        return Sent(headers.get("x-message-id", "accepted"))
    errors = object_of(body).get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    reason = one_line(f"{status} {first.get('message') or 'without a reason'}")
    if status in _OF_THE_MAIL:
        # A body SendGrid cannot read speaks of no field: ours, of this mail.
        return Refused(reason, is_address=str(first.get("field") or "").startswith(_TO))
    return Retry(reason, is_server=True, wait=_wait(status, headers))


def _wait(status: int, headers: dict[str, str]) -> timedelta:
    """`Retry-After`, or else until SendGrid's own `X-RateLimit-Reset`, a time in seconds since 1970."""
    asked, reset = wait_of(headers), headers.get("x-ratelimit-reset", "")
    if asked or status != HTTPStatus.TOO_MANY_REQUESTS or not reset.isdigit():
        return asked
    return min(max(timedelta(seconds=int(reset) - time.time()), timedelta(0)), MAX_WAIT)
