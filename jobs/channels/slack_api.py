"""How does our app in Slack speak? By the Web API with its bot token: post a message, and change it later.

Source: https://docs.slack.dev/reference/methods/chat.postMessage, …/chat.update and
https://docs.slack.dev/apis/web-api/rate-limits. Slack answers 200 with `ok: false` and a word for what is wrong; 429
comes with Retry-After.
"""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, TypeAlias

import httpx2
import orjson

from jobs.outbound import object_of
from jobs.outbound import retry_after as asked_to_wait
from tocsin.settings import Settings

SECONDS = 10.0
MAX_WAIT = timedelta(hours=1)
# Without Retry-After; a posting app is let in again after a moment.
SHORT_WAIT = timedelta(seconds=5)
MAX_TEXT = 3_000


class Fault(Enum):
    """Whose trouble it is."""

    PASSING = auto()
    APP = auto()
    PLACE = auto()
    MESSAGE = auto()


@dataclass(frozen=True, slots=True)
class Posted:
    """Where the message is: what it is changed by."""

    conversation: str
    ts: str


@dataclass(frozen=True, slots=True)
class NotPosted:
    """Why it is not there."""

    reason: str
    fault: Fault
    wait: timedelta = timedelta(0)


Said: TypeAlias = Posted | NotPosted

_INVITE = "; invite the app there: /invite @its name"
# What somebody can mend in Slack: the app, its token, its scopes, where it is a member.
_OF_APP = frozenset(
    {
        "not_authed",
        "invalid_auth",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "org_login_required",
        "ekm_access_denied",
        "team_access_not_granted",
        "not_in_channel",
        "restricted_action",
        "access_denied",
    }
)
# What never will be: a conversation or a member that is not there, or takes nothing.
_OF_PLACE = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "user_not_found",
        "user_disabled",
        "users_not_found",
        "messages_tab_disabled",
        "cannot_dm_bot",
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "is_inactive",
    }
)
_OF_MESSAGE = frozenset({"msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format", "no_text"})


class SlackApp:
    """A client for the app. Open it once, close it at the end."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json; charset=utf-8"}
        # The default context, so that SSL_CERT_FILE counts as for every other provider.
        context = ssl.create_default_context()
        self._client = httpx2.AsyncClient(verify=context, timeout=SECONDS, follow_redirects=False, trust_env=False)

    @classmethod
    def of(cls, settings: Settings) -> "SlackApp | None":
        """None where none is set up."""
        token = settings.slack_bot_token
        return None if token is None else cls(settings.slack_api_url, token.get_secret_value())

    async def post(
        self, conversation: str, text: str, blocks: Sequence[Mapping[str, Any]] = (), *, thread: str | None = None
    ) -> Said:
        """A new message. One that Slack finds too long or wrong comes as its plain text: better that than nothing."""
        said = {"channel": conversation, "text": text[:MAX_TEXT], "unfurl_links": False, "unfurl_media": False}
        if thread is not None:
            said["thread_ts"] = thread
        found = await self._call("chat.postMessage", {**said, "blocks": list(blocks)} if blocks else said)
        if isinstance(found, NotPosted) and found.fault is Fault.MESSAGE and blocks:
            return await self._call("chat.postMessage", said)
        return found

    async def update(self, at: Posted, text: str, blocks: Sequence[Mapping[str, Any]]) -> Said:
        """The message in its new form."""
        said = {"channel": at.conversation, "ts": at.ts, "text": text[:MAX_TEXT], "blocks": list(blocks)}
        return await self._call("chat.update", said)

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()

    async def _call(self, method: str, arguments: Mapping[str, Any]) -> Said:
        """Never raises."""
        body = orjson.dumps(arguments)
        try:
            answer = await self._client.post(f"{self._url}/{method}", content=body, headers=self._headers)
        except httpx2.HTTPError as error:
            return NotPosted(f"not reached: {type(error).__name__}", Fault.PASSING)
        return judge(answer.status_code, answer.content, answer.headers.get("retry-after"))


def judge(status: int, body: bytes, retry_after: str | None) -> Said:
    """What an answer means."""
    said = object_of(body)
    word = str(said.get("error") or f"status {status}")[:200]
    if status == HTTPStatus.TOO_MANY_REQUESTS or word in {"ratelimited", "rate_limited"}:
        asked = asked_to_wait(retry_after, now=datetime.now(tz=UTC))
        wait = SHORT_WAIT if asked is None else timedelta(seconds=asked)
        return NotPosted("429 ratelimited", Fault.PASSING, min(wait, MAX_WAIT))
    if status == HTTPStatus.OK and said.get("ok") is True:
        conversation, ts = said.get("channel"), said.get("ts")
        if isinstance(conversation, str) and isinstance(ts, str):
            return Posted(conversation, ts)
        return NotPosted("an answer that is none of Slack's", Fault.PLACE)
    return _refused(word)


def _refused(word: str) -> NotPosted:
    """What a word of Slack's means. One nobody knows is taken for passing: a message is given up by age then."""
    reason = word + (_INVITE if word in {"not_in_channel", "channel_not_found"} else "")
    if word in _OF_APP:
        return NotPosted(reason, Fault.APP)
    if word in _OF_PLACE:
        return NotPosted(reason, Fault.PLACE)
    return NotPosted(reason, Fault.MESSAGE if word in _OF_MESSAGE else Fault.PASSING)
