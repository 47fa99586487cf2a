"""A server that speaks Slack's Web API: `chat.postMessage`, `chat.update`, answers to presses, and signed presses.

Source: https://docs.slack.dev/reference/methods/chat.postMessage, …/chat.update,
https://docs.slack.dev/reference/block-kit/blocks (the limits it checks), https://docs.slack.dev/apis/web-api/rate-limits
and https://docs.slack.dev/authentication/verifying-requests-from-slack. It signs by itself, not with the server's code.
"""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from tests.listening import listening
from tests.served_door import Certificate

TOKEN, SIGNING_SECRET = "xoxb-a-token-for-tests", "8f742231b10e8888abcd99yyyzzz85a5"
CHANNEL, ANN, BOB = "C0123ABCDEF", "U0ANN0ANN", "U0BOB0BOB"
MAX_BLOCKS, MAX_SECTION, MAX_ELEMENTS, MAX_BUTTON, MAX_VALUE, MAX_TEXT = 50, 3_000, 25, 75, 2_000, 40_000


@dataclass
class Message:
    """One that is there."""

    conversation: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str | None = None
    updates: int = 0

    @property
    def buttons(self) -> dict[str, dict[str, Any]]:
        """What can be pressed, by its action; of several the last."""
        found = [one for block in self.blocks if block["type"] == "actions" for one in block["elements"]]
        return {one["action_id"]: one for one in found}

    @property
    def shown(self) -> str:
        """All that can be read."""
        return "\n".join(block["text"]["text"] for block in self.blocks if block["type"] == "section")


@dataclass
class SlackDouble:
    """`refusals` are given first, each once: a status, a word and headers."""

    port: int = 0
    messages: list[Message] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    members: set[str] = field(default_factory=lambda: {ANN, BOB})
    # The app is a member of the first, and not of the second.
    channels: dict[str, bool] = field(default_factory=lambda: {CHANNEL: True, "C0OUTSIDE": False})
    calls: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.port}"

    def settings(self) -> dict[str, str]:
        """The settings of a server that speaks by it."""
        return {
            "slack_bot_token": TOKEN,
            "slack_signing_secret": SIGNING_SECRET,
            "slack_api_url": f"{self.url}/api",
            "outbound_allowed_networks": "127.0.0.0/8",
        }

    async def call(self, request: web.Request) -> web.Response:
        """`POST /api/{method}`."""
        method = request.match_info["method"]
        self.calls.append(method)
        if self.refusals:
            status, word, headers = self.refusals.pop(0)
            return web.json_response({"ok": False, "error": word}, status=status, headers=headers)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _no("invalid_auth")
        if request.content_type == "application/json":
            said = await request.json()
        else:
            said = dict(await request.post())
        blocks = said.get("blocks") or []
        blocks = json.loads(blocks) if isinstance(blocks, str) else blocks
        wrong = _wrong(str(said.get("text", "")), blocks)
        if wrong is not None:
            return _no(wrong)
        if method == "chat.update":
            return self._update(said, blocks)
        return self._post(said, blocks) if method == "chat.postMessage" else _no("unknown_method")

    def _post(self, said: dict[str, Any], blocks: list[dict[str, Any]]) -> web.Response:
        to = str(said.get("channel"))
        if to not in self.members and to not in self.channels:
            return _no("channel_not_found")
        if not self.channels.get(to, True):
            return _no("not_in_channel")
        conversation = "D" + to[1:] if to in self.members else to
        message = Message(conversation, f"1764129600.{len(self.messages):06}", said["text"], blocks)
        message.thread_ts = said.get("thread_ts")
        self.messages.append(message)
        return web.json_response(
            {"ok": True, "channel": conversation, "ts": message.ts, "message": {"text": message.text}}
        )

    def _update(self, said: dict[str, Any], blocks: list[dict[str, Any]]) -> web.Response:
        for message in self.messages:
            if (message.conversation, message.ts) == (said.get("channel"), said.get("ts")):
                message.text, message.blocks, message.updates = said["text"], blocks, message.updates + 1
                return web.json_response(
                    {"ok": True, "channel": message.conversation, "ts": message.ts, "text": message.text}
                )
        return _no("message_not_found")

    async def answer(self, request: web.Request) -> web.Response:
        """`POST /actions/{id}`: the address for an answer to a press."""
        self.answers.append(await request.json())
        return web.Response(text="ok")

    def press(self, message: Message, action: str, member: str, *, at: float) -> tuple[bytes, dict[str, str]]:
        """The body and the headers of the call for a press, as Slack makes them."""
        button = message.buttons[action]
        payload = {
            "type": "block_actions",
            "user": {"id": member, "username": "somebody", "team_id": "T0TEAM"},
            "api_app_id": "A0APP",
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.conversation},
            "trigger_id": f"{at}.{action}",
            "channel": {"id": message.conversation},
            "response_url": f"{self.url}/actions/T0TEAM/1/abc",
            "actions": [{"type": "button", "action_id": action, "value": button["value"], "block_id": "0"}],
        }
        return pressed(payload, at=at)

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application()
        application.router.add_post("/api/{method}", self.call)
        application.router.add_post("/actions/{rest:.*}", self.answer)
        return application


def pressed(payload: dict[str, Any], *, at: float, secret: str = SIGNING_SECRET) -> tuple[bytes, dict[str, str]]:
    """A call with this payload, signed."""
    body = urlencode({"payload": json.dumps(payload)}).encode()
    return body, signed(body, at=at, secret=secret)


def signed(body: bytes, *, at: float, secret: str = SIGNING_SECRET) -> dict[str, str]:
    """The headers that say that a call is Slack's."""
    timestamp = str(int(at))
    made = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": f"v0={made}",
        "content-type": "application/x-www-form-urlencoded",
    }


def _no(word: str) -> web.Response:
    return web.json_response({"ok": False, "error": word})


def _wrong(text: str, blocks: list[dict[str, Any]]) -> str | None:
    """What Slack would say of a message that it does not take."""
    if len(text) > MAX_TEXT:
        return "msg_too_long"
    if not text and not blocks:
        return "no_text"
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(blocks) > MAX_BLOCKS or len(ids) != len(set(ids)):
        return "invalid_blocks"
    return None if all(map(_is_good, blocks)) else "invalid_blocks"


def _is_good(block: dict[str, Any]) -> bool:
    if block["type"] == "section":
        return 0 < len(block["text"]["text"]) <= MAX_SECTION and block["text"]["type"] == "mrkdwn"
    if block["type"] != "actions":
        return False
    elements = block["elements"]
    names = [one["action_id"] for one in elements]
    return (
        0 < len(elements) <= MAX_ELEMENTS
        and len(names) == len(set(names))
        and all(
            one["type"] == "button"
            and one["text"]["type"] == "plain_text"
            and 0 < len(one["text"]["text"]) <= MAX_BUTTON
            and len(one["value"]) <= MAX_VALUE
            and one.get("style") in {None, "primary", "danger"}
            for one in elements
        )
    )


@asynccontextmanager
async def slack_double(certificate: Certificate) -> AsyncIterator[SlackDouble]:
    """One that listens on a port of this machine, over TLS."""
    double = SlackDouble()
    async with listening(double.application(), certificate) as double.port:
        yield double
