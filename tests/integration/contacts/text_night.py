"""What does a test of text messages need? The application, the jobs run by hand, and a phone of somebody."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import asyncpg
import httpx2
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.model import Role
from domain.mail.model import MailKind
from jobs.paging import page
from jobs.texts import send_texts
from tests.api import Api, Person
from tests.jobs_by_hand import JobsByHand
from tests.twilio_double import TwilioDouble, reply_form, signed, status_form

NUMBER = "+4915123456789"
PUBLIC = "https://tocsin.example.com"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
METHOD = "contactMethod { id isUsable disabledReason }"
TOLD = """query($id: ID!) { alert(id: $id) { status
  notifications { kind state contactKind why problem answer attempts nextAttemptAt user { id } } } }"""
REPLY = re.compile(r"Reply A (\d{4}) to acknowledge, R (\d{4}) to resolve")


class Night(JobsByHand):
    """The jobs of escalations, text messages and mail."""

    def __init__(self, api: Api, engine: AsyncEngine, database: asyncpg.Connection, *, twilio: TwilioDouble) -> None:
        super().__init__(api, engine, database)
        self.twilio = twilio

    async def tick(self, later: timedelta = timedelta(0)) -> list[str]:
        """Time passes and the due work is done; whom mail went to."""
        # Never behind the clock of the API, by which Twilio's calls are noted: tests may be slow.
        self.now = max(self.now + later, self.api.clock.now())
        await page(self.engine, self.api.settings, self.now)
        await send_texts(self.engine, self.api.settings, self.now)
        return [one.mail.to for one in await self.taken_mail() if one.mail.kind is MailKind.NOTIFICATION]

    async def post(self, path: str, form: dict[str, str], **headers: str) -> httpx2.Response:
        """Twilio calls."""
        given = {**signed(f"{PUBLIC}{path}", form), **headers}
        answer = await self.api.http.post(path, content=urlencode(form), headers=given)
        # What the server wrote just now is not of the future, however slow the machine is.
        self.now = max(self.now, self.api.clock.now())
        return answer

    async def reply(self, body: str, *, sender: str = NUMBER) -> str:
        answer = await self.post("/sms/twilio/reply", reply_form(sender, body))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/xml")
        return answer.text

    async def calls_back(self, status: str, error: str | None = None, *, index: int = -1) -> int:
        sms = self.twilio.sent[index]
        assert sms.status_callback is not None
        path = sms.status_callback.removeprefix(PUBLIC)
        return (await self.post(path, status_form(sms, status, error))).status_code


async def with_phone(night: Night, who: Person, number: str = NUMBER) -> str:
    """A phone of theirs, proved by the code that was sent to it."""
    what = {"kind": "SMS", "address": number}
    made = (await night.api.change("addContactMethod", what, METHOD, who=who))["contactMethod"]
    await send_texts(night.engine, night.api.settings, night.api.clock.now())
    sms = night.twilio.sent[-1]
    assert sms.to == number
    code = re.search(r"\d{6}", sms.body)
    assert code is not None
    proof = {"id": made["id"], "code": code[0]}
    assert (await night.api.change("verifyContactMethod", proof, METHOD, who=who))["contactMethod"]["isUsable"]
    night.now = night.api.clock.now()
    night.twilio.sent.clear()
    method_id: str = made["id"]
    return method_id


async def paged(night: Night, *people: Person, minutes: int = 0) -> None:
    manager = await night.api.person(Role.MANAGER)
    targets = [{"kind": "USER", "id": str(one.id)} for one in people]
    what = {"name": "Wake them", "steps": [{"delay": f"PT{minutes}M", "targets": targets}]}
    answer = await night.api.change("createEscalationPolicy", what, "policy { id }", who=manager)
    assert answer["__typename"] == "CreateEscalationPolicySuccess", answer


async def told(night: Night, alert_id: str, who: Person) -> dict[str, Any]:
    found: dict[str, Any] = (await night.api.data(TOLD, {"id": alert_id}, who=who))["alert"]
    return found
