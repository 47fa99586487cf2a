"""A server that speaks Twilio's Messages API: accounts, forms, documented refusals, and signed calls back.

Source: https://www.twilio.com/docs/messaging/api/message-resource, https://www.twilio.com/docs/api/errors and
https://www.twilio.com/docs/usage/security#validating-requests. It signs by itself, not with the server's code.
"""

import asyncio
import base64
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from threading import Thread
from uuid import uuid4

from aiohttp import web

from tests.listening import listening

SID, TOKEN, SENDER = "AC" + "0" * 32, "the token of an account for tests", "+15005550006"
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
# Twilio's own numbers for tests: https://www.twilio.com/docs/iam/test-credentials
INVALID, OPTED_OUT = "+15005550001", "+15005550004"
_MESSAGES = {
    21211: "Invalid 'To' Phone Number: {to}",
    21610: "Attempt to send to unsubscribed recipient",
    20003: "Authenticate",
    20429: "Too Many Requests",
    21602: "Message body is required.",
    21609: "The 'StatusCallback' URL {to} is not a valid URL.",
}


@dataclass(frozen=True)
class Sms:
    """One that was taken."""

    sid: str
    to: str
    body: str
    status_callback: str | None


@dataclass
class TwilioDouble:
    """`refusals` are given first, each once: a status, a code and headers."""

    port: int = 0
    sent: list[Sms] = field(default_factory=list)
    refusals: list[tuple[int, int, dict[str, str]]] = field(default_factory=list)
    asked: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> dict[str, str]:
        """The settings of a server that sends by it."""
        return {
            "twilio_account_sid": SID,
            "twilio_auth_token": TOKEN,
            "twilio_from": SENDER,
            "twilio_url": self.url,
        }

    async def take(self, request: web.Request) -> web.Response:
        """`POST /2010-04-01/Accounts/{sid}/Messages.json`."""
        self.asked += 1
        given = request.headers.get("authorization")
        expected = "Basic " + base64.b64encode(f"{SID}:{TOKEN}".encode()).decode()
        if given != expected or request.match_info["sid"] != SID:
            return self._refusal(401, 20003, "")
        form = await request.post()
        to, body, back = str(form["To"]), str(form.get("Body", "")), form.get("StatusCallback")
        if self.refusals:
            status, code, headers = self.refusals.pop(0)
            return self._refusal(status, code, to, headers)
        if not _NUMBER.fullmatch(to) or to == INVALID:
            return self._refusal(400, 21211, to)
        if to == OPTED_OUT:
            return self._refusal(400, 21610, to)
        if not body or form.get("From") != SENDER:
            return self._refusal(400, 21602, to)
        sid = f"SM{len(self.sent):032x}"
        self.sent.append(Sms(sid, to, body, None if back is None else str(back)))
        answer = {"sid": sid, "status": "queued", "to": to, "from": SENDER, "body": body, "error_code": None}
        return web.json_response(answer, status=201)

    @staticmethod
    def _refusal(status: int, code: int, to: str, headers: dict[str, str] | None = None) -> web.Response:
        message = _MESSAGES.get(code, "An error").format(to=to)
        more = f"https://www.twilio.com/docs/errors/{code}"
        answer = {"code": code, "message": message, "more_info": more, "status": status}
        return web.json_response(answer, status=status, headers=headers)

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application()
        application.router.add_post("/2010-04-01/Accounts/{sid}/Messages.json", self.take)
        return application


def signed(url: str, form: dict[str, str], *, token: str = TOKEN) -> dict[str, str]:
    """The headers of a call back, as Twilio signs it."""
    text = url
    for name in sorted(form):
        text += name + form[name]
    made = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return {"x-twilio-signature": made, "content-type": "application/x-www-form-urlencoded"}


def reply_form(sender: str, body: str) -> dict[str, str]:
    """The fields of an incoming message."""
    return {
        "AccountSid": SID,
        "MessageSid": f"SM{uuid4().hex}",
        "From": sender,
        "To": SENDER,
        "Body": body,
        "NumMedia": "0",
    }


def status_form(sms: Sms, status: str, error: str | None = None) -> dict[str, str]:
    """The fields of a status call back."""
    form = {"AccountSid": SID, "MessageSid": sms.sid, "MessageStatus": status, "To": sms.to, "From": SENDER}
    return form if error is None else {**form, "ErrorCode": error}


@asynccontextmanager
async def twilio_double() -> AsyncIterator[TwilioDouble]:
    """One that listens on a port of this machine."""
    double = TwilioDouble()
    async with listening(double.application()) as double.port:
        yield double


@contextmanager
def twilio_double_beside() -> Iterator[TwilioDouble]:
    """The same in a thread of its own, for tests that are not asynchronous."""
    double, loop = TwilioDouble(), asyncio.new_event_loop()
    stack = AsyncExitStack()
    double.port = loop.run_until_complete(stack.enter_async_context(listening(double.application())))
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield double
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
