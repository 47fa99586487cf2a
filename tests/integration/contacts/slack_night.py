"""What does a test of Slack need? The application, the jobs run by hand, and a double of Slack over TLS."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.model import Role
from jobs.channels.sending import send_to_channels
from jobs.paging import page
from jobs.slack import answer_presses, follow_alerts
from jobs.texts import send_texts
from tests.api import Api, Person, api_settings, running_api
from tests.integration.contacts.text_night import PUBLIC
from tests.jobs_by_hand import JobsByHand, opened
from tests.slack_double import ANN, Message, SlackDouble

METHOD = "contactMethod { id kind isUsable disabledReason } signingSecret"
TOLD = """query($id: ID!) { alert(id: $id) { status snoozedUntil
  notifications { kind state contactKind why problem answer attempts user { id } channel { id } }
  timeline(first: 50) { nodes { kind via reason actor { __typename ... on User { id } } } } } }"""


class SlackNight(JobsByHand):
    """The jobs of escalations, texts and channels, and those of our app in Slack."""

    def __init__(self, api: Api, engine: AsyncEngine, database: asyncpg.Connection, *, slack: SlackDouble) -> None:
        super().__init__(api, engine, database)
        self.slack = slack

    async def tick(self, later: timedelta = timedelta(0)) -> None:
        """Time passes and the due work is done."""
        self.now += later
        settings = self.api.settings
        await page(self.engine, settings, self.now)
        await send_texts(self.engine, settings, self.now)
        await send_to_channels(self.engine, settings, self.now)
        await follow_alerts(self.engine, settings, self.now)
        await answer_presses(self.engine, settings, self.now)

    async def press(self, message: Message, action: str, member: str = ANN, **headers: str) -> httpx2.Response:
        """Somebody presses a button, and Slack calls."""
        body, given = self.slack.press(message, action, member, at=self.api.clock.now().timestamp())
        answer = await self.api.http.post("/slack/interactions", content=body, headers={**given, **headers})
        self.now = max(self.now, self.api.clock.now())
        return answer

    async def told(self, alert_id: str, who: Person) -> dict[str, Any]:
        found: dict[str, Any] = (await self.api.data(TOLD, {"id": alert_id}, who=who))["alert"]
        return found

    async def linked(self, who: Person, member: str = ANN) -> str:
        """Their account in Slack, proved by the code that was sent to it."""
        what = {"kind": "SLACK", "address": member}
        made = (await self.api.change("addContactMethod", what, METHOD, who=who))["contactMethod"]
        await send_texts(self.engine, self.api.settings, self.api.clock.now())
        message = self.slack.messages.pop()
        assert message.conversation == "D" + member[1:]
        code = re.search(r"\d{6}", message.text)
        assert code is not None
        proof = {"id": made["id"], "code": code[0]}
        proved = await self.api.change("verifyContactMethod", proof, "contactMethod { isUsable }", who=who)
        assert proved["contactMethod"]["isUsable"]
        self.now = self.api.clock.now()
        method_id: str = made["id"]
        return method_id

    async def channel(self, manager: Person, conversation: str) -> str:
        """A channel that the app speaks in."""
        values = [{"name": "conversation", "value": conversation}]
        what = {"name": f"Slack {conversation}", "kind": "SLACK_BOT", "values": values}
        answer = await self.api.change("createChannel", what, "channel { id }", who=manager)
        assert answer["__typename"] == "CreateChannelSuccess", answer
        self.now = self.api.clock.now()
        channel_id: str = answer["channel"]["id"]
        return channel_id

    async def escalates_to(self, *targets: tuple[str, object]) -> None:
        """A policy that tells them at once."""
        manager = await self.api.person(Role.MANAGER)
        named = [{"kind": kind, "id": str(one)} for kind, one in targets]
        what = {"name": "Tell them", "steps": [{"delay": "PT0S", "targets": named}]}
        answer = await self.api.change("createEscalationPolicy", what, "policy { id }", who=manager)
        assert answer["__typename"] == "CreateEscalationPolicySuccess", answer


@asynccontextmanager
async def slack_night(url: str, folder: Path, slack: SlackDouble, **more: object) -> AsyncIterator[SlackNight]:
    """All of it, opened; and closed after."""
    settings = api_settings(url, folder, public_url=PUBLIC, **{**slack.settings(), **more})
    async with running_api(settings) as api, opened(partial(SlackNight, slack=slack), api, url) as made:
        yield made
